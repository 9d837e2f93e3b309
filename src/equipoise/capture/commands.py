"""What can be asked for about encounters, forms, queries, signatures and freezing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from equipoise.access.command import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class StartEncounter(Command):
    """Say that a planned encounter took place; outside its window it is kept and marked."""

    participant: str
    encounter: str
    took_place_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class StartUnscheduledEncounter(Command):
    """Say that an encounter took place that the schedule does not hold; it is named unscheduled_1, _2, ..."""

    participant: str
    took_place_on: date
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MissEncounter(Command):
    """Say that a planned encounter did not take place."""

    participant: str
    encounter: str
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordForm(Command):
    """Fill in a form: once per encounter, or, for a repeating form, a new row each time.

    `encounter` is None for a log. `values` maps item ids to Python values (Decimal, date, PartialDate, bool,
    ...) or to what they are written as; an item left out is not answered.
    """

    participant: str
    form: str
    values: dict[str, Any]
    encounter: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectForm(Command):
    """Change recorded values of one form, together and for one reason; it needs one.

    `values` maps item ids as those of `RecordForm`; None, or empty text, takes an answer away, and an item
    left out stays as it is. `seen` is the ledger position up to which the corrector had looked at the form:
    what was entered after it is not overwritten unseen. None asks nothing of the kind.
    """

    participant: str
    form: str
    values: dict[str, Any]
    encounter: str | None = None
    row: int | None = None
    seen: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveRow(Command):
    """Strike out a row of a repeating form; it stays readable in the audit trail. Needs a reason."""

    participant: str
    form: str
    row: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmLog(Command):
    """Say that a log holds everything up to a date."""

    participant: str
    form: str
    through: date


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenQuery(Command):
    """Ask the site about a recorded or a missing value."""

    participant: str
    form: str
    text: str
    item: str | None = None
    encounter: str | None = None
    row: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerQuery(Command):
    """Answer a query."""

    query: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseQuery(Command):
    """Accept the answer to a query."""

    query: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifySource(Command):
    """Say that answers of a form were compared with the source documents, and agree (monitor).

    `items` names them; without any, it is all that the plan asks for and that is not verified as it stands.
    `seen` is the ledger position up to which the monitor had looked at the form: what was entered after it
    is not verified unseen. None asks nothing of the kind.
    """

    participant: str
    form: str
    encounter: str | None = None
    row: int | None = None
    items: tuple[str, ...] = ()
    seen: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignCasebook(Command):
    """Sign all that is recorded of a participant; the signature names its hash and its meaning.

    `shown_hash` is that of the casebook which the signer was shown; nothing else is signed then.
    """

    participant: str
    meaning: str
    shown_hash: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezeParticipant(Command):
    """Stop further entry for a participant; corrections need an unfreeze first."""

    participant: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnfreezeParticipant(Command):
    """Open a frozen participant again; needs a reason."""

    participant: str
