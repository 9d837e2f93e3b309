"""Outcome data and analyses: do titles, units, kinds of numbers and numbers fit each other?

Sources: ClinicalTrials.gov, "Results Data Element Definitions" (Outcome Measure, Statistical Analyses); 42
CFR 11.48(a)(3); PRS Major Comments (a measure of dispersion or precision appears missing; information within
the measure, or within the statistical analyses, appears inconsistent; data reported here appear invalid);
Zarin et al., NEJM 2011;364:852, Table 3 (lack of validity, data mismatch).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from equipoise.exchange.registry.facts import code_of
from equipoise.exchange.registry.findings import ERROR, NOTE, WARNING
from equipoise.exchange.registry.model import Outcome, Passage
from equipoise.exchange.registry.quality.subject import (
    COMMENTS,
    RESULTS_DEFINITIONS,
    REVIEW_2011,
    Hit,
    Rule,
    Subject,
    folded,
    hit,
    words_of,
)
from equipoise.exchange.registry.quality.tables import (
    PARTICIPANTS,
    Cell,
    Measure,
    TableRow,
    last_place,
    number_of,
)

_WITHIN: Final = f"{COMMENTS}: information within the measure appears inconsistent"
_INVALID: Final = f"{COMMENTS}: data reported here appear invalid"
_MEANS: Final = frozenset(
    {"MEAN", "MEDIAN", "LEAST_SQUARES_MEAN", "GEOMETRIC_MEAN", "GEOMETRIC_LEAST_SQUARES_MEAN", "LOG_MEAN"}
)


def _posted(subject: Subject) -> Iterator[Measure]:
    """Yield the outcome measures that have data."""
    for measure in subject.results.outcome_measures if subject.results else ():
        if measure.is_posted and measure.rows:
            yield measure


def _all(subject: Subject) -> Iterator[Measure]:
    if subject.results:
        yield from subject.results.baseline_measures
    yield from _posted(subject)


def _title(measure: Measure) -> str:
    return words_of(measure.title.text) if measure.title else ""


def _unit(measure: Measure) -> str:
    return words_of(measure.unit.text) if measure.unit else ""


# ---- titles and units --------------------------------------------------------------------------------------

_PEOPLE: Final = r"(?:\w+[-\s]){0,2}(?:participants|subjects|patients|volunteers)"
_COUNTED: Final = re.compile(rf"(?:the\s+)?(?:number|count)\s+of\s+{_PEOPLE}\b", re.IGNORECASE)
_SHARE: Final = re.compile(rf"(?:the\s+)?percent(?:age)?\s+of\s+{_PEOPLE}\b", re.IGNORECASE)
_PERCENT: Final = re.compile(r"%|\bper\s?cent|\bpercent", re.IGNORECASE)
_DURATION: Final = re.compile(r"(?:the\s+)?(?:median\s+|mean\s+)?time\s+(?:to|until)\b", re.IGNORECASE)
_AND_COUNT: Final = re.compile(r"\b(?:and|or)\s+(?:the\s+)?(?:number|percent\w*|count)\b", re.IGNORECASE)


def find_wrong_units(subject: Subject) -> Iterator[Hit]:
    """The unit is that of the title: participants are counted, a share is in per cent, a time in time."""
    for measure in _all(subject):
        title, unit = _title(measure), _unit(measure)
        if not unit or _AND_COUNT.search(title):
            continue
        counted = _COUNTED.match(title) and not PARTICIPANTS.search(unit) and not _of_other_units(measure)
        share = _SHARE.match(title) and not _PERCENT.search(unit)
        counted_share = _COUNTED.match(title) and _PERCENT.search(unit)
        timed = _DURATION.match(title) and PARTICIPANTS.fullmatch(unit)
        if counted or share or counted_share or timed:
            yield hit(measure.title, measure.unit, detail=f'"{unit}"')


def _of_other_units(measure: Measure) -> bool:
    """Say whether units such as eyes or teeth were analysed."""
    return measure.part.text("typeUnitsAnalyzed") is not None


def find_impossible_shares(subject: Subject) -> Iterator[Hit]:
    """A percentage of participants lies between 0 and 100."""
    for measure in _all(subject):
        if re.match(rf"(?:%|per\s?cent|percentage)\s+of\s+{_PEOPLE}$", _unit(measure), re.IGNORECASE):
            for row in measure.rows:
                for cell in row.cells:
                    number = number_of(cell.value)
                    if number is not None and not 0 <= number <= 100:
                        yield hit(measure.title, measure.unit, cell.value)


# ---- kinds of numbers --------------------------------------------------------------------------------------


def find_no_dispersion(subject: Subject) -> Iterator[Hit]:
    """A mean or median of several participants comes with its dispersion or precision."""
    for measure in _posted(subject):
        several = any((number_of(cell) or 0) > 1 for cell in measure.analysed.values())
        spread = any(cell.spread or cell.low or cell.high for row in measure.rows for cell in row.cells)
        values = any(number_of(cell.value) is not None for row in measure.rows for cell in row.cells)
        if measure.kind in _MEANS and not measure.dispersion and not spread and several and values:
            yield hit(measure.title, measure.part.text("paramType"))


_UNFIT: Final = {
    "MEDIAN": {"STANDARD_DEVIATION", "STANDARD_ERROR"},
    "GEOMETRIC_MEAN": {"INTER_QUARTILE_RANGE"},
    "COUNT_OF_PARTICIPANTS": {"STANDARD_DEVIATION", "STANDARD_ERROR"},
}


def find_unfit_dispersion(subject: Subject) -> Iterator[Hit]:
    """The dispersion is one of the kind of number: no standard deviation of a median or a count."""
    for measure in _all(subject):
        if measure.dispersion in _UNFIT.get(measure.kind, ()):
            part = measure.part
            yield hit(measure.title, part.text("paramType"), part.text("dispersionType"))


def find_negative_spreads(subject: Subject) -> Iterator[Hit]:
    """A standard deviation or error is not negative, and the ends of a range stand in order."""
    for measure in _all(subject):
        for row in measure.rows:
            for cell in row.cells:
                spread, low, high = number_of(cell.spread), number_of(cell.low), number_of(cell.high)
                if spread is not None and spread < 0:
                    yield hit(measure.title, cell.spread)
                if low is not None and high is not None and low > high:
                    yield hit(measure.title, cell.low, cell.high)


def find_outside(subject: Subject) -> Iterator[Hit]:
    """A number lies where its range lets it: a mean so far from both ends as so many participants allow.

    Of n participants one has the least value and one the greatest; hence the mean is at least
    low + (high - low) / n, and at most high - (high - low) / n.
    """
    for measure in _all(subject):
        for row in measure.rows:
            for cell in row.cells:
                if _is_outside(measure, row, cell):
                    yield hit(measure.title, cell.value, cell.low, cell.high)


def _is_outside(measure: Measure, row: TableRow, cell: Cell) -> bool:
    value, low, high = number_of(cell.value), number_of(cell.low), number_of(cell.high)
    if value is None or low is None or high is None or low > high:
        return False
    size = number_of(row.analysed.get(cell.group))
    whole = measure.dispersion == "FULL_RANGE"
    within = whole or "CONFIDENCE" in measure.dispersion or "CREDIBLE" in measure.dispersion
    if not within and not (measure.kind == "MEDIAN" and measure.dispersion == "INTER_QUARTILE_RANGE"):
        return False
    margin = (high - low) / size if whole and measure.kind == "MEAN" and size and size > 1 else 0.0
    rounded = last_place(cell.value) + 2 * max(last_place(cell.low), last_place(cell.high))
    return not low + margin - rounded <= value <= high - margin + rounded


def find_words(subject: Subject) -> Iterator[Hit]:
    """A cell holds a number, or NA with a comment."""
    for measure in _all(subject):
        for row in measure.rows:
            for cell in row.cells:
                text = cell.value.text.strip() if cell.value else ""
                missing = text.upper() == "NA" and cell.comment is None
                if missing or (text and text.upper() != "NA" and number_of(cell.value) is None):
                    yield hit(measure.title, cell.value)


# ---- scales ------------------------------------------------------------------------------------------------

_SCALE_UNIT: Final = re.compile(
    r"(?:units?|scores?|points?)\s+on\s+(?:a|the)\s+(?:\w+\s+)?scale|(?:scale|total)\s+(?:score|units?|points?)s?",
    re.IGNORECASE,
)
_RANGE_TOLD: Final = re.compile(
    r"\d\s*(?:-|–|—|to|through|and|\.\.)\s*-?\d|\brang(?:e|es|ed|ing)\b|\bmin(?:imum)?\b|\bmax(?:imum)?\b"
    r"|\b\d+[-\s](?:point|item)|\bout\s+of\s+\d|=\s*\w+.*\d\s*=|\d\s*[(=]|\b(?:high|low)er\b|worst|z[-\s]?score",
    re.IGNORECASE | re.DOTALL,
)


def find_untold_scales(subject: Subject) -> Iterator[Hit]:
    """An outcome in units on a scale says what the scale's values mean."""
    for measure in _posted(subject):
        texts = (measure.title, measure.part.text("description"), measure.part.text("populationDescription"))
        told = " ".join(words_of(text.text) for text in texts if text)
        if _SCALE_UNIT.fullmatch(_unit(measure)) and not _RANGE_TOLD.search(told):
            yield hit(measure.title, measure.unit)


