"""The world of a rehearsal: simulated time, the trial, the cast, and what everybody shares."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from equipoise.access.actor import Actor
from equipoise.access.command import Command
from equipoise.access.refusal import Refusal
from equipoise.conduct.trial import Trial
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.rehearsal import Rehearsal
from equipoise.ledger.entry import Entry
from equipoise.rehearsal.cast import Cast

Story = Generator[datetime, None, None]
"""Somebody's course: each value is the moment at which they act next."""

_TICK = timedelta(seconds=1)
_CRITERIA_NAMED = 5


class RehearsalRefused(Exception):
    """The trial refused what the rehearsal was sure of: the study folder contradicts itself, or there is a
    defect.
    """

    def __init__(self, command: Command, refusal: Refusal) -> None:
        self.code = refusal.code
        details = f" ({'; '.join(refusal.details)})" if refusal.details else ""
        self.sentence = (
            f"The rehearsal stopped at {type(command).__name__}. {refusal.sentence} {refusal.remedy}{details}"
        )
        # As it was made: an error of a worker process is made anew in the process that waits for it.
        super().__init__(command, refusal)

    def __str__(self) -> str:
        return f"{self.code}: {self.sentence}"


class SimulatedClock:
    """A clock that the scheduler sets; each look moves it on by a second, so that no two entries share a
    time.
    """

    def __init__(self, start: datetime) -> None:
        self.now = start

    def __call__(self) -> datetime:
        """Return the simulated time."""
        self.now += _TICK
        return self.now

    def move_to(self, moment: datetime) -> None:
        """Move on to a moment; never back."""
        self.now = max(self.now, moment)


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """What holds at a site: a version of the study, and what its rehearsal.yaml says of people and forms.

    With `reconsent`, who takes part there is to consent anew to it.
    """

    definition: StudyDefinition
    plan: Rehearsal
    reconsent: bool = False


@dataclass(slots=True)
class World:
    """What all stories of one rehearsal share. `wanted` participants end recruitment once randomised.

    `definition` and `plan` are those of the opening; what an amendment changes stands in `terms`.
    """

    definition: StudyDefinition
    plan: Rehearsal
    trial: Trial
    cast: Cast
    clock: SimulatedClock
    scenario: str
    seed: int
    wanted: int
    faults: bool
    randomised: int = 0
    consented: int = 0
    finished: int = 0
    emergencies: int = 0
    unsatisfied: Counter[str] = field(default_factory=Counter)
    _queue: list[tuple[datetime, int, Story]] = field(default_factory=list)
    _order: int = 0
    _first: Terms = field(init=False)
    _held: dict[str, Terms] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._first = Terms(self.definition, self.plan)

    def amend(self, terms: Terms) -> None:
        """Let new terms hold wherever their version does from now on."""
        self._held = {terms.definition.hash: terms}

    def terms(self, site: str | None) -> Terms:
        """Return what holds at a site now; across all sites, what holds last."""
        if not self._held:
            return self._first
        definition = self.trial.versions.at(self.trial.tables, site)
        return self._held.setdefault(definition.hash, Terms(definition, self.plan))

    @property
    def today(self) -> date:
        """The simulated day (UTC)."""
        return self.clock.now.date()

    @property
    def recruiting(self) -> bool:
        """Whether more participants are wanted."""
        return self.randomised < self.wanted

    def tell(self, story: Story, start: datetime) -> None:
        """Let a story begin at a moment."""
        self._order += 1
        heapq.heappush(self._queue, (start, self._order, story))

    @property
    def next_moment(self) -> datetime | None:
        """The moment at which the next story acts, or None when none is left."""
        return self._queue[0][0] if self._queue else None

    def step(self) -> None:
        """Let the story act whose turn it is."""
        moment, order, story = heapq.heappop(self._queue)
        self.clock.move_to(moment)
        following = next(story, None)
        if following is not None:
            heapq.heappush(self._queue, (following, order, story))

    def note_ineligible(self, criteria: Mapping[str, str]) -> None:
        """Count the criteria that an assessment did not find satisfied."""
        criteria_now = self.terms(None).definition.eligibility.criteria
        excluding = {each.id for each in criteria_now if each.category == "exclusion"}
        self.unsatisfied.update(
            f"{name} ({found.replace('_', ' ')})"
            for name, found in criteria.items()
            if found != ("not_met" if name in excluding else "met")
        )

    def ineligibility(self) -> str:
        """Return words for the criteria that most candidates failed on."""
        worst = [f"{name}: {times}" for name, times in self.unsatisfied.most_common(_CRITERIA_NAMED)]
        return f" (criteria by the number of candidates who failed them: {', '.join(worst)})" if worst else ""

    def act(self, actor: Actor, command: Command, reason: str | None = None) -> tuple[Entry, ...]:
        """Record a command that must succeed; raises RehearsalRefused when it is refused."""
        outcome = self.trial.record(actor, command, reason)
        if isinstance(outcome, Refusal):
            raise RehearsalRefused(command, outcome)
        return outcome

    def give(
        self, site: str | None, command: Command, reason: str | None = None, *, unmasked: bool = False
    ) -> tuple[Entry, ...]:
        """Record a command by whoever may give it at a site; `unmasked`, by who may know allocations."""
        return self.act(self.cast.who(type(command).__name__, site, unmasked=unmasked), command, reason)


def at_hour(day: date, hour: int) -> datetime:
    """Return a moment of a day, UTC; from 12 on, that day has begun at sites from Honolulu to Auckland."""
    return datetime.combine(day, time(hour), UTC)


def content(entries: tuple[Entry, ...], kind: str) -> dict[str, Any] | None:
    """Return the content of the first entry of a kind, or None."""
    return next((dict(entry.content) for entry in entries if entry.kind == kind), None)
