"""Dates, status, contacts and sites: does the record stand as the study stood at its last update?

Sources: ClinicalTrials.gov, "Protocol Registration Data Element Definitions" (Study Start Date to Study
Completion Date, Overall Recruitment Status, Individual Site Status, Central Contact Person, Facility
Information); 42 CFR 11.28(a)(2)(ii) and (iii), 11.44(a), 11.64(a). What is dated or counted against the
status is REC-STATUS, and the order of dates REC-DATES.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from equipoise.exchange.registry.facts import code_of, day_of
from equipoise.exchange.registry.findings import ERROR, NOTE, WARNING
from equipoise.exchange.registry.quality.subject import DEFINITIONS, Hit, Rule, Subject, hit

_RECRUITING: Final = frozenset({"RECRUITING", "NOT_YET_RECRUITING"})
_YEAR: Final = timedelta(days=366)


def find_passed(subject: Subject) -> Iterator[Hit]:
    """An estimated date was still to come when the record was last updated."""
    status, updated = subject.record.status, subject.updated
    for entry in (status.start, status.primary_completion, status.completion):
        day = day_of(entry.date)
        if updated and day and code_of(entry.type) == "ESTIMATED" and updated.surely_after(day):
            yield hit(entry.date, entry.type, status.last_update_submitted or status.last_update_posted.date)


def find_no_contact(subject: Subject) -> Iterator[Hit]:
    """A study that recruits, or will, names somebody to ask: for the study, or at a site."""
    contacts, status = subject.record.contacts, subject.record.status.overall_status
    named = contacts.central_contacts or any(location.contacts for location in contacts.locations)
    if code_of(status) in _RECRUITING and not named:
        yield hit(status)


def find_no_site(subject: Subject) -> Iterator[Hit]:
    """A study that recruits names where."""
    record = subject.record
    if code_of(record.status.overall_status) == "RECRUITING" and not record.contacts.locations:
        yield hit(record.status.overall_status)


def find_site_status(subject: Subject) -> Iterator[Hit]:
    """The study recruits just when one of its sites does, where sites have a status."""
    record, overall = subject.record, subject.status
    given = [site.status for site in record.contacts.locations if site.status is not None]
    recruiting = [status for status in given if code_of(status) == "RECRUITING"]
    if overall == "RECRUITING" and given and len(given) == len(record.contacts.locations) and not recruiting:
        yield hit(record.status.overall_status, *given)
    if recruiting and overall not in {"RECRUITING", "ENROLLING_BY_INVITATION", "AVAILABLE", ""}:
        yield hit(record.status.overall_status, *recruiting)


def find_early_results(subject: Subject) -> Iterator[Hit]:
    """Results are submitted after the primary completion date."""
    status = subject.record.status
    submitted, completed = day_of(status.results_first_submitted), day_of(status.primary_completion.date)
    if submitted and completed and completed.surely_after(submitted):
        yield hit(status.primary_completion.date, status.results_first_submitted)


def find_late_results(subject: Subject) -> Iterator[Hit]:
    """Results of an applicable clinical trial are submitted within a year, unless a delay was certified.

    Asked where the record says that the FDA regulates what is studied, of phases after the first, with a
    primary completion date from 18 January 2017 on.
    """
    status, oversight = subject.record.status, subject.record.oversight
    phases = {code_of(phase) for phase in subject.record.design.phases}
    submitted, completed = day_of(status.results_first_submitted), day_of(status.primary_completion.date)
    regulated = "TRUE" in (
        code_of(oversight.is_fda_regulated_drug),
        code_of(oversight.is_fda_regulated_device),
    )
    applies = (
        subject.is_interventional
        and regulated
        and phases
        and not phases <= {"PHASE1", "EARLY_PHASE1", "PHASE_1", "EARLY_PHASE_1", "NA"}
        and subject.since_final_rule(status.primary_completion.date)
        and status.delay_first_submitted is None
    )
    if applies and submitted and completed and submitted.first - completed.last > _YEAR:
        yield hit(status.primary_completion.date, status.results_first_submitted)


RULES: Final = (
    Rule(
        "PRS-DATE-PASSED",
        WARNING,
        find_passed,
        "An estimated date had passed when the record was last updated",
        "Give the actual date, or estimate it anew",
        f"42 CFR 11.64(a)(1); {DEFINITIONS}, Study Start, Primary Completion and Study Completion Date",
        of_pages=True,
    ),
    Rule(
        "PRS-CONTACT-NONE",
        ERROR,
        find_no_contact,
        "The study recruits, and the record names nobody to ask",
        "Add a central contact, or a contact at each site",
        f"42 CFR 11.28(a)(2)(iii); {DEFINITIONS}, Central Contact Person",
    ),
    Rule(
        "PRS-SITE-NONE",
        ERROR,
        find_no_site,
        "The study recruits, and the record names no site",
        "Add the sites with city, country and status",
        f"42 CFR 11.28(a)(2)(iii); {DEFINITIONS}, Facility Information",
    ),
    Rule(
        "PRS-SITE-STATUS",
        ERROR,
        find_site_status,
        "The status of the study is not that of its sites",
        "Set the study to Recruiting just when one of its sites recruits",
        f"{DEFINITIONS}, Overall Recruitment Status and Individual Site Status",
    ),
    Rule(
        "PRS-RESULTS-EARLY",
        ERROR,
        find_early_results,
        "Results were submitted before the primary completion date",
        "Correct the date, or say when the last participant was examined",
        "42 CFR 11.44(a)",
    ),
    Rule(
        "PRS-RESULTS-LATE",
        NOTE,
        find_late_results,
        "Results were submitted more than a year after the primary completion date",
        "Certify a delay where the rule gives one, and check the date",
        "42 CFR 11.44(a) to (c)",
    ),
)