# ---- who was analysed --------------------------------------------------------------------------------------


def find_too_many_analysed(subject: Subject) -> Iterator[Hit]:
    """No group of an outcome has more participants than started: in all, and in the arm of that title."""
    results = subject.results
    if results is None or not results.started:
        return
    started = {folded(group.title): results.started.get(group.id) for group in results.flow_groups}
    parallel = code_of(subject.record.design.info.intervention_model) == "PARALLEL"
    one_period = len(results.periods) == 1
    for measure in _posted(subject):
        titles = {_group_id: folded(title) for _group_id, title in _groups(measure)}
        for group, cell in measure.analysed.items():
            number = number_of(cell) or 0
            own = started.get(titles.get(group, "")) if parallel and one_period else None
            most = sum(results.started.values()) if own is None else own
            if number > most:
                yield hit(measure.title, cell, detail=f"{number:g} analysed of {most}")


def _groups(measure: Measure) -> Iterator[tuple[str, Passage | None]]:
    for each in measure.part.parts("groups"):
        identifier = each.text("id")
        yield identifier.text if identifier else "", each.text("title")


def find_unexplained_nobody(subject: Subject) -> Iterator[Hit]:
    """Where nobody of a group was analysed, the Analysis Population Description says why."""
    for measure in _posted(subject):
        nobody = [cell for cell in measure.analysed.values() if number_of(cell) == 0]
        if nobody and measure.part.text("populationDescription") is None:
            yield hit(measure.title, *nobody)


