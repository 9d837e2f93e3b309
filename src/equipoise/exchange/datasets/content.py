"""What a dataset holds, column by column: checked before it is written, and completed where it can be seen.

Whatever cannot be written as it is, is refused with its place; nothing is cut, rounded or left out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final

from equipoise.exchange.datasets.formats import display_format
from equipoise.exchange.datasets.model import Cell, CodeList, Dataset, Package, ValueLevel, Variable
from equipoise.exchange.made import NotWritten

Column = Sequence[Cell]

NUMBERS: Final = frozenset({"integer", "float"})
DATES: Final = frozenset({"date", "datetime", "time"})
"""The types that a transport file can hold as a number, and whose values are then complete."""

_CELLS: Final[dict[str, frozenset[type]]] = {
    "integer": frozenset({int, type(None)}),
    "float": frozenset({int, float, type(None)}),
}
_TEXTS: Final = frozenset({str, type(None)})
_SURROGATES: Final = re.compile("[\ud800-\udfff]")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_COMPLETE: Final = {
    "date": (re.compile(r"\d{4}-\d\d-\d\d"), date.fromisoformat),
    "datetime": (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?"), datetime.fromisoformat),
    "time": (re.compile(r"\d\d:\d\d(:\d\d(\.\d+)?)?"), time.fromisoformat),
}
NUMBER_LENGTH: Final = 8
"""Characters of a number of which no value is known."""


def is_number(variable: Variable) -> bool:
    """Whether a statistical program holds a variable as a number."""
    return variable.type in NUMBERS or variable.numeric_date


def is_complete(type_: str, text: str) -> bool:
    """Whether a text is a complete ISO 8601 date, local date-time or time of day that exists."""
    pattern, parse = _COMPLETE[type_]
    if pattern.fullmatch(text) is None:
        return False
    try:
        parse(text)
    except ValueError:
        return False
    return True


def check_dataset(dataset: Dataset) -> tuple[Column, ...]:
    """Return the columns of a dataset of which every cell is what its variable says.

    Raises NotWritten: DATA-NAME, DATA-KEY, DATA-WIDTH, DATA-TYPE, DATA-NUMBER (infinite or not a number),
    DATA-TEXT (no Unicode), DATA-DATE (a numeric date that is partial), DATA-LENGTH (longer than its variable
    says).
    """
    names = [variable.name for variable in dataset.variables]
    for name in (dataset.name, *names):
        if _NAME.fullmatch(name) is None or names.count(name) > 1:
            raise NotWritten(
                "DATA-NAME",
                f"The name {name!r} is not one of letters, digits and underscores, given once. Rename it.",
                dataset.name,
            )
    labels = [(dataset.name, dataset.label)]
    labels += [(f"{dataset.name}.{each.name}", each.label) for each in dataset.variables]
    for place, label in labels:
        if not _is_unicode(label):
            raise _no_unicode(place)
    keys = [variable.key for variable in dataset.variables if variable.key is not None]
    if len(set(keys)) < len(keys):
        raise NotWritten(
            "DATA-KEY",
            "Two variables have the same place in the sort key. Give each a place of its own.",
            dataset.name,
        )
    for odd in set(map(len, dataset.rows)) - {len(names)}:
        number = next(number for number, row in enumerate(dataset.rows, start=1) if len(row) == odd)
        raise NotWritten(
            "DATA-WIDTH",
            f"A row has {odd} cells, the dataset {len(names)} variables. Give each variable a cell.",
            f"{dataset.name}, row {number}",
        )
    columns: list[Column] = list(zip(*dataset.rows, strict=True)) or [()] * len(names)
    for variable, column in zip(dataset.variables, columns, strict=True):
        _check_column(dataset.name, variable, column)
    return tuple(columns)


def place_of(dataset: str, variable: Variable, column: Column, wrong: object) -> str:
    """Return where in a dataset a value first stands."""
    row = next(number for number, cell in enumerate(column, start=1) if cell is wrong)
    return f"{dataset}.{variable.name}, row {row}"


def all_finite(numbers: Iterable[Any]) -> bool:
    """Whether each number is one that a double can hold, if it is not missing."""
    try:
        return all(map(math.isfinite, filter(None, numbers)))
    except OverflowError:
        return False


def cell_order(cell: Cell) -> tuple[bool, float, str]:
    """Return what cells are sorted by: missing values last, numbers before texts."""
    return cell is None, cell if isinstance(cell, int | float) else 0.0, cell if isinstance(cell, str) else ""


def text_bytes(texts: Iterable[str]) -> int:
    """Return how many bytes the longest of some texts takes in UTF-8."""
    return max((len(text) if text.isascii() else len(text.encode()) for text in texts), default=0)


def complete_package(package: Package) -> Package:
    """Return a package with the lengths that its data have where it names none, and uniform code lists.

    A Define-XML file needs the length of each text and number, and the decimals of each float; and its code
    lists have a decode for every term or for none. What is complete already comes back equal. Raises
    NotWritten: DATA-NAME for two datasets of one name, and those of `check_dataset`.
    """
    names = [dataset.name.lower() for dataset in package.datasets]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise NotWritten(
            "DATA-NAME",
            f"Two datasets are called {twice.upper()}, as their files would be. Rename one.",
            twice,
        )
    return replace(package, datasets=tuple(_complete_dataset(each) for each in package.datasets))


def complete_codelist(codelist: CodeList) -> CodeList:
    """Return a list where every term has a decode if one has, and that counts as extended only if it is."""
    decoded = any(term.decode is not None for term in codelist.terms)
    terms = tuple(
        replace(term, decode=term.value) if decoded and term.decode is None else term
        for term in codelist.terms
    )
    extended = codelist.extended and codelist.ncit is not None and any(term.ncit is None for term in terms)
    return replace(codelist, terms=terms, extended=extended)


def complete_length(variable: Variable, column: Column) -> Variable:
    """Return a variable with the length of its longest value, the decimals of a float, a date's format."""
    length, digits = variable.length, variable.significant_digits
    if variable.type not in (*NUMBERS, "text"):
        return replace(variable, display_format=display_format(variable))
    if length and (variable.type != "float" or digits is not None):
        return variable
    there = [cell for cell in column if cell is not None]
    if variable.type in NUMBERS:
        plain = [number_text(cell) for cell in there]
        length = length or max(map(len, plain), default=NUMBER_LENGTH)
        if variable.type == "float" and digits is None:
            digits = max((len(text.partition(".")[2]) for text in plain), default=0)
    else:
        length = length or text_bytes(str(cell) for cell in there) or 1
    return replace(variable, length=length, significant_digits=digits)


