"""Two versions of a record compared: what was added, removed, changed and moved, in words, by module.

Arms, outcomes, locations and the like are compared by what they are, not by where they stand: another order
is no change.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from equipoise.exchange.registry.align import alike, pair
from equipoise.exchange.registry.compare_words import Named, Step, module_of, named, sentence_of, weight_of
from equipoise.exchange.registry.tree import Tree

Kind = Literal["added", "removed", "changed", "moved"]
_CATEGORIES: Final = ("primaryOutcomes", "secondaryOutcomes", "otherOutcomes")
_MISSING: Final = object()
# Objects of which one sentence tells all: a count with its type, a date with its type.
_TOGETHER: Final = ("enrollmentInfo",)
_DATED: Final = "DateStruct"


@dataclass(frozen=True, slots=True)
class Change:
    """A difference: where it stands in either version, the two values, and a sentence for a reader.

    `weight` is 1 for what decides what the study can show (status, enrolment, design, arms, eligibility,
    primary outcomes), 2 for its other outcomes, dates and results, 3 for where and by whom, 4 for words, and
    5 for what the registry adds. A path is empty where that version has nothing of it.
    """

    module: str
    kind: Kind
    weight: int
    old_path: str
    new_path: str
    old: object
    new: object
    sentence: str


@dataclass(frozen=True, slots=True)
class _Raw:
    """A difference before it is put into words: the steps to it in both versions."""

    kind: Kind
    steps: tuple[Step, ...]
    old_path: str
    new_path: str
    old: Any = None
    new: Any = None


def compare_records(old: Tree, new: Tree) -> tuple[Change, ...]:
    """Return what is different between two records in the form of the API, the weightiest first."""
    found = (_told(each) for each in _members(old, new, (), "", ""))
    return tuple(sorted(found, key=lambda change: (change.weight, change.module)))


def comparison_text(changes: Sequence[Change]) -> str:
    """Return changes as text: module by module, the module with the weightiest change first."""
    if not changes:
        return "The two versions say the same.\n"
    modules: dict[str, list[Change]] = {}
    for change in changes:
        modules.setdefault(change.module, []).append(change)
    return "\n".join(
        line
        for module, found in modules.items()
        for line in (module, *(f"  {_alone(change)}" for change in found), "")
    )


def comparison_json(changes: Sequence[Change]) -> str:
    """Return changes as the text of a file: a JSON list."""
    return json.dumps([asdict(change) for change in changes], ensure_ascii=False, indent=2) + "\n"


def _alone(change: Change) -> str:
    """Return the sentence of a change without its module."""
    sentence = change.sentence.removeprefix(f"{change.module}: ")
    return sentence[0].upper() + sentence[1:]


def _told(raw: _Raw) -> Change:
    old, new = (None if value is _MISSING else value for value in (raw.old, raw.new))
    module, weight = module_of(raw.steps), weight_of(raw.steps, raw.kind)
    return Change(
        module,
        raw.kind,
        weight,
        raw.old_path,
        raw.new_path,
        old,
        new,
        f"{module}: {sentence_of(raw.kind, raw.steps, old, new)}",
    )


# -- finding differences


def _differences(old: Any, new: Any, steps: tuple[Step, ...], was: str, now: str) -> Iterator[_Raw]:
    """Yield the differences below two nodes; `was` and `now` are their paths."""
    name = steps[-1].key
    if isinstance(old, Mapping) and isinstance(new, Mapping) and old and new:
        if name in _TOGETHER or name.endswith(_DATED):
            if old != new:
                yield _Raw("changed", steps, was, now, old, new)
        elif name == "outcomesModule":
            yield from _outcomes(old, new, steps, was, now)
        else:
            yield from _members(old, new, steps, was, now)
    elif isinstance(old, list) and isinstance(new, list) and old and new:
        marked = [[_entry(each, name, place, path) for place, each in enumerate(found)]
                  for found, path in ((old, was), (new, now))]  # fmt: skip
        yield from _lists(marked[0], marked[1], steps[:-1], name)
    elif old != new or _kind_of(old) != _kind_of(new):
        yield _Raw("changed", steps, was, now, old, new)


def _kind_of(value: object) -> type:
    return float if isinstance(value, int | float) and not isinstance(value, bool) else type(value)


def _members(
    old: Mapping[str, Any], new: Mapping[str, Any], steps: tuple[Step, ...], was: str, now: str
) -> Iterator[_Raw]:
    for key in dict.fromkeys((*old, *new)):
        before, after = old.get(key, _MISSING), new.get(key, _MISSING)
        paths = _below(was, key), _below(now, key)
        below = (*steps, Step(key))
        if before is _MISSING or after is _MISSING:
            yield from _one_sided(before, after, below, *paths)
        else:
            yield from _differences(before, after, below, *paths)


def _one_sided(before: Any, after: Any, steps: tuple[Step, ...], was: str, now: str) -> Iterator[_Raw]:
    """Yield what only one version has: an object by its members, a list by its items, else the thing."""
    kind: Kind = "added" if before is _MISSING else "removed"
    there, name = after if kind == "added" else before, steps[-1].key
    together = name in _TOGETHER or name.endswith(_DATED)
    if isinstance(there, Mapping) and there and not together:
        for key, below in there.items():
            lost, come = (_MISSING, below) if kind == "added" else (below, _MISSING)
            yield from _one_sided(lost, come, (*steps, Step(key)), _below(was, key), _below(now, key))
    elif isinstance(there, list) and there:
        path = now if kind == "added" else was
        marked = [_entry(each, name, place, path) for place, each in enumerate(there)]
        gone, come_items = ([], marked) if kind == "added" else (marked, [])
        yield from _lists(gone, come_items, steps[:-1], name)
    else:
        yield _Raw(
            kind, steps, "" if kind == "added" else was, "" if kind == "removed" else now, before, after
        )


def _below(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


@dataclass(frozen=True, slots=True)
class _Entry:
    """An item of a list, with what it is called, and its path."""

    item: Any
    called: Named
    path: str
    category: str = ""


def _entry(item: Any, name: str, place: int, path: str, category: str = "") -> _Entry:
    return _Entry(item, named(item, name, place), f"{path}[{place}]", category)


def _lists(
    old: Sequence[_Entry], new: Sequence[_Entry], steps: tuple[Step, ...], name: str
) -> Iterator[_Raw]:
    pairs = alike(
        [each.item for each in old],
        [each.item for each in new],
        pair([_marked(each) for each in old], [_marked(each) for each in new], name),
        name,
    )
    for place, source in enumerate(pairs.old_of):
        after = new[place]
        if source is None:
            yield _Raw(
                "added",
                (*steps, Step(after.category or name, after.called)),
                "",
                after.path,
                None,
                after.item,
            )
            continue
        before = old[source]
        below = (*steps, Step(before.category or name, before.called, after.category, after.called))
        if before.category != after.category:
            yield _Raw("moved", below, before.path, after.path, before.category, after.category)
        yield from _differences(before.item, after.item, below, before.path, after.path)
    for place in pairs.gone:
        before = old[place]
        yield _Raw(
            "removed",
            (*steps, Step(before.category or name, before.called)),
            before.path,
            "",
            before.item,
            None,
        )


def _marked(entry: _Entry) -> Any:
    """Return an item with its category, by which an outcome is looked for in its own list first."""
    if entry.category and isinstance(entry.item, Mapping):
        return {**entry.item, "category": entry.category}
    return entry.item


def _outcomes(
    old: Mapping[str, Any], new: Mapping[str, Any], steps: tuple[Step, ...], was: str, now: str
) -> Iterator[_Raw]:
    """Compare the outcomes of all three lists together, so that one that moves between them is found."""
    listed = [
        {
            key: value
            for key, value in module.items()
            if key in _CATEGORIES and isinstance(value, list) and value
        }
        for module in (old, new)
    ]
    before, after = (
        [
            _entry(each, name, place, _below(path, name), name)
            for name in _CATEGORIES
            for place, each in enumerate(lists.get(name, ()))
        ]
        for lists, path in zip(listed, (was, now), strict=True)
    )
    yield from _lists(before, after, steps, "outcomes")
    left, right = (
        {key: value for key, value in module.items() if key not in lists}
        for module, lists in zip((old, new), listed, strict=True)
    )
    yield from _members(left, right, steps, was, now)
