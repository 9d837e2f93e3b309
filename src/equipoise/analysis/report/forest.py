"""Forest plots: estimates with their intervals on one axis, drawn beside their numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, exp, floor, log, log10
from textwrap import shorten
from typing import TypeAlias

from equipoise.analysis.report.numbers import estimate_text, fixed, p_value
from equipoise.analysis.report.svg import ACCENT, INK, LINE, SOFT, document, line, number, text
from equipoise.analysis.result import Estimate

WIDTH = 1000.0
LEFT, PLOT_LEFT, PLOT_RIGHT, RIGHT = 8.0, 392.0, 690.0, 712.0
ROW = 25.0
RATIOS = (0.05, 0.1, 0.2, 0.25, 0.33, 0.5, 0.67, 1, 1.5, 2, 3, 4, 5, 10, 20)
NUMBER_COLUMN = 368.0

Place: TypeAlias = Callable[[float], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class ForestRow:
    """A row: a heading (`estimate` None and `heading`), or a label with n, an estimate, and perhaps its
    p-value.
    """

    label: str
    n: int | None = None
    estimate: Estimate | None = None
    heading: bool = False
    show_p: bool = True


def draw_forest(
    rows: Sequence[ForestRow], *, ratio: bool, measure: str, favours: tuple[str, str] | None
) -> str:
    """The plot; on a ratio scale the axis is logarithmic, and no effect is 1, else 0."""
    scale = _scale(rows, ratio)
    if scale is None:
        return ""
    at, ticks = scale
    height = ROW * (len(rows) + 1) + (62 if favours else 44)
    top = ROW * 1.6
    bottom = top + ROW * len(rows) + 2
    none = at(1.0 if ratio else 0.0)
    parts = [
        text(NUMBER_COLUMN, 20, "n", anchor="end", weight="600"),
        text(RIGHT, 20, f"{measure} (interval)", weight="600"),
        text(WIDTH - 8, 20, "p", anchor="end", weight="600"),
        line(LEFT, 29, WIDTH - 8, 29),
        line(none, top - 8, none, bottom, stroke=SOFT, dash="3 3"),
    ]
    for index, row in enumerate(rows):
        parts += _row(row, top + ROW * index + 14, at)
    parts.append(line(PLOT_LEFT, bottom, PLOT_RIGHT, bottom, stroke=INK))
    for tick in ticks:
        parts.append(line(at(tick), bottom, at(tick), bottom + 5, stroke=INK))
        decimals = (
            0 if float(tick).is_integer() else 2 if ratio else max(0, -floor(log10(ticks[1] - ticks[0])))
        )
        parts.append(text(at(tick), bottom + 18, fixed(tick, decimals), size=11, anchor="middle", fill=SOFT))
    if favours:
        parts.append(text(none - 10, bottom + 36, f"← {favours[0]}", size=11, anchor="end", fill=SOFT))
        parts.append(text(none + 10, bottom + 36, f"{favours[1]} →", size=11, fill=SOFT))
    return document(WIDTH, height, "Estimates with their intervals", parts)


def _scale(rows: Sequence[ForestRow], ratio: bool) -> tuple[Place, list[float]] | None:
    """Where a value lies, and the ticks; None where no row has a number."""
    ends = [
        value
        for row in rows
        if row.estimate is not None
        for value in (row.estimate.value, row.estimate.low, row.estimate.high)
        if value is not None and (value > 0 or not ratio)
    ]
    if not ends:
        return None
    if ratio:
        low, high = max(min(ends), 0.05), min(max(ends), 20.0)
        low, high = min(low, 0.67), max(high, 1.5)
        a, b = log(low) - 0.1, log(high) + 0.1

        def at(value: float) -> float:
            share = (log(min(max(value, exp(a)), exp(b))) - a) / (b - a)
            return PLOT_LEFT + share * (PLOT_RIGHT - PLOT_LEFT)

        ticks = [float(tick) for tick in RATIOS if exp(a) <= tick <= exp(b)]
        while len(ticks) > 7:
            ticks = [
                tick for index, tick in enumerate(ticks) if tick == 1 or (index - ticks.index(1)) % 2 == 0
            ]
        return at, ticks
    low, high = min(*ends, 0.0), max(*ends, 0.0)
    step = _nice((high - low) / 5 or 1.0)
    first, last = floor(low / step), ceil(high / step)

    def linear(value: float) -> float:
        share = (value - first * step) / ((last - first) * step)
        return PLOT_LEFT + share * (PLOT_RIGHT - PLOT_LEFT)

    return linear, [step * index for index in range(first, last + 1)]


def _nice(step: float) -> float:
    power = 10.0 ** floor(log10(step))
    return next(power * each for each in (1, 2, 5, 10) if power * each >= step)


def _row(row: ForestRow, y: float, at: Place) -> list[str]:
    if row.heading:
        return [text(LEFT, y, row.label, weight="600", fill=ACCENT)]
    parts = [text(LEFT + 14, y, shorten(row.label, 52, placeholder="…"))]
    if row.n is not None:
        parts.append(text(NUMBER_COLUMN, y, str(row.n), anchor="end"))
    estimate = row.estimate
    if estimate is None or estimate.value is None or estimate.low is None or estimate.high is None:
        parts.append(text(RIGHT, y, estimate_text(estimate) if estimate else "too few", fill=SOFT))
        return parts
    middle = y - 4
    parts.append(line(at(estimate.low), middle, at(estimate.high), middle, stroke=INK, width=1.6))
    x = at(estimate.value)
    parts.append(
        f'<rect x="{number(x - 4)}" y="{number(middle - 4)}" width="8" height="8" fill="{ACCENT}" '
        f'stroke="{LINE}" stroke-width="0.5"/>'
    )
    parts.append(text(RIGHT, y, estimate_text(estimate)))
    if row.show_p:
        parts.append(text(WIDTH - 8, y, p_value(estimate.p), anchor="end"))
    return parts
