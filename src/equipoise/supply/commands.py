"""What can be asked for about a product, from the marrow or the shelf to the participant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from equipoise.access.command import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectSource(Command):
    """Say that starting material was taken from a participant; a lot begins."""

    participant: str
    product: str
    collected_on: date
    values: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordManufacture(Command):
    """Enter the laboratory's record of a lot."""

    lot: str
    recorded_on: date
    values: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseLot(Command):
    """Release a lot that meets every release criterion."""

    lot: str
    released_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class FailLot(Command):
    """Give a lot up."""

    lot: str
    failed_on: date
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepareUnit(Command):
    """Make up what the allocation says for an encounter, in a container that bears only a random number."""

    participant: str
    product: str
    encounter: str
    prepared_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class AdministerUnit(Command):
    """Give a unit to a participant; refused when it was made for somebody else."""

    unit: str
    participant: str
    given_on: date
    values: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscardUnit(Command):
    """Destroy a unit that will not be given."""

    unit: str
    cause: str
