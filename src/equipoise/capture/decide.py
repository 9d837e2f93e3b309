"""What is decided about encounters, logs, queries, signatures and freezing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from equipoise.access.command import Command, Moment
from equipoise.access.filling import check_day, check_text
from equipoise.access.refusal import Refusal
from equipoise.capture.commands import (
    AnswerQuery,
    CloseQuery,
    ConfirmLog,
    CorrectForm,
    FreezeParticipant,
    MissEncounter,
    OpenQuery,
    RecordForm,
    RemoveRow,
    SignCasebook,
    StartEncounter,
    StartUnscheduledEncounter,
    UnfreezeParticipant,
    VerifySource,
)
from equipoise.capture.entries import (
    CasebookSigned,
    EncounterMissed,
    EncounterStarted,
    LogConfirmed,
    ParticipantFrozen,
    ParticipantUnfrozen,
    QueryAnswered,
    QueryClosed,
    QueryOpened,
    UnmaskingLogConfirmed,
    UnmaskingQueryAnswered,
    UnmaskingQueryClosed,
    UnmaskingQueryOpened,
)
from equipoise.capture.evidence import casebook_hash
from equipoise.capture.forms import (
    check_open_to,
    check_reason,
    check_record,
    decide_correct_form,
    decide_record_form,
    decide_remove_row,
    find_record,
    is_masked,
    unknown_form,
    unknown_item,
)
from equipoise.capture.state import (
    QUERY_TRANSITIONS,
    EncounterRow,
    FreezeRow,
    LogRow,
    QueryRow,
    RecordRow,
    next_query,
    query_code,
)
from equipoise.capture.verification import decide_verify_source
from equipoise.definition.model.forms import Form
from equipoise.definition.model.schedule import Encounter
from equipoise.ledger.entry import Draft

Decision = tuple[Draft, ...] | Refusal


# -- encounters


def decide_start_encounter(command: StartEncounter, moment: Moment) -> Decision:
    """Start a planned encounter, and say where it lies to its window."""
    participant, day = command.participant, command.took_place_on
    planned = moment.definition.schedule.encounter(command.encounter)
    if planned is None:
        return _unknown_encounter(command.encounter)
    evidence = moment.evidence(participant, day)
    anchor = evidence.anchor(planned.anchor)
    refusal = check_still_planned(planned) or check_not_started(command, moment)
    refusal = refusal or check_day(moment, participant, day, "CAP")
    refusal = refusal or check_after_consent(participant, day, evidence.anchor("consent"))
    refusal = refusal or check_anchor(planned, anchor, participant)
    if refusal is not None:
        return refusal
    status, days_off = derive_window_status(planned, anchor, day)
    started = EncounterStarted(
        participant=participant,
        encounter=planned.id,
        status=status,
        took_place_on=day.isoformat(),
        days_off=days_off,
        cause=None,
    )
    return (started.draft(clinical_time=day.isoformat()),)


def derive_window_status(planned: Encounter, anchor: date | None, day: date) -> tuple[str, int]:
    """Return in_window, early or late, and the days from the planned day; 0 while the anchor has no date.

    Before randomisation the day asked about may stand for it. What is planned before its anchor and takes
    place on the anchor's own day is therefore not judged yet; the analysis does so when the date is final.
    """
    if anchor is None or (planned.day < 0 and day == anchor):
        return "in_window", 0
    days_off = (day - anchor - timedelta(days=planned.day)).days
    if days_off < -planned.early_days:
        return "early", days_off
    return ("late" if days_off > planned.late_days else "in_window"), days_off


def decide_start_unscheduled_encounter(command: StartUnscheduledEncounter, moment: Moment) -> Decision:
    """Start an encounter beside the schedule, under the participant's next number."""
    participant, day = command.participant, command.took_place_on
    consent = moment.evidence(participant, day).anchor("consent")
    refusal = check_text(command.cause, "cause", "CAP") or check_day(moment, participant, day, "CAP")
    refusal = refusal or check_after_consent(participant, day, consent)
    if refusal is not None:
        return refusal
    rows = moment.tables.where(EncounterRow, participant=participant)
    number = sum(row.status == "unscheduled" for row in rows) + 1
    started = EncounterStarted(
        participant=participant,
        encounter=f"unscheduled_{number}",
        status="unscheduled",
        took_place_on=day.isoformat(),
        days_off=0,
        cause=command.cause.strip(),
    )
    return (started.draft(clinical_time=day.isoformat()),)


