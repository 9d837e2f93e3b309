"""Reads CDISC Dataset-JSON 1.1, as a document or as lines, into a dataset.

Source: CDISC Dataset-JSON Specification 1.1 (2024-12-05), with its table of supported data types.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from equipoise.exchange.datasets.content import DATES
from equipoise.exchange.datasets.dataset_json import Header
from equipoise.exchange.datasets.found import (
    COLUMNS_MAX,
    ROW_BYTES_MAX,
    FoundDataset,
    Reading,
    check_file,
    check_size,
    found_dataset,
    grouped,
    read_column,
    real,
    whole,
)
from equipoise.exchange.datasets.json_stream import JsonStream, decode_line
from equipoise.exchange.datasets.model import DataType, Variable
from equipoise.exchange.unreadable import FileUnreadable

Row = list[Any]

_ROWS_BETWEEN: Final = 10_000
_TEXT: Final = Reading(frozenset({str}))
_NUMBER: Final = Reading(frozenset({int, float}), real, float)
_READINGS: Final[Mapping[str, tuple[DataType, Reading]]] = {
    "string": ("text", _TEXT),
    "URI": ("text", _TEXT),
    "integer": ("integer", Reading(frozenset({int, float}), whole, int)),
    "float": ("float", _NUMBER),
    "double": ("float", _NUMBER),
    "decimal": ("float", Reading(frozenset({str, int, float}), grouped, float)),
    "boolean": ("integer", Reading(frozenset({bool}), int, int)),
    "date": ("date", _TEXT),
    "datetime": ("datetime", _TEXT),
    "time": ("time", _TEXT),
}
_CHANGED: Final = {
    "URI": "is kept as a text",
    "decimal": "is kept as a floating-point number",
    "boolean": "is kept as 1 for true and 0 for false",
}
_HEADER: Final = {
    "created": "datasetJSONCreationDateTime",
    "version": "datasetJSONVersion",
    "item_group_oid": "itemGroupOID",
    "file_oid": "fileOID",
    "modified": "dbLastModifiedDateTime",
    "originator": "originator",
    "study_oid": "studyOID",
    "metadata_version_oid": "metaDataVersionOID",
    "metadata_ref": "metaDataRef",
}
_REQUIRED: Final = ("datasetJSONCreationDateTime", "datasetJSONVersion", "itemGroupOID", "name", "label")
_COLUMN_KEYS: Final = frozenset(
    {"itemOID", "name", "label", "dataType", "targetDataType", "length", "displayFormat", "keySequence"}
)
_OTHER_KEYS: Final = frozenset({"records", "name", "label", "columns", "rows", "sourceSystem"})


@dataclass(frozen=True, slots=True)
class DatasetJson:
    """What a Dataset-JSON file holds."""

    header: Header
    found: FoundDataset


def read_dataset_json(path: Path) -> DatasetJson:
    """Read a file of which the name ends in .json, or in .ndjson for lines.

    Raises FileUnreadable: FILE-MISSING; FILE-TOO-LARGE; DATA-ENCODING; DATA-INVALID (cut off, or no JSON);
    DATA-TOO-DEEP; DATA-TOO-LARGE (one value larger than any row); DATA-HEADER (metadata missing or of another
    kind); DATA-VERSION; DATA-WIDTH (a row with more or fewer values than there are columns); DATA-RECORDS
    (another number of rows than is declared); DATA-TYPE; DATA-DATE.
    """
    check_file(path)
    with path.open("rb") as handle:
        read = _read_lines if path.suffix.lower() == ".ndjson" else _read_document
        head, rows = read(handle, path.name)
    description = read_description(path.name, head)
    return DatasetJson(description.header, description.found(path.name, rows))


def _read_document(handle: BinaryIO, file: str) -> tuple[dict[str, Any], list[Row]]:
    stream = JsonStream(handle, file)
    head: dict[str, Any] = {}
    rows: list[Row] = []
    stream.take("{")
    while stream.peek() != "}":
        place = stream.place
        key = stream.value()
        stream.take(":")
        if not isinstance(key, str) or key in head:
            raise _bad_head(file, f"names {key!r} twice, or not in quotation marks", place)
        if key == "rows":
            head[key] = None
            rows = list(_rows_of(stream, file, head))
        else:
            head[key] = stream.value()
        if stream.peek() != "}":
            stream.take(",")
    stream.take("}")
    if stream.peek():
        raise FileUnreadable(
            "DATA-INVALID", f"The file {file} goes on after its end. Export it again.", stream.place
        )
    return head, rows


def _rows_of(stream: JsonStream, file: str, head: Mapping[str, Any]) -> Iterator[Row]:
    columns = head.get("columns")
    width = len(columns) if isinstance(columns, list) else None
    for number, value in enumerate(stream.items(), start=1):
        yield checked_row(value, width, file, number)


def _read_lines(handle: BinaryIO, file: str) -> tuple[dict[str, Any], list[Row]]:
    head: dict[str, Any] | None = None
    rows: list[Row] = []
    width = None
    for number, value in enumerate(_values_of_lines(handle, file)):
        if head is None:
            if not isinstance(value, dict):
                raise _bad_head(file, "does not begin with a line of metadata", "line 1")
            head = value
            columns = head.get("columns")
            width = len(columns) if isinstance(columns, list) else None
        else:
            rows.append(checked_row(value, width, file, number))
    if head is None:
        raise FileUnreadable("FILE-EMPTY", f"The file {file} is empty. Save it again.")
    return head, rows


def _values_of_lines(handle: BinaryIO, file: str) -> Iterator[Any]:
    number = 0
    while line := handle.readline(ROW_BYTES_MAX + 1):
        number += 1
        if len(line) > ROW_BYTES_MAX:
            raise FileUnreadable(
                "DATA-TOO-LARGE",
                f"The file {file} has a line of more than {ROW_BYTES_MAX // 1_000_000} MB, as no row of a "
                "dataset is.",
                f"line {number}",
            )
        try:
            if text := line.decode("utf-8-sig" if number == 1 else "utf-8").strip():
                yield decode_line(text)
        except UnicodeDecodeError as error:
            raise FileUnreadable(
                "DATA-ENCODING",
                f"The file {file} is not in UTF-8. Save it again as UTF-8.",
                f"line {number}",
            ) from error
        except RecursionError as error:
            raise FileUnreadable(
                "DATA-TOO-DEEP",
                f"The file {file} nests deeper than any dataset does. Export it again.",
                f"line {number}",
            ) from error
        except ValueError as error:
            raise FileUnreadable(
                "DATA-INVALID",
                f"The file {file} has a line that is cut off or is no JSON. Export it again.",
                f"line {number}",
            ) from error


def checked_row(value: object, width: int | None, file: str, number: int) -> Row:
    """Return a row that is a list of so many values. Raises FileUnreadable: DATA-WIDTH, DATA-TOO-LARGE."""
    if not isinstance(value, list) or (width is not None and len(value) != width):
        raise FileUnreadable(
            "DATA-WIDTH",
            f"The file {file} has a row that is no list of {width or 'its'} values, one for each column. "
            "Export it again.",
            f"row {number}",
        )
    if number % _ROWS_BETWEEN == 0:
        check_size(file, number, len(value))
    return value


def _bad_head(file: str, what: str, place: str) -> FileUnreadable:
    return FileUnreadable(
        "DATA-HEADER", f"The file {file} {what}, so it is no Dataset-JSON. Export it again.", place
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What the metadata of a dataset say: its variables, and how the values of each are read."""

    header: Header
    name: str
    label: str
    records: int
    variables: tuple[Variable, ...]
    readings: tuple[Reading, ...]
    not_understood: tuple[tuple[str, str], ...]

    def found(self, file: str, rows: Sequence[Sequence[object]]) -> FoundDataset:
        """Return the dataset with these rows, whose number and values must be as described."""
        if self.records != len(rows):
            raise FileUnreadable(
                "DATA-RECORDS",
                f"The file {file} declares {self.records} records and has {len(rows)} rows. Export it again.",
                "records",
            )
        if not set(map(len, rows)) <= {len(self.variables)}:
            for number, row in enumerate(rows, start=1):
                checked_row(row, len(self.variables), file, number)
        raw: Iterable[Sequence[object]] = zip(*rows, strict=True) if rows else ((),) * len(self.variables)
        columns = [
            read_column(file, variable, column, reading)
            for variable, reading, column in zip(self.variables, self.readings, raw, strict=True)
        ]
        dataset = found_dataset(self.name, self.label, self.variables, columns)
        return FoundDataset(dataset=dataset, not_understood=self.not_understood)