def number_text(cell: Cell) -> str:
    """Return a number in digits, without an exponent and without a fraction that is zero."""
    return format(Decimal(repr(cell)), "f").removesuffix(".0") if isinstance(cell, float) else str(cell)


def _complete_dataset(dataset: Dataset) -> Dataset:
    columns = check_dataset(dataset)
    at = {variable.name: column for variable, column in zip(dataset.variables, columns, strict=True)}
    return replace(
        dataset, variables=tuple(_complete_variable(each, at[each.name], at) for each in dataset.variables)
    )


def _complete_variable(variable: Variable, column: Column, others: dict[str, Column]) -> Variable:
    whole = complete_length(variable, column)
    values = tuple(
        ValueLevel(
            where=level.where,
            variable=_complete_variable(level.variable, _cells_where(level, column, others), others),
        )
        for level in variable.values
    )
    codelist = None if variable.codelist is None else complete_codelist(variable.codelist)
    return replace(whole, values=values, codelist=codelist)


def _cells_where(level: ValueLevel, column: Column, others: dict[str, Column]) -> Column:
    """Return the cells of the rows that a value level is for."""
    names = [name for name, _ in level.where]
    wanted = tuple(value for _, value in level.where)
    keys: Iterable[tuple[Cell, ...]] = zip(*(others.get(name, ()) for name in names), strict=False)
    return [cell for cell, key in zip(column, keys, strict=False) if tuple(map(str, key)) == wanted]


def _check_column(dataset: str, variable: Variable, column: Column) -> None:
    allowed = _CELLS.get(variable.type, _TEXTS)
    if variable.numeric_date and variable.type not in DATES:
        raise NotWritten(
            "DATA-TYPE",
            f"A variable of type {variable.type} cannot be counted as SAS counts dates. Change its type.",
            f"{dataset}.{variable.name}",
        )
    for odd in set(map(type, column)) - allowed:
        wrong = next(cell for cell in column if type(cell) is odd)
        raise NotWritten(
            "DATA-TYPE",
            f"A value of kind {odd.__name__} stands in a variable of type {variable.type}. Correct either.",
            place_of(dataset, variable, column, wrong),
        )
    if variable.type == "float":
        if not all_finite(column):
            wrong = next(cell for cell in column if not all_finite([cell]))
            raise NotWritten(
                "DATA-NUMBER",
                f"The value {str(wrong)[:30]} is no number that a file can hold. Leave it missing.",
                place_of(dataset, variable, column, wrong),
            )
    elif variable.type != "integer":
        _check_texts(dataset, variable, column)


def _check_texts(dataset: str, variable: Variable, column: Column) -> None:
    texts: set[str] = set(filter(None, column))  # type: ignore[arg-type]
    for text in texts:
        if not _is_unicode(text):
            raise _no_unicode(place_of(dataset, variable, column, text))
        size = len(text) if text.isascii() else len(text.encode())
        if variable.length is not None and size > variable.length:
            raise NotWritten(
                "DATA-LENGTH",
                f"A text takes {size} bytes, and its variable {variable.length}. Raise the length.",
                place_of(dataset, variable, column, text),
            )
        if variable.numeric_date and not is_complete(variable.type, text):
            raise NotWritten(
                "DATA-DATE",
                f"The value {text!r} is no complete {variable.type}, and cannot become a number. Keep it as "
                "text, or impute it.",
                place_of(dataset, variable, column, text),
            )


def _is_unicode(text: str) -> bool:
    return text.isascii() or not _SURROGATES.search(text)


def _no_unicode(place: str) -> NotWritten:
    return NotWritten(
        "DATA-TEXT", "A text holds half of a surrogate pair, which is no character. Enter it again.", place
    )