def decide_miss_encounter(command: MissEncounter, moment: Moment) -> Decision:
    """Record that a planned encounter did not take place."""
    planned = moment.definition.schedule.encounter(command.encounter)
    if planned is None:
        return _unknown_encounter(command.encounter)
    if moment.tables.get(EncounterRow, command.participant, command.encounter) is not None:
        return _already_there(command.participant, command.encounter)
    refusal = check_still_planned(planned) or check_text(command.cause, "cause", "CAP")
    if refusal is not None:
        return refusal
    missed = EncounterMissed(
        participant=command.participant, encounter=command.encounter, cause=command.cause.strip()
    )
    return (missed.draft(),)


def check_still_planned(planned: Encounter) -> Refusal | None:
    """An encounter that an amendment retired takes place no more."""
    if not planned.retired:
        return None
    return Refusal(
        "CAP-RETIRED",
        f"The encounter {planned.id} is retired: it is planned no more.",
        "Start another encounter, or an unscheduled one.",
    )


def check_not_started(command: StartEncounter, moment: Moment) -> Refusal | None:
    """An encounter takes place once; one that was held to be missed needs a reason."""
    row = moment.tables.get(EncounterRow, command.participant, command.encounter)
    if row is None:
        return None
    if row.status != "missed":
        return _already_there(command.participant, command.encounter)
    return check_reason(moment, f"An encounter that was recorded as missed ({command.encounter})")


def check_after_consent(participant: str, day: date, consented_on: date | None) -> Refusal | None:
    """Nothing is done to anybody before they consent."""
    if consented_on is None or day >= consented_on:
        return None
    return Refusal(
        "CAP-BEFORE-CONSENT",
        f"The encounter of {participant} is dated before their consent.",
        "Correct the date.",
    )


def check_anchor(planned: Encounter, anchor: date | None, participant: str) -> Refusal | None:
    """What is planned after its anchor cannot take place while the anchor has no date."""
    if anchor is not None or planned.day <= 0:
        return None
    return Refusal(
        "CAP-ANCHOR",
        f"The encounter {planned.id} of {participant} counts from {planned.anchor.replace('_', ' ')}, "
        "which has no date yet.",
        "Record that first, or start an unscheduled encounter.",
    )


def _unknown_encounter(encounter: str) -> Refusal:
    return Refusal(
        "CAP-UNKNOWN-ENCOUNTER", f"The schedule has no encounter {encounter}.", "Check the encounter's name."
    )


def _already_there(participant: str, encounter: str) -> Refusal:
    return Refusal(
        "CAP-ENCOUNTER-TWICE",
        f"The encounter {encounter} of {participant} is already recorded.",
        "Fill in its forms, or start an unscheduled encounter.",
    )


# -- logs


def decide_confirm_log(command: ConfirmLog, moment: Moment) -> Decision:
    """Confirm a log through a day, which may not go back."""
    form = moment.definition.form(command.form)
    if form is None:
        return unknown_form(command.form)
    if not form.log:
        return Refusal(
            "CAP-LOG", f"The form {form.id} is not a log.", "Only the completeness of a log is confirmed."
        )
    refusal = check_open_to(form, None, moment) or check_day(
        moment, command.participant, command.through, "CAP"
    )
    if refusal is not None:
        return refusal
    row = moment.tables.get(LogRow, command.participant, form.id)
    if row is not None and command.through.isoformat() < row.through:
        return Refusal(
            "CAP-LOG-EARLIER",
            f"The log {form.id} of {command.participant} is already confirmed through {row.through}.",
            "Confirm it through that day or a later one.",
        )
    kind = UnmaskingLogConfirmed if form.unmasking else LogConfirmed
    through = command.through.isoformat()
    confirmed = kind(participant=command.participant, form=form.id, through=through)
    return (confirmed.draft(clinical_time=through),)


# -- queries


def decide_open_query(command: OpenQuery, moment: Moment) -> Decision:
    """Ask the site about an item or a form, whether or not it was filled in."""
    form = moment.definition.form(command.form)
    if form is None:
        return unknown_form(command.form)
    item = None if command.item is None else form.item(command.item)
    if command.item is not None and item is None:
        return unknown_item(form, command.item)
    refusal = check_open_to(form, item, moment) or check_text(command.text, "text", "CAP")
    refusal = refusal or check_asked_row(form, command, moment)
    if refusal is not None:
        return refusal
    unmasking = form.unmasking or (item is not None and item.unmasking)
    kind = UnmaskingQueryOpened if unmasking else QueryOpened
    row = find_record(moment.tables, form, command.participant, command.encounter, command.row)
    opened = kind(
        query=query_code(next_query(moment.tables, unmasking=unmasking), unmasking=unmasking),
        participant=command.participant,
        form=form.id,
        encounter=command.encounter or "" if row is None else row.encounter,
        row=0 if row is None else row.row,
        item=command.item,
        text=command.text.strip(),
        origin="",
    )
    return (opened.draft(),)


