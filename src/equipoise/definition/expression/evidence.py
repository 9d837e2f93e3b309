"""What an expression is evaluated against: recorded observations, anchor dates, reviewed logs, variables."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Protocol

from ..coded import Coding
from .nodes import Node
from .values import PartialDate, Value


@dataclass(frozen=True, slots=True)
class Observation:
    """One recorded answer. `date` is the clinical date, `recorded_at` the time of entry (ISO 8601, UTC)."""

    form: str
    item: str
    value: Value
    encounter: str | None = None
    row: int | None = None
    date: PartialDate | None = None
    recorded_at: str | None = None
    position: int | None = None


@dataclass(frozen=True, slots=True)
class FormRow:
    """One filled form, or one row of a repeating form.

    `codings` say of items whose words were coded what they are called in a dictionary.
    """

    form: str
    row: int | None
    encounter: str | None
    date: PartialDate | None
    values: Mapping[str, Observation]
    codings: Mapping[str, Coding] = field(default_factory=dict)


class Evidence(Protocol):
    """All that is known of one participant on one day."""

    @property
    def as_of(self) -> date:
        """The day on which the question is asked."""
        ...

    def rows(self, form: str) -> Sequence[FormRow]:
        """Rows of a form in clinical order."""
        ...

    def latest(self, form: str, item: str) -> Observation | None:
        """The latest known value by clinical date, then by ledger position."""
        ...

    def at(self, form: str, item: str, encounter: str) -> Observation | None:
        """The known value recorded at an encounter."""
        ...

    def reviewed(self, form: str) -> date | None:
        """The day through which a log was confirmed complete."""
        ...

    def is_log(self, form: str) -> bool:
        """Whether the form is a repeating log whose completeness must be confirmed."""
        ...

    def anchor(self, name: str) -> date | None:
        """The date of an anchor (randomisation, consent, an encounter), None while it has none."""
        ...

    def variable(self, name: str) -> Node | None:
        """The expression of a variable of the definition."""
        ...


def form_row(
    form: str,
    values: Mapping[str, Value],
    *,
    encounter: str | None = None,
    row: int | None = None,
    date: PartialDate | None = None,
    recorded_at: str | None = None,
    position: int | None = None,
) -> FormRow:
    """A row whose observations all share encounter, date, time of entry and position."""
    observations = {
        item: Observation(form, item, value, encounter, row, date, recorded_at, position)
        for item, value in values.items()
    }
    return FormRow(form, row, encounter, date, MappingProxyType(observations))


class EvidenceTable:
    """Evidence held in memory: rows, and plain mappings for the rest. Not to be changed after it was built.

    `today` is an anchor of its own, the day `as_of`, unless `anchors` says otherwise. A row without a date
    sorts before the dated ones, a partial date as its first day.
    """

    def __init__(
        self,
        as_of: date,
        rows: Iterable[FormRow] = (),
        *,
        anchors: Mapping[str, date | None] = MappingProxyType({}),
        variables: Mapping[str, Node] = MappingProxyType({}),
        reviewed: Mapping[str, date] = MappingProxyType({}),
        logs: Collection[str] = (),
    ) -> None:
        self._as_of = as_of
        self._anchors = {"today": as_of, **anchors}
        self._variables = variables
        self._reviewed = reviewed
        self._logs = frozenset(logs)
        self._rows: dict[str, list[FormRow]] = {}
        for row in rows:
            self._rows.setdefault(row.form, []).append(row)
        for of_form in self._rows.values():
            of_form.sort(key=_row_order)
        self._found: dict[tuple[str, str, str | None], Observation | None] = {}

    @property
    def as_of(self) -> date:
        """The day on which the question is asked."""
        return self._as_of

    def rows(self, form: str) -> Sequence[FormRow]:
        """Rows of a form by clinical date, then by ledger position, then by row number."""
        return self._rows.get(form, ())

    def latest(self, form: str, item: str) -> Observation | None:
        """The latest known value by clinical date, then by ledger position."""
        return self._find(form, item, None)

    def at(self, form: str, item: str, encounter: str) -> Observation | None:
        """The latest known value recorded at an encounter."""
        return self._find(form, item, encounter)

    def reviewed(self, form: str) -> date | None:
        """The day through which a log was confirmed complete."""
        return self._reviewed.get(form)

    def is_log(self, form: str) -> bool:
        """Whether the completeness of the form must be confirmed."""
        return form in self._logs

    def anchor(self, name: str) -> date | None:
        """The date of an anchor, None while it has none."""
        return self._anchors.get(name)

    def variable(self, name: str) -> Node | None:
        """The expression of a variable."""
        return self._variables.get(name)

    def _find(self, form: str, item: str, encounter: str | None) -> Observation | None:
        key = (form, item, encounter)
        if key not in self._found:
            known = [
                row.values[item]
                for row in self.rows(form)
                if item in row.values
                and row.values[item].value is not None
                and (encounter is None or row.encounter == encounter)
            ]
            # max keeps the first of equals; the rows stand in order, so the last of equals is wanted.
            self._found[key] = max(reversed(known), key=_observation_order, default=None)
        return self._found[key]


def _day(day: PartialDate | None) -> date:
    return date.min if day is None else day.first


def _observation_order(observation: Observation) -> tuple[date, int]:
    return _day(observation.date), -1 if observation.position is None else observation.position


def _row_order(row: FormRow) -> tuple[date, int, int]:
    positions = [seen.position for seen in row.values.values() if seen.position is not None]
    return _day(row.date), min(positions, default=-1), -1 if row.row is None else row.row
