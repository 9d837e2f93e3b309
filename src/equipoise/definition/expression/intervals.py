"""Comparison and arithmetic on quantities of which only bounds may be known.

Every operation here contains the truth: whatever the unknown turns out to be, the exact result lies within
the interval that is returned. Operands of kinds that do not fit, and results that do not exist (division by
zero, the logarithm of zero), give UNKNOWN; the type checker reports the former before a study begins. Decimal
arithmetic is that of IEEE 754 decimal128 (34 digits), independent of the surrounding decimal context.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

from .values import (
    KIND_OF,
    UNKNOWN,
    Duration,
    Interval,
    Quantity,
    Truth,
    completed_months,
    completed_years,
    plus_duration,
)

_CONTEXT = Context(prec=34, Emax=6144, Emin=-6143, traps=[])
_LOWEST, _HIGHEST = Decimal("-Infinity"), Decimal("Infinity")
_ROUND_DIGITS_MAX = 30

COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def kind(value: Quantity) -> str | None:
    """number, text, boolean, date or duration; None for the wholly unknown."""
    if type(value) is Interval:
        end = value.low if value.low is not None else value.high
        return None if end is None else KIND_OF[type(end)]
    return KIND_OF[type(value)]


def ends(value: Quantity) -> tuple[Any, Any]:
    """Low and high end, None where open."""
    return (value.low, value.high) if type(value) is Interval else (value, value)


def between(low: Any, high: Any) -> Quantity:
    """The interval from `low` to `high`, or the exact value when both are the same."""
    return low if low is not None and low == high else Interval(low, high)


def compare(sign: str, left: Quantity, right: Quantity) -> Truth:
    """Whether `left sign right` holds, for sure, for sure not, or not known."""
    if type(left) is not Interval and type(right) is not Interval:
        family = KIND_OF[type(left)]
        if family != KIND_OF[type(right)] or (sign not in ("=", "!=") and family not in ("number", "date")):
            return Truth.UNKNOWN
        return Truth.MET if COMPARISONS[sign](left, right) else Truth.NOT_MET
    left_kind, right_kind = kind(left), kind(right)
    if left_kind is None or right_kind is None or left_kind != right_kind:
        return Truth.UNKNOWN
    if sign in ("=", "!="):
        apart = _always(operator.lt, left, right) or _always(operator.gt, left, right)
        if not apart:
            return Truth.UNKNOWN
        return Truth.MET if sign == "!=" else Truth.NOT_MET
    if _always(COMPARISONS[sign], left, right):
        return Truth.MET
    return Truth.NOT_MET if _always(_OPPOSITE[sign], left, right) else Truth.UNKNOWN


_OPPOSITE = {"<": operator.ge, "<=": operator.gt, ">": operator.le, ">=": operator.lt}


def _always(test: Callable[[Any, Any], bool], left: Quantity, right: Quantity) -> bool:
    """Whether the order `test` holds for every pair of possible values."""
    (left_low, left_high), (right_low, right_high) = ends(left), ends(right)
    if test in (operator.lt, operator.le):
        return left_high is not None and right_low is not None and test(left_high, right_low)
    return left_low is not None and right_high is not None and test(left_low, right_high)


def hull(values: Sequence[Quantity]) -> Quantity:
    """The narrowest interval that holds all of `values`; UNKNOWN when they differ and have no order."""
    kinds = {kind(value) for value in values}
    if len(kinds) > 1 or None in kinds:
        return UNKNOWN
    if kinds <= {"number", "date"}:
        lows, highs = zip(*(ends(value) for value in values), strict=True)
        low = None if None in lows else min(lows)
        high = None if None in highs else max(highs)
        return between(low, high)
    return values[0] if all(value == values[0] for value in values) else UNKNOWN


def _wide(value: Quantity) -> tuple[Decimal, Decimal]:
    """Ends as decimals, infinite where open."""
    low, high = ends(value)
    return (_LOWEST if low is None else Decimal(low), _HIGHEST if high is None else Decimal(high))


def _narrow(low: Decimal, high: Decimal) -> Quantity:
    if low.is_nan() or high.is_nan():
        return UNKNOWN
    if low == high:
        return low if low.is_finite() else UNKNOWN
    return Interval(low if low.is_finite() else None, high if high.is_finite() else None)


def _numbers(*values: Quantity) -> bool:
    return all(kind(value) == "number" for value in values)


def calculate(sign: str, left: Quantity, right: Quantity) -> Quantity:
    """`left sign right` for + - * /; a date plus or minus a duration is a date."""
    if type(right) is Duration:
        return shift(left, right, -1 if sign == "-" else 1) if sign in "+-" else UNKNOWN
    if not _numbers(left, right):
        return UNKNOWN
    (a, b), (c, d) = _wide(left), _wide(right)
    if sign == "+":
        return _narrow(_CONTEXT.add(a, c), _CONTEXT.add(b, d))
    if sign == "-":
        return _narrow(_CONTEXT.subtract(a, d), _CONTEXT.subtract(b, c))
    if sign == "/" and c <= 0 <= d:
        return UNKNOWN
    apply = _CONTEXT.multiply if sign == "*" else _CONTEXT.divide
    corners = [apply(x, y) for x in (a, b) for y in (c, d)]
    # A corner is undefined as 0 x infinity, which bounds nothing beyond 0, or as infinity / infinity, whose
    # limits the other corners already give.
    real = [corner for corner in corners if not corner.is_nan()]
    if sign == "*" and len(real) < len(corners):
        real.append(Decimal(0))
    return _narrow(min(real), max(real))


def shift(day: Quantity, duration: Duration, sign: int) -> Quantity:
    """A date moved by a duration; UNKNOWN for anything but a date."""
    if kind(day) != "date":
        return UNKNOWN
    low, high = ends(day)
    return between(
        None if low is None else plus_duration(low, duration, sign)[0],
        None if high is None else plus_duration(high, duration, sign)[1],
    )


def negate(value: Quantity) -> Quantity:
    """Minus `value`."""
    if not _numbers(value):
        return UNKNOWN
    low, high = _wide(value)
    # Python's own minus and abs would round to the surrounding decimal context.
    return _narrow(high.copy_negate(), low.copy_negate())


def absolute(value: Quantity) -> Quantity:
    """`value` without its sign."""
    if not _numbers(value):
        return UNKNOWN
    low, high = _wide(value)
    if low < 0 < high:
        return _narrow(Decimal(0), max(low.copy_abs(), high))
    return _narrow(*sorted((low.copy_abs(), high.copy_abs())))


def rounded(value: Quantity, digits: Quantity) -> Quantity:
    """`value` to `digits` decimals, halves away from zero; `digits` is a whole number of at most 30."""
    if not _numbers(value, digits) or type(digits) is Interval:
        return UNKNOWN
    places = Decimal(digits)  # type: ignore[arg-type]  # its kind is number
    if abs(places) > _ROUND_DIGITS_MAX or places != int(places):
        return UNKNOWN
    unit = Decimal(1).scaleb(-int(places))
    low, high = (
        end if end.is_infinite() else end.quantize(unit, ROUND_HALF_UP, _CONTEXT) for end in _wide(value)
    )
    return _narrow(low, high)


def _rising(
    value: Quantity, function: Callable[[Decimal], Decimal], domain: Callable[[Decimal], bool]
) -> Quantity:
    """An increasing function applied to both ends, where the whole interval lies in its domain."""
    if not _numbers(value):
        return UNKNOWN
    low, high = _wide(value)
    return _narrow(function(low), function(high)) if domain(low) else UNKNOWN


def logarithm(value: Quantity) -> Quantity:
    """Natural logarithm; UNKNOWN unless surely positive."""
    return _rising(value, _CONTEXT.ln, lambda low: low > 0)


def logarithm_plus_one(value: Quantity) -> Quantity:
    """Natural logarithm of one more than `value`; UNKNOWN unless surely above -1."""
    return _rising(value, lambda x: _CONTEXT.ln(_CONTEXT.add(x, Decimal(1))), lambda low: low > -1)


def exponential(value: Quantity) -> Quantity:
    """e to the power of `value`; UNKNOWN beyond the range of decimal128."""
    return _rising(value, _CONTEXT.exp, lambda low: True)


def square_root(value: Quantity) -> Quantity:
    """Square root; UNKNOWN unless surely 0 or more."""
    return _rising(value, _CONTEXT.sqrt, lambda low: low >= 0)


def extreme(values: Sequence[Quantity], smallest: bool) -> Quantity:
    """The least (or greatest) of numbers or of dates, narrowed by every bound that is known."""
    kinds = {kind(value) for value in values} - {None}
    if len(kinds) != 1 or not kinds <= {"number", "date"}:
        return UNKNOWN
    lows, highs = zip(*(ends(value) for value in values), strict=True)
    if smallest:
        return between(*_tightest(min, loose=lows, tight=highs))
    high, low = _tightest(max, loose=highs, tight=lows)
    return between(low, high)


def _tightest(pick: Callable[[Any], Any], loose: Sequence[Any], tight: Sequence[Any]) -> tuple[Any, Any]:
    """The end that one open operand opens, and the end that one closed operand closes."""
    closed = [end for end in tight if end is not None]
    return (None if None in loose else pick(loose)), (pick(closed) if closed else None)


def elapsed(unit: str, start: Quantity, end: Quantity) -> Quantity:
    """Units completed from one date to another: years, months or days."""
    if kind(start) != "date" or kind(end) != "date":
        return UNKNOWN
    count = _ELAPSED[unit]
    (start_low, start_high), (end_low, end_high) = ends(start), ends(end)
    low = None if start_high is None or end_low is None else count(start_high, end_low)
    high = None if start_low is None or end_high is None else count(start_low, end_high)
    return between(low, high)


def _days(start: date, end: date) -> int:
    return (end - start).days


_ELAPSED: dict[str, Callable[[date, date], int]] = {
    "years": completed_years,
    "months": completed_months,
    "days": _days,
}
