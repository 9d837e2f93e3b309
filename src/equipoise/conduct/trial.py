"""A trial: the one write path and the one place where reading starts."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import chain
from threading import Lock
from typing import cast

from equipoise.access.actor import Actor
from equipoise.access.command import Command, Entropy, Moment
from equipoise.access.content import KINDS
from equipoise.access.permissions import check_permission
from equipoise.access.refusal import Refusal, Refused
from equipoise.access.visibility import UNMASKING, viewer_of
from equipoise.allocation.decide import Allocator
from equipoise.allocation.state import UnblindingRow
from equipoise.allocation.vault import Vault
from equipoise.coding.decide import Coder
from equipoise.coding.dictionary import Dictionaries, MemoryDictionaries
from equipoise.conduct.blotting import Blotter, tables_of
from equipoise.conduct.clock import Clock
from equipoise.conduct.coding import read_verbatims
from equipoise.conduct.evidence import evidence_of
from equipoise.conduct.policies import check_holder, check_policies, site_of
from equipoise.conduct.reactions import derive_reactions
from equipoise.conduct.rooms import DECIDE, apply_entry
from equipoise.conduct.standstill import Standstill, SteppedAside
from equipoise.conduct.trail import Trail
from equipoise.conduct.versions import Versions
from equipoise.conduct.view import MaskedView, UnmaskedView
from equipoise.definition.expression import Evidence
from equipoise.definition.model.definition import StudyDefinition
from equipoise.governance.commands import BlotText
from equipoise.governance.state import is_unblinded
from equipoise.ledger.blots import NONCE, read_blot
from equipoise.ledger.entry import Draft, Entry, Head, Stamp, seal, utc_text
from equipoise.ledger.protocol import Ledger, LedgerTransaction, StoreUnavailable
from equipoise.ledger.receipts import Receipt, Sending, SentBefore
from equipoise.ledger.tables import Change, Tables

_TICK = timedelta(microseconds=1)
_NONCE_BYTES = 16


@dataclass(slots=True, eq=False)
class _Asked:
    """A command that a thread waits for, and what came of it."""

    actor: Actor
    command: Command
    reason: str | None
    sending: Sending | None = None
    outcome: tuple[Entry, ...] | Refusal | SentBefore | None = None
    failure: BaseException | None = None

    @property
    def waits(self) -> bool:
        """Whether nothing has come of it yet."""
        return self.outcome is None and self.failure is None


@dataclass(slots=True)
class _Decided:
    """What came of the commands of some who waited, one after the other."""

    outcomes: list[tuple[Entry, ...] | Refusal | SentBefore] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    blotted: Mapping[int, Entry] = field(default_factory=dict)


class Trial:
    """One trial, on one ledger and one vault, under one study definition and the versions that amend it.

    `definition` is the one that the trial was opened under, or is to be; the others are in the ledger. The
    dictionaries lie beside it.

    Opening replays the ledger. Several processes may hold the same trial: each catches up inside the
    transaction in which it records. Several threads may share one: who reads more than one thing, or
    iterates, does so inside `reading`, or another thread's record may come in between.
    """

    def __init__(
        self,
        definition: StudyDefinition,
        ledger: Ledger,
        vault: Vault,
        clock: Clock,
        entropy: Entropy,
        dictionaries: Dictionaries | None = None,
    ) -> None:
        self.versions = Versions(definition)
        self.ledger = ledger
        self.tables = Tables()
        self.trail = Trail()
        self._allocator = Allocator(vault)
        self.coder = Coder(MemoryDictionaries() if dictionaries is None else dictionaries, read_verbatims)
        self._blotter = Blotter(ledger, self.trail, self.versions, self.coder)
        self._decide = {
            **DECIDE,
            **self._allocator.decide,
            **self.coder.decide,
            **self._blotter.decide,
        }
        self._clock = clock
        self._entropy = entropy
        self._position = 0
        self._latest = ""
        self._standstill = Standstill()
        self._turn = Lock()
        self._held = 0
        self._looks_begun = self._looks_done = 0
        self._blotted = set[int]()
        self._asked: deque[_Asked] = deque()
        self.catch_up()

    @property
    def definition(self) -> StudyDefinition:
        """The latest version of the study."""
        return self.versions.latest(self.tables)

    def definition_for(self, actor: Actor) -> StudyDefinition:
        """Return the version of the study that an actor works under: the one that holds at their site."""
        return self.versions.at(self.tables, actor.site)

    @property
    def head(self) -> Head:
        """The head of the chain as last committed."""
        return self.ledger.head()

    @property
    def unblinded(self) -> bool:
        """Whether the allocations were revealed after the lock."""
        return is_unblinded(self.tables)

    def catch_up(self) -> None:
        """Apply what others recorded since this trial last looked; inside `reading` it stands still."""
        with self._looking():
            pass

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Catch up, and let all that is read until the end of the block be of one state of the trial.

        Other threads wait with what they record; what other processes record is seen after the block. The
        thread inside may use `as_seen_by` and all of its views, and may `record`, after which it sees the
        state with its own entries. Keep the block short, and use up what is iterated inside it.
        """
        with self._looking():
            self._held += 1
            try:
                yield
            finally:
                self._held -= 1

    def record(
        self, actor: Actor, command: Command, reason: str | None = None, sending: Sending | None = None
    ) -> tuple[Entry, ...] | Refusal:
        """Record what a command leads to, all or nothing.

        Returns the entries, or the refusal that says what, why and what next. Raises StoreUnavailable when
        the storage fails; then nothing has changed. What is recorded for a `sending` leaves its receipt in
        the same transaction: raises SentBefore where there is one already, and records nothing.

        What several threads ask for at the same time is recorded one after the other, and brought to the
        disk together: of those that wait, the first to come to the ledger records for all. Whoever is inside
        `reading` records their own command alone.
        """
        asked = _Asked(actor, command, reason, sending)
        if self._standstill.is_mine:
            with self._standstill.needing_ledger():
                self._record_together(lambda: [asked])
        else:
            self._asked.append(asked)
            with self._turn:
                if asked.waits:
                    self._record_with_others(asked)
        if asked.failure is not None:
            raise asked.failure
        if isinstance(asked.outcome, SentBefore):
            raise asked.outcome
        return cast(tuple[Entry, ...] | Refusal, asked.outcome)

    def as_seen_by(self, actor: Actor) -> MaskedView | UnmaskedView:
        """Return the trial as an actor may see it.

        Raises Refused for a role that the study does not have, or that the account does not hold.
        """
        self.catch_up()
        viewer = viewer_of(self.definition_for(actor), actor, unblinded=self.unblinded)
        refusal = check_holder(actor, self.tables)
        if refusal is not None:
            raise Refused(refusal)
        if viewer.masked and not self.unblinded:
            return MaskedView(self.versions, self.tables, self.ledger, self.trail, viewer, self.coder)
        return UnmaskedView(
            self.versions,
            self.tables,
            self.ledger,
            self.trail,
            viewer,
            self.coder,
            self._allocator.arm_of,
        )

    def emergency_allocation(self, actor: Actor, participant: str) -> str:
        """Return the arm of a participant to the account that broke the code for them, in the same role.

        Raises Refused with ALL-NOT-UNBLINDED for everybody else, and once the role was revoked.
        """
        self.catch_up()
        rows = self.tables.where(UnblindingRow, participant=participant)
        broken = (self.trail.at(row.position) for row in rows if row.kind == "emergency")
        asked = any((line.account, line.role) == (actor.account, actor.role) for line in broken)
        if asked and check_holder(actor, self.tables) is None:
            return self._arm_of(participant)
        raise Refused(
            Refusal(
                "ALL-NOT-UNBLINDED",
                f"The account {actor.account} did not break the code for {participant} as {actor.role},"
                " or no longer holds that role.",
                "Give the command UnblindInEmergency and say why, or ask who did.",
            )
        )

    def evidence(self, participant: str, on: date) -> Evidence:
        """Return what is known of a participant on a day, for expressions."""
        return evidence_of(self.definition, self.tables, participant, on)

    def moment(self, actor: Actor, reason: str | None) -> Moment:
        """Return what a decision may look at now."""
        definition = self.definition_for(actor)
        return Moment(
            definition=definition,
            tables=self.tables,
            actor=actor,
            now=self._now(),
            reason=reason,
            entropy=self._entropy,
            evidence=lambda participant, on: evidence_of(definition, self.tables, participant, on),
        )

    @contextmanager
    def _looking(self) -> Iterator[None]:
        """Hold the state, in which is all that was recorded before the call."""
        before = self._looks_begun
        with self._standstill.held():
            # Of those that wait here, the first looks for all who came before it looked.
            if not self._held and self._looks_done <= before:
                self._look(self.ledger.read)
            yield

    def _look(self, read: Callable[[int], Iterator[Entry]]) -> None:
        # Counted before anything is read: who comes while the answer is on its way is to look again.
        self._looks_begun += 1
        self._follow(read(self._position))
        self._looks_done = self._looks_begun

    def _record_with_others(self, asked: _Asked) -> None:
        """Record for all that wait; where one of them cannot be decided, each thread records its own."""
        chosen: list[_Asked] = []
        alone = False

        def choose() -> list[_Asked]:
            found = [self._asked.popleft() for _ in range(len(self._asked))]
            others = [each for each in found if each.waits and each is not asked]
            together = not alone and not any(isinstance(each.command, BlotText) for each in (asked, *others))
            chosen[:] = [asked, *others] if together else [asked]
            return chosen

        stepped_aside = False
        while asked.waits:
            try:
                if stepped_aside:
                    # The other way round, or others might come before it again and again.
                    with self._standstill.held(to_record=True):
                        self._record_together(choose)
                else:
                    with self._standstill.held(to_record=True):
                        # Other processes are not to wait for what is being read already.
                        pass
                    self._record_together(choose)
            except SteppedAside:
                stepped_aside = True
            except Exception:
                # Where it was chosen alone nobody else is to blame.
                if len(chosen) < 2:
                    raise
                alone = True

    def _record_together(self, choose: Callable[[], Sequence[_Asked]]) -> None:
        waiting: Sequence[_Asked] = ()
        kept: tuple[int, str] | None = None
        decided: _Decided | None = None
        try:
            with self.ledger.exclusive() as transaction:
                # Not before: while other processes record, the threads of this one read, and ask.
                self._standstill.take_with_ledger()
                kept = self._position, self._latest
                waiting = choose()
                self.tables.begin()
                self._look(transaction.tail)
                kept = self._position, self._latest
                self.tables.commit()
                self.tables.begin()
                decided = self._decide_all(waiting, transaction)
                if decided.entries or decided.receipts:
                    blotted = tuple(decided.blotted.values())
                    transaction.append(decided.entries, decided.changes, decided.receipts, blotted)
        except SteppedAside:
            raise
        except BaseException as failure:
            if kept is None:
                waiting = choose()
            else:
                self._take_back(*kept)
            if decided or isinstance(failure, StoreUnavailable):
                # It is the same for all, and the disk may have it after all: nobody tries again.
                for asked in waiting:
                    asked.failure = failure
            raise
        else:
            self.tables.commit()
            for entry in decided.blotted.values():
                self.trail.replace(entry)
            for asked, answer in zip(waiting, decided.outcomes, strict=True):
                asked.outcome = answer
        finally:
            if kept is not None:
                self._standstill.give()

    def _take_back(self, position: int, latest: str) -> None:
        self.tables.rollback()
        self._blotter.take()
        self._position, self._latest = position, latest
        self.trail.cut(position)

    def _decide_all(self, waiting: Sequence[_Asked], transaction: LedgerTransaction) -> _Decided:
        """Decide on one after the other, each in the state that the earlier ones led to."""
        known = dict(transaction.receipts([each.sending.key for each in waiting if each.sending]))
        made = _Decided()
        for asked in waiting:
            if asked.sending and asked.sending.key in known:
                made.outcomes.append(SentBefore(known[asked.sending.key]))
                continue
            outcome = self._decide_on(asked, made.entries[-1].head if made.entries else transaction.head)
            made.outcomes.append(outcome)
            if not isinstance(outcome, Refusal):
                made.blotted = self._blotter.take()
                if made.blotted:
                    self._level(made.blotted, outcome)
                made.entries += outcome
                made.changes += self.tables.changes()
                if asked.sending:
                    known[asked.sending.key] = self._receipt(asked.sending, outcome)
                    made.receipts.append(known[asked.sending.key])
            self.tables.next_step()
        return made

    def _receipt(self, sending: Sending, entries: Sequence[Entry]) -> Receipt:
        if entries:
            return Receipt(sending, entries[0].position, len(entries), entries[0].recorded_at)
        return Receipt(sending, self._position, 0, utc_text(self._now()))

    def _decide_on(self, asked: _Asked, head: Head) -> tuple[Entry, ...] | Refusal:
        actor, command = asked.actor, asked.command
        moment = self.moment(actor, asked.reason)
        refusal = check_permission(moment.definition, actor, type(command).__name__)
        refusal = refusal or check_policies(command, moment)
        if refusal is not None:
            return refusal
        decision = self._decide[type(command)](command, moment)
        if isinstance(decision, Refusal):
            return decision
        stamp = Stamp(
            definition=moment.definition.hash,
            actor=actor.account,
            role=actor.role,
            site=site_of(command, self.tables) or actor.site,
            recorded_at=utc_text(moment.now),
            reason=asked.reason,
        )
        entries = self._seal(head, decision, stamp)
        following = derive_reactions(moment)
        entries += self._seal(entries[-1].head if entries else head, following, stamp)
        return tuple(entries)

    def _seal(self, head: Head, drafts: Sequence[Draft], stamp: Stamp) -> list[Entry]:
        entries = []
        for draft in drafts:
            entry = seal(head, self._blur(draft), stamp)
            self._apply(entry)
            entries.append(entry)
            head = entry.head
        return entries

    def _blur(self, draft: Draft) -> Draft:
        # Masked people see hashes of the chain. Without something unpredictable in it, the hash of an entry
        # that they must not see would be found by trying out the few things that it can say.
        if KINDS[draft.kind].audience not in UNMASKING:
            return draft
        return replace(draft, content={**draft.content, NONCE: self._entropy.token(_NONCE_BYTES).hex()})

    def _apply(self, entry: Entry) -> None:
        apply_entry(self.tables, entry)
        self.versions.learn(entry)
        self.trail.append(entry)
        self._position = entry.position
        self._latest = entry.recorded_at

    def _follow(self, entries: Iterator[Entry]) -> None:
        known = self._position
        for entry in entries:
            self._apply(entry)
            blot = read_blot(entry)
            if blot is not None and blot.target <= known:
                # Another process blotted out what this one had read before.
                self._blotted.add(blot.target)
        if self._blotted:
            # It is known until it is done: the storage may fail in between.
            for position in self._blotted:
                self.trail.replace(next(self.ledger.read(position - 1)))
            self._level({})
            self._blotted.clear()

    def _level(self, blotted: Mapping[int, Entry], following: Sequence[Entry] = ()) -> None:
        """Bring the tables to where the ledger leads since something was blotted out of its entries."""
        entries = chain(self.ledger.read(), following)
        stand = (blotted.get(each.position, each) for each in entries if each.position <= self._position)
        self.tables.become(tables_of(stand))

    def _now(self) -> datetime:
        # A clock that was set back must not put an entry before its predecessor.
        now = self._clock()
        if utc_text(now) >= self._latest:
            return now
        return datetime.fromisoformat(self._latest) + _TICK

    def _arm_of(self, participant: str) -> str:
        return self._allocator.arm_of(self.tables, participant)
