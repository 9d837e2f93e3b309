"""Outcome measures of a record's results section: what was seen in each group, and the analyses of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from equipoise.analysis.derive import Frame
from equipoise.analysis.report.numbers import decimals_for
from equipoise.analysis.result import AnalysisResult, EndpointResult, Figure, GroupSummary, HypothesisResult
from equipoise.analysis.tables import participants_analysed
from equipoise.definition.model.analysis import Endpoint
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.registry import RegisteredOutcome
from equipoise.exchange.registry.results_analyses import analyses_of
from equipoise.exchange.registry.results_groups import (
    ON_A_SCALE,
    Group,
    groups_of,
    measured,
    participants,
    unit_of,
)
from equipoise.exchange.registry.stated import outcomes_of
from equipoise.exchange.registry.tree import Tree
from equipoise.exchange.registry.write_record import kept

_TYPES: Final = {"primary": "PRIMARY", "secondary": "SECONDARY"}
_OTHER: Final = "OTHER_PRE_SPECIFIED"
_SPREAD: Final = "Standard Deviation"


def outcomes_module(frame: Frame, result: AnalysisResult) -> Tree:
    """Return every endpoint in the order of its type; a registered outcome that no endpoint answers is not
    posted.
    """
    definition = frame.definition
    registered = [(kind, each) for kind, outcomes in outcomes_of(definition).items() for each in outcomes]
    measures: list[tuple[str, Tree]] = []
    for endpoint, found in zip(definition.analysis.endpoints, result.endpoints, strict=True):
        answered: list[tuple[str, RegisteredOutcome | None]] = [
            (kind, each) for kind, each in registered if each.endpoint == endpoint.id
        ]
        for role, outcome in answered or [(endpoint.role, None)]:
            kind = _TYPES.get(role, _OTHER)
            measures.append((kind, _measure(frame, result, endpoint, found, kind, outcome)))
    for kind, each in registered:
        if each.endpoint is None:
            kind = _TYPES.get(kind, _OTHER)
            measures.append((kind, _not_posted(kind, each)))
    order = [*_TYPES.values(), _OTHER]
    return kept(outcomeMeasures=[tree for _, tree in sorted(measures, key=lambda pair: order.index(pair[0]))])


def _not_posted(kind: str, outcome: RegisteredOutcome) -> Tree:
    return kept(
        type=kind,
        title=outcome.measure,
        description=outcome.description,
        reportingStatus="NOT_POSTED",
        timeFrame=outcome.time_frame,
    )


def _measure(
    frame: Frame,
    result: AnalysisResult,
    endpoint: Endpoint,
    found: EndpointResult,
    kind: str,
    outcome: RegisteredOutcome | None,
) -> Tree:
    groups = groups_of(frame.definition, "OG", [each.arm for each in found.groups])
    shown = _shown(frame, endpoint, found)
    hypothesis = next((each for each in result.testing if each.endpoint == endpoint.id), None)
    return kept(
        type=kind,
        title=outcome.measure if outcome else endpoint.title,
        description=_description(frame.definition, endpoint, outcome),
        populationDescription=_population(frame, result, found),
        reportingStatus="POSTED",
        paramType=shown.parameter,
        dispersionType=shown.dispersion,
        unitOfMeasure=shown.unit,
        timeFrame=outcome.time_frame if outcome else endpoint.time_frame,
        groups=[group.tree() for group in groups],
        denoms=participants(groups, [each.n for each in found.groups]),
        classes=[_class(each, shown, groups) for each in shown.rows],
        analyses=list(_analyses(result, found, groups, hypothesis)),
    )


def _analyses(
    result: AnalysisResult,
    found: EndpointResult,
    groups: Sequence[Group],
    hypothesis: HypothesisResult | None,
) -> Iterable[Tree]:
    """Yield the main analysis, then the sensitivity analyses."""
    testing = result.definition.analysis.testing
    yield from analyses_of(result.definition, found, groups, hypothesis, testing)
    for each in result.sensitivity:
        if each.id == found.id:
            yield from analyses_of(result.definition, each, groups, None, testing)


def _description(definition: StudyDefinition, endpoint: Endpoint, outcome: RegisteredOutcome | None) -> str:
    """Return what was registered, the endpoint as the analysis plan names it, and its variable."""
    estimand = next((each for each in definition.analysis.estimands if each.id == endpoint.estimand), None)
    texts = [outcome.description if outcome else None]
    if outcome and outcome.measure != endpoint.title:
        texts.append(f"Analysed as: {endpoint.title}")
    texts.append(estimand.variable if estimand else None)
    return " ".join(f"{text.rstrip('.')}." for text in texts if text)


def _population(frame: Frame, result: AnalysisResult, found: EndpointResult) -> str:
    """Return the analysis set, with the number and the reasons of those who are not in the analysis."""
    chosen = next(each for each in result.sets if each.id == found.set)
    everybody = set(participants_analysed(frame))
    outside = Counter(reason for participant, reason in chosen.excluded if participant in everybody)
    text = f"{chosen.title}: {found.n} of {len(everybody)} participants."
    if outside:
        text += f" Not in the set: {'; '.join(f'{reason}, {n}' for reason, n in sorted(outside.items()))}."
    missing = Counter(what for _, what in found.missing)
    if missing:
        text += f" Not known: {'; '.join(f'{what}, {n}' for what, n in sorted(missing.items()))}."
    return text


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of an outcome table: for each group the figure, its spread and how many it is of."""

    title: str | None
    values: tuple[Figure | None, ...]
    spreads: tuple[float | None, ...] | None = None
    counts: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class _Shown:
    """What a summary is shown as: its parameter, dispersion and unit, and its lines."""

    parameter: str
    dispersion: str | None
    unit: str
    rows: tuple[_Row, ...]
    limits: bool = False
    why_none: str = "No participant has a value."


