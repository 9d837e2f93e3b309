"""Reads SAS transport files of version 5 and of version 8, with all datasets in them.

Source: SAS Institute, TS-140, and "Record Layout of a SAS Version 8 or 9 Data Set in SAS Transport Format".
Texts are taken for UTF-8. A special missing value (.A to .Z, ._) becomes a missing one.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from equipoise.exchange.datasets.formats import dated_by
from equipoise.exchange.datasets.found import (
    COLUMNS_MAX,
    DATA_BYTES_MAX,
    FoundDataset,
    check_size,
    found_dataset,
)
from equipoise.exchange.datasets.ibm import MISSING, from_ibm
from equipoise.exchange.datasets.model import Cell, DataType, Variable
from equipoise.exchange.datasets.xpt import CARD, EPOCH, EXACT_MAX, NAMESTR, NUMBER_BYTES, heading
from equipoise.exchange.unreadable import FileUnreadable, read_bytes

_HEADING: Final = re.compile(rb"HEADER RECORD\*{7}([A-Z0-9]{3,8}) *HEADER RECORD!{7}([0-9 ]+)")
_NAMESTR_BYTES: Final = frozenset({136, 140})
TEXT_BYTES_MAX: Final = 32_767


@dataclass(frozen=True, slots=True)
class _Layout:
    """How a version calls its parts, and in how many bytes it keeps a dataset's name."""

    member: str
    description: str
    names: str
    rows: str
    name_bytes: int


_LAYOUTS: Final = {
    "LIBRARY": _Layout("MEMBER", "DSCRPTR", "NAMESTR", "OBS", 8),
    "LIBV8": _Layout("MEMBV8", "DSCPTV8", "NAMSTV8", "OBSV8", 32),
}
_LABELS: Final = {"LABELV8": struct.Struct(">hhh"), "LABELV9": struct.Struct(">hhhhh")}
"""Labels of more than 40 bytes: number of the variable, lengths of its name, its label, and its formats."""
_LONG_NAME: Final = slice(88, 120)


@dataclass(frozen=True, slots=True)
class _Field:
    """A variable with its place in a row."""

    variable: Variable
    position: int
    width: int
    is_text: bool


def read_xpt(path: Path) -> tuple[FoundDataset, ...]:
    """Read all datasets of a transport file.

    Raises FileUnreadable: those of `read_bytes`; XPT-HEADER for what is no transport file or is damaged,
    XPT-CUT for one that ends within a part or a row; DATA-TOO-LARGE; DATA-ENCODING for what is not UTF-8.
    """
    reader = _Reader(path.name, read_bytes(path, DATA_BYTES_MAX))
    kind, _ = reader.heading(*_LAYOUTS)
    reader.take(2 * CARD)
    datasets = [reader.dataset(_LAYOUTS[kind])]
    while not reader.ended:
        datasets.append(reader.dataset(_LAYOUTS[kind]))
    return tuple(datasets)


