"""Datasets as CSV files, with one file of metadata beside them in the words of Dataset-JSON.

CSV is that of RFC 4180, in UTF-8. It cannot tell an empty text from a missing one, nor a number from its
digits: that is what the metadata are for. Without them, all values are read as texts.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from equipoise.exchange.datasets.content import check_dataset, text_bytes
from equipoise.exchange.datasets.dataset_json import Header, metadata_of
from equipoise.exchange.datasets.dataset_json_read import Description, checked_row, read_description
from equipoise.exchange.datasets.found import (
    COLUMNS_MAX,
    FoundDataset,
    Reading,
    check_file,
    found_dataset,
    real,
    whole,
)
from equipoise.exchange.datasets.model import Dataset, DataType, Variable
from equipoise.exchange.unreadable import FileUnreadable, read_bytes

METADATA_FILE: Final = "datasets.json"

_METADATA_BYTES_MAX: Final = 50_000_000
_ROWS_AT_ONCE: Final = 5000
_READINGS: Final[dict[DataType, Reading]] = {
    "integer": Reading(frozenset({str}), whole, int),
    "float": Reading(frozenset({str}), real, float),
}
_TEXT: Final = Reading(frozenset({str}))


def dataset_csv(dataset: Dataset) -> Iterator[bytes]:
    """Yield a dataset as CSV, the names of its variables first. Raises NotWritten, as `check_dataset`."""
    check_dataset(dataset)
    yield _lines([[variable.name for variable in dataset.variables]])
    for start in range(0, len(dataset.rows), _ROWS_AT_ONCE):
        yield _lines(dataset.rows[start : start + _ROWS_AT_ONCE])


def csv_metadata(datasets: Iterable[tuple[Header, Dataset]]) -> bytes:
    """Return the metadata of datasets: a list of what Dataset-JSON says of each before the rows."""
    whole = [metadata_of(header, dataset) for header, dataset in datasets]
    return (json.dumps(whole, indent=2, ensure_ascii=False) + "\n").encode()


def read_csv(path: Path) -> FoundDataset:
    """Read a CSV file, with the types that a metadata file beside it gives for it.

    Raises FileUnreadable: FILE-MISSING; FILE-EMPTY; FILE-TOO-LARGE; DATA-TOO-LARGE; DATA-ENCODING;
    DATA-INVALID (a quotation mark without its partner, say); DATA-HEADER; DATA-WIDTH; DATA-RECORDS;
    DATA-TYPE.
    """
    rows = _rows(path)
    names = rows.pop(0)
    if not all(names) or len(set(names)) < len(names) or len(names) > COLUMNS_MAX:
        raise FileUnreadable(
            "DATA-HEADER",
            f"The file {path.name} does not begin with a line of names, each given once. Export it again.",
            "line 1",
        )
    description = _description(path, names)
    cells = [[cell or None for cell in row] for row in rows]
    if description is not None:
        return description.found(path.name, cells)
    columns = list(zip(*cells, strict=True)) if cells else [()] * len(names)
    variables = [
        Variable(name=name, label="", type="text", origin=None, length=text_bytes(filter(None, column)) or 1)
        for name, column in zip(names, columns, strict=True)
    ]
    return FoundDataset(dataset=found_dataset(path.stem.upper(), "", variables, columns))


def _lines(rows: Sequence[Sequence[object]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _rows(path: Path) -> list[list[str]]:
    check_file(path)
    rows: list[list[str]] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            for row in csv.reader(handle, strict=True):
                # A line without anything is a row only where there is one variable, whose value is missing.
                if rows and not row and len(rows[0]) > 1:
                    continue
                rows.append(checked_row(row or [""], len(rows[0]) if rows else None, path.name, len(rows)))
    except UnicodeDecodeError as error:
        raise FileUnreadable(
            "DATA-ENCODING",
            f"The file {path.name} is not in UTF-8. Save it again as UTF-8.",
            f"after row {len(rows)}",
        ) from error
    except csv.Error as error:
        raise FileUnreadable(
            "DATA-INVALID",
            f"The file {path.name} is no CSV: {error}. Export it again.",
            f"after row {len(rows)}",
        ) from error
    if not rows:
        raise FileUnreadable("FILE-EMPTY", f"The file {path.name} is empty. Save it again.")
    return rows


def _description(path: Path, names: list[str]) -> Description | None:
    """Return what the metadata file says of a file, None if there is none or it does not name the file."""
    metadata = path.with_name(METADATA_FILE)
    if not metadata.is_file():
        return None
    try:
        listed: Any = json.loads(read_bytes(metadata, _METADATA_BYTES_MAX))
    except (ValueError, RecursionError) as error:
        raise FileUnreadable(
            "DATA-HEADER", f"The file {METADATA_FILE} beside {path.name} is no JSON. Export both again."
        ) from error
    for head in listed if isinstance(listed, list) else ():
        if isinstance(head, dict) and str(head.get("name")).lower() == path.stem.lower():
            return _for_texts(read_description(METADATA_FILE, head), path, names)
    return None


def _for_texts(description: Description, path: Path, names: list[str]) -> Description:
    if [variable.name for variable in description.variables] != names:
        raise FileUnreadable(
            "DATA-HEADER",
            f"The file {path.name} has other variables than {METADATA_FILE} says. Export both again.",
            "line 1",
        )
    readings = tuple(_READINGS.get(variable.type, _TEXT) for variable in description.variables)
    return replace(description, readings=readings)
