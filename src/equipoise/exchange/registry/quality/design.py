"""What a record must have, and whether its arms, its interventions and its masking fit each other.

Sources: 42 CFR 11.28(a)(2); ClinicalTrials.gov, "Protocol Registration Data Element Definitions" (elements
marked with an asterisk; those marked with a section sign are asked of studies that began on or after 18
January 2017).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from equipoise.exchange.registry.facts import code_of
from equipoise.exchange.registry.findings import ERROR, NOTE, WARNING
from equipoise.exchange.registry.model import Passage
from equipoise.exchange.registry.quality.subject import (
    DEFINITIONS,
    REVIEW_2011,
    Hit,
    Rule,
    Subject,
    folded,
    hit,
)

_STOPPED: Final = frozenset({"TERMINATED", "SUSPENDED", "WITHDRAWN"})


@dataclass(frozen=True, slots=True)
class Required:
    """An element that some studies must give: its name, whether it is there, and of which it is asked."""

    element: str
    given: Callable[[Subject], object]
    asked: Callable[[Subject], bool]


def _always(_: Subject) -> bool:
    return True


def _trial(subject: Subject) -> bool:
    return subject.is_interventional


def _new(subject: Subject) -> bool:
    return subject.since_final_rule(subject.record.status.start.date)


def _new_trial(subject: Subject) -> bool:
    return _trial(subject) and _new(subject)


def _observation(subject: Subject) -> bool:
    return subject.is_observational


def _study(subject: Subject) -> bool:
    return _trial(subject) or _observation(subject)


REQUIRED: Final[tuple[Required, ...]] = (
    Required("brief title", lambda s: s.record.identification.brief_title, _always),
    Required("official title", lambda s: s.record.identification.official_title, _new),
    Required("study type", lambda s: s.record.design.study_type, _always),
    Required("overall status", lambda s: s.record.status.overall_status, _always),
    Required("start date", lambda s: s.record.status.start.date, _study),
    Required("primary completion date", lambda s: s.record.status.primary_completion.date, _study),
    Required("study completion date", lambda s: s.record.status.completion.date, _new),
    Required("responsible party", lambda s: s.record.sponsors.responsible_party.type, _new),
    Required("lead sponsor", lambda s: s.record.sponsors.lead_sponsor.name, _always),
    Required(
        "whether a drug that the FDA regulates is studied",
        lambda s: s.record.oversight.is_fda_regulated_drug,
        _new_trial,
    ),
    Required(
        "whether a device that the FDA regulates is studied",
        lambda s: s.record.oversight.is_fda_regulated_device,
        _new_trial,
    ),
    Required("brief summary", lambda s: s.record.description.brief_summary, _always),
    Required("conditions", lambda s: s.record.conditions.conditions, _always),
    Required("primary purpose", lambda s: s.record.design.info.primary_purpose, _trial),
    Required("phase", lambda s: s.record.design.phases, _trial),
    Required("interventional model", lambda s: s.record.design.info.intervention_model, _trial),
    Required("masking", lambda s: s.record.design.info.masking_info.masking, _trial),
    Required(
        "allocation",
        lambda s: s.record.design.info.allocation,
        lambda s: _trial(s) and len(s.record.arms.arm_groups) > 1,
    ),
    Required("enrolment", lambda s: s.record.design.enrolment.count, _study),
    Required("arms", lambda s: s.record.arms.arm_groups, _new_trial),
    Required("interventions", lambda s: s.record.arms.interventions, _trial),
    Required("observational model", lambda s: s.record.design.info.observational_model, _observation),
    Required("time perspective", lambda s: s.record.design.info.time_perspective, _observation),
    Required("study population", lambda s: s.record.eligibility.study_population, _observation),
    Required("sampling method", lambda s: s.record.eligibility.sampling_method, _observation),
    Required("sex of participants", lambda s: s.record.eligibility.sex, _always),
    Required(
        "reason why the study stopped",
        lambda s: s.record.status.why_stopped,
        lambda s: s.status in _STOPPED and _new(s),
    ),
)


def find_missing(subject: Subject) -> Iterator[Hit]:
    """Every element that is asked of such a study is there."""
    for element in REQUIRED:
        if element.asked(subject) and not element.given(subject):
            yield hit(subject.name, detail=element.element)


# ---- arms and interventions --------------------------------------------------------------------------------


def _links(subject: Subject) -> tuple[set[str], set[str]]:
    """Return the labels of arms and the names of interventions that are linked, from either side."""
    arms = subject.record.arms
    labels = {folded(label) for each in arms.interventions for label in each.arm_labels}
    names = {name.text.partition(":")[2] for arm in arms.arm_groups for name in arm.intervention_names}
    return labels, {folded(Passage("", 0, name)) for name in names}


def find_idle_arms(subject: Subject) -> Iterator[Hit]:
    """Every arm has an intervention, unless its type is No Intervention."""
    labels, _ = _links(subject)
    for arm in subject.record.arms.arm_groups if subject.is_interventional else ():
        linked = bool(arm.intervention_names) or folded(arm.label) in labels
        if not linked and code_of(arm.type) != "NO_INTERVENTION":
            yield hit(arm.label, arm.type)


def find_busy_arms(subject: Subject) -> Iterator[Hit]:
    """An arm whose type is No Intervention has none."""
    for arm in subject.record.arms.arm_groups:
        if code_of(arm.type) == "NO_INTERVENTION" and arm.intervention_names:
            yield hit(arm.label, arm.type, *arm.intervention_names)


def find_unused(subject: Subject) -> Iterator[Hit]:
    """Every intervention is given in an arm, where there are arms."""
    if not subject.is_interventional or not subject.record.arms.arm_groups:
        return
    _, names = _links(subject)
    for each in subject.record.arms.interventions:
        if not each.arm_labels and folded(each.name) not in names:
            yield hit(each.name)


def find_same_arms(subject: Subject) -> Iterator[Hit]:
    """No two arms have one title."""
    seen: dict[str, Passage] = {}
    for arm in subject.record.arms.arm_groups:
        if arm.label is not None:
            if folded(arm.label) in seen:
                yield hit(seen[folded(arm.label)], arm.label)
            seen[folded(arm.label)] = arm.label


# ---- masking and allocation --------------------------------------------------------------------------------

_MASKED: Final = frozenset({"SINGLE", "DOUBLE", "TRIPLE", "QUADRUPLE"})


def find_unnamed_masking(subject: Subject) -> Iterator[Hit]:
    """The record names who is masked just when somebody is."""
    info = subject.record.design.info.masking_info
    code = code_of(info.masking)
    if (code in _MASKED and not info.who_masked) or (code == "NONE" and info.who_masked):
        yield hit(info.masking, *info.who_masked)


_RANDOMISED: Final = re.compile(r"(?<!non-)(?<!non)(?<!non )\brandomi[sz]ed\b", re.IGNORECASE)
_OF_ANOTHER: Final = re.compile(
    r"follow|extension|long[-\s]term|participants?\s+(?:in|of|from)|after|previous|mendelian|secondary\s+analysis"
    r"|sub-?study|ancillary|emulat|screening|registry|feasib",
    re.IGNORECASE,
)


def find_randomised_observation(subject: Subject) -> Iterator[Hit]:
    """A study that its title calls randomised is interventional."""
    identification = subject.record.identification
    if subject.is_observational:
        for title in (identification.brief_title, identification.official_title):
            if title and _RANDOMISED.search(title.text) and not _OF_ANOTHER.search(title.text):
                yield hit(subject.record.design.study_type, title)


_NCT: Final = f"{DEFINITIONS}, Arms, Groups, and Interventions"

RULES: Final = (
    Rule(
        "PRS-MISSING",
        ERROR,
        find_missing,
        "Elements are missing that the registry asks for",
        "Add them",
        f"42 CFR 11.28(a)(2); {DEFINITIONS}, required elements",
    ),
    Rule(
        "PRS-ARM-IDLE",
        ERROR,
        find_idle_arms,
        "An arm has no intervention",
        "Link it with what its participants are given, or type it as No Intervention",
        f"{_NCT}, Arm or Group/Intervention Cross-Reference",
    ),
    Rule(
        "PRS-ARM-BUSY",
        ERROR,
        find_busy_arms,
        "An arm of the type No Intervention has an intervention",
        "Correct its type, or remove the link",
        f"{_NCT}, Arm Type",
    ),
    Rule(
        "PRS-INTERVENTION-UNUSED",
        ERROR,
        find_unused,
        "An intervention is given in no arm",
        "Link it with its arms",
        f"{_NCT}, Arm or Group/Intervention Cross-Reference",
    ),
    Rule(
        "PRS-ARM-ALIKE",
        ERROR,
        find_same_arms,
        "Two arms have the same title",
        "Tell them apart by their titles",
        f"{_NCT}, Arm Title",
        of_pages=True,
    ),
    Rule(
        "PRS-MASKING-WHO",
        NOTE,
        find_unnamed_masking,
        "The masking and those who are masked do not go together",
        "Name the masked roles for a masked study, and none for an open one",
        f"{DEFINITIONS}, Masking",
    ),
    Rule(
        "PRS-OBSERVATION-RANDOMISED",
        WARNING,
        find_randomised_observation,
        "A title calls an observational study randomised",
        "Register it as interventional, or correct the title",
        f"{REVIEW_2011}, internal inconsistency",
        of_pages=True,
    ),
)
