"""A form before it is recorded, and a casebook before it is signed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from equipoise.access.refusal import Refusal, Refused
from equipoise.capture.evidence import casebook_hash, signature_holds
from equipoise.capture.findings import Place, derive_checks, is_hidden
from equipoise.capture.forms import find_record
from equipoise.capture.state import EncounterRow, RecordRow, SignatureRow
from equipoise.conduct.evidence import evidence_of
from equipoise.conduct.view.lines import CheckedForm, FindingLine, SignatureLine
from equipoise.conduct.view.scope import Scope
from equipoise.definition.expression import Evidence, truth
from equipoise.definition.model.forms import Form
from equipoise.definition.recording import RowEvidence, date_of, read_values, retired_problems


def check_answers(
    scope: Scope,
    participant: str,
    form_id: str,
    values: Mapping[str, Any],
    today: date,
    encounter: str | None,
    row: int | None,
) -> CheckedForm:
    """Check answers as recording them would; a form that is hidden from the viewer is not there.

    What looks at unmasking items is left out for those who must not see them.
    """
    scope.need_participant(participant)
    form = scope.definition.form(form_id)
    if form is None or scope.hides_form(form_id):
        raise Refused(Refusal("CAP-UNKNOWN-FORM", f"The study has no form {form_id}.", "Check its name."))
    answers = {item: value for item, value in values.items() if scope.shown_values(form_id, {item: value})}
    place = _place(scope, form, participant, encounter, row, today)
    evidence = evidence_of(scope.definition, scope.tables, participant, place.day)
    read = read_values(form, answers, evidence)
    kept = {
        item.id for item in form.items if scope.hides_unmasking and is_hidden(scope.definition, form, item)
    }
    dated = date_of(form, read.stored) or place.dated
    own = Place(participant=participant, encounter=place.encounter, row=place.row, dated=dated, day=place.day)
    found = derive_checks(scope.definition, form, read.stored, evidence, own)
    known = find_record(scope.tables, form, participant, encounter, row)
    problems = (*read.problems, *retired_problems(form, read.stored, known.item_values if known else None))
    return CheckedForm(
        problems=tuple(problem for problem in problems if problem.item not in kept),
        findings=tuple(
            FindingLine(check=each.origin, item=each.item, text=each.text, hard=each.hard)
            for each in found
            if not (each.hidden and scope.hides_unmasking)
        ),
        asked=_asked(form, read.stored, evidence, kept),
    )


def _place(
    scope: Scope, form: Form, participant: str, encounter: str | None, row: int | None, today: date
) -> Place:
    known = scope.tables.get(EncounterRow, participant, encounter) if encounter else None
    dated = known.took_place_on if known else None
    number = 0
    if form.repeating:
        rows = scope.tables.where(RecordRow, participant=participant, form=form.id)
        number = row or len(rows) + 1
    day = date.fromisoformat(dated) if dated else today
    return Place(participant=participant, encounter=encounter or "", row=number, dated=dated, day=day)


def _asked(form: Form, stored: Mapping[str, Any], evidence: Evidence, kept: set[str]) -> dict[str, str]:
    own = RowEvidence(form, stored, evidence)
    return {
        item.id: truth(item.when, own).value
        for item in form.items
        if item.when is not None and item.id not in kept
    }


def hash_casebook(scope: Scope, participant: str) -> str:
    """Return the hash that a signature of the viewer's on a casebook would name."""
    scope.need_participant(participant)
    return casebook_hash(scope.tables, participant, masked=scope.viewer.masked)


def list_signature_lines(scope: Scope, participant: str) -> tuple[SignatureLine, ...]:
    """List the signatures on a casebook, with who signed as what and whether they still hold."""
    scope.need_participant(participant)
    return tuple(
        SignatureLine(
            position=row.position,
            account=row.account,
            role=scope.trail.at(row.position).role,
            meaning=row.meaning,
            signed_at=row.signed_at,
            signed_hash=row.signed_hash,
            holds=signature_holds(scope.tables, row),
        )
        for row in scope.tables.where(SignatureRow, participant=participant)
    )
