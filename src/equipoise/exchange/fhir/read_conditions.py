"""From characteristics and `enableWhen` back to conditions, where they say all that a condition needs.

A reader that returns None may have read a part: its caller asks for it by `Cursor.attempt`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Final

from equipoise.definition.expression import (
    All,
    Any,
    AtLeast,
    Compare,
    ExpressionError,
    In,
    IsKnown,
    Item,
    Labelled,
    Literal,
    Node,
    Not,
    parse_condition,
    parse_text,
    to_raw,
)
from equipoise.exchange.fhir.codes import EXPRESSION_LANGUAGE
from equipoise.exchange.fhir.cursor import Cursor

_QUESTION: Final = re.compile(r"([a-z][a-z0-9_]*)\.([a-z][a-z0-9_]*)")
_OPERATORS: Final = frozenset({"=", "!=", "<", "<=", ">", ">="})


def raw_condition(node: Node | None) -> object:
    """Return a condition as a study folder writes it; None for one that would not be read there."""
    if node is None:
        return None
    raw = to_raw(node)
    try:
        parse_condition(raw)
    except ExpressionError:
        return None
    return raw


def read_expression(place: Cursor) -> Node | None:
    """Return an expression that is in the language of the study folder."""
    if place.get("language").value != EXPRESSION_LANGUAGE:
        return None
    text = place.text("expression")
    if text is None:
        return None
    place.skip("language", "description", "name")
    try:
        return parse_text(text)
    except ExpressionError:
        return None


def read_characteristic(place: Cursor) -> Node | None:
    """Return a characteristic as a condition; None where a part of it has no counterpart."""
    node = read_rule(place)
    if node is None:
        return None
    if place.flag("exclude"):
        node = Not(node)
    words = place.text("description")
    return node if words is None else Labelled(words, node)


def read_rule(place: Cursor) -> Node | None:
    """Return what a characteristic defines, apart from its exclusion and its description."""
    combined = place.get("definitionByCombination")
    if combined.value is not None:
        return _read_combination(combined)
    typed = place.get("definitionByTypeAndValue")
    if typed.value is not None:
        return _read_value(typed)
    return read_expression(place.get("definitionExpression"))


def _read_combination(place: Cursor) -> Node | None:
    code = place.get("code").value
    threshold = place.whole("threshold") if code == "at-least" else None
    parts = [read_characteristic(each) for each in place.each("characteristic")]
    items = tuple(part for part in parts if part is not None)
    if not items or len(items) < len(parts):
        return None
    place.skip("code")
    if threshold is not None and 1 <= threshold <= len(items):
        return AtLeast(threshold, items)
    if code not in ("all-of", "any-of"):
        return None
    if len(items) == 1:
        return items[0]
    return All(items) if code == "all-of" else Any(items)


def _read_value(place: Cursor) -> Node | None:
    """Return a comparison with a constant, where the type is a question of a form."""
    item = _item(place.get("type").code() or "")
    if item is None:
        return None
    place.get("type").skip("text")
    truth = place.flag("valueBoolean")
    if truth is not None:
        return Compare("=", item, Literal(truth))
    code = place.get("valueCodeableConcept").code()
    if code is not None:
        return Compare("=", item, Literal(code))
    amount = place.get("valueQuantity")
    number = amount.number("value")
    if number is None:
        return None
    amount.skip("unit", "system", "code")
    return Compare(amount.text("comparator") or "=", item, Literal(Decimal(str(number))))


def read_enable_when(place: Cursor, questions: Mapping[str, str]) -> Node | None:
    """Return when a question is asked; `questions` maps a link to the name of its question."""
    parts = [_read_one(each, questions) for each in place.each("enableWhen")]
    nodes = tuple(part for part in parts if part is not None)
    if not nodes or len(nodes) < len(parts):
        return None
    behaviour = place.text("enableBehavior")
    if len(nodes) == 1:
        return nodes[0]
    return All(nodes) if behaviour == "all" else _alternatives(nodes)


def _alternatives(nodes: tuple[Node, ...]) -> Node:
    """Return one of several; of one question, a list of its answers."""
    answers = [
        (each.left, each.right)
        for each in nodes
        if isinstance(each, Compare) and each.sign == "=" and isinstance(each.right, Literal)
    ]
    if len(answers) == len(nodes) and len({question for question, _ in answers}) == 1:
        return In(answers[0][0], tuple(answer for _, answer in answers))
    return Any(nodes)


def _read_one(place: Cursor, questions: Mapping[str, str]) -> Node | None:
    item = _item(questions.get(str(place.get("question").value), ""))
    operator = place.get("operator").value
    if item is None or not isinstance(operator, str):
        return None
    place.skip("question", "operator")
    if operator == "exists":
        known = place.flag("answerBoolean")
        return None if known is None else IsKnown(item, known)
    answer = _answer(place)
    return Compare(operator, item, Literal(answer)) if answer is not None and operator in _OPERATORS else None


def _answer(place: Cursor) -> str | bool | Decimal | date | None:
    truth = place.flag("answerBoolean")
    if truth is not None:
        return truth
    for name in ("answerInteger", "answerDecimal"):
        number = place.number(name)
        if number is not None:
            return Decimal(str(number))
    day = place.day("answerDate")
    if day is not None:
        return day
    coding = place.get("answerCoding")
    coding.skip("system", "display")
    return coding.text("code") or place.text("answerString")


def _item(name: str) -> Item | None:
    found = _QUESTION.fullmatch(name)
    return None if found is None else Item(found[1], found[2])
