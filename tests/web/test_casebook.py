"""Forms: drawn from the definition, checked as one types and on recording, shown with who and when."""

import re

import pytest

from equipoise.capture.state import RecordRow
from equipoise.web.accounts.models import Account
from equipoise.web.clinic import Clinic
from tests.web.clinics import PASSWORD, actor_of, browser_of, form_of, read_form
from tests.web.filled import VITAL_SIGNS, address_of, open_form, person_of, recorded_form


def test_spec_a_form_is_drawn_from_the_definition_with_limits_and_units(clinic: Clinic):
    page = browser_of(actor_of(clinic, "nurse", "SE01")).get(open_form(clinic)).content.decode()
    assert "50 to 280" in page
    assert "mmHg" in page
    assert "33 to 43, in steps of 0.1" in page


def test_spec_a_filled_form_is_an_entry_of_the_ledger(clinic: Clinic):
    address = open_form(clinic)
    nurse = actor_of(clinic, "nurse", "SE01")
    browser = browser_of(nurse)
    before = clinic.trial.head.position
    answer = browser.post(address, form_of(browser, address) | VITAL_SIGNS)
    assert (answer.status_code, answer["Location"]) == (302, address)
    (entry,) = clinic.trial.ledger.read(before)
    assert (entry.kind, entry.actor) == ("FormRecorded", nurse.account)
    assert entry.content["item_values"] == {
        "systolic": 120,
        "diastolic": 80,
        "pulse": 66,
        "temperature": "36.7",
        "weight": "71.5",
    }
    page = browser.get(address).content.decode()
    assert "71.5 kg" in page
    assert f"The {nurse.account.replace('.', ' at ')}" in page
    assert "UTC+" in page


def test_a_form_that_is_sent_twice_is_recorded_once(clinic: Clinic):
    address = open_form(clinic)
    browser = browser_of(actor_of(clinic, "nurse", "SE01"))
    fields = form_of(browser, address) | VITAL_SIGNS
    first, second = (browser.post(address, fields) for _ in range(2))
    assert (first.status_code, second.status_code) == (302, 302)
    assert "nothing was recorded twice" in browser.get(address).content.decode()


def test_what_is_missing_or_wrong_is_said_beside_its_item_and_nothing_is_recorded(clinic: Clinic):
    address = open_form(clinic)
    browser = browser_of(actor_of(clinic, "nurse", "SE01"))
    before = clinic.trial.head
    given = VITAL_SIGNS | {"item-pulse": "", "item-weight": "1,000"}
    answer = browser.post(address, form_of(browser, address) | given)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert '<p class="problem" id="problem-item-pulse">This must be answered.</p>' in page
    assert 'id="problem-item-weight">Allowed is: 30 to 250, in steps of 0.1.' in page
    assert 'value="1,000"' in page
    assert clinic.trial.head == before


def test_spec_a_hard_check_refuses_and_says_so(clinic: Clinic):
    address = open_form(clinic)
    browser = browser_of(actor_of(clinic, "nurse", "SE01"))
    before = clinic.trial.head
    answer = browser.post(address, form_of(browser, address) | VITAL_SIGNS | {"item-diastolic": "130"})
    assert answer.status_code == 422
    (banner,) = re.findall(r'<div class="refusal" role="alert">.*?</div>', answer.content.decode(), re.DOTALL)
    assert "answers contradict each other" in banner
    assert "The systolic pressure must be above the diastolic." in banner
    assert clinic.trial.head == before


def test_spec_checks_run_as_one_types_on_the_server_and_record_nothing(clinic: Clinic):
    address = open_form(clinic)
    browser = browser_of(actor_of(clinic, "nurse", "SE01"))
    before = clinic.trial.head
    given = form_of(browser, address) | {"item-systolic": "80", "item-diastolic": "90", "item-pulse": "999"}
    page = browser.post("/forms/check/", given).content.decode()
    assert "The systolic pressure must be above the diastolic." in page
    assert 'id="problem-item-pulse" hx-swap-oob="true">Allowed is: 20 to 250' in page
    # What nobody has come to yet is not wrong yet.
    assert 'id="problem-item-weight" hx-swap-oob="true" hidden>' in page
    assert clinic.trial.head == before


def test_spec_a_check_that_opens_a_query_is_a_warning_and_is_recorded(clinic: Clinic):
    code = person_of(clinic)
    address = f"/participants/{code}/logs/concomitant_medication/add/"
    browser = browser_of(actor_of(clinic, "nurse", "SE01"))
    given = form_of(browser, address) | {
        "item-drug": "Ibuprofen",
        "item-group": "analgesic",
        "item-indication": "Pain",
        "item-started_on": "2013-05",
        "item-ongoing": "false",
        "item-stopped_on": "2013-04",
    }
    checked = browser.post("/forms/check/", given).content.decode()
    assert "The last dose is dated before the first. Recorded like this, it opens a query." in checked
    before = clinic.trial.head.position
    assert browser.post(address, given).status_code == 302
    assert [entry.kind for entry in clinic.trial.ledger.read(before)] == ["FormRecorded", "QueryOpened"]


