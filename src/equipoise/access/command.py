"""What a command is, and what a room needs to decide about one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from equipoise.access.actor import Actor
from equipoise.definition.expression import Evidence
from equipoise.definition.model.definition import StudyDefinition
from equipoise.ledger.tables import Tables


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A wish in the imperative; fields are plain values, dates are `datetime.date`."""


class Entropy(Protocol):
    """A source of unpredictable bytes; seeded in a rehearsal."""

    def token(self, size: int) -> bytes:
        """Return `size` bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Everything a decision may look at: nothing else, so that the same moment gives the same decision.

    `now` is UTC. `evidence` gives what is known of a participant on a day.
    """

    definition: StudyDefinition
    tables: Tables
    actor: Actor
    now: datetime
    reason: str | None
    entropy: Entropy
    evidence: Callable[[str, date], Evidence]
