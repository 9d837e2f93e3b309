"""The trial as a whole: sites, delegation log, roles, commitment, published heads."""

import pytest

from equipoise.access.permissions import PERMITTED
from equipoise.web.clinic import Clinic
from equipoise.web.commands.catalogue import CATALOGUE
from equipoise.web.pages.governance import AUDIENCE_WORDS, STEP_WORDS
from tests.web.clinics import actor_of, browser_of, form_of


@pytest.mark.requirement("G17")
def test_spec_a_site_is_activated_with_the_day_of_its_approval_and_closed(clinic: Clinic):
    administrator = actor_of(clinic, "administrator")
    browser = browser_of(administrator)
    planned = next(s for s in clinic.trial.as_seen_by(administrator).all_sites() if s.status == "planned")
    address = f"/do/activate-site/?site={planned.site}&next=/governance/sites/"
    assert f"/do/activate-site/?site={planned.site}" in browser.get("/governance/sites/").content.decode()
    answer = browser.post("/do/activate-site/", form_of(browser, address))
    assert (answer.status_code, answer["Location"]) == (302, "/governance/sites/")
    active = {s.site: s for s in clinic.trial.as_seen_by(administrator).all_sites()}[planned.site]
    assert (active.status, active.approved_on) == ("active", clinic.today(None).isoformat())
    closing = form_of(browser, f"/do/close-site/?site={planned.site}")
    assert browser.post("/do/close-site/", closing).status_code == 302
    closed = {s.site: s for s in clinic.trial.as_seen_by(administrator).all_sites()}[planned.site]
    assert closed.status == "closed"


@pytest.mark.requirement("G1", "G14")
def test_spec_the_delegation_log_keeps_what_was_revoked(clinic: Clinic):
    administrator = actor_of(clinic, "administrator")
    browser = browser_of(administrator)
    monitor = actor_of(clinic, "monitor")
    address = f"/do/revoke-role/?account={monitor.account}&role={monitor.role}"
    assert address.replace("&", "&amp;") in browser.get("/governance/delegation/").content.decode()
    assert browser.post("/do/revoke-role/", form_of(browser, address)).status_code == 302
    listed = browser.get("/governance/delegation/?as=csv").content.decode()
    (line,) = [each for each in listed.splitlines() if monitor.account in each.split(",")]
    assert line.rstrip(",").endswith(f"The {administrator.account}")
    now = browser.get("/governance/delegation/?held=now&as=csv").content.decode()
    assert ",monitor,Monitor," not in now


def test_an_investigator_sees_the_log_of_their_site_and_of_roles_that_span_the_trial(clinic: Clinic):
    page = (
        browser_of(actor_of(clinic, "investigator", "SE01")).get("/governance/delegation/").content.decode()
    )
    assert "nurse.se01" in page
    assert "nurse.it01" not in page
    assert "/do/revoke-role/" not in page


@pytest.mark.requirement("E2")
def test_spec_a_head_is_published_with_the_text_to_send(clinic: Clinic):
    browser = browser_of(actor_of(clinic, "administrator"))
    given = clinic.trial.head
    page = browser.get("/do/publish-head/").content.decode()
    assert given.hash in page
    assert clinic.definition.hash in page
    fields = form_of(browser, "/do/publish-head/") | {"destination": "The archive of the sponsor"}
    assert browser.post("/do/publish-head/", fields).status_code == 302
    shown = browser.get("/governance/").content.decode()
    assert given.hash in shown
    assert "The archive of the sponsor" in shown


def test_the_commitment_is_shown_and_made_once(clinic: Clinic):
    administrator = actor_of(clinic, "administrator")
    browser = browser_of(administrator)
    steps = clinic.trial.as_seen_by(administrator).milestones()
    committed = next(each for each in steps if each.kind == "AllocationCommitted")
    page = browser.get("/governance/").content.decode()
    assert committed.detail in page
    assert "/do/commit-allocation/" not in page
    assert "This was done already." in browser.get("/do/commit-allocation/").content.decode()


def test_a_trial_that_is_not_locked_says_so_before_it_is_unblinded(clinic: Clinic):
    browser = browser_of(actor_of(clinic, "unblinded_statistician"))
    assert "The database is not locked." in browser.get("/do/unblind-trial/").content.decode()
    assert "/do/unblind-trial/" not in browser.get("/governance/").content.decode()


def test_a_role_is_granted_to_an_account_that_is_there(clinic: Clinic):
    browser = browser_of(actor_of(clinic, "administrator"))
    page = browser.get("/do/grant-role/").content.decode()
    assert '<option value="monitor">The monitor (monitor)</option>' in page
    fields = form_of(browser, "/do/grant-role/") | {"account": "monitor", "role": "nurse", "site": "IT01"}
    assert browser.post("/do/grant-role/", fields).status_code == 302
    assert ("nurse", "IT01") in {(each.role, each.site) for each in clinic.roles_of("monitor")}


@pytest.mark.requirement("G14")
def test_what_roles_may_do_is_drawn_from_the_rules(clinic: Clinic):
    page = browser_of(actor_of(clinic, "nurse")).get("/governance/roles/").content.decode()
    assert all(role.name in page for role in clinic.definition.study.roles)
    assert all(
        str(text.title).replace("'", "&#x27;") in page for name, text in CATALOGUE.items() if PERMITTED[name]
    )


def test_every_audience_and_every_step_has_words():
    from equipoise.access.content import Audience
    from equipoise.conduct.view.governance import _MILESTONES

    assert set(AUDIENCE_WORDS) == set(Audience)
    assert set(STEP_WORDS) == set(_MILESTONES)


@pytest.mark.parametrize("kind", ["nurse", "reader", "statistician", "laboratory"])
def test_governance_is_for_those_who_take_its_steps(clinic: Clinic, kind: str):
    browser = browser_of(actor_of(clinic, kind))
    for page in ("/governance/", "/governance/sites/", "/governance/delegation/"):
        assert browser.get(page).status_code == 403


def test_readers_do_not_see_what_roles_there_are(clinic: Clinic):
    assert browser_of(actor_of(clinic, "reader")).get("/governance/roles/").status_code == 403
