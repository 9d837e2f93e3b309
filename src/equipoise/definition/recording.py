"""Reading what is filled in: item values in, stored values and problems out; edit checks on one row.

The stored form of a value is JSON: text, whole numbers, true and false; decimals, dates and times as text. An
item that is not answered is not stored. No sentence here holds a value: it may reach a log or another person.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from equipoise.definition.expression import (
    Evidence,
    FormRow,
    Node,
    Observation,
    PartialDate,
    Truth,
    Value,
    decode_value,
    encode_value,
    truth,
)
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.forms import EditCheck, Form, Item

Stored: TypeAlias = str | int | bool

TEXT_LENGTH_MAX = 4000
DIGITS_MAX = 30

_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")
# Line breaks and tabs are writing; other control characters and lone surrogates cannot be stored everywhere.
_UNWRITABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_TRUTHS = {"true": True, "yes": True, "false": False, "no": False}


@dataclass(frozen=True, slots=True)
class ItemProblem:
    """Why an item cannot be stored: a stable code, and a sentence that names the item and never its value."""

    item: str
    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class ReadValues:
    """What was read of a form: stored values by item, and everything that is wrong."""

    stored: dict[str, Stored]
    problems: tuple[ItemProblem, ...]


class _Unreadable(Exception):
    """A value that is none of its item's type; `code` and `needs` make the problem."""

    def __init__(self, code: str, needs: str) -> None:
        self.code = code
        self.needs = needs


def read_values(form: Form, values: Mapping[str, Any], evidence: Evidence | None = None) -> ReadValues:
    """Read the answers to a form; None and empty text are no answer.

    `evidence` is what else is known of the participant; without it, a `when` that looks beyond the row stays
    open. A question whose `when` is not known to hold may be answered and need not be.
    """
    stored: dict[str, Stored] = {}
    problems: list[ItemProblem] = []
    absent: list[Item] = []
    conditional = False
    found = 0
    for item in form.items:
        name = item.id
        conditional = conditional or item.when is not None
        if name in values:
            found += 1
            raw = values[name]
            if raw is not None and raw != "":
                try:
                    stored[name] = READERS[item.type](item, raw)
                except _Unreadable as trouble:
                    problems.append(_problem(form, name, trouble.code, trouble.needs))
                continue
        if item.required and not item.retired:
            absent.append(item)
    if found < len(values):
        known = {item.id for item in form.items}
        for name in sorted(values.keys() - known):
            problems.append(_problem(form, name, "ITEM-UNKNOWN", "is not an item of it"))
    if absent or conditional:
        problems += _problems_of_asking(form, stored, absent, evidence)
    return ReadValues(stored, tuple(problems))


def _problems_of_asking(
    form: Form, stored: dict[str, Stored], absent: Sequence[Item], evidence: Evidence | None
) -> list[ItemProblem]:
    """What is missing although asked, and what is answered although not asked."""
    row = RowEvidence(form, stored, evidence)
    problems = [
        _problem(form, item.id, "ITEM-MISSING", "is required")
        for item in absent
        if item.when is None or truth(item.when, row) is Truth.MET
    ]
    for item in form.items:
        if item.when is not None and item.id in stored and truth(item.when, row) is Truth.NOT_MET:
            needs = "is not asked here, given the other answers"
            problems.append(_problem(form, item.id, "ITEM-NOT-ASKED", needs))
    return problems


def read_value(form: Form, item: Item, raw: Any) -> Stored | ItemProblem | None:
    """Read one answer by itself; None when it is none."""
    if raw is None or raw == "":
        return None
    try:
        return READERS[item.type](item, raw)
    except _Unreadable as trouble:
        return _problem(form, item.id, trouble.code, trouble.needs)


def retired_problems(
    form: Form, stored: Mapping[str, Any], before: Mapping[str, Any] | None = None
) -> tuple[ItemProblem, ...]:
    """Return the answers that are given anew although they, or their questions, are retired.

    `before` is what the row held: an answer that it keeps is none given anew, and an item that it answers
    may be corrected.
    """
    known = before or {}
    problems = []
    for item in form.items:
        answer = stored.get(item.id)
        if answer is None or answer == known.get(item.id):
            continue
        if item.retired and item.id not in known:
            problems.append(_problem(form, item.id, "ITEM-RETIRED", "is no longer asked"))
        elif any(code.retired for code in item.codes if code.code == answer):
            problems.append(_problem(form, item.id, "ITEM-CODE-RETIRED", "has an answer no longer given"))
    return tuple(problems)


def _problem(form: Form, item: str, code: str, needs: str) -> ItemProblem:
    return ItemProblem(item, code, f"The item {item} of the form {form.id} {needs}.")


