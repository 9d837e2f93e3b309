"""Reading what is filled in."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.definition.expression import EvidenceTable, PartialDate, decode_value, form_row
from equipoise.definition.model.forms import EditCheck, Form
from equipoise.definition.recording import (
    ItemProblem,
    RowEvidence,
    date_of,
    decode_item,
    failing_checks,
    local_date,
    read_value,
    read_values,
    retired_problems,
)
from tests.small_trial import ADVERSE_EVENTS, DEMOGRAPHICS, VITALS, codes, item, make_definition, when

EVERY = Form(
    id="every",
    title="Every type",
    items=(
        item("whole", "integer", minimum=Decimal(-5), maximum=Decimal(5), required=False),
        item("number", "decimal", minimum=Decimal(0), step=Decimal("0.5"), required=False),
        item("odd", "decimal", minimum=Decimal("0.25"), step=Decimal("0.5"), required=False),
        item("words", "text", required=False),
        item("truth", "boolean", required=False),
        item("code", "choice", codes=codes("a", "b") + codes("1"), required=False),
        item("day", "date", required=False),
        item("about", "partial_date", required=False),
        item("moment", "datetime", required=False),
    ),
)

ZONE = timezone(timedelta(hours=2))


@pytest.mark.parametrize(
    ("name", "raw", "stored"),
    [
        ("whole", 3, 3),
        ("whole", " -5 ", -5),
        ("whole", 5, 5),
        ("odd", "1.25", "1.25"),
        ("number", Decimal("1.50"), "1.50"),
        ("number", "2.5", "2.5"),
        ("number", 4, "4"),
        ("words", "  two\r\nlines ", "two\nlines"),
        ("truth", True, True),
        ("truth", "no", False),
        ("truth", "true", True),
        ("code", "b", "b"),
        ("code", 1, "1"),
        ("day", date(2024, 5, 17), "2024-05-17"),
        ("day", "2024-05-17", "2024-05-17"),
        ("day", PartialDate(2024, 5, 17), "2024-05-17"),
        ("about", "2024-05", "2024-05"),
        ("about", PartialDate(2024), "2024"),
        ("about", date(2024, 5, 17), "2024-05-17"),
        ("moment", datetime(2024, 5, 17, 9, 30, tzinfo=ZONE), "2024-05-17T07:30:00Z"),
        ("moment", "2024-05-17T09:30+02:00", "2024-05-17T07:30:00Z"),
    ],
)
def test_a_value_is_stored(name: str, raw: Any, stored: Any) -> None:
    read = read_values(EVERY, {name: raw})
    assert read.problems == ()
    assert read.stored == {name: stored}
    assert type(read.stored[name]) is type(stored)


@pytest.mark.parametrize(
    ("name", "raw", "code"),
    [
        ("whole", 6, "ITEM-RANGE"),
        ("whole", "6", "ITEM-RANGE"),
        ("whole", True, "ITEM-TYPE"),
        ("whole", 2.0, "ITEM-TYPE"),
        ("whole", "2.0", "ITEM-TYPE"),
        ("whole", "9" * 5000, "ITEM-TYPE"),
        ("number", "-0.5", "ITEM-RANGE"),
        ("number", "0.7", "ITEM-STEP"),
        ("odd", "1.5", "ITEM-STEP"),
        ("number", "1,5", "ITEM-TYPE"),
        ("number", "1e3", "ITEM-TYPE"),
        ("number", 1.5, "ITEM-TYPE"),
        ("number", Decimal("NaN"), "ITEM-TYPE"),
        ("number", Decimal("1E+99999"), "ITEM-RANGE"),
        ("words", 5, "ITEM-TYPE"),
        ("words", "   ", "ITEM-TEXT"),
        ("words", "a\x00b", "ITEM-TEXT"),
        ("words", "\ud800", "ITEM-TEXT"),
        ("words", "x" * 4001, "ITEM-TEXT"),
        ("truth", 1, "ITEM-TYPE"),
        ("truth", "maybe", "ITEM-TYPE"),
        ("code", "zebra", "ITEM-CODE"),
        ("code", True, "ITEM-CODE"),
        ("day", "2023-05", "ITEM-TYPE"),
        ("day", "2024-02-30", "ITEM-TYPE"),
        ("day", datetime(2024, 5, 17, tzinfo=UTC), "ITEM-TYPE"),
        ("moment", "half past nine", "ITEM-TYPE"),
        ("moment", datetime.max.replace(tzinfo=timezone(timedelta(hours=-1))), "ITEM-RANGE"),
        ("about", "May 2024", "ITEM-TYPE"),
        ("moment", "2023-05-17T09:30", "ITEM-TYPE"),
        ("moment", date(2024, 5, 17), "ITEM-TYPE"),
        ("unheard_of", 1, "ITEM-UNKNOWN"),
    ],
)
def test_a_value_is_not_read(name: str, raw: Any, code: str) -> None:
    read = read_values(EVERY, {name: raw})
    assert [(problem.item, problem.code) for problem in read.problems] == [(name, code)]
    assert read.stored == {}
    if type(raw) is str and raw.strip() and name != "unheard_of":
        assert raw not in read.problems[0].sentence


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "whole": st.integers(-5, 5),
            "number": st.integers(0, 10**6).map(lambda n: Decimal(n) / 2),
            "words": st.text(
                st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=50
            ),
            "truth": st.booleans(),
            "code": st.sampled_from("ab1"),
            "day": st.dates(),
            "about": st.dates().map(lambda d: PartialDate(d.year, d.month)),
            "moment": st.datetimes(timezones=st.sampled_from([UTC, ZONE])),
        },
    )
)
def test_what_is_stored_reads_as_itself_and_decodes(values: dict[str, Any]) -> None:
    stored = read_values(EVERY, values).stored
    again = read_values(EVERY, stored)
    assert again.stored == stored
    assert again.problems == ()
    for name in stored.keys() & {"whole", "number", "truth", "day", "about"}:
        kind = next(each.type for each in EVERY.items if each.id == name)
        assert decode_value(kind, stored[name]) == values[name]


def test_no_answer_is_none_and_empty_text() -> None:
    assert read_values(EVERY, {"whole": None, "words": ""}).stored == {}
    assert read_value(EVERY, EVERY.items[0], None) is None


def test_one_answer_is_read_by_itself_for_who_is_still_typing() -> None:
    assert read_value(EVERY, EVERY.items[0], "4") == 4
    problem = read_value(EVERY, EVERY.items[0], "four")
    assert isinstance(problem, ItemProblem)
    assert (problem.item, problem.code) == ("whole", "ITEM-TYPE")
    unlimited = item("count", "integer")
    assert read_value(EVERY, unlimited, 10**6) == 10**6


def test_a_required_item_is_missed() -> None:
    read = read_values(DEMOGRAPHICS, {"sex": "m"})
    assert [(p.item, p.code) for p in read.problems] == [("birth_date", "ITEM-MISSING")]


def test_a_question_is_asked_only_where_its_condition_holds() -> None:
    def problems(**values: str) -> list[tuple[str, str]]:
        read = read_values(DEMOGRAPHICS, {"birth_date": "1990-01-01", **values})
        return [(p.item, p.code) for p in read.problems]

    assert problems(sex="m") == []
    assert problems(sex="f") == [("pregnancy_test", "ITEM-MISSING")]
    assert problems(sex="f", pregnancy_test="negative") == []
    assert problems(sex="m", pregnancy_test="negative") == [("pregnancy_test", "ITEM-NOT-ASKED")]
    # While the sex is not known the test may be answered and need not be.
    assert problems() == problems(pregnancy_test="negative") == [("sex", "ITEM-MISSING")]


def test_a_condition_may_look_beyond_the_row() -> None:
    form = Form(id="test", title="Test", items=(item("result", "text", when=when("demographics.sex = 'f'")),))
    woman = EvidenceTable(date(2024, 5, 1), [form_row("demographics", {"sex": "f"})])
    man = EvidenceTable(date(2024, 5, 1), [form_row("demographics", {"sex": "m"})])
    assert read_values(form, {}).problems == read_values(form, {}, man).problems == ()
    assert [p.code for p in read_values(form, {}, woman).problems] == ["ITEM-MISSING"]
    assert [p.code for p in read_values(form, {"result": "x"}, man).problems] == ["ITEM-NOT-ASKED"]


def test_checks_fail_when_they_surely_do_not_hold() -> None:
    right = {"weight": "70", "systolic": 120, "diastolic": 80}
    assert failing_checks(VITALS, right, None) == ()
    wrong = {"weight": "30", "systolic": 80, "diastolic": 80}
    assert [check.id for check in failing_checks(VITALS, wrong, None)] == ["pressures", "light"]
    assert failing_checks(VITALS, {"systolic": 80}, None) == ()
    assert failing_checks(EVERY, {"whole": 3}, None) == ()


def test_a_check_compares_the_row_with_the_other_rows_and_not_with_its_former_self() -> None:
    form = Form(
        id="weighing",
        title="Weighing",
        items=(item("weight", "integer"),),
        checks=(EditCheck(id="few", holds=when("count(weighing) <= 2"), message="Too many."),),
        repeating=True,
    )
    rows = [form_row("weighing", {"weight": 1}, row=1), form_row("weighing", {"weight": 2}, row=2)]
    known = EvidenceTable(date(2024, 5, 1), rows)
    assert failing_checks(form, {"weight": 3}, known, row=2) == ()
    assert [check.id for check in failing_checks(form, {"weight": 3}, known, row=3)] == ["few"]


def test_row_evidence_shows_its_own_row_over_what_lies_below() -> None:
    below = EvidenceTable(
        date(2024, 5, 1),
        [
            form_row("vitals", {"systolic": 100}, encounter="screening"),
            form_row("vitals", {"systolic": 110}, encounter="week_0"),
            form_row("labs", {"crp": Decimal(3)}),
        ],
        anchors={"consent": date(2024, 4, 1)},
        variables={"heavy": when("vitals.weight > 100")},
        reviewed={"adverse_event": date(2024, 4, 2)},
        logs=["adverse_event"],
    )
    own = RowEvidence(VITALS, {"systolic": 150, "taken_on": "2024-05-02"}, below, encounter="week_0")

    def value(seen: Any) -> Any:
        return None if seen is None else seen.value

    assert value(own.latest("vitals", "systolic")) == value(own.at("vitals", "systolic", "week_0")) == 150
    assert value(own.at("vitals", "systolic", "screening")) == 100
    assert value(own.latest("vitals", "diastolic")) is None
    assert value(own.latest("labs", "crp")) == value(own.rows("labs")[0].values["crp"]) == 3
    assert [value(row.values["systolic"]) for row in own.rows("vitals")] == [100, 150]
    assert own.rows("vitals")[1].date == PartialDate(2024, 5, 2)
    assert (own.as_of, own.anchor("consent")) == (date(2024, 5, 1), date(2024, 4, 1))
    assert own.variable("heavy") is not None
    assert (own.is_log("adverse_event"), own.is_log("labs")) == (True, False)
    assert own.reviewed("adverse_event") == date(2024, 4, 2)


def test_a_row_without_a_date_of_its_own_has_that_of_its_encounter() -> None:
    own = RowEvidence(DEMOGRAPHICS, {"sex": "f"}, dated="2024-05-03")
    assert own.rows("demographics")[0].date == PartialDate(2024, 5, 3)


def test_a_date_and_time_counts_as_its_day() -> None:
    assert decode_item("datetime", "2024-05-17T23:30:00Z") == date(2024, 5, 17)
    assert decode_item("datetime", None) is None
    assert date_of(ADVERSE_EVENTS, {"onset": "2024-05"}) == "2024-05"
    assert date_of(ADVERSE_EVENTS, {}) is date_of(DEMOGRAPHICS, {"birth_date": "1990-01-01"}) is None


def test_today_is_the_day_at_the_site() -> None:
    definition, late = make_definition(), datetime(2024, 6, 3, 23, 0, tzinfo=UTC)
    assert local_date(definition, "SE01", late) == date(2024, 6, 4)
    assert local_date(definition, "CA01", late) == date(2024, 6, 3)
    assert local_date(definition, "XX99", late) == date(2024, 6, 3)


RETIRED = Form(
    id="retired",
    title="With what is retired",
    items=(
        item("gone", "integer", retired=True),
        item("grade", "choice", codes=(codes("a")[0], replace(codes("b")[0], retired=True))),
    ),
)


@pytest.mark.parametrize(
    ("stored", "before", "found"),
    [
        ({"grade": "a"}, None, []),
        ({"grade": "a", "gone": 3}, None, [("gone", "ITEM-RETIRED")]),
        ({"grade": "b"}, None, [("grade", "ITEM-CODE-RETIRED")]),
        ({"grade": "b", "gone": 3}, {"grade": "b", "gone": 3}, []),
        ({"grade": "b", "gone": 4}, {"grade": "a", "gone": 3}, [("grade", "ITEM-CODE-RETIRED")]),
        ({"grade": "a", "gone": None}, {"grade": "b", "gone": 3}, []),
        ({"gone": 3}, {"grade": "a"}, [("gone", "ITEM-RETIRED")]),
    ],
)
def test_spec_what_is_retired_is_not_asked_and_keeps_its_answers(stored, before, found):
    assert not read_values(RETIRED, {"grade": "a"}).problems
    problems = retired_problems(RETIRED, stored, before)
    assert [(each.item, each.code) for each in problems] == found
    assert all("form retired" in each.sentence for each in problems)
