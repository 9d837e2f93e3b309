"""The study folder on its way: made anew from a definition, and taken in as a zip from somewhere else."""

from __future__ import annotations

import io
import unicodedata
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any, Final

from equipoise.definition.lock import plain_tree
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.source import PARTS
from equipoise.exchange.archives import ArchiveKind, opened_archive, refuse_entry
from equipoise.exchange.made import MadeFile, exact_yaml_text

ZIP: Final = ArchiveKind(
    code="FOLDER",
    called="zip of a study folder",
    short="zip",
    files_max=1_000,
    bytes_max=8_000_000,
    list_bytes_max=1_000_000,
    again="Zip the study folder anew.",
    otherwise="Zip the study folder anew, with nothing else in it.",
    less="Zip the files of the study alone.",
)
"""What is taken for the zip of a study folder, and how much of it is read."""

_NAME_BYTES_MAX: Final = 200
_DEPTH_MAX: Final = 8
_OF_THE_DISK: Final = "__MACOSX"
"""What one operating system adds beside a folder that it zips."""


def study_files(definition: StudyDefinition) -> tuple[MadeFile, ...]:
    """Return a study folder that compiles to a definition, to the same hash.

    What the definition does not hold is not there: comments, notes, and the rehearsal.
    """
    return tuple(
        MadeFile(f"{name}.yaml", exact_yaml_text(tree).encode())
        for name, tree in sorted(_trees(plain_tree(definition)))
    )


def _trees(whole: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, needed in PARTS.items():
        if needed or name in whole:
            yield name, whole.get(name, {})
    for form in whole.get("forms", ()):
        yield f"forms/{form['id']}", form
    for tag, language in whole.get("languages", {}).items():
        yield f"languages/{tag}", language


def read_study_zip(content: bytes, name: str) -> tuple[MadeFile, ...]:
    """Return the files of a study folder that comes as a zip, with or without the folder around them.

    Hidden files are left out. Raises FileUnreadable as `opened_archive` does, with FOLDER before; FOLDER-PATH
    and FOLDER-TWICE for names that no disk takes, too.
    """
    with opened_archive(io.BytesIO(content), name, ZIP) as (archive, entries):
        visible = {path: info for path, info in entries.items() if not _is_hidden(path)}
        _check_names(visible)
        tops = {path.partition("/")[0] for path in visible}
        around = f"{tops.pop()}/" if "study.yaml" not in visible and len(tops) == 1 else ""
        return tuple(
            MadeFile(path.removeprefix(around), archive.read(info)) for path, info in visible.items()
        )


def _is_hidden(path: str) -> bool:
    return any(part.startswith(".") or part == _OF_THE_DISK for part in path.split("/"))


def _check_names(entries: Mapping[str, zipfile.ZipInfo]) -> None:
    """Refuse names that are too long for a disk, and those of which one is a file and a folder."""
    files = {_as_on_disk(path) for path in entries}
    for path, info in entries.items():
        parts = path.split("/")
        if len(parts) > _DEPTH_MAX or any(len(part.encode()) > _NAME_BYTES_MAX for part in parts):
            raise refuse_entry(ZIP, "PATH", "has a path that is too long", info)
        around = ("/".join(parts[:depth]) for depth in range(1, len(parts)))
        if any(_as_on_disk(folder) in files for folder in around):
            raise refuse_entry(ZIP, "TWICE", "has a file and a folder of one name", info)


def _as_on_disk(path: str) -> str:
    return unicodedata.normalize("NFC", path).casefold()
