"""What is planned for participants, what is due, and what did not go as planned."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from equipoise.capture.state import EncounterRow, RecordRow
from equipoise.conduct.evidence import anchors_of
from equipoise.conduct.view.lines import DueLine, MissingFormLine, TimelineLine, WindowLine
from equipoise.conduct.view.scope import Scope
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.schedule import Encounter
from equipoise.enrolment.state import ParticipantRow, state_of

_FOLLOWED = ("screening", "withdrawn_from_treatment")
_NO_MORE_FORMS = ("failed", "withdrawn")


def list_timeline(scope: Scope, participant: str, today: date) -> tuple[TimelineLine, ...]:
    """List a participant's encounters, planned and unscheduled, with what is due on a day."""
    scope.need_participant(participant)
    return tuple(_timeline(scope, participant, today))


def _timeline(scope: Scope, participant: str, today: date) -> Iterator[TimelineLine]:
    anchors = anchors_of(scope.tables, participant)
    rows = {row.encounter: row for row in scope.tables.where(EncounterRow, participant=participant)}
    missing = _missing_forms(scope, participant)
    for planned in scope.definition_of(participant).schedule.encounters:
        row = rows.pop(planned.id, None)
        if planned.retired and row is None:
            continue
        yield _planned_line(planned, row, anchors.get(planned.anchor), today, missing.get(planned.id, ()))
    for row in rows.values():
        yield TimelineLine(
            encounter=row.encounter,
            name=row.encounter.replace("_", " ").capitalize(),
            target=None,
            opens=None,
            closes=None,
            took_place_on=row.took_place_on,
            status=row.status,
            forms_due=(),
            days_off=row.days_off,
            cause=row.cause,
        )


def _planned_line(
    planned: Encounter, row: EncounterRow | None, anchor: date | None, today: date, forms: tuple[str, ...]
) -> TimelineLine:
    target = anchor + timedelta(days=planned.day) if anchor else None
    opens = target - timedelta(days=planned.early_days) if target else None
    closes = target + timedelta(days=planned.late_days) if target else None
    if row is not None:
        status = row.status
    elif opens is None or closes is None or today < opens:
        status = "planned"
    else:
        status = "due" if today <= closes else "overdue"
    return TimelineLine(
        encounter=planned.id,
        name=planned.name,
        target=target,
        opens=opens,
        closes=closes,
        took_place_on=row.took_place_on if row else None,
        status=status,
        forms_due=forms,
        days_off=row.days_off if row else 0,
        cause=row.cause if row else None,
    )


def list_due(scope: Scope, today: date) -> tuple[DueLine, ...]:
    """List what is to be done for the participants within the scope: the encounters that are due or overdue
    for those who are followed, and the forms of encounters that took place.
    """
    return tuple(
        DueLine(
            participant=person.participant,
            encounter=line.encounter,
            name=line.name,
            status=line.status,
            opens=line.opens,
            closes=line.closes,
            took_place_on=line.took_place_on,
            forms_due=line.forms_due,
        )
        for person in scope.people()
        for line in _timeline(scope, person.participant, today)
        if _is_due(person, line)
    )


def _is_due(person: ParticipantRow, line: TimelineLine) -> bool:
    if line.status in ("due", "overdue"):
        return state_of(person) in _FOLLOWED
    return bool(line.forms_due) and state_of(person) not in _NO_MORE_FORMS


def list_missing_forms(scope: Scope) -> tuple[MissingFormLine, ...]:
    """List the forms that are not filled in, of all but those who failed screening."""
    return tuple(
        MissingFormLine(
            participant=person.participant,
            encounter=row.encounter,
            took_place_on=row.took_place_on or "",
            form=form,
        )
        for person in scope.people()
        if person.status != "failed"
        for row, forms in _rows_with_missing_forms(scope, person.participant)
        for form in forms
    )


def list_out_of_window(scope: Scope) -> tuple[WindowLine, ...]:
    """List the planned encounters that were missed, or took place outside their window."""
    return tuple(
        WindowLine(
            participant=row.participant,
            encounter=row.encounter,
            status=row.status,
            took_place_on=row.took_place_on,
            days_off=row.days_off,
            cause=row.cause,
        )
        for person in scope.people()
        for row in _in_order(scope, person.participant)
        if row.status in ("missed", "early", "late")
    )


# -- which forms are asked for


def _missing_forms(scope: Scope, participant: str) -> dict[str, tuple[str, ...]]:
    return {row.encounter: forms for row, forms in _rows_with_missing_forms(scope, participant)}


def _rows_with_missing_forms(
    scope: Scope, participant: str
) -> Iterator[tuple[EncounterRow, tuple[str, ...]]]:
    """Iterate over the encounters that took place and whose forms are not all filled in."""
    records = scope.tables.where(RecordRow, participant=participant)
    filled = {(each.form, each.encounter) for each in records}
    planned = _desk_forms(scope.definition_of(participant))
    for row in _in_order(scope, participant):
        if row.took_place_on is not None:
            then = scope.versions.of(row.definition)
            asked = None if then is None else _desk_forms(then).get(row.encounter, ())
            forms = tuple(
                form
                for form in planned.get(row.encounter, ())
                if (form, row.encounter) not in filled
                and not scope.hides_form(form)
                and (asked is None or form in asked)
            )
            if forms:
                yield row, forms


def _in_order(scope: Scope, participant: str) -> list[EncounterRow]:
    encounters = scope.definition_of(participant).schedule.encounters
    order = {planned.id: place for place, planned in enumerate(encounters)}
    rows = scope.tables.where(EncounterRow, participant=participant)
    return sorted(rows, key=lambda row: order.get(row.encounter, len(order)))


def _desk_forms(definition: StudyDefinition) -> dict[str, tuple[str, ...]]:
    """Return, by encounter, the forms that are due there at the site's desk.

    As in the report's deviations, neither a repeating form is missed, which may have no row, nor one of
    which every question is asked under a condition.
    """
    if definition.hash not in _planned:
        elsewhere = _filled_elsewhere(definition)
        asked = {
            form.id
            for form in definition.forms
            if form.id not in elsewhere
            and not form.repeating
            and not form.retired
            and any(item.when is None and not item.retired for item in form.items)
        }
        schedule = definition.schedule
        _planned[definition.hash] = {
            each.id: tuple(form for form in schedule.forms_at(each.id) if form in asked)
            for each in schedule.encounters
        }
    return _planned[definition.hash]


_planned: dict[str, dict[str, tuple[str, ...]]] = {}
"""What `_desk_forms` found, by the definition's hash: it is asked for every participant of every list."""


def _filled_elsewhere(definition: StudyDefinition) -> set[str]:
    forms = {definition.imaging.read_form} if definition.imaging else set()
    for product in definition.supply.products:
        forms |= {
            f for f in (product.source_form, product.manufacture_form, product.administration_form) if f
        }
    return forms
