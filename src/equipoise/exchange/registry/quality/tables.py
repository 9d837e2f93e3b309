"""The tables of a results section, as the rules read them; every cell keeps its place in the file.

Source: ClinicalTrials.gov, "Study Data Structure" (API v2), resultsSection.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import inf, isfinite
from typing import Final

from equipoise.exchange.registry.facts import code_of
from equipoise.exchange.registry.json_tree import Branch, Node, Row
from equipoise.exchange.registry.model import Passage

_NUMBER: Final = re.compile(r"-?(?:(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?|\.\d+)", re.ASCII)
PARTICIPANTS: Final = re.compile(
    r"\b(?:participants?|subjects?|patients?|persons?|people|individuals?|volunteers?|children|infants|adults"
    r"|women|men)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Part:
    """An object of the file, by the names of its members."""

    members: Mapping[str, Node]

    def text(self, name: str) -> Passage | None:
        node = self.members.get(name)
        return node if isinstance(node, Passage) else None

    def part(self, name: str) -> Part:
        return part_of(self.members.get(name))

    def parts(self, name: str) -> tuple[Part, ...]:
        node = self.members.get(name)
        return tuple(part_of(item) for item in node.items) if isinstance(node, Row) else ()


def part_of(node: object) -> Part:
    """Return an object of the file, or an empty one for anything else."""
    return Part(dict(reversed(node.members)) if isinstance(node, Branch) else {})


def number_of(passage: Passage | None) -> float | None:
    """Return the number that a cell holds, or None: -1.5, .33, 1,200."""
    text = passage.text.strip() if passage else ""
    value = float(text.replace(",", "")) if _NUMBER.fullmatch(text) else inf
    return value if isfinite(value) else None


def last_place(passage: Passage | None) -> float:
    """Return half a unit of the last decimal place that a cell gives: by so much it may be rounded."""
    decimals = passage.text.strip().partition(".")[2] if passage else ""
    return 0.5 * 10.0 ** -len(decimals)


@dataclass(frozen=True, slots=True)
class Cell:
    """A value of one group, with what stands beside it."""

    group: str
    value: Passage | None
    spread: Passage | None
    low: Passage | None
    high: Passage | None
    comment: Passage | None


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row of a table: its title, the participants of each group, and a tuple of cells for each category."""

    title: str
    analysed: Mapping[str, Passage]
    categories: tuple[tuple[Cell, ...], ...]

    @property
    def cells(self) -> Iterator[Cell]:
        return (cell for category in self.categories for cell in category)


@dataclass(frozen=True)
class Measure:
    """A baseline or outcome measure: its title, kind, unit and rows."""

    part: Part
    analysed: Mapping[str, Passage]

    @cached_property
    def title(self) -> Passage | None:
        return self.part.text("title")

    @cached_property
    def kind(self) -> str:
        """MEAN, COUNT_OF_PARTICIPANTS, ...; baseline and outcome measures spell it alike."""
        return code_of(self.part.text("paramType"))

    @cached_property
    def dispersion(self) -> str:
        """STANDARD_DEVIATION, FULL_RANGE, ...; nothing where there is none."""
        code = code_of(self.part.text("dispersionType"))
        return "" if code in {"NA", "NONE"} else code

    @cached_property
    def unit(self) -> Passage | None:
        return self.part.text("unitOfMeasure")

    @cached_property
    def type(self) -> str:
        return code_of(self.part.text("type"))

    @property
    def is_posted(self) -> bool:
        return code_of(self.part.text("reportingStatus")) != "NOT_POSTED"

    @cached_property
    def counts_people(self) -> bool:
        """Say whether every number counts participants."""
        unit = self.unit.text.strip() if self.unit else ""
        return self.kind == "COUNT_OF_PARTICIPANTS" or (
            self.kind == "NUMBER" and bool(PARTICIPANTS.fullmatch(unit))
        )

    @cached_property
    def rows(self) -> tuple[TableRow, ...]:
        return tuple(
            TableRow(
                title.text if (title := row.text("title")) else "",
                analysed_of(row) or self.analysed,
                tuple(
                    tuple(_cell(cell) for cell in category.parts("measurements"))
                    for category in row.parts("categories")
                ),
            )
            for row in self.part.parts("classes")
        )


