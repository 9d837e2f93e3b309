"""Identities: the ledger leads and the register follows, whatever is interrupted between the two."""

from dataclasses import dataclass, field

import pytest

from equipoise.access.actor import Actor
from equipoise.access.refusal import Refusal, Refused
from equipoise.conduct.identities import (
    IdentityUnmatched,
    Unmatched,
    erase_identity,
    read_identity,
    register_identity,
    settle,
    unmatched,
)
from equipoise.conduct.trial import Trial
from equipoise.enrolment.commands import EraseIdentity, RegisterIdentity, WithdrawParticipant
from equipoise.enrolment.state import IdentityRow
from equipoise.governance.commands import GrantRole, LockDatabase, RevokeRole
from equipoise.ledger import StoreUnavailable
from equipoise.ledger.receipts import Sending, SentBefore
from tests.conduct.clinic import ADA, DANA, PETE, PRIYA, Clinic

NILS = Actor("nils", "nurse", "SE01")
NAME, CONTACT = "Maja Ångström", "070-123 45 67"


@dataclass
class FakeRegister:
    """A register in memory, whose storage fails at a step when it is told to."""

    kept: dict[str, tuple[str, str]] = field(default_factory=dict)
    fails_at: str | None = None

    def record(self, participant: str, name: str, contact: str) -> None:
        self._fail("record")
        self.kept[participant] = name, contact

    def read(self, participant: str) -> tuple[str, str] | None:
        return self.kept.get(participant)

    def erase(self, participant: str) -> None:
        self._fail("erase")
        self.kept.pop(participant, None)

    def codes(self) -> list[str]:
        return list(self.kept)

    def _fail(self, step: str) -> None:
        if self.fails_at == step:
            raise StoreUnavailable("STORE-FULL", "The disk is full.")


@pytest.fixture
def clinic() -> Clinic:
    clinic = Clinic()
    clinic.consent()
    clinic.do(ADA, GrantRole(account="nils", role="nurse", site="SE01"))
    return clinic


@pytest.fixture
def register() -> FakeRegister:
    return FakeRegister()


CODE = "SE01-001"
REGISTER = RegisterIdentity(participant=CODE)
ERASE = EraseIdentity(participant=CODE, cause="Asked for by the participant")


def keep(clinic: Clinic, register: FakeRegister, actor: Actor = NILS) -> Refusal | None:
    outcome = register_identity(clinic.trial, register, actor, REGISTER, NAME, CONTACT)
    return outcome if isinstance(outcome, Refusal) else None


def erase(clinic: Clinic, register: FakeRegister, actor: Actor = PRIYA) -> Refusal | None:
    outcome = erase_identity(clinic.trial, register, actor, ERASE)
    return outcome if isinstance(outcome, Refusal) else None


def disagreement(trial: Trial, register: FakeRegister) -> tuple[Unmatched, ...]:
    return unmatched(register.codes(), trial.tables.all(IdentityRow))


@pytest.mark.requirement("G13")
def test_spec_an_identity_is_kept_apart_and_the_ledger_says_only_that_it_is(
    clinic: Clinic, register: FakeRegister
) -> None:
    assert keep(clinic, register) is None
    assert register.kept == {CODE: (NAME, CONTACT)}
    entry = list(clinic.ledger.read())[-1]
    assert (entry.kind, dict(entry.content)) == ("IdentityRegistered", {"participant": CODE})
    assert erase(clinic, register) is None
    entry = list(clinic.ledger.read())[-1]
    assert (entry.kind, entry.content["cause"]) == ("IdentityErased", "Asked for by the participant")
    assert register.kept == {}
    whole = b"".join(each.body for each in clinic.ledger.read())
    assert not [part for part in ("Maja", NAME, CONTACT) if part.encode() in whole]


def test_spec_an_identity_is_registered_once_unless_it_was_erased(
    clinic: Clinic, register: FakeRegister
) -> None:
    refusal = erase(clinic, register)
    assert refusal is not None
    assert refusal.code == "ENR-IDENTITY"
    assert keep(clinic, register) is None
    again = register_identity(clinic.trial, register, NILS, REGISTER, "Somebody else", "")
    assert isinstance(again, Refusal)
    assert (again.code, register.kept) == ("ENR-IDENTITY", {CODE: (NAME, CONTACT)})
    assert erase(clinic, register) is None
    assert keep(clinic, register) is None
    assert register.kept == {CODE: (NAME, CONTACT)}


def test_spec_what_is_refused_keeps_and_erases_nothing(clinic: Clinic, register: FakeRegister) -> None:
    for actor, code in ((PETE, "ACC-SITE"), (DANA, "ACC-COMMAND"), (ADA, "ACC-COMMAND")):
        refusal = keep(clinic, register, actor)
        assert refusal is not None
        assert (refusal.code, register.kept) == (code, {})
    assert keep(clinic, register) is None
    for actor, code in ((PETE, "ACC-SITE"), (NILS, "ACC-COMMAND"), (DANA, "ACC-COMMAND")):
        refusal = erase(clinic, register, actor)
        assert refusal is not None
        assert (refusal.code, list(register.kept)) == (code, [CODE])
    assert erase(clinic, register, ADA) is None
    stranger = RegisterIdentity(participant="SE01-099")
    unknown = register_identity(clinic.trial, register, NILS, stranger, NAME, CONTACT)
    assert isinstance(unknown, Refusal)
    assert (unknown.code, register.kept) == ("ENR-UNKNOWN-PARTICIPANT", {})


