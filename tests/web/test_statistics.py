"""The statistician's desk: masked until the unblinding, with the plan that was fixed beforehand."""

import io
from zipfile import ZipFile

import pytest

from equipoise.web.clinic import Clinic
from tests.web.clinics import actor_of, browser_of
from tests.web.test_jobs import begin, works_end

__all__ = ["works_end"]


def datasets(clinic: Clinic, kind: str, work: str) -> tuple[str, str]:
    actor = actor_of(clinic, kind)
    browser = browser_of(actor)
    answer = browser.get(begin(browser, actor, work) + "file/")
    archive = ZipFile(io.BytesIO(answer.content))
    return answer["Content-Disposition"], archive.read("adsl.csv").decode().splitlines()[0]


@pytest.mark.requirement("G9", "G10")
def test_spec_datasets_hold_no_treatment_before_the_unblinding(clinic: Clinic):
    name, titles = datasets(clinic, "statistician", "datasets")
    assert "masked-datasets" in name
    assert "USUBJID" in titles
    assert "TRTSEQP" not in titles
    assert datasets(clinic, "unblinded_statistician", "datasets") == (name, titles)


def test_the_statistician_to_the_board_has_closed_datasets_with_the_arms(clinic: Clinic):
    name, titles = datasets(clinic, "unblinded_statistician", "closed_datasets")
    assert "closed-datasets" in name
    assert "TRTSEQP" in titles


@pytest.mark.requirement("E2")
def test_spec_the_plan_is_shown_with_the_day_on_which_it_was_fixed(clinic: Clinic):
    statistician = actor_of(clinic, "statistician")
    page = browser_of(statistician).get("/statistics/").content.decode()
    opened = next(clinic.trial.ledger.read())
    assert opened.kind == "TrialOpened"
    assert opened.recorded_at[:10] in page
    assert clinic.definition.hash in page
    assert "is the one below" in page
    assert all(endpoint.title in page for endpoint in clinic.definition.analysis.endpoints)
    assert "closed_report" not in page


def test_the_desk_is_for_statisticians_alone(clinic: Clinic):
    for kind in ("data_manager", "safety_board", "nurse", "monitor"):
        assert browser_of(actor_of(clinic, kind)).get("/statistics/").status_code == 403
