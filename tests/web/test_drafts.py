"""Drafts: kept on the server for whoever types, offered to them alone, gone when the form is recorded."""

import pytest
from django.test import Client

from equipoise.access.actor import Actor
from equipoise.web.accounts.models import Draft
from equipoise.web.clinic import Clinic
from equipoise.web.protect import role_token
from tests.web.clinics import actor_of, browser_of, form_of, read_form
from tests.web.filled import VITAL_SIGNS, address_of, open_form, recorded_form


def keep(browser: Client, actor: Actor, page: str, fields: dict[str, str]) -> int:
    given = fields | {"page": page, "acting_as": role_token(actor)}
    return browser.post("/drafts/", given).status_code


def test_spec_a_half_filled_form_survives_and_is_offered(clinic: Clinic):
    address, nurse = open_form(clinic), actor_of(clinic, "nurse", "SE01")
    browser = browser_of(nurse)
    fields = form_of(browser, address)
    assert keep(browser, nurse, address, fields | {"item-weight": "71,", "item-pulse": "66"}) == 204
    # Another browser of the same account: the first was closed.
    later = browser_of(nurse)
    page = later.get(address).content.decode()
    assert "was found" in page
    assert 'id="command"' not in page
    resumed = form_of(later, f"{address}?draft=1")
    assert (resumed["item-weight"], resumed["item-pulse"]) == ("71,", "66")


@pytest.mark.requirement("G14")
def test_spec_a_draft_is_shown_to_nobody_else(clinic: Clinic):
    address, nurse = open_form(clinic), actor_of(clinic, "nurse", "SE01")
    assert keep(browser_of(nurse), nurse, address, {"item-weight": "71.23"}) == 204
    for other in (actor_of(clinic, "investigator", "SE01"), actor_of(clinic, "monitor")):
        browser = browser_of(other)
        for page in (address, f"{address}?draft=1"):
            text = browser.get(page).content.decode()
            assert "was found" not in text
            assert "71.23" not in text


def test_a_draft_is_gone_when_its_form_is_recorded_and_a_late_copy_does_not_bring_it_back(clinic: Clinic):
    address, nurse = open_form(clinic), actor_of(clinic, "nurse", "SE01")
    browser = browser_of(nurse)
    fields = form_of(browser, address) | VITAL_SIGNS
    assert keep(browser, nurse, address, fields) == 204
    assert browser.post(address, fields).status_code == 302
    assert not Draft.objects.exists()
    assert keep(browser, nurse, address, fields) == 204
    assert not Draft.objects.exists()


def test_a_draft_is_discarded(clinic: Clinic):
    address, nurse = open_form(clinic), actor_of(clinic, "nurse", "SE01")
    browser = browser_of(nurse)
    keep(browser, nurse, address, {"item-weight": "71"})
    given = {"page": address, "discard": "1", "acting_as": role_token(nurse)}
    assert browser.post("/drafts/", given)["Location"] == address
    assert not Draft.objects.exists()
    assert 'id="command"' in browser.get(address).content.decode()


def test_spec_a_draft_of_an_older_definition_says_so_and_keeps_only_items_that_exist(clinic: Clinic):
    address, nurse = open_form(clinic), actor_of(clinic, "nurse", "SE01")
    browser = browser_of(nurse)
    keep(browser, nurse, address, {"item-weight": "71", "item-unheard_of": "secret"})
    Draft.objects.update(definition="0" * 64)
    assert "earlier version of the study definition" in browser.get(address).content.decode()
    page = browser.get(f"{address}?draft=1").content.decode()
    assert read_form(page)["item-weight"] == "71"
    assert "secret" not in page


def test_a_draft_of_a_correction_keeps_what_had_been_seen(clinic: Clinic):
    record, nurse = recorded_form(clinic), actor_of(clinic, "nurse", "SE01")
    correct = f"{address_of(record)}correct/"
    mine, theirs = browser_of(nurse), browser_of(actor_of(clinic, "investigator", "SE01"))
    fields = form_of(mine, correct) | {"item-weight": "81", "reason": "Wrong column"}
    assert keep(mine, nurse, correct, fields) == 204
    theirs.post(correct, form_of(theirs, correct) | {"item-weight": "82", "reason": "Read again"})
    resumed = form_of(mine, f"{correct}?draft=1")
    assert (resumed["seen"], resumed["reason"]) == (fields["seen"], "Wrong column")
    assert mine.post(correct, resumed).status_code == 409


def test_a_draft_that_belongs_to_no_form_is_refused(clinic: Clinic):
    nurse = actor_of(clinic, "nurse", "SE01")
    browser = browser_of(nurse)
    for page in ("/", "/participants/", "//elsewhere.example/", "https://elsewhere.example/", ""):
        assert keep(browser, nurse, page, {"item-weight": "71"}) == 422
    assert not Draft.objects.exists()


def test_what_is_no_answer_or_too_long_is_not_kept(clinic: Clinic):
    address, nurse = open_form(clinic), actor_of(clinic, "nurse", "SE01")
    browser = browser_of(nurse)
    keep(browser, nurse, address, {"item-weight": "7" * 5000, "password": "x", "item-pulse": "66"})
    assert Draft.objects.get().fields == {"item-pulse": "66"}
    keep(browser, nurse, address, {"item-pulse": ""})
    assert not Draft.objects.exists()


def test_without_a_session_a_draft_is_not_taken_so_that_the_browser_keeps_it(clinic: Clinic):
    address, nurse = open_form(clinic), actor_of(clinic, "nurse", "SE01")
    assert keep(Client(), nurse, address, {"item-weight": "71"}) == 302
    assert keep(browser_of(actor_of(clinic, "reader")), nurse, address, {"item-weight": "71"}) == 403
    assert not Draft.objects.exists()
