"""Readable English for an expression, in the words that the study definition has for its forms and items."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
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
    Moment,
    Name,
    Negate,
    Node,
    Not,
    Window,
)
from .values import plain


class Names(Protocol):
    """The words of a study definition."""

    def item_label(self, form: str, item: str) -> str:
        """What an item is called."""
        ...

    def form_label(self, form: str, number: int) -> str:
        """What `number` rows of a form are called: relapse, relapses."""
        ...

    def unit(self, form: str, item: str) -> str | None:
        """The unit of an item's values."""
        ...

    def choice_label(self, form: str, item: str, code: str | int) -> str | None:
        """What a code of a choice item is called; None when it is no code of such an item."""
        ...

    def anchor_label(self, name: str) -> str | None:
        """What an anchor or encounter is called; None when the name is no anchor but a variable."""
        ...

    def variable_label(self, name: str) -> str:
        """What a variable is called."""
        ...


class PlainNames:
    """Words made of the identifiers alone: `vital_signs.heart_rate` is 'vital signs heart rate'."""

    def __init__(self, is_variable: Callable[[str], bool] = lambda name: False) -> None:
        self._is_variable = is_variable

    def item_label(self, form: str, item: str) -> str:
        """Form and item."""
        return f"{_words(form)} {_words(item)}"

    def form_label(self, form: str, number: int) -> str:
        """The form, with an s for any number but 1."""
        words = _words(form)
        return words if number == 1 or words.endswith("s") else words + "s"

    def unit(self, form: str, item: str) -> str | None:
        """Identifiers have no units."""
        return None

    def choice_label(self, form: str, item: str, code: str | int) -> str | None:
        """The code if it is a text; whether a number is a code cannot be told here."""
        return _words(code) if isinstance(code, str) else None

    def anchor_label(self, name: str) -> str | None:
        """The name, unless it is that of a variable."""
        return None if self._is_variable(name) else _words(name)

    def variable_label(self, name: str) -> str:
        """The name."""
        return _words(name)


def _words(identifier: str) -> str:
    return identifier.replace("_", " ")


def prose(node: Node, names: Names, *, labels: bool = True) -> str:
    """`node` in English, without a full stop.

    A labelled condition is told by its label, or by its rule when `labels` is false.
    """
    return _Writer(names, labels).clause(node)


def phrase(node: Node, names: Names) -> str:
    """`node` in English as a value: a boolean item without 'is yes'."""
    return _Writer(names, labels=True).value(node)


