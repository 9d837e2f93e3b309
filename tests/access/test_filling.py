"""What the rooms other than capture share."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from equipoise.access.filling import (
    check_day,
    check_moment,
    check_text,
    fill_form,
    is_unmasking,
    split_unmasking,
)
from equipoise.access.refusal import Refusal
from tests.factory import Bench, make_definition

VITALS = {"taken_on": date(2024, 6, 1), "weight": Decimal(70), "systolic": 120, "diastolic": 80}


def fill(values, form="vitals"):
    return fill_form(make_definition(), form, values, None, "SUP")


def test_a_form_is_stored_as_the_ledger_keeps_it():
    assert fill(VITALS) == {"taken_on": "2024-06-01", "weight": "70", "systolic": 120, "diastolic": 80}


def test_what_cannot_be_read_is_refused_with_all_that_is_wrong():
    refusal = fill({"weight": 7, "other": 1})
    assert isinstance(refusal, Refusal)
    assert refusal.code == "SUP-VALUE"
    assert len(refusal.details) == 5
    assert "7" not in "".join(refusal.details)


def test_a_hard_edit_check_refuses_and_the_other_kind_does_not():
    refusal = fill(VITALS | {"systolic": 70})
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.details) == (
        "SUP-CHECK",
        ("The systolic pressure must be above the diastolic.",),
    )
    assert not isinstance(fill(VITALS | {"weight": 35}), Refusal)


@pytest.mark.parametrize("form", [None, "nowhere"])
def test_a_step_without_a_form_takes_no_values(form):
    assert fill({}, form) == {}
    refusal = fill({"weight": 70}, form)
    assert isinstance(refusal, Refusal)
    assert refusal.code == "SUP-VALUE"


def test_unmasking_items_are_kept_apart():
    definition = make_definition()
    labs, vitals = definition.form("labs"), definition.form("vitals")
    assert split_unmasking(labs, {"crp": "3", "marker": "9"}) == ({"crp": "3"}, {"marker": "9"})
    assert split_unmasking(vitals, {"weight": "70"}) == ({"weight": "70"}, {})
    assert split_unmasking(None, {}) == ({}, {})
    assert labs is not None
    assert split_unmasking(replace(labs, unmasking=True), {"crp": "3"}) == ({}, {"crp": "3"})
    assert (is_unmasking(labs), is_unmasking(vitals), is_unmasking(None)) == (True, False, False)
    assert vitals is not None
    assert is_unmasking(replace(vitals, unmasking=True))


def test_today_is_the_day_at_the_site():
    bench = Bench()
    bench.now = datetime(2024, 6, 2, 22, 30, tzinfo=UTC)
    third = date(2024, 6, 3)
    assert check_day(bench.moment(), "SE01-001", third, "SUP") is None
    refusal = check_day(bench.moment(), "CA01-001", third, "SUP")
    assert refusal is not None
    assert refusal.code == "SUP-DATE"


@pytest.mark.parametrize(
    ("said", "has_come"),
    [
        ("2024-06-03", True),
        ("2024-06-04", False),
        ("2024-06-03T00:30:00+02:00", True),
        ("2024-06-03T00:31:00+02:00", False),
        ("2024-06-02T23:00:00+00:00", False),
    ],
)
def test_a_date_or_a_time_that_has_not_come_is_refused(said, has_come):
    bench = Bench()
    bench.now = datetime(2024, 6, 2, 22, 30, tzinfo=UTC)
    refusal = check_moment(bench.moment(), "SE01-001", said, "CAP")
    assert (refusal is None) is has_come
    assert refusal is None or (refusal.code == "CAP-DATE" and "is in the future" in refusal.sentence)


def test_an_explanation_says_something():
    assert check_text("Broken", "cause", "SUP") is None
    assert check_text(" \n", "cause", "SUP") is not None
