"""Splits a printed eligibility block into numbered criteria with nested sub-items; the texts stay exact
pieces of it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from equipoise.exchange.registry.model import Criterion, Passage

_HEADING: Final = re.compile(
    r"^\W*(?:(?:key|main|major|general|specific|principal|additional)\s+)*(inclusion"
    r"|exclusion)(?:\s+criteri(?:a|on))?"
    r"(?:\s+for\s+[^:]{1,80})?(?:\s*\([^)]*\))?\s*[:.\-–]?\W*$",
    re.IGNORECASE,
)
_INLINE_HEADING: Final = re.compile(
    r"^\W*(?:key\s+|main\s+)?(inclusion|exclusion)\s+criteria\s*:\s+(?=\S)", re.IGNORECASE
)
_MARKER: Final = re.compile(
    r"^(?:\(?(\d{1,3}|[A-Za-z]|[ivxIVX]{1,5})[.)]|[IE]\d{1,2}[.:)]|([*•‣◦○▪·●➢-])|[–—])(?:\s+|$)"
)
_INLINE_MARKER: Final = re.compile(r"(?:(?<=\s)|^)\(?(i{1,3}|iv|v|vi{1,3}|ix|x|[a-h]|\d)[.)]\s+")
_SERIES: Final = (
    ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x"),
    ("a", "b", "c", "d", "e", "f", "g", "h"),
    ("1", "2", "3", "4", "5", "6", "7", "8", "9"),
)


@dataclass(frozen=True)
class PrintedLine:
    """A non-blank line of the block: its indentation in characters and its stripped text."""

    indent: int
    passage: Passage


@dataclass
class _Item:
    indent: int
    number: str
    text: Passage
    more: list[Passage] = field(default_factory=list)
    items: list[_Item] = field(default_factory=list)


def split_criteria(printed: Sequence[PrintedLine]) -> tuple[tuple[Criterion, ...], tuple[Passage, ...]]:
    """Return the criteria (inclusion I1, I2, ...; exclusion E1, ...) and the lines that are neither.

    A block without any marker has one criterion a line; in a block with markers an unmarked line that is
    indented under a criterion continues it, and one at the margin is a remark.
    """
    groups: dict[str, list[_Item]] = {"inclusion": [], "exclusion": []}
    remarks: list[Passage] = []
    category = ""
    marked = any(_MARKER.match(line.passage.text) for line in printed)
    stack: list[_Item] = []
    for line in printed:
        passage = line.passage
        if heading := _HEADING.match(passage.text):
            category, stack = heading[1].lower(), []
            continue
        if inline := _INLINE_HEADING.match(passage.text):
            category, stack = inline[1].lower(), []
            groups[category].append(_Item(line.indent, "", _cut(passage, inline.end(), len(passage.text))))
            continue
        marker = _MARKER.match(passage.text)
        if not category:
            remarks.append(passage)
        elif marker or not marked:
            _place(line.indent, marker, passage, stack, groups[category])
        elif stack and line.indent > stack[0].indent:
            stack[-1].more.append(passage)
        else:
            remarks.append(passage)
            stack = []
    inclusion = _freeze(groups["inclusion"], "inclusion", "I")
    return inclusion + _freeze(groups["exclusion"], "exclusion", "E"), tuple(remarks)


def _place(
    indent: int, marker: re.Match[str] | None, passage: Passage, stack: list[_Item], top: list[_Item]
) -> None:
    """Hang an item under the nearest less indented one."""
    start = marker.end() if marker else 0
    text = _cut(passage, start, len(passage.text))
    if not text.text:
        return
    item = _Item(indent, (marker[1] or "") if marker else "", text)
    while stack and stack[-1].indent >= indent:
        stack.pop()
    (stack[-1].items if stack else top).append(item)
    stack.append(item)


def _freeze(items: Sequence[_Item], category: str, prefix: str) -> tuple[Criterion, ...]:
    joint = "." if "." in prefix or prefix[-1].isdigit() else ""
    return tuple(_criterion(item, category, f"{prefix}{joint}{index}") for index, item in enumerate(items, 1))


def _criterion(item: _Item, category: str, identifier: str) -> Criterion:
    head, pieces = _split_inline(item.text)
    inline = tuple(
        Criterion(f"{identifier}.{index}", category, number, text)
        for index, (number, text) in enumerate(pieces, 1)
    )
    nested = tuple(
        _criterion(child, category, f"{identifier}.{len(inline) + index}")
        for index, child in enumerate(item.items, 1)
    )
    return Criterion(identifier, category, item.number, head, tuple(item.more), inline + nested)


def _split_inline(passage: Passage) -> tuple[Passage, list[tuple[str, Passage]]]:
    """Split "... the following: i. x ii. y" into its head and its items, when at least two stand in order."""
    found = list(_INLINE_MARKER.finditer(passage.text))
    for series in _SERIES:
        run: list[re.Match[str]] = []
        for match in found:
            if len(run) < len(series) and match[1] == series[len(run)]:
                run.append(match)
        if len(run) >= 2:
            ends = [match.start() for match in run[1:]] + [len(passage.text)]
            pieces = [
                (match[1], _cut(passage, match.end(), end)) for match, end in zip(run, ends, strict=True)
            ]
            return _cut(passage, 0, run[0].start()), pieces
    return passage, []


def _cut(passage: Passage, start: int, end: int) -> Passage:
    return Passage(passage.section, passage.line, passage.text[start:end].strip())
