"""The expressions of a definition: names, types, and what betrays an allocation."""

from __future__ import annotations

import typing
from collections.abc import Collection, Hashable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cache
from typing import Any, get_args

from .expression import (
    MAX_LENGTH,
    Aggregate,
    Item,
    Name,
    Node,
    check_variables,
    references,
    to_raw,
    typecheck,
    unparse,
    walk,
)
from .expression import Problem as Fault
from .findings import Place, Problem, suggest
from .model.definition import StudyDefinition
from .model.fields import Condition
from .names import DefinitionSymbols
from .source import PARTS
from .wording import hints_of, steps_of

# Drawn for one imagined person, with names of their own.
_NOT_TYPED = frozenset({"rehearsal.yaml"})


@dataclass(frozen=True, slots=True)
class Part:
    """A dataclass of the model and where in the folder it stands."""

    file: str
    place: Place
    value: Any


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression, where it stands, and whether it must be a condition."""

    file: str
    place: Place
    node: Node
    condition: bool


def parts(definition: StudyDefinition) -> Iterator[Part]:
    """Every dataclass of a definition, from the files down to their smallest part."""
    for name in PARTS:
        yield from _parts(f"{name}.yaml", (), getattr(definition, name))
    for form in definition.forms:
        yield from _parts(f"forms/{form.id}.yaml", (), form)


def _parts(file: str, place: Place, value: Any) -> Iterator[Part]:
    if isinstance(value, dict):
        for key, member in value.items():
            yield from _parts(file, (*place, key), member)
    elif isinstance(value, tuple):
        for index, member in enumerate(value):
            yield from _parts(file, (*place, index), member)
    elif is_dataclass(value) and not isinstance(value, Node):
        yield Part(file, place, value)
        for field in fields(value):
            yield from _parts(file, (*place, field.name), getattr(value, field.name))


def expressions(definition: StudyDefinition) -> Iterator[Expression]:
    """Every expression of a definition."""
    for part in parts(definition):
        for name, condition in _keys(typing.cast(Hashable, type(part.value))):
            value = getattr(part.value, name)
            place = (*part.place, name)
            if isinstance(value, Node):
                yield Expression(part.file, place, value, condition)
            elif isinstance(value, dict):
                for key, node in value.items():
                    if isinstance(node, Node):
                        yield Expression(part.file, (*place, key), node, condition)


@cache
def _keys(owner: Hashable) -> tuple[tuple[str, bool], ...]:
    """The keys of a class, with whether their expressions must be conditions."""
    return tuple((name, Condition in (hint, *get_args(hint))) for name, hint in hints_of(owner).items())


def check_expressions(definition: StudyDefinition) -> Iterator[Problem]:
    """Find unknown names, types that do not fit, codes that are none, and variables that need themselves."""
    sound = True
    for file, variables in _variables(definition):
        for fault in check_variables(variables):
            sound = False
            named = next((name for name in variables if f"'{name}'" in fault.message), "")
            yield Problem(code=fault.code, sentence=fault.message, file=file, place=("variables", named))
    if not sound:
        return
    scopes = _Scopes(definition)
    for found in expressions(definition):
        if found.file not in _NOT_TYPED:
            yield from _check(found, scopes.of(found))
        if _longest(to_raw(found.node) if found.condition else unparse(found.node)) > MAX_LENGTH:
            sentence = "This expression is too long. Give a part of it a name among the variables."
            yield Problem(code="EXPR-LENGTH", sentence=sentence, file=found.file, place=found.place)


def _variables(definition: StudyDefinition) -> tuple[tuple[str, Mapping[str, Node]], ...]:
    return (
        ("eligibility.yaml", definition.eligibility.variables),
        ("analysis.yaml", definition.analysis.variables),
    )


class _Scopes:
    """Which names an expression may use, by the file and the place where it stands."""

    def __init__(self, definition: StudyDefinition) -> None:
        self.definition = definition
        common = definition.eligibility.variables
        self.everywhere = DefinitionSymbols(definition, definition.forms, common)
        self.analysis = DefinitionSymbols(
            definition, definition.forms, definition.analysis.variables, of_trial=True
        )
        safety = definition.safety
        self.safety = self.only({} if safety is None else {safety.form})
        self.lots = [
            self.only({product.source_form, product.manufacture_form})
            for product in definition.supply.products
        ]

    def only(self, names: Collection[str | None]) -> DefinitionSymbols:
        """The symbols of some forms, without variables."""
        forms = [form for form in self.definition.forms if form.id in names]
        return DefinitionSymbols(self.definition, forms, {})

    def of(self, found: Expression) -> DefinitionSymbols:
        if found.file == "analysis.yaml":
            return self.analysis
        if found.file == "safety.yaml":
            return self.safety
        if found.file == "supply.yaml":
            return self.lots[int(found.place[1])]
        return self.everywhere


def _check(found: Expression, symbols: DefinitionSymbols) -> Iterator[Problem]:
    for node in walk(found.node):
        for sentence in _unknown_names(node, symbols):
            yield _at(found, Fault("EXPR-NAME", sentence, node.offset, node.path))
    for fault in typecheck(found.node, symbols, condition=found.condition):
        if fault.code == "EXPR-CODE":
            yield _at(found, replace(fault, message=f"{fault.message} Codes stand in single quotes."))
        elif fault.code != "EXPR-NAME":
            yield _at(found, fault)


def _at(found: Expression, fault: Fault) -> Problem:
    at = "" if fault.offset is None else f" (character {fault.offset + 1})"
    place = (*found.place, *steps_of(fault.path))
    return Problem(code=fault.code, sentence=f"{fault.message}{at}", file=found.file, place=place)


def _unknown_names(node: Node, symbols: DefinitionSymbols) -> Iterator[str]:
    """Sentences for what a node itself names and what does not exist here."""
    if isinstance(node, Name) and node.name not in symbols.bare_names():
        items = [f"{form}.{node.name}" for form, items in symbols.items.items() if node.name in items]
        advice = f"Did you mean '{items[0]}'?" if items else suggest(node.name, symbols.bare_names())
        yield f"There is no variable, anchor or encounter '{node.name}'. {advice}"
    if isinstance(node, Item | Aggregate):
        if node.form not in symbols.items:
            yield f"There is no form '{node.form}' to use here. {suggest(node.form, symbols.items)}"
        elif node.item is not None and node.item not in symbols.items[node.form]:
            advice = suggest(node.item, symbols.items[node.form])
            yield f"The form '{node.form}' has no item '{node.item}'. {advice}"
        encounters = node.encounters if isinstance(node, Aggregate) else (node.encounter,)
        for encounter in encounters:
            if encounter is not None and encounter not in symbols.encounters:
                yield f"There is no encounter '{encounter}'. {suggest(encounter, symbols.encounters)}"


def _longest(raw: object) -> int:
    """The length of the longest text in the mapping form of an expression."""
    if isinstance(raw, dict | list):
        return max(map(_longest, raw.values() if isinstance(raw, dict) else raw))
    return len(str(raw))


def check_unmasking(definition: StudyDefinition) -> Iterator[Problem]:
    """Find expressions that hang on what betrays the allocation, and whose outcome masked roles see.

    Edit checks of the form itself are shown with the form, release criteria are the laboratory's, and the
    analysis is run on a cut of which masked people get no such rows.
    """
    betraying = {
        (form.id, item.id)
        for form in definition.forms
        for item in form.items
        if form.unmasking or item.unmasking
    }
    whole = {form.id for form in definition.forms if form.unmasking}
    for found in expressions(definition):
        if found.file in ("analysis.yaml", "supply.yaml", "rehearsal.yaml"):
            continue
        own = found.file.removeprefix("forms/").removesuffix(".yaml")
        form = definition.form(own) if found.file.startswith("forms/") else None
        if form is not None and (form.unmasking or found.place[0] == "checks"):
            betrayed = {pair for pair in betraying if pair[0] != form.id}
        else:
            betrayed = betraying
        named = references(found.node)
        words = [f"{f}.{i}" for f, i in sorted(named.items & betrayed)]
        words += sorted(named.forms & whole - {pair[0] for pair in named.items} - {own})
        if words:
            sentence = (
                f"This expression hangs on {', '.join(words)}, which unmasks; masked roles see its outcome. "
                "Use something else, or mark what depends on it as unmasking."
            )
            yield Problem(
                code="LINT-UNMASKING",
                sentence=sentence,
                file=found.file,
                place=found.place,
                severity="warning",
            )
