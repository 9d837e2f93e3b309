"""Checks a results package against its manifest, file by file, and trusts nothing in the zip.

Memory stays bounded whatever the file claims: the list of files is limited before it is read, contents are
read in blocks, and never written anywhere.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Final, Literal

from equipoise.exchange.archives import ArchiveKind, opened_archive
from equipoise.exchange.documents.package import FORMAT, LOCK, MANIFEST
from equipoise.exchange.unreadable import FileUnreadable

FILES_MAX: Final = 10_000
BYTES_MAX: Final = 4_000_000_000
MANIFEST_BYTES_MAX: Final = 10_000_000
LIST_BYTES_MAX: Final = 10_000_000
_BLOCK: Final = 1 << 20
_PACKAGE: Final = ArchiveKind(
    code="PACKAGE",
    called="results package",
    short="package",
    files_max=FILES_MAX,
    bytes_max=BYTES_MAX,
    list_bytes_max=LIST_BYTES_MAX,
    again="Fetch it again from where it was made.",
    otherwise="Do not unpack it; ask for it again.",
    less="Ask for one with less in it.",
)


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
    kind = replace(_PACKAGE, bytes_max=bytes_max)
    with path.open("rb") as handle, opened_archive(handle, path.name, kind) as (archive, entries):
        return tuple(_compare(archive, entries))


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
