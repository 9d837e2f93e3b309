"""The state of the allocation, without any allocation in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from equipoise.allocation.entries import (
    AllocationCommitted,
    ParticipantRandomised,
    ParticipantUnblinded,
    TrialUnblinded,
    UnblindingAssessed,
    UnblindingReported,
)
from equipoise.ledger.entry import Entry
from equipoise.ledger.tables import Row, Tables


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitmentRow(Row):
    """What was committed to before the first participant; one row, opened at `revealed_at`."""

    table: ClassVar[str] = "allocation_commitment"
    key: ClassVar[tuple[str, ...]] = ("method",)

    method: str
    commitment: str
    committed_at: str
    revealed_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocationRow(Row):
    """A slot that was given to a participant: one slot, one participant.

    `number` is the randomisation number; `commitment` hides the arm until it is revealed.
    """

    table: ClassVar[str] = "allocation"
    key: ClassVar[tuple[str, ...]] = ("participant",)
    unique: ClassVar[tuple[tuple[str, ...], ...]] = (("stratum", "slot"), ("number",))
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("stratum",), ("number",))

    participant: str
    number: str
    stratum: str
    slot: int
    levels: dict[str, Any]
    randomised_on: str
    randomised_at: str
    commitment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnblindingRow(Row):
    """Somebody who learned, or may have learned, one participant's allocation before the planned moment.

    `kind` is emergency or accidental; the cause of an accident is not here, as it may betray the arm.
    """

    table: ClassVar[str] = "unblinding"
    key: ClassVar[tuple[str, ...]] = ("position",)
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("participant",),)

    position: int
    participant: str
    kind: str
    account: str
    cause: str | None
    happened_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RevealedRow(Row):
    """An allocation after the planned unblinding."""

    table: ClassVar[str] = "revealed_allocation"
    key: ClassVar[tuple[str, ...]] = ("participant",)

    participant: str
    arm: str


def _apply_committed(tables: Tables, entry: Entry) -> None:
    said = AllocationCommitted.of(entry)
    tables.put(CommitmentRow(method=said.method, commitment=said.commitment, committed_at=entry.recorded_at))


def _apply_randomised(tables: Tables, entry: Entry) -> None:
    said = ParticipantRandomised.of(entry)
    tables.put(
        AllocationRow(
            participant=said.participant,
            number=said.number,
            stratum=said.stratum,
            slot=said.slot,
            levels=said.levels,
            randomised_on=said.randomised_on,
            randomised_at=entry.recorded_at,
            commitment=said.commitment,
        )
    )


def _apply_emergency(tables: Tables, entry: Entry) -> None:
    said = ParticipantUnblinded.of(entry)
    _put_unblinding(tables, entry, said.participant, "emergency", said.account, said.cause)


def _apply_reported(tables: Tables, entry: Entry) -> None:
    said = UnblindingReported.of(entry)
    _put_unblinding(tables, entry, said.participant, "accidental", said.who, None)


def _put_unblinding(
    tables: Tables, entry: Entry, participant: str, kind: str, account: str, cause: str | None
) -> None:
    tables.put(
        UnblindingRow(
            position=entry.position,
            participant=participant,
            kind=kind,
            account=account,
            cause=cause,
            happened_at=entry.recorded_at,
        )
    )


def _apply_assessed(tables: Tables, entry: Entry) -> None:
    """The text of an assessment stays in its entry: rows of this table are read by masked roles."""


def _apply_unblinded(tables: Tables, entry: Entry) -> None:
    for commitment in tables.all(CommitmentRow):
        tables.put(replace(commitment, revealed_at=entry.recorded_at))
    for opening in TrialUnblinded.of(entry).openings:
        tables.put(RevealedRow(participant=opening["participant"], arm=opening["arm"]))


APPLY: dict[str, Callable[[Tables, Entry], None]] = {
    AllocationCommitted.kind: _apply_committed,
    ParticipantRandomised.kind: _apply_randomised,
    ParticipantUnblinded.kind: _apply_emergency,
    UnblindingReported.kind: _apply_reported,
    UnblindingAssessed.kind: _apply_assessed,
    TrialUnblinded.kind: _apply_unblinded,
}
"""What each entry of this room does to the tables."""
