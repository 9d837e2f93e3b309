"""Zip files that come from somewhere else: what they say of themselves is checked before any of it is read.

Memory stays bounded whatever the file claims: the list of files is limited before it is read, and every entry
is looked at before the first is unpacked.
"""

from __future__ import annotations

import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Final

from equipoise.exchange.unreadable import FileUnreadable

RATIO_MAX: Final = 200
"""How many bytes a file may have for each that it takes in the zip."""

REFUSALS: Final = ("DAMAGED", "ENCRYPTED", "LINK", "METHOD", "NO-ZIP", "PATH", "TOO-LARGE", "TWICE")
"""The codes of what is refused, each after that of the kind of zip."""

_BLOCK: Final = 1 << 20
_END: Final = 22
_END_MARK, _LARGE_MARK = b"PK\x05\x06", b"PK\x06\x07"
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED: Final = 0x1
_DAMAGED: Final = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError)
_WORDS: Final[Mapping[type[BaseException], str]] = {
    zipfile.BadZipFile: "what it holds is not what its own list of files says",
    zlib.error: "a compressed file in it cannot be read",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveKind:
    """What a zip is to be: what it is `called`, whole and in short, and how much of it is read, in bytes.

    `code` is what the codes of its refusals begin with; `again` says what to do about one that is damaged,
    `otherwise` about one that no such zip is, `less` about one that is too large.
    """

    code: str
    called: str
    short: str
    files_max: int
    bytes_max: int
    list_bytes_max: int
    again: str
    otherwise: str
    less: str


@contextmanager
def opened_archive(
    handle: IO[bytes], name: str, kind: ArchiveKind
) -> Iterator[tuple[zipfile.ZipFile, dict[str, zipfile.ZipInfo]]]:
    """Open a zip, and give it with its files by their path, below the one folder that all may be in.

    Raises FileUnreadable, in the block too, with the kind's code before: NO-ZIP for what is no zip, or has
    something behind its end; DAMAGED; TOO-LARGE for too many files, too many bytes, or a file that is blown
    up; PATH, TWICE, LINK, ENCRYPTED and METHOD for entries that no zip of its kind has.
    """
    _check_end(handle, name, kind)
    try:
        with zipfile.ZipFile(handle) as archive:
            yield archive, _entries(archive, kind)
    except _DAMAGED as error:
        # What the library says may quote the file; only its kind is told.
        what = _WORDS.get(type(error), "it cannot be read to its end")
        sentence = f"The {kind.short} is damaged: {what}. {kind.again}"
        raise FileUnreadable(f"{kind.code}-DAMAGED", sentence, name) from error


def _check_end(handle: IO[bytes], name: str, kind: ArchiveKind) -> None:
    """Look at the end of the zip, which says how long the list of files is, before the list is read."""
    size = handle.seek(0, 2)
    handle.seek(max(0, size - _END - 20))
    tail = handle.read()
    end = tail[-_END:]
    if len(end) < _END or end[:4] != _END_MARK or end[20:] != b"\0\0":
        raise FileUnreadable(
            f"{kind.code}-NO-ZIP",
            f"The file does not end as a {kind.called} does: it is cut short, has something behind its end, "
            f"or is no zip. {kind.again}",
            name,
        )
    many, listed = int.from_bytes(end[10:12], "little"), int.from_bytes(end[12:16], "little")
    if tail[-_END - 20 :][:4] == _LARGE_MARK or many > kind.files_max or listed > kind.list_bytes_max:
        raise _too_large(
            kind, f"it names more than {kind.files_max} files, or its list of files is too long", name
        )
    handle.seek(0)


def _entries(archive: zipfile.ZipFile, kind: ArchiveKind) -> dict[str, zipfile.ZipInfo]:
    """The files by their path below the archive's own folder, each checked before any is read."""
    infos = archive.infolist()
    if len(infos) > kind.files_max:
        raise _too_large(kind, f"it holds more than {kind.files_max} files", "")
    if sum(info.file_size for info in infos) > kind.bytes_max:
        raise _too_large(kind, f"its files have more than {kind.bytes_max} bytes", "")
    found: dict[str, zipfile.ZipInfo] = {}
    seen: set[str] = set()
    for info in infos:
        _check_entry(kind, info)
        # Names that a disk takes for the same are the same here.
        name = unicodedata.normalize("NFC", info.filename).casefold()
        if name in seen:
            raise refuse_entry(kind, "TWICE", "names one file twice", info)
        seen.add(name)
        if not info.is_dir():
            found[info.filename] = info
    tops = {name.split("/", 1)[0] for name in found}
    top = f"{next(iter(tops))}/" if len(tops) == 1 else ""
    return {name.removeprefix(top): info for name, info in found.items()}


def _check_entry(kind: ArchiveKind, info: zipfile.ZipInfo) -> None:
    name = info.orig_filename
    parts = name.removesuffix("/").split("/")
    if not name.isprintable() or "\\" in name or ":" in name or {"", ".", ".."} & set(parts):
        what = f"has a path that leads out of it, or that no {kind.short} has"
        raise refuse_entry(kind, "PATH", what, info)
    made_of = stat.S_IFMT(info.external_attr >> 16)
    if made_of not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise refuse_entry(kind, "LINK", "holds a link, or something else that is no file", info)
    if info.flag_bits & _ENCRYPTED:
        raise refuse_entry(kind, "ENCRYPTED", "holds an encrypted file", info)
    if info.compress_type not in _METHODS:
        raise refuse_entry(kind, "METHOD", f"holds a file compressed in a way that no {kind.short} is", info)
    if info.file_size > _BLOCK and info.file_size > RATIO_MAX * max(info.compress_size, 1):
        raise _too_large(kind, "a file in it has far more bytes than it takes in the zip", _shown(info))


def refuse_entry(kind: ArchiveKind, code: str, what: str, info: zipfile.ZipInfo) -> FileUnreadable:
    """Return the error for an entry that no zip of a kind has; the kind's own is put before `code`."""
    sentence = f"The zip {what}, so it is no {kind.called}. {kind.otherwise}"
    return FileUnreadable(f"{kind.code}-{code}", sentence, _shown(info))


def _too_large(kind: ArchiveKind, what: str, place: str) -> FileUnreadable:
    sentence = f"The {kind.short} is larger than any that is read: {what}. {kind.less}"
    return FileUnreadable(f"{kind.code}-TOO-LARGE", sentence, place)


def _shown(info: zipfile.ZipInfo) -> str:
    return ascii(info.orig_filename[:100])
