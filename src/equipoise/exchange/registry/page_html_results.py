"""The results section of a record as tables: participant flow, baseline, outcome measures, adverse events.

Source: ClinicalTrials.gov, "Study Data Structure" (API v2), resultsSection.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from equipoise.exchange.registry.page_html_blocks import (
    EMPTY,
    Block,
    Chapter,
    Cursor,
    Part,
    Row,
    facts,
    prose,
    table,
    words_of,
)

_R: Final = "resultsSection"
_PERCENT: Final = 100
_COUNT: Final = re.compile(r"[0-9]{1,9}")
_OUTCOME_LEVEL: Final = 4


def results_chapter(results: Cursor) -> Chapter:
    """Return the results; a chapter without parts where there are none."""
    parts = (
        *_flow(results.at("participantFlowModule")),
        *_baseline(results.at("baselineCharacteristicsModule")),
        *_outcomes(results.at("outcomeMeasuresModule")),
        *_events(results.at("adverseEventsModule")),
        *_more(results.at("moreInfoModule")),
    )
    return Chapter("Study Results", tuple(part for part in parts if part.blocks))


def _ids(groups: Sequence[Cursor]) -> tuple[str, ...]:
    return tuple(each.text("id") for each in groups)


def _titles(groups: Sequence[Cursor]) -> tuple[str, ...]:
    return tuple(each.text("title") or each.text("id") for each in groups)


def _described(groups: Sequence[Cursor]) -> tuple[Block, ...]:
    rows = tuple(
        Row(title, (each.text("description") or EMPTY,))
        for title, each in zip(_titles(groups), groups, strict=True)
    )
    return table(("Group", "Description"), rows)


def _by_group(ids: Sequence[str], cells: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """Put cells under their groups; what belongs to no group of the table goes after all."""
    found = dict(cells)
    beyond = "; ".join(f"{group}: {text}" for group, text in cells if group not in ids)
    return (*(found.get(group, EMPTY) for group in ids), *((beyond,) if beyond else ()))


# -- participant flow


def _flow(module: Cursor) -> Iterator[Part]:
    groups = module.items("groups")
    ids = _ids(groups)
    about = facts(
        ("Recruitment", module.text("recruitmentDetails")),
        ("Before assignment", module.text("preAssignmentDetails")),
        ("Type of units assigned", module.text("typeUnitsAnalyzed")),
    )
    rows = [row for period in module.items("periods") for row in _period(period, ids)]
    counted = table(("", *_titles(groups)), tuple(rows), numbers=True)
    yield Part("Participant Flow", (*about, *_described(groups), *counted), (f"{_R}.participantFlowModule",))


def _period(period: Cursor, ids: Sequence[str]) -> Iterator[Row]:
    yield Row(period.text("title") or "Period", band=True)
    for milestone in period.items("milestones"):
        cells = tuple(map(_achieved, milestone.items("achievements")))
        kind = milestone.text("type")
        label = words_of(kind.replace(" ", "_")) if kind.isupper() else kind
        yield Row(label, _by_group(ids, cells), milestone.text("comment"))
    reasons = period.items("dropWithdraws")
    if reasons:
        yield Row("Reason not completed")
    for reason in reasons:
        cells = tuple(map(_achieved, reason.items("reasons")))
        yield Row(words_of(reason.text("type")), _by_group(ids, cells), reason.text("comment"), depth=1)


def _achieved(each: Cursor) -> tuple[str, str]:
    number, units, comment = each.text("numSubjects"), each.text("numUnits"), each.text("comment")
    text = number + (f" ({units} units)" if units else "") + (f": {comment}" if comment else "")
    return each.text("groupId"), text or EMPTY


# -- measures


def _denominators(node: Cursor, ids: Sequence[str], depth: int = 0) -> tuple[Row, ...]:
    return tuple(
        Row(
            f"Number analysed: {each.text('units')}",
            _by_group(ids, tuple((one.text("groupId"), one.text("value")) for one in each.items("counts"))),
            depth=depth,
        )
        for each in node.items("denoms")
    )


def _measured(measure: Cursor, ids: Sequence[str], whole: Sequence[Row]) -> Iterator[Row]:
    """Yield a measure's classes and categories, each value with its spread or limits.

    How many were analysed in a class is said where it differs from the `whole`.
    """
    usual = {(row.label, row.cells) for row in whole}
    for group in measure.items("classes"):
        title, categories = group.text("title"), group.items("categories")
        alone = len(categories) == 1 and not categories[0].text("title")
        if title and not alone:
            yield Row(title, depth=1)
        for each in categories:
            cells = _by_group(ids, tuple(map(_value, each.items("measurements"))))
            label = each.text("title") or (title if alone else "") or "Value"
            yield Row(label, cells, depth=2 if title and not alone else 1)
        counted = _denominators(group, ids, 2)
        yield from (row for row in counted if (row.label, row.cells) not in usual)


def _value(each: Cursor) -> tuple[str, str]:
    low, high, spread = each.text("lowerLimit"), each.text("upperLimit"), each.text("spread")
    text = each.text("value") or EMPTY
    if spread:
        text += f" ({spread})"
    if low or high:
        text += f" ({low or EMPTY} to {high or EMPTY})"
    comments = (each.text(key) for key in ("comment", "lowerLimitComment", "upperLimitComment"))
    return each.text("groupId"), "; ".join((text, *(one for one in comments if one)))


def _shown_as(measure: Cursor) -> str:
    kind, spread = measure.word("paramType"), measure.word("dispersionType")
    percentage = measure.text("calculatePct")
    return kind + (f" ({spread})" if spread else "") + (f"; percentage: {percentage}" if percentage else "")


def _baseline(module: Cursor) -> Iterator[Part]:
    groups = module.items("groups")
    ids = _ids(groups)
    whole = _denominators(module, ids)
    rows = [*whole]
    for measure in module.items("measures"):
        unit = measure.text("unitOfMeasure")
        how = "; ".join(text for text in (_shown_as(measure), f"unit: {unit}" if unit else "") if text)
        notes = (measure.text("description"), measure.text("populationDescription"))
        title = " – ".join(text for text in (measure.text("title"), how) if text)
        rows.append(Row(title, note=" ".join(text for text in notes if text), band=True))
        own = _denominators(measure, ids, 1)
        rows += own
        rows += _measured(measure, ids, own or whole)
    about = facts(
        ("Population", module.text("populationDescription")),
        ("Type of units analysed", module.text("typeUnitsAnalyzed")),
    )
    found = table(("", *_titles(groups)), tuple(rows), numbers=True)
    place = f"{_R}.baselineCharacteristicsModule"
    yield Part("Baseline Characteristics", (*about, *_described(groups), *found), (place,))


# -- outcome measures


def _outcomes(module: Cursor) -> Iterator[Part]:
    measures = module.items("outcomeMeasures")
    if measures:
        count = f"{len(measures)} outcome measure{'s' if len(measures) > 1 else ''}."
        yield Part("Outcome Measures", prose(count))
    for number, each in enumerate(measures, 1):
        kind = each.word("type")
        title = f"{number}. {each.text('title')}" + (f" ({kind})" if kind else "")
        yield Part(title, tuple(_outcome(each)), (each.path,), _OUTCOME_LEVEL)


def _outcome(measure: Cursor) -> Iterator[Block]:
    groups = measure.items("groups")
    ids = _ids(groups)
    status = measure.word("reportingStatus")
    yield from facts(
        ("Time Frame", measure.text("timeFrame")),
        ("Description", measure.text("description")),
        ("Population", measure.text("populationDescription")),
        ("Type of units analysed", measure.text("typeUnitsAnalyzed")),
        ("Results", "" if status == "Posted" else status),
        ("Expected", measure.text("anticipatedPostingDate")),
    )
    yield from _described(groups)
    unit = measure.text("unitOfMeasure")
    whole = _denominators(measure, ids)
    rows = [
        *whole,
        Row(f"{_shown_as(measure)}{f'; unit: {unit}' if unit else ''}", band=True),
        *_measured(measure, ids, whole),
    ]
    if groups:
        yield from table(("", *_titles(groups)), tuple(rows), numbers=True)
    names = dict(zip(ids, _titles(groups), strict=True))
    for number, analysis in enumerate(measure.items("analyses"), 1):
        against = " against ".join(names.get(group, group) for group in analysis.texts("groupIds"))
        yield from facts((f"Analysis {number}", against or EMPTY), *_analysis(analysis))


def _analysis(each: Cursor) -> Iterator[tuple[str, str]]:
    yield "Hypothesis and groups", each.text("groupDescription")
    yield "Type", each.word("nonInferiorityType")
    yield "Type, comment", each.text("nonInferiorityComment")
    yield "Method", each.text("statisticalMethod")
    yield "Method, comment", each.text("statisticalComment")
    yield "P value", each.text("pValue")
    yield "P value, comment", each.text("pValueComment")
    yield "Estimate", " ".join(text for text in (each.text("paramType"), each.text("paramValue")) if text)
    yield "Spread", " ".join(t for t in (each.word("dispersionType"), each.text("dispersionValue")) if t)
    low, high = each.text("ciLowerLimit"), each.text("ciUpperLimit")
    percent, sides = each.text("ciPctValue"), each.word("ciNumSides")
    if low or high:
        limits = f"{low or EMPTY} to {high or EMPTY}"
        about = ", ".join(text for text in (f"{percent} %" if percent else "", sides.lower()) if text)
        yield "Confidence interval", f"{limits} ({about})" if about else limits
    for key in ("ciLowerLimitComment", "ciUpperLimitComment"):
        yield "Limit, comment", each.text(key)
    yield "Estimate, comment", each.text("estimateComment")
    yield "Other analysis", each.text("otherAnalysisDescription")
    yield "Tested", each.text("testedNonInferiority")


# -- adverse events


def _events(module: Cursor) -> Iterator[Part]:
    groups = module.items("eventGroups")
    ids, head = _ids(groups), ("", *_titles(groups))
    threshold = module.text("frequencyThreshold")
    about = facts(
        ("Time Frame", module.text("timeFrame")),
        ("Description", module.text("description")),
        ("All-cause mortality", module.text("allCauseMortalityComment")),
        ("Others than serious are listed above", f"{threshold} %" if threshold else ""),
    )
    summary = tuple(
        Row(label, tuple(_at_risk(each, f"{key}NumAffected", f"{key}NumAtRisk") for each in groups))
        for label, key in (
            ("All-cause mortality", "deaths"),
            ("Serious adverse events", "serious"),
            ("Other adverse events", "other"),
        )
    )
    counted = table(head, summary, numbers=True) if groups else ()
    place = f"{_R}.adverseEventsModule"
    yield Part("Adverse Events", (*about, *_described(groups), *counted), (place,))
    for title, key in (("Serious adverse events", "seriousEvents"), ("Other adverse events", "otherEvents")):
        rows = tuple(_terms(module.items(key), ids))
        yield Part(title, table(head, rows, numbers=True), (f"{place}.{key}",), _OUTCOME_LEVEL)


def _terms(events: Sequence[Cursor], ids: Sequence[str]) -> Iterator[Row]:
    """Yield the events within their organ systems, in the order in which these first stand."""
    systems: dict[str, list[Cursor]] = {}
    for each in events:
        systems.setdefault(each.text("organSystem"), []).append(each)
    for system, found in systems.items():
        yield Row(system or "Without an organ system", band=True)
        for each in found:
            cells = tuple((one.text("groupId"), _stat(one)) for one in each.items("stats"))
            how = (each.text("sourceVocabulary"), each.word("assessmentType"), each.text("notes"))
            yield Row(
                each.text("term"), _by_group(ids, cells), "; ".join(text for text in how if text), depth=1
            )


def _stat(each: Cursor) -> str:
    count = each.text("numEvents")
    return _at_risk(each, "numAffected", "numAtRisk") + (f", {count} events" if count else "")


def _at_risk(each: Cursor, affected: str, at_risk: str) -> str:
    """Return how many of how many, with the percentage where both are numbers."""
    some, whole = each.text(affected), each.text(at_risk)
    if not (some or whole):
        return EMPTY
    text = f"{some or EMPTY}/{whole or EMPTY}"
    if _COUNT.fullmatch(some) and _COUNT.fullmatch(whole) and int(whole):
        text += f" ({_PERCENT * int(some) / int(whole):.1f} %)"
    return text


def _more(module: Cursor) -> Iterator[Part]:
    agreement, contact = module.at("certainAgreement"), module.at("pointOfContact")
    extension = contact.text("phoneExt")
    found = facts(
        ("Limitations and caveats", module.text("limitationsAndCaveats", "description")),
        ("Investigators are employees of the sponsor", agreement.text("piSponsorEmployee")),
        ("Agreement that restricts disclosure", agreement.text("restrictiveAgreement")),
        ("Kind of restriction", agreement.word("restrictionType")),
        ("Details of the agreement", agreement.text("otherDetails")),
        ("Contact", ", ".join(t for t in (contact.text("title"), contact.text("organization")) if t)),
        ("Telephone", contact.text("phone") + (f", extension {extension}" if extension else "")),
        ("E-mail", contact.text("email")),
    )
    yield Part("More on the results", found, (f"{_R}.moreInfoModule",))
