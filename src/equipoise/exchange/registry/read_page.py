"""Fills the record's model from the text of a study page as a person copies it from the registry's site."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from equipoise.exchange.registry.criteria import PrintedLine, split_criteria
from equipoise.exchange.registry.model import (
    Conditions,
    ContactsLocations,
    DateEntry,
    Description,
    Design,
    DesignInfo,
    Eligibility,
    Enrolment,
    Identification,
    IpdSharing,
    Masking,
    Official,
    OrgStudyId,
    Outcomes,
    Oversight,
    Passage,
    Reference,
    References,
    RegistryRecord,
    ResponsibleParty,
    SecondaryId,
    SeeAlso,
    Sponsor,
    Sponsors,
    Status,
)
from equipoise.exchange.registry.page_layout import Block, Segments, segment
from equipoise.exchange.registry.page_tables import read_arms, read_contacts, read_locations, read_outcomes
from equipoise.exchange.registry.source import RecordUnreadable, Source, check_length, split_lines

_UPDATED: Final = re.compile(r"^(?P<date>.{4,30}?)\s+updated by:\s*(?P<by>\S.*)$", re.IGNORECASE)
_NCT: Final = re.compile(r"\bNCT\d{8}\b")
_AGES: Final = re.compile(
    r"^(?:(?P<low>\d+\s*\w+)\s+(?:to|and)\s+(?P<high>\d+\s*\w+|older)|(?:up to\s+)(?P<only>\d+\s*\w+))?"
    r"\s*(?:and (?:older|over|under|younger))?\s*(?:\((?P<groups>[^)]*)\))?\s*$",
    re.IGNORECASE,
)
_ROLE: Final = re.compile(
    r"^(?P<role>[A-Z][A-Za-z -]{3,40}):\s*(?P<name>[^,]+(?:,\s*(?:M\.?D\.?|Ph\.?D\.?|MSc|RN"
    r"|MPH))*)(?:,\s*(?P<place>.+))?$"
)
_DETAILS: Final = frozenset(
    (
        "primary purpose", "allocation", "masking", "masking description", "interventional model",
        "intervention model", "interventional model description", "observational model",
        "observational models", "time perspective", "time perspectives", "target follow-up duration",
        "target duration",
    )
)  # fmt: skip
_LINES_MAX: Final = 20_000
_MIN_HEADINGS: Final = 2
_LAST_SECTIONS: Final = ("More Information", "Study record dates > Last Verified")


@dataclass
class PageReader:
    """The blocks of a page, and which of their lines have found a place."""

    segments: Segments
    taken: set[int] = field(default_factory=set)

    def blocks(self, *labels: str) -> list[Block]:
        """Return the blocks under any of the labels, which are the last steps of their heading paths."""
        return [block for block in self.segments.blocks if block.label in labels]

    def take(self, passage: Passage) -> Passage:
        """Mark a line as placed."""
        self.taken.add(id(passage))
        return passage

    def one(self, *labels: str) -> Passage | None:
        """Take the first line under a label; further lines stay not understood."""
        lines = [passage for block in self.blocks(*labels) for _, passage in block.lines]
        return self.take(lines[0]) if lines else None

    def many(self, *labels: str) -> tuple[Passage, ...]:
        """Take all lines under a label."""
        return tuple(self.take(passage) for block in self.blocks(*labels) for _, passage in block.lines)

    def suffix(self, label: str) -> Passage | None:
        """Take the word in brackets behind a label, such as Actual."""
        for block in self.blocks(label):
            if block.suffix and block.heading:
                self.take(block.heading)
                return Passage(block.path, block.heading.line, block.suffix)
        return None

    def dated(self, label: str) -> DateEntry:
        """Take a date and its type."""
        return DateEntry(self.one(label), self.suffix(label))

    def rest(self) -> tuple[Passage, ...]:
        """Return the lines that found no place, in the order of the page."""
        lines = [passage for block in self.segments.blocks for _, passage in block.lines]
        lines += [block.heading for block in self.segments.blocks if block.heading and block.suffix]
        return tuple(
            sorted((line for line in lines if id(line) not in self.taken), key=lambda line: line.line)
        )


def _check_size(lines: Sequence[str]) -> None:
    if len(lines) > _LINES_MAX:
        raise RecordUnreadable(
            "REC-TOO-LARGE",
            f"The file has more than {_LINES_MAX} lines, as no study page has. Copy one study's page alone.",
            f"line {_LINES_MAX + 1}",
        )
    for number, line in enumerate(lines, 1):
        check_length(line, number)


def read_page(source: Source) -> RegistryRecord:
    """Read the text of a copied study page.

    Raises RecordUnreadable: REC-NOT-A-RECORD when fewer than two of the page's headings and labels are there,
    REC-TOO-LARGE.
    """
    lines = split_lines(source.text)
    _check_size(lines)
    segments = segment(lines)
    paths = {block.path for block in segments.blocks if block.label}
    if len(segments.headings | paths) < _MIN_HEADINGS:
        raise RecordUnreadable(
            "REC-NOT-A-RECORD",
            "The file is text, but not a registry record: the headings of a study page are missing. Copy "
            "the whole page.",
            "line 1",
        )
    page = PageReader(segments)
    title, summary = _read_title(page)
    complete = (
        any(section in segments.headings or section in paths for section in _LAST_SECTIONS) and not source.cut
    )
    last = max((number for number, line in enumerate(lines, 1) if line.strip()), default=1)
    arms = read_arms(page)
    return RegistryRecord(
        kind="page",
        lines=lines,
        identification=title,
        status=_read_status(page),
        sponsors=_read_sponsors(page),
        oversight=Oversight(
            has_dmc=page.one("Data Monitoring Committee"),
            is_fda_regulated_drug=page.one("Studies a U.S. FDA-regulated drug product"),
            is_fda_regulated_device=page.one("Studies a U.S. FDA-regulated device product"),
            is_us_export=page.one("Product manufactured in and exported from the U.S."),
        ),
        description=Description(summary + page.many("Brief Summary"), page.many("Detailed Description")),
        conditions=Conditions(page.many("Conditions", "Condition"), page.many("Keywords")),
        design=_read_design(page),
        arms=arms,
        outcomes=Outcomes(
            read_outcomes(page, "Primary Outcome Measures", "Primary Outcome Measure"),
            read_outcomes(page, "Secondary Outcome Measures", "Secondary Outcome Measure"),
            read_outcomes(page, "Other Outcome Measures", "Other Outcome Measure"),
        ),
        eligibility=_read_eligibility(page),
        contacts=_read_contacts(page),
        references=_read_references(page),
        ipd_sharing=IpdSharing(
            sharing=page.one("Plan to Share Individual Participant Data (IPD)?"),
            description=page.many("IPD Plan Description"),
            info_types=page.many("IPD Sharing Supporting Information Type"),
            time_frame=page.many("IPD Sharing Time Frame"),
            access_criteria=page.many("IPD Sharing Access Criteria"),
        ),
        derived=page.many("Additional Relevant MeSH Terms"),
        related_terms=tuple(segments.related),
        boilerplate=tuple(segments.boilerplate),
        not_understood=page.rest(),
        incomplete=None if complete else Passage("", last, lines[last - 1].strip()),
    )


def _read_title(page: PageReader) -> tuple[Identification, tuple[Passage, ...]]:
    """Read what stands above the first heading: title, registration number, official title, summary."""
    titles: list[Passage] = []
    nct: Passage | None = None
    for _, passage in page.segments.blocks[0].lines:
        if match := re.fullmatch(r"(?:ClinicalTrials\.gov (?:ID|Identifier):?\s*)?(NCT\d{8})", passage.text):
            page.take(passage)
            nct = Passage("Title", passage.line, match[1])
        elif not _UPDATED.match(passage.text):
            titles.append(page.take(passage))
    ids = page.many("Other Study ID Numbers")
    official = page.one("Official Title")
    if not official and len(titles) > 2:
        official = titles.pop(1)
    return (
        Identification(
            nct_id=nct or page.one("ClinicalTrials.gov ID") or _nct_among(ids),
            org_study_id=OrgStudyId(next((number for number in ids if not _NCT.search(number.text)), None)),
            secondary_ids=tuple(SecondaryId(number) for number in ids if not _NCT.search(number.text))[1:],
            nct_id_aliases=tuple(number for number in ids if _NCT.search(number.text))[0 if nct else 1 :],
            brief_title=titles[0] if titles else None,
            official_title=official,
            acronym=page.one("Acronym"),
        ),
        tuple(titles[1:]),
    )


def _nct_among(ids: Iterable[Passage]) -> Passage | None:
    return next((number for number in ids if _NCT.search(number.text)), None)


def _read_status(page: PageReader) -> Status:
    updated = next(
        (
            (passage, match)
            for _, passage in page.segments.blocks[0].lines
            if (match := _UPDATED.match(passage.text))
        ),
        None,
    )
    submitted, by = None, None
    if updated:
        page.take(updated[0])
        submitted = Passage("Title", updated[0].line, updated[1]["date"])
        by = Passage("Title", updated[0].line, updated[1]["by"])
    return Status(
        overall_status=page.one("Status"),
        why_stopped=page.one("Why Stopped"),
        start=page.dated("Study Start"),
        primary_completion=page.dated("Primary Completion"),
        completion=page.dated("Study Completion"),
        first_submitted=page.one("First Submitted"),
        first_submitted_qc=page.one("First Submitted that Met QC Criteria"),
        first_posted=page.dated("First Posted"),
        results_first_submitted=page.one("Results First Submitted"),
        results_first_submitted_qc=page.one("Results First Submitted that Met QC Criteria"),
        results_first_posted=page.dated("Results First Posted"),
        delay_first_submitted=page.one("Certification/Extension First Submitted"),
        delay_first_submitted_qc=page.one("Certification/Extension First Submitted that Met QC Criteria"),
        delay_first_posted=page.dated("Certification/Extension First Posted"),
        last_update_submitted=page.one("Last Update Submitted") or submitted,
        last_update_submitted_qc=page.one("Last Update Submitted that Met QC Criteria"),
        last_update_posted=page.dated("Last Update Posted"),
        status_verified=page.one("Last Verified"),
        updated_by=by,
    )


def _read_sponsors(page: PageReader) -> Sponsors:
    return Sponsors(
        ResponsibleParty(type=page.one("Responsible Party")),
        Sponsor(page.one("Sponsor")),
        tuple(Sponsor(name) for name in page.many("Collaborators")),
    )


def _named(page: PageReader, label: str) -> dict[str, Passage]:
    """Take the lines "Name: value" under a label as values by folded name."""
    values: dict[str, Passage] = {}
    for block in page.blocks(label):
        for _, passage in block.lines:
            name, colon, value = passage.text.partition(":")
            if colon and value.strip() and name.strip().lower() not in values:
                page.take(passage)
                values[name.strip().lower()] = Passage(
                    f"{block.path} > {name.strip()}", passage.line, value.strip()
                )
    return values


def _read_design(page: PageReader) -> Design:
    details = _named(page, "Design Details")
    for block in page.blocks("Design Details"):
        for _, passage in block.lines:
            if passage.text.partition(":")[0].strip().lower() not in _DETAILS:
                page.taken.discard(id(passage))
    masking = details.get("masking")
    who: tuple[Passage, ...] = ()
    if masking and (match := re.match(r"^([^(]+?)\s*\((.+)\)$", masking.text)):
        who = _listed(masking, match[2])
        masking = Passage(masking.section, masking.line, match[1])
    model_text = details.get("interventional model description")
    masking_text = details.get("masking description")
    return Design(
        study_type=page.one("Study Type"),
        target_duration=details.get("target follow-up duration") or details.get("target duration"),
        phases=page.many("Phase"),
        info=DesignInfo(
            allocation=details.get("allocation"),
            intervention_model=details.get("interventional model") or details.get("intervention model"),
            intervention_model_description=(model_text,) if model_text else (),
            primary_purpose=details.get("primary purpose"),
            observational_model=details.get("observational model") or details.get("observational models"),
            time_perspective=details.get("time perspective") or details.get("time perspectives"),
            masking_info=Masking(masking, (masking_text,) if masking_text else (), who),
        ),
        enrolment=Enrolment(page.one("Enrollment"), page.suffix("Enrollment")),
    )


def _listed(passage: Passage, text: str) -> tuple[Passage, ...]:
    return tuple(
        Passage(passage.section, passage.line, item.strip()) for item in text.split(",") if item.strip()
    )


def _read_eligibility(page: PageReader) -> Eligibility:
    blocks = page.blocks("Description")
    printed = [
        PrintedLine(indent, passage) for block in blocks for indent, passage in _with_markers(page, block)
    ]
    criteria, remarks = split_criteria(printed)
    low, high, groups = _read_ages(page)
    return Eligibility(
        text=page.many("Description"),
        healthy_volunteers=page.one("Accepts Healthy Volunteers"),
        sex=page.one("Sexes Eligible for Study", "Genders Eligible for Study", "Sex/Gender"),
        gender_based=page.one("Gender Based"),
        gender_description=page.one("Gender Description"),
        minimum_age=low,
        maximum_age=high,
        std_ages=groups,
        study_population=page.many("Study Population"),
        sampling_method=page.one("Sampling Method"),
        criteria=criteria,
        remarks=remarks,
    )


def _with_markers(page: PageReader, block: Block) -> Sequence[tuple[int, Passage]]:
    """Give the lines of a block with a bullet put back before those that were printed with one."""
    return [
        (
            indent,
            Passage(passage.section, passage.line, f"* {passage.text}")
            if id(passage) in page.segments.bulleted
            else passage,
        )
        for indent, passage in block.lines
    ]


def _read_ages(page: PageReader) -> tuple[Passage | None, Passage | None, tuple[Passage, ...]]:
    """Read "18 years to 50 years (Adult)" into minimum, maximum and age groups."""
    line = page.one("Ages Eligible for Study")
    if not line:
        return None, None, ()
    match = _AGES.match(line.text)
    if not match:
        page.taken.discard(id(line))
        return None, None, ()

    def piece(text: str | None) -> Passage | None:
        return Passage(line.section, line.line, text) if text and text.lower() != "older" else None

    return piece(match["low"]), piece(match["high"] or match["only"]), _listed(line, match["groups"] or "")


def _read_contacts(page: PageReader) -> ContactsLocations:
    officials = []
    for block in page.blocks("Investigators", "Investigator"):
        for _, passage in block.lines:
            match = _ROLE.match(passage.text)
            if match:
                page.take(passage)
                role, name, place = (
                    Passage(block.path, passage.line, text.strip()) if text else None
                    for text in (match["role"], match["name"], match["place"])
                )
                officials.append(Official(name, place, role))
    locations, groups = read_locations(page)
    return ContactsLocations(read_contacts(page), tuple(officials), locations, groups)


def _read_references(page: PageReader) -> References:
    return References(
        tuple(Reference(citation=citation) for citation in page.many("General Publications", "Publications")),
        tuple(SeeAlso(label=link) for link in page.many("Helpful Links")),
    )
