"""An amendment in the clinic: where each version holds, what each asks, and who is to consent anew."""

from __future__ import annotations

from dataclasses import replace

import pytest

from equipoise.access.actor import Actor
from equipoise.access.refusal import Refusal
from equipoise.definition.lock import canonical_json, hashed
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.forms import Item
from equipoise.governance.commands import AmendStudy
from equipoise.web.clinic import Clinic, opened_clinic
from tests.web.clinics import actor_of, browser_of, form_of
from tests.web.filled import VITAL_SIGNS, address_of, open_form, recorded_form

SITE = "SE01"
RELEASE = "/do/activate-version/"


def data_manager(clinic: Clinic) -> Actor:
    return actor_of(clinic, "data_manager")


def amended_by(base: StudyDefinition) -> StudyDefinition:
    """The pulse is no longer asked for, and the saturation is."""
    forms = tuple(
        replace(
            form,
            items=(
                *(replace(item, retired=item.id == "pulse") for item in form.items),
                Item(id="saturation", label="Oxygen saturation", type="integer", unit="%"),
            ),
        )
        if form.id == "vital_signs"
        else form
        for form in base.forms
    )
    return hashed(replace(base, study=replace(base.study, version="9.0"), forms=forms))


def amend(clinic: Clinic) -> None:
    command = AmendStudy(
        title="Amendment 1",
        canonical=canonical_json(amended_by(clinic.definition)).decode(),
        substantial=True,
        reconsent=True,
    )
    outcome = clinic.trial.record(actor_of(clinic, "administrator"), command)
    assert not isinstance(outcome, Refusal), outcome


def release(clinic: Clinic, site: str) -> None:
    browser = browser_of(actor_of(clinic, "administrator"))
    fields = form_of(
        browser, f"/do/activate-version/?site={site}&study_version=9.0&next=/governance/versions/"
    )
    answer = browser.post("/do/activate-version/", fields)
    assert (answer.status_code, answer["Location"]) == (302, "/governance/versions/")


@pytest.fixture
def amended(clinic: Clinic) -> Clinic:
    amend(clinic)
    return clinic


@pytest.mark.requirement("G17")
def test_spec_a_version_is_released_to_each_site_with_what_it_changes(amended: Clinic) -> None:
    browser = browser_of(actor_of(amended, "administrator"))
    page = browser.get("/governance/versions/").content.decode()
    assert "Version 9.0: Amendment 1" in page
    assert f"/do/activate-version/?site={SITE}&amp;study_version=9.0" in page
    asked = browser.get(f"/do/activate-version/?site={SITE}&study_version=9.0").content.decode()
    assert "pulse" in asked and "Oxygen saturation" in asked
    release(amended, SITE)
    rows = {
        line.site: line.study_version for line in amended.trial.as_seen_by(data_manager(amended)).all_sites()
    }
    assert rows[SITE] == "9.0" and {each for each in rows.values() if each} > {"9.0"}
    assert "9.0" in browser.get("/governance/sites/?as=csv").content.decode()
    assert (
        "/do/activate-version/"
        not in browser_of(data_manager(amended)).get("/governance/versions/").content.decode()
    )


@pytest.mark.requirement("G17", "R20")
def test_spec_a_form_asks_what_the_version_of_the_site_asks(amended: Clinic) -> None:
    address, browser = open_form(amended), browser_of(actor_of(amended, "nurse", SITE))
    before = form_of(browser, address)
    assert "item-pulse" in before and "item-saturation" not in before
    release(amended, SITE)
    late = browser.post(address, before | VITAL_SIGNS)
    assert (late.status_code, "WEB-DEFINITION" in late.content.decode()) == (409, True)
    after = form_of(browser, address)
    assert "item-pulse" not in after and "item-saturation" in after
    answers = {name: text for name, text in VITAL_SIGNS.items() if name != "item-pulse"}
    assert browser.post(address, after | answers | {"item-saturation": "98"}).status_code == 302


@pytest.mark.requirement("R21", "R22")
def test_spec_an_answer_that_is_no_longer_asked_for_is_shown_and_corrected(amended: Clinic) -> None:
    address, browser = address_of(recorded_form(amended)), browser_of(actor_of(amended, "nurse", SITE))
    release(amended, SITE)
    shown = browser.get(address).content.decode()
    assert "Pulse" in shown and "Oxygen saturation" in shown
    correcting = form_of(browser, f"{address}correct/")
    assert correcting["item-pulse"]
    given = correcting | {"item-pulse": "61", "reason": "Misread."}
    assert browser.post(f"{address}correct/", given).status_code == 302
    assert "61" in browser.get(address).content.decode()


@pytest.mark.requirement("G19")
def test_spec_who_is_to_consent_anew_stands_on_the_page_of_the_day(amended: Clinic) -> None:
    nurse = actor_of(amended, "nurse", SITE)
    browser = browser_of(nurse)
    assert "</span> To consent anew" not in browser.get("/").content.decode()
    release(amended, SITE)
    people = [line.participant for line in amended.trial.as_seen_by(nurse).reconsents()]
    page = browser.get("/").content.decode()
    assert "</span> To consent anew" in page and people and f"/participants/{people[0]}/" in page
    renewal = form_of(browser, f"/do/renew-consent/?participant={people[0]}") | {"consent_version": "9.0"}
    assert browser.post("/do/renew-consent/", renewal).status_code == 302
    assert people[0] not in {line.participant for line in amended.trial.as_seen_by(nurse).reconsents()}


def test_spec_a_clinic_that_is_opened_anew_has_every_version(amended: Clinic) -> None:
    release(amended, SITE)
    latest = amended.definition
    with opened_clinic(amended.folder) as again:
        assert again.definition == latest
        assert again.trial.definition_for(actor_of(again, "nurse", SITE)) == latest
        other = next(
            each for each in again.trial.as_seen_by(data_manager(again)).versions() if each.number == 1
        )
        assert other.sites and SITE not in other.sites
