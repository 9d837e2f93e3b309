"""Reviews on record: what of the trail they are of, and which are overdue."""

from datetime import date

import pytest

from equipoise.access.actor import Actor
from equipoise.access.refusal import Refused
from equipoise.conduct.view.reviews import ReviewLine
from equipoise.governance.commands import GrantRole, RecordReview
from tests.conduct.clinic import ADA, DANA, PETE, PRIYA, Clinic

MONA, RITA = Actor("mona", "monitor"), Actor("rita", "reader")
BEFORE, AFTER = date(2024, 8, 31), date(2024, 9, 2)


@pytest.fixture
def clinic() -> Clinic:
    clinic = Clinic()
    for actor in (MONA, RITA):
        clinic.do(ADA, GrantRole(account=actor.account, role=actor.role))
    return clinic


def review(through: int, site: str | None = None, due: date | None = date(2024, 9, 1)) -> RecordReview:
    return RecordReview(
        reviewed="audit_trail", findings="As planned", site=site, reviewed_through=through, next_due=due
    )


def reviews(clinic: Clinic, actor: Actor, today: date = AFTER) -> tuple[ReviewLine, ...]:
    return clinic.trial.as_seen_by(actor).reviews(today)


@pytest.mark.requirement("G5")
def test_spec_a_review_is_overdue_until_the_same_is_reviewed_anew(clinic: Clinic) -> None:
    clinic.do(MONA, review(3))
    clinic.do(MONA, review(4, "SE01"))
    assert [each.state for each in reviews(clinic, DANA, BEFORE)] == ["planned", "planned"]
    assert [each.state for each in reviews(clinic, DANA)] == ["overdue", "overdue"]
    clinic.do(DANA, review(5, due=None))
    assert [(each.account, each.site, each.state) for each in reviews(clinic, DANA)] == [
        ("dana", None, "done"),
        ("mona", "SE01", "overdue"),
        ("mona", None, "done"),
    ]


@pytest.mark.requirement("G5")
def test_spec_a_review_follows_on_the_last_of_the_same_and_ends_with_what_was_recorded(
    clinic: Clinic,
) -> None:
    clinic.do(MONA, review(3))
    clinic.do(MONA, review(10**6))
    second, first = reviews(clinic, MONA)
    assert (first.first, first.last) == (1, 3)
    assert (second.first, second.last) == (4, second.position - 1)


def test_spec_reviews_are_for_those_who_see_what_they_are_about(clinic: Clinic) -> None:
    clinic.do(MONA, review(3))
    clinic.do(MONA, review(3, "CA01"))
    clinic.do(ADA, RecordReview(reviewed="access", findings="All left who should", reviewed_through=3))
    assert [each.account for each in reviews(clinic, MONA)] == ["ada", "mona", "mona"]
    assert [each.account for each in reviews(clinic, ADA)] == ["ada"]
    assert [each.site for each in reviews(clinic, PETE) if each.account == "mona"] == ["CA01", None]
    assert [each.site for each in reviews(clinic, PRIYA) if each.account == "mona"] == [None]
    with pytest.raises(Refused, match="ACC-UNSEEN"):
        reviews(clinic, RITA)
