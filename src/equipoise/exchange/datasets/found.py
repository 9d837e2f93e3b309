"""What a file of data held, once it is read: the dataset, and whatever there was no place for."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from equipoise.exchange.datasets.content import DATES, all_finite, is_complete
from equipoise.exchange.datasets.model import Cell, Dataset, DataType, Variable
from equipoise.exchange.unreadable import FileUnreadable

DATA_BYTES_MAX: Final = 500_000_000
ROW_BYTES_MAX: Final = 16_000_000
COLUMNS_MAX: Final = 20_000
CELLS_MAX: Final = 100_000_000
"""Values that are read at most; a row costs as much as a few values more, however few it has."""

_ROW_CELLS: Final = 8
_PARTIAL: Final[Mapping[DataType, DataType]] = {
    "date": "partialDate",
    "datetime": "partialDatetime",
    "time": "partialTime",
}
_INTEGER: Final = re.compile(r"[+-]?[0-9]+")
_DECIMAL: Final = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_GROUPED: Final = re.compile(r"[+-]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundDataset:
    """A dataset, with the places and texts of what was not understood."""

    dataset: Dataset
    not_understood: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """How the values of a variable are read: of which kinds they are in the file, and what each becomes.

    Those of the kind `plain` stay as they are.
    """

    kinds: frozenset[type]
    convert: Callable[[Any], Cell] | None = None
    plain: type = str


def found_dataset(
    name: str, label: str, variables: Sequence[Variable], columns: Sequence[Sequence[Cell]]
) -> Dataset:
    """Return a dataset of a file that says no more of it than this.

    Dates in texts of which one is not complete make their variable one of partial dates.
    """
    return Dataset(
        name=name,
        label=label,
        structure="",
        dataset_class=None,
        variables=tuple(_as_partial(each, column) for each, column in zip(variables, columns, strict=True)),
        rows=tuple(zip(*columns, strict=True)),
    )


def read_column(file: str, variable: Variable, column: Sequence[object], reading: Reading) -> Sequence[Cell]:
    """Return the values of a variable, None where there is none.

    Raises FileUnreadable: DATA-TYPE for a value of another kind; DATA-DATE for a partial date that is to
    become a number.
    """
    kinds = set(map(type, column)) - {type(None)}
    if odd := kinds - reading.kinds:
        raise _wrong(file, variable, _first(column, lambda cell: type(cell) in odd))
    cells: Sequence[Any] = column
    if (convert := reading.convert) is not None and not (kinds <= {reading.plain} and all_finite(column)):
        try:
            cells = [None if cell is None else convert(cell) for cell in column]
        except (ValueError, OverflowError) as error:
            row = _first(column, lambda cell: _fails(convert, cell))
            raise _wrong(file, variable, row) from error
    if variable.numeric_date:
        partial = {cell for cell in cells if cell is not None and not is_complete(variable.type, cell)}
        if partial:
            raise FileUnreadable(
                "DATA-DATE",
                f"The file {file} has a {variable.type} that is to become a number and is not complete. "
                "Correct it.",
                f"{variable.name}, row {_first(cells, lambda cell: cell in partial)}",
            )
    return cells


def check_size(file: str, rows: int, columns: int) -> None:
    """Refuse a dataset that would take too much memory. Raises FileUnreadable: DATA-TOO-LARGE."""
    if columns > COLUMNS_MAX or rows * (columns + _ROW_CELLS) > CELLS_MAX:
        raise FileUnreadable(
            "DATA-TOO-LARGE",
            f"The file {file} has {rows} rows or more of {columns} columns, which is more than is read. "
            "Divide the dataset.",
            f"row {rows}",
        )


def check_file(path: Path) -> None:
    """Refuse a file that is not there (FILE-MISSING) or is too large to be read (FILE-TOO-LARGE)."""
    if not path.is_file():
        raise FileUnreadable("FILE-MISSING", f"There is no file {path.name} to read. Check the path.")
    if path.stat().st_size > DATA_BYTES_MAX:
        raise FileUnreadable(
            "FILE-TOO-LARGE",
            f"The file {path.name} is larger than {DATA_BYTES_MAX // 1_000_000} MB. Divide the dataset.",
        )


def whole(value: Any) -> int:
    """Return an integer that may be written with a fraction of zero. Raises ValueError."""
    if isinstance(value, str):
        return int(value) if _INTEGER.fullmatch(value) else whole(real(value))
    if value != int(value):
        raise ValueError(value)
    return int(value)


def grouped(value: Any) -> float:
    """Return a number that may be written as a text, with commas between thousands. Raises ValueError."""
    return real(value.replace(",", "") if isinstance(value, str) and _GROUPED.fullmatch(value) else value)


def real(value: Any) -> float:
    """Return a number that may be written as a text. Raises ValueError."""
    if isinstance(value, str) and not _DECIMAL.fullmatch(value):
        raise ValueError(value)
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(value)
    return number


def _as_partial(variable: Variable, column: Sequence[Cell]) -> Variable:
    if variable.type not in DATES or variable.numeric_date:
        return variable
    if all(is_complete(variable.type, str(cell)) for cell in set(column) if cell):
        return variable
    return replace(variable, type=_PARTIAL[variable.type])


def _first(column: Iterable[Any], wanted: Callable[[Any], bool]) -> int:
    return next(row for row, cell in enumerate(column, start=1) if cell is not None and wanted(cell))


def _fails(convert: Callable[[Any], Cell], cell: object) -> bool:
    try:
        convert(cell)
    except (ValueError, OverflowError):
        return True
    return False


def _wrong(file: str, variable: Variable, row: int) -> FileUnreadable:
    return FileUnreadable(
        "DATA-TYPE",
        f"The file {file} has a value of another kind than its variable, which is of type {variable.type}. "
        "Export it again.",
        f"{variable.name}, row {row}",
    )
