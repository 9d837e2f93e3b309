"""The report of a data cut as files, in the form that is asked for.

A masked cut gives the pooled draft, which names no group and compares nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Final, Literal

from equipoise.analysis.cut import DataCut
from equipoise.analysis.derive import Frame
from equipoise.analysis.report.content import ReportContent, Section, Table
from equipoise.analysis.report.listings import derive_listings
from equipoise.analysis.report.render import print_html
from equipoise.analysis.report.sections import ReportFinding, report_content
from equipoise.analysis.result import AnalysisResult
from equipoise.analysis.run import analyse, describe_masked
from equipoise.exchange.documents.pdf import print_pdf
from equipoise.exchange.documents.rtf import print_rtf
from equipoise.exchange.made import MadeFile

Form = Literal["html", "rtf", "pdf"]
Progress = Callable[[int, int], None]
"""Called with files made and files to be made."""

CELLS_MAX: Final = 20_000
"""Cells of listings in one PDF file: each takes the printing program 15 kB of memory."""

CLOSED: Final = "CLOSED: by arm before the unblinding, for the board only"


def report_files(
    cut: DataCut,
    form: Form,
    *,
    findings: Sequence[ReportFinding] | None = None,
    listings: bool = True,
    fonts: Path | None = None,
    progress: Progress = lambda made, planned: None,
) -> Iterator[MadeFile]:
    """Make the report of a cut.

    html: report.html and listings.html. pdf: report.pdf and a file of listings for each chapter
    (listings-16-2-7.pdf), of a long one several (listings-16-2-8-part-2.pdf). rtf: a file of each table,
    listing and figure, and one of all of them. `listings` False leaves the listings by participant out.
    `findings` are those of the public record; `fonts` is a folder of fonts for scripts other than Latin,
    Greek and Cyrillic. Raises NotWritten (EXTRA-MISSING) for a PDF, and for RTF with figures, without typst.
    """
    content, listed = report_of(cut, findings, listings=listings)
    yield from print_files(content, listed, form, fonts=fonts, progress=progress)


def report_of(
    cut: DataCut, findings: Sequence[ReportFinding] | None = None, *, listings: bool = True
) -> tuple[ReportContent, Section | None]:
    """Return what the report of a cut says, by arm or of a masked cut for all together, and its listings."""
    content = report_content(_result(cut), findings)
    if cut.closed:
        content = replace(content, marks=(CLOSED, *content.marks))
    return content, derive_listings(Frame(cut)) if listings else None


def print_files(
    content: ReportContent,
    listed: Section | None,
    form: Form,
    *,
    fonts: Path | None = None,
    progress: Progress = lambda made, planned: None,
) -> Iterator[MadeFile]:
    """Print a report in a form; files and errors as `report_files`."""
    if form == "rtf":
        sections = (*content.sections, *((listed,) if listed else ()))
        yield from _counted_rtf(replace(content, sections=sections), fonts, progress)
        return
    chapters = dict(_chapters(content, listed, form))
    printed = map(_page_bytes, chapters.values()) if form == "html" else _pdfs(chapters.values(), fonts)
    for number, (name, made) in enumerate(zip(chapters, printed, strict=True), start=1):
        yield MadeFile(f"{name}.{form}", made)
        progress(number, len(chapters))


def _result(cut: DataCut) -> AnalysisResult:
    if cut.masked:
        return describe_masked(cut)
    result = analyse(cut)
    # Before the unblinding no hypothesis is tested: what a board sees is no interim analysis.
    return replace(result, testing=(), notes=(f"{CLOSED}.", *result.notes)) if cut.closed else result


def _chapters(
    content: ReportContent, listed: Section | None, form: Form
) -> Iterator[tuple[str, ReportContent]]:
    """The files of a form by name. Pages are made chapter by chapter, which bounds the memory for them."""
    yield "report", content
    if listed is None:
        return
    apart = replace(content, kind=f"{content.kind}: listings", key=None, cautions=(), official_title=None)
    if form == "html":
        yield "listings", replace(apart, page_title=f"{apart.page_title}, listings", sections=(listed,))
        return
    tables = [block for block in listed.blocks if isinstance(block, Table)]
    for chapter in dict.fromkeys(each.chapter for each in tables):
        parts = list(_parts([each for each in tables if each.chapter == chapter]))
        for number, part in enumerate(parts, start=1):
            name, title = f"listings-{chapter.replace('.', '-')}", chapter
            if len(parts) > 1:
                name, title = f"{name}-part-{number}", f"{chapter}, part {number} of {len(parts)}"
            section = replace(listed, title=f"{listed.title}, {title}", blocks=tuple(part))
            page_title = f"{apart.page_title}, listings {title}"
            yield name, replace(apart, page_title=page_title, sections=(section,))


def _parts(tables: Sequence[Table]) -> Iterator[list[Table]]:
    """Divide listings so that no file has more than CELLS_MAX cells, within a listing where need be."""
    part: list[Table] = []
    left = CELLS_MAX
    for table in tables:
        wide, rows = len(table.view.head), table.view.rows
        while len(rows) * wide > left and (part or len(rows) > 1):
            fitting = left // wide
            if fitting:
                part.append(replace(table, view=replace(table.view, rows=rows[:fitting])))
            yield part
            part, rows, left = [], rows[fitting:], max(CELLS_MAX, wide)
        part.append(replace(table, view=replace(table.view, rows=rows)))
        left -= len(rows) * wide
    yield part


def _page_bytes(chapter: ReportContent) -> bytes:
    return print_html(chapter).encode()


def _pdfs(chapters: Collection[ReportContent], fonts: Path | None) -> Iterator[bytes]:
    """Print in this process what is little; each of many large files in one of its own.

    The printing program keeps what it has set until its process ends.
    """
    if sum(_cells(chapter) for chapter in chapters) <= CELLS_MAX:
        yield from (print_pdf(chapter, fonts) for chapter in chapters)
        return
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as pool:
        for chapter in chapters:
            yield pool.submit(print_pdf, chapter, fonts).result()


def _cells(chapter: ReportContent) -> int:
    tables = (each for each in chapter.displays() if isinstance(each, Table))
    return sum(len(each.view.head) * len(each.view.rows) for each in tables)


def _counted_rtf(content: ReportContent, fonts: Path | None, progress: Progress) -> Iterator[MadeFile]:
    planned = sum(1 for _ in content.displays()) + 1
    for number, made in enumerate(print_rtf(content, fonts), start=1):
        yield made
        progress(number, planned)
