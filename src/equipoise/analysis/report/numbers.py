"""Numbers as a report prints them: rounded half away from zero, with the decimals that the reader can use."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from math import isfinite

from equipoise.analysis.result import Estimate, Figure

MINUS = "−"
NONE = "–"
NOT_ESTIMABLE = "not estimable"
ROUNDING = (
    "Numbers are rounded half away from zero. Ratios have two decimals, percentages one; other numbers two "
    "decimals below 10, one below 1000, none above, by the largest of their line. Intervals are two-sided."
)


def fixed(value: float | None, decimals: int) -> str:
    """A number with so many decimals, rounded half away from zero; a dash for none."""
    if value is None or not isfinite(value):
        return NONE
    # repr gives the shortest text that is this float, which is what the reader would round.
    number = Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    text = format(abs(number), "f")
    return text if number >= 0 or float(text) == 0 else MINUS + text


def whole(value: float | None) -> str:
    """A count, its thousands parted by thin spaces."""
    return (
        NONE
        if value is None
        else format(int(Decimal(value).quantize(Decimal(1), ROUND_HALF_UP)), ",").replace(",", "\u2009")
    )


def decimals_for(values: Iterable[float | None]) -> int:
    """How many decimals a line of numbers has, by its largest."""
    largest = max((abs(value) for value in values if value is not None and isfinite(value)), default=0.0)
    return 0 if largest >= 1000 else 1 if largest >= 10 else 2


def p_value(p: float | None) -> str:
    """A p-value with three decimals; '<0.001' below, '>0.999' above."""
    if p is None:
        return NONE
    if p < 0.001:
        return "<0.001"
    return ">0.999" if p > 0.9995 else fixed(p, 3)


def percent(part: float, of: float) -> str:
    """A part in per cent with one decimal, a dash for a part of nothing."""
    return NONE if of == 0 else f"{fixed(100 * part / of, 1)}%"


def interval(low: float | None, high: float | None, decimals: int) -> str:
    """Both ends of an interval; an end that the data do not give is open."""
    if low is None and high is None:
        return NONE
    if high is None:
        return f"{fixed(low, decimals)} or more"
    return (
        f"{fixed(low, decimals)} to {fixed(high, decimals)}"
        if low is not None
        else f"up to {fixed(high, decimals)}"
    )


def estimate_decimals(estimate: Estimate) -> int:
    """The decimals of an estimate and its interval."""
    if estimate.scale == "ratio":
        return 2
    if "percent" in estimate.measure.lower() or estimate.measure.startswith("Per cent"):
        return 1
    return decimals_for((estimate.value, estimate.low, estimate.high))


def estimate_text(estimate: Estimate | None) -> str:
    """An estimate with its interval in brackets."""
    if estimate is None or (estimate.value is None and estimate.low is None and estimate.high is None):
        return NOT_ESTIMABLE
    decimals = estimate_decimals(estimate)
    bounds = interval(estimate.low, estimate.high, decimals)
    value = NOT_ESTIMABLE if estimate.value is None else fixed(estimate.value, decimals)
    return f"{value} ({bounds})" if bounds != NONE else value


def figure_text(figure: Figure, decimals: int) -> str:
    """A summary figure: a count, a percentage, or a number with its bounds in brackets.

    `decimals` are those of plain numbers; counts have none, percentages one.
    """
    if figure.kind == "count":
        return whole(figure.value)
    decimals = 1 if figure.kind == "percent" else decimals
    unit = "%" if figure.kind == "percent" else ""
    bounds = interval(figure.low, figure.high, decimals)
    if figure.value is None:
        return bounds
    value = fixed(figure.value, decimals) + unit
    return value if bounds == NONE else f"{value} ({bounds})"
