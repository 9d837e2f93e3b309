"""Fills the record's model from a file of ClinicalTrials.gov's API v2, leaf by leaf."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from functools import cache
from typing import Any

from equipoise.exchange.registry.criteria import PrintedLine, split_criteria
from equipoise.exchange.registry.json_tree import Branch, Node, Row, leaves, scan
from equipoise.exchange.registry.model import Eligibility, Passage, RegistryRecord
from equipoise.exchange.registry.source import RecordUnreadable, Source, split_lines

_WHOLE_TREES = {"resultsSection": "results", "derivedSection": "derived", "annotationSection": "annotations"}


Plan = tuple[tuple[str, str, tuple[str, ...], type[Any] | None], ...]


@cache
def _plan(cls: Any) -> Plan:
    """Return the fields of a class that stand in a file: name, kind, key, and the class of what is nested."""
    return tuple(
        (spec.name, spec.metadata["kind"], tuple(spec.metadata["key"].split(".")), spec.metadata.get("cls"))
        for spec in fields(cls)
        if "key" in spec.metadata
    )


@cache
def _empty(cls: Any) -> Any:
    return cls()


@dataclass
class _Filler:
    """Fills dataclasses from branches by the keys their fields declare, remembering which leaves found a
    place.
    """

    taken: set[int] = field(default_factory=set)

    def leaf(self, node: Node | None) -> Passage | None:
        if not isinstance(node, Passage):
            return None
        self.taken.add(id(node))
        return node

    def leaf_list(self, node: Node | None) -> tuple[Passage, ...]:
        items = node.items if isinstance(node, Row) else (node,)
        return tuple(passage for item in items if (passage := self.leaf(item)) is not None)

    def fill(self, cls: Any, node: Node | None) -> Any:
        return cls(**self.values(cls, node)) if isinstance(node, Branch) else _empty(cls)

    def values(self, cls: Any, node: Branch) -> dict[str, Any]:
        """Return the fields that the branch has."""
        here = dict(reversed(node.members))
        found: dict[str, Any] = {}
        for name, kind, (first, *below), nested in _plan(cls):
            if first in here:
                found[name] = self.field_value(kind, nested, member(here[first], *below))
        return found

    def field_value(self, kind: str, cls: type[Any] | None, node: Node | None) -> object:
        if kind == "one":
            return self.leaf(node)
        if kind == "many" or cls is None:
            return self.leaf_list(node)
        if kind == "part":
            return self.fill(cls, node)
        branches = node.items if isinstance(node, Row) else ()
        return tuple(self.fill(cls, item) for item in branches if isinstance(item, Branch))


def member(node: Node | None, *names: str) -> Node | None:
    """Follow names downwards; the first of two equal names counts, the second stays not understood."""
    for name in names:
        if not isinstance(node, Branch):
            return None
        node = next((value for key, value in node.members if key == name), None)
    return node


def read_json(source: Source) -> RegistryRecord:
    """Read the text of an API v2 study file.

    Raises RecordUnreadable with REC-NOT-A-RECORD for JSON that holds no single study, and the codes of
    `scan`.
    """
    if not source.text.lstrip().startswith("{"):
        raise _not_a_record()
    scanned = scan(source.text)
    root = scanned.root
    if not isinstance(root, Branch) or not isinstance(member(root, "protocolSection"), Branch):
        raise _not_a_record()
    filler = _Filler()
    values = filler.values(RegistryRecord, root)
    for section, name in _WHOLE_TREES.items():
        tree = member(root, section)
        values[name] = tuple(leaves(tree)) if tree is not None else ()
        filler.taken.update(id(passage) for passage in values[name])
    cut_line = scanned.cut_line
    lines = split_lines(source.text)
    if cut_line is None and source.cut:
        cut_line = len(lines)
    record = RegistryRecord(
        kind="json",
        lines=lines,
        not_understood=tuple(passage for passage in scanned.leaves if id(passage) not in filler.taken),
        incomplete=Passage("", cut_line, lines[cut_line - 1].strip()) if cut_line is not None else None,
        results_tree=member(root, "resultsSection"),
        **values,
    )
    return replace(record, eligibility=_with_criteria(record.eligibility))


def _with_criteria(eligibility: Eligibility) -> Eligibility:
    printed = [
        PrintedLine(len(line) - len(line.lstrip()), Passage(text.section, text.line, line.strip()))
        for text in eligibility.text
        for line in text.text.split("\n")
        if line.strip()
    ]
    criteria, remarks = split_criteria(printed)
    return replace(eligibility, criteria=criteria, remarks=remarks)


def _not_a_record() -> RecordUnreadable:
    return RecordUnreadable(
        "REC-NOT-A-RECORD",
        "The file is JSON, but not the record of one study: it has no protocolSection. Download the "
        "study from the registry.",
        "line 1",
    )
