"""The report printed as HTML by one template."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from equipoise.analysis.cut import DataCut
from equipoise.analysis.report.content import ReportContent
from equipoise.analysis.report.sections import ReportFinding, report_content
from equipoise.analysis.result import AnalysisResult

__all__ = ["ReportFinding", "print_html", "render_report"]


def render_report(
    result: AnalysisResult,
    cut: DataCut,
    findings: Sequence[ReportFinding] | None = None,
    masked: bool = False,
) -> str:
    """Render a result as one self-contained HTML file; the same input gives the same bytes.

    Raises ValueError when the result is of another cut, or when a masked report is asked of a result that has
    arms.
    """
    if (result.head, result.position) != (cut.head, cut.position):
        raise ValueError(
            f"The result is of position {result.position}, the cut of position {cut.position}. "
            "Analyse this cut."
        )
    if masked and not result.masked:
        raise ValueError("A masked report needs a masked result. Use describe_masked on this cut.")
    return print_html(report_content(result, findings))


def print_html(content: ReportContent) -> str:
    """Return a report as one HTML file that holds all it needs."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html").render(report=content)
