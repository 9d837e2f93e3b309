"""Participant flow and baseline: do the numbers of participants add up?

Sources: ClinicalTrials.gov, "Results Data Element Definitions" (Participant Flow, Baseline Characteristics);
42 CFR 11.48(a)(1) and (2); PRS Major Comments (information within the participant flow module, or within the
measure, appears inconsistent); Zarin et al., NEJM 2011;364:852, Table 3.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from equipoise.exchange.registry.facts import code_of
from equipoise.exchange.registry.findings import ERROR, NOTE, WARNING
from equipoise.exchange.registry.quality.subject import (
    COMMENTS,
    RESULTS_DEFINITIONS,
    REVIEW_2011,
    Hit,
    Rule,
    Subject,
    hit,
    words_of,
)
from equipoise.exchange.registry.quality.tables import Measure, Results, analysed_of, groups_of, number_of

_FLOW: Final = f"{COMMENTS}: participant flow appears inconsistent"
_BASELINE: Final = f"{RESULTS_DEFINITIONS}, Baseline Characteristics"


def find_unbalanced(subject: Subject) -> Iterator[Hit]:
    """In each period, whoever started has completed or not completed it."""
    for period in subject.results.periods if subject.results else ():
        completed, dropped = period.numbers("COMPLETED"), period.numbers("NOT_COMPLETED")
        for group, started in period.numbers("STARTED").items():
            if group in completed and group in dropped and started != completed[group] + dropped[group]:
                cells = [period.milestones[name][group] for name in ("STARTED", "COMPLETED", "NOT_COMPLETED")]
                yield hit(*cells, detail=f"{started} is not {completed[group]} + {dropped[group]}")


def find_excess_reasons(subject: Subject) -> Iterator[Hit]:
    """No more participants have a reason for leaving than left."""
    for period in subject.results.periods if subject.results else ():
        for group, left in period.numbers("NOT_COMPLETED").items():
            reasons = period.reasons.get(group, 0)
            if reasons > left:
                place = period.milestones["NOT_COMPLETED"][group]
                yield hit(period.title, place, detail=f"{reasons} reasons for {left} who left")


def find_newcomers(subject: Subject) -> Iterator[Hit]:
    """In the same groups no more participants start a period than completed the one before, or a comment says
    why.
    """
    for before, after in pairwise(subject.results.periods if subject.results else ()):
        first, second = before.numbers("COMPLETED"), after.numbers("STARTED")
        completed, started = sum(first.values()), sum(second.values())
        # Other groups in the next period are of another randomisation, with participants of its own.
        same = {group for group in first if first[group]} == {group for group in second if second[group]}
        if same and started > completed and not (before.is_explained or after.is_explained):
            yield hit(before.title, after.title, detail=f"{completed} completed, then {started} started")


def find_extra_groups(subject: Subject) -> Iterator[Hit]:
    """In a parallel or single-group study no more groups start than the protocol has arms."""
    arms, results = subject.record.arms.arm_groups, subject.results
    model = code_of(subject.record.design.info.intervention_model)
    comparable = subject.is_interventional and model in {"PARALLEL", "SINGLE_GROUP"}
    # Groups that begin later, as those of an extension, are not among the arms.
    at_first = [group for group in results.flow_groups if results.started.get(group.id)] if results else []
    if comparable and arms and len(at_first) > len(arms):
        yield hit(*(arm.label for arm in arms), *(group.title for group in at_first))


# ---- baseline ----------------------------------------------------------------------------------------------


_TOTAL: Final = re.compile(
    r"\s*(?:overall\s+)?total\b|all\s+(?:participants|patients|subjects)$", re.IGNORECASE
)


def _total_group(results: Results) -> str:
    """Return the baseline's group of all participants, which the registry adds last."""
    groups = groups_of(results.baseline)
    title = groups[-1].title if len(groups) > 1 else None
    return groups[-1].id if title and _TOTAL.match(title.text) else ""


def find_baseline_size(subject: Subject) -> Iterator[Hit]:
    """The baseline has no more participants than started, and says why it has fewer."""
    results = subject.results
    if results is None or not results.started or len(results.periods) == 0:
        return
    total, started = _total_group(results), sum(results.started.values())
    counts = analysed_of(results.baseline)
    if len(counts.keys() - {total}) != sum(number > 0 for number in results.started.values()):
        return  # in several randomisations one participant can stand in several groups
    numbers = [number_of(cell) or 0 for group, cell in counts.items() if group != total]
    explained = results.baseline.text("populationDescription") is not None
    if numbers and (sum(numbers) > started or (sum(numbers) < started and not explained)):
        told = f"{sum(numbers):g} in the baseline, {started} started"
        yield hit(*(cell for group, cell in counts.items() if group != total), detail=told)


