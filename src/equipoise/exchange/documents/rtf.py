"""Tables, listings and figures as RTF: a file for each, and one with all of them.

A display is a section of its own, in landscape, or upright for a tall figure. Number, title and population
stand in its page header with the marks of the report and the number of the page among those of the display;
the heads of its columns are repeated by the reader of the file, wherever it breaks a page; the source stands
in the footer.

Sources: Rich Text Format Specification 1.9.1; ICH E3, 14 and 16.2, for what is numbered and how.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from equipoise.analysis.report.content import Display, Drawing, ReportContent, Table
from equipoise.analysis.report.views import RowView, TableView
from equipoise.exchange.documents.pages import column_shares, is_upright, svg_ratio, type_size
from equipoise.exchange.documents.pdf import drawing_png
from equipoise.exchange.documents.texts import rtf_text
from equipoise.exchange.made import MadeFile

WHOLE: Final = "tables-listings-figures.rtf"

# Lengths in twips, of which an inch has 1440: A4 across.
_INCH: Final = 1440
_WIDTH, _HEIGHT = 16838, 11906
_SIDE, _TOP, _BOTTOM, _EDGE = 1134, 1700, 1134, 600
_ROOM: Final = _WIDTH - 2 * _SIDE
_ROOM_UPRIGHT: Final = _HEIGHT - 2 * _SIDE
_INDENT: Final = 200
_PAGE: Final = (
    rf"\paperw{_WIDTH}\paperh{_HEIGHT}\landscape\margl{_SIDE}\margr{_SIDE}\margt{_TOP}\margb{_BOTTOM}"
)
_SECTION: Final = (
    rf"\sectd\sbkpage\pgnrestart\marglsxn{_SIDE}\margrsxn{_SIDE}\margtsxn{_TOP}\margbsxn{_BOTTOM}"
    rf"\headery{_EDGE}\footery{_EDGE}"
)
_ACROSS: Final = rf"\lndscpsxn\pgwsxn{_WIDTH}\pghsxn{_HEIGHT}"
_UPRIGHT: Final = rf"\pgwsxn{_HEIGHT}\pghsxn{_WIDTH}"
_END: Final = "{\\pard\\fs2\\par}\n"
_RULE_ABOVE, _RULE_BELOW = r"\clbrdrt\brdrs\brdrw15", r"\clbrdrb\brdrs\brdrw15"
_SIZES: Final = (17, 14, 12)
"""The sizes of a table's type in half points, as `type_size` chooses them."""


def print_rtf(content: ReportContent, fonts: Path | None = None) -> Iterator[MadeFile]:
    """Make a file of each table, listing and figure, and then one of all of them behind a list of contents.

    `fonts` are those of `print_pdf`, for the figures. Raises
    NotWritten (EXTRA-MISSING) when there are figures, without typst.
    """
    start = _start(content).encode("ascii")
    sections: list[bytes] = []
    for display in content.displays():
        sections.append(_section(content, display, fonts).encode("ascii"))
        yield MadeFile(f"{file_stem(display)}.rtf", (start, sections[-1], b"}"))
    contents = _contents(content).encode("ascii")
    pieces = [piece for section in sections for piece in (b"\\sect\n", section)]
    yield MadeFile(WHOLE, (start, contents, *pieces, b"}"))


def file_stem(display: Display) -> str:
    """The name of the file of a display: table-14-1-1."""
    return f"{display.word.lower()}-{display.number.replace('.', '-')}"


def _start(content: ReportContent) -> str:
    moment = datetime.fromisoformat(content.recorded_at)
    made = rf"\yr{moment.year}\mo{moment.month}\dy{moment.day}\hr{moment.hour}\min{moment.minute}"
    return (
        r"{\rtf1\ansi\ansicpg1252\uc1\deff0{\fonttbl{\f0\froman\fcharset0\fprq2 Times New Roman;}}"
        rf"{{\info{{\title {_line(content.page_title)}}}{{\creatim{made}}}}}" + "\n" + _PAGE + "\n"
    )


def _contents(content: ReportContent) -> str:
    lines = "".join(
        rf'{{\pard\sa40\fs18{{\field{{\*\fldinst HYPERLINK \\l "{_bookmark(each)}"}}'
        rf"{{\fldrslt {_named(each)}. {_line(each.title)}}}}}\par}}" + "\n"
        for each in content.displays()
    )
    heading = rf"{{\pard\sa120\b\fs24 {_line(content.heading)}\par}}" + "\n"
    return _SECTION + _ACROSS + _margins(content, (), _ROOM) + heading + lines


