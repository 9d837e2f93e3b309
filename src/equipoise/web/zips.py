"""Zip files that are the same bytes for the same content, and the manifest that says what is in one."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from equipoise import __version__
from equipoise.access.actor import Actor
from equipoise.definition.model.definition import StudyDefinition
from equipoise.ledger.entry import Head

MANIFEST = "manifest.json"
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


def manifest_of(
    definition: StudyDefinition,
    actor: Actor,
    head: Head,
    files: Mapping[str, bytes],
    about: Mapping[str, Any],
) -> bytes:
    """Return what files are of, as JSON: study, state of the ledger, role, and each file with its SHA-256.

    `about` says what else there is to say.
    """
    said = {
        "study": definition.study.id,
        "study_version": definition.study.version,
        "definition": definition.hash,
        "seen_by_role": actor.role,
        "ledger": {"position": head.position, "hash": head.hash},
        **about,
        "software": f"equipoise {__version__}",
        "files": {
            name: {"bytes": len(files[name]), "sha256": sha256(files[name]).hexdigest()}
            for name in sorted(files)
        },
    }
    return (json.dumps(said, indent=2, ensure_ascii=False) + "\n").encode()
