"""What is decided about filled forms: recording, correction and removal."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from equipoise.access.command import Moment
from equipoise.access.filling import check_day, check_moment, is_unmasking, split_unmasking
from equipoise.access.refusal import Refusal
from equipoise.capture.commands import CorrectForm, RecordForm, RemoveRow
from equipoise.capture.entries import (
    FormRecorded,
    ItemCorrected,
    RowRemoved,
    UnmaskingFormRecorded,
    UnmaskingItemCorrected,
    UnmaskingRowRemoved,
)
from equipoise.capture.findings import (
    Finding,
    Place,
    derive_checks,
    derive_findings,
    draft_queries,
    is_hidden,
    open_queries,
)
from equipoise.capture.state import EncounterRow, RecordRow, visible_values
from equipoise.definition.expression import Evidence, PartialDate
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.forms import Form, Item
from equipoise.definition.recording import (
    ItemProblem,
    date_of,
    local_date,
    read_value,
    read_values,
    retired_problems,
)
from equipoise.ledger.entry import Draft
from equipoise.ledger.tables import Tables

Decision = tuple[Draft, ...] | Refusal


def decide_record_form(command: RecordForm, moment: Moment) -> Decision:
    """Record a form where the schedule asks for it; failing query checks open queries at once."""
    definition = moment.definition
    form = definition.form(command.form)
    if form is None:
        return unknown_form(command.form)
    refusal = check_own_form(form, definition) or check_in_use(form)
    refusal = refusal or check_encounter(form, command, moment)
    refusal = refusal or check_once(form, command, moment)
    if refusal is not None:
        return refusal
    place, evidence = _place(form, command, moment)
    read = read_values(form, command.values, evidence)
    masked = is_masked(moment)
    problems = [p for p in read.problems if not (masked and _may_be_left_out(form, p))]
    problems += retired_problems(form, read.stored)
    if problems:
        return _cannot_be_read(form, place, problems)
    place = _dated(form, place, read.stored)
    refusal = check_dated(form, place, read.stored, moment)
    if refusal is not None:
        return refusal
    failing = derive_checks(definition, form, read.stored, evidence, place)
    hard = [finding for finding in failing if finding.hard and not (masked and finding.hidden)]
    if hard:
        return _contradicts(form, place, hard)
    drafts = _draft_record(form, place, read.stored)
    return (*drafts, *draft_queries(moment, form, place, failing, ()))


def decide_correct_form(command: CorrectForm, moment: Moment) -> Decision:
    """Change values of a form; open the queries that it gives rise to, and settle those that it answers."""
    form = moment.definition.form(command.form)
    if form is None:
        return unknown_form(command.form)
    row = find_record(moment.tables, form, command.participant, command.encounter, command.row)
    refusal = check_reason(moment, "A correction") or check_open_to(form, None, moment)
    refusal = refusal or check_items_open_to(form, command.values, moment)
    refusal = refusal or check_record(row, form, command.participant)
    if row is None or refusal is not None:
        return refusal or _no_record(form, command.participant)
    refusal = check_seen(form, row, command.seen, moment)
    if refusal is not None:
        return refusal
    place = _place_of(row, moment)
    read = {item.id: read_value(form, item, command.values[item.id]) for item in _named(form, command)}
    problems = [problem for problem in read.values() if isinstance(problem, ItemProblem)]
    problems = problems or list(retired_problems(form, read, row.item_values))
    if problems:
        return _cannot_be_read(form, place, problems)
    changed = tuple(item for item in _named(form, command) if read[item.id] != row.item_values.get(item.id))
    if not changed:
        return Refusal(
            "CAP-UNCHANGED",
            f"The form {form.id} of {row.participant} already has these values.",
            "Nothing needs to be corrected.",
        )
    stored = {**row.item_values, **read}
    return _correct(moment, form, changed, row, place, {k: v for k, v in stored.items() if v is not None})


def _named(form: Form, command: CorrectForm) -> list[Item]:
    return [item for item in form.items if item.id in command.values]


def _correct(
    moment: Moment,
    form: Form,
    changed: Sequence[Item],
    row: RecordRow,
    old: Place,
    stored: Mapping[str, Any],
) -> Decision:
    """The second half of a correction: what the row would be like with the new values."""
    definition = moment.definition
    evidence = moment.evidence(row.participant, old.day)
    refusal = check_asked(form, {item.id for item in changed}, row, stored, evidence, old, moment)
    if refusal is not None:
        return refusal
    new = old
    if any(item.id == form.dated_by for item in changed):
        new = _dated(form, _undated(row, old, moment), stored)
    refusal = check_dated(form, new, {item.id: stored.get(item.id) for item in changed}, moment)
    if refusal is not None:
        return refusal
    known = {finding.origin for finding in derive_findings(definition, form, row.item_values, evidence, old)}
    found = derive_findings(definition, form, stored, evidence, new)
    arisen = [finding for finding in found if finding.origin not in known]
    hard = [finding for finding in arisen if finding.hard and not (is_masked(moment) and finding.hidden)]
    if hard:
        return _contradicts(form, new, hard)
    still = {finding.origin for finding in found}
    settled = [q for q in open_queries(moment, form, new) if q.origin and q.origin not in still]
    return (
        *_draft_corrections(form, changed, row, new, stored),
        *draft_queries(moment, form, new, arisen, settled),
    )


def _draft_corrections(
    form: Form, changed: Sequence[Item], row: RecordRow, place: Place, stored: Mapping[str, Any]
) -> Iterator[Draft]:
    """One entry for each item that changed, in the order of the form."""
    for item in changed:
        kind = UnmaskingItemCorrected if form.unmasking or item.unmasking else ItemCorrected
        yield kind(
            participant=row.participant,
            form=form.id,
            encounter=row.encounter,
            row=row.row,
            item=item.id,
            before=row.item_values.get(item.id),
            after=stored.get(item.id),
            dated=place.dated,
        ).draft(clinical_time=place.dated)


def decide_remove_row(command: RemoveRow, moment: Moment) -> Decision:
    """Strike out a row of a repeating form, and with it the open queries about it."""
    form = moment.definition.form(command.form)
    if form is None:
        return unknown_form(command.form)
    if not form.repeating:
        return Refusal(
            "CAP-ROW", f"The form {form.id} has no rows to strike out.", "Correct its items instead."
        )
    row = find_record(moment.tables, form, command.participant, None, command.row)
    refusal = check_reason(moment, "The removal of a row") or check_record(row, form, command.participant)
    if row is None or refusal is not None:
        return refusal or _no_record(form, command.participant)
    place = _place_of(row, moment)
    kind = UnmaskingRowRemoved if form.unmasking else RowRemoved
    removed = kind(participant=row.participant, form=form.id, encounter=row.encounter, row=row.row)
    return (
        removed.draft(clinical_time=row.dated),
        *draft_queries(moment, form, place, (), open_queries(moment, form, place)),
    )


# -- where a row stands


def _place(form: Form, command: RecordForm, moment: Moment) -> tuple[Place, Evidence]:
    participant, encounter = command.participant, command.encounter or ""
    dated = _encounter_date(participant, encounter, moment)
    day = _today(participant, moment) if dated is None else date.fromisoformat(dated)
    row = 0
    if form.repeating:
        row = len(moment.tables.where(RecordRow, participant=participant, form=form.id)) + 1
    place = Place(participant=participant, encounter=encounter, row=row, dated=dated, day=day)
    return place, moment.evidence(participant, day)


def _place_of(row: RecordRow, moment: Moment) -> Place:
    dated = _encounter_date(row.participant, row.encounter, moment)
    day = _today(row.participant, moment) if dated is None else date.fromisoformat(dated)
    return Place(participant=row.participant, encounter=row.encounter, row=row.row, dated=row.dated, day=day)


def _undated(row: RecordRow, place: Place, moment: Moment) -> Place:
    return replace(place, dated=_encounter_date(row.participant, row.encounter, moment))


def _dated(form: Form, place: Place, stored: Mapping[str, Any]) -> Place:
    """The place with the row's own date, unless that would unmask while the rest of the form does not."""
    item = None if form.dated_by is None else form.item(form.dated_by)
    dated = None if item is None or (item.unmasking and not form.unmasking) else date_of(form, stored)
    if dated is None:
        return place
    return replace(place, dated=dated)