def test_spec_a_question_is_asked_only_if_its_condition_holds(clinic: Clinic):
    code = person_of(clinic)
    address = f"/participants/{code}/logs/concomitant_medication/add/"
    browser = browser_of(actor_of(clinic, "nurse", "SE01"))
    fields = form_of(browser, address)
    assert 'data-unasked="stopped_on "' in browser.get(address).content.decode()
    stopped = browser.post("/forms/check/", fields | {"item-ongoing": "false"}).content.decode()
    assert 'data-unasked=""' in stopped
    answered = {
        "item-drug": "Ibuprofen",
        "item-group": "analgesic",
        "item-indication": "Pain",
        "item-started_on": "2013-05",
        "item-ongoing": "true",
        "item-stopped_on": "2013-06",
    }
    answer = browser.post(address, fields | answered)
    assert answer.status_code == 422
    assert "With the other answers this is not asked." in answer.content.decode()


@pytest.mark.requirement("G7")
def test_a_monitor_sees_a_form_and_cannot_fill_one_in(clinic: Clinic):
    address = open_form(clinic)
    monitor = browser_of(actor_of(clinic, "monitor"))
    assert "This form is not filled in." in monitor.get(address).content.decode()
    assert 'id="command"' not in monitor.get(address).content.decode()
    assert monitor.post("/forms/check/", {"acting_as": "monitor@"}).status_code == 403
    sent_as = {"acting_as": "monitor@", "definition": clinic.definition.hash, "ticket": "x" * 32}
    ticketed = VITAL_SIGNS | sent_as
    assert monitor.post(address, ticketed).status_code == 403
    record = recorded_form(clinic)
    page = monitor.get(address_of(record)).content.decode()
    assert "Verify what is ticked" in page
    assert "/correct/" not in page


def test_a_reader_comes_to_no_form_and_another_site_neither(clinic: Clinic):
    record = recorded_form(clinic)
    assert browser_of(actor_of(clinic, "reader")).get(address_of(record)).status_code == 403
    assert browser_of(actor_of(clinic, "nurse", "IT01")).get(address_of(record)).status_code == 404


def test_what_is_not_there_is_not_found(clinic: Clinic):
    browser = browser_of(actor_of(clinic, "nurse", "SE01"))
    code = person_of(clinic)
    for address in (
        f"/participants/{code}/forms/unheard_of/screening/",
        f"/participants/{code}/forms/vital_signs/unheard_of/",
        f"/participants/{code}/forms/demography/week_4/",
        f"/participants/{code}/forms/culture/screening/",
        f"/participants/{code}/logs/unheard_of/",
        f"/participants/{code}/logs/adverse_event/999/",
        f"/participants/{code}/logs/vital_signs/1/",
        f"/participants/{code}/logs/vital_signs/add/",
        f"/participants/{code}/forms/vital_signs/screening/items/unheard_of/",
        "/participants/SE01-999/casebook/",
    ):
        assert browser.get(address).status_code == 404, address


def test_spec_every_recorded_form_row_and_item_can_be_opened(clinic: Clinic):
    browser = browser_of(actor_of(clinic, "investigator", "SE01"))
    code = person_of(clinic)
    page = browser.get(f"/participants/{code}/casebook/").content.decode()
    for record in clinic.trial.tables.where(RecordRow, participant=code):
        if record.row:
            address = f"/participants/{code}/logs/{record.form}/{record.row}/"
        else:
            address = address_of(record)
        assert address in page
        shown = browser.get(address)
        assert shown.status_code == 200, address
        item = next(iter(record.item_values))
        assert f"{address}items/{item}/" in shown.content.decode()
        assert browser.get(f"{address}items/{item}/").status_code == 200


def test_spec_a_row_of_a_log_is_added_corrected_and_struck_out(clinic: Clinic):
    code = person_of(clinic)
    log = f"/participants/{code}/logs/relapse/"
    browser = browser_of(actor_of(clinic, "nurse", "SE01"))
    onset = {
        "item-onset": "2014",
        "item-documented": "true",
        "item-severity": "mild",
        "item-corticosteroids": "false",
        "item-recovery": "complete",
    }
    assert browser.post(f"{log}add/", form_of(browser, f"{log}add/") | onset)["Location"] == log
    row = clinic.trial.tables.where(RecordRow, participant=code, form="relapse")[-1].row
    corrected = form_of(browser, f"{log}{row}/correct/") | {"item-onset": "2014-02", "reason": "Letter found"}
    assert browser.post(f"{log}{row}/correct/", corrected).status_code == 302
    assert "2014-02" in browser.get(log).content.decode()
    strike = f"/do/remove-row/?participant={code}&form=relapse&row={row}"
    fields = form_of(browser, strike) | {"reason": "Belongs to another participant"}
    assert browser.post("/do/remove-row/", fields).status_code == 302
    assert "<del>2014-02</del>" in browser.get(log).content.decode()
    assert "/correct/" not in browser.get(f"{log}{row}/").content.decode()


