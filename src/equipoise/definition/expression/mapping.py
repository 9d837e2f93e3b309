"""Reading a condition of a study folder: a text, or the mapping of combinators and labels around texts."""

from __future__ import annotations

from collections.abc import Mapping

from .grammar import MAX_DEPTH, TOO_DEEP, parse_text
from .nodes import All, Any, AtLeast, ExpressionError, Labelled, Node, Not, height

MAX_CONDITIONS = 1000
_COMBINATORS = ("all", "any", "at_least", "not", "when")


def parse_condition(raw: object, *, path: str = "") -> Node:
    """Read a text, or a mapping of one of all, any, at_least, not and when, with an optional text.

    A list of one condition is that condition. ExpressionError names the place.
    """
    node = _RawReader().read(raw, path, 1)
    if height(node) > MAX_DEPTH:
        raise ExpressionError(TOO_DEEP, path)
    return node


class _RawReader:
    """Counts what it reads, because a few lines of YAML can alias their way to any number of conditions."""

    def __init__(self) -> None:
        self.conditions = 0

    def read(self, raw: object, path: str, depth: int) -> Node:
        self.conditions += 1
        if self.conditions > MAX_CONDITIONS or depth > MAX_DEPTH:
            raise ExpressionError(
                f"This condition has over {MAX_CONDITIONS} parts or is nested more than {MAX_DEPTH} deep.",
                path,
            )
        if isinstance(raw, str):
            return parse_text(raw, path=path)
        if not isinstance(raw, Mapping):
            raise ExpressionError(
                "Expected a condition: a text, or a mapping of all, any, at_least, not or when.", path
            )
        found = [key for key in _COMBINATORS if key in raw]
        extra = [str(key) for key in raw if key not in (*_COMBINATORS, "text")]
        if extra or len(found) != 1:
            listed = ", ".join(extra or found) or "none of them"
            raise ExpressionError(
                f"Expected one of all, any, at_least, not or when, and optionally text; found {listed}.",
                path,
            )
        key = found[0]
        node = self.combinator(key, raw[key], f"{path}.{key}" if path else key, depth)
        if "text" not in raw:
            return node
        label = raw["text"]
        if not isinstance(label, str) or not label.strip():
            raise ExpressionError("Expected a label that is not empty.", f"{path}.text" if path else "text")
        return Labelled(label, node, path=path)

    def combinator(self, key: str, raw: object, path: str, depth: int) -> Node:
        if key == "not":
            return Not(self.read(raw, path, depth + 1), path=path)
        if key == "when":
            if not isinstance(raw, str):
                raise ExpressionError("Expected an expression as text after when.", path)
            return self.read(raw, path, depth)
        if key == "at_least":
            return self.at_least(raw, path, depth)
        items = self.several(raw, path, depth)
        if len(items) == 1:
            return items[0]
        return All(items, path=path) if key == "all" else Any(items, path=path)

    def at_least(self, raw: object, path: str, depth: int) -> Node:
        if not isinstance(raw, Mapping) or set(raw) != {"n", "of"} or type(raw["n"]) is not int:
            raise ExpressionError("Expected at_least: {n: a whole number, of: [conditions]}.", path)
        items = self.several(raw["of"], f"{path}.of", depth)
        try:
            return AtLeast(raw["n"], items, path=path)
        except ValueError as error:
            raise ExpressionError(str(error), path) from None

    def several(self, raw: object, path: str, depth: int) -> tuple[Node, ...]:
        if not isinstance(raw, list) or not raw:
            raise ExpressionError("Expected a list of one or more conditions.", path)
        return tuple(self.read(item, f"{path}[{index}]", depth + 1) for index, item in enumerate(raw))
