"""Reading an ODM file piece by piece: within limits, no entities, no network; participants one at a time.

What is read is taken out of the tree, so that what stands in it at the end was not understood.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from lxml import etree

from equipoise.exchange.markup import (
    SAFELY,
    check_depth,
    check_document_type,
    line_of,
    not_well_formed,
)
from equipoise.exchange.odm.names import NAMESPACES, OLD_NAMESPACES, SYSTEM, unescaped
from equipoise.exchange.unreadable import FileUnreadable, check_file

BYTES_MAX: Final = 2_000_000_000
ELEMENTS_MAX: Final = 500_000
"""The most elements outside participants, and within one."""

_ODM: Final = frozenset({"", *NAMESPACES.values(), *OLD_NAMESPACES})
_XSI: Final = "{http://www.w3.org/2001/XMLSchema-instance}"
_DERIVED: Final = frozenset({"Length", "SignificantDigits", "DisplayFormat", "Rank", "OrderNumber"})
"""Attributes of which only the number is told: a study folder derives them, or has no use for them."""


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    """A part of a file that was not taken over: its path, its line, and what it says."""

    path: str
    line: int
    text: str


def name_of(element: etree._Element) -> str:
    """Return the local name of an element of ODM of any version, or of none; else empty."""
    return _name_of_tag(element.tag) if isinstance(element.tag, str) else ""


@lru_cache(maxsize=4096)
def _name_of_tag(tag: str) -> str:
    # A file has few names and millions of elements, each of which is asked for its own.
    name = etree.QName(tag)
    return name.localname if (name.namespace or "") in _ODM else ""


def parse(path: Path, on_subject: Callable[[etree._Element, etree._Element], None]) -> etree._Element:
    """Return the root of a file without its participants: each is handed over with the root, and let go.

    Raises FileUnreadable: FILE-MISSING, FILE-EMPTY, FILE-TOO-LARGE, XML-INVALID, XML-DOCTYPE, XML-TOO-DEEP,
    ODM-ROOT for another kind of file, ODM-TOO-MANY for more elements than are read.
    """
    check_file(path, BYTES_MAX)
    walk = _Walk(path, on_subject)
    with path.open("rb") as file:
        events = etree.iterparse(
            file,
            events=("start", "end"),
            remove_comments=True,
            **SAFELY,
        )
        try:
            for event, element in events:
                walk.step(event, element)
        except etree.XMLSyntaxError as error:
            raise not_well_formed(path, error) from error
    assert walk.root is not None, "a document without a root is a syntax error"
    return walk.root


class _Walk:
    """Where in a file the reading is."""

    def __init__(self, path: Path, on_subject: Callable[[etree._Element, etree._Element], None]) -> None:
        self._path = path
        self._on_subject = on_subject
        self._depth = self._count = 0
        self.root: etree._Element | None = None

    def step(self, event: str, element: etree._Element) -> None:
        """Go on by the start or the end of an element."""
        if event == "start":
            self._depth, self._count = self._depth + 1, self._count + 1
            if self.root is None:
                self.root = element
                _check_root(self._path, element)
            _check_limits(self._path, element, self._depth, self._count)
            return
        self._depth -= 1
        if self.root is not None and name_of(element) == "SubjectData":
            self._on_subject(element, self.root)
            self._count -= _forget(element)


def _check_root(path: Path, root: etree._Element) -> None:
    check_document_type(path, root)
    if name_of(root) != "ODM":
        raise FileUnreadable(
            "ODM-ROOT",
            f"The file {path.name} is no ODM file: its outermost element is {etree.QName(root).localname}. "
            "Export it as ODM-XML.",
            f"line {line_of(root)}",
        )


def _check_limits(path: Path, element: etree._Element, depth: int, count: int) -> None:
    check_depth(path, element, depth)
    if count > ELEMENTS_MAX:
        raise FileUnreadable(
            "ODM-TOO-MANY",
            f"The file {path.name} has more than {ELEMENTS_MAX} elements of metadata or of one "
            "participant. Export fewer forms at a time.",
            f"line {line_of(element)}",
        )


def _forget(element: etree._Element) -> int:
    """Empty an element and take it out of its parent; returns how many elements are gone."""
    gone = sum(1 for _ in element.iter())
    element.clear()
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)
    return gone


class Taker:
    """Takes attributes and texts out of a tree. In a file of this system's they are unescaped."""

    def __init__(self, path: Path, root: etree._Element) -> None:
        self.file = path.name
        self.own = root.get("SourceSystem") == SYSTEM
        self._oids: dict[etree._Element, str] = {}

    def attribute(self, element: etree._Element, name: str) -> str | None:
        """Take an attribute, None if it is not there or empty."""
        value = element.attrib.pop(name, None)
        if not value:
            return None
        text = unescaped(str(value)) if self.own else str(value)
        if name.endswith("OID") or name == "SubjectKey":
            self._oids.setdefault(element, text)
        return text

    def forget(self) -> None:
        """Let go of the elements whose identifiers are kept to name them among what is left."""
        self._oids.clear()

    def required(self, element: etree._Element, name: str) -> str:
        """Take an attribute; raises FileUnreadable (ODM-MISSING) if it is not there."""
        value = self.attribute(element, name)
        if value is None:
            raise FileUnreadable(
                "ODM-MISSING",
                f"In the file {self.file} a {name_of(element)} has no {name}. Export the file again.",
                f"line {line_of(element)}",
            )
        return value

    def text(self, element: etree._Element | None) -> str:
        """Take the text of an element."""
        if element is None:
            return ""
        text, element.text = element.text or "", None
        return unescaped(text) if self.own else text

    def left(self, root: etree._Element) -> Iterator[NotUnderstood]:
        """Yield what was not taken, in the order of the file."""
        sums: Counter[tuple[str, str]] = Counter()
        lines: dict[tuple[str, str], int] = {}
        for element in root.iter():
            if not isinstance(element.tag, str):
                continue
            said = [(key, value) for key, value in element.attrib.items() if not key.startswith(_XSI)]
            for key, value in said:
                if key in _DERIVED:
                    kind = (name_of(element), key)
                    sums[kind] += 1
                    lines.setdefault(kind, line_of(element))
                else:
                    text = f'{_prefixed(element, str(key))}="{value}"'
                    yield NotUnderstood(self._path(element), line_of(element), text)
            text = (element.text or "").strip()
            if text or (not name_of(element) and not said and not len(element)):
                yield NotUnderstood(self._path(element), line_of(element), text)
            # Text between elements has no place in ODM.
            if (element.tail or "").strip():
                around = element.getparent()
                place = self._path(element if around is None else around)
                yield NotUnderstood(place, line_of(element), (element.tail or "").strip())
        if not self.own:
            for (kind_of, key), count in sums.items():
                yield NotUnderstood(kind_of, lines[kind_of, key], f"{key} of {count} elements")

    def _path(self, element: etree._Element) -> str:
        steps = [element, *element.iterancestors()]
        return "/".join(self._step(step) for step in reversed(steps) if step.getparent() is not None)

    def _step(self, element: etree._Element) -> str:
        name = name_of(element) or etree.QName(element).localname
        if not name_of(element):
            name = f"{element.prefix}:{name}" if element.prefix else name
        oid = self._oids.get(element)
        return name if oid is None else f"{name}[{oid}]"


def _prefixed(element: etree._Element, key: str) -> str:
    """Return the name of an attribute as it is written in the file."""
    name = etree.QName(key)
    prefix = next((each for each, uri in element.nsmap.items() if each and uri == name.namespace), None)
    return f"{prefix}:{name.localname}" if prefix else name.localname


def children(element: etree._Element | None, *names: str) -> list[etree._Element]:
    """Return the children of these names, in the order of the file."""
    return [] if element is None else [child for child in element if name_of(child) in names]


def child(element: etree._Element | None, name: str) -> etree._Element | None:
    """Return the first child of a name."""
    return next(iter(children(element, name)), None)
