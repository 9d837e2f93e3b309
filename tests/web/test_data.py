"""Data management: what is open, the freeze, and the lock."""

import pytest

from equipoise.web.accounts.models import Account
from equipoise.web.clinic import Clinic
from equipoise.web.pages.data import ROUTES
from tests.web.clinics import PASSWORD, actor_of, browser_of, form_of


def test_every_section_is_for_data_managers_alone(clinic: Clinic):
    pages = [f"/{route.path}" for route in ROUTES]
    dana = browser_of(actor_of(clinic, "data_manager"))
    assert {dana.get(page).status_code for page in pages} == {200}
    for kind in ("nurse", "monitor", "statistician", "laboratory"):
        other = browser_of(actor_of(clinic, kind))
        assert {other.get(page).status_code for page in pages} == {403}


def test_spec_open_and_answered_queries_are_listed_with_their_age_and_can_be_closed(clinic: Clinic):
    dana = actor_of(clinic, "data_manager")
    waiting = [each for each in clinic.trial.as_seen_by(dana).queries() if each.status != "closed"]
    answered = next(each for each in waiting if each.status == "answered")
    browser = browser_of(dana)
    page = browser.get("/data/queries/").content.decode()
    assert all(each.query in page for each in waiting)
    assert "Days open" in page
    assert f"/do/close-query/?query={answered.query}&amp;next=%2Fdata%2Fqueries%2F" in page


@pytest.mark.requirement("G11")
def test_spec_a_participant_is_frozen_and_opened_again(clinic: Clinic):
    dana = actor_of(clinic, "data_manager")
    browser = browser_of(dana)
    address = "/do/freeze-participant/?participant=SE01-002&next=%2Fdata%2Ffreezes%2F"
    assert address.replace("&", "&amp;") in browser.get("/data/freezes/").content.decode()
    answer = browser.post("/do/freeze-participant/", form_of(browser, address))
    assert (answer.status_code, answer["Location"]) == (302, "/data/freezes/")
    assert [line.participant for line in clinic.trial.as_seen_by(dana).freezes()] == ["SE01-002"]
    assert "/do/unfreeze-participant/?participant=SE01-002" in browser.get("/data/freezes/").content.decode()
    again = form_of(browser, "/do/unfreeze-participant/?participant=SE01-002") | {"reason": "A late result"}
    assert browser.post("/do/unfreeze-participant/", again).status_code == 302
    assert not clinic.trial.as_seen_by(dana).freezes()


def test_spec_a_casebook_that_changed_after_it_was_signed_is_listed(clinic: Clinic):
    dana = actor_of(clinic, "data_manager")
    seen = clinic.trial.as_seen_by(dana)
    listed = browser_of(dana).get("/data/signatures/?as=csv").content.decode()
    for person in seen.participants():
        unsigned = not person.signed and person.status not in ("screening", "failed")
        assert (person.participant in listed) == unsigned


@pytest.mark.requirement("G11")
def test_spec_the_lock_says_what_will_happen_and_is_refused_while_something_is_open(clinic: Clinic):
    dana = actor_of(clinic, "data_manager")
    browser = browser_of(dana)
    page = browser.get("/do/lock-database/").content.decode()
    matters = [each for each in clinic.trial.as_seen_by(dana).readiness() if each.blocks]
    assert matters
    assert f"{len(matters)} matters are open" in page
    assert "It cannot be taken back." in page
    before = clinic.trial.head
    without = browser.post("/do/lock-database/", form_of(browser, "/do/lock-database/"))
    assert "WEB-PROOF" in without.content.decode()
    account = Account.objects.get(username=dana.account)
    account.set_password(PASSWORD)
    account.save()
    browser = browser_of(dana)
    fields = form_of(browser, "/do/lock-database/") | {"proof_password": PASSWORD}
    refused = browser.post("/do/lock-database/", fields)
    assert refused.status_code == 422
    assert "Not recorded" in refused.content.decode()
    assert clinic.trial.head == before


def test_double_reading_tells_agreement_and_no_value(clinic: Clinic):
    dana = actor_of(clinic, "data_manager")
    lines = clinic.trial.as_seen_by(dana).reading_agreement()
    assert lines
    page = browser_of(dana).get("/data/agreement/").content.decode()
    assert all(line.label in page for line in lines)


def test_a_list_leaves_as_csv(clinic: Clinic):
    answer = browser_of(actor_of(clinic, "data_manager")).get("/data/windows/?as=csv")
    assert answer["Content-Disposition"] == 'attachment; filename="out-of-window.csv"'
    assert answer.content.decode().startswith("\ufeffParticipant,Encounter,Status")
