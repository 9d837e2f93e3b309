"""What is wrong with an expression before any data exist: unknown names, wrong types, unlisted codes.

Codes: EXPR-NAME (unknown form, item, variable, anchor or encounter), EXPR-TYPE (types that do not fit),
EXPR-CODE (not a code of the choice item), EXPR-SCOPE (an encounter where a row's own value is meant),
EXPR-CYCLE and EXPR-DEPTH (variables that need themselves, or too many levels of each other).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any as Anything
from typing import Protocol

from .nodes import (
    Aggregate,
    All,
    Any,
    AtLeast,
    Between,
    Calculate,
    Call,
    Compare,
    Fresh,
    In,
    IsKnown,
    Item,
    Labelled,
    Literal,
    Name,
    Negate,
    Node,
    Not,
    height,
    references,
)

MAX_EXPANDED_DEPTH = 150

# What a type of item or variable is to the checker.
_KINDS = {
    "integer": "number",
    "decimal": "number",
    "number": "number",
    "text": "text",
    "boolean": "boolean",
    "date": "date",
    "partial_date": "date",
    "choice": "choice",
    "duration": "duration",
}
_ORDERED = ("number", "date")


class Symbols(Protocol):
    """The names that a study definition knows."""

    def form_exists(self, form: str) -> bool:
        """Whether there is such a form."""
        ...

    def item_type(self, form: str, item: str) -> str | None:
        """integer, decimal, text, boolean, date, partial_date or choice; None if there is no such item."""
        ...

    def item_codes(self, form: str, item: str) -> Collection[str | int]:
        """The codes of a choice item."""
        ...

    def variable_type(self, name: str) -> str | None:
        """A type as for items, or number; None if there is no such variable."""
        ...

    def anchor_exists(self, name: str) -> bool:
        """Whether there is such an anchor; encounters are anchors."""
        ...

    def encounter_exists(self, name: str) -> bool:
        """Whether there is such an encounter."""
        ...


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong, and where: `offset` characters into the text at `path`."""

    code: str
    message: str
    offset: int | None = None
    path: str = ""


def typecheck(node: Node, symbols: Symbols, *, condition: bool = False) -> list[Problem]:
    """All problems of `node`, in reading order; with `condition`, also that it is no condition."""
    checker = _Checker(symbols)
    if condition:
        checker.want(node, "boolean", "A condition")
    else:
        checker.kind(node)
    return sorted(
        set(checker.problems), key=lambda problem: (problem.path, problem.offset or 0, problem.message)
    )


def type_of(node: Node, symbols: Symbols) -> str | None:
    """number, text, boolean, date, duration or choice; None when it cannot be told."""
    return _Checker(symbols).kind(node)


def check_variables(variables: Mapping[str, Node]) -> list[Problem]:
    """Variables that need themselves, and chains too deep to evaluate."""
    depths: dict[str, int] = {}
    problems: list[Problem] = []

    def depth(name: str, chain: tuple[str, ...]) -> int:
        if name in chain:
            around = " needs ".join((*chain[chain.index(name) :], name))
            problems.append(Problem("EXPR-CYCLE", f"The variable '{name}' needs itself: {around}."))
            return 0
        if name not in depths and len(chain) <= MAX_EXPANDED_DEPTH:
            used = sorted(references(variables[name], variables).variables)
            below = max((depth(other, (*chain, name)) for other in used), default=0)
            depths[name] = height(variables[name]) + below
        return depths.get(name, MAX_EXPANDED_DEPTH)

    for name in variables:
        if depth(name, ()) > MAX_EXPANDED_DEPTH:
            message = (
                f"The variable '{name}' is nested more than {MAX_EXPANDED_DEPTH} deep with those it needs."
            )
            problems.append(Problem("EXPR-DEPTH", f"{message} Simplify it."))
    return problems


