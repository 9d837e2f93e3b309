"""What was recorded of one participant: as the expression language reads it, and as it is signed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from hashlib import sha256
from operator import is_not
from types import MappingProxyType
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

from equipoise.capture.state import EncounterRow, LogRow, RecordRow, SignatureRow
from equipoise.definition.expression import FormRow, Node, Observation, PartialDate
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.forms import Form
from equipoise.definition.recording import date_of, decode_item, parse_date
from equipoise.ledger.canonical import JSON, canonical_json
from equipoise.ledger.tables import Tables


def _nothing_more(form: str) -> Iterable[FormRow]:
    return ()


class RecordedEvidence:
    """Evidence straight from the tables, read form by form when it is asked for, and once.

    Made anew for each command: it holds what it read, and does not follow later changes of the tables.
    `anchors` are the dates that other rooms know; an encounter that took place is an anchor by its name.
    `extra` gives rows that other rooms hold of a form, such as final readings.
    """

    __slots__ = (
        "_anchors",
        "_as_of",
        "_definition",
        "_extra",
        "_found",
        "_participant",
        "_rows",
        "_tables",
        "_variables",
    )

    def __init__(
        self,
        definition: StudyDefinition,
        tables: Tables,
        participant: str,
        as_of: date,
        *,
        anchors: Mapping[str, date | None] = MappingProxyType({}),
        variables: Mapping[str, Node] = MappingProxyType({}),
        extra: Callable[[str], Iterable[FormRow]] = _nothing_more,
    ) -> None:
        self._definition = definition
        self._tables = tables
        self._participant = participant
        self._as_of = as_of
        self._anchors = anchors
        self._variables = variables
        self._extra = extra
        self._rows: dict[str, list[FormRow]] = {}
        self._found: dict[tuple[str, str, str | None], Observation | None] = {}

    @property
    def as_of(self) -> date:
        """The day on which the question is asked."""
        return self._as_of

    def rows(self, form: str) -> Sequence[FormRow]:
        """Rows of a form by clinical date, then by ledger position; none that was removed."""
        rows = self._rows.get(form)
        if rows is None:
            rows = [*self._read(form), *self._extra(form)]
            if len(rows) > 1:
                rows.sort(key=_row_order)
            self._rows[form] = rows
        return rows

    def latest(self, form: str, item: str) -> Observation | None:
        """The latest known value by clinical date, then by ledger position."""
        return self._find(form, item, None)

    def at(self, form: str, item: str, encounter: str) -> Observation | None:
        """The latest known value recorded at an encounter."""
        return self._find(form, item, encounter)

    def reviewed(self, form: str) -> date | None:
        """The day through which a log was confirmed complete."""
        row = self._tables.get(LogRow, self._participant, form)
        return None if row is None else date.fromisoformat(row.through)

    def is_log(self, form: str) -> bool:
        """Whether the completeness of the form must be confirmed."""
        known = self._definition.form(form)
        return known is not None and known.log

    def anchor(self, name: str) -> date | None:
        """The date of an anchor: one that was handed in, today, or an encounter that took place."""
        if name in self._anchors:
            return self._anchors[name]
        if name == "today":
            return self._as_of
        row = self._tables.get(EncounterRow, self._participant, name)
        if row is None or row.took_place_on is None:
            return None
        return date.fromisoformat(row.took_place_on)

    def variable(self, name: str) -> Node | None:
        """The expression of a variable."""
        return self._variables.get(name)

    def _read(self, form_id: str) -> Iterable[FormRow]:
        form = self._definition.form(form_id)
        if form is None:
            return
        for row in self._tables.where(RecordRow, participant=self._participant, form=form_id):
            if not row.removed:
                yield _read_record(form, row)

    def _find(self, form: str, item: str, encounter: str | None) -> Observation | None:
        key = (form, item, encounter)
        if key not in self._found:
            best: Observation | None = None
            for row in self.rows(form):
                if encounter is None or row.encounter == encounter:
                    seen = row.values.get(item)
                    # Of equals the later row counts, hence not 'above' but 'not below'.
                    if seen is None or seen.value is None:
                        continue
                    if best is None or _observation_order(seen) >= _observation_order(best):
                        best = seen
            self._found[key] = best
        return self._found[key]


def read_row(
    form: Form,
    stored: Mapping[str, Any],
    *,
    encounter: str | None = None,
    row: int | None = None,
    dated: str | None = None,
    recorded_at: str | None = None,
    position: int | None = None,
) -> FormRow:
    """Read what another room stored as a row of a form; `dated` counts if it does not date itself."""
    text = date_of(form, stored) or dated
    day = None if text is None else parse_date(text)
    seen = {
        item.id: Observation(
            form.id,
            item.id,
            decode_item(item.type, stored[item.id]),
            encounter,
            row,
            day,
            recorded_at,
            position,
        )
        for item in form.items
        if item.id in stored
    }
    return FormRow(form.id, row, encounter, day, seen)


def _read_record(form: Form, row: RecordRow) -> FormRow:
    encounter, number = row.encounter or None, row.row or None
    day = None if row.dated is None else parse_date(row.dated)
    stored, entered = row.item_values, row.entered
    seen = {
        item.id: Observation(
            form.id,
            item.id,
            decode_item(item.type, stored[item.id]),
            encounter,
            number,
            day,
            entered[item.id]["at"],
            entered[item.id]["position"],
        )
        for item in form.items
        if item.id in stored
    }
    return FormRow(form.id, number, encounter, day, seen)


def _day(day: PartialDate | None) -> date:
    return date.min if day is None else day.first


def _observation_order(seen: Observation) -> tuple[date, int]:
    return _day(seen.date), -1 if seen.position is None else seen.position


def _row_order(row: FormRow) -> tuple[date, int, int]:
    positions = [seen.position for seen in row.values.values() if seen.position is not None]
    return _day(row.date), min(positions, default=-1), -1 if row.row is None else row.row


def casebook_hash(tables: Tables, participant: str, *, masked: bool = False) -> str:
    """Return the SHA-256 of all that is recorded of a participant: encounters, and the values of every form.

    With `masked` it leaves out what would unmask, so that the hash, too, says nothing of it.
    """
    records: list[JSON] = [
        {
            "form": row.form,
            "encounter": row.encounter,
            "row": row.row,
            "dated": row.dated,
            "removed": row.removed,
            "values": {
                item: value for item, value in row.item_values.items() if not masked or item not in row.hidden
            },
        }
        for row in tables.where(RecordRow, participant=participant)
        if not (masked and row.unmasking)
    ]
    encounters: list[JSON] = [
        {"encounter": row.encounter, "status": row.status, "took_place_on": row.took_place_on}
        for row in tables.where(EncounterRow, participant=participant)
    ]
    casebook = {"participant": participant, "encounters": encounters, "records": records}
    return sha256(canonical_json(casebook)).hexdigest()


def signature_holds(tables: Tables, signature: SignatureRow) -> bool:
    """Tell whether a casebook still is what was signed."""
    return signature.signed_hash == _known_hash(tables, signature.participant, masked=signature.masked)


_Rows: TypeAlias = list[RecordRow | EncounterRow]
_known: WeakKeyDictionary[Tables, dict[tuple[str, bool], tuple[_Rows, str]]] = WeakKeyDictionary()
"""The last hash of each casebook, with the rows that it was made of."""


def _known_hash(tables: Tables, participant: str, *, masked: bool) -> str:
    # A list of everybody asks for every casebook's hash. Rows never change, they are replaced: while they are
    # the same objects, so is the hash.
    rows: _Rows = [
        *tables.where(RecordRow, participant=participant),
        *tables.where(EncounterRow, participant=participant),
    ]
    known = _known.setdefault(tables, {})
    found = known.get((participant, masked))
    if found is None or len(found[0]) != len(rows) or any(map(is_not, found[0], rows)):
        found = known[participant, masked] = rows, casebook_hash(tables, participant, masked=masked)
    return found[1]


def casebook_signed(tables: Tables, participant: str) -> bool:
    """Tell whether a casebook was signed, and still is what was signed last."""
    signatures = tables.where(SignatureRow, participant=participant)
    return bool(signatures) and signature_holds(tables, signatures[-1])
