"""registry.yaml: what the public record says, where no other file of the folder says it already."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from equipoise.definition.model.fields import Identifier, Text


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredOutcome:
    """An outcome as registered, tied to the endpoint that answers it."""

    measure: Text
    time_frame: Text
    category: Literal["primary", "secondary", "other"] = "primary"
    description: Text | None = None
    endpoint: Identifier | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryDates:
    """The dates of the record itself, not of the study."""

    first_submitted: date | None = None
    first_submitted_qc: date | None = None
    first_posted: date | None = None
    last_update_submitted: date | None = None
    last_update_posted: date | None = None
    last_verified: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """Two places of the public record that disagree, and which of them the definition follows."""

    topic: Text
    places: tuple[Text, ...]
    followed: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A reference with its citation."""

    citation: Text
    note: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """The whole of registry.yaml."""

    brief_summary: Text
    detailed_description: Text | None = None
    overall_status: Text | None = None
    enrolment_count: int | None = None
    enrolment_type: Literal["actual", "estimated"] | None = None
    outcomes: tuple[RegisteredOutcome, ...] = ()
    publications: tuple[Publication, ...] = ()
    dates: RegistryDates = RegistryDates()
    contradictions: tuple[Contradiction, ...] = ()
