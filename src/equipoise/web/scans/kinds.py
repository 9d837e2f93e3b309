"""The kinds of files that are taken, told by what is in them and never by their names.

What is kept is not always what was sent: a ZIP is packed anew, a gzip header is written anew, and the
participant's code is blanked in DICOM, so that a reader finds no name, no date and no code around the image.
The images themselves stay as they are, byte for byte.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from errno import EINVAL
from typing import IO, Literal
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from django.utils.translation import gettext as _

from equipoise.access.refusal import Refused
from equipoise.web.scans import refusals
from equipoise.web.scans.dicom import Budget, Findings, Span, read_dicom
from equipoise.web.scans.nifti import HEAD_BYTES_MAX, check_nifti, is_nifti
from equipoise.web.scans.refusals import Unreadable

Kind = Literal["dcm", "zip", "nii", "nii.gz"]
"""A kind of file, by the end that its name has."""

UNPACKED_BYTES_MAX = 2_000_000_000
MEMBERS_MAX = 20_000
_DIRECTORY_BYTES_MAX = 8_000_000
_CHUNK = 1 << 18
_LEVEL = 1
_END_RECORD = 22
_COMMENT_MAX = 0xFFFF
_ENCRYPTED = 1
HEAD_BYTES = 544
"""So much of a file tells its kind."""

_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_CHECKED, _EXTRA, _NAMED, _COMMENTED, _RESERVED = 2, 4, 8, 16, 0xE0
_BROKEN_ZIP = (BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError)


def kind_of(head: bytes) -> Kind | None:
    """Return the kind of a file by its first HEAD_BYTES, None for one that is not taken."""
    if head[128:132] == b"DICM":
        return "dcm"
    if head.startswith(b"PK\x03\x04"):
        return "zip"
    if head.startswith(b"\x1f\x8b\x08"):
        return "nii.gz"
    return "nii" if is_nifti(head) else None


def take_in(source: IO[bytes], size: int, target: IO[bytes]) -> frozenset[str]:
    """Check a file and write what is to be kept of it; return the codes that it had for its patient.

    Raises Refused for what cannot be taken, wherever it is found: the target is then to be thrown away.
    """
    source.seek(0)
    head = source.read(HEAD_BYTES_MAX)
    source.seek(0)
    findings = Findings()
    try:
        match kind_of(head):
            case "dcm":
                read_dicom(source, size, findings, Budget())
                source.seek(0)
                _copy(source, size, target, findings.spans)
            case "zip":
                _repack(source, size, target, findings)
            case "nii":
                check_nifti(head, size)
                _copy(source, size, target, ())
            case "nii.gz":
                _take_compressed(source, target)
            case None:
                raise Unreadable(_("it is neither DICOM nor NIfTI"))
    except Unreadable as trouble:
        raise Refused(refusals.not_a_scan(str(trouble))) from None
    if findings.identities:
        raise Refused(refusals.identifies([*findings.identities, *findings.dates]))
    if findings.dates:
        raise Refused(refusals.dates(list(findings.dates)))
    return frozenset(findings.codes)


def _copy(source: IO[bytes], size: int, target: IO[bytes], blanks: Sequence[Span]) -> None:
    """Copy so many bytes, with spaces in place of some."""
    position = 0
    for blank in blanks:
        _copy_plain(source, blank.start - position, target)
        _copy_plain(source, blank.length, None)
        target.write(b" " * blank.length)
        position = blank.start + blank.length
    _copy_plain(source, size - position, target)


def _copy_plain(source: IO[bytes], count: int, target: IO[bytes] | None) -> None:
    while count > 0:
        chunk = source.read(min(count, _CHUNK))
        if not chunk:
            raise Unreadable(_("it ends too early"))
        count -= len(chunk)
        if target is not None:
            target.write(chunk)


# -- ZIP


def _repack(source: IO[bytes], size: int, target: IO[bytes], findings: Findings) -> None:
    """Pack the images of a ZIP anew, in their order, under numbers and without times."""
    _check_directory(source, size)
    budget = Budget()
    try:
        with ZipFile(source) as archive, ZipFile(target, "w", ZIP_DEFLATED, compresslevel=_LEVEL) as packed:
            members = archive.infolist()
            _check_members(members)
            for number, member in enumerate(members, start=1):
                own = Findings(findings.codes, [], findings.identities, findings.dates)
                with archive.open(member) as image:
                    read_dicom(image, member.file_size, own, budget)
                # Without more than a name, a member bears no time.
                with archive.open(member) as image, packed.open(f"IM{number:05d}.dcm", "w") as kept:
                    _copy(image, member.file_size, kept, own.spans)
                    if image.read(1):
                        raise Unreadable(_("a file in the ZIP is longer than it says"))
    except _BROKEN_ZIP as failure:
        # Of all errors of the disk, a ZIP is to blame for a position before its start alone.
        if isinstance(failure, OSError) and failure.errno != EINVAL:
            raise
        raise Unreadable(_("the ZIP is damaged")) from None


def _check_directory(source: IO[bytes], size: int) -> None:
    """Check what the end of a ZIP says of its directory before the whole of it is read into memory."""
    start = max(0, size - _END_RECORD - _COMMENT_MAX - 20)
    source.seek(start)
    tail = source.read()
    source.seek(0)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < _END_RECORD:
        raise Unreadable(_("the ZIP is damaged"))
    members = int.from_bytes(tail[at + 10 : at + 12], "little")
    length = int.from_bytes(tail[at + 12 : at + 16], "little")
    larger = b"PK\x06\x07" in tail[max(0, at - 20) : at]
    if larger or members > MEMBERS_MAX or length > _DIRECTORY_BYTES_MAX:
        raise Refused(refusals.too_much())


def _check_members(members: Sequence[ZipInfo]) -> None:
    if not members:
        raise Unreadable(_("the ZIP is empty"))
    if len(members) > MEMBERS_MAX or sum(member.file_size for member in members) > UNPACKED_BYTES_MAX:
        raise Refused(refusals.too_much())
    for member in members:
        if "/" in member.filename or "\\" in member.filename:
            raise Unreadable(_("the ZIP has folders in it"))
        if member.flag_bits & _ENCRYPTED:
            raise Unreadable(_("the ZIP is encrypted"))
        if member.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
            raise Unreadable(_("the ZIP is compressed in a way that is not read here"))


# -- gzip


def _take_compressed(source: IO[bytes], target: IO[bytes]) -> None:
    """Check a compressed NIfTI file, and keep it under a header that has neither a name nor a time."""
    _skip_gzip_header(source)
    start = source.tell()
    unpacked = zlib.decompressobj(-zlib.MAX_WBITS)
    head, size, packed, check = b"", 0, b"", 0
    try:
        while not unpacked.eof:
            packed = packed or source.read(_CHUNK)
            if not packed:
                raise Unreadable(_("it ends too early"))
            chunk = unpacked.decompress(packed, _CHUNK)
            packed = unpacked.unconsumed_tail
            size += len(chunk)
            check = zlib.crc32(chunk, check)
            head += chunk[: HEAD_BYTES_MAX - len(head)]
            if size > UNPACKED_BYTES_MAX:
                raise Refused(refusals.too_much())
            if not is_nifti(head) and len(head) >= HEAD_BYTES:
                raise Unreadable(_("what is compressed in it is not NIfTI"))
    except zlib.error:
        raise Unreadable(_("it is damaged")) from None
    trailing = unpacked.unused_data + source.read(9)
    if trailing != struct.pack("<II", check, size % (1 << 32)):
        raise Unreadable(_("it is damaged, or something follows the image"))
    check_nifti(head, size)
    target.write(_GZIP_HEADER)
    end = source.seek(0, 2)
    source.seek(start)
    _copy_plain(source, end - start, target)


def _skip_gzip_header(source: IO[bytes]) -> None:
    """Go to where the compressed bytes begin (RFC 1952)."""
    header = source.read(len(_GZIP_HEADER))
    flags = header[3] if len(header) == len(_GZIP_HEADER) else _RESERVED
    if flags & _RESERVED:
        raise Unreadable(_("it is damaged"))
    if flags & _EXTRA:
        source.read(int.from_bytes(source.read(2), "little"))
    for _text in range(bool(flags & _NAMED) + bool(flags & _COMMENTED)):
        _skip_text(source)
    if flags & _CHECKED:
        source.read(2)


def _skip_text(source: IO[bytes]) -> None:
    start = source.tell()
    text = source.read(_CHUNK)
    length = text.find(b"\0")
    if length < 0:
        raise Unreadable(_("it is damaged"))
    source.seek(start + length + 1)
