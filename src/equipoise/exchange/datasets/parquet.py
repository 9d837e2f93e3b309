"""Datasets as Apache Parquet files, with their metadata in the words of Dataset-JSON in the file's own.

Numbers, counted dates, date-times and times have Parquet's types; dates that may be partial stay texts.
Written and read with Polars, which comes with the extra `tables`.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from equipoise.exchange.datasets.content import Column, check_dataset, place_of
from equipoise.exchange.datasets.dataset_json import Header, metadata_of
from equipoise.exchange.datasets.dataset_json_read import Description, read_description
from equipoise.exchange.datasets.found import (
    DATA_BYTES_MAX,
    FoundDataset,
    check_file,
    check_size,
    found_dataset,
)
from equipoise.exchange.datasets.model import Cell, Dataset, DataType, Variable
from equipoise.exchange.made import NotWritten
from equipoise.exchange.unreadable import FileUnreadable

if TYPE_CHECKING:
    import polars

METADATA_KEY: Final = "dataset-json"
_MISSING: Final = "Parquet files need Polars. Install equipoise[tables]."
_INTEGER_MAX: Final = 2**63 - 1
_PARSE: Final[Mapping[DataType, Callable[[str], Any]]] = {
    "date": date.fromisoformat,
    "datetime": datetime.fromisoformat,
    "time": time.fromisoformat,
}


def dataset_parquet(header: Header, dataset: Dataset) -> bytes:
    """Return a dataset as a Parquet file.

    Raises NotWritten: those of `check_dataset`; PARQUET-NUMBER for a whole number of more than 63 bits;
    EXTRA-MISSING without Polars.
    """
    try:
        import polars as pl  # noqa: PLC0415 - only who writes Parquet needs it, and has it
    except ImportError as error:
        raise NotWritten("EXTRA-MISSING", _MISSING, dataset.name) from error
    types: Mapping[DataType, Any] = {
        "integer": pl.Int64(),
        "float": pl.Float64(),
        "date": pl.Date(),
        "datetime": pl.Datetime("us"),
        "time": pl.Time(),
    }
    columns = check_dataset(dataset)
    frame = pl.DataFrame(
        [
            pl.Series(
                variable.name,
                _values(dataset.name, variable, column),
                types[variable.type] if _has_type(variable) else pl.String(),
            )
            for variable, column in zip(dataset.variables, columns, strict=True)
        ]
    )
    made = io.BytesIO()
    metadata = json.dumps(metadata_of(header, dataset), ensure_ascii=False)
    frame.write_parquet(made, metadata={METADATA_KEY: metadata})
    return made.getvalue()


def read_parquet(path: Path) -> FoundDataset:
    """Read a Parquet file: as its metadata describe it, else by the types of its columns.

    Raises FileUnreadable: FILE-MISSING, FILE-TOO-LARGE, DATA-INVALID, DATA-TOO-LARGE, DATA-HEADER, DATA-TYPE
    for a column of lists or other nested values, EXTRA-MISSING without Polars.
    """
    try:
        import polars as pl  # noqa: PLC0415 - only who reads Parquet needs it, and has it
    except ImportError as error:
        raise FileUnreadable("EXTRA-MISSING", _MISSING, path.name) from error
    check_file(path)
    try:
        described = pl.read_parquet_metadata(path).get(METADATA_KEY)
        lazy = pl.scan_parquet(path)
        schema = lazy.collect_schema()
        rows = int(lazy.select(pl.len()).collect().item())
        check_size(path.name, rows, len(schema))
        # A short file may repeat one long text for ever, which costs memory only once it is read out.
        for name in (name for name, kind in schema.items() if kind == pl.String):
            size = int(lazy.select(pl.col(name).str.len_bytes().cast(pl.UInt64).sum()).collect().item())
            if size > DATA_BYTES_MAX:
                raise FileUnreadable(
                    "DATA-TOO-LARGE",
                    f"The file {path.name} has {size} bytes of texts, which is more than is read. Divide it.",
                    name,
                )
        frame = lazy.collect()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise FileUnreadable(
            "DATA-INVALID", f"The file {path.name} is no Parquet file, or is damaged. Export it again."
        ) from error
    return _found(path, frame, _description(path.name, described, frame))


def _has_type(variable: Variable) -> bool:
    return variable.numeric_date or variable.type in ("integer", "float")


def _values(dataset: str, variable: Variable, column: Column) -> Sequence[object]:
    if variable.numeric_date:
        parse = _PARSE[variable.type]
        return [None if cell is None else parse(str(cell)) for cell in column]
    if variable.type == "float":
        return [None if cell is None else float(cell) for cell in column]
    if variable.type == "integer":
        large = next((each for each in column if isinstance(each, int) and abs(each) > _INTEGER_MAX), None)
        if large is not None:
            raise NotWritten(
                "PARQUET-NUMBER",
                f"The number {str(large)[:30]} is too large for a Parquet file. Choose another form.",
                place_of(dataset, variable, column, large),
            )
    return column


def _description(file: str, described: str | None, frame: polars.DataFrame) -> Description | None:
    if described is None:
        return None
    try:
        description = read_description(file, json.loads(described))
    except (ValueError, RecursionError, AttributeError) as error:
        raise FileUnreadable(
            "DATA-HEADER", f"The metadata in the file {file} are damaged. Export it again.", METADATA_KEY
        ) from error
    if [variable.name for variable in description.variables] != frame.columns:
        raise FileUnreadable(
            "DATA-HEADER",
            f"The file {file} has other columns than its metadata say. Export it again.",
            METADATA_KEY,
        )
    return description


def _found(path: Path, frame: polars.DataFrame, description: Description | None) -> FoundDataset:
    columns = [_cells(path.name, series) for series in frame.get_columns()]
    if description is not None:
        rows = [list(row) for row in zip(*columns, strict=True)]
        return description.found(path.name, rows)
    variables = []
    for series, column in zip(frame.get_columns(), columns, strict=True):
        dated = _DATED.get(str(series.dtype.base_type()))
        kinds = {type(cell) for cell in column if cell is not None}
        type_: DataType = dated or ("text" if str in kinds else "float" if float in kinds else "integer")
        variables.append(
            Variable(name=series.name, label="", type=type_, origin=None, numeric_date=dated is not None)
        )
    return FoundDataset(dataset=found_dataset(path.stem.upper(), "", variables, columns))


_DATED: Final[Mapping[str, DataType]] = {"Date": "date", "Datetime": "datetime", "Time": "time"}


def _cells(file: str, series: polars.Series) -> list[Cell]:
    """Return the values of a column as cells: dates as ISO 8601 texts, truth values as 1 and 0."""
    kind = series.dtype
    if kind.is_nested() or str(kind.base_type()) in ("Binary", "Object", "Duration"):
        raise FileUnreadable(
            "DATA-TYPE",
            f"The file {file} has a column of the type {kind}, which no dataset has. Leave it out.",
            series.name,
        )
    values = series.to_list()
    if kind.is_temporal():
        return [None if value is None else value.isoformat() for value in values]
    if kind.is_decimal():
        return [None if value is None else float(value) for value in values]
    return [int(value) if isinstance(value, bool) else value for value in values]
