"""What can be asked for between a first talk with a candidate and the end of their participation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from equipoise.access.command import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentParticipant(Command):
    """Take a candidate's written consent; the site's next participant code is given."""

    site: str
    consent_version: str
    consented_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewConsent(Command):
    """Take consent again, to a newer version."""

    participant: str
    consent_version: str
    consented_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessEligibility(Command):
    """Evaluate every criterion on what is known, and freeze the result with the rules behind it."""

    participant: str
    assessed_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class FailScreening(Command):
    """End screening without randomisation."""

    participant: str
    failed_on: date
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RescreenParticipant(Command):
    """Screen a failed candidate again, when the definition allows it and the waiting time is over."""

    participant: str
    rescreened_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawParticipant(Command):
    """End participation early, in the scope that the participant chose."""

    participant: str
    withdrawn_on: date
    scope: Literal["treatment", "study", "consent"]
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CompleteParticipant(Command):
    """Say that a participant finished the trial as planned."""

    participant: str
    completed_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterIdentity(Command):
    """Say that a participant's name and contact are kept, in the register apart from the ledger."""

    participant: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EraseIdentity(Command):
    """Say that a participant's name and contact are kept no more; what was recorded stays, under a code."""

    participant: str
    cause: str
