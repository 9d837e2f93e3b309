"""Monitoring: source verification with one click, and where to look."""

import re

import pytest

from equipoise.web.clinic import Clinic
from tests.web.clinics import actor_of, browser_of


def first_form(page: str) -> dict[str, str]:
    """The fields of the first button that verifies."""
    form = re.search(r'<form method="post" action="/do/verify-source/">(.*?)</form>', page, re.DOTALL)
    assert form is not None
    fields = re.findall(r'name="([^"]+)" value="([^"]*)"', form[1])
    return {name: value for name, value in fields if name != "csrfmiddlewaretoken"}


@pytest.mark.requirement("G3", "R18")
def test_spec_a_form_is_verified_with_one_click_and_once(clinic: Clinic):
    monitor = actor_of(clinic, "monitor")
    browser = browser_of(monitor)
    address = "/monitoring/source/SE01-001/"
    fields = first_form(browser.get(address).content.decode())
    before = clinic.trial.head.position
    answers = [browser.post("/do/verify-source/", fields) for _ in range(2)]
    assert [(each.status_code, each["Location"]) for each in answers] == [(302, address)] * 2
    (entry,) = clinic.trial.ledger.read(before)
    assert (entry.kind, entry.content["form"], entry.actor) == (
        "SourceVerified",
        fields["form"],
        monitor.account,
    )
    line = next(e for e in clinic.trial.as_seen_by(monitor).verification() if e.participant == "SE01-001")
    assert line.verified == 1
    assert f"1 of {line.recorded} filled forms" in browser.get(address).content.decode()


@pytest.mark.requirement("G5")
def test_spec_those_with_most_signals_come_first(clinic: Clinic):
    browser = browser_of(actor_of(clinic, "monitor"))
    listed = browser.get("/monitoring/?participants_list-as=csv").content.decode().splitlines()
    signals = [float(line.rsplit(",", 1)[1]) for line in listed[1:]]
    assert len(signals) > 5
    assert signals == sorted(signals, reverse=True)
    assert signals[0] > signals[-1]


def test_every_unverified_form_is_listed(clinic: Clinic):
    monitor = actor_of(clinic, "monitor")
    lines = clinic.trial.as_seen_by(monitor).verification()
    listed = browser_of(monitor).get("/monitoring/unverified/?as=csv").content.decode().splitlines()
    assert len(listed) - 1 == sum(line.recorded - line.verified for line in lines) > 50


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
