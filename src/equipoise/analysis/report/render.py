"""The report rendered: sections put together from the result, and set by one template."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from equipoise import __version__
from equipoise.analysis.cut import DataCut
from equipoise.analysis.report import views
from equipoise.analysis.report.charts import draw_profile, draw_survival
from equipoise.analysis.report.flow_chart import draw_flow
from equipoise.analysis.report.forest import ForestRow, draw_forest
from equipoise.analysis.report.numbers import ROUNDING, estimate_text, fixed, p_value, whole
from equipoise.analysis.result import AnalysisResult, EndpointResult, Estimate, Scale
from equipoise.definition.model.analysis import Estimand

STRATEGIES = {
    "treatment_policy": "treatment policy",
    "hypothetical": "hypothetical",
    "composite": "composite",
    "while_on_treatment": "while on treatment",
    "principal_stratum": "principal stratum",
}


class FindingPlace(Protocol):
    """Where a public record says something: its section, its line, and its words."""

    @property
    def section(self) -> str: ...
    @property
    def line(self) -> int: ...
    @property
    def quote(self) -> str: ...


class ReportFinding(Protocol):
    """A contradiction that was found in a public record."""

    @property
    def code(self) -> str: ...
    @property
    def severity(self) -> str: ...
    @property
    def message(self) -> str: ...
    @property
    def places(self) -> Sequence[FindingPlace]: ...


def render_report(
    result: AnalysisResult,
    cut: DataCut,
    findings: Sequence[ReportFinding] | None = None,
    masked: bool = False,
) -> str:
    """Render a result as one self-contained HTML file; the same input gives the same bytes.

    Raises ValueError when the result is of another cut, or when a masked report is asked of a result that has
    arms.
    """
    if (result.head, result.position) != (cut.head, cut.position):
        raise ValueError(
            f"The result is of position {result.position}, the cut of position {cut.position}. "
            "Analyse this cut."
        )
    if masked and not result.masked:
        raise ValueError("A masked report needs a masked result. Use describe_masked on this cut.")
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    study = result.definition.study
    crossover = study.model == "crossover"
    primary = result.primary
    return environment.get_template("report.html").render(
        result=result,
        study=study,
        title=study.acronym or study.title,
        rehearsal=result.mode == "rehearsal",
        masked=result.masked,
        key=_key_result(result),
        notes=result.notes,
        flow=Markup(draw_flow(result.flow, crossover=crossover)),
        crossover=crossover,
        baseline=views.baseline_table(result),
        primary=primary,
        estimand=_estimand(result, primary),
        strategies=STRATEGIES,
        primary_tables=() if primary is None else _endpoint_tables(result, primary),
        primary_survival=Markup("" if primary is None else draw_survival(result, primary)),
        results=views.results_table(result),
        methods=_methods(result),
        forests=_forests(result),
        survivals=[
            (each.title, Markup(drawn))
            for each in result.endpoints
            if each is not primary and (drawn := draw_survival(result, each))
        ],
        testing=views.testing_table(result),
        profiles=[
            (each, Markup(draw_profile(result, each)), views.profile_table(result, each))
            for each in result.profiles
        ],
        events=[views.event_table(each) for each in result.events],
        serious=views.serious_table(result),
        deviations=views.deviations_table(result),
        major=views.deviations_listing(result),
        sets=views.sets_table(result),
        counts=views.counts_table(result),
        findings=findings,
        rounding=ROUNDING,
        version=__version__,
        whole=whole,
    )


def _estimand(result: AnalysisResult, endpoint: EndpointResult | None) -> Estimand | None:
    planned = None if endpoint is None else result.definition.analysis.endpoint(endpoint.id)
    if planned is None:
        return None
    return next((each for each in result.definition.analysis.estimands if each.id == planned.estimand), None)


def _endpoint_tables(result: AnalysisResult, endpoint: EndpointResult) -> list[views.TableView]:
    sensitivity = [each for each in result.sensitivity if each.id == endpoint.id]
    tables = [views.groups_table(endpoint)]
    if endpoint.model != "descriptive" and not result.masked:
        tables.append(views.estimates_table(endpoint, sensitivity))
    return tables


def _methods(result: AnalysisResult) -> list[tuple[str, str, tuple[str, ...]]]:
    """Method and notes of every analysis that has something to say beyond the table."""
    found = []
    for each in (*result.endpoints, *result.sensitivity):
        name = each.title if each.analysis == "main" else f"{each.title} ({each.analysis.replace('_', ' ')})"
        details = [
            f"{label} {p_value(x) if label.endswith(' p') else fixed(x, 2)}" for label, x in each.details
        ]
        notes = (*each.notes, *((", ".join(details) + ".",) if details else ()))
        if each.method and each.model != "descriptive":
            found.append((name, each.method, notes))
    return found


def _key_result(result: AnalysisResult) -> dict[str, str | list[tuple[str, str]]] | None:
    """What the box at the top says of the primary endpoint; None where there is none."""
    primary = result.primary
    if primary is None:
        return None
    groups = [
        (group.name, f"{line} (n = {whole(group.n)})")
        for group, line in zip(primary.groups, views.short_summary(primary).split("\n"), strict=True)
    ]
    groups = [(name, line.removeprefix(f"{name}: ")) for name, line in groups]
    estimate = primary.estimate
    box: dict[str, str | list[tuple[str, str]]] = {
        "title": primary.title,
        "groups": groups,
        "value": "",
        "measure": "",
        "verdict": _verdict(result, primary),
        "p": "",
    }
    if estimate is not None and len(primary.estimates) == 1:
        box["value"] = estimate_text(estimate)
        box["measure"] = (
            f"{estimate.measure}, {estimate.label}, {fixed(100 * primary.confidence, 0)}% interval"
        )
        box["p"] = p_value(estimate.p) if estimate.p is not None else ""
    elif len(primary.estimates) > 1:
        box["groups"] = groups + [
            (each.label, f"{estimate_text(each)}, p {_equals(each.p)}") for each in primary.estimates
        ]
        box["measure"] = primary.estimates[0].measure
    return box


def _equals(p: float | None) -> str:
    text = p_value(p)
    return text if text.startswith(("<", ">")) else f"= {text}"


def _lowered(label: str) -> str:
    return label[0].lower() + label[1:] if label[1:2].islower() else label


def _verdict(result: AnalysisResult, primary: EndpointResult) -> str:
    if result.masked:
        return "This report is masked. It describes all participants together and compares nothing."
    hypothesis = next((each for each in result.testing if each.endpoint == primary.id), None)
    if hypothesis is not None and hypothesis.tested:
        if hypothesis.rejected:
            return "The hypothesis of no effect was rejected: the primary endpoint was met."
        return "The hypothesis of no effect was not rejected: the primary endpoint was not met."
    if not primary.estimates or all(each.value is None for each in primary.estimates):
        words = views.STATUS_WORDS.get(primary.status, primary.status)
        return f"There is no estimate ({words})."
    return "No hypothesis was tested; the estimate describes."


def _forests(result: AnalysisResult) -> list[tuple[str, Markup]]:
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
        drawn.append((f"{primary.title}: main analysis, sensitivity analyses, subgroups", Markup(chart)))
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
        drawn.append(("All other endpoints that are compared by a ratio", Markup(chart)))
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
