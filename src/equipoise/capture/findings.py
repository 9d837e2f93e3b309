"""What a filled form does not satisfy, and the queries that nobody types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from equipoise.access.command import Moment
from equipoise.access.filling import is_unmasking
from equipoise.capture.entries import QueryAnswered, QueryOpened, UnmaskingChecksRun
from equipoise.capture.state import SETTLED, QueryRow, next_query, query_code
from equipoise.definition.expression import Aggregate, Evidence, Name, Node, walk
from equipoise.definition.expression import Item as ItemNode
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.forms import EditCheck, Form, Item
from equipoise.definition.recording import failing_checks, read_values
from equipoise.ledger.entry import Draft


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a row stands, and the day under which it is judged."""

    participant: str
    encounter: str
    row: int
    dated: str | None
    day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that a row does not satisfy: an edit check, or an item that is missing or not asked.

    `origin` names it in a query; one that is `hidden` looks at what would unmask.
    """

    origin: str
    item: str | None
    text: str
    hard: bool
    hidden: bool


def derive_checks(
    definition: StudyDefinition, form: Form, stored: Mapping[str, Any], evidence: Evidence, place: Place
) -> list[Finding]:
    """Return the edit checks that a row does not pass."""
    failing = failing_checks(
        form,
        stored,
        evidence,
        encounter=place.encounter or None,
        row=place.row or None,
        dated=place.dated,
    )
    return [_check_finding(definition, form, check) for check in failing]


def _check_finding(definition: StudyDefinition, form: Form, check: EditCheck) -> Finding:
    named = {
        part.item
        for part in walk(check.holds)
        if isinstance(part, ItemNode | Aggregate) and part.form == form.id and part.item
    }
    return Finding(
        origin=check.id,
        item=named.pop() if len(named) == 1 else None,
        text=check.message,
        hard=check.severity == "hard",
        hidden=form.unmasking or looks_at_unmasking(definition, check.holds),
    )


def derive_findings(
    definition: StudyDefinition, form: Form, stored: Mapping[str, Any], evidence: Evidence, place: Place
) -> list[Finding]:
    """Return the failing checks, and the items that other answers make missing or not asked."""
    found = derive_checks(definition, form, stored, evidence, place)
    if not any(item.when is not None for item in form.items):
        return found
    for problem in read_values(form, stored, evidence).problems:
        item = form.item(problem.item)
        if item is not None and item.when is not None and problem.code in ("ITEM-MISSING", "ITEM-NOT-ASKED"):
            found.append(
                Finding(
                    origin=f"{problem.code}:{item.id}",
                    item=item.id,
                    text=problem.sentence,
                    hard=False,
                    hidden=is_hidden(definition, form, item),
                )
            )
    return found


def is_hidden(definition: StudyDefinition, form: Form, item: Item) -> bool:
    """Tell whether an item would unmask, or whether it is asked at all would."""
    hidden = form.unmasking or item.unmasking
    return hidden or (item.when is not None and looks_at_unmasking(definition, item.when))


def looks_at_unmasking(definition: StudyDefinition, node: Node, opened: frozenset[str] = frozenset()) -> bool:
    """Tell whether an expression, or a variable in it, reads an item or a form that would unmask."""
    for part in walk(node):
        if isinstance(part, ItemNode | Aggregate):
            form = definition.form(part.form)
            if form is not None and (form.unmasking or _reads_unmasking_item(form, part.item)):
                return True
        elif isinstance(part, Name) and part.name not in opened:
            variables = (
                definition.eligibility.variables.get(part.name),
                definition.analysis.variables.get(part.name),
            )
            for variable in variables:
                if variable is not None and looks_at_unmasking(definition, variable, opened | {part.name}):
                    return True
    return False


def _reads_unmasking_item(form: Form, item_id: str | None) -> bool:
    item = None if item_id is None else form.item(item_id)
    return item is not None and item.unmasking


def runs_hidden_checks(definition: StudyDefinition, form: Form) -> bool:
    """Tell whether a form has a rule that looks at what would unmask: a fact of the definition alone."""
    return form.id in _forms_with_hidden_rules(_SameDefinition(definition))


class _SameDefinition:
    """A definition as a key, by its identity: its mappings have no hash of their own."""

    __slots__ = ("definition",)

    def __init__(self, definition: StudyDefinition) -> None:
        self.definition = definition

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _SameDefinition) and other.definition is self.definition

    def __hash__(self) -> int:
        return id(self.definition)


# It is asked at every form, and takes a walk through all of its expressions.
@lru_cache(maxsize=8)
def _forms_with_hidden_rules(same: _SameDefinition) -> frozenset[str]:
    return frozenset(form.id for form in same.definition.forms if _has_hidden_rules(same.definition, form))


def _has_hidden_rules(definition: StudyDefinition, form: Form) -> bool:
    if any(form.unmasking or looks_at_unmasking(definition, check.holds) for check in form.checks):
        return True
    return any(item.when is not None and is_hidden(definition, form, item) for item in form.items)


# -- queries that nobody types


def open_queries(moment: Moment, form: Form, place: Place) -> list[QueryRow]:
    """Return the open queries about one row."""
    return [
        query
        for query in moment.tables.where(QueryRow, participant=place.participant)
        if (query.form, query.encounter, query.row) == (form.id, place.encounter, place.row)
        and query.status == "open"
    ]


def draft_queries(
    moment: Moment, form: Form, place: Place, arisen: Iterable[Finding], settled: Iterable[QueryRow]
) -> tuple[Draft, ...]:
    """Open a query for every finding, and answer those that are settled.

    What looks at unmasking items goes into one entry, which is there whenever the form has such rules.
    """
    arisen, settled = list(arisen), list(settled)
    hidden_rules = runs_hidden_checks(moment.definition, form) or (bool(settled) and is_unmasking(form))
    if not arisen and not settled and not hidden_rules:
        return ()
    visible = [finding for finding in arisen if not finding.hidden]
    hidden = [finding for finding in arisen if finding.hidden]
    first = next_query(moment.tables, unmasking=False) if visible else 0
    drafts = [
        QueryOpened(
            query=query_code(number, unmasking=False),
            participant=place.participant,
            form=form.id,
            encounter=place.encounter,
            row=place.row,
            item=finding.item,
            text=finding.text,
            origin=finding.origin,
        ).draft()
        for number, finding in enumerate(visible, first)
    ]
    drafts += [
        QueryAnswered(participant=place.participant, query=query.query, text=SETTLED).draft()
        for query in settled
        if not query.unmasking
    ]
    if hidden_rules:
        answered = tuple(query.query for query in settled if query.unmasking)
        drafts.append(_draft_hidden_run(moment, form, place, hidden, answered))
    return tuple(drafts)


def _draft_hidden_run(
    moment: Moment, form: Form, place: Place, hidden: list[Finding], answered: tuple[str, ...]
) -> Draft:
    first = next_query(moment.tables, unmasking=True) if hidden else 0
    opened = tuple(
        {
            "query": query_code(number, unmasking=True),
            "item": finding.item,
            "text": finding.text,
            "origin": finding.origin,
        }
        for number, finding in enumerate(hidden, first)
    )
    return UnmaskingChecksRun(
        participant=place.participant,
        form=form.id,
        encounter=place.encounter,
        row=place.row,
        opened=opened,
        answered=answered,
    ).draft()
