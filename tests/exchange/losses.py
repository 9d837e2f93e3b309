"""What a standard cannot hold: a study folder before and after it went through one, leaf by leaf."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, get_origin

from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.forms import Form
from equipoise.definition.model.language import Language
from equipoise.definition.wording import type_at

Parts: TypeAlias = Mapping[str, object]
"""The files of a study folder by name (`forms/x.yaml`), each as the tree that its YAML is."""

_FOLDERS: Mapping[str, type] = {"forms": Form, "languages": Language}


@dataclass(frozen=True, slots=True)
class Kept:
    """A kind of leaf, as `schedule.yaml` and `encounters[].day`: how many there are, and how many came back.

    In a pattern `[]` stands for any item of a list, and `*` for any name that the study gives.
    """

    file: str
    pattern: str
    leaves: int
    kept: int


@dataclass(frozen=True, slots=True)
class _Leaf:
    """A value, where it stands, and of which kind it is."""

    place: tuple[str, ...]
    file: str
    pattern: str
    value: str


def compare_parts(before: Parts, after: Parts) -> tuple[Kept, ...]:
    """Return each kind of leaf of a study folder, with how many have the same value in another.

    Items of a list are the same where they have the same `id`, else where they stand at the same place. A
    number is the same however it is written, and a text whatever white space it is broken at.
    """
    there = {leaf.place: leaf.value for leaf in _leaves_of(after)}
    leaves, kept = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for leaf in _leaves_of(before):
        kind = (leaf.file, leaf.pattern)
        leaves[kind] += 1
        kept[kind] += there.get(leaf.place) == leaf.value
    return tuple(Kept(*kind, count, kept[kind]) for kind, count in leaves.items())


def _leaves_of(parts: Parts) -> Iterator[_Leaf]:
    for name, tree in parts.items():
        folder, slash, _ = name.partition("/")
        kind = _FOLDERS[folder] if slash else type_at(StudyDefinition, (name.removesuffix(".yaml"),))
        file = f"{folder}/*.yaml" if slash else name
        for place, pattern, value in _leaves(tree, kind, (name,), ""):
            yield _Leaf(place, file, pattern, value)


def _leaves(
    node: object, kind: Any, place: tuple[str, ...], pattern: str
) -> Iterator[tuple[tuple[str, ...], str, str]]:
    if isinstance(node, Mapping):
        for name, below in node.items():
            step = "*" if get_origin(kind) is dict else str(name)
            inner = f"{pattern}.{step}" if pattern else step
            yield from _leaves(below, type_at(kind, (name,)), (*place, str(name)), inner)
    elif isinstance(node, list | tuple):
        for number, below in enumerate(node):
            own = below.get("id") if isinstance(below, Mapping) else None
            item = str(number if own is None else own)
            yield from _leaves(below, type_at(kind, (number,)), (*place, item), f"{pattern}[]")
    elif node is not None:
        yield place, pattern, _plain(node)


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    text = " ".join(str(value).split())
    whole, point, decimals = text.partition(".")
    if point and whole.removeprefix("-").isdigit() and decimals.isdigit():
        return f"{whole}.{decimals}".rstrip("0").rstrip(".")
    return text
