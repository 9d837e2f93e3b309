"""The state of data capture: encounters, forms, queries, signatures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from equipoise.access.command import Command
from equipoise.capture.commands import AnswerQuery, CloseQuery
from equipoise.capture.entries import (
    CasebookSigned,
    EncounterMissed,
    EncounterStarted,
    FormRecorded,
    ItemCorrected,
    LogConfirmed,
    ParticipantFrozen,
    ParticipantUnfrozen,
    QueryAnswered,
    QueryClosed,
    QueryOpened,
    RowRemoved,
    SourceVerified,
    UnmaskingChecksRun,
)
from equipoise.definition.model.definition import StudyDefinition
from equipoise.ledger.entry import Entry
from equipoise.ledger.tables import Row, Tables


@dataclass(frozen=True, slots=True, kw_only=True)
class EncounterRow(Row):
    """An encounter that took place or was missed. `status` is in_window, early, late, missed or unscheduled.

    `days_off` is in days from the planned day, negative before it; 0 while the anchor has no date.
    `definition` is the hash of the version that held when it was recorded.
    """

    table: ClassVar[str] = "encounter"
    key: ClassVar[tuple[str, ...]] = ("participant", "encounter")
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("participant",),)

    participant: str
    encounter: str
    status: str
    took_place_on: str | None = None
    days_off: int = 0
    cause: str | None = None
    definition: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRow(Row):
    """A filled form, or one row of a repeating form.

    `encounter` is empty for a row between encounters, `row` is 0 when not repeating; the rows of a form count
    from 1 through all encounters. `item_values` holds the current stored value of every answered item,
    `entered` the ledger position and time of each item's current value (`{"position": 7, "at": ...}`).
    `verified` holds the ledger position at which an item was last compared with its source; what was entered
    after it was not. `dated` is the clinical date. `hidden` names the items that would unmask; with
    `unmasking` the whole row would.
    """

    table: ClassVar[str] = "form_record"
    key: ClassVar[tuple[str, ...]] = ("participant", "form", "encounter", "row")
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("participant",), ("participant", "form"))

    participant: str
    form: str
    encounter: str
    row: int
    dated: str | None
    item_values: dict[str, Any]
    entered: dict[str, Any]
    verified: dict[str, Any] = field(default_factory=dict)
    removed: bool = False
    hidden: tuple[str, ...] = ()
    unmasking: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRow(Row):
    """The date through which a log was confirmed complete."""

    table: ClassVar[str] = "log_review"
    key: ClassVar[tuple[str, ...]] = ("participant", "form")

    participant: str
    form: str
    through: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryRow(Row):
    """A question to the site. `status` is open, answered or closed; `origin` is the edit check or empty.

    One that would unmask is for unmasked roles only, and has a number of its own series.
    """

    table: ClassVar[str] = "query"
    key: ClassVar[tuple[str, ...]] = ("query",)
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("participant",), ("status",))

    query: str
    participant: str
    form: str
    encounter: str
    row: int
    item: str | None
    text: str
    status: str
    origin: str
    opened_by: str
    opened_at: str
    answer: str | None = None
    unmasking: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureRow(Row):
    """A signature on a casebook: whose, when, what it means, and the hash of what was signed.

    `masked` says that this is the part which masked roles see.
    """

    table: ClassVar[str] = "signature"
    key: ClassVar[tuple[str, ...]] = ("position",)
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("participant",),)

    position: int
    participant: str
    account: str
    meaning: str
    signed_at: str
    signed_hash: str
    masked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezeRow(Row):
    """A participant whose data are closed for entry."""

    table: ClassVar[str] = "freeze"
    key: ClassVar[tuple[str, ...]] = ("participant",)

    participant: str
    frozen_at: str


SETTLED = "What was asked about no longer holds, after a correction."
"""The answer to a query of an edit check that a correction settled."""

QUERY_TRANSITIONS: dict[str, frozenset[type[Command]]] = {
    "open": frozenset({AnswerQuery}),
    "answered": frozenset({CloseQuery}),
    "closed": frozenset(),
}
"""Which commands the status of a query allows; what is closed is asked again by another query."""


def query_code(number: int, *, unmasking: bool) -> str:
    """Return the code of a query: Q-000001 and on, or U-000001 and on for those that would unmask."""
    return f"{'U' if unmasking else 'Q'}-{number:06d}"


def next_query(tables: Tables, *, unmasking: bool) -> int:
    """Return the number of the next query in its series, which has no gaps."""
    high = 1
    while tables.get(QueryRow, query_code(high, unmasking=unmasking)) is not None:
        high *= 2
    low = high // 2
    # Now `high` is free, and `low` is taken or 0.
    while high - low > 1:
        middle = (low + high) // 2
        if tables.get(QueryRow, query_code(middle, unmasking=unmasking)) is None:
            high = middle
        else:
            low = middle
    return high


def visible_values(
    definition: StudyDefinition, form_id: str, values: Mapping[str, Any], masked: bool
) -> dict[str, Any]:
    """Return the values of a filled form that a masked (or an unmasked) role may see."""
    form = definition.form(form_id)
    if form is None or (masked and form.unmasking):
        return {}
    hidden = {item.id for item in form.items if item.unmasking} if masked else set()
    return {item: value for item, value in values.items() if item not in hidden}


def _apply_encounter_started(tables: Tables, entry: Entry) -> None:
    started = EncounterStarted.of(entry)
    tables.put(
        EncounterRow(
            participant=started.participant,
            encounter=started.encounter,
            status=started.status,
            took_place_on=started.took_place_on,
            days_off=started.days_off,
            cause=started.cause,
            definition=entry.definition,
        )
    )


def _apply_encounter_missed(tables: Tables, entry: Entry) -> None:
    missed = EncounterMissed.of(entry)
    tables.put(
        EncounterRow(
            participant=missed.participant,
            encounter=missed.encounter,
            status="missed",
            cause=missed.cause,
            definition=entry.definition,
        )
    )


def _apply_form_recorded(tables: Tables, entry: Entry) -> None:
    recorded = FormRecorded.of(entry)
    now = {"position": entry.position, "at": entry.recorded_at}
    tables.put(
        RecordRow(
            participant=recorded.participant,
            form=recorded.form,
            encounter=recorded.encounter,
            row=recorded.row,
            dated=recorded.dated,
            item_values=dict(recorded.item_values),
            entered=dict.fromkeys(recorded.item_values, now),
        )
    )


def _apply_unmasking_form_recorded(tables: Tables, entry: Entry) -> None:
    recorded = FormRecorded.of(entry)
    key = (recorded.participant, recorded.form, recorded.encounter, recorded.row)
    now = {"position": entry.position, "at": entry.recorded_at}
    # Either the second part of a form of which masked roles see the first, or a form that they do not see.
    row = tables.get(RecordRow, *key) or RecordRow(
        participant=recorded.participant,
        form=recorded.form,
        encounter=recorded.encounter,
        row=recorded.row,
        dated=recorded.dated,
        item_values={},
        entered={},
        unmasking=True,
    )
    tables.put(
        replace(
            row,
            item_values={**row.item_values, **recorded.item_values},
            entered={**row.entered, **dict.fromkeys(recorded.item_values, now)},
            hidden=tuple(sorted(recorded.item_values)),
        )
    )


def _apply_item_corrected(tables: Tables, entry: Entry) -> None:
    corrected = ItemCorrected.of(entry)
    row = tables.require(RecordRow, corrected.participant, corrected.form, corrected.encounter, corrected.row)
    values = {item: value for item, value in row.item_values.items() if item != corrected.item}
    if corrected.after is not None:
        values[corrected.item] = corrected.after
    now = {"position": entry.position, "at": entry.recorded_at}
    hidden = row.hidden
    if entry.kind == "UnmaskingItemCorrected":
        hidden = tuple(sorted({*hidden, corrected.item}))
    tables.put(
        replace(
            row,
            item_values=values,
            entered={**row.entered, corrected.item: now},
            dated=corrected.dated,
            hidden=hidden,
        )
    )


def _apply_row_removed(tables: Tables, entry: Entry) -> None:
    removed = RowRemoved.of(entry)
    row = tables.require(RecordRow, removed.participant, removed.form, removed.encounter, removed.row)
    tables.put(replace(row, removed=True))


def _apply_log_confirmed(tables: Tables, entry: Entry) -> None:
    confirmed = LogConfirmed.of(entry)
    tables.put(LogRow(participant=confirmed.participant, form=confirmed.form, through=confirmed.through))


def _apply_query_opened(tables: Tables, entry: Entry) -> None:
    opened = QueryOpened.of(entry)
    tables.put(
        QueryRow(
            query=opened.query,
            participant=opened.participant,
            form=opened.form,
            encounter=opened.encounter,
            row=opened.row,
            item=opened.item,
            text=opened.text,
            status="open",
            origin=opened.origin,
            opened_by=entry.actor,
            opened_at=entry.recorded_at,
            unmasking=entry.kind == "UnmaskingQueryOpened",
        )
    )


def _apply_unmasking_checks_run(tables: Tables, entry: Entry) -> None:
    run = UnmaskingChecksRun.of(entry)
    for opened in run.opened:
        tables.put(
            QueryRow(
                query=opened["query"],
                participant=run.participant,
                form=run.form,
                encounter=run.encounter,
                row=run.row,
                item=opened["item"],
                text=opened["text"],
                status="open",
                origin=opened["origin"],
                opened_by=entry.actor,
                opened_at=entry.recorded_at,
                unmasking=True,
            )
        )
    for query in run.answered:
        row = tables.require(QueryRow, query)
        tables.put(replace(row, status="answered", answer=SETTLED))


def _apply_query_answered(tables: Tables, entry: Entry) -> None:
    answered = QueryAnswered.of(entry)
    row = tables.require(QueryRow, answered.query)
    tables.put(replace(row, status="answered", answer=answered.text))


def _apply_query_closed(tables: Tables, entry: Entry) -> None:
    row = tables.require(QueryRow, QueryClosed.of(entry).query)
    tables.put(replace(row, status="closed"))


def _apply_source_verified(tables: Tables, entry: Entry) -> None:
    verified = SourceVerified.of(entry)
    row = tables.require(RecordRow, verified.participant, verified.form, verified.encounter, verified.row)
    unmasking = entry.kind == "UnmaskingSourceVerified"
    items = verified.items or [item for item in row.entered if (item in row.hidden) == unmasking]
    tables.put(replace(row, verified={**row.verified, **dict.fromkeys(items, entry.position)}))


def _apply_casebook_signed(tables: Tables, entry: Entry) -> None:
    signed = CasebookSigned.of(entry)
    tables.put(
        SignatureRow(
            position=entry.position,
            participant=signed.participant,
            account=entry.actor,
            meaning=signed.meaning,
            signed_at=entry.recorded_at,
            signed_hash=signed.signed_hash,
            masked=signed.masked,
        )
    )


def _apply_participant_frozen(tables: Tables, entry: Entry) -> None:
    participant = ParticipantFrozen.of(entry).participant
    tables.put(FreezeRow(participant=participant, frozen_at=entry.recorded_at))


def _apply_participant_unfrozen(tables: Tables, entry: Entry) -> None:
    tables.remove(FreezeRow, ParticipantUnfrozen.of(entry).participant)


APPLY: dict[str, Callable[[Tables, Entry], None]] = {
    "EncounterStarted": _apply_encounter_started,
    "EncounterMissed": _apply_encounter_missed,
    "FormRecorded": _apply_form_recorded,
    "UnmaskingFormRecorded": _apply_unmasking_form_recorded,
    "ItemCorrected": _apply_item_corrected,
    "UnmaskingItemCorrected": _apply_item_corrected,
    "RowRemoved": _apply_row_removed,
    "UnmaskingRowRemoved": _apply_row_removed,
    "LogConfirmed": _apply_log_confirmed,
    "UnmaskingLogConfirmed": _apply_log_confirmed,
    "QueryOpened": _apply_query_opened,
    "UnmaskingQueryOpened": _apply_query_opened,
    "QueryAnswered": _apply_query_answered,
    "UnmaskingQueryAnswered": _apply_query_answered,
    "UnmaskingChecksRun": _apply_unmasking_checks_run,
    "QueryClosed": _apply_query_closed,
    "UnmaskingQueryClosed": _apply_query_closed,
    "SourceVerified": _apply_source_verified,
    "UnmaskingSourceVerified": _apply_source_verified,
    "CasebookSigned": _apply_casebook_signed,
    "ParticipantFrozen": _apply_participant_frozen,
    "ParticipantUnfrozen": _apply_participant_unfrozen,
}
