"""Reading: what is accepted, what is refused, and in which words."""

from __future__ import annotations

from decimal import Decimal

import pytest

from equipoise.definition import expression as ex
from equipoise.definition.expression.mapping import MAX_CONDITIONS

CANONICAL = {
    "a.b>=1": "a.b >= 1",
    "((a.b)) = 1": "a.b = 1",
    "a.b = 1 or a.c and not a.d": "a.b = 1 or a.c and not a.d",
    "(a.b or a.c) and a.d": "(a.b or a.c) and a.d",
    "(a.b and a.c) and a.d": "(a.b and a.c) and a.d",
    "1 - (2 - 3) * 4 > -5": "1 - (2 - 3) * 4 > -5",
    "-(5) = -a.b": "-(5) = -a.b",
    "-3 days = 1": "-(3 days) = 1",
    "'it''s' = a.b": "'it''s' = a.b",
    "1.50 = 1": "1.50 = 1",
    "date '2024-05-01' = x": "date '2024-05-01' = x",
    "date.date = date": "date.date = date",
    "count(known.x) = count": "count(known.x) = count",
    "count(known known.x) = 1": "count(known known.x) = 1",
    "1 month = 12 months": "1 month = 12 months",
    "from_x.from = true": "from_x.from = true",
    "count(f from 12 months before a to a) = 0": "count(f within 12 months before a) = 0",
    "count(f from a to 3 days after a) = 0": "count(f within 3 days after a) = 0",
    "count(f from a to 3 days before a) = 0": "count(f from a to 3 days before a) = 0",
    "count(f from 3 days after a to a) = 0": "count(f from 3 days after a to a) = 0",
    "count(f before 12 months before a) = 0": "count(f before 12 months before a) = 0",
    "count(f after b.c at v1, v2) = 0": "count(f after b.c at v1, v2) = 0",
    "count(f where f.x = 1) = 0": "count(f where f.x = 1) = 0",
    "count(f where f.x at v1) = 0": "count(f where (f.x) at v1) = 0",
    "count(f where (f.x at v1)) = 0": "count(f where (f.x at v1)) = 0",
    "count(f where g.x at v1) = 0": "count(f where (g.x at v1)) = 0",
    "fresh(a.b, 30 days) < 3": "fresh(a.b, 30 days) < 3",
    "(a.b as 'why')": "(a.b as 'why')",
    "x in (1, -2, 'a', true, false)": "x in (1, -2, 'a', true, false)",
}


@pytest.mark.parametrize("text", CANONICAL)
def test_canonical_text(text: str) -> None:
    node = ex.parse_text(text)
    assert ex.unparse(node) == CANONICAL[text]
    assert ex.parse_text(ex.unparse(node)) == node


REFUSED = {
    "": "Expected a value",
    "a.b <": "the text ends",
    "a.b < 1 < 2": "comparisons do not chain",
    "a.b = 1 AND a.c": "Write 'and' in lower case",
    "a.b == 1": "Expected a value",
    'a.b = "x"': "text goes in single quotes",
    "a.b = 'x": "closing single quote is missing",
    "a.b ! 1": "write != for",
    "a.b # 1": "this character has no meaning here",
    "a.b at and": "an encounter after 'at'",
    "a.3": "an item of the form 'a'",
    "between 1 and 2": "Expected a value",
    "a.b between 1 or 2": "'and' between the two ends",
    "a.b is there": "'known' or 'unknown' after 'is'",
    "a.b in 3": "a list of values after 'in'",
    "a.b in (a.c)": "a number, a text in single quotes, true, false or a date",
    "a.b in (1": "after the list of values",
    "1 + not a.b": "put 'not ...' in parentheses",
    "(a.b": "to close the parenthesis",
    "(a.b as label)": "a label in single quotes after 'as'",
    "(a.b as ' ')": "A label needs words",
    "1.5 days": "a whole number of calendar units",
    "date '2024-5-1'": "is not a date",
    "date '2024-02-30'": "day is out of range",
    "shout(1)": "Expected a function (abs, any, ",
    "abs()": "Expected a value",
    "abs(1, 2)": "'abs' takes 1 argument(s), not 2",
    "least(1)": "'least' takes at least 2 argument(s), not 1",
    "abs(1": "after the arguments of 'abs'",
    "at_least(a.b)": "a whole number first in 'at_least'",
    "at_least(1.5, a.b)": "a whole number first in 'at_least'",
    "at_least(2 a.b)": "after the number of 'at_least'",
    "at_least(3, a.b)": "asks for 3 of 1",
    "at_least(1, a.b": "after the conditions of 'at_least'",
    "fresh(1, 30 days)": "form.item first in 'fresh'",
    "fresh(a.b 30 days)": "and a duration in 'fresh'",
    "fresh(a.b, 30)": "a duration such as 30 days",
    "fresh(a.b, x)": "a duration such as 30 days",
    "fresh(a.b, 30 days": "after the duration of 'fresh'",
    "sum(a)": "write a.item",
    "count(known a)": "write a.item",
    "count(1)": "a form or form.item in 'count'",
    "count(a within x)": "a duration such as 12 months after 'within'",
    "count(a within 3 days of x)": "'before' or 'after' and an anchor",
    "count(a before 3 days x)": "'before' or 'after' and an anchor",
    "count(a before 3)": "a duration such as 12 months",
    "count(a before 'x')": "an anchor: a name such as randomisation",
    "count(a from x)": "and the end of the window",
    "count(a at v1, 3)": "an encounter after ','",
    "count(a": "to close 'count'",
    "a.b a.c": "an operator or the end",
}


