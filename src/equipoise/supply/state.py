"""The state of supply: lots and the units made from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from equipoise.ledger.entry import Entry
from equipoise.ledger.tables import Row, Tables
from equipoise.supply.entries import (
    LotFailed,
    LotFailureExplained,
    LotReleased,
    ManufactureRecorded,
    SourceCollected,
    SourceDetailed,
    UnitAdministered,
    UnitAdministrationDetailed,
    UnitDiscarded,
    UnitPrepared,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LotRow(Row):
    """Material that belongs to one participant. `status` is collected, made, released or failed.

    `decided_on` is the day of release or failure.
    """

    table: ClassVar[str] = "lot"
    key: ClassVar[tuple[str, ...]] = ("lot",)
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("participant",),)

    lot: str
    participant: str
    product: str
    status: str
    collected_on: str
    source_values: dict[str, Any]
    manufacture_values: dict[str, Any]
    made_on: str | None = None
    decided_on: str | None = None
    cause: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitRow(Row):
    """A blinded container. `status` is prepared, given or discarded; the number is random and says
    nothing.
    """

    table: ClassVar[str] = "unit"
    key: ClassVar[tuple[str, ...]] = ("unit",)
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("participant",),)

    unit: str
    product: str
    participant: str
    encounter: str
    lot: str | None
    status: str
    prepared_on: str
    given_on: str | None = None
    item_values: dict[str, Any] | None = None
    cause: str | None = None


def _apply_collected(tables: Tables, entry: Entry) -> None:
    said = SourceCollected.of(entry)
    tables.put(
        LotRow(
            lot=said.lot,
            participant=said.participant,
            product=said.product,
            status="collected",
            collected_on=said.collected_on,
            source_values=said.item_values,
            manufacture_values={},
        )
    )


def _apply_source_detailed(tables: Tables, entry: Entry) -> None:
    said = SourceDetailed.of(entry)
    row = tables.require(LotRow, said.lot)
    tables.put(replace(row, source_values=row.source_values | said.item_values))


def _apply_made(tables: Tables, entry: Entry) -> None:
    said = ManufactureRecorded.of(entry)
    row = tables.require(LotRow, said.lot)
    tables.put(replace(row, status="made", manufacture_values=said.item_values, made_on=said.recorded_on))


def _apply_released(tables: Tables, entry: Entry) -> None:
    said = LotReleased.of(entry)
    row = tables.require(LotRow, said.lot)
    tables.put(replace(row, status="released", decided_on=said.released_on))


def _apply_failed(tables: Tables, entry: Entry) -> None:
    said = LotFailed.of(entry)
    row = tables.require(LotRow, said.lot)
    tables.put(replace(row, status="failed", decided_on=said.failed_on))


def _apply_explained(tables: Tables, entry: Entry) -> None:
    said = LotFailureExplained.of(entry)
    tables.put(replace(tables.require(LotRow, said.lot), cause=said.cause))


def _apply_prepared(tables: Tables, entry: Entry) -> None:
    said = UnitPrepared.of(entry)
    tables.put(
        UnitRow(
            unit=said.unit,
            product=said.product,
            participant=said.participant,
            encounter=said.encounter,
            lot=said.lot,
            status="prepared",
            prepared_on=said.prepared_on,
        )
    )


def _apply_administered(tables: Tables, entry: Entry) -> None:
    said = UnitAdministered.of(entry)
    row = tables.require(UnitRow, said.unit)
    tables.put(replace(row, status="given", given_on=said.given_on, item_values=said.item_values))


def _apply_detailed(tables: Tables, entry: Entry) -> None:
    said = UnitAdministrationDetailed.of(entry)
    row = tables.require(UnitRow, said.unit)
    tables.put(replace(row, item_values=(row.item_values or {}) | said.item_values))


def _apply_discarded(tables: Tables, entry: Entry) -> None:
    said = UnitDiscarded.of(entry)
    tables.put(replace(tables.require(UnitRow, said.unit), status="discarded", cause=said.cause))


APPLY: dict[str, Callable[[Tables, Entry], None]] = {
    SourceCollected.kind: _apply_collected,
    SourceDetailed.kind: _apply_source_detailed,
    ManufactureRecorded.kind: _apply_made,
    LotReleased.kind: _apply_released,
    LotFailed.kind: _apply_failed,
    LotFailureExplained.kind: _apply_explained,
    UnitPrepared.kind: _apply_prepared,
    UnitAdministered.kind: _apply_administered,
    UnitAdministrationDetailed.kind: _apply_detailed,
    UnitDiscarded.kind: _apply_discarded,
}
"""What each entry of this room does to the tables."""
