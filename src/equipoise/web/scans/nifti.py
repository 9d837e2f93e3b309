"""NIfTI in one file: whether a header is one, fits its size, and holds no text.

NIfTI-1.1 (nifti1.h) and NIfTI-2 (nifti2.h), in either order of bytes. Free text is refused whatever it says:
converters write times, file names and names of patients into it.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass

from django.utils.translation import gettext as _

from equipoise.access.refusal import Refused
from equipoise.web.scans import refusals
from equipoise.web.scans.refusals import Unreadable

HEAD_BYTES_MAX = 65536
"""So much of the start of a file is looked at; the voxels must begin within it."""

_BLANK = b"\0 "
_DIMENSIONS_MAX = 7


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where a version of the header has what: its size, where and what the magic is, and the rest."""

    size: int
    magic: tuple[int, bytes]
    dim: tuple[int, str]
    bitpix: int
    offset: tuple[int, str]
    texts: tuple[tuple[str, int, int], ...]


_LAYOUTS = (
    _Layout(
        size=348,
        magic=(344, b"n+1\0"),
        dim=(40, "8h"),
        bitpix=72,
        offset=(108, "f"),
        texts=(
            ("data_type", 4, 10),
            ("db_name", 14, 18),
            ("descrip", 148, 80),
            ("aux_file", 228, 24),
            ("intent_name", 328, 16),
        ),
    ),
    _Layout(
        size=540,
        magic=(4, b"n+2\0\r\n\x1a\n"),
        dim=(16, "8q"),
        bitpix=14,
        offset=(168, "q"),
        texts=(
            ("descrip", 240, 80),
            ("aux_file", 320, 24),
            ("intent_name", 508, 16),
            ("unused_str", 525, 15),
        ),
    ),
)


def is_nifti(head: bytes) -> bool:
    """Tell whether a file that begins so is NIfTI in one file."""
    return _find(head) is not None


def check_nifti(head: bytes, size: int) -> None:
    """Check a file by its start, of HEAD_BYTES_MAX or all, and its size; raises Unreadable and Refused."""
    found = _find(head)
    if found is None or len(head) < found[0].size + 4:
        raise Unreadable(_("it has no NIfTI header"))
    layout, order = found
    start = _first_voxel(layout, order, head)
    if start + _voxel_bytes(layout, order, head) != size:
        raise Unreadable(_("its size is not what its NIfTI header says"))
    written = [name for name, at, length in layout.texts if head[at : at + length].strip(_BLANK)]
    if head[layout.size : start].strip(b"\0"):
        written.append(_("extensions"))
    if written:
        raise Refused(refusals.texts(written))


def _find(head: bytes) -> tuple[_Layout, str] | None:
    for layout in _LAYOUTS:
        at, magic = layout.magic
        if head[at : at + len(magic)] == magic:
            for order in "<>":
                if head[:4] == struct.pack(f"{order}i", layout.size):
                    return layout, order
    return None


def _first_voxel(layout: _Layout, order: str, head: bytes) -> int:
    at, kind = layout.offset
    (offset,) = struct.unpack_from(order + kind, head, at)
    if not math.isfinite(offset) or not layout.size + 4 <= offset <= len(head) or offset != int(offset):
        raise Unreadable(_("its NIfTI header does not say where the voxels begin"))
    return int(offset)


def _voxel_bytes(layout: _Layout, order: str, head: bytes) -> int:
    at, kind = layout.dim
    lengths: list[int]
    dimensions, *lengths = struct.unpack_from(order + kind, head, at)
    bits = int(struct.unpack_from(f"{order}h", head, layout.bitpix)[0])
    if not 1 <= dimensions <= _DIMENSIONS_MAX or bits < 1 or min(lengths[:dimensions]) < 1:
        raise Unreadable(_("its NIfTI header does not say how large the image is"))
    return -(-math.prod(lengths[:dimensions]) * bits // 8)
