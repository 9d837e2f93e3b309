"""Writes a dataset as CDISC Dataset-JSON 1.1: one JSON document, or a line of JSON for each row (NDJSON).

Source: CDISC Dataset-JSON Specification 1.1 (2024-12-05). Attributes stand in its order, so that a program
can read a large file as a stream. A missing value is null, an empty text stays an empty text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final

from equipoise import __version__
from equipoise.exchange.datasets.content import NUMBERS, check_dataset
from equipoise.exchange.datasets.formats import display_format
from equipoise.exchange.datasets.model import Cell, Dataset, DataType, Package, Variable
from equipoise.exchange.datasets.oids import dataset_oid, file_oid, item_oid, metadata_oid, study_oid

VERSION: Final = "1.1.0"
DEFINE_FILE: Final = "define.xml"
ROWS_AT_ONCE: Final = 5000

DATA_TYPES: Final[Mapping[DataType, str]] = {
    "text": "string",
    "integer": "integer",
    "float": "float",
    "date": "date",
    "datetime": "datetime",
    "time": "time",
    "partialDate": "date",
    "partialTime": "time",
    "partialDatetime": "datetime",
    "incompleteDatetime": "datetime",
    "durationDatetime": "string",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What a Dataset-JSON file says about itself; `item_oids` are in the order of the variables."""

    created: str
    item_group_oid: str
    item_oids: tuple[str, ...]
    version: str = VERSION
    file_oid: str | None = None
    modified: str | None = None
    originator: str | None = None
    system: str | None = None
    system_version: str | None = None
    study_oid: str | None = None
    metadata_version_oid: str | None = None
    metadata_ref: str | None = None


def header_of(package: Package, dataset: Dataset) -> Header:
    """Return the header of a dataset of a package, whose identifiers are those of its Define-XML file."""
    return Header(
        created=package.created,
        file_oid=file_oid(package, dataset.name),
        modified=package.created,
        system="Equipoise",
        system_version=__version__,
        study_oid=study_oid(package),
        metadata_version_oid=metadata_oid(package),
        metadata_ref=DEFINE_FILE,
        item_group_oid=dataset_oid(dataset.name),
        item_oids=tuple(item_oid(dataset.name, each.name) for each in dataset.variables),
    )


def dataset_json(header: Header, dataset: Dataset) -> Iterator[bytes]:
    """Yield a dataset as one JSON document, in pieces. Raises NotWritten, as `check_dataset`."""
    check_dataset(dataset)
    yield _encode(metadata_of(header, dataset)).encode()[:-1] + b',"rows":['
    start = ""
    for block in _blocks(dataset.rows):
        # The brackets around the block's own list go, and what is left are rows with commas between.
        yield (start + _encode(block)[1:-1]).encode()
        start = ","
    yield b"]}\n"


def dataset_ndjson(header: Header, dataset: Dataset) -> Iterator[bytes]:
    """Yield a dataset as lines of JSON: metadata, then rows. Raises NotWritten, as `check_dataset`."""
    check_dataset(dataset)
    yield _encode(metadata_of(header, dataset)).encode() + b"\n"
    for block in _blocks(dataset.rows):
        # No text has a line break as it is, so that one between brackets tells two rows apart.
        broken = _encode_broken(block)[1:-1].replace("],\n[", "]\r[")
        yield (broken.replace(",\n", ",").replace("\r", "\n") + "\n").encode()


# A text that is half a surrogate pair, and a number that is none, were refused before anything is encoded.
_encode: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
_encode_broken: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",\n", ":")).encode


def _blocks(rows: tuple[tuple[Cell, ...], ...]) -> Iterator[tuple[tuple[Cell, ...], ...]]:
    rest = iter(rows)
    while block := tuple(islice(rest, ROWS_AT_ONCE)):
        yield block


def metadata_of(header: Header, dataset: Dataset) -> dict[str, object]:
    """Return what Dataset-JSON says of a dataset before its rows, in the specification's order."""
    system = (
        None if header.system is None else {"name": header.system, "version": header.system_version or ""}
    )
    whole = {
        "datasetJSONCreationDateTime": header.created,
        "datasetJSONVersion": header.version,
        "fileOID": header.file_oid,
        "dbLastModifiedDateTime": header.modified,
        "originator": header.originator,
        "sourceSystem": system,
        "studyOID": header.study_oid,
        "metaDataVersionOID": header.metadata_version_oid,
        "metaDataRef": header.metadata_ref,
        "itemGroupOID": header.item_group_oid,
        "records": len(dataset.rows),
        "name": dataset.name,
        "label": dataset.label,
        "columns": [
            _column(oid, variable) for oid, variable in zip(header.item_oids, dataset.variables, strict=True)
        ],
    }
    return {key: value for key, value in whole.items() if value is not None}


def _column(oid: str, variable: Variable) -> dict[str, object]:
    whole = {
        "itemOID": oid,
        "name": variable.name,
        "label": variable.label,
        "dataType": DATA_TYPES[variable.type],
        "targetDataType": "integer" if variable.numeric_date else None,
        # Some programs would take the characters of a number for the bytes that SAS keeps it in.
        "length": None if variable.type in NUMBERS else variable.length,
        "displayFormat": display_format(variable),
        "keySequence": variable.key,
    }
    return {key: value for key, value in whole.items() if value is not None}
