"""The texts of a record in which claims can stand, their sentences, and the search for claims in them."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from equipoise.exchange.registry.model import Criterion, Passage, RegistryRecord
from equipoise.exchange.registry.numbers import Length, Range

TITLE, SUMMARY, DESCRIPTION, DESIGN = "title", "summary", "description", "design"
INCLUSION, EXCLUSION, POPULATION = "inclusion", "exclusion", "population"
ARMS, INTERVENTIONS, OUTCOMES, RESULTS = "arms", "interventions", "outcomes", "results"
NARRATIVE: Final = frozenset({TITLE, SUMMARY, DESCRIPTION, DESIGN})


_RESULTS_TEXT: Final = re.compile(
    r"resultsSection\.(?:participantFlow|baselineCharacteristics)Module\..*(?:Details|escription)$"
)


@dataclass(frozen=True, slots=True)
class Spot:
    """A passage and the zone of the record it belongs to; `nested` marks a sub-item of a criterion, and
    `small` is the text in small letters.
    """

    zone: str
    passage: Passage
    nested: bool = False
    small: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "small", self.passage.text.lower())


@dataclass(frozen=True, slots=True)
class Claim:
    """A value stated by text[start:end] of a spot's passage; `subject` tells claims of one kind apart."""

    spot: Spot
    start: int
    end: int
    value: Range | Length | float | str | tuple[float, ...]
    subject: str = ""
    hedged: bool = False

    @property
    def passage(self) -> Passage:
        return self.spot.passage


def spots(record: RegistryRecord) -> tuple[Spot, ...]:
    """Return the texts in which a claim can stand: no references, contacts, dates, codes or tables of
    results.
    """
    found: list[Spot] = []

    def add(zone: str, *passages: Passage | None) -> None:
        found.extend(Spot(zone, piece) for passage in passages if passage for piece in pieces(passage))

    identification, info = record.identification, record.design.info
    add(TITLE, identification.brief_title, identification.official_title)
    add(SUMMARY, *record.description.brief_summary)
    add(DESCRIPTION, *record.description.detailed_description)
    add(DESIGN, *info.intervention_model_description, *info.masking_info.description)
    for arm in record.arms.arm_groups:
        add(ARMS, arm.label, *arm.description)
    for intervention in record.arms.interventions:
        add(INTERVENTIONS, intervention.name, *intervention.description)
    for outcome in (*record.outcomes.primary, *record.outcomes.secondary, *record.outcomes.other):
        add(OUTCOMES, outcome.measure, *outcome.description)
    add(POPULATION, *record.eligibility.study_population)
    for criterion in record.eligibility.criteria:
        found.extend(_criterion_spots(criterion, nested=False))
    add(RESULTS, *(text for text in record.results if _RESULTS_TEXT.match(text.section)))
    return tuple(found)


def _criterion_spots(criterion: Criterion, *, nested: bool) -> Iterator[Spot]:
    for piece in pieces(criterion.text):
        yield Spot(criterion.category, piece, nested)
    for passage in criterion.more:
        for piece in pieces(passage):
            yield Spot(criterion.category, piece, nested=True)
    for item in criterion.items:
        yield from _criterion_spots(item, nested=True)


_PIECE_CHARACTERS_MAX: Final = 3000
_SENTENCE_END: Final = re.compile(r"(?<=[.;!?])\s+(?=[A-Z(•*])|\n+")


@lru_cache(maxsize=256)
def _sentences(text: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the starts and the ends of a text's sentences."""
    breaks = list(_SENTENCE_END.finditer(text))
    return (0, *(match.end() for match in breaks)), (*(match.start() for match in breaks), len(text))


def sentence_around(text: str, start: int) -> tuple[int, int]:
    """Return the span of the sentence in which a position lies."""
    starts, ends = _sentences(text)
    index = max(bisect_right(starts, start) - 1, 0)
    return starts[index], ends[index]


def pieces(passage: Passage) -> Iterator[Passage]:
    """Cut a long text between sentences (an endless one anywhere), so that searching it takes linear time."""
    text, begin = passage.text, 0
    while len(text) - begin > _PIECE_CHARACTERS_MAX:
        ends = [match.start() for match in _SENTENCE_END.finditer(text, begin, begin + _PIECE_CHARACTERS_MAX)]
        end = ends[-1] if ends and ends[-1] > begin else begin + _PIECE_CHARACTERS_MAX
        yield Passage(passage.section, passage.line, text[begin:end])
        begin = end
    yield passage if begin == 0 else Passage(passage.section, passage.line, text[begin:])


# A sentence about another study than this one makes no claim about this one.
_ELSEWHERE: Final = re.compile(
    r"\b(?:previous(?:ly)?|prior|earlier|historical|published|literature|meta-analys[ie]s|et al"
    r"|parent study|other stud|"
    r"future|subsequent|larger|later|pivotal|has been shown|have been shown|were shown|has shown"
    r"|have shown|reported (?:in|by))\b",
    re.IGNORECASE,
)
_HEDGE: Final = re.compile(
    r"(?:approximately|about|around|roughly|some|up to|at least|at most|maximum(?: of)?|~|more than|>|≥"
    r"|≤|<)\s*$",
    re.I,
)


def _elsewhere(text: str, start: int) -> bool:
    begin, end = sentence_around(text, start)
    return bool(_ELSEWHERE.search(text, begin, end))


def claims_in(
    all_spots: Sequence[Spot],
    zones: frozenset[str],
    pattern: re.Pattern[str],
    value: Callable[[re.Match[str], Spot], Range | Length | float | str | tuple[float, ...] | None],
    cue: str = "",
) -> Iterator[Claim]:
    """Yield a claim for each match of a pattern in some zones that has a value and is about this study.

    Every match that has a value comes with the `cue`, a pattern in small letters: texts without it are passed
    over, as looking for the pattern itself takes long.
    """
    hint = re.compile(cue)
    for spot in all_spots:
        if spot.zone not in zones or not hint.search(spot.small):
            continue
        for match in pattern.finditer(spot.passage.text):
            found = value(match, spot)
            if found is not None and not (
                spot.zone in NARRATIVE and _elsewhere(spot.passage.text, match.start())
            ):
                hedged = bool(_HEDGE.search(spot.passage.text, 0, match.start()))
                yield Claim(spot, match.start(), match.end(), found, hedged=hedged)


def said(claim: Claim) -> str:
    """Return the words that state a claim."""
    return claim.passage.text[claim.start : claim.end]
