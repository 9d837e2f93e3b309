"""The state of enrolment: participants, the assessments of their eligibility, whose identity is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from equipoise.access.command import Command
from equipoise.enrolment.commands import (
    AssessEligibility,
    CompleteParticipant,
    FailScreening,
    RenewConsent,
    RescreenParticipant,
    WithdrawParticipant,
)
from equipoise.enrolment.entries import (
    ConsentRenewed,
    EligibilityAssessed,
    IdentityErased,
    IdentityRegistered,
    ParticipantCompleted,
    ParticipantConsented,
    ParticipantRescreened,
    ParticipantWithdrawn,
    ScreeningFailed,
)
from equipoise.ledger.entry import Entry
from equipoise.ledger.tables import Row, Tables


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantRow(Row):
    """A person who consented, under a code. `status` is screening, failed, withdrawn or completed.

    Whether they are randomised stands in the allocation's own table. Who ended treatment only is withdrawn
    with the `end_scope` treatment, and goes on to be followed. `consented_under` is the hash of the
    definition that held when they consented last.
    """

    table: ClassVar[str] = "participant"
    key: ClassVar[tuple[str, ...]] = ("participant",)
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("site",),)

    participant: str
    site: str
    status: str
    consent_version: str
    consented_on: str
    consented_under: str
    screening: int
    variant: str | None = None
    ended_on: str | None = None
    end_scope: str | None = None
    end_cause: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessmentRow(Row):
    """The latest assessment of eligibility in one screening, frozen.

    `outcome` is eligible, ineligible or unknown; `criteria` maps each criterion to met, not_met or unknown.
    """

    table: ClassVar[str] = "eligibility_assessment"
    key: ClassVar[tuple[str, ...]] = ("participant", "screening")

    participant: str
    screening: int
    assessed_on: str
    outcome: str
    variant: str | None
    definition: str
    criteria: dict[str, Any]
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityRow(Row):
    """Whether a participant's identity is kept, apart from here. `status` is registered or erased."""

    table: ClassVar[str] = "identity"
    key: ClassVar[tuple[str, ...]] = ("participant",)

    participant: str
    status: str


TRANSITIONS: dict[str, frozenset[type[Command]]] = {
    "screening": frozenset(
        {RenewConsent, AssessEligibility, FailScreening, WithdrawParticipant, CompleteParticipant}
    ),
    "failed": frozenset({RescreenParticipant}),
    "withdrawn_from_treatment": frozenset({RenewConsent, WithdrawParticipant, CompleteParticipant}),
    "withdrawn": frozenset({WithdrawParticipant}),
    "completed": frozenset(),
}
"""Which commands a participant's state allows; see `state_of`."""


def state_of(row: ParticipantRow) -> str:
    """Return the state of a participant as TRANSITIONS names it."""
    if row.status == "withdrawn" and row.end_scope == "treatment":
        return "withdrawn_from_treatment"
    return row.status


def _apply_participant_consented(tables: Tables, entry: Entry) -> None:
    consented = ParticipantConsented.of(entry)
    tables.put(
        ParticipantRow(
            participant=consented.participant,
            site=consented.site,
            status="screening",
            consent_version=consented.consent_version,
            consented_on=consented.consented_on,
            consented_under=entry.definition,
            screening=1,
            variant=consented.variant,
        )
    )


def _apply_consent_renewed(tables: Tables, entry: Entry) -> None:
    # The day of consent stays that of the first, from which eligibility and visits are counted.
    renewed = ConsentRenewed.of(entry)
    row = tables.require(ParticipantRow, renewed.participant)
    tables.put(replace(row, consent_version=renewed.consent_version, consented_under=entry.definition))


def _apply_eligibility_assessed(tables: Tables, entry: Entry) -> None:
    assessed = EligibilityAssessed.of(entry)
    tables.put(
        AssessmentRow(
            participant=assessed.participant,
            screening=assessed.screening,
            assessed_on=assessed.assessed_on,
            outcome=assessed.outcome,
            variant=assessed.variant,
            definition=entry.definition,
            criteria=assessed.criteria,
            position=entry.position,
        )
    )


def _apply_screening_failed(tables: Tables, entry: Entry) -> None:
    failed = ScreeningFailed.of(entry)
    row = tables.require(ParticipantRow, failed.participant)
    tables.put(replace(row, status="failed", ended_on=failed.failed_on, end_cause=failed.cause))


def _apply_participant_rescreened(tables: Tables, entry: Entry) -> None:
    rescreened = ParticipantRescreened.of(entry)
    row = tables.require(ParticipantRow, rescreened.participant)
    tables.put(
        replace(row, status="screening", screening=rescreened.screening, ended_on=None, end_cause=None)
    )


def _apply_participant_withdrawn(tables: Tables, entry: Entry) -> None:
    withdrawn = ParticipantWithdrawn.of(entry)
    row = tables.require(ParticipantRow, withdrawn.participant)
    tables.put(
        replace(
            row,
            status="withdrawn",
            ended_on=withdrawn.withdrawn_on,
            end_scope=withdrawn.scope,
            end_cause=withdrawn.cause,
        )
    )


def _apply_participant_completed(tables: Tables, entry: Entry) -> None:
    # The scope and cause of an earlier withdrawal from treatment stay.
    completed = ParticipantCompleted.of(entry)
    row = tables.require(ParticipantRow, completed.participant)
    tables.put(replace(row, status="completed", ended_on=completed.completed_on))


def _apply_identity_registered(tables: Tables, entry: Entry) -> None:
    registered = IdentityRegistered.of(entry)
    tables.put(IdentityRow(participant=registered.participant, status="registered"))


def _apply_identity_erased(tables: Tables, entry: Entry) -> None:
    tables.put(replace(tables.require(IdentityRow, IdentityErased.of(entry).participant), status="erased"))


APPLY: dict[str, Callable[[Tables, Entry], None]] = {
    "ParticipantConsented": _apply_participant_consented,
    "ConsentRenewed": _apply_consent_renewed,
    "EligibilityAssessed": _apply_eligibility_assessed,
    "ScreeningFailed": _apply_screening_failed,
    "ParticipantRescreened": _apply_participant_rescreened,
    "ParticipantWithdrawn": _apply_participant_withdrawn,
    "ParticipantCompleted": _apply_participant_completed,
    "IdentityRegistered": _apply_identity_registered,
    "IdentityErased": _apply_identity_erased,
}
