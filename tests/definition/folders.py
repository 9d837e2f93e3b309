"""The study of docs/study-folder.md, written to a folder, whole or with a part changed."""

import re
from collections.abc import Callable
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs" / "study-folder.md"
_EXAMPLE = re.compile(r"^`([a-z_/]+\.yaml)`:\n\n```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)

Change = tuple[str, str, str]
"""A file, a text that stands in it exactly once, and what stands there instead."""


def examples() -> dict[str, str]:
    """The files of the example study by name."""
    return dict(_EXAMPLE.findall(DOCS.read_text(encoding="utf-8")))


def write_study(
    folder: Path,
    *changes: Change,
    edit: Callable[[dict[str, str]], None] | None = None,
    translated: bool = False,
) -> Path:
    """Write the example study with changes; its translations on demand, as a change leaves them behind."""
    files = {name: text for name, text in examples().items() if translated or "languages/" not in name}
    for name, old, new in changes:
        assert files[name].count(old) == 1, f"{old!r} stands {files[name].count(old)} times in {name}"
        files[name] = files[name].replace(old, new)
    if edit is not None:
        edit(files)
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder
