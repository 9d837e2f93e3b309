"""The participants' pages: the list, the course and its drawing, eligibility explained, who they are."""

import re
from datetime import date, timedelta

import pytest

from equipoise.conduct.clock import Clock
from equipoise.conduct.view.lines import TimelineLine
from equipoise.enrolment.commands import ConsentParticipant, WithdrawParticipant
from equipoise.web.accounts.models import AccessEvent
from equipoise.web.clinic import Clinic
from equipoise.web.pages.timeline import draw_timeline
from tests.web.clinics import actor_of, browser_of, form_of


def read(clinic: Clinic, kind: str, address: str, site: str | None = None) -> str:
    page = browser_of(actor_of(clinic, kind, site)).get(address)
    assert page.status_code == 200, page.content.decode()
    return page.content.decode()


def somebody(clinic: Clinic, status: str, site: str | None = None) -> str:
    seen = clinic.trial.as_seen_by(actor_of(clinic, "monitor"))
    return next(
        each.participant
        for each in seen.participants()
        if each.status == status and site in (None, each.site)
    )


def consent(clinic: Clinic) -> str:
    command = ConsentParticipant(site="SE01", consent_version="1.0", consented_on=clinic.today("SE01"))
    entries = clinic.trial.record(actor_of(clinic, "nurse", "SE01"), command)
    assert isinstance(entries, tuple)
    return str(entries[0].content["participant"])


def later(clinic: Clinic, days: int) -> Clock:
    now = clinic.now()
    return lambda: now + timedelta(days=days)


# -- the list


@pytest.mark.requirement("G14")
def test_spec_a_nurse_sees_the_participants_of_her_own_site_and_no_others(clinic: Clinic):
    html = read(clinic, "nurse", "/participants/", "SE01")
    assert "SE01-001" in html
    assert "IT01-001" not in html


def test_the_list_keeps_to_one_status(clinic: Clinic):
    html = read(clinic, "monitor", "/participants/?status=failed")
    assert somebody(clinic, "failed") in html
    assert somebody(clinic, "randomised") not in html


def test_a_status_is_kept_while_something_is_looked_for(clinic: Clinic):
    html = read(clinic, "monitor", "/participants/?status=failed")
    assert '<input type="hidden" name="status" value="failed">' in html


def test_an_overdue_encounter_is_marked_in_the_list(clinic: Clinic):
    code = consent(clinic)
    seen = clinic.trial.as_seen_by(actor_of(clinic, "nurse", "SE01"))
    assert code not in {
        each.participant for each in seen.due(clinic.today("SE01")) if each.status == "overdue"
    }
    clinic.clock = later(clinic, 30)
    html = read(clinic, "nurse", "/participants/?status=late", "SE01")
    assert code in html
    assert ", overdue" in html


def test_a_reader_has_no_list_of_participants(clinic: Clinic):
    page = browser_of(actor_of(clinic, "reader")).get("/participants/")
    assert page.status_code == 403


# -- one participant


def test_the_number_is_shown_and_the_drawing_has_the_same_encounters_as_the_table(clinic: Clinic):
    code = somebody(clinic, "randomised", "SE01")
    html = read(clinic, "nurse", f"/participants/{code}/", "SE01")
    assert re.search(r'class="big">R-', html)
    drawn = re.findall(r'<g class="encounter \w+"><title>([^:]+):', html)
    assert drawn
    assert all(f'<th scope="row">{name}</th>' in html for name in drawn)


def test_only_what_makes_sense_in_a_state_is_offered(clinic: Clinic):
    screened, randomised, failed = (
        read(clinic, "investigator", f"/participants/{somebody(clinic, status, site)}/", site)
        for status, site in (("screening", "SE01"), ("randomised", "SE01"), ("failed", "SE01"))
    )
    assert "/do/randomise-participant/?participant=SE01" in screened
    assert "/do/randomise-participant/" not in randomised
    assert "/do/withdraw-participant/" in randomised
    assert "/do/start-encounter/" not in failed
    assert "/do/withdraw-participant/" not in failed


def test_who_may_not_record_is_offered_nothing(clinic: Clinic):
    html = read(clinic, "statistician", f"/participants/{somebody(clinic, 'randomised')}/")
    assert 'href="/do/' not in html


@pytest.mark.requirement("G19")
def test_whoever_withdrew_from_the_study_is_expected_nowhere(clinic: Clinic):
    code = somebody(clinic, "randomised", "SE01")
    html = read(clinic, "investigator", f"/participants/{code}/", "SE01")
    assert "not expected" not in html
    command = WithdrawParticipant(
        participant=code, withdrawn_on=clinic.today("SE01"), scope="study", cause="Moved away"
    )
    assert isinstance(clinic.trial.record(actor_of(clinic, "nurse", "SE01"), command), tuple)
    html = read(clinic, "investigator", f"/participants/{code}/", "SE01")
    assert "not expected" in html
    assert "Moved away" in html
    assert "/do/start-encounter/" not in html


def test_a_participant_of_another_site_is_not_found(clinic: Clinic):
    page = browser_of(actor_of(clinic, "nurse", "SE01")).get(
        f"/participants/{somebody(clinic, 'randomised', 'IT01')}/"
    )
    assert page.status_code == 404
    assert "ACC-PARTICIPANT" in page.content.decode()