# -- one reader for each type of item; each takes Python values and what is written in a field


def _read_integer(item: Item, raw: Any) -> int:
    if type(raw) is str and _WHOLE.fullmatch(raw.strip()):
        raw = int(raw)
    if type(raw) is not int:
        raise _Unreadable("ITEM-TYPE", "needs a whole number")
    if item.minimum is not None or item.maximum is not None or item.step is not None:
        _check_range(item, raw)
    return raw


def _read_decimal(item: Item, raw: Any) -> str:
    if type(raw) is int or (type(raw) is str and _NUMBER.fullmatch(raw.strip())):
        raw = Decimal(raw)
    if type(raw) is not Decimal or not raw.is_finite():
        raise _Unreadable("ITEM-TYPE", "needs a number, written with a full stop before the decimals")
    if len(raw.as_tuple().digits) > DIGITS_MAX or abs(raw.adjusted()) > DIGITS_MAX:
        raise _Unreadable("ITEM-RANGE", f"needs a number of at most {DIGITS_MAX} digits")
    _check_range(item, raw)
    return str(encode_value(raw))


def _check_range(item: Item, number: int | Decimal) -> None:
    low, high, step = item.minimum, item.maximum, item.step
    if (low is not None and number < low) or (high is not None and number > high):
        unit = "" if item.unit is None else f" {item.unit}"
        words = [f"at least {low}{unit}"] if low is not None else []
        words += [f"at most {high}{unit}"] if high is not None else []
        raise _Unreadable("ITEM-RANGE", f"needs a number of {' and '.join(words)}")
    if step is not None and (number - (low or 0)) % step:
        start = "" if low is None else f" from {low}"
        raise _Unreadable("ITEM-STEP", f"needs a number in steps of {step}{start}")


def _read_text(item: Item, raw: Any) -> str:
    if type(raw) is not str:
        raise _Unreadable("ITEM-TYPE", "needs a text")
    text = raw.replace("\r\n", "\n").strip()
    if not text or _UNWRITABLE.search(text):
        raise _Unreadable("ITEM-TEXT", "needs a text of letters that can be read")
    if len(text) > TEXT_LENGTH_MAX:
        raise _Unreadable("ITEM-TEXT", f"needs a text of at most {TEXT_LENGTH_MAX} characters")
    return text


def _read_boolean(item: Item, raw: Any) -> bool:
    answer = _TRUTHS.get(raw) if type(raw) is str else raw
    if type(answer) is not bool:
        raise _Unreadable("ITEM-TYPE", "needs yes or no")
    return answer


def _read_choice(item: Item, raw: Any) -> str:
    code = str(raw) if type(raw) is int else raw
    for known in item.codes:
        if known.code == code:
            return known.code
    raise _Unreadable("ITEM-CODE", f"needs one of the codes {', '.join(known.code for known in item.codes)}")


def _read_date(item: Item, raw: Any) -> str:
    if type(raw) is str:
        try:
            raw = PartialDate.parse(raw.strip())
        except ValueError:
            raw = None
    if type(raw) is PartialDate and raw.exact:
        return str(raw)
    if type(raw) is not date:
        raise _Unreadable("ITEM-TYPE", "needs a full date, written as 2024-05-17")
    return raw.isoformat()


def _read_partial_date(item: Item, raw: Any) -> str:
    if type(raw) is str:
        try:
            raw = PartialDate.parse(raw.strip())
        except ValueError:
            raw = None
    if type(raw) is date:
        return raw.isoformat()
    if type(raw) is not PartialDate:
        raise _Unreadable("ITEM-TYPE", "needs a date, written as 2024-05-17, 2024-05 or 2024")
    return str(raw)


def _read_datetime(item: Item, raw: Any) -> str:
    if type(raw) is str:
        try:
            raw = datetime.fromisoformat(raw.strip())
        except ValueError:
            raw = None
    if type(raw) is not datetime or raw.utcoffset() is None:
        needs = "needs a date and time with its zone, written as 2024-05-17T09:30+02:00"
        raise _Unreadable("ITEM-TYPE", needs)
    try:
        return raw.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    except OverflowError:
        raise _Unreadable("ITEM-RANGE", "needs a date and time within the calendar") from None


READERS: dict[str, Callable[[Item, Any], Stored]] = {
    "integer": _read_integer,
    "decimal": _read_decimal,
    "text": _read_text,
    "boolean": _read_boolean,
    "choice": _read_choice,
    "date": _read_date,
    "partial_date": _read_partial_date,
    "datetime": _read_datetime,
}


# -- back from the stored form


