"""CSV, Parquet, and whole packages in every form: read back equal, whole or not at all."""

from __future__ import annotations

import csv
import io
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import get_args

import polars as pl
import pytest
from hypothesis import given, settings

from equipoise.exchange.datasets import found, parquet
from equipoise.exchange.datasets.csv_files import csv_metadata, dataset_csv, read_csv
from equipoise.exchange.datasets.dataset_json import header_of
from equipoise.exchange.datasets.define_read import read_define
from equipoise.exchange.datasets.files import Form, package_files, read_datasets
from equipoise.exchange.datasets.model import Package
from equipoise.exchange.datasets.parquet import dataset_parquet, read_parquet
from equipoise.exchange.made import NotWritten, write_folder
from equipoise.exchange.unreadable import FileUnreadable
from tests.exchange.packages import FULL, dataset, package, packages, variable, without_blanks

FORMS = get_args(Form)
DM = FULL.datasets[0]


def described(whole: Package) -> bytes:
    return csv_metadata((header_of(whole, each), each) for each in whole.datasets)


def as_csv(whole: Package) -> bytes:
    return b"".join(dataset_csv(whole.datasets[0]))


@settings(max_examples=30)
@given(packages())
def test_what_is_written_as_csv_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, whole: Package
) -> None:
    folder = tmp_path_factory.getbasetemp()
    part = whole.datasets[0]
    path = folder / f"{part.name.lower()}.csv"
    path.write_bytes(as_csv(whole))
    (folder / "datasets.json").write_bytes(described(whole))
    read = read_csv(path).dataset
    assert read.rows == tuple(tuple(None if cell == "" else cell for cell in row) for row in part.rows)
    assert [(each.name, each.label) for each in read.variables] == [
        (each.name, each.label) for each in part.variables
    ]


def test_double_the_csv_module_reads_what_is_written() -> None:
    lines = list(csv.reader(io.StringIO(as_csv(FULL).decode(), newline="")))
    assert lines[0] == [each.name for each in DM.variables]
    assert lines[3][:6] == ["TRIAL-1", "DM", 'Ærø "x", <&>', "71", "NB", "-0.1"]


def test_spec_csv_without_metadata_is_texts(tmp_path: Path) -> None:
    (tmp_path / "ab.csv").write_bytes(b"\xef\xbb\xbfA,B\n1,\nx,\xc3\xa9\n")
    read = read_csv(tmp_path / "ab.csv").dataset
    assert (read.name, read.rows) == ("AB", (("1", None), ("x", "é")))
    assert [(each.type, each.length) for each in read.variables] == [("text", 1), ("text", 2)]


@pytest.mark.parametrize(
    ("content", "metadata", "code"),
    [
        (b"A,B\n1\n", None, "DATA-WIDTH"),
        (b"A,B\n1,2,3\n", None, "DATA-WIDTH"),
        (b"A,A\n1,2\n", None, "DATA-HEADER"),
        (b"A,\n1,2\n", None, "DATA-HEADER"),
        (b"A\n\xff\n", None, "DATA-ENCODING"),
        ("A\n".encode("utf-16"), None, "DATA-ENCODING"),
        (b'A\n"x', None, "DATA-INVALID"),
        (b"A\n" + b"x" * 200_000, None, "DATA-INVALID"),
        (b"", None, "FILE-EMPTY"),
        (as_csv(FULL), b"[", "DATA-HEADER"),
        (as_csv(FULL), described(package(dataset(variable("X")))), "DATA-HEADER"),
        (as_csv(FULL).replace(b",34,", b",old,"), described(FULL), "DATA-TYPE"),
        (as_csv(FULL).replace(b",21.25,", b",nan,"), described(FULL), "DATA-TYPE"),
        (as_csv(FULL).replace(b",21.25,", b',"21,25",'), described(FULL), "DATA-TYPE"),
        (as_csv(FULL).replace(b",21.25,", b',"2,125",'), described(FULL), "DATA-TYPE"),
        (as_csv(FULL).replace(b",34,", b',"3,4",'), described(FULL), "DATA-TYPE"),
        (as_csv(FULL).rsplit(b"\r\n", 2)[0] + b"\r\n", described(FULL), "DATA-RECORDS"),
    ],
)
def test_bad_csv_is_refused(tmp_path: Path, content: bytes, metadata: bytes | None, code: str) -> None:
    (tmp_path / "dm.csv").write_bytes(content)
    if metadata is not None:
        (tmp_path / "datasets.json").write_bytes(metadata)
    with pytest.raises(FileUnreadable) as refused:
        read_csv(tmp_path / "dm.csv")
    assert refused.value.code == code


@settings(max_examples=25)
@given(packages())
def test_what_is_written_as_parquet_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, whole: Package
) -> None:
    path = tmp_path_factory.getbasetemp() / "x.parquet"
    for part in whole.datasets:
        path.write_bytes(dataset_parquet(header_of(whole, part), part))
        read = read_parquet(path).dataset
        assert (read.name, read.label, read.rows) == (part.name, part.label, part.rows)
        assert [(each.name, each.label) for each in read.variables] == [
            (each.name, each.label) for each in part.variables
        ]


