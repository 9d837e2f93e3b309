"""The expression tree: frozen nodes that every interpreter of the language reads.

A node compares equal by what it means; where it was written (`offset` in the text, `path` in the mapping
around it) is kept for messages only.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from .values import KIND_OF, Duration

COMPARISON_SIGNS = ("=", "!=", "<", "<=", ">", ">=")
CALCULATION_SIGNS = ("+", "-", "*", "/")
AGGREGATES = ("count", "sum", "mean", "min", "max", "first", "last", "any")
WHOLE_FORM_AGGREGATES = ("count", "any")
# Fewest and most arguments of each function; None is without limit.
FUNCTIONS: dict[str, tuple[int, int | None]] = {
    "years": (2, 2),
    "months": (2, 2),
    "days": (2, 2),
    "abs": (1, 1),
    "round": (2, 2),
    "log": (1, 1),
    "log1p": (1, 1),
    "exp": (1, 1),
    "sqrt": (1, 1),
    "least": (2, None),
    "greatest": (2, None),
    "coalesce": (2, None),
    "if": (3, 3),
}


class ExpressionError(Exception):
    """An expression that cannot be read or, for a variable that needs itself, be evaluated.

    `path` says where in the mapping ('all[1].when'), `offset` how many characters into the text (None: the
    mapping).
    """

    def __init__(
        self, message: str, path: str = "", offset: int | None = None, code: str = "EXPR-SYNTAX"
    ) -> None:
        super().__init__(message)
        self.message = message
        self.path = path
        self.offset = offset
        self.code = code

    def __str__(self) -> str:
        where = [f"at {self.path}"] if self.path else []
        where += [] if self.offset is None else [f"character {self.offset + 1}"]
        return f"{self.message} ({', '.join(where)})" if where else self.message


@dataclass(frozen=True, slots=True)
class Node:
    """Any part of an expression."""

    offset: int | None = field(default=None, compare=False, repr=False, kw_only=True)
    path: str = field(default="", compare=False, repr=False, kw_only=True)

    def children(self) -> tuple[Node, ...]:
        """The nodes directly below, in reading order."""
        return ()


@dataclass(frozen=True, slots=True)
class Literal(Node):
    """A constant: number, text, true or false, date, duration. Whole numbers are held as decimals."""

    value: str | bool | int | Decimal | date | Duration
    kind: str = field(init=False)

    def __post_init__(self) -> None:
        if type(self.value) is int:
            object.__setattr__(self, "value", Decimal(self.value))
        # Part of equality, because Python holds true and 1 to be equal.
        object.__setattr__(self, "kind", KIND_OF[type(self.value)])


@dataclass(frozen=True, slots=True)
class Item(Node):
    """`form.item` (latest known value) or `form.item at encounter`."""

    form: str
    item: str
    encounter: str | None = None


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A bare name: a variable of the definition or, if there is none of that name, an anchor date."""

    name: str


@dataclass(frozen=True, slots=True)
class Negate(Node):
    """`-x`."""

    operand: Node

    def children(self) -> tuple[Node, ...]:
        return (self.operand,)


@dataclass(frozen=True, slots=True)
class Calculate(Node):
    """`left + right`, and - * /."""

    sign: str
    left: Node
    right: Node

    def children(self) -> tuple[Node, ...]:
        return (self.left, self.right)


@dataclass(frozen=True, slots=True)
class Compare(Node):
    """`left >= right`, and = != < <= >."""

    sign: str
    left: Node
    right: Node

    def children(self) -> tuple[Node, ...]:
        return (self.left, self.right)


@dataclass(frozen=True, slots=True)
class Between(Node):
    """`value between low and high`, both ends inclusive."""

    value: Node
    low: Node
    high: Node

    def children(self) -> tuple[Node, ...]:
        return (self.value, self.low, self.high)


@dataclass(frozen=True, slots=True)
class In(Node):
    """`value in ('a', 'b', 3)`."""

    value: Node
    options: tuple[Literal, ...]

    def children(self) -> tuple[Node, ...]:
        return (self.value, *self.options)


@dataclass(frozen=True, slots=True)
class IsKnown(Node):
    """`value is known` or, with `known` false, `value is unknown`."""

    value: Node
    known: bool

    def children(self) -> tuple[Node, ...]:
        return (self.value,)


@dataclass(frozen=True, slots=True)
class Call(Node):
    """A function of FUNCTIONS and its arguments."""

    function: str
    arguments: tuple[Node, ...]

    def children(self) -> tuple[Node, ...]:
        return self.arguments


@dataclass(frozen=True, slots=True)
class Fresh(Node):
    """`fresh(form.item, 30 days)`: the value, unknown once it is older than the duration."""

    item: Item
    duration: Duration

    def children(self) -> tuple[Node, ...]:
        return (self.item,)