def test_spec_a_log_is_confirmed_complete_up_to_a_day(clinic: Clinic):
    code = person_of(clinic)
    browser = browser_of(actor_of(clinic, "nurse", "SE01"))
    today = clinic.today("SE01").isoformat()
    address = f"/do/confirm-log/?participant={code}&form=relapse"
    assert browser.post("/do/confirm-log/", form_of(browser, address) | {"through": today}).status_code == 302
    assert f"complete up to {today}" in browser.get(f"/participants/{code}/logs/relapse/").content.decode()


def test_spec_adverse_events_across_participants_stay_within_the_site(clinic: Clinic):
    at_site = browser_of(actor_of(clinic, "investigator", "SE01")).get("/events/").content.decode()
    everywhere = browser_of(actor_of(clinic, "safety_desk")).get("/events/").content.decode()
    assert "SE01-0" in at_site
    assert "IT01-0" not in at_site
    assert "IT01-0" in everywhere


@pytest.mark.requirement("P1", "P2")
def test_spec_a_signature_shows_what_is_signed_and_lapses_with_a_correction(clinic: Clinic):
    record = recorded_form(clinic)
    investigator = actor_of(clinic, "investigator", "SE01")
    account = Account.objects.get(username=investigator.account)
    account.set_password(PASSWORD)
    account.save()
    browser = browser_of(investigator)
    sign = f"/do/sign-casebook/?participant={record.participant}"
    fields = form_of(browser, sign) | {"meaning": "I have reviewed it", "proof_password": PASSWORD}
    assert fields["shown_hash"] == clinic.trial.as_seen_by(investigator).casebook_hash(record.participant)
    assert browser.post("/do/sign-casebook/", fields).status_code == 302
    casebook = f"/participants/{record.participant}/casebook/"
    page = browser.get(casebook).content.decode()
    assert "I have reviewed it" in page
    assert account.printed_name in page
    assert '<span class="badge done">holds</span>' in page
    correct = f"{address_of(record)}correct/"
    changed = form_of(browser, correct) | {"item-weight": "99.5", "reason": "Wrong column"}
    assert browser.post(correct, changed).status_code == 302
    assert "the casebook changed since" in browser.get(casebook).content.decode()


@pytest.mark.requirement("P2")
def test_spec_nobody_signs_what_changed_while_they_looked(clinic: Clinic):
    record = recorded_form(clinic)
    investigator = actor_of(clinic, "investigator", "SE01")
    account = Account.objects.get(username=investigator.account)
    account.set_password(PASSWORD)
    account.save()
    browser = browser_of(investigator)
    sign = f"/do/sign-casebook/?participant={record.participant}"
    fields = form_of(browser, sign) | {"meaning": "I have reviewed it", "proof_password": PASSWORD}
    correct = f"{address_of(record)}correct/"
    nurse = browser_of(actor_of(clinic, "nurse", "SE01"))
    changed = form_of(nurse, correct) | {"item-weight": "99.5", "reason": "Wrong column"}
    assert nurse.post(correct, changed).status_code == 302
    answer = browser.post("/do/sign-casebook/", fields)
    assert answer.status_code == 409
    assert "CAP-CASEBOOK-CHANGED" in answer.content.decode()


@pytest.mark.requirement("G10")
def test_spec_a_masked_role_sees_no_unmasking_item_even_if_it_is_recorded(clinic: Clinic):
    definition = clinic.definition
    hiding = {item.id for form in definition.forms for item in form.items if item.unmasking or form.unmasking}
    open_too = {i.id for f in definition.forms if not f.unmasking for i in f.items if not i.unmasking}
    code = person_of(clinic)
    page = browser_of(actor_of(clinic, "investigator", "SE01")).get(f"/participants/{code}/casebook/")
    labels = {i.label for f in definition.forms for i in f.items if i.id in hiding - open_too}
    assert not [label for label in labels if label in page.content.decode()]


@pytest.mark.requirement("G11")
def test_a_form_of_frozen_data_is_read_only(clinic: Clinic):
    from equipoise.capture.commands import FreezeParticipant

    record = recorded_form(clinic)
    clinic.trial.record(actor_of(clinic, "data_manager"), FreezeParticipant(participant=record.participant))
    browser = browser_of(actor_of(clinic, "nurse", "SE01"))
    page = browser.get(address_of(record)).content.decode()
    assert "The data of this participant are frozen." in page
    assert "/correct/" not in page
    assert browser.get(f"{address_of(record)}correct/").status_code == 302


def test_a_huge_or_malformed_answer_is_a_problem_and_no_defect(clinic: Clinic):
    address = open_form(clinic)
    browser = browser_of(actor_of(clinic, "nurse", "SE01"))
    for typed in ("9" * 5000, "NaN", "1e5", "\x00", "½", "--1", "\u0661"):
        answer = browser.post(address, form_of(browser, address) | VITAL_SIGNS | {"item-weight": typed})
        assert answer.status_code == 422, typed
        assert read_form(answer.content.decode())["item-systolic"] == "120"
