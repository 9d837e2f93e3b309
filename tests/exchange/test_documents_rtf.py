"""RTF: every text as it is, a whole file whatever reads it, and the frame of each table."""

from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.analysis.report.content import ReportContent, Table, numbered
from equipoise.analysis.report.views import RowView, TableView
from equipoise.exchange.documents.pages import is_upright
from equipoise.exchange.documents.rtf import WHOLE, file_stem, print_rtf
from equipoise.exchange.documents.texts import printable, rtf_text
from tests.exchange.documents_reading import Rtf, bytes_of, read_rtf, report

TRAPS = "1–2 ≥ 3 >= 4 ^x _y \\alpha {z} 10² µg/L β 😀 “q” \\'41 \\u65?"


def content_with(*tables: Table) -> ReportContent:
    content, listed = report("crossover")
    return replace(content, sections=numbered([replace(listed, blocks=tables)]))


def table_of(*rows: RowView, head: tuple[str, ...] = ("", "A\n(n = 3)", "B\n(n = 4)")) -> Table:
    view = TableView(caption=TRAPS, head=head, rows=rows, notes=(TRAPS,))
    return Table(view=view, chapter="14.1", population="Everybody")


@cache
def files() -> dict[str, bytes]:
    content, listed = report("crossover")
    whole = replace(content, sections=(*content.sections, listed))
    return {file.path: bytes_of(file) for file in print_rtf(whole)}


@given(st.text())
def test_spec_any_text_is_read_as_it_was(text: str) -> None:
    escaped = rtf_text(text)
    assert escaped.isascii()
    read = read_rtf(b"{\\rtf1 {" + escaped.encode() + b"}\\par}")
    assert read.depth_end == 0 and read.paragraphs == [printable(text)]


def test_spec_readers_without_unicode_see_the_nearest_character() -> None:
    assert rtf_text("1–2") == "1\\u8211\\'2d2"
    assert rtf_text("x²") == "x\\u178\\'32"
    assert rtf_text("3\u20094") == "3\\u8201\\'204"


def one(content: ReportContent) -> Rtf:
    return read_rtf(bytes_of(next(iter(print_rtf(content)))))


def test_spec_traps_stand_in_cells_notes_and_titles_as_they_are() -> None:
    read = one(content_with(table_of(RowView(cells=(TRAPS, "1", "2")))))
    assert read.rows == [["", "A\n(n = 3)", "B\n(n = 4)"], [TRAPS, "1", "2"]]
    assert TRAPS in read.paragraphs
    assert TRAPS in read.margins[0]


def test_spec_heads_are_repeated_and_headings_go_across() -> None:
    rows = (RowView(cells=("Sex",), kind="heading"), RowView(cells=("Women", "1", "2"), kind="indent"))
    read = one(content_with(table_of(*rows)))
    assert read.heads == 1
    assert read.rows[1:] == [["Sex"], ["Women", "1", "2"]]


def test_spec_every_page_bears_number_title_population_source_and_its_number() -> None:
    content, _ = report("crossover")
    displays = list(content.displays())
    for display in displays:
        read = read_rtf(files()[f"{file_stem(display)}.rtf"])
        header, footer = read.margins
        for words in (
            f"{display.word} {display.number}",
            display.title,
            display.population,
            "SIMULATED DATA",
        ):
            assert words in header
        assert content.source in footer
        assert b"PAGE}" in files()[f"{file_stem(display)}.rtf"] and b"SECTIONPAGES" in files()[WHOLE]
        across = isinstance(display, Table) or not is_upright(display.svg)
        assert ("lndscpsxn" in read.words) == across


def test_spec_each_file_is_whole_and_ascii() -> None:
    for path, content in files().items():
        assert content.startswith(b"{\\rtf1\\ansi") and content.endswith(b"}") and content.isascii(), path
        assert read_rtf(content).depth_end == 0, path


def test_spec_the_file_of_all_holds_each_behind_a_list_of_contents() -> None:
    read = read_rtf(files()[WHOLE])
    single = [read_rtf(content) for path, content in files().items() if path != WHOLE]
    assert read.rows == [row for each in single for row in each.rows]
    assert read.words.count("sect") == len(single) == len(read.margins) // 2 - 1


def test_spec_a_figure_is_an_image_in_the_proportions_of_its_drawing() -> None:
    content = files()["figure-14-1-1.rtf"]
    assert b"\\pngblip" in content and b"89504e470d0a1a0a" in content


def test_spec_the_same_report_gives_the_same_bytes() -> None:
    content, _ = report("parallel")
    first, second = ([bytes_of(file) for file in print_rtf(content)] for _ in range(2))
    assert first == second


def test_double_rtflite_puts_the_same_words_into_the_same_cells() -> None:
    polars, rtflite = pytest.importorskip("polars"), pytest.importorskip("rtflite")
    rows = [("Women", "12 (50%)"), ("Men", "9 to 14"), ("Score", "−1.25 ≥ −2")]
    view = TableView(caption="T", head=("Level", "N"), rows=tuple(RowView(cells=row) for row in rows))
    mine = one(content_with(Table(view=view, chapter="14.1", population="P")))
    document = rtflite.RTFDocument(
        df=polars.DataFrame(rows, schema=["Level", "N"], orient="row"),
        rtf_body=rtflite.RTFBody(text_convert=False),
    )
    assert read_rtf(document.rtf_encode().encode()).rows == mine.rows
