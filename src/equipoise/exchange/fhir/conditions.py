"""Conditions of the expression language in FHIR: as characteristics of people, and as when to ask a question.

What joins conditions has a counterpart in both; a comparison of an item with a constant has one, too. Any
other condition stands as an expression in the language of the study folder, with its meaning in English.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from equipoise.definition.expression import (
    All,
    Any,
    AtLeast,
    Compare,
    In,
    IsKnown,
    Item,
    Labelled,
    Literal,
    Node,
    Not,
    prose,
    unparse,
)
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.forms import Item as Question
from equipoise.definition.names import DefinitionNames
from equipoise.exchange.fhir.codes import EXPRESSION_LANGUAGE, UCUM
from equipoise.exchange.fhir.tree import Names, Tree, concept, kept, number

_CODE: Final = re.compile(r"\S+( \S+)*")
"""What FHIR R5 allows as a code, in its data types."""

_COMPARATORS: Final[Mapping[str, str | None]] = {"=": None, "<": "<", "<=": "<=", ">=": ">=", ">": ">"}
_UCUM_UNITS: Final[Mapping[str, str]] = {
    "%": "%",
    "cm": "cm",
    "mm": "mm",
    "m": "m",
    "kg": "kg",
    "g": "g",
    "mg": "mg",
    "mL": "mL",
    "L": "L",
    "years": "a",
    "months": "mo",
    "weeks": "wk",
    "days": "d",
    "hours": "h",
    "min": "min",
    "minutes": "min",
    "mmHg": "mm[Hg]",
    "bpm": "/min",
    "°C": "Cel",
    "g/L": "g/L",
    "mmol/L": "mmol/L",
    "µmol/L": "umol/L",
    "U/L": "U/L",
    "mg/L": "mg/L",
    "10^9/L": "10*9/L",
    "10^12/L": "10*12/L",
    "kg/m2": "kg/m2",
}
"""The code for a unit as studies write it; every other unit stands as text.