def check_asked_row(form: Form, command: OpenQuery, moment: Moment) -> Refusal | None:
    """A row that is asked about is there."""
    if command.row is None or not form.repeating:
        return None
    row = find_record(moment.tables, form, command.participant, command.encounter, command.row)
    return check_record(row, form, command.participant)


def decide_answer_query(command: AnswerQuery, moment: Moment) -> Decision:
    """Answer an open query."""
    row = _query_for(command.query, moment)
    refusal = check_query(row, command.query, command) or check_text(command.text, "text", "CAP")
    if row is None or refusal is not None:
        return refusal or _unknown_query(command.query)
    kind = UnmaskingQueryAnswered if row.unmasking else QueryAnswered
    answered = kind(participant=row.participant, query=row.query, text=command.text.strip())
    return (answered.draft(),)


def decide_close_query(command: CloseQuery, moment: Moment) -> Decision:
    """Close an answered query."""
    row = _query_for(command.query, moment)
    refusal = check_query(row, command.query, command)
    if row is None or refusal is not None:
        return refusal or _unknown_query(command.query)
    kind = UnmaskingQueryClosed if row.unmasking else QueryClosed
    return (kind(participant=row.participant, query=row.query).draft(),)


def check_query(row: QueryRow | None, query: str, command: Command) -> Refusal | None:
    """The query is there, in a status that allows the command."""
    if row is None:
        return _unknown_query(query)
    if type(command) in QUERY_TRANSITIONS[row.status]:
        return None
    return Refusal(
        "CAP-QUERY",
        f"The query {query} is {row.status}.",
        "An open query is answered, an answered one is closed; ask again with a new query.",
    )


def _query_for(query: str, moment: Moment) -> QueryRow | None:
    """The query as far as the actor may know of it: for a masked role, one that would unmask is not there."""
    row = moment.tables.get(QueryRow, query)
    return None if row is not None and row.unmasking and is_masked(moment) else row


def _unknown_query(query: str) -> Refusal:
    return Refusal("CAP-UNKNOWN-QUERY", f"There is no query {query}.", "Check the query's number.")


# -- signature, freezing


def decide_sign_casebook(command: SignCasebook, moment: Moment) -> Decision:
    """Sign what is recorded of a participant, as far as the signer's role may see it."""
    participant = command.participant
    refusal = check_text(command.meaning, "meaning", "CAP")
    if refusal is not None:
        return refusal
    if not moment.tables.where(RecordRow, participant=participant):
        return Refusal(
            "CAP-NOTHING-TO-SIGN", f"No form of {participant} is recorded.", "Record the forms first."
        )
    masked = is_masked(moment)
    signed_hash = casebook_hash(moment.tables, participant, masked=masked)
    if command.shown_hash not in (None, signed_hash):
        return Refusal(
            "CAP-CASEBOOK-CHANGED",
            f"The casebook of {participant} was changed since the signer looked at it.",
            "Look at it again as it is now, then sign.",
        )
    signed = CasebookSigned(
        participant=participant, meaning=command.meaning.strip(), signed_hash=signed_hash, masked=masked
    )
    return (signed.draft(),)


def decide_freeze_participant(command: FreezeParticipant, moment: Moment) -> Decision:
    """Close a participant's data for entry."""
    if moment.tables.get(FreezeRow, command.participant) is not None:
        return Refusal(
            "CAP-FROZEN",
            f"The data of {command.participant} are already frozen.",
            "Nothing needs to be done.",
        )
    return (ParticipantFrozen(participant=command.participant).draft(),)


def decide_unfreeze_participant(command: UnfreezeParticipant, moment: Moment) -> Decision:
    """Open a participant's data again."""
    if moment.tables.get(FreezeRow, command.participant) is None:
        return Refusal(
            "CAP-NOT-FROZEN",
            f"The data of {command.participant} are not frozen.",
            "Nothing needs to be done.",
        )
    refusal = check_reason(moment, "Unfreezing")
    if refusal is not None:
        return refusal
    return (ParticipantUnfrozen(participant=command.participant).draft(),)


DECIDE: dict[type[Command], Callable[[Any, Moment], Decision]] = {
    StartEncounter: decide_start_encounter,
    StartUnscheduledEncounter: decide_start_unscheduled_encounter,
    MissEncounter: decide_miss_encounter,
    RecordForm: decide_record_form,
    CorrectForm: decide_correct_form,
    RemoveRow: decide_remove_row,
    ConfirmLog: decide_confirm_log,
    OpenQuery: decide_open_query,
    AnswerQuery: decide_answer_query,
    CloseQuery: decide_close_query,
    VerifySource: decide_verify_source,
    SignCasebook: decide_sign_casebook,
    FreezeParticipant: decide_freeze_participant,
    UnfreezeParticipant: decide_unfreeze_participant,
}