def _encounter_date(participant: str, encounter: str, moment: Moment) -> str | None:
    row = moment.tables.get(EncounterRow, participant, encounter) if encounter else None
    return None if row is None else row.took_place_on


def _today(participant: str, moment: Moment) -> date:
    return local_date(moment.definition, participant.split("-", maxsplit=1)[0], moment.now)


def find_record(
    tables: Tables, form: Form, participant: str, encounter: str | None, row: int | None
) -> RecordRow | None:
    """Return a filled form: a row of a repeating form by its number, another by its encounter."""
    if not form.repeating:
        return tables.get(RecordRow, participant, form.id, encounter or "", 0)
    rows = tables.where(RecordRow, participant=participant, form=form.id)
    return next((each for each in rows if each.row == row), None)


def _draft_record(form: Form, place: Place, stored: dict[str, Any]) -> tuple[Draft, ...]:
    """One entry, and a second for what would unmask if the form has such items, answered or not."""
    safe, hidden = split_unmasking(form, stored)
    parts: list[tuple[type[FormRecorded], dict[str, Any]]] = []
    if not form.unmasking:
        parts.append((FormRecorded, safe))
    if is_unmasking(form):
        parts.append((UnmaskingFormRecorded, hidden))
    return tuple(
        kind(
            participant=place.participant,
            form=form.id,
            encounter=place.encounter,
            row=place.row,
            dated=place.dated,
            item_values=values,
        ).draft(clinical_time=place.dated)
        for kind, values in parts
    )


