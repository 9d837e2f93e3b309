"""Queries: asked about a form or an item, answered at the site, accepted by who asked."""

import pytest

from equipoise.capture.state import QueryRow
from equipoise.web.clinic import Clinic
from tests.web.clinics import actor_of, browser_of, form_of
from tests.web.filled import address_of, recorded_form


def ask(clinic: Clinic) -> tuple[str, str]:
    record = recorded_form(clinic)
    browser = browser_of(actor_of(clinic, "monitor"))
    page = browser.get(address_of(record)).content.decode()
    assert "item=weight" in page
    where = f"participant={record.participant}&form={record.form}&encounter={record.encounter}&item=weight"
    fields = form_of(browser, f"/do/open-query/?{where}") | {"text": "Is this in pounds?"}
    assert browser.post("/do/open-query/", fields).status_code == 302
    return list(clinic.trial.tables.all(QueryRow))[-1].query, address_of(record)


@pytest.mark.requirement("G3", "G7")
def test_spec_a_query_goes_from_the_monitor_to_the_site_and_back(clinic: Clinic):
    query, form = ask(clinic)
    nurse, monitor = browser_of(actor_of(clinic, "nurse", "SE01")), browser_of(actor_of(clinic, "monitor"))
    assert "Is this in pounds?" in nurse.get(form).content.decode()
    page = nurse.get(f"/queries/{query}/").content.decode()
    assert "Body weight" in page
    assert f"{form}correct/" in page
    fields = form_of(nurse, f"/do/answer-query/?query={query}") | {"text": "In kilograms, as written"}
    assert nurse.post("/do/answer-query/", fields).status_code == 302
    mine = monitor.get("/queries/?show=mine").content.decode()
    assert query in mine
    assert "do/close-query" in monitor.get(f"/queries/{query}/").content.decode()
    assert (
        monitor.post("/do/close-query/", form_of(monitor, f"/do/close-query/?query={query}")).status_code
        == 302
    )
    course = monitor.get(f"/queries/{query}/").content.decode()
    assert course.index("Is this in pounds?") < course.index("In kilograms, as written")
    assert query not in monitor.get("/queries/").content.decode()
    assert query in monitor.get("/queries/?show=closed").content.decode()


def test_every_query_can_be_opened_from_the_list(clinic: Clinic):
    browser = browser_of(actor_of(clinic, "data_manager"))
    for row in clinic.trial.tables.all(QueryRow):
        expected = 404 if row.unmasking else 200
        assert browser.get(f"/queries/{row.query}/").status_code == expected, row


def test_queries_of_another_site_and_queries_that_unmask_are_not_there(clinic: Clinic):
    query, _form = ask(clinic)
    elsewhere = browser_of(actor_of(clinic, "nurse", "IT01"))
    assert elsewhere.get(f"/queries/{query}/").status_code == 404
    assert query not in elsewhere.get("/queries/?show=all").content.decode()
    assert browser_of(actor_of(clinic, "reader")).get("/queries/").status_code == 403
    nurse = browser_of(actor_of(clinic, "nurse", "SE01"))
    assert nurse.get("/queries/U-000001/").status_code == nurse.get("/queries/U-999999/").status_code == 404


def test_a_list_of_queries_of_a_kind_that_is_none_is_the_usual_one(clinic: Clinic):
    browser = browser_of(actor_of(clinic, "data_manager"))
    assert browser.get("/queries/?show=%00&page=999&sort=-x").status_code == 200
    assert browser.get("/queries/?show=all&as=csv")["Content-Type"].startswith("text/csv")
