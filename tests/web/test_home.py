"""Today: each role finds the jobs of its day, and nothing of others'."""

import html
import re

import pytest
from django.test import Client

from equipoise.access.permissions import PERMITTED
from equipoise.capture.commands import StartEncounter
from equipoise.enrolment.commands import ConsentParticipant
from equipoise.web.clinic import Clinic
from equipoise.web.menu import IN_BAR_MAX
from equipoise.web.pages.today import CARDS, SHOWN_MAX, Case, make_card
from tests.web.clinics import actor_of, browser_of

KINDS = sorted(CARDS)


def test_every_kind_of_role_has_its_jobs():
    assert set().union(*PERMITTED.values()) - {"system"} <= CARDS.keys()


def content_of(browser: Client) -> str:
    page = browser.get("/")
    assert page.status_code == 200, page.content.decode()
    return page.content.decode().split('<main id="content"')[1].split("</main>")[0]


def links_of(browser: Client) -> set[str]:
    return {html.unescape(link) for link in re.findall(r'href="([^"]+)"', content_of(browser))}


@pytest.mark.parametrize("kind", KINDS)
def test_everybody_has_a_day_and_no_card_leads_where_its_reader_may_not_go(clinic: Clinic, kind: str):
    browser = browser_of(actor_of(clinic, kind))
    content = content_of(browser)
    assert "<section" in content or "Nothing waits for you." in content
    for link in links_of(browser):
        assert browser.get(link).status_code == 200, link


def test_spec_a_form_that_an_encounter_asks_for_is_on_the_nurses_list(clinic: Clinic):
    nurse = actor_of(clinic, "nurse", "SE01")
    today = clinic.today("SE01")
    browser = browser_of(nurse)
    command = ConsentParticipant(site="SE01", consent_version="1.0", consented_on=today)
    entries = clinic.trial.record(nurse, command)
    assert isinstance(entries, tuple)
    code = str(entries[0].content["participant"])
    form = f"/participants/{code}/forms/demography/screening/"
    assert f"{code} Screening" in content_of(browser)
    assert form not in links_of(browser)
    clinic.trial.record(nurse, StartEncounter(participant=code, encounter="screening", took_place_on=today))
    assert f"{code} Screening" not in content_of(browser)
    assert form in links_of(browser)


def test_a_reader_sees_codes_of_tasks_and_no_participant(clinic: Clinic):
    content = content_of(browser_of(actor_of(clinic, "reader")))
    codes = [each.participant for each in clinic.trial.as_seen_by(actor_of(clinic, "monitor")).participants()]
    assert not any(code in content for code in codes)


def test_a_card_shows_the_first_cases_and_counts_the_rest():
    card = make_card("Cases", [Case(str(number)) for number in range(SHOWN_MAX + 2)], tone="bad")
    assert (card.count, len(card.cases), card.more) == (SHOWN_MAX + 2, SHOWN_MAX, 2)
    assert make_card("Cases", [], tone="bad").tone == ""


def test_of_many_entries_those_of_the_trial_stand_together(clinic: Clinic):
    browser = browser_of(actor_of(clinic, "data_manager"))
    bar, together = menu_of(browser.get("/exports/").content.decode())
    assert [name for name in ("/participants/", "/coding/", "/monitoring/") if name not in bar] == []
    assert [
        name for name in ("/sites/", "/governance/", "/exports/", "/study/") if name not in together
    ] == []
    assert '<summary aria-current="true">The trial: Exports</summary>' in together
    assert bar.count("<a ") <= IN_BAR_MAX


def test_few_entries_stand_side_by_side(clinic: Clinic):
    bar, together = menu_of(browser_of(actor_of(clinic, "administrator")).get("/").content.decode())
    assert "/governance/" in bar and together == ""


def menu_of(page: str) -> tuple[str, str]:
    """The menu in the bar, and what stands behind its last entry."""
    menu = page.partition('<nav class="menu"')[2].partition("</nav>")[0]
    bar, details, together = menu.partition("<details>")
    return bar, details and together
