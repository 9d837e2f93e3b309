"""What can be asked for about adverse events, beyond filling in their form."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from equipoise.access.command import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessEvent(Command):
    """Give the sponsor's own assessment of a serious event."""

    participant: str
    row: int
    related: bool
    expected: bool
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitSafetyReport(Command):
    """Say that a report which a clock asked for was sent, and when (UTC)."""

    participant: str
    row: int
    clock: str
    submitted_at: datetime
