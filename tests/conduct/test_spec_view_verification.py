"""Source verification in the eyes of its readers: the plan reduces it, and nothing in it unmasks."""

from dataclasses import replace

import pytest

from equipoise.access.actor import Actor
from equipoise.capture.commands import CorrectForm, RecordForm, StartEncounter, VerifySource
from equipoise.conduct.view.lines import RecordLine
from equipoise.definition.lock import hashed
from equipoise.definition.model.forms import Form
from equipoise.governance.commands import GrantRole
from tests.conduct.clinic import ADA, DAY, LENA, PRIYA, Clinic, open_definition, randomise

MONA = Actor("mona", "monitor")
VITALS = {"taken_on": "2024-06-03", "weight": "60", "systolic": 120, "diastolic": 80}


def make_clinic(critical: str | None = None) -> tuple[Clinic, str]:
    """A participant at week 0 with vital signs and laboratory values; a critical item reduces the plan."""
    definition = open_definition()
    forms = tuple(_reduced(form, critical) if critical else form for form in definition.forms)
    clinic = Clinic(definition=hashed(replace(definition, forms=forms)))
    code = clinic.consent()
    clinic.do(ADA, GrantRole(account=MONA.account, role=MONA.role))
    clinic.do(PRIYA, randomise(code))
    clinic.do(PRIYA, StartEncounter(participant=code, encounter="week_0", took_place_on=DAY))
    for form, values in (("vitals", VITALS), ("labs", {"crp": "3", "marker": "50"})):
        clinic.do(PRIYA, RecordForm(participant=code, form=form, encounter="week_0", values=values))
    return clinic, code


def _reduced(form: Form, critical: str) -> Form:
    items = tuple(replace(item, critical=item.id == critical) for item in form.items)
    found = any(item.critical for item in items)
    return replace(form, items=items, source_verification="critical" if found else "none")


def record(clinic: Clinic, code: str, form: str, actor: Actor = MONA) -> RecordLine:
    line = clinic.trial.as_seen_by(actor).record(code, form, "week_0")
    assert line is not None
    return line


@pytest.mark.requirement("G5")
def test_spec_a_reduced_plan_counts_critical_items_and_leaves_the_rest_open_to_the_monitor() -> None:
    clinic, code = make_clinic("weight")
    [line] = clinic.trial.as_seen_by(MONA).verification()
    assert (line.recorded, line.due, line.items_due) == (2, 1, 1)
    assert [(each.form, each.items) for each in line.unverified] == [("vitals", ("weight",))]
    clinic.do(MONA, VerifySource(participant=code, form="vitals", encounter="week_0"))
    clinic.do(MONA, VerifySource(participant=code, form="labs", encounter="week_0", items=("crp",)))
    [line] = clinic.trial.as_seen_by(MONA).verification()
    assert (line.verified, line.items_verified, line.unverified) == (1, 1, ())
    assert record(clinic, code, "vitals").verified
    # Of what the plan does not ask for nobody says that it was verified as a whole.
    assert not record(clinic, code, "labs").verified
    assert record(clinic, code, "labs").source["crp"].state == "verified"


def test_spec_a_correction_is_listed_as_changed_and_waits_alone() -> None:
    clinic, code = make_clinic()
    clinic.do(MONA, VerifySource(participant=code, form="vitals", encounter="week_0"))
    change = CorrectForm(participant=code, form="vitals", encounter="week_0", values={"weight": "61"})
    clinic.do(PRIYA, change, "Read anew")
    waiting = {
        each.form: each for line in clinic.trial.as_seen_by(MONA).verification() for each in line.unverified
    }
    assert (waiting["vitals"].items, waiting["vitals"].changed) == (("weight",), ("weight",))
    assert waiting["labs"].changed == ()


@pytest.mark.requirement("G10")
def test_spec_the_marks_of_a_form_say_nothing_of_items_that_would_unmask() -> None:
    clinic, code = make_clinic()
    before = record(clinic, code, "labs")
    assert before.source.keys() == {"crp"}
    clinic.do(MONA, VerifySource(participant=code, form="labs", encounter="week_0"))
    masked, unmasked = record(clinic, code, "labs"), record(clinic, code, "labs", LENA)
    assert (set(masked.source), masked.verified) == ({"crp"}, True)
    assert ({item: mark.state for item, mark in unmasked.source.items()}, unmasked.verified) == (
        {"crp": "verified", "marker": "unverified"},
        False,
    )
    counts = {
        actor.account: [(each.items_due, each.items_verified) for each in view.verification()]
        for actor in (MONA, LENA)
        for view in (clinic.trial.as_seen_by(actor),)
    }
    assert counts == {"mona": [(5, 1)], "lena": [(6, 1)]}
