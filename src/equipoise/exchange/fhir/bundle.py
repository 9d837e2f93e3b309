"""Reading a FHIR file: a bundle, a single resource, or one resource a line, within limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from equipoise.exchange.bounded_json import parse_json_values, read_json_text
from equipoise.exchange.fhir.cursor import Cursor
from equipoise.exchange.unreadable import FileUnreadable

FHIR_BYTES_MAX: Final = 50_000_000
FHIR_VALUES_MAX: Final = 5_000_000


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

    Raises FileUnreadable: those of `read_json_text` and `parse_json`, FHIR-FORM for what is no resource.
    """
    text = read_json_text(path, FHIR_BYTES_MAX, FHIR_VALUES_MAX)
    if text.lstrip()[:1] != "{":
        raise FileUnreadable(
            "FHIR-FORM",
            f"The file {path.name} holds no FHIR resource in the form of JSON. Export it as JSON or NDJSON.",
            "line 1",
        )
    found: list[Cursor] = []
    references: dict[str, Cursor] = {}
    read: dict[str, None] = {}
    for line, tree in parse_json_values(path, text):
        for url, resource in _resources_of(path, tree, line):
            kind, own = str(resource["resourceType"]), resource.get("id")
            cursor = Cursor(resource, f"{kind}[{len(found)}]", read)
            found.append(cursor)
            for name in (url, resource.get("url"), f"{kind}/{own}"):
                if isinstance(name, str):
                    references.setdefault(name, cursor)
    return Resources(tuple(found), references)


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
