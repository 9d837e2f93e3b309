"""A trial on which conduct is tried: real commands, a clock that can be set, and ledgers that fail."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from equipoise.access.actor import SYSTEM, Actor
from equipoise.access.command import Command, Entropy
from equipoise.access.refusal import Refusal
from equipoise.allocation.commands import CommitAllocation, RandomiseParticipant
from equipoise.allocation.vault import MemoryVault
from equipoise.conduct.trial import Trial
from equipoise.definition.lock import hashed
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.eligibility import Eligibility
from equipoise.enrolment.commands import AssessEligibility, ConsentParticipant
from equipoise.governance.commands import ActivateSite, GrantRole, OpenTrial
from equipoise.ledger import Change, Entry, LedgerTransaction, MemoryLedger, Receipt, StoreUnavailable
from equipoise.ledger.memory import _MemoryTransaction
from equipoise.store.ledger import DatabaseLedger
from tests.factory import PRIYA, CountingEntropy
from tests.small_trial import SUPPLY, make_definition

ADA = Actor("ada", "administrator")
DANA = Actor("dana", "data_manager")
LENA = Actor("lena", "list_statistician")
PETE = Actor("pete", "investigator", "CA01")
DAY = date(2024, 6, 3)
SITES = {"SE01": PRIYA, "CA01": PETE}


def open_definition() -> StudyDefinition:
    """The small trial for everybody who consents: no criteria, and no product to wait for."""
    (product,) = SUPPLY.products
    supply = replace(SUPPLY, products=(replace(product, released_before_randomisation=False),))
    return hashed(make_definition(eligibility=Eligibility(criteria=()), supply=supply))


class SettableClock:
    """A clock that moves by a second with each look, and jumps where it is told."""

    def __init__(self) -> None:
        self.now = datetime(2024, 6, 3, 9, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


class FailingLedger(MemoryLedger):
    """A ledger in memory whose storage fails at a step when it is told to: lock, append or commit."""

    def __init__(self) -> None:
        super().__init__()
        self.fails_at: str | None = None

    @contextmanager
    def exclusive(self) -> Iterator[LedgerTransaction]:
        with super().exclusive() as transaction:
            self._fail("lock")
            assert isinstance(transaction, _MemoryTransaction)
            append = transaction.append

            def append_or_fail(
                entries: Sequence[Entry],
                changes: Sequence[Change],
                receipts: Sequence[Receipt] = (),
                blotted: Sequence[Entry] = (),
            ) -> None:
                append(entries, changes, receipts, blotted)
                self._fail("append")

            transaction.append = append_or_fail  # type: ignore[method-assign]
            yield transaction
            self._fail("commit")

    def _fail(self, step: str) -> None:
        if self.fails_at == step:
            raise StoreUnavailable("STORE-FULL", "The disk is full. Make room and repeat the command.")


class Clinic:
    """A trial with two active sites, opened over a ledger and a vault of its own or shared ones."""

    def __init__(
        self,
        ledger: MemoryLedger | DatabaseLedger | None = None,
        vault: MemoryVault | None = None,
        definition: StudyDefinition | None = None,
        entropy: Entropy | None = None,
    ) -> None:
        self.definition = definition or open_definition()
        self.ledger: MemoryLedger | DatabaseLedger = ledger if ledger is not None else MemoryLedger()
        self.vault = vault if vault is not None else MemoryVault()
        self.clock = SettableClock()
        self.trial = self.another("first", entropy)
        if self.trial.head.position == 0:
            self._open()

    def another(self, seed: str, entropy: Entropy | None = None) -> Trial:
        """The same trial in another process."""
        return Trial(self.definition, self.ledger, self.vault, self.clock, entropy or CountingEntropy(seed))

    def do(self, actor: Actor, command: Command, reason: str | None = None) -> tuple[Entry, ...]:
        outcome = self.trial.record(actor, command, reason)
        assert not isinstance(outcome, Refusal), str(outcome)
        return outcome

    def consent(self, site: str = "SE01") -> str:
        """Somebody new, assessed and ready to be randomised."""
        actor = SITES[site]
        (consented, *_) = self.do(
            actor, ConsentParticipant(site=site, consent_version="1.0", consented_on=DAY)
        )
        code = str(consented.content["participant"])
        self.do(actor, AssessEligibility(participant=code, assessed_on=DAY))
        return code

    def _open(self) -> None:
        self.do(SYSTEM, OpenTrial(mode="live", administrator=ADA.account))
        for actor in (DANA, LENA, PRIYA, PETE):
            self.do(ADA, GrantRole(account=actor.account, role=actor.role, site=actor.site))
        for site in SITES:
            self.do(ADA, ActivateSite(site=site, approved_on=DAY))
        self.do(LENA, CommitAllocation())


def randomise(code: str) -> RandomiseParticipant:
    return RandomiseParticipant(participant=code, randomised_on=DAY)