def _section(content: ReportContent, display: Display, fonts: Path | None) -> str:
    mark = _bookmark(display)
    bookmark = rf"{{\*\bkmkstart {mark}}}{{\*\bkmkend {mark}}}"
    above = (
        rf"{{\pard\qc\b\fs20 {_named(display)}\line {_line(display.title)}\par}}",
        rf"{{\pard\qc\sa80\fs17 {_line(display.population)}\par}}",
    )
    page, room = _ACROSS, _ROOM
    if isinstance(display, Table):
        body, notes = "".join(_table(display.view)), display.view.notes
    else:
        if is_upright(display.svg):
            page, room = _UPRIGHT, _ROOM_UPRIGHT
        body, notes = _figure(display, room, fonts), display.notes
    below = "".join(rf"{{\pard\sb40\fs16 {rtf_text(note)}\par}}" + "\n" for note in notes)
    # A section ends with a paragraph: some readers join what follows a table to it.
    return f"{_SECTION}{page}{_margins(content, above, room)}{bookmark}\n{body}{below}{_END}"


def _bookmark(display: Display) -> str:
    return file_stem(display).replace("-", "_")


def _named(display: Display) -> str:
    return f"{display.word} {display.number}"


def _line(text: str) -> str:
    """A text that stays on one line."""
    return rtf_text(" ".join(text.split("\n")))


def _margins(content: ReportContent, above: Sequence[str], room: int) -> str:
    """What stands above and below every page of a section."""
    marks = "  |  ".join(content.marks)
    page = r"Page {\field{\*\fldinst PAGE}{\fldrslt 1}} of {\field{\*\fldinst SECTIONPAGES}{\fldrslt 1}}"
    opening = (
        rf"{{\pard\tqc\tx{room // 2}\tqr\tx{room}\sa80\fs16 {_line(content.study)}. {_line(content.kind)}"
        rf"\tab {{\b {_line(marks)}}}\tab {page}\par}}"
    )
    header = rf"{{\header {opening}{''.join(above)}}}"
    return header + rf"{{\footer {{\pard\fs14 {_line(content.source)}\par}}}}" + "\n"


def _table(view: TableView) -> Iterator[str]:
    """The rows of a table; the first is repeated on every page."""
    shares = column_shares(view)
    ends = [round(_ROOM * sum(shares[: place + 1]) / sum(shares)) for place in range(len(shares))]
    size = _SIZES[type_size(view)]
    sides = ["\\ql" if place < view.words else "\\qc" for place in range(len(shares))]
    head = [
        rf"\pard\intbl{side}\b\fs{size} {rtf_text(each)}\b0\cell"
        for side, each in zip(sides, view.head, strict=True)
    ]
    yield _row("\\trhdr", _RULE_ABOVE + _RULE_BELOW + r"\clvertalb", ends, head)
    for place, row in enumerate(view.rows):
        rule = _RULE_BELOW if place == len(view.rows) - 1 else ""
        yield _row("", rule, *_cells(row, ends, sides, size))


def _cells(row: RowView, ends: list[int], sides: list[str], size: int) -> tuple[list[int], list[str]]:
    """The ends of the cells of a row, and the cells; a heading is one cell across."""
    if row.kind == "heading":
        return ends[-1:], [rf"\pard\intbl\ql\keepn\b\fs{size} {rtf_text(row.cells[0])}\b0\cell"]
    first = rf"\li{_INDENT}" if row.kind == "indent" else ""
    bold, plain = (r"\b", r"\b0") if row.kind == "total" else ("", "")
    cells = [
        rf"\pard\intbl{side}{first if place == 0 else ''}{bold}\fs{size} {rtf_text(each)}{plain}\cell"
        for place, (side, each) in enumerate(zip(sides, row.cells, strict=True))
    ]
    return ends, cells


def _row(kind: str, rule: str, ends: Sequence[int], cells: Sequence[str]) -> str:
    places = "".join(rf"{rule}\cellx{end}" for end in ends)
    return rf"\trowd\trgaph60\trkeep{kind}{places}" + "\n" + "\n".join(cells) + "\\row\n"


def _figure(display: Drawing, room: int, fonts: Path | None) -> str:
    image = drawing_png(display.svg, fonts)
    ratio = svg_ratio(display.svg)
    # Half an inch of the height of a page goes to the title above, and one to notes.
    height = (_WIDTH if room == _ROOM_UPRIGHT else _HEIGHT) - _TOP - _BOTTOM - 3 * _INCH // 2
    width = min(room, round(height * ratio))
    # A PNG has its width and height in pixels in bytes 16 to 24.
    dots = [int.from_bytes(image[place : place + 4]) for place in (16, 20)]
    size = rf"\picw{dots[0]}\pich{dots[1]}\picwgoal{width}\pichgoal{round(width / ratio)}"
    return rf"{{\pard\qc{{\pict\pngblip{size}" + "\n" + image.hex("\n", 64) + "}\\par}\n"
