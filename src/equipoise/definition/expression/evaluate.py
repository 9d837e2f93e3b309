"""Evaluation: what an expression is worth, given the evidence.

Conditions follow Kleene's three-valued logic, quantities are exact values or intervals (see `intervals`).

The law of evidence: adding a value where there was none, completing a partial date, fixing an anchor or
reviewing a log can turn UNKNOWN into MET or NOT_MET, and never one of these into anything else. Its
exceptions are new facts rather than better knowledge (a changed value, a later value that replaces the latest
one, a row added to a form that is no log or to a log within the days already reviewed) and the expressions
that ask about the knowledge itself (`nodes.is_monotone`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any as Anything
from typing import TypeAlias

from . import intervals
from .aggregate import Scope, aggregate, observe
from .evidence import Evidence
from .nodes import (
    Aggregate,
    All,
    Any,
    AtLeast,
    Between,
    Calculate,
    Call,
    Compare,
    ExpressionError,
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
)
from .values import UNKNOWN, Duration, Exact, Interval, Quantity, Truth, is_known, plus_duration, quantity

Outcome: TypeAlias = "Truth | Quantity"


def evaluate(node: Node, evidence: Evidence) -> Outcome:
    """Truth of a condition, or the exact value or interval of a quantity."""
    return _EVALUATE[type(node)](node, Scope(evidence, evaluate_in))


def truth(node: Node, evidence: Evidence) -> Truth:
    """Whether a condition is met; a boolean item counts as a condition, any other quantity is UNKNOWN."""
    return as_truth(_EVALUATE[type(node)](node, Scope(evidence, evaluate_in)))


def number(node: Node, evidence: Evidence) -> Exact | None:
    """The exact value of an expression, None if it is not exactly known."""
    value = as_quantity(_EVALUATE[type(node)](node, Scope(evidence, evaluate_in)))
    return None if isinstance(value, Interval | Duration) else value


def as_truth(outcome: Outcome) -> Truth:
    """The truth of an outcome: true is MET, false is NOT_MET, any other quantity UNKNOWN."""
    if type(outcome) is Truth:
        return outcome
    if outcome is True:
        return Truth.MET
    return Truth.NOT_MET if outcome is False else Truth.UNKNOWN


def as_quantity(outcome: Outcome) -> Quantity:
    """The quantity of an outcome: MET is true, NOT_MET is false, UNKNOWN any value."""
    if type(outcome) is not Truth:
        return outcome  # type: ignore[return-value]  # a quantity is all that is left
    return UNKNOWN if outcome is Truth.UNKNOWN else outcome is Truth.MET


def scope_of(evidence: Evidence) -> Scope:
    """The scope of a whole expression."""
    return Scope(evidence, evaluate_in)


def evaluate_in(node: Node, scope: Scope) -> Outcome:
    """Evaluate a part of an expression in its scope."""
    return _EVALUATE[type(node)](node, scope)


def _truth(node: Node, scope: Scope) -> Truth:
    return as_truth(_EVALUATE[type(node)](node, scope))


def _quantity(node: Node, scope: Scope) -> Quantity:
    return as_quantity(_EVALUATE[type(node)](node, scope))


def _literal(node: Literal, scope: Scope) -> Outcome:
    return node.value


def _item(node: Item, scope: Scope) -> Outcome:
    found = observe(node, scope)
    return UNKNOWN if found is None else quantity(found.value)


def _name(node: Name, scope: Scope) -> Outcome:
    variable = scope.evidence.variable(node.name)
    if variable is None:
        return scope.evidence.anchor(node.name) or UNKNOWN
    if node.name in scope.active:
        raise ExpressionError(
            f"The variable '{node.name}' needs itself: {' needs '.join((*scope.active, node.name))}.",
            node.path,
            node.offset,
            "EXPR-CYCLE",
        )
    return _EVALUATE[type(variable)](variable, scope.within_variable(node.name))


def _negate(node: Negate, scope: Scope) -> Outcome:
    return intervals.negate(_quantity(node.operand, scope))


def _calculate(node: Calculate, scope: Scope) -> Outcome:
    return intervals.calculate(node.sign, _quantity(node.left, scope), _quantity(node.right, scope))


def _compare(node: Compare, scope: Scope) -> Truth:
    return intervals.compare(node.sign, _quantity(node.left, scope), _quantity(node.right, scope))


def _between(node: Between, scope: Scope) -> Truth:
    value = _quantity(node.value, scope)
    low = intervals.compare(">=", value, _quantity(node.low, scope))
    if low is Truth.NOT_MET:
        return low
    high = intervals.compare("<=", value, _quantity(node.high, scope))
    return low if high is Truth.MET else high


def _in(node: In, scope: Scope) -> Truth:
    value = _quantity(node.value, scope)
    outcome = Truth.NOT_MET
    for option in node.options:
        # An option of another kind is no match: a choice may have both texts and numbers as codes.
        if intervals.kind(value) in (None, option.kind):
            found = intervals.compare("=", value, _quantity(option, scope))
            if found is Truth.MET:
                return found
            outcome = Truth.UNKNOWN if found is Truth.UNKNOWN else outcome
    return outcome


def _is_known(node: IsKnown, scope: Scope) -> Truth:
    return Truth.MET if is_known(_quantity(node.value, scope)) is node.known else Truth.NOT_MET


def _all(node: All, scope: Scope) -> Truth:
    result = Truth.MET
    for item in node.items:
        outcome = _truth(item, scope)
        if outcome is Truth.NOT_MET:
            return outcome
        if outcome is Truth.UNKNOWN:
            result = outcome
    return result


def _any(node: Any, scope: Scope) -> Truth:
    result = Truth.NOT_MET
    for item in node.items:
        outcome = _truth(item, scope)
        if outcome is Truth.MET:
            return outcome
        if outcome is Truth.UNKNOWN:
            result = outcome
    return result


def _at_least(node: AtLeast, scope: Scope) -> Truth:
    outcomes = [_truth(item, scope) for item in node.items]
    met = outcomes.count(Truth.MET)
    if met >= node.n:
        return Truth.MET
    return Truth.UNKNOWN if met + outcomes.count(Truth.UNKNOWN) >= node.n else Truth.NOT_MET


def _not(node: Not, scope: Scope) -> Truth:
    return _OPPOSITE[_truth(node.operand, scope)]


_OPPOSITE = {Truth.MET: Truth.NOT_MET, Truth.NOT_MET: Truth.MET, Truth.UNKNOWN: Truth.UNKNOWN}


def _labelled(node: Labelled, scope: Scope) -> Outcome:
    return _EVALUATE[type(node.node)](node.node, scope)


@dataclass(frozen=True, slots=True)
class Freshness:
    """Whether an observation may still be used, and the last day on which it may (None if not known)."""

    usable: Truth
    until: date | None


def freshness(node: Fresh, scope: Scope) -> Freshness:
    """How the observation of `fresh` stands on the day of the evidence; its last day of use is inclusive."""
    found = observe(node.item, scope)
    if found is None or found.value is None or found.date is None:
        return Freshness(Truth.UNKNOWN, None)
    earliest = plus_duration(found.date.first, node.duration)[0]
    latest = plus_duration(found.date.last, node.duration)[1]
    today = scope.evidence.as_of
    if today <= earliest:
        usable = Truth.MET
    else:
        usable = Truth.NOT_MET if today > latest else Truth.UNKNOWN
    return Freshness(usable, latest)


def _fresh(node: Fresh, scope: Scope) -> Outcome:
    return _item(node.item, scope) if freshness(node, scope).usable is Truth.MET else UNKNOWN


def _if(node: Call, scope: Scope) -> Outcome:
    condition, then, otherwise = node.arguments
    outcome = _truth(condition, scope)
    if outcome is not Truth.UNKNOWN:
        return evaluate_in(then if outcome is Truth.MET else otherwise, scope)
    return intervals.hull([_quantity(then, scope), _quantity(otherwise, scope)])


def _coalesce(node: Call, scope: Scope) -> Outcome:
    value: Quantity = UNKNOWN
    for argument in node.arguments:
        value = _quantity(argument, scope)
        if is_known(value):
            break
    return value


_FUNCTIONS: dict[str, Callable[..., Quantity]] = {
    "years": lambda start, end: intervals.elapsed("years", start, end),
    "months": lambda start, end: intervals.elapsed("months", start, end),
    "days": lambda start, end: intervals.elapsed("days", start, end),
    "abs": intervals.absolute,
    "round": intervals.rounded,
    "log": intervals.logarithm,
    "log1p": intervals.logarithm_plus_one,
    "exp": intervals.exponential,
    "sqrt": intervals.square_root,
    "least": lambda *values: intervals.extreme(values, smallest=True),
    "greatest": lambda *values: intervals.extreme(values, smallest=False),
}
_LAZY: dict[str, Callable[[Call, Scope], Outcome]] = {"if": _if, "coalesce": _coalesce}


def _call(node: Call, scope: Scope) -> Outcome:
    if node.function in _LAZY:
        return _LAZY[node.function](node, scope)
    return _FUNCTIONS[node.function](*[_quantity(argument, scope) for argument in node.arguments])


def _aggregate(node: Aggregate, scope: Scope) -> Outcome:
    return aggregate(node, scope)


_EVALUATE: dict[type[Node], Callable[[Anything, Scope], Outcome]] = {
    Literal: _literal,
    Item: _item,
    Name: _name,
    Negate: _negate,
    Calculate: _calculate,
    Compare: _compare,
    Between: _between,
    In: _in,
    IsKnown: _is_known,
    Call: _call,
    Fresh: _fresh,
    Aggregate: _aggregate,
    Not: _not,
    All: _all,
    Any: _any,
    AtLeast: _at_least,
    Labelled: _labelled,
}
