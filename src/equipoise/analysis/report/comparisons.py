"""The forest plots of a report: the primary endpoint in its analyses and subgroups, and all other ratios."""

from __future__ import annotations

from collections.abc import Sequence

from equipoise.analysis.report.forest import ForestRow, draw_forest
from equipoise.analysis.result import AnalysisResult, EndpointResult, Estimate, Scale


def draw_comparisons(result: AnalysisResult) -> list[tuple[str, str]]:
    """The primary endpoint with its sensitivity analyses and subgroups, then every other ratio."""
    primary = result.primary
    if result.masked or primary is None:
        return []
    drawn = []
    rows = _forest_rows(result, primary)
    estimate = primary.estimate
    if estimate is not None and estimate.scale != "value" and rows:
        chart = draw_forest(
            rows,
            ratio=estimate.scale == "ratio",
            measure=estimate.measure.split(",")[0],
            favours=_favours(result, primary),
        )
        drawn.append((f"{primary.title}: main analysis, sensitivity analyses, subgroups", chart))
    others = [each for each in result.endpoints if each is not primary and _of_scale(each, "ratio")]
    ratios: list[ForestRow] = []
    for each in others:
        ratios.append(ForestRow(label=each.title, heading=True))
        ratios += [
            ForestRow(
                label=found.measure if len(each.estimates) == 1 else found.label, n=each.n, estimate=found
            )
            for found in _of_scale(each, "ratio")
        ]
    if ratios:
        chart = draw_forest(ratios, ratio=True, measure="Ratio", favours=None)
        drawn.append(("All other endpoints that are compared by a ratio", chart))
    return [(title, chart) for title, chart in drawn if chart]


def _of_scale(endpoint: EndpointResult, scale: Scale) -> list[Estimate]:
    return [each for each in endpoint.estimates if each.scale == scale]


def _forest_rows(result: AnalysisResult, primary: EndpointResult) -> list[ForestRow]:
    several = len(primary.estimates) > 1

    def rows(name: str, n: int, estimates: Sequence[Estimate], show_p: bool) -> list[ForestRow]:
        if not estimates:
            return [ForestRow(label=name, n=n)]
        return [
            ForestRow(label=f"{name}: {each.label}" if several else name, n=n, estimate=each, show_p=show_p)
            for each in estimates
        ]

    found = [ForestRow(label="Main analysis", heading=True)]
    found += rows("As planned", primary.n, primary.estimates, True)
    sensitivity = [each for each in result.sensitivity if each.id == primary.id]
    scale = primary.estimates[0].scale if primary.estimates else "ratio"
    sensitivity = [each for each in sensitivity if _of_scale(each, scale)]
    if sensitivity:
        found.append(ForestRow(label="Sensitivity analyses", heading=True))
        for each in sensitivity:
            words = each.analysis.replace("_", " ")
            found += rows(words[0].upper() + words[1:], each.n, _of_scale(each, scale), True)
    for category in dict.fromkeys(each.category for each in result.subgroups):
        found.append(ForestRow(label=category, heading=True))
        for each_group in result.subgroups:
            if each_group.category == category:
                found += rows(each_group.level, each_group.n, each_group.estimates, False)
    return found


def _favours(result: AnalysisResult, primary: EndpointResult) -> tuple[str, str] | None:
    """Which arm either side of no effect speaks for."""
    estimate = primary.estimate
    if estimate is None or primary.better == "neither" or len(primary.estimates) != 1:
        return None
    mine, other = (result.definition.arm(each or "") for each in (estimate.arm, estimate.reference))
    if mine is None or other is None:
        return None
    names = (f"favours {_lowered(mine.name)}", f"favours {_lowered(other.name)}")
    return names if primary.better == "lower" else (names[1], names[0])


def _lowered(label: str) -> str:
    return label[0].lower() + label[1:] if label[1:2].islower() else label
