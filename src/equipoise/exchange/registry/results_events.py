"""Adverse events of a record's results section, and what else a reader of the results must know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from equipoise.analysis.derive import Frame
from equipoise.analysis.event_terms import (
    NOTHING_GIVEN,
    EventGroup,
    EventTerm,
    EventTerms,
    derive_event_terms,
)
from equipoise.analysis.result import AnalysisResult
from equipoise.definition.model.definition import StudyDefinition
from equipoise.exchange.registry.results_groups import Group, groups_of
from equipoise.exchange.registry.tree import Tree
from equipoise.exchange.registry.write_record import kept

_SYSTEMS: Final = {"General disorders and administration site conditions": "General disorders"}
"""System organ classes of MedDRA that the registry words otherwise."""

_DAYS_A_WEEK: Final = 7
_SIMULATED: Final = (
    "All data are simulated. This record was written from a rehearsal of the trial, in which no person took"
    " part: it must not be submitted."
)


def events_module(frame: Frame, over_percent: float) -> Tree:
    """Return serious adverse events and the others above a threshold in per cent."""
    found = derive_event_terms(frame, over_percent)
    safety = frame.definition.safety
    if found is None or safety is None:
        return {}
    groups = _groups(frame.definition, found)
    form = frame.definition.form(safety.form)
    # Where the log is brought up to date at the visits, everybody was asked.
    asked = "SYSTEMATIC_ASSESSMENT" if form and form.log else None
    mortality = "Deaths are the participants with an event whose outcome is recorded as fatal."
    return kept(
        frequencyThreshold=f"{over_percent:g}",
        timeFrame=_time_frame(frame.definition),
        description=_description(found),
        allCauseMortalityComment=mortality if found.groups and found.groups[0].deaths is not None else None,
        eventGroups=[_group(group, each) for group, each in zip(groups, found.groups, strict=True)],
        seriousEvents=[_event(each, groups, found, asked) for each in found.terms if each.serious],
        otherEvents=[_event(each, groups, found, asked) for each in found.terms if not each.serious],
    )


def _groups(definition: StudyDefinition, found: EventTerms) -> tuple[Group, ...]:
    if not found.by_treatment:
        return groups_of(definition, "EG", [each.arm for each in found.groups])
    texts = {each.name: each.text for each in definition.study.interventions}
    return tuple(
        Group(f"EG{place:03d}", each.name, texts.get(each.name) or _whatever(each), None)
        for place, each in enumerate(found.groups)
    )


def _whatever(group: EventGroup) -> str:
    if group.name == NOTHING_GIVEN:
        return "Periods in which nothing was given."
    return f"Periods in which {group.name} was given."


def _time_frame(definition: StudyDefinition) -> str:
    """Return from when to when events count; the end is that of the last planned visit."""
    days = max((each.day for each in definition.schedule.encounters if each.anchor != "consent"), default=0)
    text = "From the first treatment to the end of follow-up"
    if not days:
        return f"{text}."
    weeks, rest = divmod(days, _DAYS_A_WEEK)
    return f"{text}, as planned up to {f'day {days}' if rest else f'{weeks} weeks'}."


def _description(found: EventTerms) -> str:
    whose = (
        "An event counts for what its participant was given in the period in which it began, so that a"
        " participant can be at risk in several groups."
        if found.by_treatment
        else "An event counts for the arm of its participant."
    )
    return f"Events that began after the first treatment. {whose} {_terms(found)}"


def _terms(found: EventTerms) -> str:
    """Say where the terms are from: coded ones are preferred terms of a dictionary."""
    named = sorted({each.vocabulary for each in found.terms if each.vocabulary is not None})
    if not named:
        return "Terms are those of the sites."
    rest = "" if all(each.vocabulary for each in found.terms) else "; those without are the sites' own words"
    return f"Terms with a source vocabulary are preferred terms of {', '.join(named)}{rest}."


def _group(group: Group, found: EventGroup) -> Tree:
    return {
        **group.tree(),
        **kept(
            deathsNumAffected=found.deaths,
            deathsNumAtRisk=None if found.deaths is None else found.at_risk,
            seriousNumAffected=found.serious,
            seriousNumAtRisk=found.at_risk,
            otherNumAffected=found.other,
            otherNumAtRisk=found.at_risk,
        ),
    }


def _event(term: EventTerm, groups: Sequence[Group], found: EventTerms, asked: str | None) -> Tree:
    system = term.organ_system
    return kept(
        term=term.term,
        organSystem=None if system is None else _SYSTEMS.get(system, system),
        sourceVocabulary=term.vocabulary,
        assessmentType=asked,
        stats=[
            {
                "groupId": group.id,
                "numEvents": events,
                "numAffected": affected,
                "numAtRisk": at_risk.at_risk,
            }
            for group, at_risk, (events, affected) in zip(groups, found.groups, term.cells, strict=True)
        ],
    )


def more_module(result: AnalysisResult) -> Tree:
    """Return the caveats, and who answers for the results; empty where the trial gives neither."""
    study = result.definition.study
    caveats = [*([_SIMULATED] if result.mode == "rehearsal" else []), *result.notes]
    contact = kept(title=study.responsible_party, organization=study.sponsor.name)
    return kept(
        limitationsAndCaveats=kept(description=" ".join(caveats)),
        pointOfContact=contact if study.responsible_party else None,
    )
