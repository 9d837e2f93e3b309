"""Reads a JSON document value by value from a file, so that memory holds what was read and one window.

A row of a dataset can be refused as soon as it stands in the file, whatever comes after it. Source: RFC 8259.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO, Final

from equipoise.exchange.datasets.found import ROW_BYTES_MAX
from equipoise.exchange.unreadable import FileUnreadable

_PIECE_BYTES: Final = 1 << 18
_SPACE: Final = " \t\r\n"


class JsonStream:
    """The values of a JSON document, one after another.

    Raises FileUnreadable: DATA-ENCODING (no UTF-8), DATA-INVALID (no JSON, or cut off), DATA-TOO-DEEP,
    DATA-TOO-LARGE (a single value larger than any row).
    """

    def __init__(self, handle: BinaryIO, file: str) -> None:
        self._handle = handle
        self._file = file
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._text = ""
        self._at = 0
        self._before = 0
        self._ended = False

    @property
    def place(self) -> str:
        """Where the next value begins."""
        return f"character {self._before + self._at + 1}"

    def peek(self) -> str:
        """Return the next character that is not white space, without going past it; "" at the end."""
        while True:
            while self._at < len(self._text):
                if self._text[self._at] not in _SPACE:
                    return self._text[self._at]
                self._at += 1
            if not self._more():
                return ""

    def take(self, wanted: str) -> str:
        """Go past the next character, which must be one of those wanted, and return it."""
        found = self._text[self._at : self._at + 1]
        if not found or found in _SPACE:
            found = self.peek()
        if not found or found not in wanted:
            raise self._invalid("is cut off" if not found else f"has {found!r} where {wanted!r} was expected")
        self._at += 1
        return found

    def value(self) -> Any:
        """Read the next value whole."""
        if self._text[self._at : self._at + 1] in _SPACE:
            self.peek()
        while True:
            try:
                value, end = _decode(self._text, self._at)
            except RecursionError as error:
                raise FileUnreadable(
                    "DATA-TOO-DEEP",
                    f"The file {self._file} nests deeper than any dataset does. Export it again.",
                    self.place,
                ) from error
            except ValueError as error:
                if self._more():
                    continue
                raise self._invalid("is cut off or is no JSON") from error
            # A number may go on after the window, which then ends with a part of it: "0", "0." or "1e".
            if not _of_number(self._text, end) or not self._more():
                self._at = end
                return value

    def items(self) -> Iterator[Any]:
        """Read the next value, which is a list, item by item."""
        self.take("[")
        if self.peek() == "]":
            self.take("]")
            return
        yield self.value()
        while self.take(",]") == ",":
            yield self.value()

    def _more(self) -> bool:
        """Read on; what was used before is let go. The window grows with a value that does not fit."""
        if self._ended:
            return False
        self._before += self._at
        self._text = self._text[self._at :]
        self._at = 0
        if len(self._text) > ROW_BYTES_MAX:
            raise FileUnreadable(
                "DATA-TOO-LARGE",
                f"The file {self._file} has a single value of more than {ROW_BYTES_MAX // 1_000_000} MB, as "
                "no row of a dataset is.",
                self.place,
            )
        piece = self._handle.read(max(_PIECE_BYTES, len(self._text)))
        self._ended = not piece
        try:
            self._text += self._decoder.decode(piece, final=self._ended)
        except UnicodeDecodeError as error:
            raise FileUnreadable(
                "DATA-ENCODING",
                f"The file {self._file} is not in UTF-8. Save it again as UTF-8.",
                f"after character {self._before + len(self._text)}",
            ) from error
        return not self._ended

    def _invalid(self, what: str) -> FileUnreadable:
        return FileUnreadable("DATA-INVALID", f"The file {self._file} {what}. Export it again.", self.place)


def _refuse(constant: str) -> None:
    raise ValueError(constant)


_decode: Final = json.JSONDecoder(parse_constant=_refuse).raw_decode
_of_number: Final = re.compile(r"[-+.eE0-9]*\Z").match


def decode_line(line: str) -> Any:
    """Return the one value that a line without blanks around it is. Raises ValueError and RecursionError."""
    value, end = _decode(line)
    if end < len(line):
        raise ValueError(line[end : end + 20])
    return value
