"""Names, labels and types beside those of the CDISC pilot study (DM, AE and ADSL as published by CDISC)."""

import json
from pathlib import Path
from typing import Any

import pytest

from equipoise.definition.sdtm.guide import domains
from equipoise.exchange.adam import adam_package
from equipoise.exchange.sdtm import sdtm_package
from tests.exchange.dataset_checks import by_name, cut_of
from tests.exchange.registry_pages import SHARED

FOLDER = SHARED / "external" / "dataset-json"
NUMBERS = {"integer": ("integer", "float"), "float": ("integer", "float")}
# The published file is of an older guide (SDTMIG 3.3), in which these were called otherwise.
SINCE = {"AELNKID"}


def published(name: str) -> dict[str, Any]:
    file = Path(FOLDER) / f"{name}.json"
    if not file.exists():
        pytest.skip("the datasets of the CDISC pilot are not in ../shared/external")
    tree = json.loads(file.read_text(encoding="utf-8"))
    columns: dict[str, Any] = {}
    for place, each in enumerate(tree["columns"]):
        columns[each["name"]] = each | {"filled": any(row[place] not in ("", None) for row in tree["rows"])}
    return columns


@pytest.mark.parametrize("name", ["dm", "ae"])
def test_published_variables_are_the_guides_with_label_type_and_order(name: str) -> None:
    guide = domains()[name.upper()]
    columns = published(name)
    for column in columns.values():
        if column["name"] not in SINCE:
            known = guide.variable(column["name"])
            assert known is not None, column["name"]
            assert known.label == column["label"]
            # A variable without any value is a text there, whatever the guide says.
            assert known.numeric == (column["dataType"] in NUMBERS) or not column["filled"]
    order = [each.name for each in guide.variables]
    ours = [each for each in order if each in columns]
    assert ours == [each for each in columns if each in order]


def test_published_demographics_have_the_variables_of_the_pilot() -> None:
    columns = published("dm")
    ours = {each.name: each for each in by_name(sdtm_package(cut_of("crossover")))["DM"].variables}
    # Ethnicity is permissible, and asked by no study here.
    assert columns.keys() - {"ETHNIC"} <= ours.keys()
    keys = {name: column["keySequence"] for name, column in columns.items() if column.get("keySequence")}
    assert {name: ours[name].key for name in keys} == keys


def test_published_subject_level_variables_are_called_as_in_the_pilot() -> None:
    columns = published("adsl")
    ours = {each.name: each for each in by_name(adam_package(cut_of("mesems")))["ADSL"].variables}
    shared = columns.keys() & ours.keys()
    assert {
        "USUBJID",
        "SITEID",
        "ARM",
        "TRT01P",
        "TRT01A",
        "TRTSDT",
        "TRTEDT",
        "AGE",
        "SEX",
        "SAFFL",
    } <= shared
    for name in shared:
        assert ours[name].label == columns[name]["label"], name
        wanted = columns[name]["dataType"]
        assert ours[name].type in NUMBERS.get(wanted, ("text" if wanted == "string" else wanted,)), name
