"""Adverse events: are they there, and do their numbers fit those at risk?

Sources: 42 CFR 11.48(a)(4); ClinicalTrials.gov, "Results Data Element Definitions" (Adverse Event
Information); PRS Major Comments (information within the adverse events module appears inconsistent; adverse
events were collected that are not reported).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from equipoise.exchange.registry.findings import ERROR
from equipoise.exchange.registry.model import Passage
from equipoise.exchange.registry.quality.subject import COMMENTS, RESULTS_DEFINITIONS, Hit, Rule, Subject, hit
from equipoise.exchange.registry.quality.tables import Part, groups_of, number_of

_THRESHOLD_PERCENT_MAX: Final = 5.0
_LISTS: Final = {"seriousEvents": "serious", "otherEvents": "other"}
_WITHIN: Final = f"{COMMENTS}: information within the adverse events module appears inconsistent"


def _stats(subject: Subject, name: str) -> Iterator[tuple[Part, Part]]:
    """Yield the events of a list, each with its numbers in one group."""
    for event in subject.results.events.parts(name) if subject.results else ():
        for numbers in event.parts("stats"):
            yield event, numbers


def find_more_than_at_risk(subject: Subject) -> Iterator[Hit]:
    """No event befell more participants than were at risk, in any group."""
    for name in _LISTS:
        for event, numbers in _stats(subject, name):
            affected, at_risk = numbers.text("numAffected"), numbers.text("numAtRisk")
            if _exceeds(affected, at_risk):
                yield hit(event.text("term"), affected, at_risk)
    for group in groups_of(subject.results.events, "eventGroups") if subject.results else ():
        for kind in ("deaths", "serious", "other"):
            affected, at_risk = group.part.text(f"{kind}NumAffected"), group.part.text(f"{kind}NumAtRisk")
            if _exceeds(affected, at_risk):
                yield hit(group.title, affected, at_risk)


def _exceeds(affected: Passage | None, at_risk: Passage | None) -> bool:
    some, all_of_them = number_of(affected), number_of(at_risk)
    return some is not None and all_of_them is not None and some > all_of_them


def find_wrong_event_totals(subject: Subject) -> Iterator[Hit]:
    """The participants with any event are no fewer than those with one of them; with any serious event, no
    more than those of all serious events together.
    """
    for name, kind in _LISTS.items():
        largest: dict[str, float] = {}
        together: dict[str, float] = {}
        for _, numbers in _stats(subject, name):
            place, affected = numbers.text("groupId"), number_of(numbers.text("numAffected")) or 0.0
            if place is not None:
                largest[place.text] = max(largest.get(place.text, 0.0), affected)
                together[place.text] = together.get(place.text, 0.0) + affected
        for group in groups_of(subject.results.events, "eventGroups") if subject.results else ():
            total = group.part.text(f"{kind}NumAffected")
            number = number_of(total)
            if number is None:
                continue
            short = number < largest.get(group.id, 0.0)
            if short or (kind == "serious" and number > together.get(group.id, 0.0)):
                told = f"{number:g} {kind} in all, {largest.get(group.id, 0.0):g} with one event"
                yield hit(group.title, total, detail=told)


def find_threshold(subject: Subject) -> Iterator[Hit]:
    """Where other than serious events are listed, the threshold is given, and is no more than 5 per cent."""
    if subject.results is None:
        return
    events = subject.results.events
    threshold = events.text("frequencyThreshold")
    listed = events.parts("otherEvents")
    number = number_of(threshold)
    if (listed and number is None) or (number is not None and number > _THRESHOLD_PERCENT_MAX):
        yield hit(threshold or listed[0].text("term"))


def find_missing_events(subject: Subject) -> Iterator[Hit]:
    """Results come with adverse events; since 2017 with their time frame and with deaths of all causes."""
    if subject.results is None:
        return
    events, completed = subject.results.events, subject.record.status.primary_completion.date
    groups = groups_of(events, "eventGroups")
    if not groups:
        yield hit(subject.name, detail="adverse events")
    elif subject.since_final_rule(completed):
        if events.text("timeFrame") is None:
            yield hit(groups[0].title, detail="time frame")
        if all(group.part.text("deathsNumAtRisk") is None for group in groups):
            yield hit(groups[0].title, detail="deaths of all causes")


def find_too_many_at_risk(subject: Subject) -> Iterator[Hit]:
    """No group has more participants at risk than started the study."""
    results = subject.results
    started: Mapping[str, int] = results.started if results else {}
    most = sum(started.values())
    for group in groups_of(results.events, "eventGroups") if results and most else ():
        for kind in ("deaths", "serious", "other"):
            at_risk = group.part.text(f"{kind}NumAtRisk")
            if (number_of(at_risk) or 0) > most:
                yield hit(group.title, at_risk, detail=f"{at_risk.text if at_risk else ''} of {most}")


RULES: Final = (
    Rule(
        "PRS-EVENTS-NONE",
        ERROR,
        find_missing_events,
        "The adverse events lack something",
        "Report it",
        "42 CFR 11.48(a)(4)",
    ),
    Rule(
        "PRS-EVENTS-AT-RISK",
        ERROR,
        find_more_than_at_risk,
        "More participants had an event than were at risk",
        "Correct the numbers",
        _WITHIN,
    ),
    Rule(
        "PRS-EVENTS-TOTAL",
        ERROR,
        find_wrong_event_totals,
        "The participants with any event do not fit those of the single events",
        "Correct the numbers",
        _WITHIN,
    ),
    Rule(
        "PRS-EVENTS-STARTED",
        ERROR,
        find_too_many_at_risk,
        "More participants were at risk than started",
        "Correct the numbers, or count the screened ones in the participant flow",
        f"{COMMENTS}: information appears inconsistent with other parts of the record",
    ),
    Rule(
        "PRS-EVENTS-THRESHOLD",
        ERROR,
        find_threshold,
        "The frequency threshold of other than serious events is missing, or above 5 per cent",
        "Give the threshold, and list all events above it",
        f"42 CFR 11.48(a)(4); {RESULTS_DEFINITIONS}, Frequency Threshold",
    ),
)