def test_double_polars_sees_the_types(tmp_path: Path) -> None:
    (tmp_path / "dm.parquet").write_bytes(dataset_parquet(header_of(FULL, DM), DM))
    schema = pl.read_parquet_schema(tmp_path / "dm.parquet")
    assert schema["AGE"] == pl.Int64 and schema["BMI"] == pl.Float64 and schema["TRTSDT"] == pl.Date
    assert schema["TRTSDTM"] == pl.Datetime("us") and schema["TRTSTM"] == pl.Time
    assert schema["BRTHDTC"] == schema["RFICDTC"] == pl.String
    metadata = json.loads(pl.read_parquet_metadata(tmp_path / "dm.parquet")["dataset-json"])
    assert [each["label"] for each in metadata["columns"]] == [each.label for each in DM.variables]


def test_spec_parquet_from_elsewhere_is_read_by_its_types(tmp_path: Path) -> None:
    frame = pl.DataFrame({"n": [1, None], "x": [1.5, 2.0], "b": [True, None], "t": ["a", None]}).with_columns(
        d=pl.date(2026, 1, 2), c=pl.col("t").cast(pl.Categorical), e=pl.col("x").cast(pl.Decimal(9, 2))
    )
    frame.write_parquet(tmp_path / "x.parquet")
    read = read_parquet(tmp_path / "x.parquet").dataset
    assert read.rows == (
        (1, 1.5, 1, "a", "2026-01-02", "a", 1.5),
        (None, 2.0, None, None, "2026-01-02", None, 2.0),
    )
    assert [each.type for each in read.variables] == [
        "integer",
        "float",
        "integer",
        "text",
        "date",
        "text",
        "float",
    ]


@pytest.mark.parametrize("content", [b"PAR1", b"x" * 100, dataset_parquet(header_of(FULL, DM), DM)[:-30]])
def test_bad_parquet_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.parquet").write_bytes(content)
    with pytest.raises(FileUnreadable, match="DATA-INVALID"):
        read_parquet(tmp_path / "bad.parquet")


def test_what_parquet_cannot_give_or_hold_is_refused(tmp_path: Path) -> None:
    pl.DataFrame({"a": [[1, 2]]}).write_parquet(tmp_path / "nested.parquet")
    with pytest.raises(FileUnreadable, match=r"DATA-TYPE.*\(a\)"):
        read_parquet(tmp_path / "nested.parquet")
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "other.parquet", metadata={"dataset-json": "{}"})
    with pytest.raises(FileUnreadable, match="DATA-HEADER"):
        read_parquet(tmp_path / "other.parquet")
    large = dataset(variable("N", "integer"), rows=((2**63,),))
    with pytest.raises(NotWritten, match="PARQUET-NUMBER"):
        dataset_parquet(header_of(package(large), large), large)


def test_a_short_file_of_very_many_texts_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "DATA_BYTES_MAX", 100_000)
    pl.DataFrame({"a": ["x" * 1000] * 1000}).write_parquet(tmp_path / "bomb.parquet")
    with pytest.raises(FileUnreadable, match="DATA-TOO-LARGE"):
        read_parquet(tmp_path / "bomb.parquet")
    monkeypatch.setattr(found, "CELLS_MAX", 999)
    with pytest.raises(FileUnreadable, match=r"DATA-TOO-LARGE.*1000 rows"):
        read_parquet(tmp_path / "bomb.parquet")


@pytest.mark.parametrize("form", FORMS)
def test_more_values_than_are_read_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: Form
) -> None:
    many = package(dataset(variable("N", "integer"), rows=((1,),) * 10_001))
    write_folder(package_files(many, form), tmp_path / "out")
    monkeypatch.setattr(found, "CELLS_MAX", 50_000)
    with pytest.raises(FileUnreadable, match="DATA-TOO-LARGE"):
        read_datasets(tmp_path / "out" / f"dm.{form}")


def test_without_polars_parquet_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(NotWritten, match=r"EXTRA-MISSING.*equipoise\[tables\]"):
        dataset_parquet(header_of(FULL, DM), DM)
    with pytest.raises(FileUnreadable, match=r"EXTRA-MISSING.*equipoise\[tables\]"):
        read_parquet(tmp_path / "x.parquet")


@pytest.mark.parametrize("form", FORMS)
def test_a_whole_package_in_each_form(tmp_path: Path, form: Form) -> None:
    files = write_folder(package_files(FULL, form), tmp_path / "out")
    names = {f"dm.{form}", f"vs.{form}", "define.xml", "define.html"}
    assert {path.name for path in files} == names | ({"datasets.json"} if form == "csv" else set())
    assert write_folder(package_files(FULL, form), tmp_path / "out") == files
    define = read_define(tmp_path / "out" / "define.xml").package
    for part, described in zip(FULL.datasets, define.datasets, strict=True):
        (read,) = read_datasets(tmp_path / "out" / f"{part.name.lower()}.{form}")
        assert without_blanks(read.dataset.rows) == without_blanks(part.rows)
        assert [each.name for each in read.dataset.variables] == [each.name for each in described.variables]
        for mine, theirs in zip(read.dataset.variables, described.variables, strict=True):
            assert mine.length == theirs.length or theirs.type != "text"


def test_a_package_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    long = dataset(variable("A"), rows=(("x" * 201,),))
    with pytest.raises(NotWritten, match="XPT-TEXT"):
        write_folder(package_files(package(DM, replace(long, name="LONG")), "xpt"), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_two_datasets_of_one_name_are_not_written() -> None:
    with pytest.raises(NotWritten, match="DATA-NAME"):
        list(package_files(package(DM, replace(DM, name="dm")), "json"))


def test_a_file_of_no_known_form_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable, match="DATA-FORM"):
        read_datasets(tmp_path / "x.sas7bdat")