def decode_item(item_type: str, raw: Any) -> Value:
    """The value of a stored answer as expressions see it: of a date and time, the day in UTC."""
    if item_type == "datetime":
        return None if raw is None else date.fromisoformat(str(raw)[:10])
    if item_type in ("date", "partial_date"):
        return _decode_date(item_type, raw)
    return decode_value(item_type, raw)


@lru_cache(maxsize=4096)
def _decode_date(item_type: str, raw: Any) -> Value:
    # A trial has few days and many dates. Other types are not kept so: to a cache, 1 is the same as true.
    return decode_value(item_type, raw)


@lru_cache(maxsize=4096)
def parse_date(text: str) -> PartialDate:
    """Read a stored date, perhaps partial."""
    return PartialDate.parse(text)


def date_of(form: Form, stored: Mapping[str, Any]) -> str | None:
    """The clinical date that a row gives itself by its `dated_by` item: ISO text, or None."""
    if form.dated_by is None:
        return None
    answer = stored.get(form.dated_by)
    return None if answer is None else str(answer)[:10]


def local_date(definition: StudyDefinition, site_id: str, now: datetime) -> date:
    """The calendar day at a site: what is 'today' for those who work there. In UTC for an unknown site."""
    site = definition.site(site_id)
    return now.astimezone(UTC if site is None else ZoneInfo(site.time_zone)).date()


class RowEvidence:
    """Evidence in which form.item means one row's value; everything else is as in the evidence below it.

    `base` may hold an earlier state of the same row (same `encounter` and `row`), which this one replaces.
    Without `base` nothing else is known, not even the day. `dated` is the clinical date of a row that does
    not date itself. `stored` is what the row's values were made of.
    """

    __slots__ = ("_base", "_dated", "_encounter", "_form", "_own", "_row", "stored")

    def __init__(
        self,
        form: Form,
        stored: Mapping[str, Any],
        base: Evidence | None = None,
        *,
        encounter: str | None = None,
        row: int | None = None,
        dated: str | None = None,
    ) -> None:
        self.stored = stored
        self._dated = date_of(form, stored) or dated
        self._form = form
        self._base = base
        self._encounter = encounter
        self._row = row
        self._own: FormRow | None = None

    @property
    def as_of(self) -> date:
        """The day on which the question is asked."""
        return date.min if self._base is None else self._base.as_of

    def rows(self, form: str) -> Sequence[FormRow]:
        """Rows of a form; of the row's own form, the others and then this one."""
        below = () if self._base is None else self._base.rows(form)
        if form != self._form.id:
            return below
        others = [each for each in below if (each.encounter, each.row) != (self._encounter, self._row)]
        return [*others, self._own_row()]

    def latest(self, form: str, item: str) -> Observation | None:
        """This row's value for its own form, else the latest known value."""
        if form == self._form.id:
            return self._own_row().values.get(item)
        return None if self._base is None else self._base.latest(form, item)

    def at(self, form: str, item: str, encounter: str) -> Observation | None:
        """The known value recorded at an encounter; this row's when it is its own."""
        if form == self._form.id and encounter == self._encounter:
            return self._own_row().values.get(item)
        return None if self._base is None else self._base.at(form, item, encounter)

    def reviewed(self, form: str) -> date | None:
        """The day through which a log was confirmed complete."""
        return None if self._base is None else self._base.reviewed(form)

    def is_log(self, form: str) -> bool:
        """Whether the form is a log whose completeness must be confirmed."""
        return self._form.log if form == self._form.id else self._base is not None and self._base.is_log(form)

    def anchor(self, name: str) -> date | None:
        """The date of an anchor, None while it has none."""
        return None if self._base is None else self._base.anchor(name)

    def variable(self, name: str) -> Node | None:
        """The expression of a variable."""
        return None if self._base is None else self._base.variable(name)

    def _own_row(self) -> FormRow:
        if self._own is None:
            form, encounter, row = self._form, self._encounter, self._row
            day = None if self._dated is None else parse_date(self._dated)
            seen = {
                item.id: Observation(
                    form.id, item.id, decode_item(item.type, self.stored[item.id]), encounter, row, day
                )
                for item in form.items
                if item.id in self.stored
            }
            self._own = FormRow(form.id, row, encounter, day, seen)
        return self._own


def failing_checks(
    form: Form,
    stored: Mapping[str, Any],
    evidence: Evidence | None,
    *,
    encounter: str | None = None,
    row: int | None = None,
    dated: str | None = None,
) -> tuple[EditCheck, ...]:
    """The edit checks that this row does not pass; one that cannot be decided yet passes.

    `encounter`, `row` and `dated` are those of `RowEvidence`.
    """
    if not form.checks:
        return ()
    own = RowEvidence(form, stored, evidence, encounter=encounter, row=row, dated=dated)
    return tuple(check for check in form.checks if truth(check.holds, own) is Truth.NOT_MET)
