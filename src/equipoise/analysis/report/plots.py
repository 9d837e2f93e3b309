"""How every figure that matplotlib draws looks, and how it becomes part of a page."""

from __future__ import annotations

import io
from html import escape
from typing import Any

from matplotlib.figure import Figure as Canvas

from equipoise.analysis.report.svg import INK, LINE, SOFT

STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.family": ["sans-serif"],
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 8,
    "axes.edgecolor": LINE,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "text.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 8,
}
GRID = "#e3e7eb"
FACE = "'Source Sans 3', 'Segoe UI', 'Helvetica Neue', Arial, 'Liberation Sans', sans-serif"


def to_svg(canvas: Canvas, title: str) -> str:
    """The figure as an SVG element: no date, no XML header, identifiers fixed by the salt."""
    text = io.StringIO()
    canvas.savefig(text, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    drawn = text.getvalue()
    # Measured with the face that matplotlib brings, set in the face of the page.
    drawn = drawn[drawn.index("<svg") :].strip().replace("'DejaVu Sans'", FACE)
    return drawn.replace("<svg ", f'<svg role="img" aria-label="{escape(title)}" ', 1)
