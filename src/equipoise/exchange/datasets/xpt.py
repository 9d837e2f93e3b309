"""Writes a dataset as a SAS transport file of version 5.

Source: SAS Institute, TS-140, "The Record Layout of a Data Set in SAS Transport (XPORT) Format". Texts are
UTF-8, which is ASCII wherever they hold nothing else; a text that does not fit is refused and never cut. Two
things this format cannot tell apart: blanks at the end of a text from none, and an empty text from a missing
one. Nothing but the data and the moment that is given in decides the bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from equipoise.definition.sdtm.guide import LABEL_LENGTH_MAX, NAME_LENGTH_MAX, TEXT_LENGTH_MAX
from equipoise.exchange.datasets.content import Column, check_dataset, is_number, place_of, text_bytes
from equipoise.exchange.datasets.formats import FORMAT, display_format
from equipoise.exchange.datasets.ibm import holds, to_ibm
from equipoise.exchange.datasets.model import (
    Dataset,
    DataType,
    Variable,
)
from equipoise.exchange.made import NotWritten

CARD: Final = 80
"""Bytes of a record; whatever is shorter is filled with blanks."""
NAMESTR: Final = struct.Struct(">hhhh8s40s8shhh2s8shhl52s")
"""Description of a variable: type, hash, length, number, name, label, format, width, decimals, justification,
filler, informat, its width and decimals, place in the row, filler."""
NUMBER_BYTES: Final = 8
VARIABLES_MAX: Final = 9999
SAS_VERSION: Final = "9.4"
SAS_SYSTEM: Final = "Linux"
EXACT_MAX: Final = 2**53
"""Whole numbers up to this one are held exactly by eight bytes of floating point."""
EPOCH: Final = date(1960, 1, 1)
"""The day that SAS counts days from; it counts seconds from its beginning."""

_DATE_BYTES: Final[dict[DataType, int]] = {
    "date": 10,
    "partialDate": 10,
    "datetime": 19,
    "partialDatetime": 19,
    "incompleteDatetime": 19,
    "time": 8,
    "partialTime": 8,
}
_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_ROWS_AT_ONCE: Final = 20_000


def xpt(dataset: Dataset, created: str) -> Iterator[bytes]:
    """Yield a transport file with one dataset, in pieces; `created` is an ISO 8601 time.

    Raises NotWritten: those of `check_dataset`; XPT-NAME and XPT-LABEL for what is longer than 8 and 40
    bytes, XPT-FORMAT for what is no format, XPT-TEXT for a text of more than 200 bytes or with a zero byte,
    XPT-NUMBER for a number that is too large, too small or too long to be held exactly, XPT-BLANK where the
    last row is blank and would be taken for filling, XPT-VARIABLES for none or more than 9999.
    """
    columns = check_dataset(dataset)
    _check_header(dataset)
    widths = [
        NUMBER_BYTES if is_number(variable) else _width(dataset.name, variable, column)
        for variable, column in zip(dataset.variables, columns, strict=True)
    ]
    _check_last_row(dataset, sum(widths))
    layout = np.dtype(
        [
            (f"v{place}", ">u8" if is_number(variable) else f"S{width}")
            for place, (variable, width) in enumerate(zip(dataset.variables, widths, strict=True))
        ]
    )
    yield _header(dataset, widths, _moment(created))
    size = 0
    for start in range(0, len(dataset.rows), _ROWS_AT_ONCE):
        stop = min(start + _ROWS_AT_ONCE, len(dataset.rows))
        block = np.empty(stop - start, layout)
        for place, (variable, column) in enumerate(zip(dataset.variables, columns, strict=True)):
            block[f"v{place}"] = _cells(dataset.name, variable, column, slice(start, stop), widths[place])
        piece = block.tobytes()
        size += len(piece)
        yield piece
    yield b" " * (-size % CARD)


def sas_count(type_: str, text: str) -> float:
    """Return a complete ISO 8601 date in days since 1960-01-01, a date-time or time in seconds."""
    if type_ == "date":
        return (date.fromisoformat(text) - EPOCH).days
    if type_ == "datetime":
        moment = datetime.fromisoformat(text)
        return (moment.date() - EPOCH).days * 86_400 + _seconds(moment.time())
    return _seconds(time.fromisoformat(text))


def _seconds(clock: time) -> float:
    whole = clock.hour * 3600 + clock.minute * 60 + clock.second
    return whole + clock.microsecond / 1_000_000 if clock.microsecond else whole


def _moment(created: str) -> bytes:
    """Return a time as SAS writes it into a header: 01MAR26:09:30:00."""
    moment = datetime.fromisoformat(created)
    return f"{moment.day:02}{_MONTHS[moment.month - 1]}{moment.year % 100:02}:{moment:%H:%M:%S}".encode()


def card(*fields: tuple[str | bytes, int]) -> bytes:
    """Return fields of given widths as one record."""
    parts = [
        (text.encode() if isinstance(text, str) else text).ljust(width)[:width] for text, width in fields
    ]
    return b"".join(parts).ljust(CARD)


def heading(kind: str, numbers: str = "0" * 30) -> bytes:
    """Return the record that begins a part of the file."""
    return card((f"HEADER RECORD*******{kind:<8}HEADER RECORD!!!!!!!{numbers}", CARD))


def _header(dataset: Dataset, widths: list[int], moment: bytes) -> bytes:
    system = ((SAS_VERSION, 8), (SAS_SYSTEM, 8), ("", 24), (moment, 16))
    names = b""
    position = 0
    for place, (variable, width) in enumerate(zip(dataset.variables, widths, strict=True), start=1):
        names += _namestr(variable, place, width, position)
        position += width
    return b"".join(
        (
            heading("LIBRARY"),
            card(("SAS", 8), ("SAS", 8), ("SASLIB", 8), *system),
            card((moment, 16)),
            heading("MEMBER", "000000000000000001600000000140"),
            heading("DSCRPTR"),
            card(("SAS", 8), (dataset.name, 8), ("SASDATA", 8), *system),
            card((moment, 16), ("", 16), (dataset.label, 40)),
            heading("NAMESTR", f"{len(widths):010}".ljust(30, "0")),
            names.ljust(len(names) + -len(names) % CARD),
            heading("OBS"),
        )
    )


def _namestr(variable: Variable, place: int, width: int, position: int) -> bytes:
    name, digits, decimals = ("", "", "")
    if (shown := display_format(variable)) is not None:
        found = FORMAT.fullmatch(shown)
        if found is None or len(found[1]) > NAME_LENGTH_MAX:
            raise NotWritten(
                "XPT-FORMAT", f"{shown!r} is no format of SAS. Write it as DATE9. or 8.2.", variable.name
            )
        name, digits, decimals = found.groups()
    return NAMESTR.pack(
        1 if is_number(variable) else 2,
        0,
        width,
        place,
        variable.name.encode().ljust(8),
        variable.label.encode().ljust(LABEL_LENGTH_MAX),
        name.encode().ljust(8),
        int(digits or 0),
        int(decimals or 0),
        0,
        b"",
        b"".ljust(8),
        0,
        0,
        position,
        b"",
    )


def _check_header(dataset: Dataset) -> None:
    named = [(dataset.name, dataset.label, dataset.name)]
    named += [(each.name, each.label, f"{dataset.name}.{each.name}") for each in dataset.variables]
    for name, label, place in named:
        if len(name.encode()) > NAME_LENGTH_MAX:
            raise NotWritten(
                "XPT-NAME", f"The name {name} is longer than {NAME_LENGTH_MAX} characters. Shorten it.", place
            )
        if len(label.encode()) > LABEL_LENGTH_MAX:
            raise NotWritten(
                "XPT-LABEL",
                f"The label {label!r} takes more than {LABEL_LENGTH_MAX} bytes. Shorten it.",
                place,
            )
    if not 0 < len(dataset.variables) <= VARIABLES_MAX:
        raise NotWritten(
            "XPT-VARIABLES",
            f"A transport file has 1 to {VARIABLES_MAX} variables, and the dataset {len(dataset.variables)}.",
            dataset.name,
        )


def _width(dataset: str, variable: Variable, column: Column) -> int:
    """Return the bytes of a text variable: as declared, else as its longest text or a whole date takes."""
    texts = {cell for cell in column if isinstance(cell, str)}
    longest = text_bytes(texts)
    wrong = next((text for text in texts if "\0" in text), None)
    if longest > TEXT_LENGTH_MAX:
        wrong = max(texts, key=lambda text: len(text.encode()))
    if wrong is not None:
        raise NotWritten(
            "XPT-TEXT",
            f"A text takes more than {TEXT_LENGTH_MAX} bytes of UTF-8, or holds a zero byte. Divide it among "
            "variables, or choose another form.",
            place_of(dataset, variable, column, wrong),
        )
    planned = variable.length or _DATE_BYTES.get(variable.type, 1)
    return min(max(planned, longest), TEXT_LENGTH_MAX)


def _check_last_row(dataset: Dataset, row_bytes: int) -> None:
    """Refuse a blank last row, which a reader could not tell from what fills the last record."""
    if row_bytes >= CARD or not dataset.rows or any(map(is_number, dataset.variables)):
        return
    if not any(str(cell or "").strip(" ") for cell in dataset.rows[-1]):
        raise NotWritten(
            "XPT-BLANK",
            "The last row is blank throughout, and would be lost in a transport file. Leave it out.",
            f"{dataset.name}, row {len(dataset.rows)}",
        )


def _cells(
    dataset: str, variable: Variable, column: Column, rows: slice, width: int
) -> NDArray[np.bytes_] | NDArray[np.uint64]:
    cells: Any = column[rows]
    if is_number(variable):
        return _numbers(dataset, variable, column, rows)
    if None in cells:
        cells = ["" if cell is None else cell for cell in cells]
    try:
        texts = np.array(cells, dtype=f"S{width}")
    except UnicodeEncodeError:
        texts = np.array([cell.encode() for cell in cells], dtype=f"S{width}")
    padded: NDArray[np.bytes_] = np.strings.ljust(texts, width)
    return padded


def _numbers(dataset: str, variable: Variable, column: Column, rows: slice) -> NDArray[np.uint64]:
    cells: Any = column[rows]
    if variable.numeric_date:
        counted = {text: sas_count(variable.type, text) for text in set(cells) - {None}}
        cells = [counted.get(text) for text in cells]
    if variable.type == "integer":
        large = max(filter(None, cells), key=abs, default=0)
        if abs(large) > EXACT_MAX:
            raise _number_refused(dataset, variable, column, large)
    values = np.array(cells, dtype=np.float64)
    held = holds(values)
    if not held.all():
        raise _number_refused(dataset, variable, column, cells[int(np.argmin(held))])
    return to_ibm(values)


def _number_refused(dataset: str, variable: Variable, column: Column, number: object) -> NotWritten:
    return NotWritten(
        "XPT-NUMBER",
        f"The number {str(number)[:30]} is too large, too small or too long for a transport file. Choose "
        "another form.",
        place_of(dataset, variable, column, number),
    )
