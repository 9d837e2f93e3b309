"""Transport files: SAS's own byte for byte, equal to a second program's, and clear about what is broken."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyreadstat
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from equipoise.exchange.datasets.content import complete_package
from equipoise.exchange.datasets.dataset_json_read import read_dataset_json
from equipoise.exchange.datasets.ibm import LARGEST, SMALLEST, from_ibm, holds, to_ibm
from equipoise.exchange.datasets.model import Dataset, Package
from equipoise.exchange.datasets.xpt import sas_count, xpt
from equipoise.exchange.datasets.xpt_read import read_xpt
from equipoise.exchange.made import NotWritten
from equipoise.exchange.unreadable import FileUnreadable
from tests.exchange.packages import (
    CREATED,
    EXTERNAL,
    FULL,
    PILOT,
    dataset,
    needs_pilot,
    packages,
    variable,
    without_blanks,
)

HELD = st.floats(SMALLEST, LARGEST) | st.floats(-LARGEST, -SMALLEST) | st.just(0.0)


def as_xpt(part: Dataset) -> bytes:
    return b"".join(xpt(part, CREATED))


def read_back(content: bytes, folder: Path) -> Dataset:
    (folder / "x.xpt").write_bytes(content)
    (found,) = read_xpt(folder / "x.xpt")
    return found.dataset


@given(st.lists(HELD, min_size=1))
@example([1.0, -1.0, 0.0, LARGEST, SMALLEST, 16.0, 1 / 3, 2.0**53 - 1])
def test_spec_every_double_in_range_comes_back(values: list[float]) -> None:
    given_ = np.array(values)
    assert holds(given_).all()
    assert from_ibm(to_ibm(given_)).tolist() == values


@pytest.mark.parametrize(
    ("value", "bits"),
    [
        # TS-140 and IBM's Principles of Operation: 1 is 1/16 x 16; -118.625 is the textbook example.
        (1.0, 0x4110000000000000),
        (-118.625, 0xC276A00000000000),
        (0.0, 0),
        (float("nan"), 0x2E00000000000000),
        (SMALLEST, 0x0010000000000000),
    ],
)
def test_published_ibm_numbers(value: float, bits: int) -> None:
    assert to_ibm(np.array([value])).tolist() == [bits]
    np.testing.assert_equal(from_ibm(np.array([bits], np.uint64)), np.array([value]))


def test_spec_special_missing_values_are_missing() -> None:
    special = np.array([byte << 56 for byte in b"._AZ"], np.uint64)
    assert np.isnan(from_ibm(special)).all()
    assert from_ibm(np.array([0x4000000000000000], np.uint64)).tolist() == [0.0]


def test_spec_what_has_no_ibm_form_is_told() -> None:
    values = np.array([np.inf, 1e76, 5e-80, 5e-324, -1e300])
    assert not holds(values).any()


@needs_pilot
@pytest.mark.parametrize("name", PILOT)
def test_published_pilot_files_hold_what_their_json_holds(name: str) -> None:
    (found,) = read_xpt(EXTERNAL / f"{name}.xpt")
    other = read_dataset_json(EXTERNAL / f"{name}.json").found.dataset
    assert found.not_understood == ()
    assert list(found.dataset.rows) == without_blanks(other.rows)
    for mine, theirs in zip(found.dataset.variables, other.variables, strict=True):
        assert (mine.name, mine.label) == (theirs.name, theirs.label)
        assert (mine.numeric_date, mine.display_format) == (theirs.numeric_date, theirs.display_format)


@needs_pilot
@pytest.mark.parametrize("name", ["dm", "ae"])
def test_published_pilot_files_are_written_byte_for_byte(name: str) -> None:
    """From the JSON file, all but the name of SAS's system and the moments are SAS's own bytes."""
    theirs = bytearray((EXTERNAL / f"{name}.xpt").read_bytes())
    mine = bytearray(as_xpt(read_dataset_json(EXTERNAL / f"{name}.json").found.dataset))
    for card in (80, 400):
        for content in (mine, theirs):
            content[card + 24 : card + 40] = b" " * 16
            content[card + 64 : card + 96] = b" " * 32
    assert mine == theirs


def test_double_pyreadstat_reads_the_same(tmp_path: Path) -> None:
    for part in complete_package(FULL).datasets:
        (tmp_path / "x.xpt").write_bytes(as_xpt(part))
        frame, meta = pyreadstat.read_xport(str(tmp_path / "x.xpt"), disable_datetime_conversion=True)
        assert (meta.table_name, meta.file_label) == (part.name, part.label)
        assert meta.column_names == [each.name for each in part.variables]
        assert meta.column_labels == [each.label for each in part.variables]
        for place, each in enumerate(part.variables):
            wanted: list[Any] = [row[place] for row in part.rows]
            if each.numeric_date:
                wanted = [cell and sas_count(each.type, cell) for cell in wanted]
            missing = [cell is None for cell in wanted]
            read = frame[each.name].tolist()
            assert [cell == "" or cell != cell for cell in read] == missing  # noqa: PLR0124
            assert [cell for cell, none in zip(read, missing, strict=True) if not none] == [
                cell for cell, none in zip(wanted, missing, strict=True) if not none
            ]
            if each.display_format is not None:
                assert meta.original_variable_types[each.name] == each.display_format.rstrip(".")


@pytest.mark.parametrize("version", [5, 8])
def test_double_pyreadstat_writes_what_is_read(tmp_path: Path, version: Literal[5, 8]) -> None:
    import pandas as pd

    frame = pd.DataFrame({"TEXT": ["a", "", "é b"], "NUM": [1.5, None, -2e9], "DAY": [24115.0, 0.0, None]})
    pyreadstat.write_xport(
        frame,
        str(tmp_path / "x.xpt"),
        file_label="Labelled",
        table_name="ABC",
        column_labels=["Some text", "A number" + (" of long label" * 4) * (version == 8), "A day"],
        file_format_version=version,
        variable_format={"DAY": "DATE9.", "NUM": "8.2"},
    )
    (found,) = read_xpt(tmp_path / "x.xpt")
    assert (found.dataset.name, found.dataset.rows) == (
        "ABC",
        (("a", 1.5, "2026-01-09"), (None, None, "1960-01-01"), ("é b", -2e9, None)),
    )
    assert [each.type for each in found.dataset.variables] == ["text", "float", "date"]
    assert len(found.dataset.variables[1].label) == (8 if version == 5 else 64)


@settings(max_examples=30)
@given(packages())
def test_what_is_written_is_read_back(tmp_path_factory: pytest.TempPathFactory, whole: Package) -> None:
    for part in whole.datasets:
        try:
            content = as_xpt(part)
        except NotWritten as refused:
            assume(refused.code == "XPT-BLANK")
            continue
        assert len(content) % 80 == 0
        read = read_back(content, tmp_path_factory.getbasetemp())
        assert list(read.rows) == without_blanks(part.rows)
        assert (read.name, read.label) == (part.name, part.label.strip(" "))
        assert [(each.name, each.label) for each in read.variables] == [
            (each.name, each.label.strip(" ")) for each in part.variables
        ]
        for mine, theirs in zip(read.variables, part.variables, strict=True):
            assert mine.numeric_date == theirs.numeric_date or not any(part.rows)


def test_spec_times_are_those_that_are_given() -> None:
    content = as_xpt(FULL.datasets[0])
    assert content[144:160] == content[160:176] == content[464:480] == b"01MAR26:09:30:07"
    assert content == as_xpt(FULL.datasets[0])


def test_spec_a_file_without_rows_and_one_of_many_blocks(tmp_path: Path) -> None:
    none = dataset(variable("A"), variable("B", "float"))
    assert read_back(as_xpt(none), tmp_path).rows == ()
    many = dataset(variable("A", "integer"), rows=tuple((each,) for each in range(45_001)))
    assert read_back(as_xpt(many), tmp_path).rows == many.rows


def test_spec_several_datasets_and_special_missing_values(tmp_path: Path) -> None:
    first = dataset(variable("N", "float"), rows=((2.5,), (None,), (None,)))
    second = dataset(variable("T"), rows=(("x",), (None,), ("y",)), name="TWO")
    content = as_xpt(first).replace(b"\x2e" + b"\0" * 7, b"A" + b"\0" * 7, 1) + as_xpt(second)[240:]
    (tmp_path / "x.xpt").write_bytes(content)
    one, two = read_xpt(tmp_path / "x.xpt")
    assert one.dataset.rows == first.rows
    assert one.not_understood == (("DM.N", "1 special missing values"),)
    assert (two.dataset.name, two.dataset.rows) == ("TWO", second.rows)


def test_spec_short_numbers_are_read(tmp_path: Path) -> None:
    content = bytearray(as_xpt(dataset(variable("N", "integer"), rows=tuple((each,) for each in (1, 2, 3)))))
    content[640 + 4 : 640 + 6] = b"\0\x03"
    content[880:960] = b"A\x10\0A\x20\0A\x30\0".ljust(80)
    assert read_back(bytes(content), tmp_path).rows == ((1,), (2,), (3,))


@pytest.mark.parametrize(
    ("part", "code"),
    [
        (dataset(variable("TOOLONGNAME")), "XPT-NAME"),
        (replace(dataset(variable("A")), name="TOOLONGNAME"), "XPT-NAME"),
        (dataset(variable("A", label="é" * 21)), "XPT-LABEL"),
        (dataset(variable("A", "float", display_format="nothing")), "XPT-FORMAT"),
        (dataset(variable("A"), rows=(("x",), ("é" * 101,))), "XPT-TEXT"),
        (dataset(variable("A"), rows=(("a\0b",),)), "XPT-TEXT"),
        (dataset(variable("A", "float"), rows=((1e76,),)), "XPT-NUMBER"),
        (dataset(variable("A", "float"), rows=((1e-80,),)), "XPT-NUMBER"),
        (dataset(variable("A", "integer"), rows=((2**53 + 1,),)), "XPT-NUMBER"),
        (dataset(variable("A"), rows=(("x",), (" ",))), "XPT-BLANK"),
        (dataset(), "XPT-VARIABLES"),
    ],
)
def test_what_does_not_fit_is_not_written(part: Dataset, code: str) -> None:
    with pytest.raises(NotWritten) as refused:
        as_xpt(part)
    assert refused.value.code == code


GOOD = as_xpt(FULL.datasets[0])
NAMES = GOOD.index(b"NAMESTR") - 20


def at(place: int, put: bytes) -> bytes:
    return GOOD[:place] + put + GOOD[place + len(put) :]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"x" * 400, "XPT-HEADER"),
        (b"HEADER RECORD", "XPT-CUT"),
        (GOOD[:-80], "XPT-CUT"),
        (GOOD[:-81], "XPT-CUT"),
        (GOOD[: NAMES + 200], "XPT-CUT"),
        (GOOD[:240], "XPT-CUT"),
        (at(NAMES + 54, b"9999"), "XPT-CUT"),
        (at(NAMES + 54, b"0001"), "XPT-HEADER"),
        (at(NAMES + 54, b"0000"), "XPT-HEADER"),
        (at(NAMES + 84, b"\x7f\xff"), "XPT-HEADER"),
        (at(NAMES + 80 + 84, b"\0\0\0\x05"), "XPT-HEADER"),
        (at(NAMES + 80 + 140 + 8, b"STUDYID "), "XPT-HEADER"),
        (at(NAMES + 80 + 16, b"\xe9"), "DATA-ENCODING"),
        (GOOD.replace("Æ".encode(), b"\xc6 "), "DATA-ENCODING"),
        (b" ", "FILE-EMPTY"),
    ],
)
def test_bad_files_are_refused(tmp_path: Path, content: bytes, code: str) -> None:
    (tmp_path / "bad.xpt").write_bytes(content)
    with pytest.raises(FileUnreadable) as refused:
        read_xpt(tmp_path / "bad.xpt")
    assert refused.value.code == code


@settings(max_examples=100)
@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255), st.booleans())
def test_a_damaged_file_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, place: int, byte: int, cut: bool
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.xpt"
    path.write_bytes(GOOD[:place] if cut else at(place, bytes([byte])))
    try:
        read_xpt(path)
    except FileUnreadable as refused:
        assert refused.code.startswith(("XPT-", "DATA-", "FILE-"))


@pytest.mark.parametrize("version", [5, 8])
def test_a_file_cut_after_any_card_is_read_or_refused(tmp_path: Path, version: Literal[5, 8]) -> None:
    import pandas as pd

    path, texts = tmp_path / "x.xpt", [f"text {number}" * 5 for number in range(40)]
    frame = pd.DataFrame({"TEXT": texts, "NUM": [float(number) for number in range(40)]})
    labels: list[str | None] = ["Some text", "A number of a long label" * (2 if version == 8 else 1)]
    pyreadstat.write_xport(frame, str(path), column_labels=labels, file_format_version=version)
    content, read = path.read_bytes(), 0
    for end in range(0, len(content), 80):
        path.write_bytes(content[:end])
        try:
            (found,) = read_xpt(path)
        except FileUnreadable as refused:
            assert refused.code in ("XPT-CUT", "XPT-HEADER", "FILE-EMPTY")
        else:
            # Version 5 does not say how many rows there are.
            assert version == 5 and len(found.dataset.rows) < len(texts)
            read += 1
    assert (read > 0) == (version == 5)


@pytest.mark.parametrize("version", [5, 8])
@pytest.mark.parametrize("number", [b" ", b"1 1"])
def test_a_heading_without_a_whole_number_is_refused(
    tmp_path: Path, version: Literal[5, 8], number: bytes
) -> None:
    import pandas as pd

    path = tmp_path / "x.xpt"
    frame = pd.DataFrame({"TEXT": ["a", "b"]})
    pyreadstat.write_xport(frame, str(path), column_labels=["Long " * 10], file_format_version=version)
    content = path.read_bytes()
    kinds = (b"MEMBER", b"NAMESTR") if version == 5 else (b"MEMBV8", b"NAMSTV8", b"LABELV8", b"OBSV8")
    for kind in kinds:
        place = content.index(b"HEADER RECORD*******" + kind) + 48
        width = 15 if kind == b"OBSV8" else 30
        for blank in (place, place + 26) if kind.startswith(b"MEMB") else (place,):
            put = number.ljust(4 if blank > place else width)
            path.write_bytes(content[:blank] + put + content[blank + len(put) :])
            try:
                read_xpt(path)
            except FileUnreadable as refused:
                assert refused.code.startswith("XPT-")
