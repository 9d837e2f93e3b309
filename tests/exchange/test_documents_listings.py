"""What is listed by participant, how tables are numbered, and what a masked draft leaves out."""

import re
from dataclasses import replace

import pytest

from equipoise.analysis.cut import DataCut
from equipoise.analysis.derive import Frame, mask_cut
from equipoise.analysis.report.content import ReportContent, Table
from equipoise.analysis.report.listings import COLUMNS_MAX, derive_listings
from equipoise.analysis.report.views import RowView
from equipoise.definition.model.forms import Form
from equipoise.exchange.documents import files
from tests.analysis.cuts import make_cut
from tests.exchange.documents_reading import cut_of, report
from tests.small_trial import item


def tables(cut: DataCut) -> list[Table]:
    return [block for block in derive_listings(Frame(cut)).blocks if isinstance(block, Table)]


@pytest.mark.parametrize("kind", ["crossover", "parallel", "single"])
def test_spec_displays_are_numbered_within_the_chapters_of_ich_e3(kind: str) -> None:
    content, listed = report(kind)
    numbers = [(each.word, each.number) for each in content.displays()]
    numbers += [(each.word, each.number) for each in listed.blocks if isinstance(each, Table)]
    assert len(set(numbers)) == len(numbers)
    assert all(re.fullmatch(r"(14\.[12]|14\.3\.[12]|16\.2\.[1-8])\.\d+", number) for _, number in numbers)
    assert ("Table", "14.1.1") in numbers and ("Figure", "14.1.1") in numbers
    order = [tuple(map(int, each.number.split("."))) for each in listed.blocks if isinstance(each, Table)]
    assert order == sorted(order)


def test_spec_every_display_names_its_population_and_the_whole_report_its_source() -> None:
    content, _ = report("crossover")
    cut = cut_of("crossover")
    assert all(each.population for each in content.displays())
    for words in (f"position {cut.position}", cut.head[:16], "2025-06-30 12:00:00 UTC", "Equipoise"):
        assert words in content.source


def test_spec_every_form_is_listed() -> None:
    cut = cut_of("crossover")
    titles = [each.title for each in tables(cut)]
    for form in cut.definition.forms:
        assert any(title.startswith(form.title) for title in titles), form.id


def test_spec_those_who_left_are_listed_with_day_and_reason() -> None:
    cut = cut_of("crossover")
    listed = next(each for each in tables(cut) if each.number == "16.2.1.1")
    left = [each for each in cut.participants if each.status == "withdrawn"]
    assert left and [row.cells[0] for row in listed.view.rows] == [each.participant for each in left]
    assert [row.cells[-1] for row in listed.view.rows] == [each.end_cause for each in left]


def test_spec_there_is_no_study_day_zero() -> None:
    days = {
        row.cells[table.view.head.index("Study day")]
        for table in tables(cut_of("crossover"))
        if "Study day" in table.view.head
        for row in table.view.rows
    }
    assert {"1", "−10"} <= days and "0" not in days


def test_spec_a_serious_event_is_listed_among_all_and_among_the_serious() -> None:
    cut = make_cut(cut_of("crossover").definition, 40)
    every, serious = (each.view for each in tables(cut) if each.number.startswith("16.2.7."))
    flagged = {row.cells for row in every.rows if "Serious" in row.cells[-1]}
    assert flagged and flagged == {row.cells for row in serious.rows}


def test_spec_a_form_with_many_items_is_listed_in_parts() -> None:
    cut = cut_of("crossover")
    items = tuple(item(f"value_{number}", "integer") for number in range(2 * COLUMNS_MAX + 1))
    long = Form(id="person", title="Long", items=items)
    forms = tuple(long if each.id == "person" else each for each in cut.definition.forms)
    parts = [
        each
        for each in tables(replace(cut, definition=replace(cut.definition, forms=forms)))
        if each.title.startswith("Long, part ")
    ]
    heads = [label for each in parts for label in each.view.head if label.startswith("Value")]
    assert len(parts) == 3 and heads == [each.label for each in items]
    assert len({len(each.view.rows) for each in parts}) == 1


def test_spec_a_masked_draft_lists_no_group_and_nothing_that_unmasks() -> None:
    masked = tables(cut_of("crossover", masked=True))
    heads = {head for each in masked for head in each.view.head}
    assert not heads & {"Group", "Given then", "Intervention"}
    assert not any(each.title.startswith("Culture") for each in masked)
    names = {arm.label for arm in cut_of("crossover").definition.study.arms}
    assert not any(cell in names for each in masked for row in each.view.rows for cell in row.cells)


@pytest.mark.parametrize("kind", ["crossover", "parallel"])
def test_spec_a_masked_draft_is_the_same_whatever_the_arms_are(kind: str) -> None:
    assert report(kind, True) == report(kind, True, True)
    assert report(kind) != report(kind, swapped=True)


def test_spec_an_empty_trial_is_listed_as_empty() -> None:
    for cut in (make_cut(cut_of("crossover").definition, 0, screened_out=0), mask_cut(cut_of("parallel"))):
        for each in tables(cut):
            assert each.view.rows or "There is nothing to list." in each.view.notes


def test_long_listings_are_divided_among_files_and_lose_no_row(monkeypatch: pytest.MonkeyPatch) -> None:
    content, listed = report("crossover")
    whole = dict(files._chapters(content, listed, "pdf"))
    monkeypatch.setattr(files, "CELLS_MAX", 200)
    parts = dict(files._chapters(content, listed, "pdf"))
    assert len(parts) > len(whole) and "listings-16-2-6-part-1" in parts
    assert all(files._cells(chapter) <= 200 for name, chapter in parts.items() if name != "report")
    for name in whole.keys() - {"report"}:
        mine = [
            chapter for part, chapter in parts.items() if part == name or part.startswith(f"{name}-part-")
        ]
        assert rows_of(mine) == rows_of([whole[name]])


def rows_of(chapters: list[ReportContent]) -> dict[str, list[RowView]]:
    found: dict[str, list[RowView]] = {}
    for chapter in chapters:
        for table in chapter.displays():
            if isinstance(table, Table):
                found.setdefault(table.number, []).extend(table.view.rows)
    return found


def test_a_process_of_its_own_prints_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    content, _ = report("single")
    (here,) = files._pdfs([content], None)
    monkeypatch.setattr(files, "CELLS_MAX", 0)
    (apart,) = files._pdfs([content], None)
    assert here == apart
