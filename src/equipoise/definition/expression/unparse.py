"""Writing an expression back: canonical text, and the mapping form that keeps labels apart from the rules."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any as Anything

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
    walk,
)
from .values import Duration, plain

_OR, _AND, _NOT, _COMPARISON, _SUM, _PRODUCT, _UNARY, _ATOM = range(1, 9)


def unparse(node: Node) -> str:
    """The canonical text of an expression: `parse_text(unparse(node)) == node`.

    A label is written `(condition as 'label')`, so the text says everything that the mapping form says.
    """
    return _write(node, 0)


def to_raw(node: Node) -> object:
    """The mapping form: plain lists, dicts and texts, `parse_condition(to_raw(node)) == node`.

    Combinators become mappings only where a label makes it necessary.
    """
    if not any(isinstance(part, Labelled) for part in walk(node)):
        return unparse(node)
    if isinstance(node, Labelled):
        inner = to_raw(node.node)
        if isinstance(inner, str):
            return {"text": node.label, "when": inner}
        if isinstance(inner, dict) and "text" not in inner:
            return {"text": node.label, **inner}
        return {"text": node.label, "all": [inner]}
    if isinstance(node, All):
        return {"all": [to_raw(item) for item in node.items]}
    if isinstance(node, Any):
        return {"any": [to_raw(item) for item in node.items]}
    if isinstance(node, AtLeast):
        return {"at_least": {"n": node.n, "of": [to_raw(item) for item in node.items]}}
    if isinstance(node, Not):
        return {"not": to_raw(node.operand)}
    return unparse(node)


def _write(node: Node, binding: int) -> str:
    strength, write = _WRITERS[type(node)]
    if isinstance(node, Calculate) and node.sign in "+-":
        strength = _SUM
    text = write(node)
    return f"({text})" if strength < binding else text


def quoted(text: str) -> str:
    """Text in single quotes, the quotes within it doubled."""
    return "'" + text.replace("'", "''") + "'"


def constant(value: str | bool | Decimal | date | Duration | int) -> str:
    """A constant as the grammar writes it."""
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, date):
        return f"date '{value.isoformat()}'"
    return str(value)


def _item(node: Item) -> str:
    return f"{node.form}.{node.item}" + (f" at {node.encounter}" if node.encounter else "")


def _negate(node: Negate) -> str:
    # A minus sign directly before a number would be read as part of the number.
    return (
        f"-({_write(node.operand, 0)})"
        if isinstance(node.operand, Literal)
        else f"-{_write(node.operand, _UNARY)}"
    )


def _calculate(node: Calculate) -> str:
    strength = _SUM if node.sign in "+-" else _PRODUCT
    return f"{_write(node.left, strength)} {node.sign} {_write(node.right, strength + 1)}"


def _compare(node: Compare) -> str:
    return f"{_write(node.left, _SUM)} {node.sign} {_write(node.right, _SUM)}"


def _between(node: Between) -> str:
    return f"{_write(node.value, _SUM)} between {_write(node.low, _SUM)} and {_write(node.high, _SUM)}"


def _in(node: In) -> str:
    return f"{_write(node.value, _SUM)} in ({', '.join(_write(option, 0) for option in node.options)})"


def _listed(nodes: tuple[Node, ...]) -> str:
    return ", ".join(_write(node, 0) for node in nodes)


def _aggregate(node: Aggregate) -> str:
    parts = [f"{'known ' if node.known else ''}{node.form}{'' if node.item is None else '.' + node.item}"]
    if node.where is not None:
        where = _write(node.where, 0)
        # Without parentheses it could be unclear whether `at` belongs to an item or to the aggregate.
        visits = [part.encounter for part in walk(node.where) if isinstance(part, Item)]
        unclear = node.encounters or any(visits)
        parts.append(f"where ({where})" if unclear else f"where {where}")
    if node.window is not None:
        parts.append(write_window(node.window))
    if node.encounters:
        parts.append(f"at {', '.join(node.encounters)}")
    return f"{node.function}({' '.join(parts)})"


def write_window(window: Window) -> str:
    """A window as the grammar writes it, with `within` where it fits."""
    start, end = window.start, window.end
    if start is None or end is None:
        return f"before {_moment(end)}" if start is None else f"after {_moment(start)}"
    if start.anchor == end.anchor:
        if start.shift is not None and start.sign < 0 and end.shift is None:
            return f"within {_moment(start)}"
        if end.shift is not None and end.sign > 0 and start.shift is None:
            return f"within {_moment(end)}"
    return f"from {_moment(start)} to {_moment(end)}"


def _moment(moment: Moment | None) -> str:
    assert moment is not None, "a window has a start or an end"
    anchor = _write(moment.anchor, 0)
    side = "before" if moment.sign < 0 else "after"
    return anchor if moment.shift is None else f"{moment.shift} {side} {anchor}"


_WRITERS: dict[type[Node], tuple[int, Callable[[Anything], str]]] = {
    Literal: (_ATOM, lambda node: constant(node.value)),
    Item: (_ATOM, _item),
    Name: (_ATOM, lambda node: node.name),
    Negate: (_UNARY, _negate),
    Calculate: (_PRODUCT, _calculate),
    Compare: (_COMPARISON, _compare),
    Between: (_COMPARISON, _between),
    In: (_COMPARISON, _in),
    IsKnown: (
        _COMPARISON,
        lambda node: f"{_write(node.value, _SUM)} is {'known' if node.known else 'unknown'}",
    ),
    Call: (_ATOM, lambda node: f"{node.function}({_listed(node.arguments)})"),
    Fresh: (_ATOM, lambda node: f"fresh({_item(node.item)}, {node.duration})"),
    Aggregate: (_ATOM, _aggregate),
    Not: (_NOT, lambda node: f"not {_write(node.operand, _NOT)}"),
    All: (_AND, lambda node: " and ".join(_write(item, _NOT) for item in node.items)),
    Any: (_OR, lambda node: " or ".join(_write(item, _AND) for item in node.items)),
    AtLeast: (_ATOM, lambda node: f"at_least({node.n}, {_listed(node.items)})"),
    Labelled: (_ATOM, lambda node: f"({_write(node.node, 0)} as {quoted(node.label)})"),
}