class _Reader:
    """A transport file, and the byte that is next."""

    def __init__(self, file: str, content: bytes) -> None:
        self._file = file
        self._content = content
        self._at = 0

    @property
    def ended(self) -> bool:
        """Whether nothing is left."""
        return self._at >= len(self._content)

    def take(self, size: int) -> bytes:
        """Return the next bytes, and go on to the record after them."""
        start = self._at
        self._at += size + -size % CARD
        if self._at > len(self._content):
            raise self._cut()
        return self._content[start : start + size]

    def heading(self, *kinds: str) -> tuple[str, str]:
        """Read a record that begins a part, of one of these kinds; return the kind and its numbers."""
        place = self._at
        found = _HEADING.fullmatch(self.take(CARD))
        if found is None or (kind := found[1].decode()) not in kinds:
            raise self._damaged(f"has no part {' or '.join(kinds)}", place)
        return kind, found[2].decode()

    def dataset(self, layout: _Layout) -> FoundDataset:
        """Read one dataset."""
        _, numbers = self.heading(layout.member)
        size = self._count(numbers[26:30])
        self.heading(layout.description)
        name = self._text(self.take(CARD)[8 : 8 + layout.name_bytes])
        label = self._text(self.take(CARD)[32:72])
        _, numbers = self.heading(layout.names)
        place, many = self._at, self._count(numbers[:10])
        if size not in _NAMESTR_BYTES or not 0 < many <= COLUMNS_MAX:
            raise self._damaged(f"describes {many} variables in {size} bytes each", place)
        raw = self.take(many * size)
        fields = [self._field(raw[each * size : (each + 1) * size]) for each in range(many)]
        kind, numbers = self.heading(layout.rows, *_LABELS)
        if kind in _LABELS:
            fields = self._with_labels(fields, _LABELS[kind], self._count(numbers[:10]))
            kind, numbers = self.heading(layout.rows)
        self._check_fields(fields, place)
        row_bytes = sum(field.width for field in fields)
        declared = self._count(numbers[:15]) if layout.rows == "OBSV8" else 0
        start, rows = self._at, self._rows(layout, row_bytes, declared)
        check_size(self._file, rows, many)
        lost: list[tuple[str, str]] = []
        columns = [self._column(field, start, rows, row_bytes, name, lost) for field in fields]
        dataset = found_dataset(
            name, label, [variable for variable, _ in columns], [cells for _, cells in columns]
        )
        return FoundDataset(dataset=dataset, not_understood=tuple(lost))

    def _count(self, digits: str) -> int:
        """Return a number of the heading that was just read; one that is left blank counts as 0."""
        digits = digits.strip()
        if digits and not digits.isdigit():
            raise self._damaged("has a heading with no whole number", self._at - CARD)
        return int(digits or 0)

    def _field(self, raw: bytes) -> _Field:
        kind, _, width, _, name, label, shown, digits, decimals, *_, position, _ = NAMESTR.unpack(
            raw.ljust(NAMESTR.size, b"\0")
        )
        long_name = raw[_LONG_NAME].strip(b" \0")
        form = self._text(shown)
        variable = Variable(
            name=self._text(long_name or name),
            label=self._text(label),
            type="text" if kind == 2 else "float",
            origin=None,
            length=width if kind == 2 else None,
            display_format=(f"{form}{digits or ''}.{decimals or ''}" if form or digits or decimals else None),
        )
        return _Field(variable, position, width, kind == 2)

    def _with_labels(self, fields: list[_Field], head: struct.Struct, many: int) -> list[_Field]:
        """Read the long labels, which follow one another without filling between them."""
        start = at = self._at
        fields = list(fields)
        for _ in range(many):
            if at + head.size > len(self._content):
                raise self._cut()
            number, *lengths = head.unpack_from(self._content, at)
            name_end = at + head.size + lengths[0]
            if not 0 < number <= len(fields) or min(lengths) < 0:
                raise self._damaged("has a long label of no variable", at)
            field = fields[number - 1]
            label = self._text(self._content[name_end : name_end + lengths[1]])
            fields[number - 1] = replace(field, variable=replace(field.variable, label=label))
            at += head.size + sum(lengths)
        self.take(at - start)
        return fields

    def _check_fields(self, fields: Sequence[_Field], place: int) -> None:
        end = 0
        for field in sorted(fields, key=lambda field: field.position):
            most = TEXT_BYTES_MAX if field.is_text else NUMBER_BYTES
            least = 1 if field.is_text else 2
            if field.position != end or not least <= field.width <= most:
                raise self._damaged(f"has {field.variable.name} at no place of a row", place)
            end += field.width
        if len({field.variable.name for field in fields}) < len(fields):
            raise self._damaged("names a variable twice", place)

    def _rows(self, layout: _Layout, row_bytes: int, declared: int) -> int:
        """Return how many rows there are, and go past them; what fills the last record is no row.

        Version 5 declares no number: there, blank rows at the end that fit into the last record are filling.
        """
        start = self._at
        next_member = heading(layout.member, "")[:48]
        end = self._content.find(next_member, start)
        while end >= 0 and end % CARD:
            end = self._content.find(next_member, end + 1)
        end = len(self._content) if end < 0 else end
        size = end - start
        rows = declared or size // row_bytes
        while (
            not declared
            and rows
            and size - (rows - 1) * row_bytes < CARD
            and self._blank(start, rows - 1, row_bytes)
        ):
            rows -= 1
        if rows * row_bytes > size:
            raise self._cut()
        filling = self._content[start + rows * row_bytes : end]
        if end % CARD or len(filling) >= CARD or filling.strip(b" \0"):
            raise self._cut()
        self._at = end
        return rows

    def _blank(self, start: int, row: int, row_bytes: int) -> bool:
        return not self._content[start + row * row_bytes : start + (row + 1) * row_bytes].strip(b" ")

    def _column(
        self, field: _Field, start: int, rows: int, row_bytes: int, dataset: str, lost: list[tuple[str, str]]
    ) -> tuple[Variable, Sequence[Cell]]:
        block = np.frombuffer(self._content, np.uint8, rows * row_bytes, start).reshape(rows, row_bytes)
        raw = block[:, field.position : field.position + field.width]
        if field.is_text:
            return field.variable, self._texts(raw, f"{dataset}.{field.variable.name}")
        whole = np.zeros((rows, NUMBER_BYTES), np.uint8)
        whole[:, : field.width] = raw
        bits = whole.view(">u8").astype(np.uint64).reshape(rows)
        values = from_ibm(bits)
        special = int(np.count_nonzero(np.isnan(values) & (bits != MISSING)))
        if special:
            lost.append((f"{dataset}.{field.variable.name}", f"{special} special missing values"))
        return _as_counted(field.variable, values)

    def _texts(self, raw: NDArray[np.uint8], place: str) -> list[Cell]:
        width = raw.shape[1]
        found = np.ascontiguousarray(raw).view(f"S{width}").reshape(len(raw)).tolist()
        cells: dict[bytes, Cell] = {}
        for text in set(found):
            try:
                cells[text] = text.rstrip(b" ").decode() or None
            except UnicodeDecodeError as error:
                raise FileUnreadable(
                    "DATA-ENCODING",
                    f"The file {self._file} holds a text that is not in UTF-8. Export it in UTF-8.",
                    f"{place}, row {found.index(text) + 1}",
                ) from error
        return [cells[text] for text in found]

    def _text(self, raw: bytes) -> str:
        try:
            return raw.strip(b" \0").decode()
        except UnicodeDecodeError as error:
            raise FileUnreadable(
                "DATA-ENCODING",
                f"The file {self._file} holds a name or label that is not in UTF-8. Export it in UTF-8.",
                f"before byte {self._at + 1}",
            ) from error

    def _damaged(self, what: str, place: int) -> FileUnreadable:
        return FileUnreadable(
            "XPT-HEADER",
            f"The file {self._file} {what}, so it is no SAS transport file or is damaged. Export it again.",
            f"byte {place + 1}",
        )

    def _cut(self) -> FileUnreadable:
        return FileUnreadable(
            "XPT-CUT",
            f"The file {self._file} is cut off within a record or a row. Copy or export it again.",
            f"byte {len(self._content)}",
        )


