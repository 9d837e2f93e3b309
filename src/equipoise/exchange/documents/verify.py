"""Checks a results package against its manifest, file by file, and trusts nothing in the zip.

Memory stays bounded whatever the file claims: the list of files is limited before it is read, contents are
read in blocks, and never written anywhere.
"""

from __future__ import annotations

import json
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO, Final, Literal

from equipoise.exchange.documents.package import FORMAT, LOCK, MANIFEST
from equipoise.exchange.unreadable import FileUnreadable

FILES_MAX: Final = 10_000
BYTES_MAX: Final = 4_000_000_000
MANIFEST_BYTES_MAX: Final = 10_000_000
LIST_BYTES_MAX: Final = 10_000_000
RATIO_MAX: Final = 200
"""How many bytes a file may have for each that it takes in the zip."""

_BLOCK: Final = 1 << 20
_END: Final = 22
_END_MARK, _LARGE_MARK = b"PK\x05\x06", b"PK\x06\x07"
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED: Final = 0x1
_DAMAGED: Final = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError)
_DAMAGED_SENTENCE: Final = "The package is damaged: {what}. Fetch it again from where it was made."


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageFinding:
    """What is wrong with a package: the `path` of a file within it, and a sentence.

    Codes: PACKAGE-CHANGED, PACKAGE-MISSING, PACKAGE-EXTRA, PACKAGE-DEFINITION.
    """

    code: Literal["PACKAGE-CHANGED", "PACKAGE-MISSING", "PACKAGE-EXTRA", "PACKAGE-DEFINITION"]
    path: str
    sentence: str


def verify_package(path: Path, bytes_max: int = BYTES_MAX) -> tuple[PackageFinding, ...]:
    """Return what in a package is not as its manifest says: nothing, where it is whole.

    Raises FileUnreadable: FILE-MISSING; PACKAGE-NO-ZIP for what is no zip, or has something behind its end;
    PACKAGE-DAMAGED; PACKAGE-TOO-LARGE for too many files, too many bytes, or a file that is blown up;
    PACKAGE-PATH, PACKAGE-TWICE, PACKAGE-LINK, PACKAGE-ENCRYPTED and PACKAGE-METHOD for entries that no
    package has; PACKAGE-MANIFEST for a manifest that is missing or none.
    """
    if not path.is_file():
        raise FileUnreadable("FILE-MISSING", f"There is no file {path.name} to read. Check the path.")
    with path.open("rb") as handle:
        _check_end(handle, path.name)
        try:
            with zipfile.ZipFile(handle) as archive:
                entries = _entries(archive, bytes_max)
                return tuple(_compare(archive, entries))
        except _DAMAGED as error:
            # What the library says may quote the file; only its kind is told.
            sentence = _DAMAGED_SENTENCE.format(what=_WORDS.get(type(error), "it cannot be read to its end"))
            raise FileUnreadable("PACKAGE-DAMAGED", sentence, path.name) from error


_WORDS: Final[Mapping[type[BaseException], str]] = {
    zipfile.BadZipFile: "what it holds is not what its own list of files says",
    zlib.error: "a compressed file in it cannot be read",
}


def _check_end(handle: IO[bytes], name: str) -> None:
    """Look at the end of the zip, which says how long the list of files is, before the list is read."""
    size = handle.seek(0, 2)
    handle.seek(max(0, size - _END - 20))
    tail = handle.read()
    end = tail[-_END:]
    if len(end) < _END or end[:4] != _END_MARK or end[20:] != b"\0\0":
        raise FileUnreadable(
            "PACKAGE-NO-ZIP",
            "The file does not end as a results package does: it is cut short, has something behind its end, "
            "or is no zip. Fetch it again from where it was made.",
            name,
        )
    many, listed = int.from_bytes(end[10:12], "little"), int.from_bytes(end[12:16], "little")
    if tail[-_END - 20 :][:4] == _LARGE_MARK or many > FILES_MAX or listed > LIST_BYTES_MAX:
        raise _too_large(f"it names more than {FILES_MAX} files, or its list of files is too long", name)
    handle.seek(0)


def _too_large(what: str, place: str) -> FileUnreadable:
    sentence = f"The package is larger than any that is read: {what}. Ask for one with less in it."
    return FileUnreadable("PACKAGE-TOO-LARGE", sentence, place)


def _entries(archive: zipfile.ZipFile, bytes_max: int) -> dict[str, zipfile.ZipInfo]:
    """The files by their path below the package's own folder, each checked before any is read."""
    infos = archive.infolist()
    if len(infos) > FILES_MAX:
        raise _too_large(f"it holds more than {FILES_MAX} files", "")
    if sum(info.file_size for info in infos) > bytes_max:
        raise _too_large(f"its files have more than {bytes_max} bytes", "")
    found: dict[str, zipfile.ZipInfo] = {}
    seen: set[str] = set()
    for info in infos:
        _check_entry(info)
        # Names that a disk takes for the same are the same here.
        name = unicodedata.normalize("NFC", info.filename).casefold()
        if name in seen:
            raise _refused("PACKAGE-TWICE", "names one file twice", info)
        seen.add(name)
        if not info.is_dir():
            found[info.filename] = info
    tops = {name.split("/", 1)[0] for name in found}
    top = f"{next(iter(tops))}/" if len(tops) == 1 else ""
    return {name.removeprefix(top): info for name, info in found.items()}