# -- one check for each rule


def is_masked(moment: Moment) -> bool:
    """Tell whether the actor must not learn an allocation; who has no role of the study must not."""
    role = moment.definition.role(moment.actor.role)
    return role is None or role.masked


def _may_be_left_out(form: Form, problem: ItemProblem) -> bool:
    """A masked role is not asked for what it must not see."""
    item = form.item(problem.item)
    return item is not None and item.unmasking and problem.code == "ITEM-MISSING"


def check_own_form(form: Form, definition: StudyDefinition) -> Refusal | None:
    """Refuse the forms that are filled in elsewhere: readings and the records of products."""
    elsewhere = {definition.imaging.read_form} if definition.imaging is not None else set()
    for product in definition.supply.products:
        elsewhere.update(
            each
            for each in (product.source_form, product.manufacture_form, product.administration_form)
            if each is not None
        )
    if form.id not in elsewhere:
        return None
    return Refusal(
        "CAP-FORM",
        f"The form {form.id} is not filled in by itself.",
        "Record the reading, the lot or the administration that it belongs to.",
    )


def check_in_use(form: Form) -> Refusal | None:
    """A form that an amendment retired is filled in no more."""
    if not form.retired:
        return None
    return Refusal(
        "CAP-RETIRED",
        f"The form {form.id} is retired: nothing new is recorded in it.",
        "Use the form that replaces it; what was recorded may be corrected.",
    )


def check_encounter(form: Form, command: RecordForm, moment: Moment) -> Refusal | None:
    """The encounter took place and the form belongs to it; a log needs none."""
    schedule = moment.definition.schedule
    is_log = form.log or form.id in schedule.logs
    if command.encounter is None:
        if is_log:
            return None
        return Refusal(
            "CAP-ENCOUNTER", f"The form {form.id} is filled in at an encounter.", "Name the encounter."
        )
    row = moment.tables.get(EncounterRow, command.participant, command.encounter)
    if row is None or row.status == "missed":
        return Refusal(
            "CAP-NOT-TAKEN-PLACE",
            f"The encounter {command.encounter} of {command.participant} has not taken place.",
            "Start the encounter first.",
        )
    planned = schedule.unscheduled if row.status == "unscheduled" else schedule.forms_at(command.encounter)
    if is_log or form.id in planned:
        return None
    return Refusal(
        "CAP-NOT-PLANNED",
        f"The form {form.id} does not belong to the encounter {command.encounter}.",
        "Choose one of its forms, or start an unscheduled encounter.",
        tuple(planned),
    )


def check_once(form: Form, command: RecordForm, moment: Moment) -> Refusal | None:
    """A form that does not repeat is filled in once; after that it is corrected."""
    if form.repeating:
        return None
    where = command.encounter or ""
    if moment.tables.get(RecordRow, command.participant, form.id, where, 0) is None:
        return None
    at = f" at {where}" if where else ""
    return Refusal(
        "CAP-TWICE",
        f"The form {form.id} of {command.participant}{at} is already recorded.",
        "Correct its items instead.",
    )


def check_dated(form: Form, place: Place, said: Mapping[str, Any], moment: Moment) -> Refusal | None:
    """No row is dated in the future (of a partial date, the first day counts), no site aware of it then."""
    if place.dated is not None:
        refusal = check_day(moment, place.participant, PartialDate.parse(place.dated).first, "CAP")
        if refusal is not None:
            return refusal
    safety = moment.definition.safety
    aware = said.get(safety.aware) if safety is not None and safety.form == form.id else None
    return check_moment(moment, place.participant, aware, "CAP") if isinstance(aware, str) else None


def check_reason(moment: Moment, what: str) -> Refusal | None:
    """Some steps need a reason on record."""
    if moment.reason is not None and moment.reason.strip():
        return None
    return Refusal("CAP-REASON", f"{what} needs a reason.", "Say why in a few words.")


