"""A simulated person."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from equipoise.rehearsal.draws import Dice, Situation
from equipoise.rehearsal.world import Terms

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class Person:
    """A simulated person: who they are, what is true of them, and where they stand.

    `number` counts the candidates of the site. `in_force` are the interventions that act now, `given` those
    that acted so far, `supplied` the products' interventions with the epochs in which they were handed out.
    Whatever has to be settled about them is so at `settled_at`. `consented_to` are the terms of their latest
    consent.
    """

    code: str
    site: str
    number: int
    seed: int
    situation: Situation
    consented_on: date
    consented_to: Terms
    randomised_on: date | None = None
    first_given_on: date | None = None
    arm: str | None = None
    in_force: tuple[str, ...] = ()
    given: tuple[str, ...] = ()
    supplied: set[tuple[str, str]] = field(default_factory=set)
    seen_on: date | None = None
    visit: int = 0
    left: bool = False
    unscheduled: int = 0
    logs_confirmed: dict[str, date] = field(default_factory=dict)
    settled_at: datetime = _LONG_AGO

    def dice(self, *purpose: str | int) -> Dice:
        """Return the person's stream of random numbers for a purpose.

        Each purpose has its own, so that more of one thing does not change another.
        """
        return Dice(self.seed, "person", self.site, self.number, *purpose)