@pytest.mark.parametrize("text", REFUSED)
def test_refused_text(text: str) -> None:
    with pytest.raises(ex.ExpressionError) as caught:
        ex.parse_text(text, path="x.when")
    assert REFUSED[text] in caught.value.message
    assert caught.value.offset is not None
    assert 0 <= caught.value.offset <= len(text)
    assert str(caught.value) == f"{caught.value.message} (at x.when, character {caught.value.offset + 1})"


@pytest.mark.parametrize(
    "text",
    ["(" * 3000, "not " * 900, "-" * 3000, "1" + "+1" * 1500, "abs(" * 900, "a.b = '" + "x" * 4000 + "'"],
)
def test_hostile_text_is_refused(text: str) -> None:
    with pytest.raises(ex.ExpressionError, match=r"nested more than 64|longer than 4000"):
        ex.parse_text(text)


def test_the_deepest_text_reads_back() -> None:
    text = "a.b"
    for _ in range(ex.MAX_DEPTH - 2):
        text = f"1 - ({text})"
    node = ex.parse_text(f"{text} > 1")
    assert ex.parse_text(ex.unparse(node)) == node
    assert ex.truth(node, ex.EvidenceTable(ex.PartialDate(2024, 1, 1).first)) is ex.Truth.UNKNOWN


def test_a_message_without_a_place() -> None:
    assert str(ex.ExpressionError("No.")) == "No."


def test_true_is_not_one() -> None:
    assert ex.Literal(True) != ex.Literal(1)
    assert ex.Literal(1) == ex.Literal(Decimal("1.0"))


def test_nodes_that_cannot_be() -> None:
    leaf, anchor = ex.Literal(True), ex.Name("a")
    for make in (
        lambda: ex.All((leaf,)),
        lambda: ex.AtLeast(0, (leaf,)),
        lambda: ex.Labelled("", leaf),
        lambda: ex.Window(None, None),
        lambda: ex.Moment(anchor, None, -1),
        lambda: ex.Aggregate("sum", "f"),
    ):
        with pytest.raises(ValueError, match=r"\.$"):
            make()


# -- the mapping


def test_mapping_and_text_say_the_same() -> None:
    raw = {
        "text": "All of it",
        "all": [
            "a.b >= 1",
            {"any": ["a.c", {"not": "a.d"}]},
            {"at_least": {"n": 2, "of": ["a.e", "a.f", {"text": "seventh", "when": "a.g"}]}},
            {"all": ["a.h"]},
            {"text": "twice", "all": [{"text": "named", "when": "a.i"}]},
            {"not": {"text": "negated", "when": "a.j"}},
        ],
    }
    node = ex.parse_condition(raw)
    text = (
        "(a.b >= 1 and (a.c or not a.d) and at_least(2, a.e, a.f, (a.g as 'seventh')) and a.h"
        " and ((a.i as 'named') as 'twice') and not (a.j as 'negated') as 'All of it')"
    )
    assert ex.unparse(node) == text
    assert node == ex.parse_text(text)
    assert ex.parse_condition(ex.to_raw(node)) == node
    part = next(found for found in ex.walk(node) if found == ex.parse_text("a.g"))
    assert (part.path, part.offset) == ("all[2].at_least.of[2].when", 0)


