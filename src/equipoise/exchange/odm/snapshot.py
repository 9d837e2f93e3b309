"""A trial as one viewer sees it at one position: the data cut, with who entered each value, when and why.

A data cut holds values as expressions read them. A snapshot holds them as they were stored, hence also the
time of day, and may hold the values before corrections, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from types import MappingProxyType

from equipoise.analysis.cut import CutAmendment, CutParticipant, DataCut
from equipoise.capture.state import QueryRow
from equipoise.conduct.view.lines import SignatureLine
from equipoise.conduct.view.releases import ReleaseLine
from equipoise.definition.expression import FormRow, Observation, PartialDate, encode_value
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.recording import Stored, decode_item, parse_date

Progress = Callable[[int, int], None]
"""Called with participants done and all participants."""

Place = tuple[str, str | None, int | None]
"""A filled form: form, encounter (None between encounters), row of a repeating form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """When a value was entered, in UTC, and at which position; by whom and why, as far as that is known."""

    position: int
    at: str
    account: str | None = None
    role: str | None = None
    site: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A stored value that an item was given, None where it was taken away."""

    value: Stored | None
    entered: Entered | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A filled form. The last answer of an item is its current one; `removed` is when the row was struck out.

    `dated` is the clinical date, perhaps partial. `verified` says that nothing of it is left to compare with
    its source, `verified_items` and `changed_items` which answers were, and which of these changed. `made`
    says who recorded the whole where its answers do not: those of a lot or of a unit have no place in the
    order of all answers. `definition` is the hash of the latest version of the study under which something of
    it was recorded.
    """

    form: str
    encounter: str | None
    row: int | None
    dated: str | None
    answers: Mapping[str, tuple[Answer, ...]]
    verified: bool = False
    verified_items: tuple[str, ...] = ()
    changed_items: tuple[str, ...] = ()
    removed: Entered | None = None
    made: Entered | None = None
    definition: str | None = None

    @property
    def place(self) -> Place:
        """Where it stands."""
        return self.form, self.encounter, self.row


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A participant: the facts of the cut without its rows, the filled forms, and what was said about them.

    `entered` says who gave a fact, by the fact's name or by that of an encounter; `met_under` of an encounter
    the hash of the version of the study that held when it was recorded.
    """

    facts: CutParticipant
    records: tuple[Record, ...]
    entered: Mapping[str, Entered] = field(default_factory=dict)
    signatures: tuple[SignatureLine, ...] = ()
    queries: tuple[QueryRow, ...] = ()
    met_under: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A version of the study, by its number and by the hash of its definition; the first has no title."""

    number: int
    study_version: str
    title: str
    definition: str
    substantial: bool
    reconsent: bool
    recorded_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account in a role, at a site or across the trial; of a person nothing else is known here."""

    account: str
    role: str
    site: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A trial at one position; fields are those of a data cut. `approved` is the day of each open site.

    `history` says that former values and removed rows are there; `days_only` that date-times have no time.
    `versions` are those of the study, `releases` say which of them held from when on at each site.
    """

    study: str
    version: str
    definition: str
    masked: bool
    mode: str
    position: int
    head: str
    recorded_at: str
    locked_at: str | None
    unblinded_at: str | None
    counts: Mapping[str, int]
    people: tuple[Person, ...]
    accounts: tuple[Account, ...] = ()
    approved: Mapping[str, str] = field(default_factory=dict)
    history: bool = False
    days_only: bool = False
    versions: tuple[Version, ...] = ()
    releases: tuple[ReleaseLine, ...] = ()
    amendments: tuple[CutAmendment, ...] = ()


