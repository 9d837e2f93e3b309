"""PDF: texts as they are, the same bytes for the same cut, and what archives and screen readers ask for."""

import json
import sys
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from equipoise.analysis.report.content import Table, numbered
from equipoise.analysis.report.render import print_html
from equipoise.analysis.report.views import RowView, TableView
from equipoise.exchange.documents import pdf
from equipoise.exchange.documents.files import CLOSED, report_files
from equipoise.exchange.documents.pages import LINES, column_shares, is_narrow, type_size
from equipoise.exchange.documents.texts import printable, printable_tree
from equipoise.exchange.made import NotWritten
from tests.exchange.documents_reading import bytes_of, cut_of, html_text, report, squeezed, texts_of

typst = pytest.importorskip("typst", reason="typst is not installed")


@cache
def whole() -> bytes:
    return pdf.print_pdf(report("crossover")[0])


def as_page(tree: dict[str, Any]) -> str:
    """What the template prints, as a page whose text can be read."""
    printed = typst.compile(
        pdf.TEMPLATE.read_bytes(),
        format="html",
        ignore_system_fonts=True,
        sys_inputs={"report": json.dumps(printable_tree(tree))},
    )
    return html_text(printed.decode())


@cache
def small_tree() -> dict[str, Any]:
    content, _ = report("single")
    return pdf.report_tree(replace(content, sections=()))


def test_spec_every_text_of_the_report_is_printed() -> None:
    tree: dict[str, Any] = pdf.report_tree(report("crossover")[0])
    page = as_page(tree)
    for section in tree["sections"]:
        for block in section["blocks"]:
            shown = {
                key: value for key, value in block.items() if key not in ("svg", "tag", "kind", "columns")
            }
            if block["tag"] == "table":
                shown["rows"] = [row["cells"] for row in block["rows"]]
            if block["tag"] != "entries":
                missing = [each for each in texts_of(shown) if squeezed(each) not in page]
                assert not missing


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.text(alphabet=st.characters(exclude_categories=["Cs"]))
    | st.text(alphabet="#$*_`@<>\\[]{}=-+/~'\" \n1.a")
)
def test_spec_any_text_is_printed_as_it_is(text: str) -> None:
    page = as_page(small_tree() | {"cautions": [f"begin{text}end"]})
    assert squeezed(printable(f"begin{text}end")) in page


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=20))
def test_spec_any_text_can_be_archived(text: str) -> None:
    content, listed = report("single")
    rows = (RowView(cells=(text, text)), RowView(cells=(text,), kind="heading"))
    view = TableView(caption=text, head=(text, text), rows=rows, notes=(text,))
    block = Table(view=view, chapter="14.1", population=text)
    sections = numbered([replace(listed, title=text, blocks=(block,))])
    odd = replace(content, study=text, heading=text, cautions=(text,), marks=(text,), sections=sections)
    assert pdf.print_pdf(odd).startswith(b"%PDF-1.7")


def test_spec_it_claims_archiving_and_access_and_is_tagged() -> None:
    found = whole()
    for claim in (
        b"<pdfaid:part>2</pdfaid:part>",
        b"<pdfaid:conformance>A</pdfaid:conformance>",
        b"<pdfuaid:part>1</pdfuaid:part>",
        b"/StructTreeRoot",
        b"/Outlines",
    ):
        assert claim in found, claim


def test_spec_the_same_cut_gives_the_same_bytes_and_no_other_date() -> None:
    assert whole() == pdf.print_pdf(report("crossover")[0])
    assert b"2025-06-30T12:00:00Z" in whole()
    assert b"D:2025063012" in whole()


def test_spec_masked_pages_are_the_same_whatever_the_arms_are() -> None:
    for shown in (pdf.print_pdf, print_html):
        assert shown(report("crossover", True)[0]) == shown(report("crossover", True, True)[0])
        assert shown(report("crossover")[0]) != shown(report("crossover", swapped=True)[0])
    assert "MASKED: all participants together" in report("crossover", True)[0].marks


def test_spec_files_are_told_as_they_are_made() -> None:
    told: list[tuple[int, int]] = []
    cut = cut_of("single", masked=True)
    files = list(report_files(cut, "html", progress=lambda made, planned: told.append((made, planned))))
    assert [file.path for file in files] == ["report.html", "listings.html"]
    assert told == [(1, 2), (2, 2)]


def test_spec_arms_before_the_unblinding_are_marked_closed_and_not_tested() -> None:
    cut = replace(cut_of("crossover"), unblinded_at=None, locked_at=None)
    (made,) = report_files(cut, "html", listings=False)
    page = bytes_of(made).decode()
    assert CLOSED in page and "The hypothesis of no effect" not in page and "not locked" in page


def test_spec_without_typst_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(NotWritten, match=r"Install equipoise\[documents\]") as refused:
        pdf.print_pdf(report("single")[0])
    assert refused.value.code == "EXTRA-MISSING"


def test_spec_wide_tables_share_the_page_and_narrow_ones_keep_to_their_words() -> None:
    narrow = TableView(caption="", head=("A", "B"), rows=(RowView(cells=("1", "2")),))
    long = TableView(caption="", head=("A", "B"), rows=(RowView(cells=("1", "word " * 60)),))
    assert is_narrow(narrow) and not is_narrow(long)
    assert column_shares(long)[1] > 10 * column_shares(long)[0]


@given(st.lists(st.text("ab -", min_size=1, max_size=60), min_size=1, max_size=16))
def test_spec_no_word_is_wider_than_its_column(cells: list[str]) -> None:
    head = tuple(f"Head{place}" for place in range(len(cells)))
    view = TableView(caption="", head=head, rows=(RowView(cells=tuple(cells)),))
    shares, room = column_shares(view), LINES[type_size(view)]
    longest = [
        min(max(len(word) for word in f"{a} {b}".split()), 24) for a, b in zip(head, cells, strict=True)
    ]
    if sum(longest) + 3 * len(cells) <= LINES[-1]:
        assert all(share / sum(shares) * room >= word for share, word in zip(shares, longest, strict=True))
