"""The board: the open report compares nothing, the closed one is for the board and its statistician."""

import pytest

from equipoise.conduct.view import UnmaskedView
from equipoise.web.clinic import Clinic
from tests.web.clinics import actor_of, browser_of
from tests.web.test_jobs import begin, works_end

__all__ = ["works_end"]


def report(clinic: Clinic, kind: str, work: str) -> str:
    actor = actor_of(clinic, kind)
    browser = browser_of(actor)
    return browser.get(begin(browser, actor, work) + "file/").content.decode()


def test_spec_serious_events_are_counted_by_arm_for_the_board(clinic: Clinic):
    board = actor_of(clinic, "safety_board")
    seen = clinic.trial.as_seen_by(board)
    assert isinstance(seen, UnmaskedView)
    page = browser_of(board).get("/board/").content.decode()
    assert "Closed: confidential to the board." in page
    for arm in clinic.definition.study.arms:
        assert (
            f'<th scope="row">{arm.label}</th><td class="number">{list(seen.arms().values()).count(arm.id)}'
            in page
        )


@pytest.mark.parametrize(
    "kind", ["statistician", "data_manager", "monitor", "investigator", "safety_desk", "administrator"]
)
@pytest.mark.requirement("G10")
def test_spec_nobody_else_comes_to_the_board(clinic: Clinic, kind: str):
    assert browser_of(actor_of(clinic, kind)).get("/board/").status_code == 403


@pytest.mark.requirement("R6")
def test_spec_the_closed_report_says_that_it_is_closed_and_tests_nothing(clinic: Clinic):
    text = report(clinic, "safety_board", "closed_report")
    assert "Closed: confidential to the board." in text
    assert "No hypothesis was tested; the estimate describes." in text or "There is no estimate" in text
    assert any(arm.label in text for arm in clinic.definition.study.arms)


def test_spec_the_open_report_is_the_same_whoever_asks_for_it(clinic: Clinic):
    board = report(clinic, "safety_board", "report")
    assert "All participants are described together." in board
    assert board == report(clinic, "statistician", "report")
