"""What was filled in, what was asked about it, and who answers for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from equipoise.access.refusal import Refusal, Refused
from equipoise.capture.forms import find_record
from equipoise.capture.state import LogRow, QueryRow, RecordRow, SignatureRow
from equipoise.conduct.trail import AuditLine
from equipoise.conduct.view.lines import ItemLine, RecordLine
from equipoise.conduct.view.scope import Scope
from equipoise.conduct.view.verification import is_verified, read_marks
from equipoise.definition.model.forms import Form

_RECORDED = ("FormRecorded", "UnmaskingFormRecorded")
_CORRECTED = ("ItemCorrected", "UnmaskingItemCorrected")
_REMOVED = ("RowRemoved", "UnmaskingRowRemoved")


def list_records(scope: Scope, participant: str) -> tuple[RecordLine, ...]:
    """List a participant's filled forms, without items that would unmask."""
    scope.need_participant(participant)
    rows = scope.tables.where(RecordRow, participant=participant)
    return tuple(_record_line(scope, row) for row in rows if not scope.hides_form(row.form))


def find_line(
    scope: Scope, participant: str, form_id: str, encounter: str | None, row: int | None
) -> RecordLine | None:
    """Return one filled form as the viewer may see it, or None; a hidden form is not there."""
    scope.need_participant(participant)
    form = scope.definition.form(form_id)
    if form is None or scope.hides_form(form_id):
        return None
    found = find_record(scope.tables, form, participant, encounter, row)
    return None if found is None else _record_line(scope, found)


def _record_line(scope: Scope, row: RecordRow) -> RecordLine:
    values = scope.shown_values(row.form, row.item_values)
    entered = scope.shown_values(row.form, row.entered)
    marks = read_marks(scope, row)
    return RecordLine(
        form=row.form,
        encounter=row.encounter,
        row=row.row,
        dated=row.dated,
        values=values,
        entered={item: place for item, place in entered.items() if item in values},
        removed=row.removed,
        verified=is_verified(marks),
        source=marks,
        position=max((place["position"] for place in entered.values()), default=0),
    )


# -- the course of one item


def list_item_history(
    scope: Scope, participant: str, form_id: str, item: str, encounter: str | None, row: int | None
) -> tuple[ItemLine, ...]:
    """List every value that an item was given; a hidden item is refused like one that is not there."""
    scope.need_participant(participant)
    form = scope.definition.form(form_id)
    if form is None or form.item(item) is None or not scope.shown_values(form_id, {item: None}):
        raise Refused(
            Refusal(
                "ACC-ITEM",
                f"The role {scope.viewer.role.id} sees no item {item} of a form {form_id}.",
                "Check the names of the form and of the item.",
            )
        )
    lines = scope.trail.of_participant(participant, *_RECORDED, *_CORRECTED, *_REMOVED)
    own = (line for line in lines if scope.sees_line(line) and _concerns(line, form, encounter, row))
    return tuple(_history(own, item))


def _concerns(line: AuditLine, form: Form, encounter: str | None, row: int | None) -> bool:
    """Whether a line is of one filled form: a row of a repeating one counts through all encounters."""
    said = line.content
    if said["form"] != form.id:
        return False
    return bool(said["row"] == row if form.repeating else said["encounter"] == (encounter or ""))


def _history(lines: Iterator[AuditLine], item: str) -> Iterator[ItemLine]:
    value = None
    answered = False
    for line in lines:
        said = line.content
        if line.kind in _REMOVED:
            kind = "row removed"
        elif line.kind in _CORRECTED and said["item"] == item:
            kind, value = "corrected", said["after"]
        elif line.kind in _RECORDED and item in said["item_values"]:
            kind, value = "recorded", said["item_values"][item]
        else:
            continue
        answered = answered or kind != "row removed"
        if answered:
            yield ItemLine(
                position=line.position,
                recorded_at=line.recorded_at,
                account=line.account,
                role=line.role,
                kind=kind,
                value=value,
                reason=line.reason,
            )


# -- who asked, compared and signed


def list_log_reviews(scope: Scope, participant: str) -> tuple[LogRow, ...]:
    """List the dates through which logs were confirmed complete."""
    scope.need_participant(participant)
    rows = scope.tables.where(LogRow, participant=participant)
    return tuple(row for row in rows if not scope.hides_form(row.form))


def list_queries(scope: Scope) -> tuple[QueryRow, ...]:
    """List the queries within the scope."""
    codes = {row.participant for row in scope.people()}
    rows = scope.tables.all(QueryRow)
    return tuple(row for row in rows if row.participant in codes and scope.shows_query(row))


def list_signatures(scope: Scope, participant: str) -> tuple[SignatureRow, ...]:
    """List the signatures on a casebook."""
    scope.need_participant(participant)
    return tuple(scope.tables.where(SignatureRow, participant=participant))


def count_corrections(scope: Scope) -> Mapping[str, int]:
    """Count the corrections of each participant, of those items that the viewer may see."""
    counts = Counter({person.participant: 0 for person in scope.people()})
    for line in scope.trail.of_kind(*_CORRECTED):
        said = line.content
        if scope.sees_line(line) and scope.shown_values(said["form"], {said["item"]: None}):
            counts[said["participant"]] += 1
    return dict(sorted(counts.items()))
