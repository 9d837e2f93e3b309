"""Baseline table and profiles over the encounters."""

from __future__ import annotations

from collections.abc import Sequence

from equipoise.analysis.course import epoch_starts, treatment_epochs
from equipoise.analysis.derive import Frame, item_at
from equipoise.analysis.result import BaselineLine, Figure, GroupSummary, ProfilePoint, ProfileResult
from equipoise.analysis.summaries import arm_name, moments
from equipoise.definition.expression import Value
from equipoise.definition.model.analysis import BaselineVariable, Profile
from equipoise.statistics.intervals import Bounds, clopper_pearson, mean_interval, median_interval

LEVEL = 0.95
_TRUTH_WORDS = {"true": "Yes", "false": "No"}


def participants_analysed(frame: Frame) -> tuple[str, ...]:
    """Everybody who was randomised, or who entered a treatment epoch where nobody is randomised."""
    if frame.definition.study.randomised:
        return tuple(code for code, person in frame.people.items() if person.randomised_on is not None)
    treated = {epoch.id for epoch in treatment_epochs(frame.definition)}
    return tuple(
        code
        for code, person in frame.people.items()
        if person.status != "failed" and treated & epoch_starts(frame.definition, person).keys()
    )


def group_members(frame: Frame, members: Sequence[str]) -> list[tuple[str | None, list[str]]]:
    """The members of each arm in the order of the definition; one group of all in a masked cut or without
    arms.
    """
    if not frame.arms or all(frame.people[each].arm is None for each in members):
        return [(None, list(members))]
    return [(arm, [each for each in members if frame.people[each].arm == arm]) for arm in frame.arms]


def derive_baseline(frame: Frame) -> tuple[BaselineLine, ...]:
    """The lines of the baseline table by arm, and for everybody where there are several arms; never a
    p-value.
    """
    members = participants_analysed(frame)
    groups = group_members(frame, members)
    if len(groups) > 1:
        groups.append((None, list(members)))
    lines = [_baseline_line(frame, each, groups) for each in frame.definition.analysis.baseline]
    return tuple(lines)


def _baseline_line(
    frame: Frame, variable: BaselineVariable, groups: Sequence[tuple[str | None, list[str]]]
) -> BaselineLine:
    if variable.type == "continuous":
        found = [
            (arm, [frame.number(variable.value, each) for each in members], len(members))
            for arm, members in groups
        ]
        summaries = tuple(
            _summary(frame, arm, [x for x in values if x is not None], n) for arm, values, n in found
        )
        return BaselineLine(title=variable.title, unit=variable.unit, type="continuous", groups=summaries)
    texts = [(arm, [frame.text(variable.value, each) for each in members]) for arm, members in groups]
    seen = {text for _, values in texts for text in values if text is not None}
    order = [*(level for level in variable.labels if level in seen), *sorted(seen - set(variable.labels))]
    words = {level: variable.labels.get(level, _TRUTH_WORDS.get(level, level)) for level in order}
    summaries = tuple(
        GroupSummary(
            arm=arm,
            name=arm_name(frame, arm),
            n=sum(value is not None for value in values),
            missing=sum(value is None for value in values),
            figures=tuple(
                Figure(name=words[level], value=float(values.count(level)), kind="count") for level in order
            ),
        )
        for arm, values in texts
    )
    return BaselineLine(title=variable.title, unit=variable.unit, type="category", groups=summaries)


def _summary(frame: Frame, arm: str | None, values: Sequence[float], members: int) -> GroupSummary:
    return GroupSummary(
        arm=arm,
        name=arm_name(frame, arm),
        n=len(values),
        missing=members - len(values),
        figures=moments(values) if values else (),
    )


def derive_profile(frame: Frame, profile: Profile) -> ProfileResult:
    """One item at each encounter of a profile, by arm, with an interval."""
    groups = group_members(frame, participants_analysed(frame))
    form, item = profile.item.split(".", 1)
    known = frame.definition.form(form)
    asked = known.item(item) if known else None
    points: list[ProfilePoint] = []
    for arm, members in groups:
        for encounter in profile.encounters:
            planned = frame.definition.schedule.encounter(encounter)
            node = item_at(profile.item, encounter)
            values = [x for each in members if (x := frame.number(node, each)) is not None]
            bounds = _bounds(profile, values)
            points.append(
                ProfilePoint(
                    encounter=encounter,
                    name=planned.name if planned else encounter,
                    day=planned.day if planned else len(points),
                    arm=arm,
                    n=len(values),
                    value=bounds.estimate,
                    low=bounds.low,
                    high=bounds.high,
                )
            )
    return ProfileResult(
        id=profile.id,
        title=profile.title,
        unit=asked.unit if asked else None,
        summary=profile.summary,
        points=tuple(points),
    )


def _bounds(profile: Profile, values: Sequence[float]) -> Bounds:
    if profile.summary == "median":
        return median_interval(values, LEVEL)
    if profile.summary == "percent":
        found = clopper_pearson(sum(value != 0 for value in values), len(values), LEVEL)
        share, low, high = (None if x is None else 100 * x for x in (found.estimate, found.low, found.high))
        return Bounds(share, low, high)
    return mean_interval(values, LEVEL)


def shown_value(value: Value) -> str:
    """A recorded value as text; empty for none, yes or no for truth values."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
