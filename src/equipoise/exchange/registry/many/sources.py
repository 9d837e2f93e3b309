"""Where many records come from: files in folders, archives, and dumps with one record a line.

Everything is read piece by piece, except a list, which is held whole; nothing is unpacked onto the disk, and
of all but a list no more than one record is held.
"""

from __future__ import annotations

import gzip
import json
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import IO, Final

from equipoise.exchange.registry.source import MAX_BYTES, RecordUnreadable

_LINES: Final = frozenset({".jsonl", ".ndjson"})
_WHOLE: Final = frozenset({".json", ".txt"})
_PACKED: Final = ".gz"
_ARCHIVE: Final = ".zip"
_PIECE: Final = 1 << 20
_HEAD: Final = 4096
_LIST_BYTES_MAX: Final = 200_000_000
# A list of records, and what the API answers to a search.
_LIST: Final = re.compile(
    rb'\s*(?:\[|\{(?:\s*"(?:nextPageToken|totalCount)"\s*:\s*(?:"[^"]*"|\d+)\s*,)*\s*"studies"\s*:\s*\[)'
)
_BETWEEN: Final = re.compile(r"[\s,]*")
_DECODER: Final = json.JSONDecoder()
# What the libraries raise for an archive that is damaged, cut, encrypted, or packed in a way unknown to them.
_BROKEN: Final = (EOFError, OSError, RuntimeError, NotImplementedError, zipfile.BadZipFile, zlib.error)


@dataclass(frozen=True, slots=True)
class Raw:
    """A record as found: the file, its 1-based line there, its bytes; or why there are none, and `done`, how
    many bytes of the file were read so far.
    """

    file: str
    line: int
    content: bytes
    is_line: bool = False
    trouble: str = ""
    done: int = 0


def _kinds(name: str) -> tuple[str, bool]:
    """Return the suffix that says what a file holds, and whether it is packed."""
    path = PurePosixPath(name.lower())
    packed = path.suffix == _PACKED
    return (path.with_suffix("").suffix if packed else path.suffix), packed


def holds_many(path: Path) -> bool:
    """Say whether a path is for many records: a folder, an archive, a dump, a list, or anything packed."""
    suffix, packed = _kinds(path.name)
    if path.is_dir() or packed or suffix in _LINES | {_ARCHIVE}:
        return True
    if not path.is_file():
        return False
    with path.open("rb") as handle:
        return _LIST.match(handle.read(_HEAD)) is not None


def files_of(paths: Sequence[Path]) -> list[Path]:
    """Return the files of records among some files and below some folders, each folder's in order.

    Raises RecordUnreadable with REC-MISSING for a path that is not there, or when there is no such file.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = (
                each for each in path.rglob("*") if _kinds(each.name)[0] in _LINES | _WHOLE | {_ARCHIVE}
            )
            found += sorted(each for each in inside if each.is_file())
        elif path.is_file():
            found.append(path)
        else:
            raise RecordUnreadable("REC-MISSING", f"There is no {path} to read. Check the path.")
    if not found:
        raise RecordUnreadable(
            "REC-MISSING",
            "There is no file of records: .json, .jsonl, .ndjson or .txt, or these as .gz or .zip.",
        )
    return found


def records_in(path: Path, base: Path | None = None) -> Iterator[Raw]:
    """Yield the records of a file; one that breaks off yields what is before, and then what is wrong."""
    name = path.relative_to(base).as_posix() if base else path.name
    suffix, packed = _kinds(path.name)
    try:
        with path.open("rb") as handle:
            if suffix == _ARCHIVE:
                yield from _archived(handle, name)
            elif packed:
                with gzip.open(handle) as unpacked:
                    yield from _found(unpacked, name, suffix, handle)  # type: ignore[arg-type]  # GzipFile reads bytes
            else:
                yield from _found(handle, name, suffix, handle)
    except _BROKEN as error:
        yield Raw(
            name, 0, b"", trouble=f"The file {name} breaks off or is damaged ({error}). Download it again."
        )


def _found(handle: IO[bytes], name: str, suffix: str, counted: IO[bytes]) -> Iterator[Raw]:
    if suffix in _LINES:
        yield from _lines(handle, name, counted)
        return
    content = handle.read(MAX_BYTES + 1)
    if begin := _LIST.match(content[:_HEAD]):
        content += handle.read(_LIST_BYTES_MAX + 1 - len(content))
        yield from _listed(content, begin.end(), name, counted.tell())
    else:
        yield Raw(name, 1, content, done=counted.tell())


def _listed(content: bytes, begin: int, name: str, read: int) -> Iterator[Raw]:
    """Yield the records of a list, each as it is written there and with the line at which it begins.

    `read` is how many bytes of the file the whole list took.
    """
    text, line = content.decode("utf-8", "replace"), 1
    at, counted = len(content[:begin].decode("utf-8", "replace")), 0
    while (at := _BETWEEN.match(text, at).end()) < len(text) and text[at] != "]":  # type: ignore[union-attr]
        line += text.count("\n", counted, at)
        try:
            _, end = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            yield Raw(name, line, b"", trouble=_broken_off(name, len(content)), done=read)
            return
        yield Raw(name, line, text[at:end].encode(), done=read * at // len(text))
        counted, at = at, end


def _broken_off(name: str, size: int) -> str:
    if size > _LIST_BYTES_MAX:
        most = _LIST_BYTES_MAX // 1_000_000
        told = f"The list in {name} is read no further than {most} MB."
        return f"{told} Save it with one record a line, as .jsonl."
    return f"The list in {name} breaks off or is no JSON from here on. Download it again."


def _lines(handle: IO[bytes], name: str, counted: IO[bytes]) -> Iterator[Raw]:
    """Yield the lines that are not blank; one that is too long comes cut, and is refused by its length."""
    number = 0
    while line := handle.readline(MAX_BYTES + 2):
        number += 1
        piece = line
        while piece and not piece.endswith(b"\n"):
            piece = handle.readline(_PIECE)
        if line.strip():
            yield Raw(name, number, line.rstrip(b"\r\n"), is_line=True, done=counted.tell())


def _archived(handle: IO[bytes], name: str) -> Iterator[Raw]:
    with zipfile.ZipFile(handle) as archive:
        members = sorted(archive.infolist(), key=lambda member: member.filename)
        done = 0
        for member in members:
            inside, (suffix, packed) = f"{name}/{member.filename}", _kinds(member.filename)
            if not member.is_dir() and suffix in _LINES | _WHOLE:
                try:
                    with archive.open(member) as opened, gzip.GzipFile(fileobj=opened) as unpacked:
                        # gzip.GzipFile reads as a binary file does, but is not typed as one.
                        source: IO[bytes] = unpacked if packed else opened  # type: ignore[assignment]
                        for raw in _found(source, inside, suffix, opened):
                            share = raw.done / max(member.file_size, 1)
                            yield replace(raw, done=done + int(share * member.compress_size))
                except _BROKEN as error:
                    told = f"The file {inside} cannot be unpacked ({error}). Download the archive again."
                    yield Raw(inside, 0, b"", trouble=told, done=done)
            done += member.compress_size