_DEMOGRAPHY: Final = {"age": r"\bage\b", "sex or gender": r"\b(?:sex|gender|female|male)\b"}


def find_no_demography(subject: Subject) -> Iterator[Hit]:
    """The baseline measures include age, and sex or gender."""
    results = subject.results
    if results is None or not results.baseline_measures:
        return
    titles = " | ".join(words_of(each.title.text) for each in results.baseline_measures if each.title)
    for name, pattern in _DEMOGRAPHY.items():
        if not re.search(pattern, titles, re.IGNORECASE):
            yield hit(results.baseline_measures[0].title, detail=name)


def find_wrong_totals(subject: Subject) -> Iterator[Hit]:
    """In the baseline, the counts of the groups add up to the total's."""
    results = subject.results
    total = _total_group(results) if results else ""
    for measure in results.baseline_measures if results and total else ():
        for row in measure.rows if measure.counts_people else ():
            for category in row.categories:
                numbers = {cell.group: number_of(cell.value) for cell in category}
                whole, parts = numbers.get(total), [numbers[group] for group in numbers if group != total]
                known = [part for part in parts if part is not None]
                if whole is not None and len(known) == len(parts) and sum(known) != whole:
                    yield hit(measure.title, *(cell.value for cell in category))


def find_too_many(subject: Subject) -> Iterator[Hit]:
    """In a group, the participants of all categories of a row are no more than those analysed."""
    results = subject.results
    for measure in (*results.baseline_measures, *results.outcome_measures) if results else ():
        if measure.counts_people:
            yield from _too_many(measure)


def _too_many(measure: Measure) -> Iterator[Hit]:
    for row in measure.rows:
        for group, cell in row.analysed.items():
            cells = [each.value for each in row.cells if each.group == group]
            numbers = [number for each in cells if (number := number_of(each)) is not None]
            most = number_of(cell)
            # Categories may overlap (a participant can have several events): only one alone is too many then.
            counted = sum(numbers) if measure.kind == "COUNT_OF_PARTICIPANTS" else max(numbers, default=0)
            if most is not None and counted > most:
                yield hit(measure.title, cell, *cells, detail=f"{counted:g} of {most:g}")


RULES: Final = (
    Rule(
        "PRS-FLOW-SUM",
        ERROR,
        find_unbalanced,
        "In a period, those who started are not those who completed and those who did not",
        "Correct the participant flow",
        _FLOW,
    ),
    Rule(
        "PRS-FLOW-REASONS",
        ERROR,
        find_excess_reasons,
        "More participants have a reason for leaving than left",
        "Give each of them one reason",
        _FLOW,
    ),
    Rule(
        "PRS-FLOW-NEXT",
        WARNING,
        find_newcomers,
        "More participants start a period than completed the one before",
        "Correct the numbers, or say in a comment where the others come from",
        f"{_FLOW}; {RESULTS_DEFINITIONS}, Period",
    ),
    Rule(
        "PRS-FLOW-GROUPS",
        NOTE,
        find_extra_groups,
        "The participant flow has groups that the protocol has not",
        "Register their arms, or say in their descriptions which arm they belong to",
        f"{REVIEW_2011}, trial design unclear",
    ),
    Rule(
        "PRS-BASELINE-SIZE",
        WARNING,
        find_baseline_size,
        "The baseline has other participants than those who started",
        "Correct the numbers, or explain them in the Baseline Analysis Population Description",
        f"{_BASELINE}, Overall Number of Baseline Participants",
    ),
    Rule(
        "PRS-BASELINE-DEMOGRAPHY",
        ERROR,
        find_no_demography,
        "The baseline lacks a measure that every study reports",
        "Add it",
        "42 CFR 11.48(a)(2)(iii)",
    ),
    Rule(
        "PRS-BASELINE-TOTAL",
        ERROR,
        find_wrong_totals,
        "The counts of the groups do not add up to the total",
        "Correct the baseline table",
        f"{COMMENTS}: information within the measure appears inconsistent",
    ),
    Rule(
        "PRS-COUNT-EXCEEDS",
        ERROR,
        find_too_many,
        "A table counts more participants than were analysed",
        "Correct the counts or the number analysed",
        f"{COMMENTS}: data reported here appear invalid",
    ),
)
