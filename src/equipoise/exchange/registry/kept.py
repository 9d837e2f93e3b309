"""A study folder that began as a registry record: what the record says beyond it comes back when it is
written.

The record lies beside the folder's own files as `record.json`. Written again, it is merged in three ways:
what the record says stands; what the folder says otherwise than it did as a draft is the folder's; what the
folder no longer says is gone. So a record comes back leaf by leaf, and a title is changed in study.yaml
alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from equipoise.definition.findings import Finding, has_errors
from equipoise.definition.load import check_study
from equipoise.definition.source import read_folder
from equipoise.exchange.registry.align import folded, pair
from equipoise.exchange.registry.draft import draft_parts
from equipoise.exchange.registry.model import RegistryRecord
from equipoise.exchange.registry.read import read_record
from equipoise.exchange.registry.tree import Tree, leaves_of, objects, record_tree, text_of
from equipoise.exchange.registry.write_record import (
    REGISTRY_FILE,
    STUDY,
    Parts,
    named_with_type,
    record_of,
    stated_parts,
)

RECORD_NAME: Final = "record.json"
"""The record that a study folder began as, in the form of the API, among the folder's files."""

_LACKING: Final = frozenset({"KEY-MISSING", "FILE-MISSING"})
_MISSING: Final = object()
_ANSWERS: Final = "The registry says it, not the study."
_REASONS: Final = (
    (re.compile(r"resultsSection\b"), "Results are those of a trial, not of its definition."),
    (re.compile(r"derivedSection\b"), "The registry derives it."),
    (re.compile(r"annotationSection\b"), "The registry adds it."),
    (re.compile(r"documentSection\b"), "Documents lie beside a definition, not in it."),
    (re.compile(r"hasResults|.*\.(nctIdAliases|delayedPosting|fdaaa801Violation)\b"), _ANSWERS),
    (
        re.compile(r".*\.(interventionNames|armGroupLabels)\["),
        "A record does not say in which epoch an arm is given what it is given.",
    ),
)
_NO_FIELD: Final = "The study folder has no field that takes it."
_OTHERWISE: Final = "The study folder says it in other words."


class RecordRefused(Exception):
    """A record that is not written: a stable `code`, and a `sentence` with what to do."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(f"{code}: {sentence}")
        self.code = code
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Loss:
    """A leaf of a record that the draft of a study folder does not hold: its path, its value, and why.

    It `returns` from `record.json` when the record is written again.
    """

    path: str
    value: object
    why: str
    returns: bool = True


def holds_record(folder: Path) -> bool:
    """Say whether a study folder began as a record, which lies beside its files."""
    return (folder / RECORD_NAME).is_file()


def folder_record(folder: Path) -> Tree:
    """Return the record of a study folder that began as one, with what was kept of that.

    A draft that is no definition yet is written as far as it goes. Raises RecordRefused (REC-DRAFT) for a
    folder with faults beyond what a draft lacks, and RecordUnreadable for a `record.json` that is none.
    """
    definition, findings = check_study(folder)
    kept = read_record(folder / RECORD_NAME)
    if definition is not None:
        return written_again(kept, stated_parts(definition))
    faults = tuple(each for each in findings if each.code not in _LACKING)
    if has_errors(faults):
        raise _refused(folder, faults)
    files = read_folder(folder)[0].files
    return written_again(kept, {name: file.data for name, file in files.items()})


def written_again(kept: RegistryRecord, parts: Parts) -> Tree:
    """Return a record as the files of the study folder that it became say it now."""
    tree, was, now = record_tree(kept), _written(as_read(draft_parts(kept, ()))), _written(parts)
    for each in (tree, was):
        _rename(each, was, now)
    made: Tree = merged(tree, was, now)
    return made


def as_read(tree: Any) -> Any:
    """Return a tree of a draft as it reads once it is written: dates as text, no space ends a line."""
    if isinstance(tree, Mapping):
        return {name: as_read(below) for name, below in tree.items()}
    if isinstance(tree, list):
        return [as_read(each) for each in tree]
    if isinstance(tree, str):
        return "\n".join(line.rstrip() for line in tree.strip().split("\n")) if "\n" in tree else tree
    return tree.isoformat() if isinstance(tree, date) else tree


def _written(parts: Parts) -> Tree:
    """Write the record; the enrolment is that of the record, as long as registry.yaml says one."""
    study = dict(parts.get(STUDY, {}))
    if "enrolment_count" in parts.get(REGISTRY_FILE, {}):
        study.pop("planned_enrolment", None)
    made = record_of({**parts, STUDY: study})
    # Whether there are results is known of the record alone.
    del made["hasResults"]
    return made


def _refused(folder: Path, findings: Iterable[Finding]) -> RecordRefused:
    first = next(each for each in findings if each.severity == "error")
    return RecordRefused(
        "REC-DRAFT",
        f"The record is not written, because {folder.name} has faults that even a draft must not have, as in "
        f"{first.line()} Run: equipoise check {folder.name}",
    )


# -- merging


def merged(kept: Any, was: Any, now: Any, name: str = "") -> Any:
    """Return what was kept, with the difference between two writings of the folder laid over it."""
    if was == now:
        return kept
    if isinstance(kept, dict) and isinstance(now, dict):
        before = was if isinstance(was, dict) else {}
        made = {
            key: _member(kept.get(key, _MISSING), before.get(key, _MISSING), now.get(key, _MISSING), key)
            for key in dict.fromkeys((*kept, *now))
        }
        return {key: value for key, value in made.items() if value is not _MISSING}
    if isinstance(kept, list) and isinstance(now, list):
        return _merged_list(kept, was if isinstance(was, list) else [], now, name)
    return now


def _member(kept: Any, was: Any, now: Any, name: str) -> Any:
    if was == now:
        return kept
    if kept is _MISSING:
        return now
    if now is _MISSING:
        # What only the record knew of it stays; a container that is empty without the rest goes.
        left = merged(kept, was, type(kept)(), name) if isinstance(kept, dict | list) else _MISSING
        return left or _MISSING
    return merged(kept, was, now, name)


def _merged_list(kept: list[Any], was: list[Any], now: list[Any], name: str) -> list[Any]:
    """Merge a list by what its items are: those of the folder in its order, then those it never had."""
    source = pair(kept, was, name, fill=True)
    made: list[Any] = []
    for item, before in zip(now, _edited(was, now, name), strict=True):
        if before is None:
            made.append(item)
            continue
        place = source.old_of[before]
        if place is not None:
            made.append(merged(kept[place], was[before], item))
        elif was[before] != item:
            made.append(item)
    return made + [kept[place] for place in source.gone]


def _edited(was: list[Any], now: list[Any], name: str) -> tuple[int | None, ...]:
    """Say which item each was before somebody edited the folder; one in an arm's place is the arm renamed."""
    return pair(was, now, name, fill=name in ("armGroups", "interventions")).old_of


