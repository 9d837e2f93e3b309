"""Values, their stored forms, and calendar arithmetic."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.definition import expression as ex


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2024", date(2024, 1, 1), date(2024, 12, 31)),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2024-02-03", date(2024, 2, 3), date(2024, 2, 3)),
    ],
)
def test_partial_date_covers_its_days(text: str, first: date, last: date) -> None:
    day = ex.PartialDate.parse(text)
    assert (day.first, day.last, str(day)) == (first, last, text)
    assert day.exact == (first == last)
    assert ex.PartialDate.of(first) == ex.PartialDate.parse(first.isoformat())


@pytest.mark.parametrize("text", ["", "24", "2024-13", "2024-02-30", "2024-2", "2024-02-03T00", "0000"])
def test_what_is_no_partial_date(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        ex.PartialDate.parse(text)


def test_values_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="needs its month"):
        ex.PartialDate(2024, None, 3)
    with pytest.raises(ValueError, match="whole number of hours, days"):
        ex.Duration(3, "lightyears")
    with pytest.raises(ValueError, match="-3 days"):
        ex.Duration(-3, "days")


def test_durations_in_words() -> None:
    assert (str(ex.Duration(1, "months")), str(ex.Duration(2, "months"))) == ("1 month", "2 months")


STORED = {
    "integer": 3,
    "decimal": "3.50",
    "text": "x",
    "boolean": True,
    "date": "2024-05-01",
    "partial_date": "2024-05",
    "choice": "rr",
}


@pytest.mark.parametrize("type_name", STORED)
def test_stored_form_and_back(type_name: str) -> None:
    value = ex.decode_value(type_name, STORED[type_name])
    assert ex.encode_value(value) == STORED[type_name]
    assert ex.decode_value(type_name, None) is None


def test_decoded_types() -> None:
    assert ex.decode_value("decimal", 3) == Decimal(3)
    assert ex.decode_value("date", "2024-05-01") == date(2024, 5, 1)
    assert ex.decode_value("partial_date", "2024-05") == ex.PartialDate(2024, 5)
    assert ex.decode_value("choice", 2) == 2
    assert ex.encode_value(Decimal("1E+2")) == "100"


@pytest.mark.parametrize(
    ("type_name", "raw"),
    [
        ("integer", True),
        ("integer", "3"),
        ("integer", 3.0),
        ("decimal", 3.5),
        ("decimal", "three"),
        ("decimal", "NaN"),
        ("boolean", 1),
        ("date", "2024-05"),
        ("date", 20240501),
        ("partial_date", "May"),
        ("choice", None.__class__),
        ("colour", "red"),
    ],
)
def test_stored_forms_that_do_not_fit(type_name: str, raw: object) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        ex.decode_value(type_name, raw)


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)), st.integers(0, 600))
def test_completed_months_undo_added_months(start: date, count: int) -> None:
    later, _ = ex.plus_duration(start, ex.Duration(count, "months"))
    assert ex.completed_months(start, later) == count
    assert ex.completed_years(start, later) == count // 12
    assert ex.completed_years(later, start) == -(count // 12)


@given(st.dates(), st.dates(), st.dates())
def test_completed_months_follow_the_order_of_days(start: date, one: date, other: date) -> None:
    early, late = sorted((one, other))
    assert ex.completed_months(start, early) <= ex.completed_months(start, late)
    assert ex.completed_months(early, start) >= ex.completed_months(late, start)
