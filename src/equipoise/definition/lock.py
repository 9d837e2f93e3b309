"""study.lock: the definition as canonical JSON, its SHA-256, and the way back.

Only what differs from a default is written, so that a key added to the format later changes no old hash.
Numbers with decimals are text, with the digits that the folder gives them. The rehearsal is left out: it
describes imagined people and binds nobody.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError

from .expression.values import plain
from .findings import Finding
from .languages import TranslatedDefinition
from .model.definition import StudyDefinition
from .source import LOCK_NAME


class LockInvalid(Exception):
    """A lock that does not hold a definition of this format."""


@cache
def _adapter() -> TypeAdapter[Any]:
    return TypeAdapter(StudyDefinition | None, config=ConfigDict(extra="forbid", strict=True))


def canonical_json(definition: StudyDefinition) -> bytes:
    """Return the definition without its rehearsal and hash: sorted keys, no white space, UTF-8, no floats.

    Raises TypeError for a TranslatedDefinition, which is for reading.
    """
    tree = plain_tree(definition)
    return json.dumps(tree, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def plain_tree(definition: StudyDefinition) -> dict[str, Any]:
    """Return the definition without its rehearsal and hash as plain data, in the order of the model.

    Raises TypeError for a TranslatedDefinition, which is for reading.
    """
    if isinstance(definition, TranslatedDefinition):
        raise TypeError("A translation is for reading. Write its original, which holds every language.")
    bound = replace(definition, rehearsal=None, hash="")
    tree: dict[str, Any] = _plain(_adapter().dump_python(bound, exclude_defaults=True))
    return tree


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(member) for member in value]
    if isinstance(value, Decimal):
        return plain(value)
    return value.isoformat() if isinstance(value, date) else value


def definition_hash(definition: StudyDefinition) -> str:
    """Return the SHA-256 of the canonical JSON, in hexadecimal."""
    return sha256(canonical_json(definition)).hexdigest()


def hashed(definition: StudyDefinition) -> StudyDefinition:
    """Return the definition with its hash set."""
    return replace(definition, hash=definition_hash(definition))


def definition_from_json(content: bytes) -> StudyDefinition:
    """Restore a definition from its canonical JSON, with its hash; raises LockInvalid for anything else."""
    try:
        definition = _adapter().validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "its top"
        raise LockInvalid(
            f"The text is no study definition of this version of the format ({where}). Lock the folder anew."
        ) from None
    if definition is None:
        raise LockInvalid("The text holds no study definition. Lock the folder anew.")
    return hashed(definition)


def write_lock(folder: Path, definition: StudyDefinition) -> Path:
    """Write study.lock beside the files that the definition was compiled from, all of it or nothing."""
    content = canonical_json(definition) + b"\n"
    target = folder / LOCK_NAME
    draft = folder / f".{LOCK_NAME}.new"
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(target)
    return target


def check_lock(folder: Path, definition: StudyDefinition) -> tuple[Finding, ...]:
    """Tell whether study.lock is there and says what the folder says."""
    try:
        locked = (folder / LOCK_NAME).read_bytes()
    except FileNotFoundError:
        sentence = "The study is not locked. Lock it before a trial is opened under it."
        return (Finding(code="LOCK-MISSING", sentence=sentence, file=LOCK_NAME, severity="warning"),)
    if locked.rstrip(b"\n") == canonical_json(definition):
        return ()
    sentence = (
        "The folder no longer says what was locked. Review the difference, raise the version and lock again."
    )
    return (Finding(code="LOCK-STALE", sentence=sentence, file=LOCK_NAME, severity="warning"),)
