"""Participant flow and baseline characteristics of a record's results section."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from equipoise.analysis.derive import Frame
from equipoise.analysis.report.numbers import decimals_for
from equipoise.analysis.result import AnalysisResult, BaselineLine, FlowArm, GroupSummary
from equipoise.analysis.tables import group_members, participants_analysed
from equipoise.definition.model.analysis import BaselineVariable
from equipoise.exchange.registry.countries import country_name
from equipoise.exchange.registry.results_groups import (
    ON_A_SCALE,
    Group,
    groups_of,
    measured,
    participants,
    unit_of,
)
from equipoise.exchange.registry.tree import Tree
from equipoise.exchange.registry.write_record import kept

_ONE_PERIOD: Final = "Overall Study"
_REASONS: Final = {
    reason.casefold(): reason
    for reason in (
        "Adverse Event",
        "Death",
        "Lack of Efficacy",
        "Lost to Follow-up",
        "Physician Decision",
        "Pregnancy",
        "Protocol Violation",
        "Withdrawal by Subject",
    )
}
"""The registry's own reasons; any other stands in the words of the trial."""

_SEXES: Final = {"female": "Female", "male": "Male"}


def flow_module(frame: Frame, result: AnalysisResult) -> Tree:
    """Return who started, was given the intervention, and completed each period, and why others did not."""
    flow = result.flow
    groups = groups_of(frame.definition, "FG", [arm.arm for arm in flow.arms])
    return kept(
        preAssignmentDetails=_before(result),
        recruitmentDetails=_recruited(frame),
        groups=[group.tree() for group in groups],
        periods=[_period(groups, flow.arms, place) for place in range(len(flow.arms[0].stages))],
    )


def _before(result: AnalysisResult) -> str:
    flow = result.flow
    verb = "randomised" if flow.is_randomised else "enrolled"
    text = f"{flow.assessed} people were assessed for eligibility, {flow.randomised} were {verb}."
    if flow.excluded:
        reasons = "; ".join(f"{reason}: {count}" for reason, count in flow.excluded)
        text += f" Reasons of the others: {reasons}."
    return text


def _recruited(frame: Frame) -> str:
    people = [frame.people[each] for each in participants_analysed(frame)]
    days = sorted(each.consented_on for each in people)
    countries = sorted({country_name(each.country) for each in people})
    sites = len({each.site for each in people})
    where = f"{sites} {'site' if sites == 1 else 'sites'} in {', '.join(countries)}"
    return f"Participants consented from {days[0]} to {days[-1]}, at {where}."


def _period(groups: Sequence[Group], arms: Sequence[FlowArm], place: int) -> Tree:
    """Return one period; whoever started it completed it, unless their participation ended in it."""
    stages = [arm.stages[place] for arm in arms]
    left = [sum(count for _, count in stage.ended) for stage in stages]
    entered = [stage.entered for stage in stages]
    received = [stage.received for stage in stages]
    milestones = [_milestone("STARTED", groups, entered)]
    if all(each is not None for each in received):
        milestones.append(_milestone("Received Intervention", groups, [each or 0 for each in received]))
    milestones += [
        _milestone("COMPLETED", groups, [all_ - gone for all_, gone in zip(entered, left, strict=True)]),
        _milestone("NOT COMPLETED", groups, left),
    ]
    counts = [{_reason(cause): 0 for cause, _ in stage.ended} for stage in stages]
    for tally, stage in zip(counts, stages, strict=True):
        for cause, count in stage.ended:
            tally[_reason(cause)] += count
    reasons = list(dict.fromkeys(reason for tally in counts for reason in tally))
    return kept(
        title=stages[0].name if len(arms[0].stages) > 1 else _ONE_PERIOD,
        milestones=milestones,
        dropWithdraws=[
            {
                "type": reason,
                "reasons": [
                    {"groupId": group.id, "numSubjects": str(tally.get(reason, 0))}
                    for group, tally in zip(groups, counts, strict=True)
                ],
            }
            for reason in sorted(reasons)
        ],
    )


def _reason(cause: str) -> str:
    return _REASONS.get(cause.casefold(), cause)


def _milestone(kind: str, groups: Sequence[Group], counts: Sequence[int]) -> Tree:
    return {
        "type": kind,
        "achievements": [
            {"groupId": group.id, "numSubjects": str(count)}
            for group, count in zip(groups, counts, strict=True)
        ],
    }


