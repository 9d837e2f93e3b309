"""What the ledger says of encounters, forms, queries, signatures and freezing.

An entry kind whose name begins with Unmasking says the same as the kind that it derives from, of items, forms
and queries that would betray an allocation; it is kept from masked roles. Whether such an entry is written
when a form is recorded or corrected follows from the definition alone, never from a value: a gap in the
positions says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from equipoise.access.content import Audience, Content, entry_kind


@entry_kind(audience=Audience.CONDUCT, texts=("cause",))
@dataclass(frozen=True, slots=True, kw_only=True)
class EncounterStarted(Content):
    """An encounter took place; `status` and `days_off` are those of its row."""

    participant: str
    encounter: str
    status: str
    took_place_on: str
    days_off: int
    cause: str | None


@entry_kind(audience=Audience.CONDUCT, texts=("cause",))
@dataclass(frozen=True, slots=True, kw_only=True)
class EncounterMissed(Content):
    """A planned encounter did not take place."""

    participant: str
    encounter: str
    cause: str


@entry_kind(audience=Audience.CONDUCT, answers=("item_values",))
@dataclass(frozen=True, slots=True, kw_only=True)
class FormRecorded(Content):
    """A form, or one more row of a repeating form, was filled in; unanswered items are left out."""

    participant: str
    form: str
    encounter: str
    row: int
    dated: str | None
    item_values: dict[str, Any]


@entry_kind(audience=Audience.PRODUCT)
@dataclass(frozen=True, slots=True, kw_only=True)
class UnmaskingFormRecorded(FormRecorded):
    """The part of a filled form that would unmask."""


@entry_kind(audience=Audience.CONDUCT, answers=("before", "after"))
@dataclass(frozen=True, slots=True, kw_only=True)
class ItemCorrected(Content):
    """A recorded value was changed; None is no answer. `dated` is the row's clinical date after it."""

    participant: str
    form: str
    encounter: str
    row: int
    item: str
    before: str | int | bool | None
    after: str | int | bool | None
    dated: str | None


@entry_kind(audience=Audience.PRODUCT)
@dataclass(frozen=True, slots=True, kw_only=True)
class UnmaskingItemCorrected(ItemCorrected):
    """A recorded value that would unmask was changed."""


@entry_kind(audience=Audience.CONDUCT)
@dataclass(frozen=True, slots=True, kw_only=True)
class RowRemoved(Content):
    """A row of a repeating form was struck out."""

    participant: str
    form: str
    encounter: str
    row: int


@entry_kind(audience=Audience.PRODUCT)
@dataclass(frozen=True, slots=True, kw_only=True)
class UnmaskingRowRemoved(RowRemoved):
    """A row of a repeating form that would unmask was struck out."""


@entry_kind(audience=Audience.CONDUCT)
@dataclass(frozen=True, slots=True, kw_only=True)
class LogConfirmed(Content):
    """A log holds everything up to a date."""

    participant: str
    form: str
    through: str


@entry_kind(audience=Audience.PRODUCT)
@dataclass(frozen=True, slots=True, kw_only=True)
class UnmaskingLogConfirmed(LogConfirmed):
    """A log that would unmask holds everything up to a date."""


@entry_kind(audience=Audience.CONDUCT, texts=("text",))
@dataclass(frozen=True, slots=True, kw_only=True)
class QueryOpened(Content):
    """The site is asked something; `origin` is the edit check or rule that asks, empty for a person."""

    query: str
    participant: str
    form: str
    encounter: str
    row: int
    item: str | None
    text: str
    origin: str


@entry_kind(audience=Audience.PRODUCT)
@dataclass(frozen=True, slots=True, kw_only=True)
class UnmaskingQueryOpened(QueryOpened):
    """The site is asked something that would unmask."""


@entry_kind(audience=Audience.CONDUCT, texts=("text",))
@dataclass(frozen=True, slots=True, kw_only=True)
class QueryAnswered(Content):
    """A query was answered."""

    participant: str
    query: str
    text: str


@entry_kind(audience=Audience.PRODUCT)
@dataclass(frozen=True, slots=True, kw_only=True)
class UnmaskingQueryAnswered(QueryAnswered):
    """A query that would unmask was answered."""


@entry_kind(audience=Audience.CONDUCT)
@dataclass(frozen=True, slots=True, kw_only=True)
class QueryClosed(Content):
    """The answer to a query was accepted."""

    participant: str
    query: str


@entry_kind(audience=Audience.PRODUCT)
@dataclass(frozen=True, slots=True, kw_only=True)
class UnmaskingQueryClosed(QueryClosed):
    """The answer to a query that would unmask was accepted."""


@entry_kind(audience=Audience.PRODUCT)
@dataclass(frozen=True, slots=True, kw_only=True)
class UnmaskingChecksRun(Content):
    """The edit checks of a row that look at what would unmask were run.

    Written whenever a form with such checks is recorded, corrected or struck out, also when nothing came of
    it. `opened` holds the queries that it opened, as mappings of query, item, text and origin; `answered` the
    numbers of those that it settled.
    """

    participant: str
    form: str
    encounter: str
    row: int
    opened: tuple[Any, ...]
    answered: tuple[str, ...]


@entry_kind(audience=Audience.CONDUCT)
@dataclass(frozen=True, slots=True, kw_only=True)
class SourceVerified(Content):
    """Answers of a filled form were compared with the source documents; none named are all that were there.

    All means of a form that is unmasking in part: all that masked roles see.
    """

    participant: str
    form: str
    encounter: str
    row: int
    items: tuple[str, ...] = ()


@entry_kind(audience=Audience.PRODUCT)
@dataclass(frozen=True, slots=True, kw_only=True)
class UnmaskingSourceVerified(SourceVerified):
    """Answers that would unmask were compared with the source documents; none named are all of these."""


@entry_kind(audience=Audience.CONDUCT)
@dataclass(frozen=True, slots=True, kw_only=True)
class CasebookSigned(Content):
    """A casebook was signed; `masked` says that the hash is of the part that masked roles see."""

    participant: str
    meaning: str
    signed_hash: str
    masked: bool


@entry_kind(audience=Audience.CONDUCT)
@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantFrozen(Content):
    """A participant's data were closed for entry."""

    participant: str


@entry_kind(audience=Audience.CONDUCT)
@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantUnfrozen(Content):
    """A participant's data were opened again."""

    participant: str
