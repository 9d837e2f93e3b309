"""Reads the tables and nested lists of a copied page: arms and interventions, outcome measures, locations,
contacts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from equipoise.exchange.registry.model import (
    ArmGroup,
    Arms,
    Contact,
    Intervention,
    Location,
    Outcome,
    Passage,
)

if TYPE_CHECKING:
    from equipoise.exchange.registry.read_page import PageReader

_ARM: Final = re.compile(
    r"^(Experimental|Active Comparator|Placebo Comparator|Sham Comparator|No Intervention"
    r"|Other)\s*:\s*(\S.*)$"
)
_INTERVENTION: Final = re.compile(
    r"^(Drug|Device|Biological(?:/Vaccine)?|Procedure(?:/Surgery)?|Radiation|Behavioral|Genetic"
    r"|Dietary Supplement|"
    r"Combination Product|Diagnostic Test|Other)\s*:\s*(\S.*)$"
)
_ARM_COLUMNS: Final = {
    "participant group / arm",
    "participant group/arm",
    "intervention / treatment",
    "intervention/treatment",
}
_OTHER_NAMES: Final = "other names"
_OUTCOME_COLUMNS: Final = {
    "outcome measure": "measure",
    "measure description": "description",
    "time frame": "time frame",
}
_TIME_FRAME: Final = re.compile(r"^Time Frame\s*:\s*(\S.*)$", re.IGNORECASE)
_TIME_LIKE: Final = re.compile(
    r"\b\d+(?:[.,]\d+)?[\s-]*(?:hour|day|week|month|year)|\b(?:hour|day|week|month|year)s?\s+\d", re.I
)
_CELL_CHARACTERS_MAX: Final = 60
_DIGIT: Final = re.compile(r"\d")
_CONTACT_FIELD: Final = re.compile(
    r"^(Name|Phone(?: Number)?|Email|E-mail|Phone Ext(?:ension)?)\s*:\s*(\S.*)$", re.IGNORECASE
)


def read_arms(page: PageReader) -> Arms:
    """Read the arms' table and the overview's list of interventions; an intervention's later mentions stay
    with the arm.
    """
    arms: list[ArmGroup] = []
    interventions: list[Intervention] = []
    for block in page.blocks("Intervention / Treatment", "Intervention/Treatment"):
        for _, passage in block.lines:
            if match := _INTERVENTION.match(passage.text):
                page.take(passage)
                kind, name = _pieces(passage, match)
                interventions.append(Intervention(type=kind, name=name))
    for block in page.blocks("Arms and Interventions"):
        columns = [passage for _, passage in block.lines if passage.text.lower() in _ARM_COLUMNS]
        page.segments.boilerplate.extend(page.take(passage) for passage in columns)
        lines = [passage for _, passage in block.lines if passage not in columns]
        typed = any(_ARM.match(passage.text) for passage in lines)
        _read_arm_lines(page, lines, typed, arms, interventions)
    return Arms(tuple(arms), tuple(interventions))


def _read_arm_lines(
    page: PageReader,
    lines: Sequence[Passage],
    typed: bool,
    arms: list[ArmGroup],
    interventions: list[Intervention],
) -> None:
    """Walk the arms' table line by line: an arm's heading, its text, its interventions with theirs."""
    current: int | None = None
    names_follow = False
    for passage in lines:
        arm = _ARM.match(passage.text)
        treatment = _INTERVENTION.match(passage.text)
        if arm and treatment and arms and not arms[-1].intervention_names:
            arm = None
        if arm:
            page.take(passage)
            kind, label = _pieces(passage, arm)
            arms.append(ArmGroup(label=label, type=kind))
            current, names_follow = None, False
        elif treatment and (arms or not typed):
            page.take(passage)
            if arms:
                arms[-1] = replace(arms[-1], intervention_names=(*arms[-1].intervention_names, passage))
            current, names_follow = _index_of(passage, treatment, interventions), False
        elif passage.text.lower().rstrip(":") == _OTHER_NAMES and current is not None:
            page.segments.boilerplate.append(page.take(passage))
            names_follow = True
        elif current is not None:
            page.take(passage)
            known = interventions[current]
            if names_follow:
                interventions[current] = replace(known, other_names=(*known.other_names, passage))
            else:
                interventions[current] = replace(known, description=(*known.description, passage))
        elif arms and (typed or arms[-1].label):
            page.take(passage)
            arms[-1] = replace(arms[-1], description=(*arms[-1].description, passage))
        elif not typed:
            arms.append(ArmGroup(label=page.take(passage)))


def _index_of(passage: Passage, match: re.Match[str], interventions: list[Intervention]) -> int:
    """Find the intervention that a line names, or add it."""
    for index, known in enumerate(interventions):
        if known.name and known.name.text.lower() == match[2].strip().lower():
            return index
    kind, name = _pieces(passage, match)
    interventions.append(Intervention(type=kind, name=name))
    return len(interventions) - 1


def _pieces(passage: Passage, match: re.Match[str]) -> tuple[Passage, Passage]:
    first, second = (Passage(passage.section, passage.line, text.strip()) for text in match.groups()[:2])
    return first, second


def read_outcomes(page: PageReader, *labels: str) -> tuple[Outcome, ...]:
    """Read one table of outcome measures.

    The page prints measure, "Time Frame: x", description and x again; a page without that line is read by its
    columns.
    """
    outcomes: list[Outcome] = []
    for block in page.blocks(*labels):
        lines = [passage for _, passage in block.lines]
        columns: list[str] = []
        while lines and lines[0].text.lower() in _OUTCOME_COLUMNS and len(columns) < len(_OUTCOME_COLUMNS):
            columns.append(_OUTCOME_COLUMNS[lines[0].text.lower()])
            page.segments.boilerplate.append(page.take(lines.pop(0)))
        frames = [index for index, passage in enumerate(lines) if _TIME_FRAME.match(passage.text)]
        if frames:
            ends = [index - 1 for index in frames[1:]] + [len(lines)]
            outcomes += [
                _outcome(page, lines[max(frame - 1, 0) : end], frame > 0)
                for frame, end in zip(frames, ends, strict=True)
            ]
        elif columns and len(lines) % len(columns) == 0:
            for start in range(0, len(lines), len(columns)):
                row = dict(zip(columns, lines[start : start + len(columns)], strict=True))
                for passage in row.values():
                    page.take(passage)
                text = row.get("description")
                outcomes.append(Outcome(row.get("measure"), (text,) if text else (), row.get("time frame")))
    return tuple(outcomes)


def _outcome(page: PageReader, lines: Sequence[Passage], has_measure: bool) -> Outcome:
    for passage in lines:
        page.take(passage)
    measure = lines[0] if has_measure else None
    head, *rest = lines[1:] if has_measure else lines
    match = _TIME_FRAME.match(head.text)
    frame = Passage(head.section, head.line, match[1]) if match else head
    again = None
    if rest and (rest[-1].text.lower() == frame.text.lower() or _is_time_cell(rest[-1].text)):
        again = rest.pop()
    return Outcome(measure, tuple(rest), frame, again)


def _is_time_cell(text: str) -> bool:
    return len(text) <= _CELL_CHARACTERS_MAX and not text.endswith(".") and bool(_TIME_LIKE.search(text))


def read_locations(page: PageReader) -> tuple[tuple[Location, ...], tuple[Passage, ...]]:
    """Read the nested list of places: an address line, with the facilities indented under it; countries may
    group them.
    """
    locations: list[Location] = []
    groups: list[Passage] = []
    for block in page.blocks("Study Locations", "Locations"):
        lines = block.lines
        flat = len({indent for indent, _ in lines}) <= 1
        stack: list[tuple[int, Passage, bool]] = []
        for index, (indent, passage) in enumerate(lines):
            following = lines[index + 1][0] if index + 1 < len(lines) else -1
            page.take(passage)
            while stack and (stack[-1][0] >= indent and not flat):
                stack.pop()
            if flat and index % 2 == 1:
                locations.append(_location(lines[index - 1][1], passage))
            elif flat and index + 1 == len(lines):
                locations.append(_location(passage, None))
            elif not flat and following > indent:
                is_address = "," in passage.text
                stack.append((indent, passage, is_address))
                if not is_address:
                    groups.append(passage)
            elif not flat:
                address = stack[-1][1] if stack and stack[-1][2] else None
                locations.append(_location(address, passage) if address else _location(passage, None))
    return tuple(locations), tuple(groups)


def _location(address: Passage | None, facility: Passage | None) -> Location:
    """Split "City, State, Country, 12345"; a last piece with a digit is the postal code."""
    if address is None:
        return Location(facility=facility)
    pieces = [
        Passage(address.section, address.line, piece.strip())
        for piece in address.text.split(",")
        if piece.strip()
    ]
    postal = pieces.pop() if len(pieces) > 1 and _DIGIT.search(pieces[-1].text) else None
    country = pieces.pop() if len(pieces) > 1 else None
    state = pieces.pop() if len(pieces) > 1 else None
    return Location(facility=facility, city=pieces[0], state=state, country=country, zip=postal)


def read_contacts(page: PageReader) -> tuple[Contact, ...]:
    """Read the contacts, whose details the page prints as "Name: ...", "Phone Number: ...", "Email: ..."."""
    contacts: list[Contact] = []
    for block in page.blocks("Study Contact", "Study Contact Backup"):
        contact = Contact()
        for _, passage in block.lines:
            match = _CONTACT_FIELD.match(passage.text)
            if not match:
                continue
            page.take(passage)
            value = Passage(block.path, passage.line, match[2])
            name = match[1].lower()
            if name == "name":
                contact = replace(contact, name=value)
            elif "ext" in name:
                contact = replace(contact, phone_extension=value)
            elif "phone" in name:
                contact = replace(contact, phone=value)
            else:
                contact = replace(contact, email=value)
        if contact != Contact():
            contacts.append(contact)
    return tuple(contacts)
