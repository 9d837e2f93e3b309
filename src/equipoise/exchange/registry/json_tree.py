"""A JSON scanner that knows the line of every leaf, reads a cut file as far as it goes, and stays within
fixed limits.

Python's own parser tells neither positions nor, for a cut file, anything at all; hence this one. There are
two of it: `_Scanner` reads everything and knows what is wrong; `_whole` reads only what is whole and
ordinary, much faster, and leaves the rest to the other. Source: RFC 8259.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from equipoise.exchange.registry.model import Passage
from equipoise.exchange.registry.source import MAX_TEXT_CHARACTERS, RecordUnreadable, check_length

MAX_DEPTH: Final = 64
MAX_LEAVES: Final = 500_000
_SPACE: Final = re.compile(r"[ \t\r\n]*")
_PLAIN: Final = r'(?:"([^"\\]*)"|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)|(?=["{\[]))'
_MEMBER: Final = re.compile(r'[ \t\r\n]*"([^"\\]*)"[ \t\r\n]*:[ \t\r\n]*' + _PLAIN)
_ITEM: Final = re.compile(r"[ \t\r\n]*()" + _PLAIN)
_AFTER: Final = re.compile(r"[ \t\r\n]*([,}\]])")
_DECODER: Final = json.JSONDecoder(strict=False)
_STRING: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_SCALAR: Final = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null")
_CUT_SCALAR: Final = re.compile(r"-?(?:\d[\d.eE+-]*)?[a-z]{0,4}\Z")
_CUT_ESCAPE: Final = re.compile(r"(?<!\\)((?:\\\\)*)\\(?:u[0-9a-fA-F]{0,3})?\Z")
_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Branch:
    """An object; its members keep their order and, should a key stand twice, both values."""

    members: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A list."""

    items: tuple[Node, ...]


Node = Passage | Branch | Row
"""A leaf (a scalar, or an empty list or object) is its passage."""


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

    def leaf(self, path: str, line: int, text: str) -> Passage:
        self.leaves += 1
        if self.leaves > MAX_LEAVES:
            raise RecordUnreadable(
                "REC-TOO-LARGE",
                f"The file has more than {MAX_LEAVES} values, which no registry record has. Save one "
                f"study's record alone.",
                f"line {line}",
            )
        check_length(text, line)
        return Passage(path, line, text)

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


class _Unusual(Exception):
    """A file that is not whole and ordinary."""


@dataclass
class _Whole:
    """The fast scanner: one match for the name and the value of a member, where no escape stands in them."""

    text: str
    newlines: list[int]
    found: list[Passage] = field(default_factory=list)

    def leaf(self, path: str, start: int, text: str) -> Passage:
        if len(self.found) >= MAX_LEAVES or len(text) > MAX_TEXT_CHARACTERS:
            raise _Unusual
        passage = Passage(path, bisect_right(self.newlines, start - 1) + 1, text)
        self.found.append(passage)
        return passage

    def compound(self, path: str, start: int, depth: int) -> tuple[Node, int]:
        """Read an object or a list that begins at `start`; return it and its end."""
        text, is_branch = self.text, self.text[start] == "{"
        one, closing = (_MEMBER, "}") if is_branch else (_ITEM, "]")
        members: list[tuple[str, Node]] = []
        position, following = start + 1, ","
        while following == ",":
            match = one.match(text, position)
            if match is None or depth >= MAX_DEPTH:
                end = _AFTER.match(text, position)
                if members or end is None or end[1] != closing:
                    raise _Unusual
                return self.leaf(path, start, "{}" if is_branch else "[]"), end.end()
            here = f"{path}[{len(members)}]" if not is_branch else f"{path}.{match[1]}" if path else match[1]
            node, position = self.value(match, here, depth)
            members.append((match[1], node))
            end = _AFTER.match(text, position)
            if end is None:
                raise _Unusual
            position, following = end.end(), end[1]
        if following != closing:
            raise _Unusual
        if is_branch:
            return Branch(tuple(members)), position
        return Row(tuple([node for _, node in members])), position

    def value(self, match: re.Match[str], path: str, depth: int) -> tuple[Node, int]:
        """Read the value that a match stands before, or holds."""
        end = match.end()
        if match[2] is not None:
            return self.leaf(path, match.start(2) - 1, match[2]), end
        if match[3] is not None:
            return self.leaf(path, match.start(3), match[3]), end
        if self.text[end] != '"':
            return self.compound(path, end, depth + 1)
        try:
            text, after = _DECODER.raw_decode(self.text, end)
        except json.JSONDecodeError as error:
            raise _Unusual from error
        if _LONE_SURROGATE.search(text):
            text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return self.leaf(path, end, text), after


def _whole(text: str) -> Scanned | None:
    """Return what a whole and ordinary file holds, or None for any other."""
    start = len(text) - len(text.lstrip(" \t\r\n"))
    if text[start : start + 1] not in ("{", "["):
        return None
    scanner = _Whole(text, [match.start() for match in re.finditer("\n", text)])
    try:
        root, end = scanner.compound("", start, 0)
    except _Unusual:
        return None
    return None if text[end:].strip(" \t\r\n") else Scanned(root, scanner.found, None)


@dataclass(frozen=True)
class Scanned:
    """A scanned file: its tree, its leaves in their order, and the last line when it was cut off."""

    root: Node
    leaves: Sequence[Passage]
    cut_line: int | None


def scan(text: str) -> Scanned:
    """Scan the text of a JSON file.

    Raises RecordUnreadable with REC-JSON, REC-TOO-DEEP or REC-TOO-LARGE.
    """
    return _whole(text) or scan_any(text)


def scan_any(text: str) -> Scanned:
    """Scan the text of a JSON file that may be cut or wrong: slowly, and with what is wrong in words."""
    scanner = _Scanner(text)
    root = scanner.value("", 0)
    if root is None:
        raise RecordUnreadable("REC-EMPTY", "The file is empty. Download the record again.")
    if scanner.cut:
        return Scanned(root, leaves(root), len(scanner.newlines) + 1)
    if scanner.peek():
        raise scanner.fail("there is text after the record's end")
    return Scanned(root, leaves(root), None)


def leaves(node: Node) -> list[Passage]:
    """Return every leaf below a node, in the order of the file."""
    found: list[Passage] = []
    _gather(node, found)
    return found


def _gather(node: Node, found: list[Passage]) -> None:
    if isinstance(node, Passage):
        found.append(node)
    elif isinstance(node, Row):
        for item in node.items:
            _gather(item, found)
    else:
        for _, member in node.members:
            _gather(member, found)
