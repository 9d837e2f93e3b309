"""Problems that are found before any data exist."""

from __future__ import annotations

import pytest

from equipoise.definition import expression as ex
from tests.definition.expression.cast import StudySymbols

SOUND = [
    "person.birth_date < today and age >= 18",
    "diagnosis.course = 'relapsing' and diagnosis.course in ('primary', 'secondary')",
    "exam.arm in ('left', 3)",
    "'left' = exam.arm",
    "person.note = 'x' and person.sex = person.note and course = 'anything'",
    "count(attack where attack.severity > 1 within 3 months before diagnosis.onset at week_4) = 0",
    "any(attack.treated) and not any(attack)",
    "min(therapy.start) < consent and first(therapy.kind) = 'first_line'",
    "fresh(lab.clearance, 30 days) / 2 > -(3)",
    "fresh(therapy.kind, 3 days) = 'first_line'",
    "coalesce(therapy.stop, today) > randomisation - 3 months",
    "least(therapy.stop, consent) < week_4",
    "if(eligible, exam.score, 3) > round(sqrt(2), 1)",
    "at_least(1, eligible, (eligible as 'x')) or diagnosis.onset is known",
    "years(person.birth_date, today) between 18 and 50",
    "history.wonder + 3 > 1 and odd = 1 and odd + 3 days < today",
]


@pytest.mark.parametrize("text", SOUND)
def test_sound(text: str) -> None:
    assert ex.typecheck(ex.parse_text(text), StudySymbols(), condition=True) == []


PROBLEMS = {
    "exma.score > 1": ("EXPR-NAME", "There is no form 'exma'.", 0),
    "1 < exam.scroe": ("EXPR-NAME", "The form 'exam' has no item 'scroe'.", 4),
    "agee > 1": ("EXPR-NAME", "There is no variable, anchor or encounter 'agee'.", 0),
    "exam.score at week_5 > 1": ("EXPR-NAME", "There is no encounter 'week_5'.", 0),
    "count(attack at week_5) > 1": ("EXPR-NAME", "There is no encounter 'week_5'.", 0),
    "count(atack) > 1": ("EXPR-NAME", "There is no form 'atack'.", 0),
    "count(attack before consnt) = 1": (
        "EXPR-NAME",
        "There is no variable, anchor or encounter 'consnt'.",
        20,
    ),
    "least(agee, ages) > 1": ("EXPR-NAME", "There is no variable, anchor or encounter 'agee'.", 6),
    "person.note > 'a'": ("EXPR-TYPE", "'>' needs numbers or dates, not a text.", 0),
    "person.note = 3": ("EXPR-TYPE", "A text cannot be compared with a number.", 14),
    "person.note + 1 > 3": ("EXPR-TYPE", "'+' needs numbers, not a text.", 0),
    "today - consent > 3": ("EXPR-TYPE", "'-' needs numbers, not a date.", 0),
    "-today > 3": ("EXPR-TYPE", "'-' needs a number, not a date.", 1),
    "age": ("EXPR-TYPE", "A condition needs a boolean, not a number.", 0),
    "not exam.score": ("EXPR-TYPE", "A condition needs a boolean, not a number.", 4),
    "eligible between 1 and 2": ("EXPR-TYPE", "'between' needs numbers or dates, not a boolean.", 0),
    "exam.score between 1 and 'x'": ("EXPR-TYPE", "A number cannot be compared with a text.", 25),
    "today between today and 3": ("EXPR-TYPE", "A date cannot be compared with a number.", 24),
    "exam.score in (1, 'x')": ("EXPR-TYPE", "A number cannot be compared with a text.", 18),
    "years(exam.score, today) > 1": ("EXPR-TYPE", "'years' needs a date, not a number.", 6),
    "log(today) > 1": ("EXPR-TYPE", "'log' needs a number, not a date.", 4),
    "if(age, 1, 2) > 1": ("EXPR-TYPE", "'if' needs a boolean, not a number.", 3),
    "if(eligible, 1, 'x') = 1": ("EXPR-TYPE", "'if' mixes a number with a text.", 0),
    "coalesce(age, today) > 1": ("EXPR-TYPE", "'coalesce' mixes a number with a date.", 0),
    "least('a', 'b') = 'a'": ("EXPR-TYPE", "'least' needs numbers or dates, not a text.", 0),
    "sum(therapy.start) > 1": ("EXPR-TYPE", "'sum' needs a number, not a date.", 0),
    "max(person.note) = 'x'": ("EXPR-TYPE", "'max' needs a number or date, not a text.", 0),
    "any(exam.score)": ("EXPR-TYPE", "'any' needs a boolean, not a number.", 0),
    "count(attack where attack.severity) = 1": ("EXPR-TYPE", "'where' needs a boolean, not a number.", 19),
    "count(attack before exam.score) = 1": ("EXPR-TYPE", "A window needs a date, not a number.", 20),
    "3 days = 3": ("EXPR-TYPE", "A duration cannot be compared with a number.", 9),
    "diagnosis.course = 'relapsin'": (
        "EXPR-CODE",
        "relapsin is not a code of 'diagnosis.course', which has relapsing, secondary, primary.",
        19,
    ),
    "4 = exam.arm": ("EXPR-CODE", "4 is not a code of 'exam.arm', which has left, 3.", 0),
    "first(exam.arm) = 2.5": ("EXPR-CODE", "2.5 is not a code of 'exam.arm', which has left, 3.", 18),
    "exam.arm in ('left', true)": ("EXPR-CODE", "True is not a code of 'exam.arm', which has left, 3.", 21),
    "count(attack where (attack.severity at week_4) > 1) = 0": (
        "EXPR-SCOPE",
        "In 'where', 'attack.severity' is the row's own value: leave out the encounter.",
        20,
    ),
}