def _shown(frame: Frame, endpoint: Endpoint, found: EndpointResult) -> _Shown:
    """Choose from the figures of the report those that the registry has a place for."""
    fit, groups = endpoint.analysis, found.groups
    unit = unit_of(frame.definition, fit.response)
    if fit.model == "repeated_measures":
        rows = tuple(_encounter(frame, each, groups) for each in fit.repeated)
        return _Shown("MEAN", _SPREAD, _item_unit(frame.definition, fit.item) or ON_A_SCALE, rows)
    if endpoint.type == "binary":
        row = _row(groups, "Participants with the event")
        return _Shown("COUNT_OF_PARTICIPANTS", None, "Participants", (row,))
    if endpoint.type == "time_to_event":
        interval = f"{round(100 * found.confidence)}% Confidence Interval"
        why = "The median was not reached."
        return _Shown("MEDIAN", interval, unit or ON_A_SCALE, (_row(groups, "Median time"),), True, why)
    if endpoint.type == "count" and fit.against is not None:
        exposed = fit.offset is not None and fit.offset_against is not None
        name, what = ("Rate", "events per unit of exposure") if exposed else ("Events", "events")
        rows = tuple(_row(groups, each, each) for each in (name, f"{name} in the other period"))
        return _Shown("NUMBER", None, what, rows)
    if endpoint.type == "count":
        return _Shown("MEAN", _SPREAD, "events per participant", (_moments(groups, "Mean"),))
    mean = "Mean of the difference" if fit.against is not None else "Mean"
    return _Shown("MEAN", _SPREAD, unit or ON_A_SCALE, (_moments(groups, mean),))


def _item_unit(definition: StudyDefinition, item: str | None) -> str | None:
    form_id, _, name = (item or "").partition(".")
    form = definition.form(form_id)
    asked = form.item(name) if form else None
    return asked.unit if asked else None


def _row(groups: Sequence[GroupSummary], name: str, title: str | None = None) -> _Row:
    return _Row(title, tuple(each.figure(name) for each in groups))


def _moments(groups: Sequence[GroupSummary], mean: str, spread: str = "SD") -> _Row:
    return _Row(
        None,
        tuple(each.figure(mean) for each in groups),
        tuple(_value(each.figure(spread)) for each in groups),
    )


def _encounter(frame: Frame, encounter: str, groups: Sequence[GroupSummary]) -> _Row:
    """Return the line of one encounter of a repeated measurement."""
    planned = frame.definition.schedule.encounter(encounter)
    name = planned.name if planned else encounter
    row = _moments(groups, f"{name}, mean", f"{name}, SD")
    counts = tuple(int(_value(each.figure(f"{name}, n")) or 0) for each in groups)
    return _Row(name, row.values, row.spreads, counts)


def _value(figure: Figure | None) -> float | None:
    return figure.value if figure else None


def _class(row: _Row, shown: _Shown, groups: Sequence[Group]) -> Tree:
    values = [_value(each) for each in row.values]
    spreads = row.spreads or tuple(None for _ in values)
    ends = [(each.low, each.high) if each else (None, None) for each in row.values]
    limits = [end for pair in ends for end in pair] if shown.limits else []
    counted = shown.parameter == "COUNT_OF_PARTICIPANTS" or all(
        each is None or each.kind == "count" for each in row.values
    )
    decimals = 0 if counted else decimals_for([*values, *spreads, *limits])
    return kept(
        title=row.title,
        denoms=None if row.counts is None else participants(groups, row.counts),
        categories=[
            {
                "measurements": [
                    measured(
                        group,
                        value,
                        decimals,
                        spread=spread,
                        limits=end if shown.limits else None,
                        spreads=row.spreads is not None,
                        why_none=shown.why_none,
                    )
                    for group, value, spread, end in zip(groups, values, spreads, ends, strict=True)
                ]
            }
        ],
    )
