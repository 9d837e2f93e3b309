"""Figures over time: profiles of the groups at each encounter, and Kaplan-Meier curves, as SVG."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import MaxNLocator

from equipoise.analysis.course import epoch_examined
from equipoise.analysis.report.plots import GRID, STYLE, to_svg
from equipoise.analysis.report.svg import PALETTE, SOFT, TINT
from equipoise.analysis.result import AnalysisResult, EndpointResult, ProfileResult

_SPREAD = 0.11


def draw_profile(result: AnalysisResult, profile: ProfileResult) -> str:
    """Means, medians or percentages with their intervals at each encounter, a line for each group."""
    if not any(point.value is not None for point in profile.points):
        return ""
    encounters = list(dict.fromkeys(point.encounter for point in profile.points))
    names = {point.encounter: point.name.split(",")[0] for point in profile.points}
    groups = list(dict.fromkeys(point.arm for point in profile.points))
    with rc_context({**STYLE, "svg.hashsalt": f"profile {profile.id}"}):
        canvas = Canvas(figsize=(8.6, 3.5), layout="constrained")
        axes = canvas.add_subplot()
        _shade_epochs(result, axes, encounters)
        for index, arm in enumerate(groups):
            shift = (index - (len(groups) - 1) / 2) * _SPREAD
            mine = [point for point in profile.points if point.arm == arm and point.value is not None]
            x = [encounters.index(point.encounter) + shift for point in mine]
            y = [point.value or 0.0 for point in mine]
            below = [
                value - (point.low if point.low is not None else value)
                for value, point in zip(y, mine, strict=True)
            ]
            above = [
                (point.high if point.high is not None else value) - value
                for value, point in zip(y, mine, strict=True)
            ]
            colour = PALETTE[index % len(PALETTE)]
            axes.errorbar(
                x,
                y,
                yerr=[below, above],
                color=colour,
                marker="osD^vP"[index % 6],
                markersize=5,
                linewidth=1.5,
                elinewidth=1.1,
                capsize=2.5,
                label=group_name(result, arm),
            )
        axes.set_xticks(range(len(encounters)), [names[each] for each in encounters])
        axes.set_xlim(-0.5, len(encounters) - 0.5)
        axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
        axes.grid(axis="y", color=GRID, linewidth=0.7)
        axes.set_axisbelow(True)
        words = {"mean": "mean", "median": "median", "percent": "per cent"}[profile.summary]
        unit = f", {profile.unit}" if profile.unit else ""
        axes.set_ylabel(f"{profile.title}{unit} ({words})")
        if len(groups) > 1:
            axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=min(len(groups), 4))
        return to_svg(canvas, f"{profile.title} by encounter")


def _shade_epochs(result: AnalysisResult, axes: Axes, encounters: Sequence[str]) -> None:
    """A band behind every other epoch, with the names of all above."""
    epochs = [epoch_examined(result.definition, each) for each in encounters]
    names = {epoch.id: epoch.name for epoch in result.definition.study.epochs}
    runs: list[tuple[str, int, int]] = []
    for index, epoch in enumerate(epochs):
        if runs and runs[-1][0] == epoch:
            runs[-1] = (epoch, runs[-1][1], index)
        else:
            runs.append((epoch, index, index))
    if len(runs) < 2:
        return
    for index, (epoch, first, last) in enumerate(runs):
        if index % 2:
            axes.axvspan(first - 0.5, last + 0.5, color=TINT, zorder=0)
        words = names.get(epoch, "")
        # A name that would not fit above its band is left out; the axis names the encounters.
        if len(words) <= 12 * (last - first + 1) + 4:
            axes.text(
                (first + last) / 2,
                1.02,
                words,
                transform=axes.get_xaxis_transform(),
                ha="center",
                fontsize=7.5,
                color=SOFT,
            )


def draw_survival(result: AnalysisResult, endpoint: EndpointResult) -> str:
    """Kaplan-Meier curves with ticks for those who left without the event."""
    if not endpoint.curves:
        return ""
    with rc_context({**STYLE, "svg.hashsalt": f"survival {endpoint.id}"}):
        canvas = Canvas(figsize=(8.6, 3.5), layout="constrained")
        axes = canvas.add_subplot()
        for index, (name, curve) in enumerate(endpoint.curves):
            colour = PALETTE[index % len(PALETTE)]
            end = max((*curve.times, *curve.censored), default=0.0)
            x, y = [0.0, *curve.times, end], [1.0, *curve.survival, (curve.survival or (1.0,))[-1]]
            axes.step(x, [100 * value for value in y], where="post", color=colour, linewidth=1.6, label=name)
            left = [
                100
                * next(
                    (
                        s
                        for t, s in reversed(list(zip(curve.times, curve.survival, strict=True)))
                        if t <= moment
                    ),
                    1.0,
                )
                for moment in curve.censored
            ]
            axes.plot(curve.censored, left, "|", color=colour, markersize=6)
        axes.set_ylim(0, 102)
        axes.set_xlim(left=0)
        axes.grid(axis="y", color=GRID, linewidth=0.7)
        axes.set_axisbelow(True)
        axes.set_xlabel("Days")
        axes.set_ylabel("Without the event, per cent")
        if len(endpoint.curves) > 1:
            axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.18), ncols=min(len(endpoint.curves), 4))
        return to_svg(canvas, f"{endpoint.title}, Kaplan-Meier")


def group_name(result: AnalysisResult, arm: str | None) -> str:
    """The name of an arm, or the words for everybody."""
    known = None if arm is None else result.definition.arm(arm)
    return known.label if known else "All participants"
