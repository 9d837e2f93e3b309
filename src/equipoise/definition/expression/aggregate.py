"""Aggregates over rows: which rows count for sure, which may, and whether rows may be missing.

Windows include both of their days. A row whose date is partial or unknown, whose `where` is unknown, or whose
window hangs on an unknown anchor may or may not count. A log may hold rows that nobody has entered yet,
unless it was confirmed complete through the end of the window (through the day of the evidence when the
window has no end).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from . import intervals
from .evidence import Evidence, FormRow, Observation
from .nodes import Aggregate, Item, Moment, Node, Window
from .values import UNKNOWN, PartialDate, Quantity, Truth, is_known, plus_duration, quantity


class Scope:
    """Where an expression is evaluated: evidence, rows around it (innermost first), open variables.

    `evaluate` is the evaluator itself, handed down so that this module need not import it.
    """

    __slots__ = ("active", "evaluate", "evidence", "rows")

    def __init__(
        self,
        evidence: Evidence,
        evaluate: Callable[[Node, Scope], Truth | Quantity],
        rows: tuple[FormRow, ...] = (),
        active: tuple[str, ...] = (),
    ) -> None:
        self.evidence = evidence
        self.evaluate = evaluate
        self.rows = rows
        self.active = active

    def within_row(self, row: FormRow) -> Scope:
        """The scope of a `where` for one row."""
        return Scope(self.evidence, self.evaluate, (row, *self.rows), self.active)

    def within_variable(self, name: str) -> Scope:
        """The scope of a variable's expression: it sees no rows of the place where it is used."""
        return Scope(self.evidence, self.evaluate, (), (*self.active, name))


def observe(node: Item, scope: Scope) -> Observation | None:
    """The observation that `form.item` means here: in a `where` of that form, the row's own."""
    if node.encounter is not None:
        return scope.evidence.at(node.form, node.item, node.encounter)
    for row in scope.rows:
        if row.form == node.form:
            return row.values.get(node.item)
    return scope.evidence.latest(node.form, node.item)


@dataclass(frozen=True, slots=True)
class Span:
    """A window in which each end is known between two days."""

    start: tuple[date, date]
    end: tuple[date, date]

    def holds(self, day: PartialDate | None) -> Truth:
        """Whether a day lies in the window."""
        first, last = _days(day)
        if first >= self.start[1] and last <= self.end[0]:
            return Truth.MET
        return Truth.NOT_MET if last < self.start[0] or first > self.end[1] else Truth.UNKNOWN


class Selected(NamedTuple):
    """A row that counts (MET) or may count (UNKNOWN)."""

    row: FormRow
    match: Truth


@dataclass(frozen=True, slots=True)
class Selection:
    """The rows of an aggregate in clinical order.

    `complete` is false when a log may hold further rows; `absent` are listed encounters at which nothing was
    recorded.
    """

    rows: tuple[Selected, ...]
    complete: bool
    absent: tuple[str, ...]


def select(node: Aggregate, scope: Scope) -> Selection:
    """The rows that `where`, window and encounters leave."""
    span = None if node.window is None else _span(node.window, scope)
    rows: list[Selected] = []
    at: set[str | None] = set()
    for row in scope.evidence.rows(node.form):
        if node.encounters and row.encounter not in node.encounters:
            continue
        at.add(row.encounter)
        match = Truth.MET if span is None else span.holds(row.date)
        if match is not Truth.NOT_MET and node.where is not None:
            match = _weaker(match, scope.evaluate(node.where, scope.within_row(row)))
        if match is not Truth.NOT_MET:
            rows.append(Selected(row, match))
    absent = () if node.item is None else tuple(name for name in node.encounters if name not in at)
    return Selection(tuple(rows), _is_complete(node, scope, span), absent)


def _weaker(match: Truth, where: Truth | Quantity) -> Truth:
    """Both at once; `match` is MET or UNKNOWN."""
    if where is Truth.MET or where is True:
        return match
    return Truth.NOT_MET if where is Truth.NOT_MET or where is False else Truth.UNKNOWN


def _is_complete(node: Aggregate, scope: Scope, span: Span | None) -> bool:
    if not scope.evidence.is_log(node.form):
        return True
    reviewed = scope.evidence.reviewed(node.form)
    if reviewed is None:
        return False
    # Without an end the question is about the day of the evidence: the future cannot be reviewed.
    needed = scope.evidence.as_of
    if span is not None and node.window is not None and node.window.end is not None:
        needed = span.end[1]
    return reviewed >= needed


def _span(window: Window, scope: Scope) -> Span:
    start = (date.min, date.min) if window.start is None else _moment(window.start, scope)
    end = (date.max, date.max) if window.end is None else _moment(window.end, scope)
    return Span(start, end)


