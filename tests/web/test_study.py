"""The study's own pages: synopsis, registry page, schedule, assumptions, forms, for every role."""

import pytest

from equipoise.web.clinic import Clinic
from tests.web.clinics import actor_of, browser_of


def test_everybody_may_read_the_study_in_every_language(clinic: Clinic):
    browser = browser_of(actor_of(clinic, "reader"))
    for page in ("", "registry/", "schedule/", "assumptions/", "forms/"):
        for language in ("en", "sv", "it"):
            answer = browser.get(f"/study/{page}", headers={"accept-language": language})
            assert answer.status_code == 200
            assert answer.content.decode().count("<h1>") == 1


def test_the_synopsis_has_each_of_its_sections_and_every_criterion(clinic: Clinic):
    html = browser_of(actor_of(clinic, "nurse")).get("/study/").content.decode()
    for title in ("The study", "Eligibility", "Schedule of activities", "Assumptions"):
        assert f">{title}</h2>" in html
    for criterion in clinic.definition.eligibility.criteria:
        assert f"<dt>{criterion.id}</dt>" in html


def test_the_registry_page_marks_what_is_assumed(clinic: Clinic):
    html = browser_of(actor_of(clinic, "nurse")).get("/study/registry/").content.decode()
    assert html.count("(assumed)") == sum(site.assumed for site in clinic.definition.study.sites)
    assert html.index("Study Overview") < html.index("Participation Criteria") < html.index("Study Plan")
    assert "Assumptions of the definition" in html


@pytest.mark.requirement("G18")
def test_every_form_is_drawn_as_it_is_asked_and_cannot_be_sent(clinic: Clinic):
    browser = browser_of(actor_of(clinic, "nurse"))
    for form in clinic.definition.forms:
        page = browser.get(f"/study/forms/{form.id}/")
        html = page.content.decode()
        assert page.status_code == 200
        assert all(f'name="item-{item.id}"' in html for item in form.items)
        assert "<fieldset disabled>" in html
        assert 'id="command"' not in html


def test_a_form_that_is_none_is_not_found(clinic: Clinic):
    assert browser_of(actor_of(clinic, "nurse")).get("/study/forms/unheard_of/").status_code == 404