def line(name: str, status: str, took_place_on: str | None = None) -> TimelineLine:
    return TimelineLine(
        encounter=name,
        name=name,
        target=date(2024, 3, 1),
        opens=date(2024, 2, 23),
        closes=date(2024, 3, 8),
        took_place_on=took_place_on,
        status=status,
        forms_due=(),
        days_off=0,
        cause=None,
    )


def test_a_day_in_its_window_is_drawn_within_the_bar_and_a_late_one_outside(clinic: Clinic):
    lines = [line("week_4", "in_window", "2024-03-05"), line("week_8", "late", "2024-03-20")]
    drawing = draw_timeline(clinic.definition, lines, date(2024, 3, 6))
    assert drawing is not None
    inside, outside = drawing.bars
    assert inside.x is not None and inside.mark is not None and outside.mark is not None
    assert inside.x < inside.mark.x < inside.x + inside.width < outside.mark.x
    assert drawing.today is not None and inside.mark.x < drawing.today < outside.mark.x


def test_a_missed_encounter_is_drawn_on_its_day_and_nothing_is_drawn_without_days(clinic: Clinic):
    drawing = draw_timeline(clinic.definition, [line("week_4", "missed")], date(2030, 1, 1))
    assert drawing is not None and drawing.today is None
    (bar,) = drawing.bars
    assert bar.mark is not None and bar.mark.x == bar.target
    assert draw_timeline(clinic.definition, [], date(2030, 1, 1)) is None


# -- eligibility


@pytest.mark.requirement("R32")
def test_spec_why_somebody_is_not_eligible_is_said_criterion_by_criterion(clinic: Clinic):
    code = somebody(clinic, "screening", "SE01")
    html = read(clinic, "investigator", f"/participants/{code}/screening/", "SE01")
    against = set(re.findall(r'href="#criterion-(\w+)"', html))
    assert against
    for name in against:
        assert re.search(rf'<li id="criterion-{name}"><details open>', html)
    assert "What would decide it" in html


def test_what_would_decide_an_unknown_criterion_of_a_new_candidate_is_to_record_it(clinic: Clinic):
    code = consent(clinic)
    html = read(clinic, "nurse", f"/participants/{code}/screening/", "SE01")
    listed = html.split('id="criterion-I4"')[1].split('class="lacking"')[1].split("</div>")[0]
    assert "Expanded Disability Status Scale" in listed
    assert "nothing is recorded" in listed


def test_eligibility_may_be_asked_for_another_day_and_a_day_that_is_none_is_refused(clinic: Clinic):
    code = somebody(clinic, "screening", "SE01")
    browser = browser_of(actor_of(clinic, "nurse", "SE01"))
    assert (
        'value="2014-06-20"' in browser.get(f"/participants/{code}/screening/?on=2014-06-20").content.decode()
    )
    for wrong in ("tomorrow", "9999-12-31", "2014-02-30"):
        page = browser.get(f"/participants/{code}/screening/?on={wrong}")
        assert (page.status_code, "WEB-DAY" in page.content.decode()) == (422, True)


def test_a_frozen_assessment_is_listed_with_what_stood_against_it(clinic: Clinic):
    code = somebody(clinic, "screening", "SE01")
    browser = browser_of(actor_of(clinic, "investigator", "SE01"))
    address = f"/do/assess-eligibility/?participant={code}"
    page = browser.post(address, form_of(browser, address))
    assert page.status_code == 302, page.content.decode()
    html = browser.get(f"/participants/{code}/screening/").content.decode()
    row = html.split("Frozen assessments")[-1]
    assert "not eligible" in row
    assert "I3" in row


def test_before_randomising_the_state_and_the_consequences_are_shown(clinic: Clinic):
    code = somebody(clinic, "screening", "SE01")
    html = read(clinic, "nurse", f"/do/randomise-participant/?participant={code}", "SE01")
    assert "Eligibility was not assessed" in html
    assert "cannot be taken back" in html
    assert "There is no lot" not in html


# -- who they are


@pytest.mark.requirement("G1", "G13")
def test_spec_a_name_is_seen_by_its_own_site_and_every_look_is_on_record(clinic: Clinic):
    code = somebody(clinic, "screening", "SE01")
    browser = browser_of(actor_of(clinic, "nurse", "SE01"))
    address = f"/do/register-identity/?participant={code}"
    fields = form_of(browser, address) | {"name": "Astrid Example", "contact": "Telephone 1"}
    assert browser.post(address, fields).status_code == 302
    page = browser.get(f"/participants/{code}/identity/")
    assert "Astrid Example" in page.content.decode()
    assert page["Cache-Control"] == "no-store"
    looks = AccessEvent.objects.filter(what="identity_read")
    assert [(look.account, look.detail) for look in looks] == [("nurse.se01", code)]
    assert "Astrid" not in browser.get(f"/participants/{code}/").content.decode()


@pytest.mark.requirement("G13")
def test_spec_nobody_else_comes_to_a_name(clinic: Clinic):
    code = somebody(clinic, "screening", "SE01")
    for kind, site, status in (("monitor", None, 403), ("data_manager", None, 403), ("nurse", "IT01", 404)):
        page = browser_of(actor_of(clinic, kind, site)).get(f"/participants/{code}/identity/")
        assert page.status_code == status
    assert not AccessEvent.objects.filter(what="identity_read").exists()