def check_open_to(form: Form, item: Item | None, moment: Moment) -> Refusal | None:
    """A masked role cannot ask about, or try out, values that it must not see."""
    if not is_masked(moment) or not (form.unmasking or (item is not None and item.unmasking)):
        return None
    what = f"form {form.id}" if item is None else f"item {item.id} of the form {form.id}"
    return Refusal(
        "CAP-MASKED",
        f"The {what} is not open to the role {moment.actor.role}.",
        "Ask somebody whose role is not masked.",
    )


def check_items_open_to(form: Form, values: Iterable[str], moment: Moment) -> Refusal | None:
    """The form has these items; to a masked role, one that would unmask is not there."""
    masked = is_masked(moment)
    open_items = {item.id for item in form.items if not (masked and item.unmasking)}
    unknown = sorted(set(values) - open_items)
    if not unknown:
        return None
    return Refusal(
        "CAP-UNKNOWN-ITEM",
        f"The form {form.id} has no item {unknown[0]} that is open to the role {moment.actor.role}.",
        "Check the item's name, or ask somebody whose role is not masked.",
    )


def check_seen(form: Form, row: RecordRow, seen: int | None, moment: Moment) -> Refusal | None:
    """Whoever corrects has looked at every value that their role may see, as it stands."""
    if seen is None:
        return None
    entered = visible_values(moment.definition, form.id, row.entered, masked=is_masked(moment))
    newer = tuple(
        item.id for item in form.items if item.id in entered and entered[item.id]["position"] > seen
    )
    if not newer:
        return None
    return Refusal(
        "CAP-CHANGED",
        f"The form {form.id} of {row.participant} was changed since you looked at it: {', '.join(newer)}.",
        "Look at it again, and correct what still needs it.",
        newer,
    )


def check_asked(
    form: Form,
    changed: Collection[str],
    row: RecordRow,
    stored: Mapping[str, Any],
    evidence: Evidence,
    place: Place,
    moment: Moment,
) -> Refusal | None:
    """What is changed fits the other answers, and no answer is left to what is thereby no longer asked.

    What it makes a missing answer may have to be found out first: that becomes a query. And a masked role is
    not told what hangs on items that it must not see.
    """
    hidden = {
        item.id for item in form.items if is_masked(moment) and is_hidden(moment.definition, form, item)
    }
    problems = [each for each in read_values(form, stored, evidence).problems if each.item not in hidden]
    own = [each for each in problems if each.item in changed]
    if own:
        return _cannot_be_read(form, place, own)
    before = {(each.item, each.code) for each in read_values(form, row.item_values, evidence).problems}
    left = tuple(
        each.item
        for each in problems
        if each.code == "ITEM-NOT-ASKED" and (each.item, each.code) not in before
    )
    if not left:
        return None
    return Refusal(
        "CAP-NOT-ASKED",
        f"With these answers the form {form.id} of {row.participant} no longer asks: {', '.join(left)}.",
        "Take their answers away in the same correction, or keep the answers that they hang on.",
        left,
    )


def check_record(row: RecordRow | None, form: Form, participant: str) -> Refusal | None:
    """The record is there and was not struck out."""
    if row is None:
        return _no_record(form, participant)
    if not row.removed:
        return None
    return Refusal(
        "CAP-REMOVED",
        f"Row {row.row} of the form {form.id} of {participant} was struck out.",
        "Record a new row if it was struck out by mistake.",
    )


def unknown_form(form: str) -> Refusal:
    """Refuse a form that the definition does not have."""
    return Refusal("CAP-UNKNOWN-FORM", f"The study has no form {form}.", "Check the form's name.")


def unknown_item(form: Form, item: str) -> Refusal:
    """Refuse an item that a form does not have."""
    return Refusal("CAP-UNKNOWN-ITEM", f"The form {form.id} has no item {item}.", "Check the item's name.")


def _no_record(form: Form, participant: str) -> Refusal:
    return Refusal(
        "CAP-UNKNOWN-RECORD",
        f"The form {form.id} of {participant} is not recorded there.",
        "Check encounter and row, or record the form first.",
    )


def _cannot_be_read(form: Form, place: Place, problems: Iterable[ItemProblem]) -> Refusal:
    listed = tuple(f"{problem.item}: {problem.sentence}" for problem in problems)
    return Refusal(
        "CAP-VALUE",
        f"The form {form.id} of {place.participant} cannot be recorded: {len(listed)} of its items are at "
        "fault.",
        "Correct the items that are listed.",
        listed,
    )


def _contradicts(form: Form, place: Place, findings: Iterable[Finding]) -> Refusal:
    return Refusal(
        "CAP-CHECK",
        f"The form {form.id} of {place.participant} contradicts itself.",
        "Correct the items that the messages name.",
        tuple(f"{finding.origin}: {finding.text}" for finding in findings),
    )
