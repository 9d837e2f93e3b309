"""What the ledger says of consent, screening, eligibility and the end of participation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from equipoise.access.content import Audience, Content, entry_kind


@entry_kind(audience=Audience.CONDUCT)
@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantConsented(Content):
    """A candidate consented and has a code; `variant` of the rules is theirs from now on."""

    participant: str
    site: str
    consent_version: str
    consented_on: str
    variant: str | None


@entry_kind(audience=Audience.CONDUCT)
@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRenewed(Content):
    """A participant consented to a newer version."""

    participant: str
    consent_version: str
    consented_on: str


@entry_kind(audience=Audience.CONDUCT)
@dataclass(frozen=True, slots=True, kw_only=True)
class EligibilityAssessed(Content):
    """Every criterion was evaluated on what was known.

    `outcome` is eligible, ineligible or unknown; `criteria` maps each criterion to met, not_met or unknown,
    and `sources` maps it to pairs of form.item and the ledger position of the value that was used.
    """

    participant: str
    screening: int
    assessed_on: str
    outcome: str
    variant: str | None
    criteria: dict[str, Any]
    sources: dict[str, Any]


@entry_kind(audience=Audience.CONDUCT, texts=("cause",))
@dataclass(frozen=True, slots=True, kw_only=True)
class ScreeningFailed(Content):
    """Screening ended without randomisation."""

    participant: str
    screening: int
    failed_on: str
    cause: str


@entry_kind(audience=Audience.CONDUCT)
@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantRescreened(Content):
    """A candidate who had failed is screened again; `screening` counts from 1."""

    participant: str
    screening: int
    rescreened_on: str


@entry_kind(audience=Audience.CONDUCT, texts=("cause",))
@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantWithdrawn(Content):
    """A participant ended treatment, the study, or also the use of further data (`scope`)."""

    participant: str
    withdrawn_on: str
    scope: str
    cause: str


@entry_kind(audience=Audience.CONDUCT)
@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantCompleted(Content):
    """A participant finished the trial as planned."""

    participant: str
    completed_on: str


@entry_kind(audience=Audience.CONDUCT)
@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityRegistered(Content):
    """A participant's identity is kept apart from here; nothing of it, nor a digest of it, is here."""

    participant: str


@entry_kind(audience=Audience.CONDUCT, texts=("cause",))
@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityErased(Content):
    """A participant's identity is kept no more."""

    participant: str
    cause: str