@pytest.mark.parametrize("text", PROBLEMS)
def test_problem(text: str) -> None:
    first = ex.typecheck(ex.parse_text(text, path="x.when"), StudySymbols(), condition=True)[0]
    assert (first.code, first.message, first.offset) == PROBLEMS[text]
    assert first.path == "x.when"


def test_all_problems_are_found_in_reading_order() -> None:
    found = ex.typecheck(ex.parse_text("a.b > 1 and person.note > 2 and exam.x = 1"), StudySymbols())
    assert [(problem.code, problem.offset) for problem in found] == [
        ("EXPR-NAME", 0),
        ("EXPR-TYPE", 12),
        ("EXPR-TYPE", 26),
        ("EXPR-NAME", 32),
    ]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("age + 1", "number"),
        ("today + 3 days", "date"),
        ("3 days", "duration"),
        ("diagnosis.course", "choice"),
        ("last(therapy.start)", "date"),
        ("any(attack)", "boolean"),
        ("count(attack)", "number"),
        ("history.wonder", None),
        ("history.wonder + odd", None),
        ("coalesce(odd, odd)", None),
        ("eligible", "boolean"),
    ],
)
def test_type_of(text: str, kind: str | None) -> None:
    assert ex.type_of(ex.parse_text(text), StudySymbols()) == kind


def test_variables_that_need_themselves_or_too_much() -> None:
    sound = {"a": ex.parse_text("b + c"), "b": ex.parse_text("c + 1"), "c": ex.parse_text("f.x + today")}
    assert ex.check_variables(sound) == []
    around = ex.check_variables({"a": ex.parse_text("b + 1"), "b": ex.parse_text("a + 1")})
    assert around[0] == ex.Problem("EXPR-CYCLE", "The variable 'a' needs itself: a needs b needs a.")
    chain = {f"v{n}": ex.parse_text(f"v{n + 1} + 1") for n in range(2000)}
    deep = ex.check_variables(chain)
    assert {problem.code for problem in deep} == {"EXPR-DEPTH"}
    assert len(deep) > 1800
