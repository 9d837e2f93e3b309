"""Why a condition is met, not met or unknown: the tree of outcomes with the observations behind each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from .aggregate import Scope, observe, select
from .evaluate import Outcome, as_truth, evaluate_in, freshness, scope_of
from .evidence import Evidence, Observation
from .nodes import (
    Aggregate,
    All,
    Any,
    AtLeast,
    Between,
    Compare,
    Fresh,
    In,
    IsKnown,
    Item,
    Labelled,
    Name,
    Node,
    Not,
)
from .prose import Names, PlainNames, phrase, prose
from .values import Interval, PartialDate, Quantity, Truth, Value, plain

MARKS = {Truth.MET: "+", Truth.NOT_MET: "-", Truth.UNKNOWN: "?"}


@dataclass(frozen=True, slots=True)
class Source:
    """One observation behind an outcome, or its lack; of an anchor, `form` is empty and `item` the name.

    `open` says that it leaves something to be recorded before an outcome can be told.
    """

    form: str
    item: str
    value: Value
    encounter: str | None = None
    date: PartialDate | None = None
    recorded_at: str | None = None
    note: str = ""
    open: bool = field(default=False, compare=False)

    def line(self) -> str:
        """`relapse.date = 2024-05 at screening, dated 2024-05, entered 2024-06-01T09:00:00Z: may count`."""
        name = ".".join(part for part in (self.form, self.item) if part)
        text = name if self.value is None and self.note else f"{name} = {shown(self.value)}"
        text += f" at {self.encounter}" if self.encounter else ""
        text += f", dated {self.date}" if self.date else ""
        text += f", entered {self.recorded_at}" if self.recorded_at else ""
        return f"{text}: {self.note}" if self.note else text


@dataclass(frozen=True, slots=True)
class Explanation:
    """One part of a condition and how it stands.

    `outcome` is None for a quantity (a variable that is no condition); `value` is None for a joint of
    conditions.
    """

    text: str
    outcome: Truth | None
    value: Quantity | None
    sources: tuple[Source, ...]
    children: tuple[Explanation, ...]

    def lines(self, indent: int = 0) -> list[str]:
        """Plain text: + met, - not met, ? unknown, = a value; indented by two spaces a level."""
        space = "  " * indent
        if self.outcome is not None:
            head = f"{space}{MARKS[self.outcome]} {self.text}: {self.outcome.value}"
            found = "" if self.value is None else f" (found: {shown(self.value)})"
        else:
            head, found = f"{space}= {self.text}: {shown(self.value)}", ""
        result = [head + found, *(f"{space}    {source.line()}" for source in self.sources)]
        for child in self.children:
            result += child.lines(indent + 1)
        return result


def shown(value: Value | Quantity) -> str:
    """A value or interval as plain text."""
    if value is None:
        return "missing"
    if isinstance(value, Interval):
        if value.low is None and value.high is None:
            return "unknown"
        if value.high is None:
            return f"{shown(value.low)} or more"
        return (
            f"at most {shown(value.high)}"
            if value.low is None
            else f"{shown(value.low)} to {shown(value.high)}"
        )
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return plain(value)
    return str(value)


class _EvidenceNames(PlainNames):
    def __init__(self, evidence: Evidence) -> None:
        super().__init__(lambda name: evidence.variable(name) is not None)


def explain(node: Node, evidence: Evidence, names: Names | None = None) -> Explanation:
    """How each part of `node` stands, with its evidence; `names` gives the words (identifiers by default)."""
    scope = scope_of(evidence)
    return _explain(node, scope, names or _EvidenceNames(evidence), _is_condition(evaluate_in(node, scope)))


def _is_condition(outcome: Outcome) -> bool:
    return isinstance(outcome, Truth | bool)


def _explain(node: Node, scope: Scope, names: Names, condition: bool = True) -> Explanation:
    found = evaluate_in(node, scope)
    outcome = as_truth(found) if condition else None
    if isinstance(node, Labelled):
        inner = _explain(node.node, scope, names, condition)
        return Explanation(node.label, outcome, None, (), (inner,))
    if isinstance(node, All | Any | AtLeast | Not):
        children = tuple(_explain(child, scope, names) for child in node.children())
        return Explanation(_heading(node), outcome, None, (), children)
    if isinstance(node, Name) and scope.evidence.variable(node.name) is not None:
        return _variable(node, scope, names, condition)
    sources = tuple(dict.fromkeys(_sources(node, scope)))
    children = tuple(
        _variable(name, scope, names, _is_condition(evaluate_in(name, scope)))
        for name in _variables(node, scope)
    )
    value = _compared(node, scope) if condition else _as_value(found)
    text = prose(node, names) if condition else phrase(node, names)
    return Explanation(text, outcome, value, sources, children)


def _heading(node: All | Any | AtLeast | Not) -> str:
    if isinstance(node, AtLeast):
        return f"at least {node.n} of {len(node.items)}"
    return {All: "all of", Any: "any of", Not: "not"}[type(node)]


def _variable(node: Name, scope: Scope, names: Names, condition: bool) -> Explanation:
    """A variable by its own expression: a condition as such, a quantity by its value."""
    definition = scope.evidence.variable(node.name)
    assert definition is not None, "only called for variables"
    inner = _explain(definition, scope.within_variable(node.name), names, condition)
    text = prose(node, names)
    if condition:
        return Explanation(text, inner.outcome, None, (), (inner,))
    return Explanation(f"{text}, {inner.text}", None, inner.value, inner.sources, inner.children)


def _variables(node: Node, scope: Scope) -> list[Name]:
    found: dict[str, Name] = {}
    for part in _parts(node):
        if isinstance(part, Name) and scope.evidence.variable(part.name) is not None:
            found.setdefault(part.name, part)
    return list(found.values())


def _parts(node: Node) -> Iterator[Node]:
    """The node and all below it, except what is told with it: the `where` of rows, the item of `fresh`."""
    yield node
    if isinstance(node, Aggregate):
        yield from node.window.anchors() if node.window is not None else ()
    elif not isinstance(node, Fresh):
        for child in node.children():
            yield from _parts(child)


def _as_value(outcome: Outcome) -> Quantity | None:
    return None if isinstance(outcome, Truth) else outcome


def _compared(node: Node, scope: Scope) -> Quantity | None:
    """What a leaf found: the value of what it compares, or its own."""
    compares = isinstance(node, Compare | Between | In | IsKnown)
    return _as_value(evaluate_in(node.children()[0] if compares else node, scope))


def _sources(node: Node, scope: Scope) -> Iterator[Source]:
    for part in _parts(node):
        if isinstance(part, Fresh):
            yield _fresh_source(part, scope)
        elif isinstance(part, Item):
            yield _source(part, observe(part, scope))
        elif isinstance(part, Name) and scope.evidence.variable(part.name) is None:
            day = scope.evidence.anchor(part.name)
            note = "" if day else "this date is not yet known"
            yield Source("", part.name, day, note=note, open=day is None)
        elif isinstance(part, Aggregate):
            yield from _row_sources(part, scope)


def _source(item: Item, found: Observation | None, note: str = "", *, open: bool = False) -> Source:
    if found is None:
        note = note or "nothing is recorded"
        return Source(item.form, item.item, None, item.encounter, note=note, open=True)
    return Source(
        found.form,
        found.item,
        found.value,
        found.encounter,
        found.date,
        found.recorded_at,
        note,
        open or found.value is None,
    )


def _fresh_source(node: Fresh, scope: Scope) -> Source:
    found, state = observe(node.item, scope), freshness(node, scope)
    if state.until is None:
        known = found is not None and found.value is not None
        return _source(node.item, found, "its date is not known" if known else "", open=True)
    if state.usable is Truth.MET:
        return _source(node.item, found, f"valid until {state.until}")
    if state.usable is Truth.NOT_MET:
        note = f"expired after {state.until}, being valid for {node.duration}"
        return _source(node.item, found, note, open=True)
    note = f"may have expired: it is valid for {node.duration} from its date"
    return _source(node.item, found, note, open=True)


def _row_sources(node: Aggregate, scope: Scope) -> Iterator[Source]:
    selection = select(node, scope)
    for selected in selection.rows:
        row, sure = selected.row, selected.match is Truth.MET
        note = "counts" if sure else "may count, as its date or another of its values is not exactly known"
        seen = row.values.get(node.item) if node.item is not None else next(iter(row.values.values()), None)
        entered = None if seen is None else seen.recorded_at
        value = None if node.item is None or seen is None else seen.value
        lacks = node.item is not None and value is None
        if lacks:
            note += ", but has no value"
        yield Source(
            node.form, node.item or "", value, row.encounter, row.date, entered, note, lacks or not sure
        )
    for encounter in selection.absent:
        yield Source(node.form, node.item or "", None, encounter, note="nothing is recorded", open=True)
    if scope.evidence.is_log(node.form):
        note = _review_note(node, scope, selection.complete)
        yield Source(node.form, "", None, note=note, open=not selection.complete)


def _review_note(node: Aggregate, scope: Scope, complete: bool) -> str:
    reviewed = scope.evidence.reviewed(node.form)
    if reviewed is None:
        return "this log has not been confirmed complete"
    return f"this log was confirmed complete through {reviewed}{'' if complete else ', which is too early'}"
