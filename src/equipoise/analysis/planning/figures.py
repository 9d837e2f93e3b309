"""The figures of a design report, as SVG: power by size and effect, boundaries, recruitment, rejections."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil
from typing import Any, TypeAlias

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import MaxNLocator, PercentFormatter

from equipoise.analysis.planning.determine import Determination
from equipoise.analysis.planning.question import DRIFT_MOST, Question
from equipoise.analysis.planning.statement import number_text, percent_of
from equipoise.analysis.planning.truths import TESTS, Truth
from equipoise.analysis.report.plots import GRID, STYLE, to_svg
from equipoise.analysis.report.svg import INK, PALETTE, SOFT
from equipoise.definition.synopsis_sample_size import labels_of
from equipoise.statistics.boundaries import crossing_probabilities
from equipoise.statistics.planning import whole_above
from equipoise.statistics.recruitment import RecruitmentForecast

_WIDE = (8.6, 3.4)
_POINTS = 31
_DRIFTS = 97
_LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))
_BLUES = LinearSegmentedColormap.from_list("power", ["#ffffff", "#dfe9f2", "#a9c5de", "#6b9dc7"])


Power: TypeAlias = Callable[[Question, int, int], float]
"""The power that a question has with so many participants in each group."""


def power_to_draw(found: Determination) -> Power:
    """The power for figures: with interim analyses between values at near drifts, exact to three digits."""
    bounds = found.question.bounds
    if bounds is None:
        return Question.power
    drifts = np.linspace(0, DRIFT_MOST, _DRIFTS)
    powers = [sum(crossing_probabilities(bounds, float(drift)).upper) for drift in drifts]
    return lambda question, n1, n2: float(np.interp(question.drift(n1, n2), drifts, powers))


def draw_power_by_size(found: Determination, power: Power) -> str:
    """The power over the number that can be analysed, a line for each value of the nuisance."""
    with rc_context({**STYLE, "svg.hashsalt": "power by size"}):
        canvas, axes = _canvas()
        total = found.needed.n1 + found.needed.n2
        most = max([total, *(each.participants for each in found.deviations if each.name == found.nuisance)])
        least = max(4, total // 5)
        sizes = sorted({round(size) for size in np.linspace(least, 1.25 * most, _POINTS)})
        for index, value in enumerate(found.values_of(found.nuisance)):
            question = found.question.varied(**{found.nuisance: value})
            groups = [_groups(size, found.question.allocation) for size in sizes]
            powers = [power(question, *group) for group in groups]
            axes.plot([sum(group) for group in groups], powers, **_line(found, found.nuisance, value, index))
        _finish(found, axes, "Participants who can be analysed, both groups")
        axes.axvline(total, color=SOFT, linewidth=0.9, linestyle=(0, (2, 2)))
        _mark(axes, total, 0.0, f"{total}")
        return to_svg(canvas, "Power by number of participants")


def draw_power_by_effect(found: Determination, power: Power) -> str:
    """The power of the size as determined over the true effect, a line for each value of the nuisance."""
    with rc_context({**STYLE, "svg.hashsalt": "power by effect"}):
        canvas, axes = _canvas()
        effects = _effects(found)
        for index, value in enumerate(found.values_of(found.nuisance)):
            powers = [_power(found, power, effect, value) for effect in effects]
            axes.plot(effects, powers, **_line(found, found.nuisance, value, index))
        _finish(found, axes, labels_of(found.plan)[found.effect].words)
        assumed = found.question.values[found.effect]
        axes.axvline(assumed, color=SOFT, linewidth=0.9, linestyle=(0, (2, 2)))
        _mark(axes, assumed, 0.0, number_text(assumed))
        return to_svg(canvas, "Power by true effect")


def draw_power_map(found: Determination, power: Power) -> str:
    """The power of the size as determined over effect and nuisance, shaded, with lines of equal power."""
    with rc_context({**STYLE, "svg.hashsalt": "power map"}):
        canvas, axes = _canvas((8.6, 3.9))
        effects, nuisances = _effects(found), _spread(found, found.nuisance)
        powers = np.array(
            [[_power(found, power, effect, value) for effect in effects] for value in nuisances]
        )
        shades = axes.contourf(effects, nuisances, powers, levels=np.linspace(0, 1, 21), cmap=_BLUES)
        lines = axes.contour(
            effects, nuisances, powers, levels=[0.5, 0.7, 0.8, 0.9, 0.95], colors=INK, linewidths=0.8
        )
        axes.clabel(lines, fmt=lambda level: percent_of(float(level)), fontsize=7.5)
        axes.plot(
            found.question.values[found.effect],
            found.question.values[found.nuisance],
            "o",
            color=PALETTE[1],
            markeredgecolor="white",
            markersize=7,
        )
        labels = labels_of(found.plan)
        axes.set_xlabel(labels[found.effect].words)
        axes.set_ylabel(labels[found.nuisance].words)
        scale = canvas.colorbar(shades, ax=axes, ticks=[0, 0.2, 0.4, 0.6, 0.8, 1], format=PercentFormatter(1))
        scale.set_label("Power")
        scale.outline.set_visible(False)
        return to_svg(canvas, "Power by effect and nuisance")


def draw_boundaries(found: Determination) -> str:
    """The boundaries over the information with their nominal p-values, and the alpha spent; empty without."""
    bounds = found.question.bounds
    if bounds is None:
        return ""
    with rc_context({**STYLE, "svg.hashsalt": "boundaries"}):
        canvas = Canvas(figsize=_WIDE, layout="constrained")
        left, right = canvas.subplots(1, 2, width_ratios=[1.6, 1])
        shares = [100 * share for share in bounds.information]
        signs = (1, -1) if bounds.sides == 2 else (1,)
        for sign in signs:
            left.plot(shares, [sign * z for z in bounds.critical], "o-", color=PALETTE[0], markersize=5)
        if bounds.lower is not None:
            early = slice(0, -1)
            left.plot(shares[early], bounds.lower[early], "s--", color=PALETTE[2], markersize=4.5)
            for share, z in zip(shares[early], bounds.lower[early], strict=True):
                left.annotate(
                    f"{z:.2f}\nfutile below",
                    (share, z),
                    (0, -9),
                    textcoords="offset points",
                    ha="center",
                    va="top",
                    fontsize=7.5,
                )
        for share, z, p in zip(shares, bounds.critical, bounds.nominal_p, strict=True):
            left.annotate(
                f"{z:.2f}\np {p:.2g}",
                (share, z),
                (0, 7),
                textcoords="offset points",
                ha="center",
                fontsize=7.5,
            )
        highest = max(bounds.critical)
        lowest = min(0.0, *bounds.lower) - 0.3 * highest if bounds.lower else 0.0
        left.set_ylim(-1.15 * highest if bounds.sides == 2 else lowest, 1.35 * highest)
        left.set_xlim(0, 108)
        if bounds.sides == 2 or bounds.lower:
            left.axhline(0, color=GRID, linewidth=0.9)
        left.set_ylabel("Z at which the hypothesis is rejected")
        right.plot([0, *shares], [0, *bounds.spent], "o-", color=PALETTE[1], markersize=5, clip_on=False)
        right.set_ylim(0, 1.12 * bounds.alpha)
        right.set_xlim(0, 108)
        right.set_ylabel("Alpha spent")
        for axes in (left, right):
            axes.set_xlabel("Information, per cent")
            axes.grid(axis="y", color=GRID, linewidth=0.7)
            axes.set_axisbelow(True)
        return to_svg(canvas, "Boundaries and alpha spent")


def draw_recruitment(forecast: RecruitmentForecast, target: int, by: float | None) -> str:
    """The forecast number of participants over the months with its interval, and the target."""
    with rc_context({**STYLE, "svg.hashsalt": "recruitment"}):
        canvas, axes = _canvas()
        axes.fill_between(
            forecast.times,
            forecast.low,
            forecast.high,
            color=PALETTE[0],
            alpha=0.18,
            linewidth=0,
            label=f"{percent_of(forecast.level)} of trials",
        )
        axes.plot(forecast.times, forecast.median, color=PALETTE[0], linewidth=1.6, label="Median")
        axes.axhline(target, color=SOFT, linewidth=0.9, linestyle=(0, (2, 2)))
        _mark(axes, 0.0, target, f"{target}")
        if by is not None:
            axes.axvline(by, color=PALETTE[1], linewidth=1, linestyle=(0, (4, 2)), label="To be done by")
        axes.set_xlim(left=0)
        axes.set_ylim(0, 1.1 * target)
        axes.set_xlabel("Months from the first site's opening")
        axes.set_ylabel("Participants randomised")
        axes.grid(axis="y", color=GRID, linewidth=0.7)
        axes.set_axisbelow(True)
        axes.legend(loc="lower right")
        return to_svg(canvas, "Forecast of recruitment")


def draw_rejections(found: Determination, truths: Sequence[Truth]) -> str:
    """The share of simulated trials that each test rejects, by dispersion: without an effect, and with."""
    effect = found.question.values["ratio"]
    panels = [(1.0, "No effect: type I error"), (effect, f"Ratio {number_text(effect)}: power")]
    with rc_context({**STYLE, "svg.hashsalt": "rejections"}):
        canvas = Canvas(figsize=_WIDE, layout="constrained")
        for axes, (ratio, title) in zip(canvas.subplots(1, 2), panels, strict=True):
            mine = sorted((each for each in truths if each.ratio == ratio), key=lambda each: each.dispersion)
            for index, (test, name) in enumerate(TESTS.items()):
                axes.errorbar(
                    [place + (index - 1) * 0.14 for place in range(len(mine))],
                    [100 * each.rejected[test].value for each in mine],
                    yerr=[196 * each.rejected[test].error for each in mine],
                    fmt="osD"[index],
                    color=PALETTE[index],
                    markersize=4.5,
                    elinewidth=1.1,
                    capsize=2.5,
                    label=name,
                )
            axes.set_xticks(range(len(mine)), [number_text(each.dispersion) for each in mine])
            axes.set_xlim(-0.5, max(len(mine), 1) - 0.5)
            level = float(found.plan.alpha if ratio == 1 else found.plan.power)
            axes.axhline(100 * level, color=SOFT, linewidth=0.9, linestyle=(0, (2, 2)))
            axes.set_title(title, fontsize=8.5, loc="left")
            axes.set_xlabel("True dispersion")
            axes.set_ylabel("Rejected, per cent")
            axes.yaxis.set_major_locator(MaxNLocator(6))
            axes.grid(axis="y", color=GRID, linewidth=0.7)
            axes.set_axisbelow(True)
        handles, names = canvas.axes[0].get_legend_handles_labels()
        canvas.legend(handles, names, loc="outside lower center", ncols=3)
        return to_svg(canvas, "Share of simulated trials that each test rejects")


def _canvas(size: tuple[float, float] = _WIDE) -> tuple[Canvas, Axes]:
    canvas = Canvas(figsize=size, layout="constrained")
    return canvas, canvas.add_subplot()


def _mark(axes: Axes, x: float, y: float, words: str) -> None:
    """Words above and right of a point."""
    axes.annotate(words, (x, y), (4, 4), textcoords="offset points", color=SOFT)


def _groups(total: int, allocation: float) -> tuple[int, int]:
    n1 = max(2, round(total / (1 + allocation)))
    return n1, max(2, whole_above(allocation * n1))


def _line(found: Determination, name: str, value: float, index: int) -> dict[str, Any]:
    """How the line of one value looks: what is assumed is thickest."""
    assumed = value == found.question.values[name]
    title = labels_of(found.plan)[name].title.split(" (")[0]
    return {
        "color": PALETTE[index % len(PALETTE)],
        "linewidth": 2.2 if assumed else 1.4,
        "linestyle": "-" if assumed else _LINES[1 + index % (len(_LINES) - 1)],
        "label": f"{title} {number_text(value)}{' (assumed)' if assumed else ''}",
    }


def _finish(found: Determination, axes: Axes, title: str) -> None:
    axes.axhline(float(found.plan.power), color=SOFT, linewidth=0.9, linestyle=(0, (2, 2)))
    axes.set_ylim(0, 1.02)
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.set_xlabel(title)
    axes.set_ylabel("Power")
    axes.grid(color=GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.margins(x=0.01)
    axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))


def _effects(found: Determination) -> list[float]:
    """True effects from none to somewhat beyond all that are considered."""
    values, null = found.values_of(found.effect), found.question.null
    furthest = max(values, key=lambda value: abs(value - null))
    beyond = null + (furthest - null) * 1.15
    if found.effect == "ratio":
        beyond = max(beyond, furthest / 1.25) if furthest < 1 else beyond
    if found.plan.kind == "proportions":
        beyond = min(max(beyond, 0.01), 0.99)
    return [float(value) for value in np.linspace(null, beyond, _POINTS)]


def _spread(found: Determination, name: str) -> list[float]:
    """Values of a number around all that are considered."""
    values = found.values_of(name)
    low, high = 0.75 * values[0], 1.25 * values[-1]
    if found.plan.kind == "proportions":
        high = min(high, 0.99)
    return [float(value) for value in np.linspace(low, high if high > low else low + 1, ceil(_POINTS * 0.8))]


def _power(found: Determination, power: Power, effect: float, nuisance: float) -> float:
    question = found.question.varied(**{found.effect: effect, found.nuisance: nuisance})
    planned = found.question.values[found.effect] - found.question.null
    if (effect - question.null) * planned < 0:
        # Beyond no effect, where a proportion passes the other one, the hypothesis is another.
        question = question.varied(**{found.effect: question.null})
    return power(question, found.needed.n1, found.needed.n2)
