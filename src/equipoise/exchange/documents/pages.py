"""How tables and drawings fit a page, whatever prints it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from equipoise.analysis.report.views import TableView

LINES: Final = (165, 195, 230)
"""Characters of a table across a page in each size of its type, from the largest."""

_GUTTER: Final = 3
_MANY_COLUMNS: Final = 9
# A column is wide enough for its longest word, and wants to be as wide as its longest line, up to these.
_WORD_MAX, _LINE_MAX = 24, 40
_RATIO_UPRIGHT: Final = 1.2
_BOX: Final = re.compile(r'viewBox="([^"]+)"')


def is_narrow(view: TableView) -> bool:
    """Tell whether a table needs less than the width of a page."""
    wanted = (_longest(line for cell in column for line in cell.split("\n")) for column in _columns(view))
    return sum(wanted) + _GUTTER * len(view.head) <= LINES[0]


def type_size(view: TableView) -> int:
    """The place in LINES of the largest type in which no word of a table is wider than its column."""
    needed = sum(_words(column) for column in _columns(view)) + _GUTTER * len(view.head)
    first = 1 if len(view.head) >= _MANY_COLUMNS else 0
    return next((size for size in range(first, len(LINES)) if needed <= LINES[size]), len(LINES) - 1)


def column_shares(view: TableView) -> list[float]:
    """How the columns share the width of a page, in characters.

    Each has room for its longest word. What is left goes first to those whose longest cell would have more
    than three lines, then to the others by their lines. Heads may be broken, so only their words count.
    """
    columns = _columns(view)
    widths = [float(_words(column)) for column in columns]
    lines = [_longest(line for cell in column[1:] for line in cell.split("\n")) for column in columns]
    room = LINES[type_size(view)] - _GUTTER * len(columns)
    for parts in (3, 1):
        wanted = [max(width, min(line / parts, _LINE_MAX)) for width, line in zip(widths, lines, strict=True)]
        more = sum(wanted) - sum(widths)
        share = min(max(room - sum(widths), 0) / more, 1) if more else 0
        widths = [width + share * (want - width) for width, want in zip(widths, wanted, strict=True)]
    return [round(width + _GUTTER, 2) for width in widths]


def svg_ratio(svg: str) -> float:
    """The width of a drawing for each unit of its height."""
    found = _BOX.search(svg)
    assert found is not None, "every drawing has a box"
    _, _, width, height = (float(each) for each in found[1].split())
    return width / height


def is_upright(svg: str) -> bool:
    """Tell whether a drawing is larger on an upright page than on one across."""
    return bool(svg) and svg_ratio(svg) < _RATIO_UPRIGHT


def _columns(view: TableView) -> list[list[str]]:
    """The cells of each column from its head down; headings, which go across, are left out."""
    rows = [row.cells for row in view.rows if row.kind != "heading"]
    return [[head, *(cells[place] for cells in rows)] for place, head in enumerate(view.head)]


def _words(column: Iterable[str]) -> int:
    return min(max(_longest(word for cell in column for word in cell.split()), 1), _WORD_MAX)


def _longest(texts: Iterable[str]) -> int:
    return max((len(text) for text in texts), default=0)
