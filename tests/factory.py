"""A bench on which the rooms are tried without anything above them, and the small trial that it runs."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any

from equipoise.access.actor import Actor
from equipoise.access.command import Command, Moment
from equipoise.access.refusal import Refusal
from equipoise.definition.expression import Evidence, EvidenceTable, FormRow, PartialDate, form_row
from equipoise.definition.model.definition import StudyDefinition
from equipoise.ledger import Draft, Entry, Head, Stamp, Tables, seal
from equipoise.ledger.entry import utc_text
from tests.small_trial import codes, item, make_definition, when

__all__ = ["CLEO", "PRIYA", "Bench", "CountingEntropy", "codes", "item", "make_definition", "when"]


class CountingEntropy:
    """Bytes that differ at every call and are the same in every run."""

    def __init__(self, seed: str = "") -> None:
        self._seed = seed
        self._calls = 0

    def token(self, size: int) -> bytes:
        self._calls += 1
        block = sha256(f"{self._seed}{self._calls}".encode()).digest()
        return (block * (size // len(block) + 1))[:size]


PRIYA = Actor(account="priya", role="investigator", site="SE01")
CLEO = Actor(account="cleo", role="laboratory", site="SE01")

Decide = Mapping[type[Command], Callable[[Any, Moment], tuple[Draft, ...] | Refusal]]
Apply = Mapping[str, Callable[[Tables, Entry], None]]


class Bench:
    """One or more rooms with tables, a clock that stands still unless it is set, and a chain of entries.

    `rows` is the evidence of every participant; `evidence` may be replaced by a function of participant and
    day.
    """

    def __init__(
        self, *rooms: tuple[Decide, Apply], definition: StudyDefinition | None = None, actor: Actor = PRIYA
    ) -> None:
        self.definition = definition or make_definition()
        self.decide: dict[Any, Any] = {kind: each for decide, _ in rooms for kind, each in decide.items()}
        self.applies = [apply for _, apply in rooms]
        self.tables = Tables()
        self.entries: list[Entry] = []
        self.actor = actor
        self.now = datetime(2024, 6, 3, 9, 30, tzinfo=UTC)
        self.entropy = CountingEntropy()
        self.arms: dict[str, str] = {}
        self.rows: list[FormRow] = []
        self.anchors: dict[str, date | None] = {}
        self.reviewed: dict[str, date] = {}
        self.evidence: Callable[[str, date], Evidence] = self._evidence

    def _evidence(self, participant: str, on: date) -> Evidence:
        return EvidenceTable(
            on,
            self.rows,
            anchors=self.anchors,
            variables=self.definition.eligibility.variables,
            reviewed=self.reviewed,
            logs=[form.id for form in self.definition.forms if form.log],
        )

    def know(self, form: str, encounter: str | None = None, day: date | None = None, **values: Any) -> None:
        """Add a row to the evidence of every participant."""
        dated = None if day is None else PartialDate.of(day)
        position = len(self.rows) + 1
        self.rows.append(form_row(form, values, encounter=encounter, date=dated, position=position))

    def moment(self, reason: str | None = None) -> Moment:
        return Moment(
            definition=self.definition,
            tables=self.tables,
            actor=self.actor,
            now=self.now,
            reason=reason,
            entropy=self.entropy,
            evidence=self.evidence,
        )

    def wait(self, **duration: int) -> None:
        self.now += timedelta(**duration)

    def ask(self, command: Command, reason: str | None = None) -> tuple[Draft, ...] | Refusal:
        """What the room decides; nothing is recorded."""
        decision: tuple[Draft, ...] | Refusal = self.decide[type(command)](command, self.moment(reason))
        return decision

    def do(self, command: Command, reason: str | None = None) -> list[Entry]:
        """Decide, seal and apply; a refusal fails the test."""
        decision = self.ask(command, reason)
        assert not isinstance(decision, Refusal), str(decision)
        return self.record(decision, reason)

    def refused(self, command: Command, reason: str | None = None) -> Refusal:
        """The refusal of a command, which must change nothing."""
        before = self.tables.dump()
        decision = self.ask(command, reason)
        assert isinstance(decision, Refusal), f"{type(command).__name__} was not refused"
        assert self.tables.dump() == before
        assert decision.sentence.endswith(".")
        assert decision.remedy.endswith(".")
        return decision

    def record(self, drafts: Sequence[Draft], reason: str | None = None) -> list[Entry]:
        """Seal and apply drafts, as what conduct does with a decision or a reaction."""
        stamp = Stamp(
            definition=self.definition.hash,
            actor=self.actor.account,
            role=self.actor.role,
            site=self.actor.site,
            recorded_at=utc_text(self.now),
            reason=reason,
        )
        new = []
        for draft in drafts:
            entry = seal(self.entries[-1].head if self.entries else Head.genesis(), draft, stamp)
            self.apply(self.tables, entry)
            self.entries.append(entry)
            new.append(entry)
        return new

    def apply(self, tables: Tables, entry: Entry) -> None:
        known = [apply[entry.kind] for apply in self.applies if entry.kind in apply]
        assert known, f"no room applies {entry.kind}"
        for each in known:
            each(tables, entry)

    def replayed(self) -> dict[str, Any]:
        """The dump of fresh tables to which every entry was applied, as it is read back from its body."""
        tables = Tables()
        for entry in self.entries:
            self.apply(tables, Entry.from_body(entry.body, entry.hash))
        return tables.dump()
