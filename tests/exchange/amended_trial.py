"""A small trial with two amendments: one that a site of two has, and one that needs no approval."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from equipoise.capture.commands import CorrectForm, RecordForm
from equipoise.conduct.view import MaskedView
from equipoise.definition.lock import hashed
from equipoise.definition.model.definition import StudyDefinition
from equipoise.enrolment.commands import RenewConsent
from tests.conduct.clinic import DANA, DAY, PETE, Clinic, randomise
from tests.conduct.test_amendments import LATER, VALUES, amend, approve, fill, second, start, without_imaging
from tests.factory import PRIYA


def with_history(base: StudyDefinition) -> StudyDefinition:
    """The second version, which also asks at week 0 for what was asked at screening alone."""
    amended = second(base)
    (asked, *others) = amended.schedule.activities
    asked = replace(asked, encounters=(*asked.encounters, "week_0"))
    return hashed(replace(amended, schedule=replace(amended.schedule, activities=(asked, *others))))


def renamed(base: StudyDefinition) -> StudyDefinition:
    return hashed(replace(base, study=replace(base.study, version="2.1", title="Another title")))


@cache
def amended_clinic() -> Clinic:
    """Two at SE01, which has both amendments, and one at CA01, which has none of them yet."""
    clinic = without_imaging()
    here, later, there = (clinic.consent(site) for site in ("SE01", "SE01", "CA01"))
    for actor, code in ((PRIYA, here), (PETE, there)):
        clinic.do(actor, randomise(code))
        start(clinic, actor, code, "week_0")
    clinic.do(PRIYA, fill(here, VALUES))
    labs = {"crp": "1.5"}
    clinic.do(PRIYA, RecordForm(participant=here, form="labs", values=labs, encounter="week_0"))
    amend(clinic, with_history, reconsent=True)
    approve(clinic, "SE01")
    clinic.do(PRIYA, RenewConsent(participant=here, consent_version="2.0", consented_on=DAY))
    seen = clinic.trial.as_seen_by(PRIYA).record(here, "vitals", "week_0")
    assert seen is not None
    correct = CorrectForm(
        participant=here,
        form="vitals",
        values={"remark": "Very well."},
        encounter="week_0",
        seen=seen.position,
    )
    clinic.do(PRIYA, correct, "Misheard.")
    clinic.do(PRIYA, randomise(later))
    start(clinic, PRIYA, later, "week_0")
    clinic.do(PRIYA, fill(later, LATER))
    amend(clinic, renamed, substantial=False)
    clinic.do(PETE, fill(there, VALUES))
    clinic.do(PRIYA, RecordForm(participant=later, form="labs", values=labs, encounter="week_0"))
    return clinic


def amended_view() -> MaskedView:
    """The trial as the data manager sees it."""
    return amended_clinic().trial.as_seen_by(DANA)