@dataclass(frozen=True, slots=True)
class Moment:
    """A day given by an anchor, or by a duration before (sign -1) or after it (sign 1)."""

    anchor: Name | Item
    shift: Duration | None = None
    sign: int = 1

    def __post_init__(self) -> None:
        if self.shift is None and self.sign != 1:
            raise ValueError("A moment without a duration has no direction.")


@dataclass(frozen=True, slots=True)
class Window:
    """A span of days, both ends inclusive; None leaves an end open, but not both.

    `within 12 months before A` is the window from 12 months before A to A.
    """

    start: Moment | None
    end: Moment | None

    def __post_init__(self) -> None:
        if self.start is None and self.end is None:
            raise ValueError("A window needs a start or an end.")

    def anchors(self) -> tuple[Name | Item, ...]:
        """The anchors of both ends."""
        return tuple(moment.anchor for moment in (self.start, self.end) if moment is not None)


@dataclass(frozen=True, slots=True)
class Aggregate(Node):
    """`count(form ...)`, or one of AGGREGATES over `form.item`, of the rows that its limits leave.

    `known` skips rows without a value; otherwise one missing value leaves the result open.
    """

    function: str
    form: str
    item: str | None = None
    known: bool = False
    where: Node | None = None
    window: Window | None = None
    encounters: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.item is None and (self.known or self.function not in WHOLE_FORM_AGGREGATES):
            raise ValueError(f"'{self.function}' needs an item, not only the form '{self.form}'.")

    def children(self) -> tuple[Node, ...]:
        where = () if self.where is None else (self.where,)
        return where if self.window is None else where + self.window.anchors()


@dataclass(frozen=True, slots=True)
class Not(Node):
    """`not x`."""

    operand: Node

    def children(self) -> tuple[Node, ...]:
        return (self.operand,)


@dataclass(frozen=True, slots=True)
class _Several(Node):
    items: tuple[Node, ...]

    def __post_init__(self) -> None:
        if len(self.items) < 2:
            raise ValueError("'and' and 'or' join at least two conditions.")

    def children(self) -> tuple[Node, ...]:
        return self.items


@dataclass(frozen=True, slots=True)
class All(_Several):
    """`a and b and ...`, two or more."""


@dataclass(frozen=True, slots=True)
class Any(_Several):
    """`a or b or ...`, two or more."""


@dataclass(frozen=True, slots=True)
class AtLeast(Node):
    """`at_least(n, a, b, ...)`: n or more of the conditions."""

    n: int
    items: tuple[Node, ...]

    def __post_init__(self) -> None:
        if not 1 <= self.n <= len(self.items):
            raise ValueError(f"'at_least' asks for {self.n} of {len(self.items)} conditions.")

    def children(self) -> tuple[Node, ...]:
        return self.items


@dataclass(frozen=True, slots=True)
class Labelled(Node):
    """A condition with the author's own words for it: `(x as 'words')`."""

    label: str
    node: Node

    def __post_init__(self) -> None:
        if not self.label.strip():
            raise ValueError("A label needs words.")

    def children(self) -> tuple[Node, ...]:
        return (self.node,)


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it, in reading order; without recursion."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        yield current
        waiting.extend(reversed(current.children()))


def height(node: Node) -> int:
    """Levels of the tree: 1 for a single node; without recursion."""
    highest, waiting = 1, [(node, 1)]
    while waiting:
        current, level = waiting.pop()
        highest = max(highest, level)
        waiting.extend((child, level + 1) for child in current.children())
    return highest


@dataclass(frozen=True, slots=True)
class References:
    """Everything that an expression names."""

    items: frozenset[tuple[str, str]]
    forms: frozenset[str]
    variables: frozenset[str]
    anchors: frozenset[str]
    encounters: frozenset[str]


def references(node: Node, variables: Container[str] = ()) -> References:
    """What `node` names; a bare name is a variable if it is among `variables`, else an anchor."""
    items: set[tuple[str, str]] = set()
    forms: set[str] = set()
    names: set[str] = set()
    encounters: set[str] = set()
    for part in walk(node):
        if isinstance(part, Item):
            items.add((part.form, part.item))
            forms.add(part.form)
            encounters.update(() if part.encounter is None else (part.encounter,))
        elif isinstance(part, Name):
            names.add(part.name)
        elif isinstance(part, Aggregate):
            items.update(() if part.item is None else ((part.form, part.item),))
            forms.add(part.form)
            encounters.update(part.encounters)
    used = frozenset(name for name in names if name in variables)
    return References(
        frozenset(items), frozenset(forms), used, frozenset(names) - used, frozenset(encounters)
    )


def is_monotone(node: Node) -> bool:
    """Whether more evidence can only settle this expression and never reverse it.

    What asks about the knowledge itself can be reversed: `is known`, `is unknown`, `coalesce`, and aggregates
    over `known` values. Variables are not followed.
    """
    return not any(
        isinstance(part, IsKnown)
        or (isinstance(part, Call) and part.function == "coalesce")
        or (isinstance(part, Aggregate) and part.known)
        for part in walk(node)
    )
