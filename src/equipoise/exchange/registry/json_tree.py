"""A JSON scanner that knows the line of every leaf, reads a cut file as far as it goes, and stays within
fixed limits.

Python's own parser tells neither positions nor, for a cut file, anything at all; hence this one.
Source: RFC 8259.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from equipoise.exchange.registry.model import Passage
from equipoise.exchange.registry.source import RecordUnreadable, check_length

MAX_DEPTH: Final = 64
MAX_LEAVES: Final = 500_000
_SPACE: Final = re.compile(r"[ \t\r\n]*")
_STRING: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_SCALAR: Final = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null")
_CUT_SCALAR: Final = re.compile(r"-?(?:\d[\d.eE+-]*)?[a-z]{0,4}\Z")
_CUT_ESCAPE: Final = re.compile(r"(?<!\\)((?:\\\\)*)\\(?:u[0-9a-fA-F]{0,3})?\Z")
_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Leaf:
    """A scalar, or an empty list or object, with its place."""

    passage: Passage


@dataclass(frozen=True, slots=True)
class Branch:
    """An object; its members keep their order and, should a key stand twice, both values."""

    members: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A list."""

    items: tuple[Node, ...]


Node = Leaf | Branch | Row


@dataclass
class _Scanner:
    text: str
    position: int = 0
    leaves: int = 0
    cut: bool = False
    newlines: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.newlines = [match.start() for match in re.finditer("\n", self.text)]

    def line(self) -> int:
        return bisect_right(self.newlines, self.position - 1) + 1

    def fail(self, what: str) -> RecordUnreadable:
        return RecordUnreadable(
            "REC-JSON",
            f"The file is not valid JSON: {what}. Download the record again.",
            f"line {self.line()}",
        )

    def peek(self) -> str:
        """Skip white space and return the next character; at the end, nothing, and the file is cut."""
        match = _SPACE.match(self.text, self.position)
        self.position = match.end() if match else self.position
        if self.position >= len(self.text):
            self.cut = True
            return ""
        return self.text[self.position]

    def leaf(self, path: str, line: int, text: str) -> Leaf:
        self.leaves += 1
        if self.leaves > MAX_LEAVES:
            raise RecordUnreadable(
                "REC-TOO-LARGE",
                f"The file has more than {MAX_LEAVES} values, which no registry record has. Save one "
                f"study's record alone.",
                f"line {line}",
            )
        check_length(text, line)
        return Leaf(Passage(path, line, text))

    def string(self) -> str:
        match = _STRING.match(self.text, self.position)
        if match:
            token, end = match.group(), match.end()
        else:
            self.cut = True
            token, end = _CUT_ESCAPE.sub(r"\1", self.text[self.position :]) + '"', len(self.text)
        try:
            value: str = json.loads(token, strict=False)
        except json.JSONDecodeError as error:
            raise self.fail("a text holds an escape that JSON does not have") from error
        self.position = end
        if _LONE_SURROGATE.search(value):
            value = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return value

    def value(self, path: str, depth: int) -> Node | None:
        """Scan one value; None when the file ends before it begins."""
        first = self.peek()
        if not first:
            return None
        line = self.line()
        if depth > MAX_DEPTH:
            raise RecordUnreadable(
                "REC-TOO-DEEP",
                f"The file nests deeper than {MAX_DEPTH} levels, which no record does.",
                f"line {line}",
            )
        if first == "{":
            return self.branch(path, depth, line)
        if first == "[":
            return self.row(path, depth, line)
        if first == '"':
            return self.leaf(path, line, self.string())
        match = _SCALAR.match(self.text, self.position) or _CUT_SCALAR.match(self.text, self.position)
        if not match or not match.group():
            raise self.fail("a value is expected")
        self.position = match.end()
        return self.leaf(path, line, match.group())

    def separator(self, closing: str) -> bool:
        """Step over a comma (True) or the closing bracket (False); at the end of the file, stop quietly."""
        following = self.peek()
        if following and following not in ("," + closing):
            raise self.fail(f"a comma or {closing} is expected")
        self.position += bool(following)
        return following == ","

    def branch(self, path: str, depth: int, line: int) -> Node:
        members: list[tuple[str, Node]] = []
        self.position += 1
        if self.peek() == "}":
            self.position += 1
            return self.leaf(path, line, "{}")
        going = True
        while going and not self.cut:
            if self.peek() != '"':
                if self.cut:
                    break
                raise self.fail("a quoted name is expected")
            name_line, name = self.line(), self.string()
            here = f"{path}.{name}" if path else name
            if self.cut or self.peek() != ":":
                if self.cut:
                    members.append((name, self.leaf(here, name_line, name)))
                    break
                raise self.fail("a colon is expected")
            self.position += 1
            value = self.value(here, depth + 1)
            members.append((name, self.leaf(here, name_line, name) if value is None else value))
            going = not self.cut and self.separator("}")
        return Branch(tuple(members)) if members else self.leaf(path, line, "{")

    def row(self, path: str, depth: int, line: int) -> Node:
        items: list[Node] = []
        self.position += 1
        if self.peek() == "]":
            self.position += 1
            return self.leaf(path, line, "[]")
        going = True
        while going and not self.cut:
            value = self.value(f"{path}[{len(items)}]", depth + 1)
            if value is not None:
                items.append(value)
            going = not self.cut and self.separator("]")
        return Row(tuple(items)) if items else self.leaf(path, line, "[")


@dataclass(frozen=True)
class Scanned:
    """A scanned file: its tree, and the last line when it was cut off."""

    root: Node
    cut_line: int | None


def scan(text: str) -> Scanned:
    """Scan the text of a JSON file.

    Raises RecordUnreadable with REC-JSON, REC-TOO-DEEP or REC-TOO-LARGE.
    """
    scanner = _Scanner(text)
    root = scanner.value("", 0)
    if root is None:
        raise RecordUnreadable("REC-EMPTY", "The file is empty. Download the record again.")
    if scanner.cut:
        return Scanned(root, len(scanner.newlines) + 1)
    if scanner.peek():
        raise scanner.fail("there is text after the record's end")
    return Scanned(root, None)


def leaves(node: Node) -> Iterator[Passage]:
    """Yield every leaf below a node, in the order of the file."""
    if isinstance(node, Leaf):
        yield node.passage
    elif isinstance(node, Row):
        for item in node.items:
            yield from leaves(item)
    else:
        for _, member in node.members:
            yield from leaves(member)
