"""Commands from a page: what is drawn, what is recorded, and that nothing is recorded twice."""

import pytest
from django.test import Client

from equipoise.web.clinic import Clinic
from equipoise.web.commands.catalogue import COMMANDS, FIELD_LABELS
from equipoise.web.commands.fields import field_types
from tests.web.clinics import BOTH, actor_of, browser_of, form_of

BACK_ENDS = BOTH


def test_every_field_of_every_command_has_a_label():
    named = {each.name for command in COMMANDS.values() for each in field_types(command)}
    assert named <= FIELD_LABELS.keys()


@pytest.mark.requirement("G3")
def test_spec_a_consent_recorded_on_a_page_is_an_entry_of_the_ledger(clinic: Clinic):
    nurse = actor_of(clinic, "nurse", "SE01")
    browser = browser_of(nurse)
    fields = form_of(browser, "/do/consent-participant/") | {"consent_version": "2"}
    before = clinic.trial.head.position
    answer = browser.post("/do/consent-participant/", fields)
    assert answer.status_code == 302
    (entry,) = clinic.trial.ledger.read(before)
    assert (entry.kind, entry.actor, entry.content["site"]) == ("ParticipantConsented", nurse.account, "SE01")
    # The page that follows is of the new participant, with the code that was given.
    assert answer["Location"] == f"/participants/{entry.content['participant']}/"
    assert "The consent is recorded." in browser.get(answer["Location"]).content.decode()


def test_spec_a_form_that_is_sent_twice_is_recorded_once(clinic: Clinic):
    browser = browser_of(actor_of(clinic, "nurse", "SE01"))
    fields = form_of(browser, "/do/consent-participant/") | {"consent_version": "2"}
    first, second = (browser.post("/do/consent-participant/", fields) for _ in range(2))
    before = clinic.trial.head.position
    assert (first.status_code, second.status_code) == (302, 302)
    assert "nothing was recorded twice" in browser.get(second["Location"]).content.decode()
    assert clinic.trial.head.position == before


def test_a_missing_answer_is_named_and_nothing_is_recorded(clinic: Clinic):
    browser = browser_of(actor_of(clinic, "nurse", "SE01"))
    before = clinic.trial.head
    answer = browser.post("/do/consent-participant/", form_of(browser, "/do/consent-participant/"))
    assert answer.status_code == 422
    assert "This must be answered." in answer.content.decode()
    assert clinic.trial.head == before


def test_a_form_opened_in_another_role_is_refused(clinic: Clinic):
    browser = browser_of(actor_of(clinic, "nurse", "SE01"))
    fields = form_of(browser, "/do/consent-participant/") | {"consent_version": "2", "acting_as": "monitor@"}
    answer = browser.post("/do/consent-participant/", fields)
    assert answer.status_code == 422
    assert "WEB-ROLE-CHANGED" in answer.content.decode()


@pytest.mark.requirement("G14")
def test_nobody_comes_in_without_a_login(clinic: Clinic):
    answer = Client().get("/participants/")
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/login/?next=/participants/")