# ---- what was registered -----------------------------------------------------------------------------------


def find_unreported(subject: Subject) -> Iterator[Hit]:
    """Once results are posted, every registered outcome is among them, and every primary one has data."""
    results = subject.results
    if results is None or not results.outcome_measures:
        return
    listed = {folded(measure.title) for measure in results.outcome_measures}
    registered: tuple[Outcome, ...] = (*subject.record.outcomes.primary, *subject.record.outcomes.secondary)
    for outcome in registered:
        if outcome.measure and folded(outcome.measure) not in listed:
            yield hit(outcome.measure)
    for measure in results.outcome_measures:
        if measure.type == "PRIMARY" and not measure.is_posted:
            yield hit(measure.title, measure.part.text("reportingStatus"))


def find_unregistered(subject: Subject) -> Iterator[Hit]:
    """A primary or secondary outcome of the results is registered as one; any other is post hoc."""
    results, outcomes = subject.results, subject.record.outcomes
    registered = {
        "PRIMARY": {folded(each.measure) for each in outcomes.primary},
        "SECONDARY": {folded(each.measure) for each in outcomes.secondary},
    }
    for measure in results.outcome_measures if results else ():
        known = registered.get(measure.type)
        if known is not None and folded(measure.title) not in known:
            yield hit(measure.title, measure.part.text("type"))


# ---- analyses ----------------------------------------------------------------------------------------------

_P_VALUE: Final = re.compile(
    r"\s*(?:p\s*)?(?P<sign>[<>=≤≥]{0,2})\s*(?P<number>-?\d*\.?\d+(?:e-?\d+)?)\s*", re.I
)


def find_p_values(subject: Subject) -> Iterator[Hit]:
    """A p-value is a number between 0 and 1."""
    for measure in _posted(subject):
        for analysis in measure.part.parts("analyses"):
            value = analysis.text("pValue")
            match = _P_VALUE.fullmatch(value.text) if value else None
            if match and not 0 <= float(match["number"]) <= 1:
                yield hit(measure.title, value)