def _check_entry(info: zipfile.ZipInfo) -> None:
    name = info.orig_filename
    parts = name.removesuffix("/").split("/")
    if not name.isprintable() or "\\" in name or ":" in name or {"", ".", ".."} & set(parts):
        raise _refused("PACKAGE-PATH", "has a path that leads out of it, or that no package has", info)
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise _refused("PACKAGE-LINK", "holds a link, or something else that is no file", info)
    if info.flag_bits & _ENCRYPTED:
        raise _refused("PACKAGE-ENCRYPTED", "holds an encrypted file", info)
    if info.compress_type not in _METHODS:
        raise _refused("PACKAGE-METHOD", "holds a file compressed in a way that no package is", info)
    if info.file_size > _BLOCK and info.file_size > RATIO_MAX * max(info.compress_size, 1):
        raise _too_large("a file in it has far more bytes than it takes in the zip", _shown(info))


def _refused(code: str, what: str, info: zipfile.ZipInfo) -> FileUnreadable:
    sentence = f"The zip {what}, so it is no results package. Do not unpack it; ask for it again."
    return FileUnreadable(code, sentence, _shown(info))


def _shown(info: zipfile.ZipInfo) -> str:
    return ascii(info.orig_filename[:100])


def _compare(archive: zipfile.ZipFile, entries: Mapping[str, zipfile.ZipInfo]) -> Iterator[PackageFinding]:
    listed, definition = _manifest(archive, entries)
    for path, (size, digest) in listed.items():
        if path not in entries:
            sentence = f"{path} is named in the manifest and not in the package. Ask for the whole package."
            yield PackageFinding(code="PACKAGE-MISSING", path=path, sentence=sentence)
            continue
        found = _digest(archive, entries[path])
        if found != (size, digest):
            sentence = f"{path} is not the file that the manifest names. Do not use it; ask for it again."
            yield PackageFinding(code="PACKAGE-CHANGED", path=path, sentence=sentence)
    for path in sorted(entries.keys() - listed.keys() - {MANIFEST}):
        sentence = f"{path} is in the package and not in the manifest. It was added later; do not rely on it."
        yield PackageFinding(code="PACKAGE-EXTRA", path=path, sentence=sentence)
    if LOCK in entries and _digest(archive, entries[LOCK], trailing=True)[1] != definition:
        sentence = "The study definition is not the one whose hash the manifest names. Ask for it again."
        yield PackageFinding(code="PACKAGE-DEFINITION", path=LOCK, sentence=sentence)


def _digest(archive: zipfile.ZipFile, info: zipfile.ZipInfo, trailing: bool = False) -> tuple[int, str]:
    """Bytes and hash of a file; `trailing` leaves out a line feed at its end, as the hash of a lock does."""
    digest, size, held = sha256(), 0, b""
    with archive.open(info) as entry:
        while block := entry.read(_BLOCK):
            size += len(block)
            digest.update(held)
            held = block
    digest.update(held.removesuffix(b"\n") if trailing else held)
    return size, digest.hexdigest()


def _manifest(
    archive: zipfile.ZipFile, entries: Mapping[str, zipfile.ZipInfo]
) -> tuple[dict[str, tuple[int, str]], str]:
    """The files that the manifest names, with bytes and hash, and the hash of the definition."""
    info = entries.get(MANIFEST)
    if info is None or info.file_size > MANIFEST_BYTES_MAX:
        raise _no_manifest("There is none, or none of a size that is read")
    with archive.open(info) as entry:
        content = entry.read(MANIFEST_BYTES_MAX)
    try:
        tree = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise _no_manifest("It is no JSON") from error
    if not isinstance(tree, dict) or tree.get("format") != FORMAT:
        raise _no_manifest(f"It does not name the format {FORMAT}")
    files, definition = tree.get("files"), tree.get("definition")
    if not isinstance(files, list) or len(files) > FILES_MAX or not isinstance(definition, dict):
        raise _no_manifest("It does not list files and definition")
    listed: dict[str, tuple[int, str]] = {}
    for each in files:
        match each:
            case {"path": str(path), "bytes": int(size), "sha256": str(digest)} if path not in listed:
                listed[path] = (size, digest)
            case _:
                raise _no_manifest("It lists a file without path, bytes and SHA-256, or one file twice")
    return listed, str(definition.get("sha256"))


def _no_manifest(what: str) -> FileUnreadable:
    sentence = f"The package has no manifest that can be read. {what}. Fetch it again from where it was made."
    return FileUnreadable("PACKAGE-MANIFEST", sentence, MANIFEST)
