"""Where tests of forms find a form to fill in, and one that is recorded."""

from typing import Any

from equipoise.capture.commands import StartUnscheduledEncounter
from equipoise.capture.state import EncounterRow, RecordRow
from equipoise.enrolment.state import ParticipantRow
from equipoise.web.clinic import Clinic
from tests.web.clinics import actor_of

VITAL_SIGNS = {
    "item-systolic": "120",
    "item-diastolic": "80",
    "item-pulse": "66",
    "item-temperature": "36,7",
    "item-weight": "71.5",
}


def person_of(clinic: Clinic, site: str = "SE01") -> str:
    """Return a participant of a site who is followed."""
    rows = clinic.trial.tables.where(ParticipantRow, site=site)
    return next(row.participant for row in rows if row.status == "screening")


def open_form(clinic: Clinic, form: str = "vital_signs", site: str = "SE01") -> str:
    """Start an unscheduled encounter, and return the address of a form of it."""
    code = person_of(clinic, site)
    nurse = actor_of(clinic, "nurse", site)
    command = StartUnscheduledEncounter(participant=code, took_place_on=clinic.today(site), cause="A fall")
    outcome: Any = clinic.trial.record(nurse, command)
    return f"/participants/{code}/forms/{form}/{outcome[0].content['encounter']}/"


def recorded_form(clinic: Clinic, form: str = "vital_signs", site: str = "SE01") -> RecordRow:
    """Return a form that is recorded at a planned encounter."""
    rows = clinic.trial.tables.where(RecordRow, participant=person_of(clinic, site), form=form)
    took_place = clinic.trial.tables.where(EncounterRow, participant=rows[0].participant)
    known = {row.encounter for row in took_place}
    return next(row for row in rows if row.encounter in known)


def address_of(record: RecordRow) -> str:
    """Return the address of a recorded form."""
    return f"/participants/{record.participant}/forms/{record.form}/{record.encounter}/"
