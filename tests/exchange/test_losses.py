"""What a standard cannot hold is said exactly, by sending the pilot study through each.

EQUIPOISE_WRITE_SNAPSHOTS=1 writes the tables of docs/standards.md anew.
"""

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.exchange.datasets_page import form_table, kept_by_form
from tests.exchange.losses import Kept, compare_parts
from tests.exchange.standards_page import PAGE, kept_by_standard, pilot, study_tables, with_tables


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Kept, ...]]:
    return kept_by_standard(tmp_path_factory.mktemp("standards"))


def test_the_page_says_what_comes_back(kept: dict[str, tuple[Kept, ...]], tmp_path: Path) -> None:
    page = PAGE.read_text(encoding="utf-8")
    tables = {"studies": study_tables(kept), "forms": form_table(*kept_by_form(tmp_path))}
    written = with_tables(page, tables)
    if os.environ.get("EQUIPOISE_WRITE_SNAPSHOTS"):
        PAGE.write_text(written, encoding="utf-8")
    assert page == written


def test_every_standard_holds_what_it_is_for(kept: dict[str, tuple[Kept, ...]]) -> None:
    def whole(standard: str, file: str, pattern: str) -> bool:
        return any(
            (each.file, each.pattern) == (file, pattern) and each.kept == each.leaves
            for each in kept[standard]
        )

    assert whole("ClinicalTrials.gov", "study.yaml", "title")
    assert whole("USDM 4.0", "schedule.yaml", "encounters[].day")
    assert whole("ODM 1.3.2", "forms/*.yaml", "items[].label")
    assert whole("ODM 2.0", "forms/*.yaml", "items[].label")
    assert whole("FHIR R5", "eligibility.yaml", "criteria[].text")


def test_nothing_is_lost_on_the_way_to_nowhere() -> None:
    _, parts = pilot()
    assert all(each.kept == each.leaves for each in compare_parts(parts, parts))
    assert all(each.kept == 0 for each in compare_parts(parts, {}))


def encounter(name: str, day: object) -> dict[str, Any]:
    return {"id": name, "day": day, "name": "A visit"}


@given(st.permutations([encounter("a", 1), encounter("b", 8), encounter("c", 15)]))
def test_items_are_compared_by_their_names_and_not_by_their_order(encounters: list[dict[str, Any]]) -> None:
    before = {"schedule.yaml": {"encounters": [encounter("a", "1.0"), encounter("b", 9), encounter("c", 15)]}}
    found = {
        each.pattern: each for each in compare_parts(before, {"schedule.yaml": {"encounters": encounters}})
    }
    assert found["encounters[].day"] == Kept("schedule.yaml", "encounters[].day", 3, 2)
    assert found["encounters[].name"].kept == 3


def test_names_that_the_study_gives_are_one_kind() -> None:
    before = {"allocation.yaml": {"ratio": {"first": 1, "second": 2}, "text": "Two\n  lines"}}
    after = {"allocation.yaml": {"ratio": {"second": 2}, "text": "Two lines"}}
    assert compare_parts(before, after) == (
        Kept("allocation.yaml", "ratio.*", 2, 1),
        Kept("allocation.yaml", "text", 1, 1),
    )
