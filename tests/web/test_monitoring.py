"""Monitoring: source verification with one click, and where to look."""

import re

import pytest

from equipoise.access.refusal import Refusal
from equipoise.capture.commands import CorrectForm
from equipoise.web.clinic import Clinic
from tests.web.clinics import actor_of, browser_of
from tests.web.filled import address_of, recorded_form

ADDRESS = "/monitoring/source/SE01-001/"


def forms_of(page: str) -> list[dict[str, str]]:
    """The fields of the buttons that verify."""
    forms = re.findall(r'<form method="post" action="/do/verify-source/"[^>]*>(.*?)</form>', page, re.DOTALL)
    found = [dict(re.findall(r'name="([^"]+)" value="([^"]*)"', form)) for form in forms]
    return [{name: value for name, value in each.items() if name != "csrfmiddlewaretoken"} for each in found]


def boxes_of(page: str, number: int) -> list[str]:
    """The boxes that belong to one of these buttons."""
    return re.findall(f'name="items" value="([^"]+)" form="verify-{number}"', page)


def mark_of(clinic: Clinic, fields: dict[str, str]) -> dict[str, str]:
    seen = clinic.trial.as_seen_by(actor_of(clinic, "monitor"))
    record = seen.record(
        fields["participant"], fields["form"], fields["encounter"], int(fields.get("row", 0))
    )
    assert record is not None
    return {item: mark.state for item, mark in record.source.items()}


@pytest.mark.requirement("G3", "R18")
def test_spec_a_form_is_verified_with_one_click_and_once(clinic: Clinic):
    monitor = actor_of(clinic, "monitor")
    browser = browser_of(monitor)
    fields = next(each for each in forms_of(browser.get(ADDRESS).content.decode()) if "items" not in each)
    before = clinic.trial.head.position
    answers = [browser.post("/do/verify-source/", fields) for _ in range(2)]
    assert [(each.status_code, each["Location"]) for each in answers] == [(302, ADDRESS)] * 2
    (entry,) = clinic.trial.ledger.read(before)
    assert (entry.kind, entry.content["form"], entry.actor) == (
        "SourceVerified",
        fields["form"],
        monitor.account,
    )
    line = next(e for e in clinic.trial.as_seen_by(monitor).verification() if e.participant == "SE01-001")
    assert line.verified == 1
    page = browser.get(ADDRESS).content.decode()
    assert f"{line.items_verified} of {line.items_due} answers, 1 of {line.due} forms" in page


@pytest.mark.requirement("G3")
def test_spec_ticked_answers_are_verified_and_the_others_wait(clinic: Clinic):
    browser = browser_of(actor_of(clinic, "monitor"))
    page = browser.get(ADDRESS).content.decode()
    fields = forms_of(page)[0]
    first, *others = boxes_of(page, 1)
    assert others
    assert browser.post("/do/verify-source/", {**fields, "items": ["", first]}).status_code == 302
    marks = mark_of(clinic, fields)
    assert {item for item, state in marks.items() if state == "verified"} == {first}
    page = browser.get(ADDRESS).content.decode()
    assert others in [boxes_of(page, number) for number in range(1, 4)]
    trail = browser.get("/audit/?participant=SE01-001").content.decode()
    assert "with its source" in trail


def test_nothing_ticked_verifies_nothing(clinic: Clinic):
    browser = browser_of(actor_of(clinic, "monitor"))
    fields = forms_of(browser.get(ADDRESS).content.decode())[0]
    before = clinic.trial.head
    answer = browser.post("/do/verify-source/", {**fields, "items": [""]})
    assert answer.status_code == 422
    assert "Tick at least one item." in answer.content.decode()
    assert clinic.trial.head == before


