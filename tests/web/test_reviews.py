"""Reviews: from the audit trail onto the record, with its filter and how far it reached."""

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape

import pytest

from equipoise.governance.commands import RecordReview
from equipoise.web.clinic import Clinic
from equipoise.web.pages.reviews import words_of_filter
from tests.web.clinics import actor_of, browser_of


def link_to_review(page: str) -> str:
    found = re.search(r'href="(/do/record-review/[^"]*)"', page)
    assert found is not None
    return unescape(found[1])


def fields_of(page: str) -> dict[str, str]:
    form = re.search(r'<form method="post" class="command".*?</form>', page, re.DOTALL)
    assert form is not None
    return {
        name: unescape(value)
        for name, value in re.findall(r'name="([^"]+)" (?:[^>]*)value="([^"]*)"', form[0])
    }


@pytest.mark.requirement("G5")
def test_spec_a_review_takes_over_the_filter_and_the_position_of_the_trail(clinic: Clinic):
    monitor = actor_of(clinic, "monitor")
    browser = browser_of(monitor)
    trail = "/participants/SE01-001/audit/?kind=FormRecorded&from=2013-01-01"
    before = clinic.trial.head.position
    through = next(clinic.trial.as_seen_by(monitor).audit(limit=1, newest_first=True)).position
    asked = browser.get(link_to_review(browser.get(trail).content.decode())).content.decode()
    assert "Form recorded, from 2013-01-01" in asked
    sent = fields_of(asked) | {"findings": "Two late entries, explained", "next_due": "2099-01-01"}
    answer = browser.post("/do/record-review/", sent)
    assert (answer.status_code, answer["Location"]) == (302, trail)
    (entry,) = clinic.trial.ledger.read(before)
    assert (entry.kind, entry.site) == ("CourseReviewRecorded", "SE01")
    assert entry.content["participant"] == "SE01-001"
    assert entry.content["reviewed_through"] == through
    assert entry.content["narrowed"] == "kind=FormRecorded&from=2013-01-01"
    page = browser.get("/reviews/").content.decode()
    assert "Two late entries, explained" in page
    assert trail.replace("&", "&amp;") in page
    assert f"1–{through}" in page


@pytest.mark.requirement("G14")
def test_spec_who_may_come_in_is_reviewed_from_the_delegation_log(clinic: Clinic):
    browser = browser_of(actor_of(clinic, "administrator"))
    asked = browser.get(link_to_review(browser.get("/governance/delegation/").content.decode()))
    sent = fields_of(asked.content.decode()) | {"findings": "Everybody listed works in the trial"}
    assert browser.post("/do/record-review/", sent)["Location"] == "/governance/delegation/"
    page = browser_of(actor_of(clinic, "monitor")).get("/reviews/").content.decode()
    assert "Everybody listed works in the trial" in page


@pytest.mark.requirement("G5")
def test_spec_overdue_reviews_stand_first_and_on_the_page_of_the_day(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
):
    manager = actor_of(clinic, "data_manager")
    due = clinic.today(None) + timedelta(days=90)
    again = RecordReview(reviewed="data", findings="As planned", reviewed_through=9, next_due=due)
    for command in (again, replace(again, reviewed="access", next_due=None)):
        assert isinstance(clinic.trial.record(manager, command), tuple)
    monkeypatch.setattr(Clinic, "today", lambda _clinic, _site: due + timedelta(days=1))
    browser = browser_of(manager)
    first = browser.get("/reviews/?as=csv").content.decode().splitlines()[1]
    assert "the data" in first and "overdue" in first
    assert "Reviews overdue" in browser.get("/").content.decode()


def test_site_staff_record_no_reviews(clinic: Clinic):
    browser = browser_of(actor_of(clinic, "nurse"))
    assert browser.get("/reviews/").status_code == 403
    assert "/do/record-review/" not in browser.get("/audit/").content.decode()


def test_a_filter_is_said_in_words():
    assert words_of_filter("") == ""
    assert words_of_filter("kind=ItemCorrected&account=mona&from=2024-01-01&to=2024-02-01") == (
        "Correction, mona, from 2024-01-01, to 2024-02-01"
    )
