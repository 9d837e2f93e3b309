"""What can be asked for about scans and their blinded reading."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from equipoise.access.command import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveScan(Command):
    """Say that a scan has arrived at the reading centre.

    `file_hash` is the SHA-256, in hexadecimal digits, of its file as it is stored; None where it came
    without one.
    """

    participant: str
    encounter: str
    acquired_on: date
    file_hash: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptScan(Command):
    """Accept a scan's quality and put its reads in the queue."""

    scan: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefuseScan(Command):
    """Refuse a scan's quality; it may be acquired again."""

    scan: str
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRead(Command):
    """Enter one reader's independent reading of a task in the queue."""

    task: str
    values: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordAdjudication(Command):
    """Decide between two readings that disagree."""

    task: str
    values: dict[str, Any]
