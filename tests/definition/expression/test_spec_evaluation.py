"""What each part of the language means, one line each."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from equipoise.definition import expression as ex

MET, NOT_MET, UNKNOWN = ex.Truth.MET, ex.Truth.NOT_MET, ex.Truth.UNKNOWN
AS_OF = date(2024, 5, 31)


def on(text: str) -> ex.PartialDate:
    return ex.PartialDate.parse(text)


def event(day: str | None, severity: int | None = 1, row: int = 1, **more: ex.Value) -> ex.FormRow:
    when = None if day is None else on(day)
    values = {"severity": severity, "day": when, **more}
    return ex.form_row("event", values, row=row, date=when, position=row)


def table(*rows: ex.FormRow, reviewed: str | None = None, **variables: str) -> ex.EvidenceTable:
    return ex.EvidenceTable(
        AS_OF,
        [
            ex.form_row(
                "person", {"born": date(1990, 2, 28), "weight": Decimal("70.5"), "sex": "f", "well": True}
            ),
            ex.form_row("person", {"onset": on("2019"), "height": None, "ill": False, "code": 3}),
            ex.form_row(
                "scan", {"count": 2, "read": True}, encounter="week_4", date=on("2024-02-01"), position=4
            ),
            ex.form_row(
                "scan", {"count": 5, "read": None}, encounter="week_8", date=on("2024-03-01"), position=5
            ),
            ex.form_row("scan", {"count": None}, encounter="week_12", date=on("2024-03-31"), position=6),
            *rows,
        ],
        anchors={"randomisation": date(2024, 5, 31), "consent": date(2024, 5, 1), "surgery": None},
        variables={name: ex.parse_text(text) for name, text in variables.items()},
        reviewed={} if reviewed is None else {"event": date.fromisoformat(reviewed)},
        logs={"event"},
    )


CONDITIONS = {
    MET: [
        "person.well",
        "person.well = true",
        "person.ill = false",
        "person.sex = 'f'",
        "person.sex != 'm'",
        "person.weight between 70.5 and 71",
        "person.sex in ('m', 'f')",
        "person.code in ('a', 3)",
        "person.height is unknown",
        "person.onset is known",
        "person.nothing is unknown",
        "not person.ill",
        "person.well and person.sex = 'f'",
        "person.ill or person.well",
        "person.height > 1 or person.well",
        "at_least(1, person.height > 1, person.well)",
        "(person.well as 'feels well')",
        "person.onset < date '2020-01-01'",
        "person.onset > date '2018-12-31'",
        "person.onset != date '2020-01-01'",
        "person.onset >= date '2019-01-01'",
        "person.onset <= date '2019-12-31'",
        "today = date '2024-05-31'",
        "consent + 30 days = randomisation",
        "randomisation - 3 months = date '2024-02-29'",
        "years(person.onset, today) between 4 and 5",
        "scan.count at week_4 = 2",
        "any(scan.read)",
        "any(scan where scan.count > 4)",
        "max(scan.count) >= 5",
        "(person.well and true) = true",
        "if(person.height > 1, person.sex = 'm', person.ill) = false",
        "if(person.well, person.sex = 'f', person.ill)",
    ],
    NOT_MET: [
        "person.ill",
        "person.sex = 'm'",
        "person.weight between 71 and 72",
        "person.weight between 60 and 70",
        "person.sex in ('m', 3)",
        "person.weight is unknown",
        "not person.well",
        "person.height > 1 and person.ill",
        "person.ill or person.sex = 'm'",
        "at_least(2, person.ill, person.well)",
        "person.onset = date '2020-01-01'",
        "person.onset < date '2019-01-01'",
        "person.onset > date '2019-12-31'",
        "any(scan.read where scan.count > 9 at week_4)",
        "if(person.ill, person.well, false)",
    ],
    UNKNOWN: [
        "person.height > 1",
        "person.height = 'a'",
        "person.height in ('a', 'b')",
        "person.height between 1 and 2",
        "not person.height > 1",
        "person.height > 1 and person.well",
        "person.height > 1 or person.ill",
        "at_least(2, person.height > 1, person.well)",
        "person.onset = date '2019-05-01'",
        "person.onset <= date '2019-05-01'",
        "surgery < today",
        "person.sex > 'a'",
        "person.sex = 3",
        "person.well = 1",
        "person.onset > 3",
        "person.weight",
        "1 / 0 > 1",
        "3 months = 3 months and 1 < 'a'",
        "any(scan.read at week_8)",
    ],
}


@pytest.mark.parametrize(
    ("text", "outcome"), [(text, key) for key, texts in CONDITIONS.items() for text in texts]
)
def test_spec_condition(text: str, outcome: ex.Truth) -> None:
    assert ex.truth(ex.parse_text(text), table()) is outcome


VALUES: dict[str, object] = {
    "1 + 2 * 3 - 4 / 8": Decimal("6.5"),
    "-(2) - -3": 1,
    "-person.weight": Decimal("-70.5"),
    "abs(-3)": 3,
    "abs(person.height)": ex.UNKNOWN,
    "abs(years(person.onset, today) - 4)": ex.Interval(Decimal(0), Decimal(1)),
    "abs(years(person.onset, today) - 9)": ex.Interval(Decimal(4), Decimal(5)),
    "abs(4 * years(person.onset, today) - 19)": ex.Interval(Decimal(0), Decimal(3)),
    "round(2.345, 2)": Decimal("2.35"),
    "round(-2.5, 0)": -3,
    "round(123, -1)": 120,
    "round(1, 0.5)": ex.UNKNOWN,
    "round(1, 31)": ex.UNKNOWN,
    "round(99999999999999999999999999999999, 5)": ex.UNKNOWN,
    "round(1, person.height)": ex.UNKNOWN,
    "round(max(event.severity), 0)": ex.UNKNOWN,
    "log(1)": 0,
    "log(0)": ex.UNKNOWN,
    "log1p(0)": 0,
    "log1p(-1)": ex.UNKNOWN,
    "exp(0)": 1,
    "exp(100000)": ex.UNKNOWN,
    "sqrt(2.25)": Decimal("1.5"),
    "sqrt(-1)": ex.UNKNOWN,
    "sqrt('a')": ex.UNKNOWN,
    "'a' + 1": ex.UNKNOWN,
    "-'a'": ex.UNKNOWN,
    "3 / (4 - years(person.onset, today))": ex.UNKNOWN,
    "least(3, 1, 2)": 1,
    "greatest(date '2024-01-01', today)": AS_OF,
    "least(1, 'a')": ex.UNKNOWN,
    "least('a', 'b')": ex.UNKNOWN,
    "least(3, person.height)": ex.Interval(None, Decimal(3)),
    "least(3, count(event))": ex.Interval(Decimal(0), Decimal(3)),
    "greatest(3, count(event))": ex.Interval(Decimal(3), None),
    "coalesce(person.height, person.nothing, 7)": 7,
    "coalesce(person.weight, 7)": Decimal("70.5"),
    "coalesce(person.height, person.nothing)": ex.UNKNOWN,
    "if(person.height > 1, 3, 5)": ex.Interval(Decimal(3), Decimal(5)),
    "if(person.height > 1, 'a', 'b')": ex.UNKNOWN,
    "if(person.height > 1, 'a', 'a')": "a",
    "if(person.height > 1, 'a', 3)": ex.UNKNOWN,
    "years(person.born, date '2024-02-27')": 33,
    "years(person.born, date '2024-02-28')": 34,
    "years(date '2024-02-28', person.born)": -34,
    "months(date '2024-01-31', date '2024-02-29')": 1,
    "months(date '2024-02-29', date '2024-01-31')": -1,
    "days(date '2024-02-28', date '2024-03-01')": 2,
    "days(person.height, today)": ex.UNKNOWN,
    "days(1, today)": ex.UNKNOWN,
    "person.onset + 1 years": ex.Interval(date(2020, 1, 1), date(2020, 12, 31)),
    "today + 36 hours": ex.Interval(date(2024, 6, 1), date(2024, 6, 2)),
    "today - 48 hours": date(2024, 5, 29),
    "today + 2 weeks": date(2024, 6, 14),
    "today + 9999999 days": date.max,
    "today - 9999999 days": date.min,
    "today + 99999 years": date.max,
    "today - 99999 years": date.min,
    "3 + 3 days": ex.UNKNOWN,
    "today * 3 days": ex.UNKNOWN,
    "min(event.day) + 1 days": ex.UNKNOWN,
    "count(event) * 0": 0,
    "count(event) * 2 - 1": ex.Interval(Decimal(-1), None),
    "1 / (1 + count(event))": ex.Interval(Decimal(0), Decimal(1)),
    "count(event) / (1 + count(event))": ex.Interval(Decimal(0), None),
    "count(event) * (count(event) - 1)": ex.UNKNOWN,
    "round(count(event), 0)": ex.Interval(Decimal(0), None),
    "exp(99999999999999) * 0": ex.UNKNOWN,
    "scan.count": 5,
    "scan.count at week_12": ex.UNKNOWN,
    "sum(scan.count)": ex.UNKNOWN,
    "sum(known scan.count)": 7,
    "sum(scan.count at week_4, week_8)": 7,
    "sum(scan.count at week_4, week_12)": ex.UNKNOWN,
    "sum(known scan.count at week_4, week_12)": 2,
    "sum(known scan.count at week_4, week_99)": 2,
    "sum(scan.count at week_4, week_99)": ex.UNKNOWN,
    "sum(scan.count where scan.count > 9 at week_4)": 0,
    "mean(scan.count at week_4, week_8)": Decimal("3.5"),
    "mean(known scan.count where scan.count > 9)": ex.UNKNOWN,
    "min(scan.count)": ex.Interval(None, 2),
    "min(known scan.count)": 2,
    "max(known scan.count)": 5,
    "first(known scan.count)": 2,
    "last(known scan.count)": 5,
    "last(scan.count)": ex.UNKNOWN,
    "count(scan.count)": ex.Interval(2, 3),
    "count(known scan.count)": 2,
    "count(scan at week_4, week_99)": 1,
    "count(scan before 1 months before date_of_scan)": 1,
    "count(scan from consent to randomisation)": 0,
    "count(scan after scan.nothing)": ex.Interval(0, 3),
    "count(scan after well)": ex.Interval(0, 3),
    "count(scan within 12 weeks before consent)": 2,
    "fresh(person.weight, 30 days)": ex.UNKNOWN,
    "fresh(person.nothing, 30 days)": ex.UNKNOWN,
    "fresh(scan.count at week_8, 3 months)": 5,
    "fresh(scan.count at week_8, 2 months)": ex.UNKNOWN,
    "age": 34,
    "date '2024-05-01'": date(2024, 5, 1),
}


@pytest.mark.parametrize("text", VALUES)
def test_spec_value(text: str) -> None:
    evidence = table(
        age="years(person.born, today)", date_of_scan="date '2024-03-01'", well="person.well and person.well"
    )
    found = ex.evaluate(ex.parse_text(text), evidence)
    assert found == VALUES[text]
    exact = ex.number(ex.parse_text(text), evidence)
    assert exact == (None if isinstance(found, ex.Interval) else VALUES[text])


def test_number_of_what_is_no_exact_value() -> None:
    assert ex.number(ex.parse_text("3 months"), table()) is None
    assert ex.number(ex.parse_text("person.well and true"), table()) is True
    assert ex.number(ex.parse_text("person.height > 1"), table()) is None


# -- counts over a log that must be confirmed complete

RECENT = "count(event within 12 months before randomisation) >= 1"


@pytest.mark.parametrize(
    ("rows", "reviewed", "outcome"),
    [
        ([event("2023-05-31")], None, MET),  # the first day of the window
        ([event("2024-05-31")], None, MET),  # the last day of the window
        ([event("2023-05-30")], None, UNKNOWN),
        ([event("2023-05-30")], "2024-05-30", UNKNOWN),
        ([event("2023-05-30")], "2024-05-31", NOT_MET),
        ([], "2024-05-31", NOT_MET),
        ([event("2024")], None, UNKNOWN),
        ([event("2024-02")], None, MET),
        ([event("2023")], "2024-05-31", UNKNOWN),
        ([event("2022")], "2024-05-31", NOT_MET),
        ([event(None)], "2024-05-31", UNKNOWN),
    ],
)
def test_spec_count_in_a_log(rows: list[ex.FormRow], reviewed: str | None, outcome: ex.Truth) -> None:
    assert ex.truth(ex.parse_text(RECENT), table(*rows, reviewed=reviewed)) is outcome


THREE = (event("2024-01-10", 1), event("2024-02", 3, 2), event("2024-03-05", None, 3))


@pytest.mark.parametrize(
    ("text", "reviewed", "value"),
    [
        ("count(event)", None, ex.Interval(3, None)),
        ("count(event)", "2024-05-31", 3),
        ("count(event)", "2024-05-30", ex.Interval(3, None)),
        ("count(event where event.severity >= 2)", "2024-05-31", ex.Interval(1, 2)),
        ("count(event where event.severity)", "2024-05-31", ex.Interval(0, 3)),
        ("count(event where event.sure)", "2024-05-31", ex.Interval(0, 3)),
        ("count(event after date_a)", "2024-05-31", ex.Interval(1, 2)),
        ("sum(known event.severity after date_a)", "2024-05-31", ex.Interval(Decimal(0), Decimal(3))),
        ("sum(known event.severity)", None, ex.UNKNOWN),
        ("mean(known event.severity before date_a)", "2024-05-31", ex.Interval(1, 3)),
        ("mean(known event.day before date_a)", "2024-05-31", ex.UNKNOWN),
        ("mean(event.severity)", None, ex.UNKNOWN),
        ("max(event.severity)", "2024-05-31", ex.Interval(3, None)),
        ("max(known event.severity)", None, ex.Interval(3, None)),
        ("min(known event.severity)", None, ex.Interval(None, 1)),
        ("min(known event.severity before date_a)", "2024-05-31", 1),
        ("max(known event.severity before date_a)", "2024-05-31", ex.Interval(1, 3)),
        ("max(event.severity after randomisation)", "2024-05-31", ex.UNKNOWN),
        ("first(event.severity)", "2024-05-31", 1),
        ("first(event.severity)", None, ex.UNKNOWN),
        ("last(event.severity)", "2024-05-31", ex.UNKNOWN),
        ("last(known event.severity)", "2024-05-31", 3),
        ("last(known event.severity before date_a)", "2024-05-31", ex.Interval(1, 3)),
        ("last(event.day)", "2024-05-31", date(2024, 3, 5)),
        ("any(event where event.severity = 3)", None, MET),
        ("any(event where event.severity = 4)", "2024-05-31", UNKNOWN),
        ("any(event where event.severity < 0)", None, UNKNOWN),
        (
            "count(event where any(scan where scan.count = event.severity + 4 at week_4, week_8))",
            "2024-05-31",
            ex.Interval(1, 2),
        ),
    ],
)
def test_spec_rows_of_a_log(text: str, reviewed: str | None, value: object) -> None:
    assert (
        ex.evaluate(ex.parse_text(text), table(*THREE, reviewed=reviewed, date_a="date '2024-02-10'"))
        == value
    )


def test_spec_where_compares_rows_of_the_form_itself_as_truth() -> None:
    rows = [event("2024-01-10", 1, 1, sure=True), event("2024-01-11", 1, 2, sure=False)]
    assert (
        ex.evaluate(ex.parse_text("count(event where event.sure)"), table(*rows, reviewed="2024-05-31")) == 1
    )


def test_spec_the_order_of_the_ledger_decides_within_a_day() -> None:
    rows = [event("2024-01-10", severity, row) for row, severity in ((2, 7), (1, 5))]
    evidence = table(*rows, reviewed="2024-05-31")
    assert ex.evaluate(ex.parse_text("last(event.severity)"), evidence) == 7
    assert ex.evaluate(ex.parse_text("first(event.severity)"), evidence) == 5
    assert ex.evaluate(ex.parse_text("event.severity"), evidence) == 7


@pytest.mark.requirement("R38")
def test_spec_two_rows_within_one_month_have_no_order() -> None:
    evidence = table(event("2024-01", 5, 1), event("2024-01", 7, 2), reviewed="2024-05-31")
    assert ex.evaluate(ex.parse_text("last(event.severity)"), evidence) == ex.Interval(5, 7)


@pytest.mark.requirement("R38")
def test_spec_an_anchor_that_is_a_partial_date_widens_the_window() -> None:
    rows = [event("2019-06-01", 1, 1), event("2018-06-01", 1, 2), event("2020-06-01", 1, 3)]
    evidence = table(*rows, reviewed="2024-05-31")
    assert ex.evaluate(ex.parse_text("count(event after person.onset)"), evidence) == ex.Interval(1, 2)
    assert ex.evaluate(
        ex.parse_text("count(event within 1 years after person.onset)"), evidence
    ) == ex.Interval(0, 2)


def test_spec_a_half_known_anchor_leaves_that_side_open() -> None:
    evidence = table(
        event("2024-01-10"), reviewed="2024-05-31", least_day="max(event.day)", most_day="min(event.day)"
    )
    unreviewed = table(event("2024-01-10"), least_day="max(event.day)", most_day="min(event.day)")
    count = "count(scan before {})"
    assert ex.evaluate(ex.parse_text(count.format("least_day")), evidence) == 0
    # The log may hold later days, so the window may reach further than is known; and earlier ones likewise.
    assert ex.evaluate(ex.parse_text(count.format("least_day")), unreviewed) == ex.Interval(0, 3)
    assert ex.evaluate(ex.parse_text(count.format("most_day")), unreviewed) == 0
    assert ex.evaluate(ex.parse_text("max(event.day) + 1 days"), unreviewed) == ex.Interval(
        date(2024, 1, 11), None
    )
    assert ex.evaluate(ex.parse_text("min(event.day) + 1 days"), unreviewed) == ex.Interval(
        None, date(2024, 1, 11)
    )
    assert ex.evaluate(ex.parse_text("days(min(event.day), today)"), unreviewed) == ex.Interval(142, None)
    assert ex.evaluate(ex.parse_text("days(max(event.day), today)"), unreviewed) == ex.Interval(None, 142)


@pytest.mark.parametrize(
    ("day", "value"),
    [
        ("2024-05-01", 1),
        ("2024-04-30", ex.UNKNOWN),
        ("2024-05", 1),
        ("2024-04", ex.UNKNOWN),
        ("2024", ex.UNKNOWN),
    ],
)
def test_spec_fresh_evidence_holds_through_its_last_day(day: str, value: object) -> None:
    assert ex.evaluate(ex.parse_text("fresh(event.severity, 30 days)"), table(event(day))) == value


def test_spec_a_variable_sees_no_row_of_the_place_where_it_is_used() -> None:
    evidence = table(*THREE, reviewed="2024-05-31", newest="event.severity")
    # `newest` is the latest known severity (3) for every row.
    assert ex.evaluate(ex.parse_text("count(event where newest = 3)"), evidence) == 3


def test_a_variable_that_needs_itself_is_refused() -> None:
    evidence = table(a="b + 1", b="a + 1")
    with pytest.raises(ex.ExpressionError, match="'a' needs itself: a needs b needs a") as caught:
        ex.evaluate(ex.parse_text("a > 1"), evidence)
    assert caught.value.code == "EXPR-CYCLE"


def test_latest_takes_the_newest_position_of_one_day() -> None:
    rows = [
        ex.FormRow("f", None, None, None, {"a": ex.Observation("f", "a", 1, position=5)}),
        ex.FormRow(
            "f",
            None,
            None,
            None,
            {"a": ex.Observation("f", "a", 2, position=4), "b": ex.Observation("f", "b", 1)},
        ),
        ex.FormRow("f", None, None, on("2023"), {"b": ex.Observation("f", "b", 2)}),
    ]
    evidence = ex.EvidenceTable(AS_OF, rows)
    found = evidence.latest("f", "a")
    assert found is not None
    assert found.value == 1
    assert evidence.latest("f", "c") is None
    assert evidence.rows("nothing") == ()
    assert evidence.as_of == evidence.anchor("today") == AS_OF
