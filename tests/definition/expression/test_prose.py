"""The English of an expression."""

from __future__ import annotations

import pytest

from equipoise.definition import expression as ex
from tests.definition.expression.cast import StudyNames

PROSE = {
    "count(attack within 12 months before randomisation) >= 1": (
        "at least 1 attack within the 12 months before randomisation"
    ),
    "count(attack within 24 months before randomisation) >= 2": (
        "at least 2 attacks within the 24 months before randomisation"
    ),
    "count(attack) = 0": "no attacks",
    "count(attack) < 1": "no attack",
    "count(attack) < 3": "fewer than 3 attacks",
    "count(attack) > 3": "more than 3 attacks",
    "count(attack) <= 3": "at most 3 attacks",
    "count(attack) = 3": "exactly 3 attacks",
    "count(attack) != 3": "any number but 3 attacks",
    "count(attack.severity after consent) >= 2": "at least 2 values of severity on or after consent",
    "count(attack) > count(scan.active)": "the number of attacks is more than the number of values of active",
    "age between 18 and 50": "age is between 18 and 50",
    "exam.score between 3.0 and 6.5": "score is between 3.0 and 6.5 points",
    "not age between 18 and 50": "age is not between 18 and 50",
    "lab.clearance < 60": "clearance is less than 60 mL/min",
    "fresh(lab.clearance, 30 days) >= 60": "clearance (not older than 30 days) is at least 60 mL/min",
    "max(lab.clearance) > 60": "the highest clearance is more than 60 mL/min",
    "not lab.clearance < 60": "clearance is at least 60 mL/min",
    "diagnosis.course = 'secondary'": "course is secondary progressive",
    "exam.arm = 3": "arm is the third arm",
    "exam.score = 2.5": "score is 2.5 points",
    "diagnosis.course in ('relapsing', 'secondary')": "course is relapsing or secondary progressive",
    "not diagnosis.course in ('relapsing', 'secondary')": "course is not relapsing or secondary progressive",
    "person.note = 'x'": "note is 'x'",
    "diagnosis.csf_positive": "csf positive is yes",
    "not diagnosis.csf_positive": "csf positive is no",
    "diagnosis.csf_positive = true": "csf positive is yes",
    "diagnosis.csf_positive != false": "csf positive is not no",
    "diagnosis.onset is known": "onset is known",
    "not diagnosis.onset is known": "onset is unknown",
    "not (age > 1 and eligible)": "it is not so that (age is more than 1 and eligible)",
    "therapy.stop <= randomisation": "stop is on or before randomisation",
    "therapy.stop < date '2024-05-01'": "stop is before 1 May 2024",
    "therapy.stop >= randomisation - 3 months": "stop is on or after randomisation minus 3 months",
    "therapy.stop + 3 months > therapy.start": "stop plus 3 months is after start",
    "age > 1 and (age < 9 or eligible) and eligible": (
        "age is more than 1, (age is less than 9 or eligible) and eligible"
    ),
    "at_least(2, age > 1, eligible, age < 9)": (
        "at least 2 of these: age is more than 1; eligible; age is less than 9"
    ),
    "exam.score at week_4 > 1": "score at week 4 is more than 1 points",
    "sum(scan.active at week_4, week_12) > 1": "the sum of active at week 4 and week 12 is more than 1",
    "sum(known scan.active) > 1": "the sum of known active is more than 1",
    "any(attack.treated before consent)": "any treated is yes on or before consent",
    "any(attack where attack.severity > 1)": "any attack for which severity is more than 1",
    "any(attack) = true": "whether any attack is yes",
    "count(attack before 12 months before consent) = 0": "no attacks 12 months or more before consent",
    "count(attack after 3 days after consent) = 0": "no attacks 3 days or more after consent",
    "count(attack after 3 days before consent) = 0": "no attacks on or after 3 days before consent",
    "count(attack within 3 days after consent) = 0": "no attacks within the 3 days after consent",
    "count(attack from consent to randomisation) = 0": "no attacks from consent to randomisation",
    "count(attack from consent to 3 days before consent) = 0": (
        "no attacks from consent to 3 days before consent"
    ),
    "years(person.birth_date, today) >= 18": "the years from birth date to today is at least 18",
    "least(1, 2, age) > -(age)": "the least of 1, 2 and age is more than minus age",
    "coalesce(exam.score, 1) > (1 + 2) * 3": (
        "score (or, where that is unknown, 1) is more than (1 plus 2) times 3"
    ),
    "round(log(exam.score), 2) = abs(1)": (
        "the natural logarithm of score rounded to 2 decimals is the absolute value of 1"
    ),
    "if(exam.score <= 5, 1, 0.5) < 1": "1 if score is at most 5 points, otherwise 0.5 is less than 1",
    "if(eligible, age > 1, age > 2)": "age is more than 1 if eligible, otherwise age is more than 2",
    "(age > 1) = true": "whether age is more than 1 is yes",
    "3": "3",
}


@pytest.mark.parametrize("text", PROSE)
def test_prose(text: str) -> None:
    assert ex.prose(ex.parse_text(text), StudyNames()) == PROSE[text]


def test_a_label_stands_for_its_rule_unless_the_rule_is_asked_for() -> None:
    node = ex.parse_text("(age >= 18 as 'Adult') and eligible")
    assert ex.prose(node, StudyNames()) == "Adult and eligible"
    assert ex.prose(node, StudyNames(), labels=False) == "age is at least 18 and eligible"


def test_without_labels_a_rule_within_a_rule_keeps_its_brackets() -> None:
    node = ex.parse_text("eligible or (age > 1 and age < 9 as 'Young')")
    assert (
        ex.prose(node, StudyNames(), labels=False)
        == "eligible or (age is more than 1 and age is less than 9)"
    )


def test_a_window_comes_before_the_condition_on_its_rows() -> None:
    node = ex.parse_text("count(scan where scan.active >= 1 within 3 days before consent at week_4) = 0")
    assert ex.prose(node, StudyNames()) == (
        "no scans within the 3 days before consent at week 4 for which active is at least 1"
    )


def test_words_from_identifiers_alone() -> None:
    names = ex.PlainNames(lambda name: name == "body_age")
    node = ex.parse_text(
        "count(adverse_event) >= 2 and f.kind in ('very_bad', 3) and body_age > week_4 and count(vitals) = 2"
    )
    assert ex.prose(node, names) == (
        "at least 2 adverse events, f kind is very bad or 3, body age is after week 4 and exactly 2 vitals"
    )
