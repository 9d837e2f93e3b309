"""Tiny scans: DICOM, ZIP and NIfTI files as bytes."""

import gzip
import io
import struct
from zipfile import ZIP_DEFLATED, ZipFile

EXPLICIT, IMPLICIT = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"
DEFLATED, BIG_ENDIAN, JPEG = "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.4.70"
_LONG = ("OB", "OW", "SQ", "UN", "UT")
UNDEFINED = 0xFFFFFFFF


def element(tag: int, vr: str, value: bytes, *, explicit: bool = True, length: int | None = None) -> bytes:
    """An element of a data set; its length may be a lie."""
    padded = value + b" " * (len(value) % 2 if vr not in ("OB", "OW", "UI") else 0)
    size = len(padded) if length is None else length
    start = struct.pack("<HH", tag >> 16, tag & 0xFFFF)
    if not explicit:
        return start + struct.pack("<I", size) + padded
    if vr in _LONG:
        return start + vr.encode() + b"\0\0" + struct.pack("<I", size) + padded
    return start + vr.encode() + struct.pack("<H", size) + padded


def item(content: bytes, *, closed: bool = False) -> bytes:
    """An item of a sequence, with its length or closed by a delimiter."""
    if closed:
        return b"\xfe\xff\x00\xe0\xff\xff\xff\xff" + content + b"\xfe\xff\x0d\xe0\0\0\0\0"
    return b"\xfe\xff\x00\xe0" + struct.pack("<I", len(content)) + content


SEQUENCE_END = b"\xfe\xff\xdd\xe0\0\0\0\0"


def pixels(*, explicit: bool = True) -> bytes:
    """Four pixels."""
    return element(0x7FE00010, "OW", b"\1\0\2\0\3\0\4\0", explicit=explicit)


def dicom(
    content: bytes = b"", *, syntax: str = EXPLICIT, preamble: bytes = b"", image: bool = True
) -> bytes:
    """A file with some elements before its pixels."""
    meta = element(0x00020010, "UI", syntax.encode() + b"\0" * (len(syntax) % 2))
    explicit = syntax != IMPLICIT
    series = element(0x0008103E, "LO", b"t1 after contrast", explicit=explicit)
    ending = pixels(explicit=explicit) if image else b""
    return preamble.ljust(128, b"\0") + b"DICM" + meta + series + content + ending


def zipped(files: dict[str, bytes]) -> bytes:
    """A ZIP with these files, at the time of its making as tools leave it."""
    packed = io.BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def nifti(
    version: int = 1, *, order: str = "<", text: bytes = b"", at: int | None = None, extension: bytes = b""
) -> bytes:
    """An image of 2 x 3 x 2 voxels of 16 bits; `text` is put into `descrip`, or elsewhere."""
    size, magic, where = (348, b"n+1\0", 344) if version == 1 else (540, b"n+2\0\r\n\x1a\n", 4)
    header = bytearray(size)
    start = size + 4 + len(extension)
    struct.pack_into(f"{order}i", header, 0, size)
    header[where : where + len(magic)] = magic
    dim = (3, 2, 3, 2, 1, 1, 1, 1)
    if version == 1:
        struct.pack_into(f"{order}8h", header, 40, *dim)
        struct.pack_into(f"{order}hh", header, 70, 4, 16)
        struct.pack_into(f"{order}f", header, 108, float(start))
    else:
        struct.pack_into(f"{order}hh", header, 12, 4, 16)
        struct.pack_into(f"{order}8q", header, 16, *dim)
        struct.pack_into(f"{order}q", header, 168, start)
    place = at if at is not None else (148 if version == 1 else 240)
    header[place : place + len(text)] = text
    flag = b"\1\0\0\0" if extension else b"\0\0\0\0"
    return bytes(header) + flag + extension + bytes(range(24))


def compressed(content: bytes, name: str = "SE01-001_week_4.nii", time: int = 1_700_000_000) -> bytes:
    """A gzip file with a name and a time in its header, as tools write them."""
    packed = io.BytesIO()
    with gzip.GzipFile(name, "wb", fileobj=packed, mtime=time) as file:
        file.write(content)
    return packed.getvalue()
