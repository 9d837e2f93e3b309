"""Adverse events by term and organ system, serious ones and others, as a registry asks for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from equipoise.analysis.course import epoch_starts, treatment_epochs, treatment_received
from equipoise.analysis.derive import Frame
from equipoise.analysis.safety import (
    NOT_CODED,
    Event,
    coded_at,
    derive_events,
    participants_treated,
    treatment_order,
    vocabulary_of,
)
from equipoise.analysis.summaries import arm_name
from equipoise.analysis.tables import group_members
from equipoise.definition.model.conduct import Safety
from equipoise.definition.model.definition import StudyDefinition

NOTHING_GIVEN: Final = "No study intervention"
_DEATH_CODES: Final = frozenset({"fatal", "death", "died", "dead"})


@dataclass(frozen=True, slots=True, kw_only=True)
class EventGroup:
    """A group at risk, and how many of it were affected; `arm` is None where it is one by treatment received.

    `deaths` is None where the definition has no word for a fatal outcome. `other` counts those with one of
    the other events that are listed.
    """

    arm: str | None
    name: str
    at_risk: int
    deaths: int | None
    serious: int
    other: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EventTerm:
    """A term with, for each group, its events and the participants with one.

    `vocabulary` is the dictionary with its version that the term is from, None for the words of the sites.
    """

    term: str
    organ_system: str | None
    serious: bool
    cells: tuple[tuple[int, int], ...]
    vocabulary: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventTerms:
    """All serious events, and the others that are frequent enough; groups are arms unless `by_treatment`."""

    by_treatment: bool
    groups: tuple[EventGroup, ...]
    terms: tuple[EventTerm, ...]


_Key = tuple[str | None, str]
"""An organ system, and a term without regard to case and spaces."""


@dataclass(frozen=True, slots=True)
class _Group:
    """A group while it is counted: who is at risk in it, and its events."""

    arm: str | None
    name: str
    members: tuple[str, ...]
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class _Words:
    """How the definition words its events: organ systems by code, and the codes of a fatal outcome."""

    safety: Safety
    systems: dict[str, str]
    fatal: frozenset[str]

    @classmethod
    def of(cls, definition: StudyDefinition, safety: Safety) -> _Words:
        form = definition.form(safety.form)

        def codes(item: str | None) -> dict[str, str]:
            asked = form.item(item) if form and item else None
            return {code.code: code.label for code in asked.codes} if asked else {}

        return cls(safety, codes(safety.body_system), _DEATH_CODES & codes(safety.outcome).keys())

    def term(self, event: Event) -> str:
        preferred = coded_at(event, self.safety, "PT")
        if preferred is not None:
            return preferred
        return " ".join((event.text(self.safety.term) or "").split()) or NOT_CODED

    def vocabulary(self, event: Event) -> str | None:
        return None if coded_at(event, self.safety, "PT") is None else vocabulary_of(event, self.safety)

    def key(self, event: Event) -> _Key:
        organ_class = coded_at(event, self.safety, "SOC")
        if organ_class is not None:
            return organ_class, self.term(event).casefold()
        code = event.text(self.safety.body_system) if self.safety.body_system else None
        return None if code is None else self.systems.get(code, code), self.term(event).casefold()

    def place(self, key: _Key) -> tuple[int, str, str]:
        """Where a term stands: by organ system in the order of its codes, then by its words."""
        known = list(self.systems.values())
        return known.index(key[0]) if key[0] in known else len(known), key[0] or "", key[1]

    def deaths(self, group: _Group) -> int | None:
        if not self.fatal:
            return None
        return _affected(each for each in group.events if each.text(self.safety.outcome) in self.fatal)


def derive_event_terms(frame: Frame, over_percent: float) -> EventTerms | None:
    """Adverse events from the first treatment on, by arm, or in a crossover by treatment received.

    An event counts for what its participant was given in the epoch in which it began. Other than serious
    events are listed where they befell more than `over_percent` of some group. None without a safety part.
    Source: 42 CFR 11.48(a)(4).
    """
    safety = frame.definition.safety
    if safety is None:
        return None
    words = _Words.of(frame.definition, safety)
    treated = {epoch.id for epoch in treatment_epochs(frame.definition)}
    members = participants_treated(frame)
    events = [each for each in derive_events(frame, safety.form, members) if each.epoch in treated]
    by_treatment = frame.definition.study.model == "crossover" and not frame.cut.masked
    groups = _by_treatment(frame, members, events) if by_treatment else _by_arm(frame, members, events)
    terms = [each for serious in (True, False) for each in _terms(words, groups, serious, over_percent)]
    listed = {(each.organ_system, each.term.casefold()) for each in terms if not each.serious}
    return EventTerms(
        by_treatment=by_treatment,
        groups=tuple(
            EventGroup(
                arm=group.arm,
                name=group.name,
                at_risk=len(group.members),
                deaths=words.deaths(group),
                serious=_affected(each for each in group.events if "serious" in each.traits),
                other=_affected(
                    each
                    for each in group.events
                    if "serious" not in each.traits and words.key(each) in listed
                ),
            )
            for group in groups
        ),
        terms=tuple(terms),
    )


def _by_arm(frame: Frame, members: Sequence[str], events: Sequence[Event]) -> list[_Group]:
    return [
        _Group(
            arm,
            arm_name(frame, arm),
            tuple(mine),
            tuple(each for each in events if arm is None or each.arm == arm),
        )
        for arm, mine in group_members(frame, members)
    ]


def _by_treatment(frame: Frame, members: Sequence[str], events: Sequence[Event]) -> list[_Group]:
    """A participant of a crossover is at risk in the group of everything that they were given."""
    at_risk: dict[str | None, list[str]] = {}
    for participant in members:
        person = frame.people[participant]
        reached = epoch_starts(frame.definition, person)
        for given in {
            treatment_received(frame.definition, person, epoch.id)
            for epoch in treatment_epochs(frame.definition)
            if epoch.id in reached
        }:
            at_risk.setdefault(given, []).append(participant)
    return [
        _Group(
            None,
            given or NOTHING_GIVEN,
            tuple(at_risk[given]),
            tuple(each for each in events if each.in_force == given),
        )
        for given in treatment_order(frame.definition, at_risk)
    ]


def _terms(words: _Words, groups: Sequence[_Group], serious: bool, over_percent: float) -> list[EventTerm]:
    """The terms of serious events, or of the others that are frequent enough."""
    found: dict[_Key, list[list[Event]]] = {}
    for place, group in enumerate(groups):
        for event in group.events:
            if ("serious" in event.traits) == serious:
                found.setdefault(words.key(event), [[] for _ in groups])[place].append(event)
    terms = []
    for key in sorted(found, key=words.place):
        cells = tuple((len(events), _affected(events)) for events in found[key])
        frequent = any(
            100 * affected > over_percent * len(group.members)
            for (_, affected), group in zip(cells, groups, strict=True)
        )
        if serious or frequent:
            first = next(event for events in found[key] for event in events)
            terms.append(
                EventTerm(
                    term=words.term(first),
                    organ_system=key[0],
                    serious=serious,
                    cells=cells,
                    vocabulary=words.vocabulary(first),
                )
            )
    return terms


def _affected(events: Iterable[Event]) -> int:
    return len({event.participant for event in events})