def baseline_module(frame: Frame, result: AnalysisResult) -> Tree:
    """Return the baseline table, and where participants were enrolled."""
    definition = frame.definition
    by_arm = group_members(frame, participants_analysed(frame))
    members = [mine for _, mine in by_arm]
    groups = groups_of(definition, "BG", [arm for arm, _ in by_arm])
    if len(groups) > 1:
        total = Group(f"BG{len(groups):03d}", "Total", "Total of all reporting groups", None)
        groups, members = (*groups, total), [*members, [each for mine in members for each in mine]]
    lines = zip(definition.analysis.baseline, result.baseline, strict=True)
    verb = "was randomised" if definition.study.randomised else "entered treatment"
    return kept(
        populationDescription=f"Everybody who {verb}.",
        groups=[group.tree() for group in groups],
        denoms=participants(groups, [len(mine) for mine in members]),
        measures=[
            *(_measure(frame, variable, line, groups) for variable, line in lines),
            _region(frame, groups, members),
        ],
    )


def _measure(frame: Frame, variable: BaselineVariable, line: BaselineLine, groups: Sequence[Group]) -> Tree:
    continuous = variable.type == "continuous"
    known, all_ = sum(each.n for each in line.groups), sum(each.n + each.missing for each in line.groups)
    table: Tree = kept(
        denoms=participants(groups, [each.n for each in line.groups]) if known < all_ else None,
        categories=_moments(line, groups) if continuous else _categories(variable, line, groups),
    )
    unit = variable.unit or unit_of(frame.definition, variable.value) or ON_A_SCALE
    return kept(
        title=_measure_title(variable),
        populationDescription="Those whose value is known." if known < all_ else None,
        paramType="MEAN" if continuous else "COUNT_OF_PARTICIPANTS",
        dispersionType="STANDARD_DEVIATION" if continuous else None,
        unitOfMeasure=unit if continuous else "Participants",
        classes=[table],
    )


def _is_sex(variable: BaselineVariable) -> bool:
    return variable.id == "sex" and set(variable.labels) == set(_SEXES)


def _measure_title(variable: BaselineVariable) -> str:
    """Return the registry's title of what it asks of everybody, else the definition's own."""
    if variable.id == "age" and variable.type == "continuous":
        return "Age, Continuous"
    return "Sex: Female, Male" if _is_sex(variable) else variable.title


def _moments(line: BaselineLine, groups: Sequence[Group]) -> list[Tree]:
    means = [_figure(each, "Mean") for each in line.groups]
    spreads = [_figure(each, "SD") for each in line.groups]
    decimals = decimals_for([*means, *spreads])
    return [
        {
            "measurements": [
                measured(group, mean, decimals, spread=spread, spreads=True)
                for group, mean, spread in zip(groups, means, spreads, strict=True)
            ]
        }
    ]


def _figure(group: GroupSummary, name: str) -> float | None:
    found = group.figure(name)
    return found.value if found else None


def _categories(variable: BaselineVariable, line: BaselineLine, groups: Sequence[Group]) -> list[Tree]:
    """Return each category that is named or occurs."""
    titles = {label: _SEXES.get(level, label) for level, label in variable.labels.items()}
    if not _is_sex(variable):
        titles = {label: label for label in titles}
    seen = [figure.name for figure in line.groups[0].figures]
    return [
        {
            "title": titles.get(name, name),
            "measurements": [
                measured(group, _figure(each, name) or 0, 0)
                for group, each in zip(groups, line.groups, strict=True)
            ],
        }
        for name in [*titles, *(name for name in seen if name not in titles)]
    ]


def _region(frame: Frame, groups: Sequence[Group], members: Sequence[Sequence[str]]) -> Tree:
    countries = sorted({country_name(frame.people[each].country) for mine in members for each in mine})
    return {
        "title": "Region of Enrollment",
        "paramType": "NUMBER",
        "unitOfMeasure": "participants",
        "classes": [
            {
                "title": country,
                "categories": [
                    {
                        "measurements": [
                            measured(
                                group,
                                sum(country_name(frame.people[each].country) == country for each in mine),
                                0,
                            )
                            for group, mine in zip(groups, members, strict=True)
                        ]
                    }
                ],
            }
            for country in countries
        ],
    }