def test_spec_a_page_that_shows_old_answers_verifies_none_that_changed(clinic: Clinic):
    browser = browser_of(actor_of(clinic, "monitor"))
    record = recorded_form(clinic)
    address = f"/monitoring/source/{record.participant}/"
    fields = next(
        each
        for each in forms_of(browser.get(address).content.decode())
        if "items" not in each and (each["form"], each["encounter"]) == (record.form, record.encounter)
    )
    site = record.participant.split("-")[0]
    change = CorrectForm(
        participant=record.participant,
        form=record.form,
        encounter=record.encounter,
        values={"weight": "71.5"},
    )
    assert not isinstance(clinic.trial.record(actor_of(clinic, "nurse", site), change, "Read anew"), Refusal)
    answer = browser.post("/do/verify-source/", fields)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "CAP-CHANGED" in page
    # What is drawn beside the refusal is as it stands: it can be verified from here.
    assert f'name="seen" value="{clinic.trial.head.position}"' in page
    assert browser.post("/do/verify-source/", forms_of_command(page)).status_code == 302
    assert set(mark_of(clinic, fields).values()) == {"verified"}


def forms_of_command(page: str) -> dict[str, object]:
    """What the page of the command would send as it was drawn."""
    form = re.search(r'<form method="post" class="command".*?</form>', page, re.DOTALL)
    assert form is not None
    fields: dict[str, object] = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', form[0]))
    return {**fields, "items": re.findall(r'name="items" value="([^"]+)" checked', form[0])}


def test_spec_the_page_of_a_form_shows_the_mark_of_each_answer_and_boxes_to_the_monitor(clinic: Clinic):
    monitor = actor_of(clinic, "monitor")
    record = recorded_form(clinic)
    browser = browser_of(monitor)
    page = browser.get(address_of(record)).content.decode()
    fields = forms_of(page)[0]
    ticked = boxes_of(page, 1)[:1]
    answer = browser.post("/do/verify-source/", {**fields, "items": ["", *ticked]})
    assert (answer.status_code, answer["Location"]) == (302, address_of(record))
    nurse = browser_of(actor_of(clinic, "nurse", record.participant.split("-")[0]))
    for reader, boxes in ((browser, True), (nurse, False)):
        page = reader.get(address_of(record)).content.decode()
        assert '<span class="badge done">verified</span>' in page
        assert bool(boxes_of(page, 1)) is boxes


@pytest.mark.requirement("G5")
def test_spec_those_with_most_signals_come_first(clinic: Clinic):
    browser = browser_of(actor_of(clinic, "monitor"))
    listed = browser.get("/monitoring/?participants_list-as=csv").content.decode().splitlines()
    signals = [float(line.rsplit(",", 1)[1]) for line in listed[1:]]
    assert len(signals) > 5
    assert signals == sorted(signals, reverse=True)
    assert signals[0] > signals[-1]


def test_spec_forms_to_verify_stand_visit_by_visit(clinic: Clinic):
    page = browser_of(actor_of(clinic, "monitor")).get(ADDRESS).content.decode()
    visits = [each.id for each in clinic.definition.schedule.encounters]
    came = [each["encounter"] for each in forms_of(page)]
    places = [visits.index(each) if each in visits else len(visits) for each in came]
    assert places == sorted(places)
    assert len(set(places)) > 2


def test_every_unverified_form_is_listed(clinic: Clinic):
    monitor = actor_of(clinic, "monitor")
    lines = clinic.trial.as_seen_by(monitor).verification()
    listed = browser_of(monitor).get("/monitoring/unverified/?as=csv").content.decode().splitlines()
    assert len(listed) - 1 == sum(line.due - line.verified for line in lines) > 50
    assert "To compare" in listed[0]


def test_a_data_manager_looks_and_does_not_verify(clinic: Clinic):
    page = browser_of(actor_of(clinic, "data_manager")).get("/monitoring/source/SE01-001/").content.decode()
    assert "/do/verify-source/" not in page
    assert "/do/open-query/" in page


def test_an_unheard_of_participant_is_not_there(clinic: Clinic):
    assert browser_of(actor_of(clinic, "monitor")).get("/monitoring/source/SE01-999/").status_code == 404


def test_monitoring_is_not_for_site_staff_nor_for_who_is_unmasked(clinic: Clinic):
    for kind in ("nurse", "investigator", "laboratory", "reader", "unblinded_statistician"):
        browser = browser_of(actor_of(clinic, kind))
        for page in ("/monitoring/", "/monitoring/unverified/", "/monitoring/source/SE01-001/"):
            assert browser.get(page).status_code == 403