def find_intervals(subject: Subject) -> Iterator[Hit]:
    """The limits of an interval stand in order, and hold the estimate."""
    for measure in _posted(subject):
        for analysis in measure.part.parts("analyses"):
            estimate, low, high = (
                analysis.text(key) for key in ("paramValue", "ciLowerLimit", "ciUpperLimit")
            )
            value, least, most = number_of(estimate), number_of(low), number_of(high)
            if least is not None and most is not None and least > most:
                yield hit(measure.title, low, high)
                continue
            rounded = last_place(estimate) + max(last_place(low), last_place(high))
            below = value is not None and least is not None and value < least - rounded
            above = value is not None and most is not None and value > most + rounded
            if below or above:
                yield hit(measure.title, estimate, low, high)


RULES: Final = (
    Rule(
        "PRS-UNIT",
        ERROR,
        find_wrong_units,
        "The unit of a measure is not that of its title",
        "Correct the unit or the title",
        f"{COMMENTS}: unit of measure appears inconsistent; {REVIEW_2011}, data mismatch",
    ),
    Rule(
        "PRS-PERCENT",
        ERROR,
        find_impossible_shares,
        "A percentage of participants is not between 0 and 100",
        "Correct the number or the unit",
        f"{REVIEW_2011}, lack of apparent validity",
    ),
    Rule(
        "PRS-DISPERSION-NONE",
        ERROR,
        find_no_dispersion,
        "A mean or median has no measure of dispersion or precision",
        "Add its standard deviation, its range or its confidence interval",
        f"{COMMENTS}: a measure of dispersion or precision appears missing for continuous data",
    ),
    Rule(
        "PRS-DISPERSION-UNFIT",
        NOTE,
        find_unfit_dispersion,
        "A measure of dispersion is none of its kind of number",
        "Give a median with a range, and a mean with its standard deviation",
        _WITHIN,
    ),
    Rule(
        "PRS-SPREAD",
        ERROR,
        find_negative_spreads,
        "A measure of dispersion is negative, or a range ends before it begins",
        "Correct it",
        _INVALID,
    ),
    Rule(
        "PRS-OUTSIDE",
        ERROR,
        find_outside,
        "A number cannot lie where it does in its range, for so many participants",
        "Correct the number or the range",
        _INVALID,
    ),
    Rule(
        "PRS-WORDS",
        ERROR,
        find_words,
        "A cell of a table holds no number, or NA without a comment",
        "Give a number, or NA and why",
        f"{RESULTS_DEFINITIONS}, Outcome Data: NA explained",
    ),
    Rule(
        "PRS-SCALE",
        WARNING,
        find_untold_scales,
        "An outcome is a score on a scale whose values are not told",
        "Give the scale's name, its least and greatest values, and which end is better",
        "PRS comments: outcome measure title and description",
    ),
    Rule(
        "PRS-ANALYSED",
        ERROR,
        find_too_many_analysed,
        "More participants were analysed than started",
        "Correct the number analysed or the participant flow",
        f"{COMMENTS}: information appears inconsistent with other parts of the record",
    ),
    Rule(
        "PRS-NOBODY",
        WARNING,
        find_unexplained_nobody,
        "Nobody of a group was analysed, and the record does not say why",
        "Explain it in the Analysis Population Description",
        f"{RESULTS_DEFINITIONS}, Analysis Population Description",
    ),
    Rule(
        "PRS-UNREPORTED",
        ERROR,
        find_unreported,
        "A registered outcome has no results",
        "Report it, or say when it will be",
        "42 CFR 11.48(a)(3)",
    ),
    Rule(
        "PRS-UNREGISTERED",
        NOTE,
        find_unregistered,
        "A primary or secondary outcome of the results is not registered as one",
        "Register it under the same title, or report it as post hoc",
        f"{RESULTS_DEFINITIONS}, Outcome Measure Type",
    ),
    Rule(
        "PRS-P-VALUE",
        ERROR,
        find_p_values,
        "A p-value is not between 0 and 1",
        "Correct it",
        f"{COMMENTS}: information within the statistical analyses appears inconsistent",
    ),
    Rule(
        "PRS-INTERVAL",
        ERROR,
        find_intervals,
        "A confidence interval ends before it begins, or does not hold its estimate",
        "Correct the limits or the estimate",
        f"{COMMENTS}: information within the statistical analyses appears inconsistent",
    ),
)
