"""The record as a page of HTML: its sections, results as tables, nothing left out, nothing let through."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import typer
from hypothesis import given, settings
from lxml import etree
from typer.testing import CliRunner

from equipoise.cli.registry_page import page
from equipoise.exchange.registry import find_contradictions, read_record, record_html, record_tree
from equipoise.exchange.registry.page_html_blocks import words_of
from equipoise.exchange.registry.page_layout import LAYOUT
from equipoise.exchange.registry.tree import leaves_of

from .registry_files import changed, written
from .registry_pages import API_FILES, OWN_PAGE, REAL_PAGE
from .test_registry_parity import DIPPER, FULL, mutated
from .test_spec_real_records import SEVEN, present

GROUP = re.compile(r"\.(id|groupId|groupIds\[\d+\])$")
SHOWN = ("protocolSection", "resultsSection", "documentSection")


def parsed(text: str) -> Any:
    return etree.fromstring(text, etree.HTMLParser())


def text_of(node: Any) -> str:
    return "".join(node.itertext())


def page_of(path: Path) -> Any:
    record = read_record(path)
    return parsed(record_html(record_tree(record), find_contradictions(record)))


def tokens(text: str) -> set[str]:
    return {word for part in re.findall(r"\w+", text.casefold()) for word in part.split("_") if word}


def words_on(found: Any) -> set[str]:
    return tokens(" ".join(found.xpath("//text()")))


def cells(found: Any, label: str) -> list[list[str]]:
    rows = found.xpath("//tr[th[starts-with(normalize-space(), $label)]]", label=label)
    return [[text_of(cell) for cell in row.xpath("td")] for row in rows]


@pytest.mark.parametrize("path", [*API_FILES, OWN_PAGE, REAL_PAGE], ids=lambda path: path.stem)
def test_published_records_are_shown_whole_in_the_sections_of_the_registry(path: Path) -> None:
    record = read_record(present(path))
    found = page_of(path)
    titles = [text_of(each).strip() for each in found.xpath("//main//h2")]
    assert titles == [title for title in (*LAYOUT, "Study Results") if title in titles], (
        "every entry has a place"
    )
    there = words_on(found)
    for leaf, value in leaves_of(record_tree(record)):
        if leaf.startswith(SHOWN) and not isinstance(value, bool) and not GROUP.search(leaf):
            code = value if isinstance(value, str) else json.dumps(value)
            assert tokens(words_of(code)) <= there, leaf


def test_every_field_of_the_registry_has_its_place() -> None:
    found = parsed(record_html(FULL))
    assert found.xpath("//h2[.='Further entries']") == []
    assert cells(found, "protocol") == [["Prot.pdf", "4711"]]
    assert "A. Nurse, Contact, +46 1, extension 7, a@b.example" in found.xpath("//li/text()")


def test_published_results_are_tables() -> None:
    found = page_of(present(API_FILES[1]))
    assert cells(found, "Started") == [["97", "97"]]
    assert cells(found, "Not Completed") == [["5", "8"]]
    assert cells(found, "Female") == [["51", "48", "99"]]
    assert ["39.9 (14.04)", "39.2 (13.55)", "39.6 (13.77)"] in cells(found, "Value")
    assert cells(found, "Injection site reaction") == [["0/97 (0.0 %)", "5/97 (5.2 %)"]]
    assert cells(found, "Serious adverse events") == [["0/97 (0.0 %)", "3/97 (3.1 %)"]]
    analysis = text_of(found.xpath("//dt[.='Confidence interval']/following-sibling::dd[1]")[0])
    assert analysis == "24.29 to 43.75 (90 %, two sided)"
    assert text_of(found.xpath("//dt[.='P value']/following-sibling::dd[1]")[0]) == "<0.0001"


def test_a_milestone_of_ones_own_keeps_its_words_and_a_comment_its_place() -> None:
    counted = [{"groupId": "FG000", "numSubjects": "3", "comment": "one twice"}, {"groupId": "FG009"}]
    milestones = [{"type": "NOT COMPLETED"}, {"type": "Received Cells_2", "achievements": counted}]
    flow = {
        "groups": [{"id": "FG000", "title": "Cells"}, {"id": "FG001", "title": "Medium"}],
        "periods": [{"title": "All", "milestones": milestones}],
    }
    found = parsed(record_html({**changed({}), "resultsSection": {"participantFlowModule": flow}}))
    assert cells(found, "Not Completed") == [["–", "–"]]
    assert cells(found, "Received Cells_2") == [["3: one twice", "–", "FG009: –"]]


@pytest.mark.parametrize("path", [OWN_PAGE, REAL_PAGE], ids=["own", "real"])
def test_what_contradicts_itself_is_listed_and_marked_where_it_stands(path: Path) -> None:
    found = page_of(present(path))
    assert found.xpath("//section[@class='findings']//strong/text()") == SEVEN
    marked = {
        "".join(heading.xpath("text()")).strip(): heading.xpath("a/text()")
        for heading in found.xpath("//main//h3[a]")
    }
    assert set(marked["Detailed Description"]) == set(SEVEN) and marked["Phase"] == ["REC-PHASE"]
    assert {code for codes in marked.values() for code in codes} == set(SEVEN)


@pytest.mark.parametrize("path", [*API_FILES, OWN_PAGE], ids=lambda path: path.stem)
def test_the_page_needs_nothing_else_and_its_links_lead_somewhere(path: Path) -> None:
    found = page_of(present(path))
    ids = found.xpath("//@id")
    assert len(ids) == len(set(ids))
    assert {link.removeprefix("#") for link in found.xpath("//a/@href")} <= set(ids)
    assert found.xpath("//script | //link | //img | //@src | //@onclick | //iframe") == []
    assert record_html(record_tree(read_record(path))) == record_html(record_tree(read_record(path)))


def test_a_text_of_the_record_is_a_text_of_the_page() -> None:
    hostile = '<script>alert("1")</script><img src=x onerror=alert(1)> & "quoted"'
    record = changed(
        {
            "identificationModule.briefTitle": hostile,
            "descriptionModule.briefSummary": hostile,
            "armsInterventionsModule.armGroups.0.label": hostile,
            "conditionsModule.keywords": [hostile],
            "hostile<script>": hostile,
        }
    )
    found = parsed(record_html(record))
    assert found.xpath("//script | //img") == []
    assert text_of(found.xpath("//h1")[0]) == hostile
    assert (
        text_of(found.xpath("//dt[.='protocolSection.hostile<script>']/following-sibling::dd[1]")[0])
        == hostile
    )


@settings(max_examples=30, deadline=None)
@given(mutated())
def test_nothing_of_any_record_is_left_out(record: dict[str, Any]) -> None:
    found = parsed(record_html(record))
    there = words_on(found)
    for leaf, value in leaves_of(record):
        if isinstance(value, str) and value.isprintable() and not leaf.startswith("derivedSection"):
            assert tokens(words_of(value)) <= there, (leaf, value)


def test_the_command_shows_files_and_studies(tmp_path: Path) -> None:
    app = typer.Typer()
    app.command()(page)
    runner = CliRunner(env={"NO_COLOR": "1"})
    (tmp_path / "record.json").write_text(written(changed({})), encoding="utf-8")
    result = runner.invoke(app, [str(tmp_path / "record.json")])
    assert result.exit_code == 0 and result.stdout.startswith("<!doctype html>")
    out = tmp_path / "page.html"
    result = runner.invoke(app, [str(DIPPER), "--out", str(out)])
    assert (result.exit_code, result.stdout) == (0, f"written   {out}\n")
    assert parsed(out.read_text(encoding="utf-8")).xpath("//h1")
    result = runner.invoke(app, [str(tmp_path / "nowhere.json")])
    assert result.exit_code == 1 and result.stderr.startswith("REC-MISSING: ")
