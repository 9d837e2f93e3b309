"""Reviews that are put on record, and for whose eyes their words are."""

from dataclasses import replace
from datetime import date

import pytest

from equipoise.access.actor import Actor
from equipoise.governance.commands import OpenTrial, RecordReview
from equipoise.governance.decide import DECIDE
from equipoise.governance.state import APPLY
from tests.factory import Bench, make_definition

OPEN = OpenTrial(mode="live", administrator="alma")
REVIEW = RecordReview(reviewed="audit_trail", findings=" Nothing odd ", reviewed_through=2)
MONA, ALMA = Actor("mona", "monitor"), Actor("alma", "administrator")


@pytest.fixture
def bench() -> Bench:
    bench = Bench((DECIDE, APPLY), actor=MONA)
    bench.do(OPEN)
    return bench


@pytest.mark.requirement("G5", "G14")
def test_spec_a_review_is_on_record_with_what_was_found_and_when_it_is_due_again(bench: Bench) -> None:
    filtered = replace(REVIEW, site="SE01", narrowed="kind=ItemCorrected", next_due=date(2024, 9, 1))
    [entry] = bench.do(filtered)
    assert dict(entry.content) == {
        "reviewed": "audit_trail",
        "site": "SE01",
        "participant": None,
        "reviewed_through": 2,
        "narrowed": "kind=ItemCorrected",
        "findings": "Nothing odd",
        "next_due": "2024-09-01",
    }
    [entry] = bench.do(replace(REVIEW, participant="SE01-001"))
    assert (entry.content["site"], entry.content["participant"]) == ("SE01", "SE01-001")
    assert bench.replayed() == bench.tables.dump()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"findings": " "}, "GOV-TEXT"),
        ({"site": "XX99"}, "GOV-UNKNOWN-SITE"),
        ({"next_due": date(2024, 6, 3)}, "GOV-NEXT-DUE"),
    ],
)
def test_a_review_that_says_nothing_or_is_due_before_today_is_refused(
    bench: Bench, change: dict[str, object], code: str
) -> None:
    assert bench.refused(replace(REVIEW, **change)).code == code  # type: ignore[arg-type]


def test_before_the_trial_is_open_there_is_nothing_to_review() -> None:
    assert Bench((DECIDE, APPLY), actor=MONA).refused(REVIEW).code == "GOV-NOT-OPEN"


@pytest.mark.requirement("G10")
def test_spec_the_words_of_a_review_are_for_who_sees_as_much_as_the_reviewer(bench: Bench) -> None:
    access = replace(REVIEW, reviewed="access")
    roles = tuple(
        replace(role, masked=False) if role.id == "monitor" else role
        for role in make_definition().study.roles
    )
    assert [bench.do(each)[0].kind for each in (REVIEW, access)] == ["CourseReviewRecorded", "ReviewRecorded"]
    bench.actor = ALMA
    assert bench.do(REVIEW)[0].kind == "ReviewRecorded"
    bench.actor = MONA
    bench.definition = make_definition(study=replace(make_definition().study, roles=roles))
    assert {bench.do(each)[0].kind for each in (REVIEW, access)} == {"UnmaskingReviewRecorded"}
