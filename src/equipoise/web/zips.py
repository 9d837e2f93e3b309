"""Zip files that are the same bytes for the same content."""

from __future__ import annotations

import io
from collections.abc import Mapping
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

_FIXED_TIME = (1980, 1, 1, 0, 0, 0)
_READABLE = 0o100644 << 16


def zip_of(files: Mapping[str, bytes]) -> bytes:
    """Return a zip file with these files, by their names, without times."""
    packed = io.BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED) as archive:
        for name in sorted(files):
            info = ZipInfo(name, _FIXED_TIME)
            info.external_attr = _READABLE
            info.compress_type = ZIP_DEFLATED
            archive.writestr(info, files[name])
    return packed.getvalue()
