"""What a record's page is made of, and a reader of the record's tree that knows what it has shown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from equipoise.exchange.registry.tree import leaves_of, text_of

EMPTY: Final = "–"
"""What stands in a cell where the record says nothing."""

_ESCAPED: Final = re.compile(r"\\([&%\\`*_{}\[\]()#+.!<>~|-])")
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_MARKER: Final = re.compile(r"^(?P<indent>\s*)(?P<marker>[*•-]|\(?(?:\d{1,2}|[a-z]|[ivx]{1,4})[.)])\s+", re.I)
_SMALL: Final = {"Of": "of", "And": "and", "Or": "or", "Not": "not", "With": "with", "To": "to"}
_INDENT: Final = 3
_DEPTH_MAX: Final = 4
_ABBREVIATIONS: Final = {"Na": "Not applicable", "Nih": "NIH", "Fed": "U.S. federal agency", "Sap": "SAP"}


@dataclass(frozen=True, slots=True)
class Line:
    """A line of prose: how deep it is indented, its marker where it is an item, and its words."""

    depth: int
    marker: str
    text: str


@dataclass(frozen=True, slots=True)
class Prose:
    """Paragraphs, headings and items as somebody typed them."""

    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """Terms with what they are."""

    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list."""

    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table: what it is called, and its cells; a `band` has none and heads the rows below it."""

    label: str
    cells: tuple[str, ...] = ()
    note: str = ""
    band: bool = False
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a head; the cells of a table of `numbers` are centred."""

    head: tuple[str, ...]
    rows: tuple[Row, ...]
    numbers: bool = False


Block: TypeAlias = Prose | Facts | Bullets | Table


@dataclass(frozen=True, slots=True)
class Part:
    """A heading with what stands under it; `places` are where in the record it stands, for findings."""

    title: str
    blocks: tuple[Block, ...]
    places: tuple[str, ...] = ()
    level: int = 3


@dataclass(frozen=True, slots=True)
class Chapter:
    """A heading of the first order with its parts."""

    title: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Cursor:
    """A node of the record: what is read through it is noted in `seen`, so that the rest can be shown."""

    node: Any
    path: str = ""
    seen: set[str] = field(default_factory=set)

    def at(self, *names: str) -> Cursor:
        """Go down to an object, which may be missing."""
        cursor = self
        for name in names:
            below = cursor.node.get(name) if isinstance(cursor.node, Mapping) else None
            cursor = Cursor(below, f"{cursor.path}.{name}" if cursor.path else name, self.seen)
        return cursor

    def items(self, *names: str) -> tuple[Cursor, ...]:
        """Return the items of a list."""
        there = self.at(*names)
        listed = there.node if isinstance(there.node, list) else ()
        return tuple(Cursor(each, f"{there.path}[{place}]", self.seen) for place, each in enumerate(listed))

    def text(self, *names: str) -> str:
        """Return a scalar as text, without the marks of Markdown's escapes; nothing where there is none."""
        there = self.at(*names)
        if there.node is None or isinstance(there.node, dict | list):
            return ""
        self.seen.add(there.path)
        if isinstance(there.node, bool):
            return "Yes" if there.node else "No"
        return _CONTROLS.sub("", _ESCAPED.sub(r"\1", text_of(there.node))).strip()

    def word(self, *names: str) -> str:
        """Return a code as words: ACTIVE_NOT_RECRUITING is Active not Recruiting."""
        return words_of(self.text(*names))

    def texts(self, *names: str) -> tuple[str, ...]:
        """Return the scalars of a list."""
        return tuple(text for each in self.items(*names) if (text := each.text()))

    def unseen(self) -> Iterator[tuple[str, str]]:
        """Yield the leaves that nobody has read: path and text."""
        for path, value in leaves_of(self.node):
            full = path if not self.path else f"{self.path}{'' if path.startswith('[') else '.'}{path}"
            if full.removesuffix(".") not in self.seen and value not in (None, "", [], {}):
                yield full.removesuffix("."), _CONTROLS.sub("", text_of(value))


def words_of(code: str) -> str:
    """Return a code of the API as words; what is no code stays as it is."""
    if not re.fullmatch(r"[A-Z][A-Z0-9_]*", code):
        return code
    phase = re.fullmatch(r"(EARLY_)?PHASE_?(\d)", code)
    if phase:
        return f"{'Early ' if phase[1] else ''}Phase {phase[2]}"
    first, *rest = (word.capitalize() for word in code.split("_"))
    return " ".join((_ABBREVIATIONS.get(first, first), *(_SMALL.get(word, word) for word in rest)))


def prose(text: str) -> tuple[Block, ...]:
    """Return a text as its lines, the items among them apart; nothing for no text."""
    lines = tuple(_line(line) for line in text.split("\n") if line.strip())
    return (Prose(lines),) if lines else ()


def facts(*pairs: tuple[str, str]) -> tuple[Block, ...]:
    """Return those terms that have something said of them."""
    found = tuple((term, text) for term, text in pairs if text)
    return (Facts(found),) if found else ()


def bullets(items: tuple[str, ...]) -> tuple[Block, ...]:
    """Return a list; nothing for no items."""
    return (Bullets(items),) if items else ()


def table(head: tuple[str, ...], rows: tuple[Row, ...], *, numbers: bool = False) -> tuple[Block, ...]:
    """Return a table, of words without the columns that say nothing; nothing for no rows."""
    if not rows:
        return ()
    if numbers:
        return (Table(head, rows, numbers),)
    said = [place for place in range(len(head) - 1) if any(row.cells[place] != EMPTY for row in rows)]
    return (
        Table(
            (head[0], *(head[place + 1] for place in said)),
            tuple(Row(row.label, tuple(row.cells[place] for place in said)) for row in rows),
        ),
    )


def _line(line: str) -> Line:
    found = _MARKER.match(line)
    if found is None:
        return Line(0, "", line.strip())
    depth = min(len(found["indent"].expandtabs()) // _INDENT, _DEPTH_MAX)
    marker = "•" if found["marker"] in "*•-" else found["marker"]
    return Line(depth, marker, line[found.end() :].strip())
