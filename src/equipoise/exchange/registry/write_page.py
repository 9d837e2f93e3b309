"""Writes a study definition as the page that a registry would show of it, in its sections and order."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Final

from equipoise.definition.document import (
    Block,
    Bullets,
    Document,
    Entries,
    Entry,
    Facts,
    Heading,
    Section,
    Table,
    Words,
)
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.registry import Registry
from equipoise.definition.model.study import Arm, Intervention
from equipoise.exchange.registry.countries import country_name
from equipoise.exchange.registry.stated import (
    age_groups,
    cited,
    given_in,
    has_board,
    named_with_type,
    outcomes_of,
    sites_in_order,
    title_case,
)

ASSUMED: Final = "assumed"
"""How a page marks what no source states."""

_ALLOCATION: Final = {True: "Randomized", False: "Non-Randomized"}
_SEXES: Final = {"all": "All", "female": "Female", "male": "Male"}
_EMPTY: Final = "–"


def registry_page(definition: StudyDefinition) -> Document:
    """Return a definition as a page of ClinicalTrials.gov: its headings, its labels, its order.

    Each heading stands as in `page_layout.LAYOUT`, so that a reader of such pages finds all of it again. What
    the definition takes for granted is marked, and listed at the end. Source: ClinicalTrials.gov, "Study Data
    Structure" (API v2), and the layout of its study pages.
    """
    study = definition.study
    sections = (
        Section("Study Overview", tuple(_overview(definition))),
        Section("Contacts and Locations", tuple(_locations(definition))),
        Section("Participation Criteria", tuple(_participation(definition))),
        Section("Study Plan", tuple(_plan(definition))),
        Section("Collaborators and Investigators", tuple(_people(definition))),
        Section("Publications and helpful links", tuple(_publications(definition))),
        Section("Study record dates", tuple(_dates(definition))),
        Section("More Information", tuple(_more(definition))),
        Section("Assumptions of the definition", tuple(_assumptions(definition))),
    )
    return Document(
        title=study.title,
        subtitle=study.official_title or "",
        language=study.language,
        sections=tuple(section for section in sections if section.blocks),
        footer=f"Study definition {definition.hash or 'without hash'}, version {study.version}.",
    )


def _labelled(label: str, *blocks: Block | None) -> tuple[Block, ...]:
    """Return a label with what stands under it; nothing where nothing does."""
    found = tuple(block for block in blocks if block is not None)
    return (Heading(label), *found) if found else ()


def _words(text: str | None) -> Words | None:
    return Words(text) if text else None


def _bullets(items: Iterable[str]) -> Bullets | None:
    found = tuple(items)
    return Bullets(found) if found else None


def _day(value: date | None) -> str | None:
    return None if value is None else value.isoformat()


# -- the sections, in their order


def _overview(definition: StudyDefinition) -> Iterable[Block]:
    study, registry = definition.study, definition.registry
    if registry is not None:
        yield from _labelled("Status", _words(registry.overall_status))
        yield from _labelled("Brief Summary", _words(registry.brief_summary))
        yield from _labelled("Detailed Description", _words(registry.detailed_description))
    yield from _labelled("Official Title", _words(study.official_title))
    yield from _labelled("Conditions", _bullets(study.conditions))
    yield from _labelled("Intervention / Treatment", _bullets(map(named_with_type, study.interventions)))
    numbers = (f"{number.value} ({number.registry})" for number in study.identifiers)
    yield from _labelled("Other Study ID Numbers", _bullets(numbers))
    yield from _labelled("Study Start", _words(_day(study.dates.start)))
    yield from _labelled("Primary Completion", _words(_day(study.dates.primary_completion)))
    yield from _labelled("Study Completion", _words(_day(study.dates.completion)))
    # What the whole study plans; the record of one sub-trial may count differently.
    yield from _labelled("Enrollment (Estimated)", Words(str(study.planned_enrolment)))
    yield from _labelled("Study Type", Words(title_case(study.type)))
    yield from _labelled("Phase", _bullets(map(_phase, study.phases)))


def _phase(phase: str) -> str:
    return "Not Applicable" if phase == "not_applicable" else title_case(phase)


def _locations(definition: StudyDefinition) -> Iterable[Block]:
    rows = tuple(
        (
            country_name(site.country),
            site.city or _EMPTY,
            site.name + (f" ({ASSUMED})" if site.assumed else ""),
        )
        for site in sites_in_order(definition.study)
    )
    yield from _labelled("Study Locations", Table(("Country", "City", "Facility"), rows))


def _participation(definition: StudyDefinition) -> Iterable[Block]:
    eligibility = definition.eligibility
    yield Heading("Eligibility Criteria")
    ages = _ages(eligibility.age_minimum_years, eligibility.age_maximum_years)
    yield from _labelled("Ages Eligible for Study", Words(ages))
    yield from _labelled("Sexes Eligible for Study", Words(_SEXES[eligibility.sex]))
    yield from _labelled(
        "Accepts Healthy Volunteers", Words("Yes" if eligibility.healthy_volunteers else "No")
    )
    yield Heading("Description")
    for category in ("inclusion", "exclusion"):
        found = sorted((c for c in eligibility.criteria if c.category == category), key=lambda c: c.number)
        if found:
            yield Words(f"{category.capitalize()} Criteria:")
            yield Entries(tuple(Entry(f"{c.number}.", c.text, None) for c in found))


def _ages(low: int | None, high: int | None) -> str:
    if low is None and high is None:
        span = ""
    elif high is None:
        span = f"{low} years and older "
    else:
        span = f"Up to {high} years " if low is None else f"{low} years to {high} years "
    return f"{span}({', '.join(map(title_case, age_groups(low, high)))})"


def _plan(definition: StudyDefinition) -> Iterable[Block]:
    study = definition.study
    yield Heading("How is the study designed?")
    details = [
        f"Primary Purpose: {title_case(study.purpose)}",
        f"Allocation: {_ALLOCATION[study.randomised]}",
    ]
    details.append(f"Interventional Model: {title_case(study.model)} Assignment")
    parties = f" ({', '.join(map(title_case, study.masking.parties))})" if study.masking.parties else ""
    level = study.masking.level if study.masking.parties else "none"
    details.append(f"Masking: {'None (Open Label)' if level == 'none' else level.capitalize() + parties}")
    yield from _labelled("Design Details", Bullets(tuple(details)), _words(study.masking.text))
    head = ("Participant Group / Arm", "Description", "Intervention / Treatment")
    rows = tuple(
        (f"{title_case(arm.type)}: {arm.name}", arm.text or _EMPTY, _given(arm, study.interventions))
        for arm in study.arms
    )
    yield from _labelled("Arms and Interventions", Table(head, rows))
    yield Heading("What is the study measuring?")
    for category, outcomes in outcomes_of(definition).items():
        rows = tuple((each.measure, each.description or _EMPTY, each.time_frame) for each in outcomes)
        if rows:
            table = Table(("Outcome Measure", "Measure Description", "Time Frame"), rows)
            yield from _labelled(f"{category.capitalize()} Outcome Measures", table)


def _given(arm: Arm, interventions: tuple[Intervention, ...]) -> str:
    return "; ".join(map(named_with_type, given_in(arm, interventions))) or _EMPTY


def _people(definition: StudyDefinition) -> Iterable[Block]:
    study = definition.study
    yield from _labelled("Sponsor", Words(study.sponsor.name))
    yield from _labelled("Collaborators", _bullets(each.name for each in study.collaborators))
    officials = (
        ", ".join(filter(None, (each.name, each.affiliation, each.role))) for each in study.officials
    )
    yield from _labelled("Investigators", _bullets(officials))
    yield from _labelled("Responsible Party", _words(study.responsible_party))


def _publications(definition: StudyDefinition) -> Iterable[Block]:
    found = definition.registry.publications if definition.registry else ()
    yield from _labelled("General Publications", _bullets(map(cited, found)))


def _dates(definition: StudyDefinition) -> Iterable[Block]:
    dates = definition.study.dates
    yield from _dated(
        "Study Major Dates",
        ("Study Start", _day(dates.start)),
        ("Primary Completion", _day(dates.primary_completion)),
        ("Study Completion", _day(dates.completion)),
    )
    if definition.registry is not None:
        yield from _record_dates(definition.registry)


def _record_dates(registry: Registry) -> Iterable[Block]:
    record = registry.dates
    yield from _dated(
        "Study Registration Dates",
        ("First Submitted", _day(record.first_submitted)),
        ("First Submitted that Met QC Criteria", _day(record.first_submitted_qc)),
        ("First Posted", _day(record.first_posted)),
    )
    yield from _dated(
        "Study Record Updates",
        ("Last Update Posted", _day(record.last_update_posted)),
        ("Last Update Submitted", _day(record.last_update_submitted)),
        ("Last Verified", record.last_verified),
    )


def _dated(label: str, *pairs: tuple[str, str | None]) -> tuple[Block, ...]:
    found = tuple((term, text) for term, text in pairs if text)
    return _labelled(label, Facts(found)) if found else ()


def _more(definition: StudyDefinition) -> Iterable[Block]:
    study = definition.study
    yield from _labelled("Keywords", _bullets(study.keywords))
    yield from _labelled("Data Monitoring Committee", Words("Yes" if has_board(study) else "No"))
    registered = (f"{each.name}: {each.registration}" for each in study.sub_trials if each.registration)
    yield from _labelled("Registrations of the national trials", _bullets(registered))


def _assumptions(definition: StudyDefinition) -> Iterable[Block]:
    found = definition.study.assumptions
    if found:
        yield Words("No source states these; the definition takes them for granted.")
        yield Table(("Assumption", "Source"), tuple((each.text, each.source) for each in found))
