"""What happened in the allocation. No entry holds an arm before the planned unblinding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from equipoise.access.content import Audience, Content, entry_kind


@entry_kind(audience=Audience.TRIAL)
@dataclass(frozen=True, slots=True, kw_only=True)
class AllocationCommitted(Content):
    """The list, or the seed of the random element, was sealed; `commitment` binds the trial to it."""

    method: str
    commitment: str


@entry_kind(audience=Audience.CONDUCT)
@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantRandomised(Content):
    """A participant was given a slot; `number` is random and `commitment` hides the arm."""

    participant: str
    number: str
    stratum: str
    slot: int
    levels: dict[str, str]
    randomised_on: str
    commitment: str


@entry_kind(audience=Audience.CONDUCT, texts=("cause",))
@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantUnblinded(Content):
    """The code was broken for one participant: by whom, why, who is told of it, and who stays masked.

    What the code held is not on record: the account reads it from the vault.
    """

    participant: str
    account: str
    role: str
    cause: str
    informed: tuple[str, ...]
    remains_masked: tuple[str, ...]


@entry_kind(audience=Audience.CONDUCT, texts=("who",))
@dataclass(frozen=True, slots=True, kw_only=True)
class UnblindingReported(Content):
    """Somebody learned an allocation by accident; how it happened is in `UnblindingAssessed`."""

    participant: str
    who: str


@entry_kind(audience=Audience.UNMASKED, texts=("how", "assessment"))
@dataclass(frozen=True, slots=True, kw_only=True)
class UnblindingAssessed(Content):
    """How an accidental unblinding came about and how it was judged: free text, which may betray the arm."""

    participant: str
    how: str
    assessment: str


@entry_kind(audience=Audience.UNMASKED)
@dataclass(frozen=True, slots=True, kw_only=True)
class TrialUnblinded(Content):
    """Every allocation, with what proves that it was fixed beforehand.

    `plan` is the sealed text and `salt` opens its commitment; each opening holds participant, arm and
    salt. Salts are in hexadecimal.
    """

    plan: str
    salt: str
    openings: tuple[dict[str, Any], ...]
