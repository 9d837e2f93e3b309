"""What happened to scans.

Sites and data managers follow a scan; what was read in it is of another audience. An entry about a
reading names the scan's random code only: no participant, no encounter, no date.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from equipoise.access.content import Audience, Content, entry_kind


@entry_kind(audience=Audience.CONDUCT)
@dataclass(frozen=True, slots=True, kw_only=True)
class ScanReceived(Content):
    """A scan arrived at the reading centre and got its random code; `file_hash` is its file's SHA-256."""

    scan: str
    participant: str
    encounter: str
    acquired_on: str
    file_hash: str | None = None


@entry_kind(audience=Audience.CONDUCT)
@dataclass(frozen=True, slots=True, kw_only=True)
class ScanAccepted(Content):
    """A scan's quality was accepted; `tasks` are the random codes of its reads, by slot from 1."""

    scan: str
    participant: str
    tasks: tuple[str, ...]


@entry_kind(audience=Audience.CONDUCT, texts=("cause",))
@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRefused(Content):
    """A scan's quality was refused."""

    scan: str
    participant: str
    cause: str


@entry_kind(audience=Audience.READING, answers=("item_values",))
@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRecorded(Content):
    """One reader's independent reading."""

    task: str
    scan: str
    item_values: dict[str, Any]


@entry_kind(audience=Audience.READING)
@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingsDisagreed(Content):
    """The readers differ by more than the tolerance in these items; `task` is the adjudicator's."""

    scan: str
    task: str
    items: tuple[str, ...]


@entry_kind(audience=Audience.READING, answers=("item_values",))
@dataclass(frozen=True, slots=True, kw_only=True)
class AdjudicationRecorded(Content):
    """An adjudicator's reading."""

    task: str
    scan: str
    item_values: dict[str, Any]


@entry_kind(audience=Audience.READING, answers=("item_values",))
@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRead(Content):
    """The final reading of a scan; `how` is agreed or adjudicated."""

    scan: str
    how: str
    item_values: dict[str, Any]
