"""What was compared with its source, and what waits for it (ICH E6(R3) 3.11.4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from equipoise.capture.state import RecordRow
from equipoise.capture.verification import Mark, mark_of
from equipoise.conduct.view.scope import Scope
from equipoise.definition.model.definition import StudyDefinition


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceMark:
    """Whether an answer is verified, changed since it was, or unverified; `due` if the plan asks for it.

    `position` is that of the last verification in the ledger, None without one.
    """

    state: Mark
    due: bool
    position: int | None

    @property
    def waits(self) -> bool:
        """Whether the answer is still to be compared with its source."""
        return self.due and self.state != "verified"


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingForm:
    """A filled form of which something is to be compared with its source: `items`, of these `changed` since.

    `encounter` is empty between encounters, `row` 0 when not repeating.
    """

    form: str
    encounter: str
    row: int
    items: tuple[str, ...]
    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationLine:
    """How far a participant's answers were compared with their source.

    Of the `recorded` forms `due` have something that the plan asks for, of which nothing is left in
    `verified`; the others are listed. `items_due` and `items_verified` count answers in the same way.
    """

    participant: str
    recorded: int
    due: int
    verified: int
    items_due: int
    items_verified: int
    unverified: tuple[WaitingForm, ...]


def read_marks(scope: Scope, row: RecordRow) -> Mapping[str, SourceMark]:
    """Return the mark of each answer of a filled form that the viewer may see, in the order of the form."""
    form = scope.definition_of(row.participant).form(row.form)
    shown = scope.shown_values(row.form, row.entered)
    return {
        item.id: SourceMark(
            state=mark_of(row, item.id), due=form.to_verify(item), position=row.verified.get(item.id)
        )
        for item in (form.items if form else ())
        if form is not None and item.id in shown
    }


def is_verified(marks: Mapping[str, SourceMark]) -> bool:
    """Tell whether something of a form is to be compared with its source, and nothing is left."""
    return any(mark.due for mark in marks.values()) and not any(mark.waits for mark in marks.values())


def list_verification(scope: Scope) -> tuple[VerificationLine, ...]:
    """Count each participant's forms and answers to compare with their source, and those that were."""
    # A trial has many records and few forms: what the plan asks for of a form is found once.
    plans: dict[tuple[str, str], tuple[str, ...]] = {}
    return tuple(_verification_line(scope, person.participant, plans) for person in scope.people())


def _verification_line(
    scope: Scope, participant: str, plans: dict[tuple[str, str], tuple[str, ...]]
) -> VerificationLine:
    definition = scope.definition_of(participant)
    recorded = due = items_due = items_left = 0
    left = []
    for row in scope.tables.where(RecordRow, participant=participant):
        if row.removed or scope.hides_form(row.form):
            continue
        recorded += 1
        key = definition.hash, row.form
        if key not in plans:
            plans[key] = _planned_items(scope, definition, row.form)
        asked = [item for item in plans[key] if item in row.entered]
        waiting = tuple(item for item in asked if mark_of(row, item) != "verified")
        due += bool(asked)
        items_due += len(asked)
        items_left += len(waiting)
        if waiting:
            left.append(_waiting(row, waiting))
    return VerificationLine(
        participant=participant,
        recorded=recorded,
        due=due,
        verified=due - len(left),
        items_due=items_due,
        items_verified=items_due - items_left,
        unverified=tuple(left),
    )


def _planned_items(scope: Scope, definition: StudyDefinition, form_id: str) -> tuple[str, ...]:
    """What the plan asks for of a form, as far as the viewer may see it."""
    form = definition.form(form_id)
    planned = [item.id for item in (form.items if form else ()) if form is not None and form.to_verify(item)]
    return tuple(scope.shown_values(form_id, dict.fromkeys(planned)))


def _waiting(row: RecordRow, items: tuple[str, ...]) -> WaitingForm:
    changed = tuple(item for item in items if mark_of(row, item) == "changed")
    return WaitingForm(form=row.form, encounter=row.encounter, row=row.row, items=items, changed=changed)