def test_labels_stay_apart_from_the_rules() -> None:
    raw: dict[str, object] = {
        "any": [{"text": "one", "when": "a.b > 1"}, {"text": "two", "not": {"text": "x", "when": "a.c"}}]
    }
    assert ex.to_raw(ex.parse_condition(raw)) == raw
    assert ex.to_raw(ex.parse_text("a.b = (a.c as 'x')")) == "a.b = (a.c as 'x')"


MAPPINGS = [
    (3, "", "Expected a condition"),
    ({}, "", "found none of them"),
    ({"all": ["a.b"], "any": ["a.b"]}, "", "found all, any"),
    ({"all": ["a.b"], "colour": 1}, "", "found colour"),
    ({"all": []}, "all", "a list of one or more"),
    ({"all": "a.b"}, "all", "a list of one or more"),
    ({"any": ["a.b", "a."]}, "any[1]", "Expected an item"),
    ({"when": ["a.b"]}, "when", "as text after when"),
    ({"not": {"when": "a."}}, "not.when", "Expected an item"),
    ({"at_least": ["a.b"]}, "at_least", "Expected at_least: {n"),
    ({"at_least": {"n": True, "of": ["a.b"]}}, "at_least", "Expected at_least: {n"),
    ({"at_least": {"n": 2, "of": ["a.b"]}}, "at_least", "asks for 2 of 1"),
    ({"when": "a.b", "text": " "}, "text", "a label that is not empty"),
    ({"not": {"when": "a.b", "text": 3}}, "not.text", "a label that is not empty"),
]


@pytest.mark.parametrize(("raw", "path", "message"), MAPPINGS)
def test_refused_mapping(raw: object, path: str, message: str) -> None:
    with pytest.raises(ex.ExpressionError) as caught:
        ex.parse_condition(raw)
    assert caught.value.path == path
    assert message in caught.value.message


def test_hostile_mappings_are_refused() -> None:
    deep: object = "a.b"
    for _ in range(ex.MAX_DEPTH + 5):
        deep = {"not": deep}
    with pytest.raises(ex.ExpressionError, match="nested more than 64"):
        ex.parse_condition(deep)
    wide: object = "a.b"
    for _ in range(10):
        wide = {"all": [wide] * 10}
    with pytest.raises(ex.ExpressionError, match=f"over {MAX_CONDITIONS} parts"):
        ex.parse_condition(wide)
    mixed: object = "-(-(-(-(-(-(-(-(-(-(a.b)))))))))) > 1"
    for _ in range(ex.MAX_DEPTH - 8):
        mixed = {"not": mixed}
    with pytest.raises(ex.ExpressionError, match="nested more than 64"):
        ex.parse_condition(mixed)


def test_references_of_everything() -> None:
    node = ex.parse_text(
        "age > 1 and a.b at v1 = 2 and count(f where f.x within 3 days before today at v2) = 0"
        " and fresh(g.y, 3 days) is known and sum(h.z before k.day) > 1"
    )
    found = ex.references(node, {"age"})
    assert found.items == {("a", "b"), ("f", "x"), ("g", "y"), ("h", "z"), ("k", "day")}
    assert found.forms == {"a", "f", "g", "h", "k"}
    assert found.variables == {"age"}
    assert found.anchors == {"today"}
    assert found.encounters == {"v1", "v2"}


@pytest.mark.parametrize(
    ("text", "monotone"),
    [
        ("a.b > 1", True),
        ("count(a.b) > least(1, 2)", True),
        ("a.b is known", False),
        ("coalesce(a.b, 1) > 1", False),
        ("sum(known a.b) > 1", False),
    ],
)
def test_what_asks_about_knowledge_is_not_monotone(text: str, monotone: bool) -> None:
    assert ex.is_monotone(ex.parse_text(text)) is monotone
