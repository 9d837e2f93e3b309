"""The layout of a copied study page: its headings and labels, and the blocks of lines under them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from equipoise.exchange.registry.model import Passage

# Headings of the first order, each with the labels that may stand under it, in the page's spelling (case is
# ignored).
_DATES: Final = (
    "Study Start", "Primary Completion", "Study Completion",
    "First Submitted", "First Submitted that Met QC Criteria", "First Posted",
    "Results First Submitted", "Results First Submitted that Met QC Criteria", "Results First Posted",
    "Certification/Extension First Submitted", "Certification/Extension First Submitted that Met QC Criteria",
    "Certification/Extension First Posted",
    "Last Update Submitted", "Last Update Submitted that Met QC Criteria", "Last Update Posted",
    "Last Verified",
)  # fmt: skip
LAYOUT: Final[dict[str, tuple[str, ...]]] = {
    "Study Overview": (
        "Status", "Why Stopped", "Conditions", "Condition", "Intervention / Treatment", "Phase",
        "Intervention/Treatment", "Brief Summary", "Detailed Description", "Official Title", "Study Type",
        "Enrollment", "Expanded Access", "Other Study ID Numbers", "ClinicalTrials.gov ID", "Sponsor",
        "Acronym", *_DATES,
    ),
    "Contacts and Locations": ("Study Contact", "Study Contact Backup", "Study Locations", "Locations"),
    "Participation Criteria": (
        "Eligibility Criteria", "Ages Eligible for Study", "Accepts Healthy Volunteers", "Description",
        "Sexes Eligible for Study", "Genders Eligible for Study", "Sex/Gender", "Gender Based",
        "Gender Description", "Sampling Method", "Study Population",
    ),
    "Study Plan": (
        "How is the study designed?", "Design Details", "Arms and Interventions",
        "What is the study measuring?", "Primary Outcome Measures", "Secondary Outcome Measures",
        "Other Outcome Measures",
        "Primary Outcome Measure", "Secondary Outcome Measure", "Other Outcome Measure",
    ),
    "Collaborators and Investigators": (
        "Sponsor", "Collaborators", "Investigators", "Investigator", "Responsible Party",
    ),
    "Publications and helpful links": ("General Publications", "Helpful Links", "Publications"),
    "Study record dates": ("Study Major Dates", "Study Registration Dates", "Study Record Updates", *_DATES),
    "More Information": (
        "Terms related to this study", "Keywords", "Additional Relevant MeSH Terms", "Other Study ID Numbers",
        "Plan for Individual participant data (IPD)", "Plan to Share Individual Participant Data (IPD)?",
        "IPD Plan Description", "IPD Sharing Time Frame", "IPD Sharing Access Criteria",
        "IPD Sharing Supporting Information Type", "Drug and device information, study documents",
        "Studies a U.S. FDA-regulated drug product", "Studies a U.S. FDA-regulated device product",
        "Product manufactured in and exported from the U.S.", "Human Subjects Review",
        "Data Monitoring Committee",
    ),
}  # fmt: skip
_OTHER_SPELLINGS: Final = {
    "publications": "Publications and helpful links",
    "study record dates": "Study record dates",
}
# Labels too plain to be trusted outside their own heading: a protocol's prose has such lines of its own.
_PLAIN: Final = frozenset(
    label.lower()
    for label in (
        "Status", "Conditions", "Condition", "Phase", "Description", "Sponsor", "Collaborators",
        "Investigators", "Investigator", "Keywords", "Publications", "Acronym", "Locations", "Enrollment",
        "Study Population", "Eligibility Criteria", "Sampling Method", "Responsible Party",
    )
)  # fmt: skip
_TYPE_SUFFIX: Final = re.compile(r"\s*\((Actual|Estimated?|Anticipated)\)\s*:?\s*$", re.IGNORECASE)
# Opening words of the texts that the site prints on every study's page.
_FIXED_OPENINGS: Final = (
    "this section provides the contact details", "researchers look for people who fit", "subscribe",
    "this section provides details of", "this is where you will find", "the person responsible for entering",
    "these dates track the progress", "this information was retrieved directly", "study record managers",
    "these publications come from", "more information about this study", "no publications available",
    "for general information, learn about",
)  # fmt: skip
_RELATED: Final = re.compile(r"^Clinical Trials on\s+(\S.*)$")
BULLET: Final = re.compile(r"^[•*▪◦●·]\s*|^[-–]\s+")


@dataclass
class Block:
    """The lines under one label: heading path, the label's own line, its type suffix, and (indentation,
    passage) pairs.
    """

    path: str
    label: str
    heading: Passage | None = None
    suffix: str = ""
    lines: list[tuple[int, Passage]] = field(default_factory=list)


@dataclass
class Segments:
    """A page cut at its headings and labels; `bulleted` holds the identities of passages that were printed
    with a bullet.
    """

    blocks: list[Block] = field(default_factory=list)
    boilerplate: list[Passage] = field(default_factory=list)
    related: list[Passage] = field(default_factory=list)
    headings: set[str] = field(default_factory=set)
    bulleted: set[int] = field(default_factory=set)


def _fold(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip().rstrip(":").rstrip().lower()


_HEADINGS: Final = {_fold(heading): heading for heading in LAYOUT} | _OTHER_SPELLINGS
_LABELS: Final = {(heading, _fold(label)): label for heading, labels in LAYOUT.items() for label in labels}
_HOMES: Final = {
    _fold(label): heading
    for heading, labels in reversed(LAYOUT.items())
    for label in labels
    if _fold(label) not in _PLAIN
}


def segment(lines: Sequence[str]) -> Segments:
    """Cut a page into blocks; every non-blank line goes to a block, to the boilerplate or to the related
    terms.
    """
    result = Segments()
    heading, block = "", Block("", "")
    result.blocks.append(block)
    for number, raw in enumerate(lines, 1):
        text = raw.strip()
        if not text:
            continue
        unmarked = BULLET.sub("", text)
        suffix = _TYPE_SUFFIX.search(unmarked)
        folded = _fold(_TYPE_SUFFIX.sub("", unmarked))
        found = _HEADINGS.get(folded)
        # "Publications" is a heading on one layout and a label on the other: under its heading it is the
        # label.
        if found and not (found == heading and (heading, folded) in _LABELS):
            heading, block = found, Block(found, "")
            result.headings.add(found)
            result.blocks.append(block)
            result.boilerplate.append(Passage(found, number, text))
            continue
        home = (
            heading if (heading, folded) in _LABELS else (_HOMES.get(folded) if not is_prose(block) else None)
        )
        if (
            home
            and (home, folded) in _LABELS
            and not (block.label == "Arms and Interventions" and "/" in folded)
        ):
            heading, label = home, _LABELS[home, folded]
            block = Block(f"{home} > {label}", label, Passage(f"{home} > {label}", number, text))
            result.blocks.append(block)
            if suffix:
                block.suffix = suffix[1]
            else:
                result.boilerplate.append(Passage(block.path, number, text))
            continue
        if text.lower().startswith(_FIXED_OPENINGS):
            result.boilerplate.append(Passage(block.path, number, text))
        elif related := _RELATED.match(text):
            result.related.append(Passage(f"{heading} > Clinical Trials on", number, related[1]))
        else:
            passage = Passage(block.path or "Title", number, unmarked)
            block.lines.append((len(raw) - len(raw.lstrip()), passage))
            if unmarked != text:
                result.bulleted.add(id(passage))
    return result


def is_prose(block: Block) -> bool:
    """Say whether a block holds free text, in which a line that looks like a label of another heading is just
    text.
    """
    return block.label in {"Description", "Detailed Description", "Brief Summary", "Study Population"}
