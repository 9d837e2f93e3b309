"""No text is longer than the registry takes.

Sources: ClinicalTrials.gov, "Protocol Registration Data Element Definitions" and "Results Data Element
Definitions", the limit of each element. Only limits that stand there are asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from equipoise.exchange.registry.findings import ERROR
from equipoise.exchange.registry.model import Outcome, Passage, RegistryRecord
from equipoise.exchange.registry.quality.subject import (
    DEFINITIONS,
    RESULTS_DEFINITIONS,
    Hit,
    Rule,
    Subject,
    hit,
    words_of,
)


@dataclass(frozen=True, slots=True)
class Limit:
    """An element, the most characters it may have, and where it stands in a record."""

    element: str
    characters: int
    source: str
    texts: Callable[[RegistryRecord], Iterable[Passage | None]]


def _of_results(element: str, characters: int, pattern: str) -> Limit:
    matches = re.compile(r"resultsSection\." + pattern + r"$").match

    def texts(record: RegistryRecord) -> Iterator[Passage]:
        # The length is asked first, as a results section has thousands of leaves, and few of them are long.
        return (each for each in record.results if len(each.text) > characters and matches(each.section))

    return Limit(element, characters, f"{RESULTS_DEFINITIONS}, Limit", texts)


_OUTCOME: Final = r"outcomeMeasuresModule\.outcomeMeasures\[\d+\]\."
_GROUP: Final = r"(?:\w+\.outcomeMeasures\[\d+\]\.groups|\w+\.groups|\w+\.eventGroups)\[\d+\]\."
_ABOUT: Final = f"{DEFINITIONS}, Limit"

LIMITS: Final[tuple[Limit, ...]] = (
    Limit("unique protocol identification number", 30, _ABOUT, lambda r: [r.identification.org_study_id.id]),
    Limit("brief title", 300, _ABOUT, lambda r: [r.identification.brief_title]),
    Limit("official title", 600, _ABOUT, lambda r: [r.identification.official_title]),
    Limit("acronym", 14, _ABOUT, lambda r: [r.identification.acronym]),
    Limit("secondary ID", 30, _ABOUT, lambda r: (each.id for each in r.identification.secondary_ids)),
    Limit("reason why the study stopped", 250, _ABOUT, lambda r: [r.status.why_stopped]),
    Limit("brief summary", 5_000, _ABOUT, lambda r: r.description.brief_summary),
    Limit("detailed description", 32_000, _ABOUT, lambda r: r.description.detailed_description),
    Limit(
        "description of the interventional model",
        1_000,
        _ABOUT,
        lambda r: r.design.info.intervention_model_description,
    ),
    Limit("description of the masking", 1_000, _ABOUT, lambda r: r.design.info.masking_info.description),
    Limit("arm title", 100, _ABOUT, lambda r: (arm.label for arm in r.arms.arm_groups)),
    Limit(
        "arm description", 999, _ABOUT, lambda r: (t for arm in r.arms.arm_groups for t in arm.description)
    ),
    Limit("intervention name", 200, _ABOUT, lambda r: (each.name for each in r.arms.interventions)),
    Limit(
        "other intervention name",
        200,
        _ABOUT,
        lambda r: (name for each in r.arms.interventions for name in each.other_names),
    ),
    Limit(
        "intervention description",
        1_000,
        _ABOUT,
        lambda r: (text for each in r.arms.interventions for text in each.description),
    ),
    Limit("outcome title", 255, _ABOUT, lambda r: (each.measure for each in _outcomes(r))),
    Limit("outcome time frame", 255, _ABOUT, lambda r: (each.time_frame for each in _outcomes(r))),
    Limit(
        "outcome description", 999, _ABOUT, lambda r: (t for each in _outcomes(r) for t in each.description)
    ),
    Limit("eligibility criteria", 20_000, _ABOUT, lambda r: r.eligibility.text),
    Limit(
        "description of eligibility by gender", 1_000, _ABOUT, lambda r: [r.eligibility.gender_description]
    ),
    Limit("study population", 1_000, _ABOUT, lambda r: r.eligibility.study_population),
    Limit("facility name", 255, _ABOUT, lambda r: (each.facility for each in r.contacts.locations)),
    Limit("plan to share data", 1_000, _ABOUT, lambda r: r.ipd_sharing.description),
    _of_results("recruitment details", 500, r"participantFlowModule\.recruitmentDetails"),
    _of_results("group title of results", 100, _GROUP + "title"),
    _of_results("outcome measure title", 255, _OUTCOME + "title"),
    _of_results("outcome measure description", 999, _OUTCOME + "description"),
    _of_results("outcome measure time frame", 255, _OUTCOME + "timeFrame"),
    _of_results("limitations and caveats", 500, r"moreInfoModule\.limitationsAndCaveats\.description"),
)


def _outcomes(record: RegistryRecord) -> Iterator[Outcome]:
    yield from (*record.outcomes.primary, *record.outcomes.secondary, *record.outcomes.other)


def find_long(subject: Subject) -> Iterator[Hit]:
    """A text has no more characters than its element's limit; markup and white space count once."""
    record = subject.record
    for limit in LIMITS:
        for passage in limit.texts(record):
            # The file's text is rarely longer than the limit, and is never shorter than its words.
            if passage and len(passage.text) > limit.characters:
                length = len(words_of(passage.text))
                if length > limit.characters:
                    yield hit(
                        passage, detail=f"{limit.element}, {length:,} characters of {limit.characters:,}"
                    )


RULES: Final = (
    Rule(
        "PRS-LENGTH",
        ERROR,
        find_long,
        "A text is longer than the registry takes",
        "Shorten it",
        f"{DEFINITIONS}; {RESULTS_DEFINITIONS}: limits",
        of_pages=True,
    ),
)