def snapshot_of(cut: DataCut) -> Snapshot:
    """Return what a data cut alone tells: no accounts, and of a date-time the day.

    Records stand in the order of forms, clinical dates and ledger positions, as in a cut of a real ledger. A
    position without a time is left out: there is no such entry.
    """
    order = {form.id: place for place, form in enumerate(cut.definition.forms)}
    return Snapshot(
        study=cut.definition.study.id,
        version=cut.definition.study.version,
        definition=cut.definition.hash,
        masked=cut.masked,
        mode=cut.mode,
        position=cut.position,
        head=cut.head,
        recorded_at=cut.recorded_at,
        locked_at=cut.locked_at,
        unblinded_at=cut.unblinded_at,
        counts=dict(cut.counts),
        people=tuple(
            Person(
                facts=replace(person, rows=()),
                records=in_order(map(_record_of_row, person.rows), order),
            )
            for person in cut.participants
        ),
        days_only=True,
        amendments=cut.amendments,
    )


def cut_of(snapshot: Snapshot, definition: StudyDefinition) -> DataCut:
    """Return the data cut that a snapshot was taken of; the definition is the one that it names."""
    return DataCut(
        definition=definition,
        participants=tuple(
            replace(
                person.facts,
                rows=tuple(
                    _row_of(definition, record) for record in person.records if record.removed is None
                ),
            )
            for person in snapshot.people
        ),
        masked=snapshot.masked,
        mode=snapshot.mode,
        position=snapshot.position,
        head=snapshot.head,
        recorded_at=snapshot.recorded_at,
        locked_at=snapshot.locked_at,
        unblinded_at=snapshot.unblinded_at,
        counts=snapshot.counts,
        amendments=snapshot.amendments,
    )


def accounts_of(snapshot: Snapshot) -> tuple[Account, ...]:
    """Return the accounts that hold a role, and after them the others that entered something."""
    known = dict.fromkeys(snapshot.accounts)
    for person in snapshot.people:
        for entered in _all_entered(person):
            if entered.account is not None and entered.role is not None:
                known[Account(account=entered.account, role=entered.role, site=entered.site)] = None
        for signature in person.signatures:
            known[signer(person, signature)] = None
    return tuple(known)


def signer(person: Person, signature: SignatureLine) -> Account:
    """Return the account that signed; whoever signs a casebook acts at its participant's site."""
    return Account(account=signature.account, role=signature.role, site=person.facts.site)


def _all_entered(person: Person) -> Iterable[Entered]:
    yield from person.entered.values()
    for record in person.records:
        yield from (entered for entered in (record.removed, record.made) if entered is not None)
        for answers in record.answers.values():
            yield from (answer.entered for answer in answers if answer.entered is not None)


# -- from a cut


def _record_of_row(row: FormRow) -> Record:
    answers = {}
    for item, seen in row.values.items():
        stored = encode_value(seen.value)
        if stored is not None:
            known = seen.position is not None and seen.recorded_at is not None
            entered = Entered(position=seen.position or 0, at=seen.recorded_at or "") if known else None
            answers[item] = (Answer(stored, entered),)
    return Record(
        form=row.form,
        encounter=row.encounter,
        row=row.row,
        dated=None if row.date is None else str(row.date),
        answers=answers,
    )


def _row_of(definition: StudyDefinition, record: Record) -> FormRow:
    form = definition.form(record.form)
    day: PartialDate | None = None if record.dated is None else parse_date(record.dated)
    values = {}
    for item in () if form is None else form.items:
        answers = record.answers.get(item.id)
        if answers is None or answers[-1].value is None:
            continue
        entered = answers[-1].entered
        values[item.id] = Observation(
            record.form,
            item.id,
            decode_item(item.type, answers[-1].value),
            record.encounter,
            record.row,
            day,
            None if entered is None else entered.at,
            None if entered is None else entered.position,
        )
    return FormRow(record.form, record.row, record.encounter, day, MappingProxyType(values))


def in_order(records: Iterable[Record], order: Mapping[str, int]) -> tuple[Record, ...]:
    """Return records by the place of their form, their clinical date, their ledger position and their row."""

    def key(record: Record) -> tuple[int, date, int, int]:
        positions = [
            answers[-1].entered.position
            for answers in record.answers.values()
            if answers[-1].entered is not None and answers[-1].value is not None
        ]
        day = date.min if record.dated is None else parse_date(record.dated).first
        return order[record.form], day, min(positions, default=-1), record.row or -1

    return tuple(sorted(records, key=key))


# -- from the audit trail
