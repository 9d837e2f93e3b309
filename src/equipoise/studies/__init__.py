"""Study folders that ship with the package."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

_STUDY_FILE = "study.yaml"


def study_names() -> tuple[str, ...]:
    """Return the names of the study folders that ship with the package, in alphabetical order."""
    return tuple(sorted(folder.name for folder in _root().iterdir() if (folder / _STUDY_FILE).is_file()))


def study_folder(name: str) -> Path:
    """Return the folder of a study of the package; LookupError when there is none of that name."""
    if name not in study_names():
        raise LookupError(
            f"No study named '{name}' ships with the package. Use one of: {', '.join(study_names())}."
        )
    return _root() / name


def _root() -> Path:
    return Path(str(files(__name__)))
