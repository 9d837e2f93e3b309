"""Breaking a code: two steps, proof, and an allocation for one pair of eyes."""

import pytest

from equipoise.access.actor import Actor
from equipoise.allocation.state import AllocationRow, UnblindingRow
from equipoise.web.accounts.models import AccessEvent, Account
from equipoise.web.clinic import Clinic
from tests.web.clinics import PASSWORD, actor_of, browser_of, read_form

_STEP = "/unblindings/break/"


def investigator_of(clinic: Clinic) -> Actor:
    actor = Actor("investigator.se01", "investigator", "SE01")
    account = Account.objects.get(username=actor.account)
    account.set_password(PASSWORD)
    account.save()
    return actor


def randomised(clinic: Clinic, site: str = "SE01") -> str:
    rows = clinic.trial.tables.all(AllocationRow)
    return next(row.participant for row in rows if row.participant.startswith(site))


def broken(clinic: Clinic, actor: Actor, code: str):
    """Go through both steps; returns the browser and the answer to the last."""
    browser = browser_of(actor)
    cause = "Bleeding, and the antidote depends on it"
    first = browser.get(_STEP).content.decode()
    token = first.split('name="acting_as" value="')[1].split('"')[0]
    second = browser.post(_STEP, {"participant": code, "cause": cause, "acting_as": token})
    assert second.status_code == 200
    fields = read_form(second.content.decode())
    assert (fields["participant"], fields["cause"]) == (code, cause)
    return browser, browser.post(_STEP, fields | {"proof_password": PASSWORD})


@pytest.mark.requirement("G1", "G9", "S2")
def test_spec_a_code_is_broken_in_two_steps_and_shown_once_asked_for(clinic: Clinic):
    actor, code = investigator_of(clinic), randomised(clinic)
    names = {arm.id: arm.name for arm in clinic.definition.study.arms}
    browser, answer = broken(clinic, actor, code)
    assert (answer.status_code, answer["Location"]) == (302, f"/unblindings/of/{code}/")
    row = list(clinic.trial.tables.all(UnblindingRow))[-1]
    assert (row.participant, row.account, row.kind) == (code, actor.account, "emergency")
    before = browser.get(answer["Location"]).content.decode()
    assert not any(name in before for name in names.values())
    assert not AccessEvent.objects.filter(what="allocation_read").exists()
    shown = browser.post(answer["Location"], {"acting_as": "investigator@SE01"})
    arm = names[clinic.trial.emergency_allocation(actor, code)]
    page = shown.content.decode()
    assert arm in page
    assert sum(name in page for name in names.values()) == 1
    assert shown["Cache-Control"] == "no-store"
    event = AccessEvent.objects.get(what="allocation_read")
    assert (event.account, event.detail) == (actor.account, code)


def test_nothing_is_broken_without_proof_or_cause(clinic: Clinic):
    actor, code = investigator_of(clinic), randomised(clinic)
    browser = browser_of(actor)
    before = clinic.trial.head
    posted = {"participant": code, "acting_as": "investigator@SE01"}
    assert browser.post(_STEP, posted | {"cause": " "}).status_code == 422
    assert browser.post(_STEP, posted | {"cause": "x", "participant": "IT01-001"}).status_code == 422
    fields = read_form(browser.post(_STEP, posted | {"cause": "Care"}).content.decode())
    wrong = browser.post(_STEP, fields | {"proof_password": "not that one"})
    assert wrong.status_code == 422
    assert "WEB-PROOF" in wrong.content.decode()
    assert clinic.trial.head == before


@pytest.mark.requirement("G9", "S2")
def test_spec_nobody_else_reads_a_code_that_was_broken(clinic: Clinic):
    actor, code = investigator_of(clinic), randomised(clinic)
    broken(clinic, actor, code)
    address = f"/unblindings/of/{code}/"
    desk = actor_of(clinic, "safety_desk")
    assert browser_of(desk).get(address).status_code == 404
    assert browser_of(desk).post(address, {"acting_as": "safety_desk@"}).status_code == 404
    for kind in ("nurse", "data_manager", "monitor", "reader"):
        assert browser_of(actor_of(clinic, kind)).get(address).status_code == 403
    listed = browser_of(actor_of(clinic, "monitor")).get("/unblindings/").content.decode()
    assert "The investigator at se01" in listed
    assert "Bleeding" in listed
    assert not any(arm.name in listed for arm in clinic.definition.study.arms)


def test_a_role_that_the_definition_does_not_name_is_told_whom_to_ask(clinic: Clinic):
    (treating,) = clinic.roles_of("treating_neurologist.it01")
    page = browser_of(treating).get(_STEP).content.decode()
    assert "Your role may not break the code" in page
    assert 'id="breaking"' not in page


@pytest.mark.requirement("G18")
def test_spec_there_is_a_sheet_for_when_the_system_is_down(clinic: Clinic):
    for kind in ("investigator", "nurse", "laboratory"):
        page = browser_of(actor_of(clinic, kind)).get("/unblindings/paper/").content.decode()
        assert "Telephone, day and night" in page
        assert "Investigator, Safety desk" in page


@pytest.mark.requirement("G9")
def test_an_accident_is_reported(clinic: Clinic):
    nurse, code = actor_of(clinic, "nurse", "SE01"), randomised(clinic)
    browser = browser_of(nurse)
    address = f"/do/report-unblinding/?participant={code}&next=/unblindings/"
    fields = read_form(browser.get(address).content.decode())
    posted = fields | {"who": "The nurse", "how": "A label was seen", "assessment": "No bias expected"}
    assert browser.post("/do/report-unblinding/", posted).status_code == 302
    page = browser.get("/unblindings/").content.decode()
    assert "The nurse" in page
    assert "A label was seen" not in page