def _rename(tree: Tree, was: Tree, now: Tree) -> None:
    """Call arms and interventions by their new names where the record points to them."""
    section = ("protocolSection", "armsInterventionsModule")
    for own, there, pointer, called in (
        ("armGroups", "interventions", "armGroupLabels", lambda each: text_of(each.get("label"))),
        ("interventions", "armGroups", "interventionNames", named_with_type),
    ):
        before, after = objects(was, *section, own), objects(now, *section, own)
        names = {
            folded(called(before[place])): called(item)
            for item, place in zip(after, _edited(before, after, own), strict=True)
            if place is not None and called(before[place]) != called(item)
        }
        for node in objects(tree, *section, there):
            if isinstance(node.get(pointer), list):
                node[pointer] = [names.get(folded(each), each) for each in node[pointer]]


# -- what is lost


def losses_of(record: RegistryRecord) -> tuple[Loss, ...]:
    """Return what a record says and the draft of a study folder does not: that comes back from record.json.

    Of a copied page, and of a file that was cut off, also what the API has no place for, or the file no end:
    that does not come back.
    """
    tree = record_tree(record)
    made = _written(as_read(draft_parts(record, ())))
    found = [Loss(path, value, _why(path, other)) for path, value, other in _unheld(tree, made)]
    there = dict(leaves_of(tree))
    if record.kind == "json" and record.incomplete is None:
        return (*found, *_doubled(record, there))
    outside = (
        *record.related_terms,
        *record.not_understood,
        *record.results,
        *record.derived,
        *record.annotations,
    )
    return (*found, *(Loss(one.section, one.text, _why(one.section, _MISSING), False) for one in outside))


def _doubled(record: RegistryRecord, there: Mapping[str, object]) -> Iterator[Loss]:
    for passage in record.not_understood:
        value = there.get(passage.section, _MISSING)
        if isinstance(value, str) and value == passage.text:
            continue
        if not isinstance(value, str) and value is not _MISSING and _reads_as(passage.text, value):
            continue
        yield Loss(passage.section, passage.text, "Of two keys of one name the first counts.", False)


def _reads_as(text: str, value: object) -> bool:
    try:
        return bool(json.loads(text) == value)
    except ValueError:
        return False


def _why(path: str, other: object) -> str:
    known = next((why for pattern, why in _REASONS if pattern.match(path)), _NO_FIELD)
    return known if other is _MISSING else _OTHERWISE


def _unheld(kept: Any, made: Any, path: str = "", name: str = "") -> Iterator[tuple[str, object, object]]:
    """Yield the leaves that are not, or not so, in what was made: path, value, and the other value."""
    if isinstance(kept, dict) and kept:
        for key, value in kept.items():
            other = made.get(key, _MISSING) if isinstance(made, dict) else _MISSING
            yield from _unheld(value, other, f"{path}.{key}" if path else key, key)
    elif isinstance(kept, list) and kept:
        others = made if isinstance(made, list) else []
        new_of = pair(kept, others, name, fill=True).new_of
        for place, value in enumerate(kept):
            other = others[new_of[place]] if place in new_of else _MISSING
            yield from _unheld(value, other, f"{path}[{place}]")
    elif kept != made:
        yield path, kept, made