def test_spec_an_identity_can_be_erased_after_the_lock_and_none_registered() -> None:
    clinic, register = Clinic(), FakeRegister()
    clinic.consent()
    assert keep(clinic, register, PRIYA) is None
    day = clinic.clock.now.date()
    clinic.do(PRIYA, WithdrawParticipant(participant=CODE, withdrawn_on=day, scope="consent", cause="Moved"))
    outcome = clinic.trial.record(DANA, LockDatabase())
    assert not isinstance(outcome, Refusal), str(outcome)
    assert erase(clinic, register, ADA) is None
    refusal = keep(clinic, register, PRIYA)
    assert refusal is not None
    assert (refusal.code, register.kept) == ("CON-LOCKED", {})


def test_an_identity_without_a_name_is_not_registered(clinic: Clinic, register: FakeRegister) -> None:
    before = clinic.trial.head
    outcome = register_identity(clinic.trial, register, NILS, REGISTER, " ", CONTACT)
    assert isinstance(outcome, Refusal)
    assert (outcome.code, clinic.trial.head, register.kept) == ("CON-NAME", before, {})


def test_what_was_registered_and_not_kept_is_named_and_mended(clinic: Clinic, register: FakeRegister) -> None:
    register.fails_at = "record"
    with pytest.raises(IdentityUnmatched) as failure:
        keep(clinic, register)
    assert failure.value.sentence.startswith(f"The identity of {CODE} is registered and not kept.")
    assert NAME not in str(failure.value)
    assert disagreement(clinic.trial, register) == (Unmatched(CODE, missing=True),)
    register.fails_at = None
    assert erase(clinic, register) is None
    assert disagreement(clinic.trial, register) == ()
    assert keep(clinic, register) is None
    assert disagreement(clinic.trial, register) == ()


def test_what_is_sent_again_after_the_register_failed_is_not_called_recorded(
    clinic: Clinic, register: FakeRegister
) -> None:
    sending = Sending.of(("form", "a ticket"), (NILS.account,))
    sent = (clinic.trial, register, NILS, REGISTER, NAME, CONTACT, sending)
    register.fails_at = "record"
    with pytest.raises(IdentityUnmatched):
        register_identity(*sent)
    register.fails_at = None
    with pytest.raises(IdentityUnmatched, match="registered and not kept"):
        register_identity(*sent)
    assert register.kept == {}
    assert erase(clinic, register) is None and keep(clinic, register) is None
    with pytest.raises(SentBefore):
        register_identity(*sent)


def test_what_was_erased_and_is_still_kept_goes_at_the_next_chance(
    clinic: Clinic, register: FakeRegister
) -> None:
    assert keep(clinic, register) is None
    register.fails_at = "erase"
    with pytest.raises(IdentityUnmatched) as failure:
        erase(clinic, register)
    left = Unmatched(CODE, missing=False)
    assert failure.value.sentence == left.sentence
    assert disagreement(clinic.trial, register) == (left,)
    assert read_identity(clinic.trial, register, PRIYA, CODE) is None
    register.fails_at = None
    # Asked for once more, it is refused, as the ledger has it; and what was left is gone.
    refusal = erase(clinic, register)
    assert refusal is not None
    assert (refusal.code, register.kept) == ("ENR-IDENTITY", {})


def test_what_nobody_registered_is_erased_and_what_another_process_registered_is_not(
    clinic: Clinic, register: FakeRegister
) -> None:
    other = clinic.another("other")
    assert keep(clinic, register) is None
    register.kept["SE01-007"] = "Stray", ""
    settle(other, register)
    assert register.kept == {CODE: (NAME, CONTACT)}


def test_an_erasure_that_overtakes_a_registration_holds(clinic: Clinic) -> None:
    class Overtaken(FakeRegister):
        def record(self, participant: str, name: str, contact: str) -> None:
            assert isinstance(clinic.another("other").record(PRIYA, ERASE), tuple)
            super().record(participant, name, contact)

    register = Overtaken()
    assert keep(clinic, register) is None
    assert register.kept == {}


@pytest.mark.requirement("G13", "G14")
def test_spec_an_identity_is_read_at_its_own_site_by_who_may_register_it(
    clinic: Clinic, register: FakeRegister
) -> None:
    assert read_identity(clinic.trial, register, NILS, CODE) is None
    assert keep(clinic, register) is None
    for actor in (NILS, PRIYA):
        assert read_identity(clinic.trial, register, actor, CODE) == (NAME, CONTACT)
    clinic.do(ADA, RevokeRole(account="nils", role="nurse", site="SE01"))
    refused = {PETE: "ACC-SITE", DANA: "ACC-COMMAND", ADA: "ACC-COMMAND", NILS: "ACC-GRANT"}
    refused[Actor("eve", "king")] = "ACC-ROLE"
    for actor, code in refused.items():
        with pytest.raises(Refused) as refusal:
            read_identity(clinic.trial, register, actor, CODE)
        assert refusal.value.refusal.code == code


def test_disagreements_are_named_by_participant_in_order() -> None:
    rows = [
        IdentityRow(participant=code, status=status)
        for code, status in (
            ("A-003", "registered"),
            ("A-001", "registered"),
            ("A-002", "erased"),
            ("A-004", "erased"),
        )
    ]
    found = unmatched(["A-009", "A-002", "A-001"], rows)
    assert [(each.participant, each.missing) for each in found] == [
        ("A-002", False),
        ("A-003", True),
        ("A-009", False),
    ]
    assert unmatched((), ()) == ()