def listed(parts: Sequence[str], joint: str) -> str:
    """'a, b and c' with the joint 'and'."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {joint} {parts[-1]}"


_FLIPPED = {"<": ">=", ">=": "<", ">": "<=", "<=": ">", "=": "!=", "!=": "="}
_OF_NUMBERS = {
    "=": "is",
    "!=": "is not",
    "<": "is less than",
    "<=": "is at most",
    ">": "is more than",
    ">=": "is at least",
}
_OF_DATES = {
    **_OF_NUMBERS,
    "<": "is before",
    "<=": "is on or before",
    ">": "is after",
    ">=": "is on or after",
}
_OF_COUNTS = {
    "=": "exactly",
    "!=": "any number but",
    "<": "fewer than",
    "<=": "at most",
    ">": "more than",
    ">=": "at least",
}
_OF_AGGREGATES = {
    "sum": "the sum of",
    "mean": "the mean of",
    "min": "the lowest",
    "max": "the highest",
    "first": "the first",
    "last": "the last",
}
_CALCULATED = {"+": "plus", "-": "minus", "*": "times", "/": "divided by"}
_OF_CALLS = {
    "abs": "the absolute value of {}",
    "round": "{} rounded to {} decimals",
    "log": "the natural logarithm of {}",
    "log1p": "the natural logarithm of 1 plus {}",
    "exp": "e to the power of {}",
    "sqrt": "the square root of {}",
}


class _Writer:
    def __init__(self, names: Names, labels: bool) -> None:
        self.names = names
        self.labels = labels

    # -- conditions

    def clause(self, node: Node) -> str:
        """A whole condition; anything else is told as a value."""
        write = _CLAUSES.get(type(node))
        if write is not None:
            return write(self, node)
        if isinstance(node, Item):
            return f"{self.value(node)} is yes"
        if isinstance(node, Aggregate) and node.function == "any":
            return self.any_row(node)
        return self.value(node)

    def part(self, node: Node) -> str:
        """A condition within another: what joins several conditions gets brackets."""
        text = self.clause(node)
        while isinstance(node, Labelled) and not self.labels:
            node = node.node
        return f"({text})" if isinstance(node, All | Any | AtLeast) else text

    def all(self, node: All) -> str:
        return listed([self.part(item) for item in node.items], "and")

    def any(self, node: Any) -> str:
        return listed([self.part(item) for item in node.items], "or")

    def at_least(self, node: AtLeast) -> str:
        return f"at least {node.n} of these: {'; '.join(self.part(item) for item in node.items)}"

    def not_(self, node: Not) -> str:
        inner = node.operand
        if isinstance(inner, Compare):
            return self.compare(Compare(_FLIPPED[inner.sign], inner.left, inner.right))
        if isinstance(inner, IsKnown):
            return self.is_known(IsKnown(inner.value, not inner.known))
        if isinstance(inner, Between):
            return self.between(inner, "is not between")
        if isinstance(inner, In):
            return self.in_(inner, "is not")
        if isinstance(inner, Item):
            return f"{self.value(inner)} is no"
        return f"it is not so that {self.part(inner)}"

    def labelled(self, node: Labelled) -> str:
        return node.label if self.labels else self.clause(node.node)

    def compare(self, node: Compare) -> str:
        left, right = node.left, node.right
        if isinstance(left, Aggregate) and left.function == "count" and isinstance(right, Literal):
            return self.count(left, node.sign, right)
        verbs = _OF_DATES if self.is_date(left) or self.is_date(right) else _OF_NUMBERS
        return f"{self.value(left)} {verbs[node.sign]} {self.beside(right, left)}"

    def count(self, node: Aggregate, sign: str, literal: Literal) -> str:
        number = self.constant(literal)
        rows = self.names.form_label(node.form, 1 if number == "1" else 2)
        what = rows if node.item is None else f"values of {self.names.item_label(node.form, node.item)}"
        if (sign == "=" and number == "0") or (sign, number) == ("<", "1"):
            return f"no {what}{self.limits(node)}"
        return f"{_OF_COUNTS[sign]} {number} {what}{self.limits(node)}"

    def any_row(self, node: Aggregate) -> str:
        if node.item is None:
            return f"any {self.names.form_label(node.form, 1)}{self.limits(node)}"
        return f"any {self.names.item_label(node.form, node.item)} is yes{self.limits(node)}"

    def between(self, node: Between, verb: str = "is between") -> str:
        low, high = self.value(node.low, node.value), self.beside(node.high, node.value)
        return f"{self.value(node.value)} {verb} {low} and {high}"

    def in_(self, node: In, verb: str = "is") -> str:
        options = [self.value(option, node.value) for option in node.options]
        return f"{self.value(node.value)} {verb} {listed(options, 'or')}"

    def is_known(self, node: IsKnown) -> str:
        return f"{self.value(node.value)} is {'known' if node.known else 'unknown'}"

    def is_date(self, node: Node) -> bool:
        """Whether a value is a date by its form alone."""
        if isinstance(node, Name):
            return self.names.anchor_label(node.name) is not None
        if isinstance(node, Calculate):
            return self.is_date(node.left) or (
                isinstance(node.right, Literal) and node.right.kind == "duration"
            )
        return isinstance(node, Literal) and node.kind == "date"

    # -- values

    def beside(self, node: Node, other: Node) -> str:
        """A value compared with `other`: a number takes the unit of the item on the other side."""
        text, item = self.value(node, other), _item_of(other)
        unit = None if item is None else self.names.unit(*item)
        return f"{text} {unit}" if unit and text == self.value(node) and _is_number(node) else text

    def value(self, node: Node, other: Node | None = None) -> str:
        """A value; compared with a choice item, a code is told by its label."""
        if isinstance(node, Literal):
            return self.code(node, _item_of(other)) or self.constant(node)
        write = _VALUES.get(type(node))
        return f"whether {self.part(node)}" if write is None else write(self, node)

    def operand(self, node: Node) -> str:
        text = self.value(node)
        return f"({text})" if isinstance(node, Calculate) else text

    def code(self, node: Literal, item: tuple[str, str] | None) -> str | None:
        value = node.value
        if isinstance(value, Decimal) and value == int(value):
            value = int(value)
        if item is None or isinstance(value, bool) or not isinstance(value, str | int):
            return None
        return self.names.choice_label(*item, value)

    def constant(self, node: Literal) -> str:
        value = node.value
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, Decimal):
            return plain(value)
        if isinstance(value, date):
            return f"{value.day} {value:%B} {value.year}"
        return f"'{value}'" if isinstance(value, str) else str(value)

    def item(self, node: Item) -> str:
        label = self.names.item_label(node.form, node.item)
        return label if node.encounter is None else f"{label} at {self.name(node.encounter)}"

    def name(self, name: str) -> str:
        return self.names.anchor_label(name) or self.names.variable_label(name)

    def calculate(self, node: Calculate) -> str:
        return f"{self.operand(node.left)} {_CALCULATED[node.sign]} {self.operand(node.right)}"

    def fresh(self, node: Fresh) -> str:
        return f"{self.item(node.item)} (not older than {node.duration})"

    def aggregate(self, node: Aggregate) -> str:
        if node.function == "any":
            return f"whether {self.any_row(node)}"
        if node.item is None:
            return f"the number of {self.names.form_label(node.form, 2)}{self.limits(node)}"
        known = "known " if node.known else ""
        label = f"{known}{self.names.item_label(node.form, node.item)}"
        if node.function == "count":
            return f"the number of values of {label}{self.limits(node)}"
        return f"{_OF_AGGREGATES[node.function]} {label}{self.limits(node)}"

    def call(self, node: Call) -> str:
        if node.function == "if":
            condition, then, otherwise = node.arguments
            return f"{self.branch(then)} if {self.part(condition)}, otherwise {self.branch(otherwise)}"
        arguments = [self.operand(argument) for argument in node.arguments]
        if node.function in ("years", "months", "days"):
            return f"the {node.function} from {arguments[0]} to {arguments[1]}"
        if node.function == "coalesce":
            return f"{arguments[0]} (or, where that is unknown, {listed(arguments[1:], 'or')})"
        if node.function in ("least", "greatest"):
            return f"the {node.function} of {listed(arguments, 'and')}"
        return _OF_CALLS[node.function].format(*arguments)

    def branch(self, node: Node) -> str:
        return self.part(node) if type(node) in _CLAUSES else self.operand(node)

    # -- the limits of an aggregate

    def limits(self, node: Aggregate) -> str:
        parts: list[str] = []
        if node.window is not None:
            parts.append(f" {self.window(node.window)}")
        if node.encounters:
            parts.append(f" at {listed([self.name(encounter) for encounter in node.encounters], 'and')}")
        if node.where is not None:
            parts.append(f" for which {self.part(node.where)}")
        return "".join(parts)

    def window(self, window: Window) -> str:
        start, end = window.start, window.end
        if start is None or end is None:
            return self.open_window(start, end)
        if start.anchor == end.anchor:
            anchor = self.value(start.anchor)
            if start.shift is not None and start.sign < 0 and end.shift is None:
                return f"within the {start.shift} before {anchor}"
            if end.shift is not None and end.sign > 0 and start.shift is None:
                return f"within the {end.shift} after {anchor}"
        return f"from {self.moment(start)} to {self.moment(end)}"

    def open_window(self, start: Moment | None, end: Moment | None) -> str:
        moment, side, sign = (start, "after", 1) if start is not None else (end, "before", -1)
        assert moment is not None, "a window has a start or an end"
        if moment.shift is not None and moment.sign == sign:
            return f"{moment.shift} or more {side} {self.value(moment.anchor)}"
        return f"on or {side} {self.moment(moment)}"

    def moment(self, moment: Moment) -> str:
        anchor = self.value(moment.anchor)
        side = "before" if moment.sign < 0 else "after"
        return anchor if moment.shift is None else f"{moment.shift} {side} {anchor}"


def _item_of(node: Node | None) -> tuple[str, str] | None:
    """Form and item of which a value is one: the item itself, or an aggregate that keeps its unit."""
    if isinstance(node, Fresh):
        node = node.item
    if isinstance(node, Aggregate) and node.item is not None and node.function != "count":
        return node.form, node.item
    return (node.form, node.item) if isinstance(node, Item) else None


def _is_number(node: Node) -> bool:
    return isinstance(node, Literal) and node.kind == "number"


_CLAUSES: dict[type[Node], Callable[[_Writer, Anything], str]] = {
    All: _Writer.all,
    Any: _Writer.any,
    AtLeast: _Writer.at_least,
    Not: _Writer.not_,
    Labelled: _Writer.labelled,
    Compare: _Writer.compare,
    Between: _Writer.between,
    In: _Writer.in_,
    IsKnown: _Writer.is_known,
}
_VALUES: dict[type[Node], Callable[[_Writer, Anything], str]] = {
    Item: _Writer.item,
    Name: lambda writer, node: writer.name(node.name),
    Negate: lambda writer, node: f"minus {writer.operand(node.operand)}",
    Calculate: _Writer.calculate,
    Call: _Writer.call,
    Fresh: _Writer.fresh,
    Aggregate: _Writer.aggregate,
}