def _cell(part: Part) -> Cell:
    return Cell(
        _id(part, "groupId"),
        part.text("value"),
        part.text("spread"),
        part.text("lowerLimit"),
        part.text("upperLimit"),
        part.text("comment"),
    )


def _id(part: Part, name: str) -> str:
    passage = part.text(name)
    return passage.text if passage else ""


def analysed_of(part: Part) -> Mapping[str, Passage]:
    """Return how many participants each group has in a table or a row, by group; other units are left out."""
    for denominator in part.parts("denoms"):
        units = denominator.text("units")
        if units is not None and units.text.strip().casefold() == "participants":
            return {
                _id(count, "groupId"): value
                for count in denominator.parts("counts")
                if (value := count.text("value")) is not None
            }
    return {}


@dataclass(frozen=True, slots=True)
class Group:
    """An arm or group of a table."""

    id: str
    title: Passage | None
    part: Part


def groups_of(part: Part, name: str = "groups") -> tuple[Group, ...]:
    """Return the groups of a table."""
    return tuple(Group(_id(each, "id"), each.text("title"), each) for each in part.parts(name))


@dataclass(frozen=True, slots=True)
class Period:
    """A period of the participant flow: each milestone's numbers by group, its comments, and the reasons."""

    title: Passage | None
    milestones: Mapping[str, Mapping[str, Passage]]
    reasons: Mapping[str, int]
    is_explained: bool

    def numbers(self, milestone: str) -> Mapping[str, int]:
        """Return the participants of each group at a milestone."""
        return {
            group: int(number)
            for group, passage in self.milestones.get(milestone, {}).items()
            if (number := number_of(passage)) is not None
        }


def _period(part: Part) -> Period:
    milestones: dict[str, dict[str, Passage]] = {}
    explained = False
    for milestone in part.parts("milestones"):
        numbers = milestones.setdefault(code_of(milestone.text("type")), {})
        explained = explained or milestone.text("comment") is not None
        for each in milestone.parts("achievements"):
            explained = explained or each.text("comment") is not None
            if (number := each.text("numSubjects")) is not None:
                numbers[_id(each, "groupId")] = number
    reasons: dict[str, int] = {}
    for dropped in part.parts("dropWithdraws"):
        for each in dropped.parts("reasons"):
            group, left = _id(each, "groupId"), number_of(each.text("numSubjects"))
            reasons[group] = reasons.get(group, 0) + int(left or 0)
    return Period(part.text("title"), milestones, reasons, explained)


@dataclass(frozen=True)
class Results:
    """A results section."""

    part: Part

    @cached_property
    def flow_groups(self) -> tuple[Group, ...]:
        return groups_of(self.part.part("participantFlowModule"))

    @cached_property
    def periods(self) -> tuple[Period, ...]:
        return tuple(_period(each) for each in self.part.part("participantFlowModule").parts("periods"))

    @cached_property
    def started(self) -> Mapping[str, int]:
        """Who started the first period, by group."""
        return self.periods[0].numbers("STARTED") if self.periods else {}

    @cached_property
    def baseline(self) -> Part:
        return self.part.part("baselineCharacteristicsModule")

    @cached_property
    def baseline_measures(self) -> tuple[Measure, ...]:
        whole = analysed_of(self.baseline)
        return tuple(Measure(each, analysed_of(each) or whole) for each in self.baseline.parts("measures"))

    @cached_property
    def outcome_measures(self) -> tuple[Measure, ...]:
        module = self.part.part("outcomeMeasuresModule")
        return tuple(Measure(each, analysed_of(each)) for each in module.parts("outcomeMeasures"))

    @cached_property
    def events(self) -> Part:
        return self.part.part("adverseEventsModule")


def results_of(node: object) -> Results | None:
    """Return the results section, or None where a record has none."""
    return Results(part_of(node)) if isinstance(node, Branch) else None
