"""What is known of a participant, gathered from the rooms for expressions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from equipoise.allocation.state import AllocationRow
from equipoise.capture.evidence import RecordedEvidence, read_row
from equipoise.capture.state import EncounterRow
from equipoise.definition.expression import Evidence, FormRow
from equipoise.definition.model.definition import StudyDefinition
from equipoise.enrolment.state import ParticipantRow
from equipoise.imaging.state import ReadingRow
from equipoise.ledger.tables import Tables
from equipoise.supply.state import LotRow, UnitRow


def anchors_of(tables: Tables, participant: str) -> dict[str, date]:
    """Return the dates from which windows are counted: consent, randomisation, first administration,
    encounters.
    """
    anchors = {
        row.encounter: date.fromisoformat(row.took_place_on)
        for row in tables.where(EncounterRow, participant=participant)
        if row.took_place_on is not None
    }
    person = tables.get(ParticipantRow, participant)
    if person is not None:
        anchors["consent"] = date.fromisoformat(person.consented_on)
    allocated = tables.get(AllocationRow, participant)
    if allocated is not None:
        anchors["randomisation"] = date.fromisoformat(allocated.randomised_on)
    given = [row.given_on for row in tables.where(UnitRow, participant=participant) if row.given_on]
    if given:
        anchors["first_administration"] = date.fromisoformat(min(given))
    return anchors


def evidence_of(definition: StudyDefinition, tables: Tables, participant: str, on: date) -> Evidence:
    """Return what is known of a participant on a day.

    Before randomisation the day itself stands for it, so that windows before randomisation count from the
    day for
    which the question is asked.
    """
    anchors: dict[str, date | None] = {"randomisation": on, **anchors_of(tables, participant), "today": on}
    return RecordedEvidence(
        definition,
        tables,
        participant,
        on,
        anchors=anchors,
        variables=definition.eligibility.variables,
        extra=lambda form: _rows_of_other_rooms(definition, tables, participant, form),
    )


def _rows_of_other_rooms(
    definition: StudyDefinition, tables: Tables, participant: str, form_id: str
) -> Iterator[FormRow]:
    form = definition.form(form_id)
    if form is None:
        return
    if definition.imaging is not None and form_id == definition.imaging.read_form:
        for reading in tables.where(ReadingRow, participant=participant):
            yield read_row(
                form,
                reading.item_values,
                encounter=reading.encounter,
                dated=reading.acquired_on,
                recorded_at=reading.recorded_at,
                position=reading.position,
            )
    for product in definition.supply.products:
        if form_id in (product.source_form, product.manufacture_form):
            for lot in tables.where(LotRow, participant=participant):
                values = lot.source_values if form_id == product.source_form else lot.manufacture_values
                if lot.product == product.id and values:
                    yield read_row(form, values, dated=lot.collected_on)
        if form_id == product.administration_form:
            for unit in tables.where(UnitRow, participant=participant):
                if unit.product == product.id and unit.item_values is not None:
                    yield read_row(form, unit.item_values, encounter=unit.encounter, dated=unit.given_on)