def _moment(moment: Moment, scope: Scope) -> tuple[date, date]:
    anchor = scope.evaluate(moment.anchor, scope)
    if type(anchor) is Truth or intervals.kind(anchor) != "date":  # type: ignore[arg-type]  # a quantity is left
        return date.min, date.max
    low, high = intervals.ends(anchor)  # type: ignore[arg-type]
    low, high = date.min if low is None else low, date.max if high is None else high
    if moment.shift is None:
        return low, high
    return plus_duration(low, moment.shift, moment.sign)[0], plus_duration(high, moment.shift, moment.sign)[1]


def _days(day: PartialDate | None) -> tuple[date, date]:
    return (date.min, date.max) if day is None else (day.first, day.last)


class _Term(NamedTuple):
    """One value of an aggregate: sure to count or not, and the row's days."""

    value: Quantity
    sure: bool
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class _Terms:
    """Values of an aggregate; `complete` is false when there may be more of them."""

    terms: Sequence[_Term]
    complete: bool

    def sure(self) -> list[Quantity]:
        return [term.value for term in self.terms if term.sure]

    def every(self) -> list[Quantity]:
        return [term.value for term in self.terms]


def aggregate(node: Aggregate, scope: Scope) -> Truth | Quantity:
    """The value of an aggregate over its selection."""
    selection = select(node, scope)
    terms: list[_Term] = []
    for selected in selection.rows:
        value: Quantity = True
        if node.item is not None:
            seen = selected.row.values.get(node.item)
            value = UNKNOWN if seen is None else quantity(seen.value)
        terms.append(_Term(value, selected.match is Truth.MET, *_days(selected.row.date)))
    terms += [_Term(UNKNOWN, True, date.min, date.max) for _ in selection.absent]
    if node.known:
        terms = [term for term in terms if is_known(term.value)]
    return _COMBINE[node.function](_Terms(terms, selection.complete))


def _count(of: _Terms) -> Quantity:
    low = len([value for value in of.sure() if is_known(value)])
    return intervals.between(low, len(of.terms) if of.complete else None)


def _any(of: _Terms) -> Truth:
    if any(value is True for value in of.sure()):
        return Truth.MET
    return Truth.NOT_MET if of.complete and all(value is False for value in of.every()) else Truth.UNKNOWN


def _sum(of: _Terms) -> Quantity:
    if not of.complete:
        return UNKNOWN
    total: Quantity = 0
    for term in of.terms:
        # A row that may count adds its value or nothing.
        value = term.value if term.sure else intervals.hull([0, term.value])
        total = intervals.calculate("+", total, value)
    return total


def _mean(of: _Terms) -> Quantity:
    if not of.complete or not of.sure():
        return UNKNOWN
    if len(of.sure()) < len(of.terms):
        hull = intervals.hull(of.every())
        return hull if intervals.kind(hull) == "number" else UNKNOWN
    return intervals.calculate("/", _sum(of), len(of.terms))


def _smallest(of: _Terms) -> Quantity:
    return _extreme(of, smallest=True)


def _largest(of: _Terms) -> Quantity:
    return _extreme(of, smallest=False)


def _extreme(of: _Terms, smallest: bool) -> Quantity:
    """Bounded on the near side by the sure values, on the far side by all that may count."""
    if not of.sure():
        return UNKNOWN
    near = intervals.extreme(of.sure(), smallest)
    far = intervals.extreme(of.every(), smallest) if of.complete else UNKNOWN
    (near_low, near_high), (far_low, far_high) = intervals.ends(near), intervals.ends(far)
    return intervals.between(far_low, near_high) if smallest else intervals.between(near_low, far_high)


def _first(of: _Terms) -> Quantity:
    # Backwards in time, the first is the last.
    turned = [(-term.last.toordinal(), -term.first.toordinal(), term) for term in reversed(of.terms)]
    return _outermost(of, turned)


def _last(of: _Terms) -> Quantity:
    return _outermost(of, [(term.first.toordinal(), term.last.toordinal(), term) for term in of.terms])


def _outermost(of: _Terms, ordered: list[tuple[int, int, _Term]]) -> Quantity:
    """The value of the row after which none surely comes, or the hull of all that may be that row."""
    if not of.complete or not of.sure():
        return UNKNOWN
    reached = max(early for early, _, term in ordered if term.sure)
    on_that_day = [
        index for index, (early, late, term) in enumerate(ordered) if term.sure and early == late == reached
    ]
    final = on_that_day[-1] if on_that_day else -1
    candidates = [
        term.value
        for index, (early, late, term) in enumerate(ordered)
        # On the same day, the order of the ledger decides.
        if late > reached or (late == reached and (early < late or index >= final))
    ]
    return intervals.hull(candidates)


_COMBINE: dict[str, Callable[[_Terms], Truth | Quantity]] = {
    "count": _count,
    "any": _any,
    "sum": _sum,
    "mean": _mean,
    "min": _smallest,
    "max": _largest,
    "first": _first,
    "last": _last,
}
