"""Small pieces of wording that the parts of the synopsis share."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from .document import Rule
from .expression import All, Any, AtLeast, Item, Labelled, Node, Not, prose
from .names import DefinitionNames

_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_JOINTS = (All, Any, AtLeast)


def words(identifier: str) -> str:
    """Return a word of the format as words: 'active_comparator' is 'active comparator'."""
    return identifier.replace("_", " ")


def first_up(text: str) -> str:
    """Return a text with a capital first letter."""
    return text[:1].upper() + text[1:]


def day(value: date) -> str:
    """Return a day as '1 March 2024'."""
    return f"{value.day} {_MONTHS[value.month - 1]} {value.year}"


def joined(items: Iterable[str], joint: str = "and") -> str:
    """Return 'a, b and c'; 'none' for nothing."""
    found = list(items)
    if len(found) < 2:
        return found[0] if found else "none"
    return f"{', '.join(found[:-1])} {joint} {found[-1]}"


def counted(number: int, noun: str) -> str:
    """Return '1 site', '2 sites', '2 countries'."""
    many = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number} {noun if number == 1 else many}"


def filled(*pairs: tuple[str, str | None]) -> tuple[tuple[str, str], ...]:
    """Return the terms that have something to say."""
    return tuple((term, text) for term, text in pairs if text)


def value_of(node: Node, names: DefinitionNames) -> str:
    """Return an expression that yields a value in words; an item by itself is its answer, not a condition."""
    if not isinstance(node, Item):
        return prose(node, names)
    at = "" if node.encounter is None else f" at {names.anchor_label(node.encounter)}"
    return f"{names.item_label(node.form, node.item)}{at}"


def rule_of(node: Node, names: DefinitionNames) -> Rule:
    """Return a condition as a rule in words, read from the expression tree; what it joins, as parts of it."""
    rule = _rule(node, names)
    return Rule(first_up(rule.text), rule.parts)


def _rule(node: Node, names: DefinitionNames) -> Rule:
    if isinstance(node, Labelled):
        inner = _rule(node.node, names)
        return Rule(f"{node.label}: {inner.text}", inner.parts)
    if isinstance(node, Not) and isinstance(node.operand, Labelled | All | Any | AtLeast):
        return Rule("this does not hold:", (_rule(node.operand, names),))
    if isinstance(node, _JOINTS) and any(isinstance(part, (*_JOINTS, Labelled, Not)) for part in node.items):
        return Rule(_heading(node), tuple(_rule(part, names) for part in node.items))
    if isinstance(node, AtLeast) or (isinstance(node, _JOINTS) and len(node.items) > 2):
        return Rule(_heading(node), tuple(_rule(part, names) for part in node.items))
    return Rule(prose(node, names, labels=False))


def _heading(node: All | Any | AtLeast) -> str:
    if isinstance(node, AtLeast):
        return f"at least {node.n} of these:"
    return "all of these:" if isinstance(node, All) else "one or more of these:"
