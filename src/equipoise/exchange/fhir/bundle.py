"""Reading a FHIR file: a bundle, a single resource, or one resource a line, within limits."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from equipoise.exchange.fhir.cursor import Cursor
from equipoise.exchange.unreadable import FileUnreadable, read_bytes

FHIR_BYTES_MAX: Final = 50_000_000
DEPTH_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class Resources:
    """The resources of a file in their order, and what their references go to."""

    all: tuple[Cursor, ...]
    by_reference: Mapping[str, Cursor]

    def of(self, kind: str) -> tuple[Cursor, ...]:
        """Return the resources of a kind."""
        return tuple(each for each in self.all if each.get("resourceType").value == kind)

    def find(self, reference: str | None) -> Cursor | None:
        """Return what a reference or a canonical URL goes to; its version and its fragment are ignored."""
        return None if reference is None else self.by_reference.get(reference.split("|")[0].split("#")[0])


def read_resources(path: Path) -> Resources:
    """Return the resources of a file.

    Raises FileUnreadable: those of `read_bytes`, FHIR-ENCODING, FHIR-JSON with the line, FHIR-TOO-DEEP,
    FHIR-DUPLICATE for a member that stands twice, FHIR-FORM for what is no resource.
    """
    content = read_bytes(path, FHIR_BYTES_MAX)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileUnreadable(
            "FHIR-ENCODING",
            f"The file {path.name} is not in UTF-8, as FHIR demands. Save it again.",
            f"byte {error.start + 1}",
        ) from error
    if text.lstrip()[:1] != "{":
        raise FileUnreadable(
            "FHIR-FORM",
            f"The file {path.name} holds no FHIR resource in the form of JSON. Export it as JSON or NDJSON.",
            "line 1",
        )
    found: list[Cursor] = []
    references: dict[str, Cursor] = {}
    read: dict[str, None] = {}
    for line, tree in _trees(path, text):
        for url, resource in _resources_of(path, tree, line):
            kind, own = str(resource["resourceType"]), resource.get("id")
            cursor = Cursor(resource, f"{kind}[{len(found)}]", read)
            found.append(cursor)
            for name in (url, resource.get("url"), f"{kind}/{own}"):
                if isinstance(name, str):
                    references.setdefault(name, cursor)
    return Resources(tuple(found), references)


def _trees(path: Path, text: str) -> Iterator[tuple[int, object]]:
    """Yield the file's value with its line; of a file of lines, each line's."""
    try:
        whole = _parse(path, text, 1)
    except json.JSONDecodeError as error:
        # Only a second value after a whole first one makes it a file of lines.
        if not error.msg.startswith("Extra data"):
            raise _no_json(path, error, 0) from error
    else:
        yield 1, whole
        return
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                tree = _parse(path, line, number)
            except json.JSONDecodeError as error:
                raise _no_json(path, error, number - 1) from error
            yield number, tree


def _parse(path: Path, text: str, line: int) -> object:
    def members(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
        made = dict(pairs)
        if len(made) < len(pairs):
            twice = next(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
            raise FileUnreadable(
                "FHIR-DUPLICATE",
                f"In the file {path.name} the member {twice[:60]} of an object stands twice. Remove one.",
                f"from line {line} on",
            )
        return made

    try:
        tree: object = json.loads(text, object_pairs_hook=members, parse_constant=_no_number)
    except RecursionError as error:
        raise _too_deep(path, line) from error
    except json.JSONDecodeError:
        raise
    except ValueError as error:
        raise FileUnreadable(
            "FHIR-JSON",
            f"The file {path.name} holds a number that JSON does not have, or an enormous one. Correct it.",
            f"from line {line} on",
        ) from error
    _check_depth(path, tree, line)
    return tree


def _no_number(word: str) -> object:
    raise ValueError(word)


def _no_json(path: Path, error: json.JSONDecodeError, lines_before: int) -> FileUnreadable:
    return FileUnreadable(
        "FHIR-JSON",
        f"The file {path.name} is not valid JSON: {error.msg.lower()}. Export it again.",
        f"line {error.lineno + lines_before}",
    )


def _too_deep(path: Path, line: int) -> FileUnreadable:
    return FileUnreadable(
        "FHIR-TOO-DEEP",
        f"The file {path.name} nests deeper than {DEPTH_MAX} levels, which no resource does.",
        f"from line {line} on",
    )


def _check_depth(path: Path, tree: object, line: int) -> None:
    waiting = [(tree, 1)]
    while waiting:
        node, depth = waiting.pop()
        if depth > DEPTH_MAX:
            raise _too_deep(path, line)
        below = list(node.values()) if isinstance(node, dict) else node if isinstance(node, list) else []
        waiting += [(each, depth + 1) for each in below if isinstance(each, dict | list)]


def _resources_of(path: Path, tree: object, line: int) -> Iterator[tuple[object, Mapping[str, object]]]:
    """Yield each resource with the URL under which it stands in its bundle."""
    if not isinstance(tree, Mapping) or not isinstance(tree.get("resourceType"), str):
        raise FileUnreadable(
            "FHIR-FORM",
            f"The file {path.name} holds an object without a resourceType, hence no FHIR resource.",
            f"line {line}",
        )
    if tree["resourceType"] != "Bundle":
        yield None, tree
        return
    entries = tree.get("entry", [])
    for place, each in enumerate(entries if isinstance(entries, list) else []):
        inner = each.get("resource") if isinstance(each, Mapping) else None
        if not isinstance(inner, Mapping) or not isinstance(inner.get("resourceType"), str):
            raise FileUnreadable(
                "FHIR-FORM",
                f"An entry of the bundle in {path.name} holds no resource. Export it again.",
                f"entry {place + 1}",
            )
        yield each.get("fullUrl"), inner
