"""What happened to products.

What a unit holds is in no entry: it follows from the allocation, which only unmasked roles can open.
Whatever else would betray it (what the laboratory measured, why something was given up, items marked
unmasking) is of the audience PRODUCT, in entries that are there for every participant alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from equipoise.access.content import Audience, Content, entry_kind


@entry_kind(audience=Audience.CONDUCT, answers=("item_values",))
@dataclass(frozen=True, slots=True, kw_only=True)
class SourceCollected(Content):
    """Starting material was taken from a participant; a lot began."""

    lot: str
    participant: str
    product: str
    collected_on: str
    item_values: dict[str, Any]


@entry_kind(audience=Audience.PRODUCT, answers=("item_values",))
@dataclass(frozen=True, slots=True, kw_only=True)
class SourceDetailed(Content):
    """The unmasking items of a collection; recorded for every lot if the form has any such item."""

    lot: str
    participant: str
    item_values: dict[str, Any]


@entry_kind(audience=Audience.PRODUCT, answers=("item_values",))
@dataclass(frozen=True, slots=True, kw_only=True)
class ManufactureRecorded(Content):
    """The laboratory's record of a lot, `days` after the collection; `early` is before the planned least."""

    lot: str
    participant: str
    recorded_on: str
    days: int
    early: bool
    item_values: dict[str, Any]


@entry_kind(audience=Audience.CONDUCT)
@dataclass(frozen=True, slots=True, kw_only=True)
class LotReleased(Content):
    """A lot met every release criterion."""

    lot: str
    participant: str
    released_on: str


@entry_kind(audience=Audience.CONDUCT)
@dataclass(frozen=True, slots=True, kw_only=True)
class LotFailed(Content):
    """A lot was given up."""

    lot: str
    participant: str
    failed_on: str


@entry_kind(audience=Audience.PRODUCT, texts=("cause",))
@dataclass(frozen=True, slots=True, kw_only=True)
class LotFailureExplained(Content):
    """Why a lot was given up, in the laboratory's words."""

    lot: str
    participant: str
    cause: str


@entry_kind(audience=Audience.PRODUCT)
@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPrepared(Content):
    """A unit was made up; this entry is the same whichever arm the participant has."""

    unit: str
    product: str
    participant: str
    encounter: str
    lot: str | None
    prepared_on: str


@entry_kind(audience=Audience.CONDUCT, answers=("item_values",))
@dataclass(frozen=True, slots=True, kw_only=True)
class UnitAdministered(Content):
    """A unit was given to the participant for whom it was made."""

    unit: str
    product: str
    participant: str
    encounter: str
    given_on: str
    item_values: dict[str, Any]


@entry_kind(audience=Audience.PRODUCT, answers=("item_values",))
@dataclass(frozen=True, slots=True, kw_only=True)
class UnitAdministrationDetailed(Content):
    """The unmasking items of an administration; recorded for every unit if the form has any such item."""

    unit: str
    participant: str
    item_values: dict[str, Any]


@entry_kind(audience=Audience.PRODUCT, texts=("cause",))
@dataclass(frozen=True, slots=True, kw_only=True)
class UnitDiscarded(Content):
    """A unit was destroyed without being given."""

    unit: str
    participant: str
    cause: str
