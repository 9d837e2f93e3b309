"""The state of central reading: scans, reading tasks, final readings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from equipoise.imaging.entries import (
    AdjudicationRecorded,
    ReadingsDisagreed,
    ReadRecorded,
    ScanAccepted,
    ScanRead,
    ScanReceived,
    ScanRefused,
)
from equipoise.ledger.entry import Entry
from equipoise.ledger.tables import Row, Tables


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRow(Row):
    """A scan under a random code. `status` is received, accepted, refused, disputed or read."""

    table: ClassVar[str] = "scan"
    key: ClassVar[tuple[str, ...]] = ("scan",)
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("participant", "encounter"), ("status",))

    scan: str
    participant: str
    encounter: str
    acquired_on: str
    status: str
    cause: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRow(Row):
    """One reader's task under a random code, whose order is therefore scrambled.

    `slot` 0 is the adjudication. `status` is open or done; `account` is who did it.
    """

    table: ClassVar[str] = "reading_task"
    key: ClassVar[tuple[str, ...]] = ("task",)
    unique: ClassVar[tuple[tuple[str, ...], ...]] = (("scan", "slot"), ("scan", "account"))
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("scan",), ("status",), ("account",))

    task: str
    scan: str
    slot: int
    status: str
    account: str | None = None
    item_values: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingRow(Row):
    """The final reading of an encounter's scan; `how` is agreed or adjudicated."""

    table: ClassVar[str] = "reading"
    key: ClassVar[tuple[str, ...]] = ("scan",)
    unique: ClassVar[tuple[tuple[str, ...], ...]] = (("participant", "encounter"),)
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("participant",),)

    scan: str
    participant: str
    encounter: str
    acquired_on: str
    how: str
    item_values: dict[str, Any]
    recorded_at: str
    position: int


def _apply_received(tables: Tables, entry: Entry) -> None:
    said = ScanReceived.of(entry)
    tables.put(
        ScanRow(
            scan=said.scan,
            participant=said.participant,
            encounter=said.encounter,
            acquired_on=said.acquired_on,
            status="received",
        )
    )


def _apply_accepted(tables: Tables, entry: Entry) -> None:
    said = ScanAccepted.of(entry)
    tables.put(replace(tables.require(ScanRow, said.scan), status="accepted"))
    for slot, task in enumerate(said.tasks, start=1):
        tables.put(TaskRow(task=task, scan=said.scan, slot=slot, status="open"))


def _apply_refused(tables: Tables, entry: Entry) -> None:
    said = ScanRefused.of(entry)
    tables.put(replace(tables.require(ScanRow, said.scan), status="refused", cause=said.cause))


def _apply_read(tables: Tables, entry: Entry) -> None:
    said = ReadRecorded.of(entry)
    _finish_task(tables, entry, said.task, said.item_values)


def _apply_disagreed(tables: Tables, entry: Entry) -> None:
    said = ReadingsDisagreed.of(entry)
    tables.put(replace(tables.require(ScanRow, said.scan), status="disputed"))
    tables.put(TaskRow(task=said.task, scan=said.scan, slot=0, status="open"))


def _apply_adjudicated(tables: Tables, entry: Entry) -> None:
    said = AdjudicationRecorded.of(entry)
    _finish_task(tables, entry, said.task, said.item_values)


def _finish_task(tables: Tables, entry: Entry, task: str, item_values: dict[str, Any]) -> None:
    row = tables.require(TaskRow, task)
    tables.put(replace(row, status="done", account=entry.actor, item_values=item_values))


def _apply_final(tables: Tables, entry: Entry) -> None:
    said = ScanRead.of(entry)
    scan = tables.require(ScanRow, said.scan)
    tables.put(replace(scan, status="read"))
    tables.put(
        ReadingRow(
            scan=scan.scan,
            participant=scan.participant,
            encounter=scan.encounter,
            acquired_on=scan.acquired_on,
            how=said.how,
            item_values=said.item_values,
            recorded_at=entry.recorded_at,
            position=entry.position,
        )
    )


APPLY: dict[str, Callable[[Tables, Entry], None]] = {
    ScanReceived.kind: _apply_received,
    ScanAccepted.kind: _apply_accepted,
    ScanRefused.kind: _apply_refused,
    ReadRecorded.kind: _apply_read,
    ReadingsDisagreed.kind: _apply_disagreed,
    AdjudicationRecorded.kind: _apply_adjudicated,
    ScanRead.kind: _apply_final,
}
"""What each entry of this room does to the tables."""
