"""A little SVG: text that is wrapped into boxes, and lines between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from textwrap import wrap

INK = "#1b1f24"
SOFT = "#5b6570"
LINE = "#8a949e"
PAPER = "#ffffff"
TINT = "#f2f5f8"
ACCENT = "#1f4e79"
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
"""Colours of the arms, told apart by all common kinds of colour vision (Okabe and Ito 2008)."""

SIZE = 13
LEADING = 17
PADDING = 9
# The mean width of a character of a sans-serif face at that size, on the safe side.
CHARACTER = 6.7


def number(value: float) -> str:
    """A coordinate with at most two decimals."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def text(
    x: float,
    y: float,
    words: str,
    *,
    size: int = SIZE,
    anchor: str = "start",
    weight: str = "",
    fill: str = INK,
) -> str:
    """One line of text."""
    bold = f' font-weight="{weight}"' if weight else ""
    return (
        f'<text x="{number(x)}" y="{number(y)}" font-size="{size}" text-anchor="{anchor}" '
        f'fill="{fill}"{bold}>'
        f"{escape(words)}</text>"
    )


def line(
    x1: float, y1: float, x2: float, y2: float, *, stroke: str = LINE, width: float = 1.2, dash: str = ""
) -> str:
    """A straight line."""
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<line x1="{number(x1)}" y1="{number(y1)}" x2="{number(x2)}" y2="{number(y2)}" stroke="{stroke}" '
        f'stroke-width="{number(width)}"{dashed}/>'
    )


def rectangle(
    x: float, y: float, width: float, height: float, *, fill: str = PAPER, stroke: str = LINE, radius: int = 3
) -> str:
    """A rectangle."""
    return (
        f'<rect x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{number(height)}" '
        f'rx="{radius}" fill="{fill}" stroke="{stroke}"/>'
    )


def arrow(points: Sequence[tuple[float, float]]) -> str:
    """A line through points that ends in a head, pointing down or to the right."""
    path = " ".join(f"{number(x)},{number(y)}" for x, y in points)
    (x, y), (before, _) = points[-1], points[-2]
    head = (
        [(x - 6, y - 4), (x, y), (x - 6, y + 4)] if before != x else [(x - 4, y - 6), (x, y), (x + 4, y - 6)]
    )
    tip = " ".join(f"{number(a)},{number(b)}" for a, b in head)
    return (
        f'<polyline points="{path}" fill="none" stroke="{LINE}" stroke-width="1.2"/>'
        f'<polyline points="{tip}" fill="none" stroke="{LINE}" stroke-width="1.2"/>'
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A box of wrapped lines, the first of them bold; lines that begin with a tab are indented."""

    lines: tuple[str, ...]
    width: float
    fill: str = PAPER
    stroke: str = LINE
    _wrapped: list[tuple[str, bool, int]] = field(init=False, repr=False, default_factory=list)

    def __post_init__(self) -> None:
        for index, words in enumerate(self.lines):
            indent = 14 if words.startswith("\t") else 0
            # Bold letters are wider.
            room = int((self.width - 2 * PADDING - indent) / (CHARACTER * (1.08 if index == 0 else 1)))
            for part in wrap(words.strip(), max(room, 8)):
                self._wrapped.append((part, index == 0, indent))

    @property
    def height(self) -> float:
        """The height that the lines need."""
        return len(self._wrapped) * LEADING + 2 * PADDING - 3

    def draw(self, x: float, y: float, height: float | None = None) -> str:
        """The box with its upper left corner at x, y."""
        parts = [rectangle(x, y, self.width, height or self.height, fill=self.fill, stroke=self.stroke)]
        for index, (words, bold, indent) in enumerate(self._wrapped):
            place = y + PADDING + 10 + index * LEADING
            parts.append(text(x + PADDING + indent, place, words, weight="600" if bold else ""))
        return "".join(parts)


def document(width: float, height: float, title: str, parts: Sequence[str]) -> str:
    """A whole drawing that scales to its column; `title` is what a screen reader says."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-1 0 {number(width + 2)} {number(height)}" '
        f'role="img" '
        f'style="max-width:{number(width)}px" font-family="inherit" aria-label="{escape(title)}">'
        + "".join(parts)
        + "</svg>"
    )
