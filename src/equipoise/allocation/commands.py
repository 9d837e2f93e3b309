"""What can be asked for about the allocation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from equipoise.access.command import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitAllocation(Command):
    """Make the list, or the seed of the random element; seal it in the vault and commit to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomiseParticipant(Command):
    """Give an eligible participant the next allocation of their stratum."""

    participant: str
    randomised_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class UnblindInEmergency(Command):
    """Break the code for one participant because their care needs it; `cause` says why."""

    participant: str
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportUnblinding(Command):
    """Put on record that somebody learned an allocation by accident, and how it was judged."""

    participant: str
    who: str
    how: str
    assessment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnblindTrial(Command):
    """Reveal every allocation after the lock, with the salts that prove the commitments."""