def read_description(file: str, head: Mapping[str, Any]) -> Description:
    """Return what the metadata of a dataset say, in the words of Dataset-JSON.

    Raises FileUnreadable: DATA-HEADER, DATA-VERSION.
    """
    return _Understanding(file, head).description()


class _Understanding:
    """The metadata of a file, and what of them has no place."""

    def __init__(self, file: str, head: Mapping[str, Any]) -> None:
        self._file = file
        self._head = head
        self._not_understood: list[tuple[str, str]] = []

    def description(self) -> Description:
        """Return the whole, once everything was checked."""
        for key in _REQUIRED:
            self._text(self._head, key, key)
        version = self._head["datasetJSONVersion"]
        if not version.startswith("1.1"):
            raise FileUnreadable(
                "DATA-VERSION",
                f"The file {self._file} is Dataset-JSON {version[:20]}. Convert it to version 1.1, which is "
                "read.",
                "datasetJSONVersion",
            )
        columns = self._head.get("columns")
        if not isinstance(columns, list) or not 0 < len(columns) <= COLUMNS_MAX:
            raise _bad_head(self._file, f"has no list of 1 to {COLUMNS_MAX} columns", "columns")
        records = self._optional(self._head, "records", "records", int)
        if records is None:
            raise _bad_head(self._file, "has no number of records", "records")
        pairs = [self._variable(column, place) for place, column in enumerate(columns)]
        if len({variable.name for variable, _ in pairs}) < len(pairs):
            raise _bad_head(self._file, "names a column twice", "columns")
        return Description(
            header=self._header(tuple(column["itemOID"] for column in columns)),
            name=self._head["name"],
            label=self._head["label"],
            records=records,
            variables=tuple(variable for variable, _ in pairs),
            readings=tuple(reading for _, reading in pairs),
            not_understood=tuple(self._not_understood),
        )

    def _header(self, item_oids: tuple[str, ...]) -> Header:
        system: dict[str, Any] = self._optional(self._head, "sourceSystem", "sourceSystem", dict) or {}
        for key in sorted(self._head.keys() - _OTHER_KEYS - set(_HEADER.values())):
            self._lose(key, self._head[key])
        for key in sorted(system.keys() - {"name", "version"}):
            self._lose(f"sourceSystem.{key}", system[key])
        texts = {name: self._optional(self._head, key, key, str) for name, key in _HEADER.items()}
        return Header(
            item_oids=item_oids,
            system=self._optional(system, "name", "sourceSystem.name", str),
            system_version=self._optional(system, "version", "sourceSystem.version", str),
            **texts,
        )

    def _variable(self, column: object, place: int) -> tuple[Variable, Reading]:
        where = f"columns[{place}]"
        if not isinstance(column, dict):
            raise _bad_head(self._file, "has a column that is no object", where)
        for key in sorted(column.keys() - _COLUMN_KEYS):
            self._lose(f"{where}.{key}", column[key])
        for key in ("itemOID", "name", "label"):
            self._text(column, key, f"{where}.{key}")
        declared = self._text(column, "dataType", f"{where}.dataType")
        if declared not in _READINGS:
            raise _bad_head(self._file, f"has the unknown data type {declared[:20]!r}", f"{where}.dataType")
        if declared in _CHANGED:
            self._not_understood.append((f"{where}.dataType", f"{declared} {_CHANGED[declared]}"))
        type_, reading = _READINGS[declared]
        target = self._optional(column, "targetDataType", f"{where}.targetDataType", str)
        variable = Variable(
            name=column["name"],
            label=column["label"],
            type=type_,
            origin=None,
            length=self._optional(column, "length", f"{where}.length", int),
            key=self._optional(column, "keySequence", f"{where}.keySequence", int),
            numeric_date=target == "integer" and type_ in DATES,
            display_format=self._optional(column, "displayFormat", f"{where}.displayFormat", str),
        )
        return variable, reading

    def _text(self, tree: Mapping[str, Any], key: str, place: str) -> str:
        value = tree.get(key)
        if not isinstance(value, str):
            raise _bad_head(self._file, f"has no text {key}", place)
        return value

    def _optional(self, tree: Mapping[str, Any], key: str, place: str, kind: Callable[..., Any]) -> Any:
        value = tree.get(key)
        if value is not None and type(value) is not kind:
            raise _bad_head(self._file, f"has a {key} of another kind", place)
        return value

    def _lose(self, place: str, value: object) -> None:
        self._not_understood.append((place, str(value)[:200]))