class _Checker:
    def __init__(self, symbols: Symbols) -> None:
        self.symbols = symbols
        self.problems: list[Problem] = []
        self.rows_of: tuple[str, ...] = ()

    def report(self, code: str, message: str, node: Node) -> None:
        self.problems.append(Problem(code, message, node.offset, node.path))

    def kind(self, node: Node) -> str | None:
        return _KIND_OF_NODE[type(node)](self, node)

    def want(self, node: Node, wanted: str, who: str) -> None:
        found = self.kind(node)
        if found not in (None, wanted):
            self.report("EXPR-TYPE", f"{who} needs a {wanted}, not a {found}.", node)

    # -- names

    def check_item(self, node: Item | Aggregate) -> str | None:
        if not self.symbols.form_exists(node.form):
            self.report("EXPR-NAME", f"There is no form '{node.form}'.", node)
        elif node.item is not None:
            found = self.symbols.item_type(node.form, node.item)
            if found is None:
                self.report("EXPR-NAME", f"The form '{node.form}' has no item '{node.item}'.", node)
            return _KINDS.get(found or "")
        return None

    def check_encounter(self, encounter: str, node: Node) -> None:
        if not self.symbols.encounter_exists(encounter):
            self.report("EXPR-NAME", f"There is no encounter '{encounter}'.", node)

    def item(self, node: Item) -> str | None:
        if node.encounter is not None:
            self.check_encounter(node.encounter, node)
            if node.form in self.rows_of:
                message = (
                    f"In 'where', '{node.form}.{node.item}' is the row's own value: leave out the encounter."
                )
                self.report("EXPR-SCOPE", message, node)
        return self.check_item(node)

    def name(self, node: Name) -> str | None:
        found = self.symbols.variable_type(node.name)
        if found is not None:
            return _KINDS.get(found)
        if not self.symbols.anchor_exists(node.name):
            self.report("EXPR-NAME", f"There is no variable, anchor or encounter '{node.name}'.", node)
            return None
        return "date"

    # -- values

    def calculate(self, node: Calculate) -> str | None:
        left, right = self.kind(node.left), self.kind(node.right)
        if left == "date" and right == "duration" and node.sign in "+-":
            return "date"
        if left is None and right in (None, "duration"):
            return None
        for side, found in ((node.left, left), (node.right, right)):
            if found not in (None, "number"):
                self.report("EXPR-TYPE", f"'{node.sign}' needs numbers, not a {found}.", side)
        return "number"

    def negate(self, node: Negate) -> str:
        self.want(node.operand, "number", "'-'")
        return "number"

    def fresh(self, node: Fresh) -> str | None:
        return self.kind(node.item)

    def call(self, node: Call) -> str | None:
        arguments = node.arguments
        if node.function in ("years", "months", "days"):
            for argument in arguments:
                self.want(argument, "date", f"'{node.function}'")
            return "number"
        if node.function == "if":
            self.want(arguments[0], "boolean", "'if'")
            return self.alike(arguments[1:], node)
        if node.function == "coalesce":
            return self.alike(arguments, node)
        if node.function in ("least", "greatest"):
            found = self.alike(arguments, node)
            if found is not None and found not in _ORDERED:
                self.report("EXPR-TYPE", f"'{node.function}' needs numbers or dates, not a {found}.", node)
            return found
        for argument in arguments:
            self.want(argument, "number", f"'{node.function}'")
        return "number"

    def alike(self, nodes: tuple[Node, ...], node: Call) -> str | None:
        kinds = [found for found in map(self.kind, nodes) if found is not None]
        if not kinds:
            return None
        for other in kinds[1:]:
            if not _fit(kinds[0], other):
                self.report("EXPR-TYPE", f"'{node.function}' mixes a {kinds[0]} with a {other}.", node)
        return kinds[0]

    def aggregate(self, node: Aggregate) -> str | None:
        found = self.check_item(node)
        for encounter in node.encounters:
            self.check_encounter(encounter, node)
        for anchor in () if node.window is None else node.window.anchors():
            self.want(anchor, "date", "A window")
        if node.where is not None:
            outer, self.rows_of = self.rows_of, (*self.rows_of, node.form)
            self.want(node.where, "boolean", "'where'")
            self.rows_of = outer
        allowed = {
            "sum": ("number",),
            "mean": ("number",),
            "min": _ORDERED,
            "max": _ORDERED,
            "any": ("boolean",),
        }
        if found is not None and found not in allowed.get(node.function, (found,)):
            needed = " or ".join(allowed[node.function])
            self.report("EXPR-TYPE", f"'{node.function}' needs a {needed}, not a {found}.", node)
        return {"count": "number", "sum": "number", "mean": "number", "any": "boolean"}.get(
            node.function, found
        )

    # -- conditions

    def compare(self, node: Compare) -> str:
        left, right = self.kind(node.left), self.kind(node.right)
        self.check_pair(node.left, left, node.right, right)
        if node.sign not in ("=", "!="):
            for side, found in ((node.left, left), (node.right, right)):
                if found is not None and found not in _ORDERED:
                    self.report("EXPR-TYPE", f"'{node.sign}' needs numbers or dates, not a {found}.", side)
        return "boolean"

    def check_pair(self, left: Node, left_kind: str | None, right: Node, right_kind: str | None) -> None:
        for choice, chosen, literal in ((left, left_kind, right), (right, right_kind, left)):
            if chosen == "choice" and isinstance(literal, Literal):
                self.check_code(choice, literal)
                return
        if left_kind is not None and right_kind is not None and not _fit(left_kind, right_kind):
            self.report("EXPR-TYPE", f"A {left_kind} cannot be compared with a {right_kind}.", right)

    def check_code(self, choice: Node, literal: Literal) -> None:
        inner = choice.item if isinstance(choice, Fresh) else choice
        if not isinstance(inner, Item | Aggregate) or inner.item is None:
            return
        codes = self.symbols.item_codes(inner.form, inner.item)
        value = literal.value
        code = int(value) if isinstance(value, Decimal) and value == int(value) else value
        if isinstance(code, bool) or code not in codes:
            known = ", ".join(str(known) for known in codes)
            message = f"{code!s} is not a code of '{inner.form}.{inner.item}', which has {known}."
            self.report("EXPR-CODE", message, literal)

    def between(self, node: Between) -> str:
        found = self.kind(node.value)
        if found is not None and found not in _ORDERED:
            self.report("EXPR-TYPE", f"'between' needs numbers or dates, not a {found}.", node.value)
            return "boolean"
        for end in (node.low, node.high):
            self.check_pair(node.value, found, end, self.kind(end))
        return "boolean"

    def in_(self, node: In) -> str:
        found = self.kind(node.value)
        for option in node.options:
            self.check_pair(node.value, found, option, option.kind)
        return "boolean"

    def is_known(self, node: IsKnown) -> str:
        self.kind(node.value)
        return "boolean"

    def joint(self, node: All | Any | AtLeast | Not) -> str:
        for child in node.children():
            self.want(child, "boolean", "A condition")
        return "boolean"


def _fit(left: str, right: str) -> bool:
    return left == right or {left, right} == {"choice", "text"}


_KIND_OF_NODE: dict[type[Node], Callable[[_Checker, Anything], str | None]] = {
    Literal: lambda checker, node: str(node.kind),
    Item: _Checker.item,
    Name: _Checker.name,
    Negate: _Checker.negate,
    Calculate: _Checker.calculate,
    Call: _Checker.call,
    Fresh: _Checker.fresh,
    Aggregate: _Checker.aggregate,
    Compare: _Checker.compare,
    Between: _Checker.between,
    In: _Checker.in_,
    IsKnown: _Checker.is_known,
    Not: _Checker.joint,
    All: _Checker.joint,
    Any: _Checker.joint,
    AtLeast: _Checker.joint,
    Labelled: lambda checker, node: checker.kind(node.node),
}
