"""What the rules ask of the clinic as a system: the trail, times, health, shields, downtime, transfers."""

import re
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.db import connections
from django.test import Client

import equipoise.web
from equipoise.ledger import Head, StoreUnavailable
from equipoise.store.trial_store import TrialStore
from equipoise.web.accounts.models import AccessEvent
from equipoise.web.clinic import Clinic
from equipoise.web.protect import role_token
from equipoise.web.routes import ROUTES
from equipoise.web.words_of_values import time_at
from tests.web.clinics import actor_of, browser_of

WEB = Path(equipoise.web.__file__).parent


# -- G4, G6: the trail and its times


@pytest.mark.requirement("G4")
def test_spec_no_page_takes_an_entry_or_an_access_event_away(clinic: Clinic):
    before = [entry.body for entry in clinic.trial.ledger.read()]
    events = list(AccessEvent.objects.order_by("id").values_list("id", "what", "account"))
    actor = actor_of(clinic, "administrator")
    browser = browser_of(actor)
    plain = [route for route in ROUTES if "<" not in route.path]
    assert len(plain) > 40
    for route in plain:
        answer = browser.post(f"/{route.path}", {"acting_as": role_token(actor), "as": "delete"})
        assert answer.status_code < 500, route.path
    assert [entry.body for entry in clinic.trial.ledger.read()][: len(before)] == before
    kept = list(AccessEvent.objects.order_by("id").values_list("id", "what", "account"))
    assert kept[: len(events)] == events


@pytest.mark.requirement("G6")
def test_spec_a_time_is_that_of_the_site_with_its_distance_from_utc():
    stockholm, zone = ZoneInfo("Europe/Stockholm"), ZoneInfo("UTC")
    assert time_at("2026-01-31T23:30:00.000000Z", stockholm) == "2026-02-01 00:30 UTC+01:00"
    assert time_at("2026-07-01T12:00:00.000000Z", stockholm) == "2026-07-01 14:00 UTC+02:00"
    # The hour that a clock shows twice in autumn is two different times.
    assert time_at("2026-10-25T00:30:00.000000Z", stockholm) == "2026-10-25 02:30 UTC+02:00"
    assert time_at("2026-10-25T01:30:00.000000Z", stockholm) == "2026-10-25 02:30 UTC+01:00"
    assert time_at("2026-01-31T23:30:00.000000Z", zone) == "2026-01-31 23:30 UTC"


@pytest.mark.requirement("G5", "G6")
def test_spec_the_trail_is_read_with_names_and_times_at_the_readers_site(clinic: Clinic):
    reader = actor_of(clinic, "investigator", "SE01")
    page = browser_of(reader).get("/audit/").content.decode()
    times = re.findall(r'<td class="nowrap">([^<]+)</td>', page)
    assert times
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC\+0[12]:00", each) for each in times)
    assert "The investigator at se01" in page or "The nurse at se01" in page


# -- G15: health and shields


@pytest.mark.requirement("G15")
def test_spec_whoever_watches_learns_that_the_clinic_is_well_and_nothing_of_the_trial(clinic: Clinic):
    answer = Client().get("/health/")
    assert (answer.status_code, answer.content) == (200, b"ok\n")
    assert answer["Content-Type"].startswith("text/plain")
    assert "clinic_session" not in answer.cookies


@pytest.mark.requirement("G15")
def test_spec_a_clinic_whose_trial_cannot_be_reached_is_not_well(clinic: Clinic, monkeypatch):
    def fail(store: TrialStore) -> Head:
        raise StoreUnavailable("STORE-BUSY", "The database is busy.")

    monkeypatch.setattr(TrialStore, "head", fail)
    assert Client().get("/health/").status_code == 503


@pytest.mark.requirement("G15")
def test_spec_a_clinic_whose_ledger_does_not_end_at_its_head_is_not_well(clinic: Clinic, monkeypatch):
    moved = Head(clinic.trial.head.position, "0" * 64)
    monkeypatch.setattr(TrialStore, "head", lambda store: moved)
    answer = Client().get("/health/")
    assert answer.status_code == 503
    assert "STORE-INCONSISTENT" in answer.content.decode()
    beyond = Head(clinic.trial.head.position + 1, "0" * 64)
    monkeypatch.setattr(TrialStore, "head", lambda store: beyond)
    assert Client().get("/health/").status_code == 503


@pytest.mark.requirement("G15")
def test_spec_a_clinic_whose_own_database_fails_is_not_well(clinic: Clinic):
    with connections["default"].cursor() as cursor:
        cursor.execute("ALTER TABLE setting RENAME TO elsewhere")
    assert Client().get("/health/").status_code == 503


@pytest.mark.requirement("G15")
def test_spec_every_answer_is_shielded_and_is_kept_by_no_cache(clinic: Clinic):
    browser = browser_of(actor_of(clinic, "data_manager"))
    for answer in (Client().get("/accounts/login/"), browser.get("/participants/"), browser.get("/nowhere/")):
        policy = answer["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy
        assert "http" not in policy
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Cache-Control"] in (
            "no-store",
            "max-age=0, no-cache, no-store, must-revalidate, private",
        )


@pytest.mark.requirement("G15")
def test_spec_no_template_names_another_host():
    allowed = {"http://www.w3.org/2000/svg"}
    for path in (WEB / "templates").rglob("*.html"):
        found = set(re.findall(r"(?:src|href|action)=\"(https?://[^\"]+|//[^\"]+)", path.read_text("utf-8")))
        assert found <= allowed, path.name


# -- G18: when the system is down


@pytest.mark.requirement("G18")
def test_spec_empty_forms_can_be_printed_before_they_are_needed(clinic: Clinic):
    browser = browser_of(actor_of(clinic, "nurse", "SE01"))
    form = clinic.definition.form("vital_signs") or clinic.definition.forms[0]
    page = browser.get(f"/study/forms/{form.id}/")
    assert page.status_code == 200
    text = page.content.decode()
    assert form.title in text
    assert all(item.label.replace("'", "&#x27;") in text for item in form.items[:3])
