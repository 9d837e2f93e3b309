"""Dataset-JSON 1.1: valid against CDISC's schemas, read back equal, and clear about what is broken."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings

from equipoise.exchange.datasets import dataset_json_read, json_stream
from equipoise.exchange.datasets.dataset_json import dataset_json, dataset_ndjson, header_of
from equipoise.exchange.datasets.dataset_json_read import read_dataset_json
from equipoise.exchange.datasets.model import Dataset, Package
from equipoise.exchange.made import NotWritten
from equipoise.exchange.unreadable import FileUnreadable
from tests.exchange.packages import (
    EXTERNAL,
    FULL,
    PILOT,
    dataset,
    needs_pilot,
    package,
    packages,
    variable,
)


def as_json(whole: Package, part: Dataset) -> bytes:
    return b"".join(dataset_json(header_of(whole, part), part))


def as_lines(whole: Package, part: Dataset) -> bytes:
    return b"".join(dataset_ndjson(header_of(whole, part), part))


def schema(name: str) -> Any:
    content = (EXTERNAL / name).read_bytes()
    return json.loads(content.decode("utf-16" if content[:2] == b"\xff\xfe" else "utf-8"))


@cache
def validators() -> tuple[Any, Any]:
    """The schemas of a document and of a first line, whose references to definitions of the other dangle."""
    document, metadata = schema("dataset.schema.json"), schema("dataset-ndjson-schema.json")
    metadata["$defs"] = document["$defs"] | metadata["$defs"]
    return jsonschema_rs.validator_for(document), jsonschema_rs.validator_for(metadata)


@needs_pilot
@settings(max_examples=25)
@given(packages())
def test_spec_files_are_valid_against_the_schema(whole: Package) -> None:
    document, metadata = validators()
    for part in whole.datasets:
        document.validate(json.loads(as_json(whole, part)))
        first, *rows = as_lines(whole, part).decode().removesuffix("\n").split("\n")
        metadata.validate(json.loads(first))
        assert [json.loads(row) for row in rows] == [list(row) for row in part.rows]


@needs_pilot
@pytest.mark.parametrize("name", PILOT)
def test_published_pilot_datasets_are_written_as_they_were_read(name: str) -> None:
    read = read_dataset_json(EXTERNAL / f"{name}.json")
    made = b"".join(dataset_json(read.header, read.found.dataset))
    assert json.loads(made) == json.loads((EXTERNAL / f"{name}.json").read_bytes())
    assert read.found.not_understood == ()


@settings(max_examples=30)
@given(packages())
def test_what_is_written_is_read_back(tmp_path_factory: pytest.TempPathFactory, whole: Package) -> None:
    folder = tmp_path_factory.getbasetemp()
    for part in whole.datasets:
        (folder / "d.json").write_bytes(as_json(whole, part))
        (folder / "d.ndjson").write_bytes(as_lines(whole, part))
        read = read_dataset_json(folder / "d.json")
        assert read_dataset_json(folder / "d.ndjson") == read
        assert read.header == header_of(whole, part)
        assert (read.found.dataset.name, read.found.dataset.label) == (part.name, part.label)
        assert read.found.dataset.rows == part.rows
        assert [
            (each.name, each.label, each.key, each.numeric_date) for each in read.found.dataset.variables
        ] == [(each.name, each.label, each.key, each.numeric_date) for each in part.variables]


def test_spec_columns_say_what_dates_are(tmp_path: Path) -> None:
    columns = {each["name"]: each for each in json.loads(as_json(FULL, FULL.datasets[0]))["columns"]}
    assert columns["TRTSDT"] == {
        "itemOID": "IT.DM.TRTSDT",
        "name": "TRTSDT",
        "label": "A label",
        "dataType": "date",
        "targetDataType": "integer",
        "displayFormat": "DATE9.",
    }
    assert columns["BRTHDTC"]["dataType"] == "date"
    assert "targetDataType" not in columns["RFICDTC"]
    assert columns["STUDYID"]["length"] == 12
    assert columns["USUBJID"]["keySequence"] == 2
    (tmp_path / "dm.json").write_bytes(as_json(FULL, FULL.datasets[0]))
    read = read_dataset_json(tmp_path / "dm.json").found.dataset.variables
    assert [each.type for each in read] == [each.type for each in FULL.datasets[0].variables]


def test_spec_missing_is_null_and_an_empty_text_stays_one(tmp_path: Path) -> None:
    part = dataset(variable("A"), variable("B", "float"), rows=(("", None), (None, 1.5)))
    assert json.loads(as_json(package(part), part))["rows"] == [["", None], [None, 1.5]]


@pytest.mark.parametrize("text", ["1,5", "1,23,456", ",123", "1234,567", "1,234,", "1,234.5,6"])
def test_a_decimal_with_a_comma_that_is_not_between_thousands_is_refused(tmp_path: Path, text: str) -> None:
    head = json.loads(as_json(FULL, dataset(variable("A"))))
    head["columns"] = [{"itemOID": "IT.D", "name": "D", "label": "D", "dataType": "decimal"}]
    (tmp_path / "x.json").write_text(json.dumps(head | {"records": 1, "rows": [[text]]}))
    with pytest.raises(FileUnreadable, match="DATA-TYPE"):
        read_dataset_json(tmp_path / "x.json")


def test_spec_other_types_and_attributes_are_kept_or_listed(tmp_path: Path) -> None:
    head = json.loads(as_json(FULL, dataset(variable("A"))))
    head["columns"] = [
        {"itemOID": f"IT.{name}", "name": name, "label": name, "dataType": kind}
        for name, kind in (
            ("B", "boolean"),
            ("D", "decimal"),
            ("U", "URI"),
            ("N", "double"),
            ("I", "integer"),
        )
    ]
    head |= {"records": 2, "rows": [[True, "1,234.50", "urn:x", 2, 3.0], [None] * 5], "extra": {"a": 1}}
    head["sourceSystem"]["site"] = 7
    (tmp_path / "x.json").write_text(json.dumps(head))
    found = read_dataset_json(tmp_path / "x.json").found
    assert found.dataset.rows == ((1, 1234.5, "urn:x", 2.0, 3), (None,) * 5)
    assert [type(cell) for cell in found.dataset.rows[0]] == [int, float, str, float, int]
    assert [place for place, _ in found.not_understood] == [
        "columns[0].dataType",
        "columns[1].dataType",
        "columns[2].dataType",
        "extra",
        "sourceSystem.site",
    ]


def test_brackets_and_line_breaks_in_texts_divide_no_rows(tmp_path: Path) -> None:
    texts = ("a],\n[b", "],[", '"],\n["', "\r", "\u2028", "\\n")
    part = dataset(variable("A"), variable("B"), rows=tuple((text, text) for text in texts))
    lines = as_lines(package(part), part).decode().split("\n")
    assert [json.loads(line) for line in lines[1:-1]] == [[text, text] for text in texts]


def test_rows_may_stand_before_the_columns(tmp_path: Path) -> None:
    whole = json.loads(as_json(FULL, FULL.datasets[0]))
    turned = {"rows": whole.pop("rows")} | whole
    (tmp_path / "dm.json").write_text(json.dumps(turned, indent=1))
    assert read_dataset_json(tmp_path / "dm.json").found.dataset.rows == FULL.datasets[0].rows


def changed(**more: Any) -> bytes:
    whole = json.loads(as_json(FULL, dataset(variable("A"), variable("N", "integer"), rows=(("x", 1),))))
    return json.dumps({key: value for key, value in (whole | more).items() if value is not ...}).encode()


DEEP = b'{"a":' + b"[" * 200_000
ROWS = b'{"columns":[{}],"rows":[' + b"[],"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (changed()[:-1], "DATA-INVALID"),
        (changed()[:-9], "DATA-INVALID"),
        (changed()[:40], "DATA-INVALID"),
        (changed() + b"x", "DATA-INVALID"),
        (b"[1, 2]", "DATA-INVALID"),
        (b'{"a": NaN}', "DATA-INVALID"),
        (b'{"a": 1, "a": 2}', "DATA-HEADER"),
        (changed().decode().encode("utf-16"), "DATA-ENCODING"),
        (changed(label="\u00e9").replace(b"\\u00e9", b"\xe9"), "DATA-ENCODING"),
        (DEEP, "DATA-TOO-DEEP"),
        (ROWS, "DATA-WIDTH"),
        (changed(records=2), "DATA-RECORDS"),
        (changed(rows=...), "DATA-RECORDS"),
        (changed(records=True), "DATA-HEADER"),
        (changed(records=...), "DATA-HEADER"),
        (changed(rows=[["x"]]), "DATA-WIDTH"),
        (changed(rows=["xy"]), "DATA-WIDTH"),
        (changed(rows=[["x", 1], ["x", 1, 2]], records=2), "DATA-WIDTH"),
        (changed(rows=[["x", 1.5]]), "DATA-TYPE"),
        (changed(rows=[["x", "1"]]), "DATA-TYPE"),
        (changed(rows=[["x", True]]), "DATA-TYPE"),
        (changed(rows=[[["x"], 1]]), "DATA-TYPE"),
        (changed(rows=[[1, 1]]), "DATA-TYPE"),
        (changed(columns=[], rows=[]), "DATA-HEADER"),
        (changed(columns=...), "DATA-HEADER"),
        (changed(columns=[{"name": "A"}, {}]), "DATA-HEADER"),
        (changed(name=...), "DATA-HEADER"),
        (changed(label=3), "DATA-HEADER"),
        (changed(datasetJSONVersion="1.0.0"), "DATA-VERSION"),
    ],
)
def test_bad_files_are_refused(tmp_path: Path, content: bytes, code: str) -> None:
    (tmp_path / "bad.json").write_bytes(content)
    with pytest.raises(FileUnreadable) as refused:
        read_dataset_json(tmp_path / "bad.json")
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"\n\n", "FILE-EMPTY"),
        (b"[1]\n", "DATA-HEADER"),
        (b'{"a": 1\n', "DATA-INVALID"),
        (b'{"a": 1} {}\n', "DATA-INVALID"),
        (b"{}\n" + b"[" * 100_000, "DATA-TOO-DEEP"),
        (b"{}\n\xff\n", "DATA-ENCODING"),
        (b'{"columns": [1, 2]}\n[1]\n', "DATA-WIDTH"),
        (as_lines(FULL, FULL.datasets[0]).rsplit(b"\n", 2)[0] + b"\n", "DATA-RECORDS"),
    ],
)
def test_bad_lines_are_refused(tmp_path: Path, content: bytes, code: str) -> None:
    (tmp_path / "bad.ndjson").write_bytes(content)
    with pytest.raises(FileUnreadable) as refused:
        read_dataset_json(tmp_path / "bad.ndjson")
    assert refused.value.code == code


@pytest.mark.parametrize("suffix", ["json", "ndjson"])
def test_a_single_value_without_end_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    monkeypatch.setattr(json_stream, "ROW_BYTES_MAX", 500_000)
    monkeypatch.setattr(dataset_json_read, "ROW_BYTES_MAX", 500_000)
    (tmp_path / f"long.{suffix}").write_bytes(b'{"a":[' + b"0," * 1_000_000)
    with pytest.raises(FileUnreadable, match="DATA-TOO-LARGE"):
        read_dataset_json(tmp_path / f"long.{suffix}")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable, match="FILE-MISSING"):
        read_dataset_json(tmp_path / "none.json")


def test_a_partial_date_cannot_become_a_number(tmp_path: Path) -> None:
    whole = json.loads(as_json(FULL, FULL.datasets[0]))
    whole["rows"][2][8] = "2026-01"
    (tmp_path / "dm.json").write_text(json.dumps(whole))
    with pytest.raises(FileUnreadable, match=r"DATA-DATE.*TRTSDT, row 3"):
        read_dataset_json(tmp_path / "dm.json")


@pytest.mark.parametrize(
    ("part", "code", "place"),
    [
        (dataset(variable("A"), variable("A")), "DATA-NAME", "DM"),
        (dataset(variable("A B")), "DATA-NAME", "DM"),
        (dataset(variable("A", key=1), variable("B", key=1)), "DATA-KEY", "DM"),
        (dataset(variable("A"), rows=(("x",), ("x", "y"))), "DATA-WIDTH", "DM, row 2"),
        (dataset(variable("A"), rows=((None,), (1,))), "DATA-TYPE", "DM.A, row 2"),
        (dataset(variable("A", "integer"), rows=((True,),)), "DATA-TYPE", "DM.A, row 1"),
        (dataset(variable("A", "integer"), rows=((1.0,),)), "DATA-TYPE", "DM.A, row 1"),
        (dataset(variable("A", "integer", numeric_date=True)), "DATA-TYPE", "DM.A"),
        (dataset(variable("A", "float"), rows=((float("nan"),),)), "DATA-NUMBER", "DM.A, row 1"),
        (dataset(variable("A", "float"), rows=((10**400,),)), "DATA-NUMBER", "DM.A, row 1"),
        (dataset(variable("A"), rows=(("\ud800",),)), "DATA-TEXT", "DM.A, row 1"),
        (dataset(variable("A", label="\udfff")), "DATA-TEXT", "DM.A"),
        (dataset(variable("A", length=1), rows=(("x",), ("é",))), "DATA-LENGTH", "DM.A, row 2"),
        (
            dataset(variable("A", "date", numeric_date=True), rows=(("2026-02-30",),)),
            "DATA-DATE",
            "DM.A, row 1",
        ),
    ],
)
def test_what_a_variable_cannot_hold_is_not_written(part: Dataset, code: str, place: str) -> None:
    with pytest.raises(NotWritten) as refused:
        as_json(package(part), part)
    assert (refused.value.code, refused.value.place) == (code, place)
