"""Values of the expression language: truth, partial dates, durations, intervals, and their stored forms.

Everything here is immutable. Months are calendar months: the day of the month is kept, and clipped at the end
of a shorter month (31 January + 1 month = 28 or 29 February). A year is twelve such months, a week seven
days.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import TypeAlias


class Truth(Enum):
    """The three outcomes of a condition (Kleene's strong logic)."""

    MET = "met"
    NOT_MET = "not met"
    UNKNOWN = "unknown"


_PARTIAL = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")


@dataclass(frozen=True, slots=True)
class PartialDate:
    """A calendar date of which the day, or the day and the month, may be unknown: one of `first` .. `last`.

    Raises ValueError when no such date exists.
    """

    year: int
    month: int | None = None
    day: int | None = None
    first: date = field(init=False, compare=False, repr=False)
    last: date = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.month is None:
            if self.day is not None:
                raise ValueError("A partial date with a day needs its month.")
            first, last = date(self.year, 1, 1), date(self.year, 12, 31)
        elif self.day is None:
            first = date(self.year, self.month, 1)
            last = first.replace(day=calendar.monthrange(self.year, self.month)[1])
        else:
            first = last = date(self.year, self.month, self.day)
        object.__setattr__(self, "first", first)
        object.__setattr__(self, "last", last)

    @classmethod
    def parse(cls, text: str) -> PartialDate:
        """Read '2024', '2024-05' or '2024-05-17'; ValueError otherwise."""
        found = _PARTIAL.fullmatch(text)
        if found is None:
            raise ValueError(f"'{text}' is not a date: write 2024-05-17, 2024-05 or 2024.")
        year, month, day = found.groups()
        return cls(int(year), int(month) if month else None, int(day) if day else None)

    @classmethod
    def of(cls, day: date) -> PartialDate:
        """The fully known date `day`."""
        return cls(day.year, day.month, day.day)

    @property
    def exact(self) -> bool:
        """Whether day and month are both known."""
        return self.day is not None

    def __str__(self) -> str:
        return self.first.isoformat()[: 4 if self.month is None else 7 if self.day is None else 10]


UNITS = ("hours", "days", "weeks", "months", "years")


@dataclass(frozen=True, slots=True)
class Duration:
    """A whole number of calendar units, such as 12 months; `unit` is one of UNITS, `count` at least 0."""

    count: int
    unit: str

    def __post_init__(self) -> None:
        if self.unit not in UNITS or self.count < 0:
            raise ValueError(
                f"A duration is a whole number of {', '.join(UNITS)}, not {self.count} {self.unit}."
            )

    def __str__(self) -> str:
        return f"{self.count} {self.unit[:-1] if self.count == 1 else self.unit}"


@dataclass(frozen=True, slots=True)
class Interval:
    """A quantity of which only the bounds are known, both inclusive; None is an open end.

    Both ends open says nothing at all, and stands for an unknown value of any type. `low` is below `high`.
    """

    low: int | Decimal | date | None
    high: int | Decimal | date | None


UNKNOWN = Interval(None, None)

Exact: TypeAlias = "str | bool | int | Decimal | date"
Value: TypeAlias = "str | bool | int | Decimal | date | PartialDate | None"
Quantity: TypeAlias = "Exact | Duration | Interval"

# Looked up by exact type: bool is not a number here although Python makes it one.
KIND_OF: dict[type, str] = {
    int: "number",
    Decimal: "number",
    str: "text",
    bool: "boolean",
    date: "date",
    Duration: "duration",
}


def quantity(value: Value) -> Quantity:
    """What a recorded value says: itself, the span of a partial date, or nothing for None."""
    if value is None:
        return UNKNOWN
    if type(value) is PartialDate:
        return value.first if value.exact else Interval(value.first, value.last)
    return value  # type: ignore[return-value]  # only PartialDate and None are excluded above


def is_known(value: Quantity) -> bool:
    """Whether there is an answer: an exact value, or a partial date; a half-open count is no answer."""
    return type(value) is not Interval or (type(value.low) is date and type(value.high) is date)


def plus_duration(day: date, duration: Duration, sign: int = 1) -> tuple[date, date]:
    """Earliest and latest day at `duration` after `day` (before it with sign -1).

    The two differ only for hours that are no whole number of days, as dates carry no time of day. Beyond the
    calendar (years 1 to 9999) the result stays at the calendar's end.
    """
    count, unit = duration.count * sign, duration.unit
    if unit in ("months", "years"):
        moved = _plus_months(day, count * 12 if unit == "years" else count)
        return moved, moved
    if unit == "hours":
        return _plus_days(day, count // 24), _plus_days(day, -(-count // 24))
    moved = _plus_days(day, count * 7 if unit == "weeks" else count)
    return moved, moved


def _plus_days(day: date, count: int) -> date:
    try:
        return day + timedelta(days=count)
    except OverflowError:
        return date.max if count > 0 else date.min


def _plus_months(day: date, count: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + count, 12)
    if not 1 <= year <= 9999:
        return date.max if count > 0 else date.min
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def completed_months(start: date, end: date) -> int:
    """Calendar months completed from `start` to `end`; negative when `end` is earlier.

    A month that begins on the 31st is completed on the last day of a shorter month, and a year that begins on
    29 February is completed on 28 February, as with all month arithmetic here.
    """
    if end < start:
        return -completed_months(end, start)
    months = (end.year - start.year) * 12 + end.month - start.month
    return months - 1 if _plus_months(start, months) > end else months


def completed_years(start: date, end: date) -> int:
    """Calendar years completed from `start` to `end`; negative when `end` is earlier."""
    months = completed_months(start, end)
    return months // 12 if months >= 0 else -(-months // 12)


def plain(number: Decimal) -> str:
    """Decimal without exponent, in full."""
    return format(number, "f")


def encode_value(value: Value) -> str | int | bool | None:
    """The JSON-able stored form of a value: decimals and dates as text, the rest as they are."""
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, PartialDate):
        return str(value)
    return value


def decode_value(type_name: str, raw: object) -> Value:
    """The value of an item of type `type_name` from its stored form; ValueError when it does not fit.

    Types: integer, decimal, text, boolean, date, partial_date, choice (a code: text or whole number). None
    stays None.
    """
    if type_name not in _STORED_AS:
        raise ValueError(f"'{type_name}' is not an item type: use one of {', '.join(_STORED_AS)}.")
    if raw is None:
        return None
    if type(raw) not in _STORED_AS[type_name]:
        raise ValueError(f"{raw!r} is not stored as a value of type {type_name}.")
    if type_name == "decimal":
        return _decode_decimal(str(raw))
    if type_name == "date":
        return _decode_date(str(raw))
    if type_name == "partial_date":
        return PartialDate.parse(str(raw))
    return raw  # type: ignore[return-value]  # its type is one of those listed for the item type


_STORED_AS: dict[str, tuple[type, ...]] = {
    "integer": (int,),
    "decimal": (str, int),
    "text": (str,),
    "boolean": (bool,),
    "date": (str,),
    "partial_date": (str,),
    "choice": (str, int),
}


def _decode_decimal(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"'{text}' is not a decimal number.") from None
    if not number.is_finite():
        raise ValueError(f"'{text}' is not a finite number.")
    return number


def _decode_date(text: str) -> date:
    day = PartialDate.parse(text)
    if not day.exact:
        raise ValueError(f"'{text}' is not a full date: write year, month and day.")
    return day.first
