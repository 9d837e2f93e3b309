"""What a view says of participants' courses: forms and their history, what is due, what is signed."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from equipoise.access.actor import Actor
from equipoise.access.refusal import Refusal, Refused
from equipoise.capture.commands import (
    CorrectForm,
    FreezeParticipant,
    MissEncounter,
    RecordForm,
    RemoveRow,
    SignCasebook,
    StartEncounter,
    StartUnscheduledEncounter,
    UnfreezeParticipant,
    VerifySource,
)
from equipoise.conduct.view import MaskedView
from equipoise.conduct.view.verification import VerificationLine, WaitingForm
from equipoise.enrolment.commands import CompleteParticipant, FailScreening, WithdrawParticipant
from equipoise.governance.commands import GrantRole
from tests.conduct.clinic import ADA, DANA, DAY, LENA, PETE, PRIYA, Clinic, randomise

MONA = Actor("mona", "monitor")
VITALS = {"taken_on": "2024-06-03", "weight": "60", "systolic": 120, "diastolic": 80}
EVENT = {"term": "Headache", "onset": "2024-06", "severity": "mild", "outcome": "ongoing"}


def treated() -> tuple[Clinic, str]:
    """A participant who was randomised today and came to week 0."""
    clinic = Clinic()
    code = clinic.consent()
    clinic.do(PRIYA, randomise(code))
    clinic.do(PRIYA, StartEncounter(participant=code, encounter="week_0", took_place_on=DAY))
    return clinic, code


def fill(clinic: Clinic, code: str, form: str, encounter: str | None, **values: object) -> int:
    entries = clinic.do(
        PRIYA, RecordForm(participant=code, form=form, encounter=encounter, values=dict(values))
    )
    return entries[0].position


def seen(clinic: Clinic, actor: Actor = PRIYA) -> MaskedView:
    return clinic.trial.as_seen_by(actor)


# -- a filled form and its history


def test_spec_a_form_says_at_which_position_its_last_visible_value_was_entered() -> None:
    clinic, code = treated()
    first = fill(clinic, code, "labs", "week_0", crp="3", marker="50")
    for actor, position in ((PRIYA, first), (LENA, first + 1)):
        line = seen(clinic, actor).record(code, "labs", "week_0")
        assert line is not None
        assert line.position == position
        assert line == seen(clinic, actor).records(code)[0]
    line = seen(clinic).record(code, "labs", "week_0")
    assert line is not None
    change = CorrectForm(participant=code, form="labs", encounter="week_0", values={"crp": "4"}, seen=0)
    refusal = clinic.trial.record(PRIYA, change, "Typing error")
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.details) == ("CAP-CHANGED", ("crp",))
    seeing = CorrectForm(
        participant=code, form="labs", encounter="week_0", values={"crp": "4"}, seen=line.position
    )
    clinic.do(PRIYA, seeing, "Typing error")


def test_spec_a_value_that_was_taken_away_counts_as_the_last_change() -> None:
    clinic, code = treated()
    fill(clinic, code, "vitals", "week_0", **VITALS, remark="Sitting")
    change = CorrectForm(participant=code, form="vitals", encounter="week_0", values={"remark": None})
    [gone, *_] = clinic.do(PRIYA, change, "Another visit")
    line = seen(clinic).record(code, "vitals", "week_0")
    assert line is not None
    assert line.position == gone.position
    assert "remark" not in {**line.values, **line.entered}


def test_a_form_that_is_not_there_or_not_to_be_seen_is_none() -> None:
    clinic, code = treated()
    view = seen(clinic)
    for form in ("vitals", "thaw", "scribbles"):
        assert view.record(code, form, "week_0") is None
    fill(clinic, code, "adverse_event", None, **EVENT)
    assert view.record(code, "adverse_event", row=2) is None
    line = view.record(code, "adverse_event", row=1)
    assert line is not None
    assert line.values["term"] == "Headache"


@pytest.mark.requirement("G2", "G5")
def test_spec_every_value_of_an_item_is_told_with_who_gave_it_when_and_why() -> None:
    clinic, code = treated()
    fill(clinic, code, "adverse_event", None, **EVENT)
    fill(clinic, code, "adverse_event", None, **{**EVENT, "term": "Fall"})
    change = CorrectForm(participant=code, form="adverse_event", row=1, values={"severity": "moderate"})
    clinic.do(PRIYA, change, "It was worse")
    clinic.do(PRIYA, RemoveRow(participant=code, form="adverse_event", row=1), "Entered twice")
    lines = seen(clinic, DANA).item_history(code, "adverse_event", "severity", row=1)
    assert [(line.kind, line.value, line.reason, line.account, line.role) for line in lines] == [
        ("recorded", "mild", None, "priya", "investigator"),
        ("corrected", "moderate", "It was worse", "priya", "investigator"),
        ("row removed", "moderate", "Entered twice", "priya", "investigator"),
    ]
    assert [line.position for line in lines] == sorted(line.position for line in lines)
    assert [line.kind for line in seen(clinic).item_history(code, "adverse_event", "term", row=2)] == [
        "recorded"
    ]
    assert seen(clinic).item_history(code, "adverse_event", "serious", row=1) == ()
    assert seen(clinic).item_history(code, "adverse_event", "term", row=9) == ()


def test_the_history_of_an_item_is_that_of_one_encounter() -> None:
    clinic, code = treated()
    clinic.do(PRIYA, StartEncounter(participant=code, encounter="screening", took_place_on=DAY))
    fill(clinic, code, "vitals", "week_0", **VITALS)
    fill(clinic, code, "vitals", "screening", **{**VITALS, "weight": "61"})
    change = CorrectForm(participant=code, form="vitals", encounter="week_0", values={"remark": "Sitting"})
    clinic.do(PRIYA, change, "Added later")
    weights = [
        [line.value for line in seen(clinic).item_history(code, "vitals", "weight", encounter)]
        for encounter in ("week_0", "screening", "week_4")
    ]
    assert weights == [["60"], ["61"], []]
    [added] = seen(clinic).item_history(code, "vitals", "remark", "week_0")
    assert (added.kind, added.value) == ("corrected", "Sitting")


def test_spec_the_history_of_a_hidden_item_is_refused_like_that_of_none() -> None:
    clinic, code = treated()
    fill(clinic, code, "labs", "week_0", crp="3", marker="50")
    texts = set()
    for form, item in (("labs", "marker"), ("labs", "mood"), ("thaw", "viability"), ("scribbles", "crp")):
        with pytest.raises(Refused) as refused:
            seen(clinic).item_history(code, form, item, "week_0")
        assert refused.value.refusal.code == "ACC-ITEM"
        texts.add(refused.value.refusal.sentence.replace(form, "FORM").replace(item, "ITEM"))
    assert texts == {"The role investigator sees no item ITEM of a form FORM."}
    [line] = seen(clinic, LENA).item_history(code, "labs", "marker", "week_0")
    assert line.value == "50"
    with pytest.raises(Refused, match="ACC-PARTICIPANT"):
        seen(clinic, PETE).item_history(code, "labs", "crp", "week_0")


def test_spec_the_monitor_sees_which_forms_were_not_verified() -> None:
    clinic, code = treated()
    clinic.do(ADA, GrantRole(account=MONA.account, role=MONA.role))
    fill(clinic, code, "vitals", "week_0", **VITALS)
    fill(clinic, code, "adverse_event", None, **EVENT)
    fill(clinic, code, "adverse_event", None, **EVENT)
    clinic.do(PRIYA, RemoveRow(participant=code, form="adverse_event", row=2), "Entered twice")
    clinic.do(MONA, VerifySource(participant=code, form="vitals", encounter="week_0"))
    left = WaitingForm(
        form="adverse_event",
        encounter="",
        row=1,
        items=("term", "onset", "severity", "outcome"),
        changed=(),
    )
    assert seen(clinic, MONA).verification() == (
        VerificationLine(
            participant=code,
            recorded=2,
            due=2,
            verified=1,
            items_due=8,
            items_verified=4,
            unverified=(left,),
        ),
    )


# -- what is due


def due(clinic: Clinic, on: date = DAY, actor: Actor = PRIYA) -> list[tuple[str, str, str, tuple[str, ...]]]:
    return [(r.participant, r.encounter, r.status, r.forms_due) for r in seen(clinic, actor).due(on)]


def test_spec_encounters_and_forms_are_due_until_they_are_recorded() -> None:
    clinic, code = treated()
    assert due(clinic) == [
        (code, "screening", "overdue", ()),
        (code, "week_0", "in_window", ("vitals", "labs")),
    ]
    fill(clinic, code, "vitals", "week_0", **VITALS)
    clinic.do(PRIYA, MissEncounter(participant=code, encounter="screening", cause="Done before"))
    assert due(clinic) == [(code, "week_0", "in_window", ("labs",))]
    assert due(clinic, actor=PETE) == []
    month = DAY + timedelta(days=28)
    assert (code, "week_4", "due", ()) in due(clinic, month)
    assert (code, "week_4", "overdue", ()) in due(clinic, month + timedelta(days=4))
    [line] = [line for line in seen(clinic).timeline(code, DAY) if line.encounter == "week_0"]
    assert line.forms_due == ("labs",)


def test_spec_nothing_is_due_of_who_left_and_only_forms_of_who_finished() -> None:
    clinic, code = treated()
    other, third, fourth = clinic.consent(), clinic.consent(), clinic.consent()
    for each in (other, third):
        clinic.do(PRIYA, randomise(each))
        clinic.do(PRIYA, StartEncounter(participant=each, encounter="week_0", took_place_on=DAY))
    left = WithdrawParticipant(participant=code, scope="study", withdrawn_on=DAY, cause="Moved away")
    clinic.do(PRIYA, left)
    clinic.do(PRIYA, replace(left, participant=other, scope="treatment"))
    clinic.do(PRIYA, CompleteParticipant(participant=third, completed_on=DAY))
    clinic.do(PRIYA, FailScreening(participant=fourth, failed_on=DAY, cause="Ill"))
    found = due(clinic)
    assert {line[0] for line in found} == {other, third}
    assert [line[1] for line in found if line[0] == third] == ["week_0"]
    assert {line[1] for line in found if line[0] == other} == {"screening", "week_0"}


def test_spec_a_missing_form_is_one_that_an_encounter_asked_for_and_the_viewer_may_see() -> None:
    clinic, code = treated()
    failed = clinic.consent()
    clinic.do(PRIYA, StartEncounter(participant=failed, encounter="screening", took_place_on=DAY))
    clinic.do(PRIYA, FailScreening(participant=failed, failed_on=DAY, cause="Ill"))
    fill(clinic, code, "labs", "week_0", crp="3")
    assert [(r.participant, r.encounter, r.form) for r in seen(clinic).missing_forms()] == [
        (code, "week_0", "vitals")
    ]
    assert [line.form for line in seen(clinic, LENA).missing_forms()] == ["vitals", "thaw"]
    assert seen(clinic).missing_forms()[0].took_place_on == DAY.isoformat()


def test_spec_what_was_missed_or_took_place_early_or_late_is_listed_with_the_days() -> None:
    clinic, code = treated()
    clinic.clock.now += timedelta(days=70)
    for encounter, day in (("week_4", 20), ("week_8", 62)):
        took_place = DAY + timedelta(days=day)
        clinic.do(PRIYA, StartEncounter(participant=code, encounter=encounter, took_place_on=took_place))
    clinic.do(PRIYA, MissEncounter(participant=code, encounter="screening", cause="Done before"))
    assert [(r.encounter, r.status, r.days_off, r.cause) for r in seen(clinic).out_of_window()] == [
        ("screening", "missed", 0, "Done before"),
        ("week_4", "early", -8, None),
        ("week_8", "late", 6, None),
    ]
    assert seen(clinic, PETE).out_of_window() == ()


def test_spec_an_encounter_beside_the_schedule_stands_in_the_timeline_and_asks_for_nothing() -> None:
    clinic, code = treated()
    clinic.do(PRIYA, StartUnscheduledEncounter(participant=code, took_place_on=DAY, cause="Fever"))
    line = seen(clinic).timeline(code, DAY)[-1]
    assert (line.name, line.status, line.target, line.forms_due) == ("Unscheduled 1", "unscheduled", None, ())
    fill(clinic, code, "vitals", "week_0", **VITALS)
    fill(clinic, code, "labs", "week_0", crp="3")
    assert seen(clinic).missing_forms() == ()


# -- frozen and signed


@pytest.mark.requirement("P2")
def test_spec_a_signature_holds_until_the_casebook_changes() -> None:
    clinic, code = treated()
    fill(clinic, code, "vitals", "week_0", **VITALS)

    def signed() -> bool:
        [line] = seen(clinic).participants()
        return line.signed

    def correct(weight: str) -> None:
        change = CorrectForm(participant=code, form="vitals", encounter="week_0", values={"weight": weight})
        clinic.do(PRIYA, change, "Typing error")

    assert not signed()
    clinic.do(PRIYA, SignCasebook(participant=code, meaning="I confirm these data."))
    assert signed()
    clinic.do(PRIYA, CompleteParticipant(participant=code, completed_on=DAY))
    assert signed()
    correct("61")
    assert not signed()
    correct("60")
    assert signed(), "it is what was signed, again"
    clinic.do(PRIYA, StartEncounter(participant=code, encounter="screening", took_place_on=DAY))
    assert not signed()


def test_spec_frozen_data_are_listed_with_who_froze_them() -> None:
    clinic, code = treated()
    assert seen(clinic).freezes() == ()
    clinic.do(DANA, FreezeParticipant(participant=code))
    [line] = seen(clinic).freezes()
    assert (line.participant, line.frozen_by) == (code, "dana")
    assert [line.frozen for line in seen(clinic).participants()] == [True]
    assert seen(clinic, PETE).freezes() == ()
    clinic.do(DANA, UnfreezeParticipant(participant=code), "A value is missing")
    assert [line.frozen for line in seen(clinic).participants()] == [False]
