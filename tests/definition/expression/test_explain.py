"""The reasons that are given for an outcome."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from equipoise.definition import expression as ex
from tests.definition.expression.cast import StudyNames

ENTERED = "2024-05-02T09:00:00Z"


def table(**more: str) -> ex.EvidenceTable:
    day = ex.PartialDate.parse
    return ex.EvidenceTable(
        date(2024, 5, 31),
        [
            ex.form_row("person", {"birth_date": date(1990, 1, 1), "ready": True}, recorded_at=ENTERED),
            ex.form_row("exam", {"score": Decimal("3.5")}, encounter="screening", date=day("2024-05-01")),
            ex.form_row("lab", {"clearance": 80}, date=day("2024-04-01"), recorded_at=ENTERED),
            ex.form_row("lab2", {"clearance": 80}, date=day("2024-05")),
            ex.form_row("lab3", {"clearance": 80}),
            ex.form_row("attack", {"severity": 1}, row=1, date=day("2024-05-20"), recorded_at=ENTERED),
            ex.form_row("attack", {"severity": None}, row=2, date=day("2023")),
            ex.form_row("attack", {}, row=3, date=day("2024-05-21")),
        ],
        anchors={"randomisation": date(2024, 5, 31)},
        variables={name: ex.parse_text(text) for name, text in more.items()},
        reviewed={"seen": date(2024, 5, 31), "early": date(2024, 5, 1)},
        logs={"attack", "seen", "early"},
    )


def lines(text: str, **more: str) -> list[str]:
    return ex.explain(ex.parse_text(text), table(**more)).lines()


@pytest.mark.requirement("R32")
def test_each_leaf_says_how_it_stands_from_what_and_entered_when() -> None:
    assert lines(
        "(exam.score > 3 and person.ready as 'Fit') and not person.birth_date is known or lab.x = 1"
    ) == [
        "? any of: unknown",
        "  - all of: not met",
        "    + Fit: met",
        "      + all of: met",
        "        + exam score is more than 3: met (found: 3.5)",
        "            exam.score = 3.5 at screening, dated 2024-05-01",
        "        + person ready is yes: met (found: yes)",
        f"            person.ready = yes, entered {ENTERED}",
        "    - not: not met",
        "      + person birth date is known: met (found: 1990-01-01)",
        f"          person.birth_date = 1990-01-01, entered {ENTERED}",
        "  ? lab x is 1: unknown (found: unknown)",
        "      lab.x: nothing is recorded",
    ]


def test_a_count_names_its_rows_and_whether_the_log_was_reviewed() -> None:
    assert lines("count(attack within 12 months before randomisation) >= 1") == [
        "+ at least 1 attack within the 12 months before randomisation: met (found: 2 or more)",
        "    attack, dated 2023: may count, as its date or another of its values is not exactly known",
        f"    attack, dated 2024-05-20, entered {ENTERED}: counts",
        "    attack, dated 2024-05-21: counts",
        "    attack: this log has not been confirmed complete",
        "    randomisation = 2024-05-31",
    ]
    assert lines("count(seen) = 0")[1] == "    seen: this log was confirmed complete through 2024-05-31"
    assert lines("count(early) = 0")[1] == (
        "    early: this log was confirmed complete through 2024-05-01, which is too early"
    )
    assert lines("sum(exam.score at screening, week_4) > 1")[1:] == [
        "    exam.score = 3.5 at screening, dated 2024-05-01: counts",
        "    exam.score at week_4: nothing is recorded",
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("fresh(lab.clearance, 90 days) > 1", "valid until 2024-06-30"),
        ("fresh(lab.clearance, 30 days) > 1", "expired after 2024-05-01, being valid for 30 days"),
        ("fresh(lab2.clearance, 20 days) > 1", "may have expired: it is valid for 20 days from its date"),
        ("fresh(lab3.clearance, 30 days) > 1", "its date is not known"),
        ("fresh(lab.nothing, 30 days) > 1", "nothing is recorded"),
        ("fresh(lab.clearance at week_4, 30 days) > 1", "lab.clearance at week_4: nothing is recorded"),
    ],
)
def test_evidence_that_expires_says_when(text: str, line: str) -> None:
    told = lines(text)
    assert len(told) == 2
    assert told[1].endswith(line)


def test_variables_are_told_below_the_leaf_that_uses_them() -> None:
    more = {"age": "years(person.birth_date, today)", "adult": "age >= 18", "height": "person.height"}
    assert lines("adult and age + age < 90 and adult = (height > surgery)", **more) == [
        "? all of: unknown",
        "  + adult: met",
        "    + age is at least 18: met (found: 34)",
        "      = age, the years from person birth date to today: 34",
        f"          person.birth_date = 1990-01-01, entered {ENTERED}",
        "          today = 2024-05-31",
        "  + age plus age is less than 90: met (found: 68)",
        "    = age, the years from person birth date to today: 34",
        f"        person.birth_date = 1990-01-01, entered {ENTERED}",
        "        today = 2024-05-31",
        "  ? adult is whether height is after surgery: unknown",
        "      surgery: this date is not yet known",
        "    + adult: met",
        "      + age is at least 18: met (found: 34)",
        "        = age, the years from person birth date to today: 34",
        f"            person.birth_date = 1990-01-01, entered {ENTERED}",
        "            today = 2024-05-31",
        "    = height, person height: unknown",
        "        person.height: nothing is recorded",
    ]


def test_a_quantity_is_told_by_its_value() -> None:
    assert lines("exam.score * 2") == [
        "= exam score times 2: 7.0",
        "    exam.score = 3.5 at screening, dated 2024-05-01",
    ]
    assert lines("true") == ["+ yes: met (found: yes)"]
    assert lines("at_least(1, true, false)")[0] == "+ at least 1 of 2: met"
    assert lines("if(true, 1 < 2, false)") == ["+ 1 is less than 2 if yes, otherwise no: met"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "missing"),
        (True, "yes"),
        (False, "no"),
        (Decimal("1E+2"), "100"),
        (ex.UNKNOWN, "unknown"),
        (ex.Interval(1, None), "1 or more"),
        (ex.Interval(None, 1), "at most 1"),
        (ex.Interval(date(2024, 1, 1), date(2024, 1, 31)), "2024-01-01 to 2024-01-31"),
        (ex.Duration(3, "months"), "3 months"),
    ],
)
def test_values_in_words(value: ex.Value | ex.Quantity, text: str) -> None:
    assert ex.shown(value) == text


def test_the_words_of_the_study_are_used() -> None:
    told = ex.explain(ex.parse_text("exam.score >= 3"), table(), StudyNames())
    assert told.text == "score is at least 3 points"
    assert (told.outcome, told.value) == (ex.Truth.MET, Decimal("3.5"))
    assert told.sources == (
        ex.Source("exam", "score", Decimal("3.5"), "screening", ex.PartialDate(2024, 5, 1)),
    )


def test_a_recorded_row_without_a_value_is_missing() -> None:
    assert lines("sum(attack.severity) > 1")[1:] == [
        "    attack.severity, dated 2023: counts, but has no value",
        f"    attack.severity = 1, dated 2024-05-20, entered {ENTERED}: counts",
        "    attack.severity, dated 2024-05-21: counts, but has no value",
        "    attack: this log has not been confirmed complete",
    ]
    assert ex.Source("f", "i", None).line() == "f.i = missing"


def test_what_leaves_something_to_be_recorded_is_marked() -> None:
    def still_open(text: str) -> list[str]:
        explained = ex.explain(ex.parse_text(text), table())
        return [source.line() for source in explained.sources if source.open]

    assert still_open("exam.score > 3") == []
    assert still_open("lab.x = 1") == ["lab.x: nothing is recorded"]
    assert still_open("fresh(lab.clearance, 30 days) >= 60")[0].startswith(
        "lab.clearance = 80, dated 2024-04-01"
    )
    assert still_open("fresh(lab.clearance, 90 days) >= 60") == []
    assert still_open("fresh(lab3.clearance, 90 days) >= 60") == [
        "lab3.clearance = 80: its date is not known"
    ]
    assert still_open("count(early) = 0") == [
        "early: this log was confirmed complete through 2024-05-01, which is too early"
    ]
    assert still_open("count(seen) = 0") == []
    assert still_open("consent is known") == ["consent: this date is not yet known"]