Source: The Unified Code for Units of Measure (UCUM, unitsofmeasure.org), the case-sensitive codes.
"""


@dataclass(frozen=True, slots=True)
class Writer:
    """What the writing of conditions needs: the definition for its questions, the names of its resources."""

    definition: StudyDefinition
    names: Names

    def expression(self, node: Node) -> Tree:
        """Return a condition as an expression, with its meaning."""
        words = prose(node, DefinitionNames(self.definition))
        return {"description": words, "language": EXPRESSION_LANGUAGE, "expression": unparse(node)}

    def characteristic(self, node: Node) -> Tree:
        """Return a condition as a characteristic; the author's words for it are its description."""
        if isinstance(node, Labelled):
            return {"description": node.label, **grouped(self.characteristic(node.node), "description")}
        if isinstance(node, Not):
            return {"exclude": True, **grouped(self.characteristic(node.operand), "description", "exclude")}
        if isinstance(node, All | Any):
            return _combined("all-of" if isinstance(node, All) else "any-of", self._all(node.items))
        if isinstance(node, AtLeast):
            return _combined("at-least", self._all(node.items), node.n)
        return self._by_value(node) or {"definitionExpression": self.expression(node)}

    def _all(self, nodes: tuple[Node, ...]) -> list[Tree]:
        return [self.characteristic(each) for each in nodes]

    def _by_value(self, node: Node) -> Tree | None:
        """Return a comparison of a question's latest answer with a constant as a type and a value."""
        if not isinstance(node, Compare) or not isinstance(node.left, Item | Literal):
            return None
        item, constant = node.left, node.right
        if not (isinstance(item, Item) and item.encounter is None and isinstance(constant, Literal)):
            return None
        question = self.question(item)
        value = None if question is None else self._value(item, question, node.sign, constant)
        if question is None or value is None:
            return None
        kind = concept(question.label, self.names.url("Questionnaire", item.form), f"{item.form}.{item.item}")
        return {"definitionByTypeAndValue": {"type": kind, **value}}

    def _value(self, item: Item, question: Question, sign: str, constant: Literal) -> Tree | None:
        value = constant.value
        if isinstance(value, bool):
            return {"valueBoolean": value} if sign == "=" else None
        if isinstance(value, str) and question.type == "choice" and sign == "=" and _CODE.fullmatch(value):
            return {"valueCodeableConcept": {"coding": [self.coding(item, question, value)]}}
        if isinstance(value, Decimal) and sign in _COMPARATORS and question.type in ("integer", "decimal"):
            unit = kept(comparator=_COMPARATORS[sign], **unit_of(question.unit))
            return {"valueQuantity": {"value": number(value), **unit}}
        return None

    def question(self, item: Item) -> Question | None:
        """Return the question that an item of an expression is the answer to."""
        form = self.definition.form(item.form)
        return None if form is None else form.item(item.item)

    def coding(self, item: Item, question: Question, code: str) -> Tree:
        """Return an answer of a choice: its codes belong to the question."""
        return code_of(self.names, item.form, question, code)

    def enable_when(self, node: Node, form: str) -> Tree | None:
        """Return when to ask a question, where other questions of the same form decide it; None otherwise."""
        if isinstance(node, All | Any):
            parts = [self._one(each, form) for each in node.items]
            found = [each for each in parts if each is not None]
            behaviour = "all" if isinstance(node, All) else "any"
            return {"enableWhen": found, "enableBehavior": behaviour} if len(found) == len(parts) else None
        if isinstance(node, In) and isinstance(node.value, Item):
            answers = [self._one(Compare("=", node.value, option), form) for option in node.options]
            several = {"enableBehavior": "any"} if len(answers) > 1 else {}
            return {"enableWhen": answers, **several} if None not in answers else None
        one = self._one(node, form)
        return None if one is None else {"enableWhen": [one]}

    def _one(self, node: Node, form: str) -> Tree | None:
        if isinstance(node, IsKnown) and isinstance(node.value, Item):
            asked = self._asked(node.value, form)
            if not asked:
                return None
            return {"question": asked, "operator": "exists", "answerBoolean": node.known}
        if not (
            isinstance(node, Compare) and isinstance(node.left, Item) and isinstance(node.right, Literal)
        ):
            return None
        asked, question = self._asked(node.left, form), self.question(node.left)
        answer = None if question is None else self._answer(node.left, question, node.right)
        return None if not asked or answer is None else {"question": asked, "operator": node.sign, **answer}

    def _asked(self, item: Item, form: str) -> str | None:
        own = item.form == form and item.encounter is None and self.question(item) is not None
        return f"{item.form}.{item.item}" if own else None

    def _answer(self, item: Item, question: Question, constant: Literal) -> Tree | None:
        """Return a constant as an answer of the question's own type, as `enableWhen` demands."""
        value = constant.value
        match question.type, value:
            case "boolean", bool():
                return {"answerBoolean": value}
            case "choice", str() if _CODE.fullmatch(value):
                return {"answerCoding": self.coding(item, question, value)}
            case "integer", Decimal() if value == value.to_integral_value():
                return {"answerInteger": int(value)}
            case "decimal", Decimal():
                return {"answerDecimal": number(value)}
            case (("date" | "partial_date"), date()):
                return {"answerDate": value.isoformat()}
            case "text", str():
                return {"answerString": value}
            case _:
                return None


def code_of(names: Names, form: str, question: Question, code: str) -> Tree:
    """Return an answer of a choice as a coding; its system is the question."""
    label = next((each.label for each in question.codes if each.code == code), None)
    return kept(system=f"{names.url('Questionnaire', form)}#{question.id}", code=code, display=label)


def unit_of(unit: str | None) -> Tree:
    """Return a unit with its code where UCUM has one."""
    if unit is None:
        return {}
    code = _UCUM_UNITS.get(unit)
    return {"unit": unit} if code is None else {"unit": unit, "system": UCUM, "code": code}


def _combined(code: str, parts: list[Tree], threshold: int | None = None) -> Tree:
    return {"definitionByCombination": kept(code=code, threshold=threshold, characteristic=parts)}


def grouped(inner: Tree, *taken: str) -> Tree:
    """Return a characteristic that has none of some members, putting one that has into a group of its own."""
    return _combined("all-of", [inner]) if any(each in inner for each in taken) else inner
