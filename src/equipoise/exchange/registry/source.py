"""Reads the bytes of a record file within fixed limits and says plainly what is wrong with a file that is not
one.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from equipoise.exchange.unreadable import FileUnreadable

MAX_BYTES: Final = 20_000_000
MAX_TEXT_CHARACTERS: Final = 200_000
_BOMS_OF_OTHER_ENCODINGS: Final = (
    codecs.BOM_UTF32_LE,
    codecs.BOM_UTF32_BE,
    codecs.BOM_UTF16_LE,
    codecs.BOM_UTF16_BE,
)
_CONTROLS: Final = bytes(code for code in range(32) if code not in b"\t\n\r\x0b\x0c\x1b")
_SAMPLE_BYTES: Final = 65_536


class RecordUnreadable(FileUnreadable):
    """A file that cannot be read as a registry record."""


@dataclass(frozen=True)
class Source:
    """The decoded text of a file; `cut` says that it ends in the middle of a character."""

    text: str
    cut: bool = False


def read_source(path: Path) -> Source:
    """Return the text of the file.

    Raises RecordUnreadable with REC-MISSING, REC-EMPTY, REC-TOO-LARGE, REC-BINARY or REC-ENCODING.
    """
    if not path.is_file():
        raise RecordUnreadable(
            "REC-MISSING", f"There is no file {path.name} to read. Give the path of a saved record."
        )
    with path.open("rb") as handle:
        return decode(handle.read(MAX_BYTES + 1), path.name)


def decode(content: bytes, name: str) -> Source:
    """Decode UTF-8 strictly, but let a file that was cut within its last character pass, marked as cut."""
    if len(content) > MAX_BYTES:
        raise RecordUnreadable(
            "REC-TOO-LARGE",
            f"The file {name} is larger than {MAX_BYTES // 1_000_000} MB, which no registry record is. Save "
            f"one study's record alone.",
        )
    if not content.strip():
        raise RecordUnreadable("REC-EMPTY", f"The file {name} is empty. Copy or download the record again.")
    if content.startswith(_BOMS_OF_OTHER_ENCODINGS):
        raise RecordUnreadable(
            "REC-ENCODING", f"The file {name} is in UTF-16 or UTF-32. Save it again as UTF-8.", "line 1"
        )
    content = content.removeprefix(codecs.BOM_UTF8)
    zero = content.find(b"\0")
    sample = content[:_SAMPLE_BYTES]
    controls = len(sample) - len(sample.translate(None, _CONTROLS))
    if zero >= 0 or controls * 100 > len(sample) or sample.startswith(b"%PDF-"):
        line = content.count(b"\n", 0, max(zero, 0)) + 1
        raise RecordUnreadable(
            "REC-BINARY",
            f"The file {name} is binary. Give the text of the page or the API's JSON file.",
            f"line {line}",
        )
    try:
        return Source(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        if error.start >= len(content) - 3 and error.reason == "unexpected end of data":
            return Source(content[: error.start].decode("utf-8"), cut=True)
        line = content.count(b"\n", 0, error.start) + 1
        raise RecordUnreadable(
            "REC-ENCODING", f"The file {name} is not in UTF-8. Save it again as UTF-8.", f"line {line}"
        ) from error


def check_length(text: str, line: int) -> None:
    """Refuse a text that is far longer than any of a registry, whose fields end at 32,000 characters."""
    if len(text) > MAX_TEXT_CHARACTERS:
        raise RecordUnreadable(
            "REC-TOO-LARGE",
            f"The file has a text of more than {MAX_TEXT_CHARACTERS} characters, as no record has. "
            "Save one study's record alone.",
            f"line {line}",
        )


def split_lines(text: str) -> tuple[str, ...]:
    """Split at line feeds only, so that line numbers are those of every editor."""
    return tuple(line.removesuffix("\r") for line in text.split("\n"))