def _as_counted(variable: Variable, values: NDArray[np.float64]) -> tuple[Variable, Sequence[Cell]]:
    """Return whole numbers as integers, and numbers in a format of dates as dates if all of them are such."""
    missing = np.isnan(values)
    there = values[~missing]
    cells: list[Cell] = values.tolist()
    type_: DataType = "float"
    kind = dated_by(variable.display_format)
    texts = None if kind is None else _iso_texts(kind, there)
    if kind is not None and texts is not None:
        variable, type_ = replace(variable, numeric_date=True), kind
    if texts is not None:
        cells = [texts.get(cell) for cell in cells]
    elif there.size and bool(np.all((there == np.floor(there)) & (np.abs(there) <= EXACT_MAX))):
        type_ = "integer"
        cells = [None if math.isnan(cell) else int(cell) for cell in values.tolist()]
    elif missing.any():
        cells = [None if math.isnan(cell) else cell for cell in values.tolist()]
    return replace(variable, type=type_), cells


def _iso_texts(kind: DataType, values: NDArray[np.float64]) -> dict[Cell, Cell] | None:
    """Return each count with its ISO 8601 text; None if one of them is no date of this kind."""
    texts: dict[Cell, Cell] = {}
    for value in set(values.tolist()):
        try:
            texts[value] = _iso_text(kind, value)
        except (OverflowError, ValueError):
            return None
    return texts


def _iso_text(kind: DataType, value: float) -> str:
    if kind == "date":
        if not value.is_integer():
            raise ValueError(value)
        return (EPOCH + timedelta(days=value)).isoformat()
    if kind == "time" and not 0 <= value < 86_400:
        raise ValueError(value)
    moment = datetime.combine(EPOCH, time()) + timedelta(seconds=value)
    return moment.isoformat() if kind == "datetime" else moment.time().isoformat()
