"""Who reports, who sends and who receives: what no study folder and no ledger holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

SenderType = Literal[
    "pharmaceutical_company",
    "regulatory_authority",
    "health_professional",
    "regional_centre",
    "who_centre",
    "other",
]
SENDER_TYPES: Final[Mapping[str, str]] = {
    "pharmaceutical_company": "1",
    "regulatory_authority": "2",
    "health_professional": "3",
    "regional_centre": "4",
    "who_centre": "5",
    "other": "6",
}

Qualification = Literal["physician", "pharmacist", "other_health_professional"]
QUALIFICATIONS: Final[Mapping[str, str]] = {
    "physician": "1",
    "pharmacist": "2",
    "other_health_professional": "3",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who sends the report (C.3); `identifier` is what the trading partners agreed on (N.1.3, N.2.r.2)."""

    identifier: str
    organisation: str
    type: SenderType = "other"
    department: str | None = None
    title: str | None = None
    given_name: str | None = None
    family_name: str | None = None
    street: str | None = None
    city: str | None = None
    state: str | None = None
    postcode: str | None = None
    country: str | None = None
    telephone: str | None = None
    fax: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """Who receives the report (N.2.r.3), and the batch where its address is another one (N.1.4)."""

    identifier: str
    batch_identifier: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reporter:
    """What is known of the primary source (C.2) beyond their site; their name is masked in any case."""

    qualification: Qualification | None = None


UNKNOWN_REPORTER: Final = Reporter()
