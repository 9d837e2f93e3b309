"""Files that an export or an import makes, and the writing of them: all of them or none."""

from __future__ import annotations

import io
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import LiteralScalarString

Content = bytes | Iterable[bytes]
"""The bytes of a file, or its pieces one after another where the whole would be large."""


@dataclass(frozen=True, slots=True)
class MadeFile:
    """A file to write: its path below the folder, with slashes, and what it holds."""

    path: str
    content: Content


class NotWritten(Exception):
    """What is not written, as something would be lost: a stable `code`, a `sentence`, the `place`."""

    def __init__(self, code: str, sentence: str, place: str) -> None:
        super().__init__(f"{code}: {sentence} ({place})")
        self.code = code
        self.sentence = sentence
        self.place = place


def write_file(content: Content, out: Path) -> None:
    """Write one file, whole or not at all; one that is there already is replaced.

    Raises NotWritten (OUT-FOLDER) when there is no folder to write it to.
    """
    if not out.parent.is_dir():
        raise NotWritten(
            "OUT-FOLDER",
            f"There is no folder {out.parent} to write {out.name} to. Make it first.",
            str(out),
        )
    partial = out.with_name(f".{out.name}.partial")
    try:
        _pour(content, partial)
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)


def write_folder(files: Iterable[MadeFile], out: Path) -> tuple[Path, ...]:
    """Write files into a new folder, which appears whole or not at all; returns their paths in order.

    A folder that is there already may be empty, or hold these very files. Raises NotWritten: OUT-EXISTS for
    any other; OUT-PATH for a path that leads out of the folder, or that two files have, as names may that
    come from a file somebody else wrote.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        for file in files:
            _pour(file.content, _place_of(file, partial))
        if out.exists():
            _check_replaceable(out, partial)
            if not _is_empty(out):
                return _files_of(out)
            out.rmdir()
        partial.chmod(0o755)
        partial.rename(out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return _files_of(out)


def yaml_text(content: Mapping[str, object]) -> str:
    """Return a tree as YAML, without what is missing, and with texts of several lines as blocks."""
    return _dumped(_printable(content))


def exact_yaml_text(content: Mapping[str, object]) -> str:
    """Return a tree as YAML that is read back as this very tree, to the last blank of its texts."""
    return _dumped(_in_blocks(content))


def _dumped(content: object) -> str:
    writer = YAML()
    writer.width = 110
    writer.allow_unicode = True
    writer.indent(mapping=2, sequence=4, offset=2)
    buffer = io.StringIO()
    writer.dump(content, buffer)
    return buffer.getvalue()


def _pour(content: Content, path: Path) -> None:
    with path.open("wb") as handle:
        for piece in (content,) if isinstance(content, bytes) else content:
            handle.write(piece)


def _place_of(file: MadeFile, folder: Path) -> Path:
    """Return where a file goes: within the folder, and where there is none yet."""
    inner = PurePosixPath(file.path)
    path = folder / inner
    if inner.is_absolute() or ".." in inner.parts or "\0" in file.path or path.exists():
        raise NotWritten(
            "OUT-PATH",
            f"Nothing is written, because a file would be called {file.path!r}, as another one is or outside "
            "the folder. Correct the name where it comes from.",
            file.path,
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _files_of(folder: Path) -> tuple[Path, ...]:
    return tuple(sorted(path for path in folder.rglob("*") if not path.is_dir()))


def _is_empty(folder: Path) -> bool:
    return not any(folder.iterdir())


def _check_replaceable(target: Path, partial: Path) -> None:
    """Refuse a folder whose content would be lost, or that is no folder."""
    if target.is_dir() and (_is_empty(target) or _same_content(target, partial)):
        return
    raise NotWritten(
        "OUT-EXISTS",
        f"Nothing is written, because {target.name} holds other files. Give the name of a new folder.",
        target.name,
    )


def _same_content(target: Path, partial: Path) -> bool:
    mine, theirs = _files_of(partial), _files_of(target)
    return [path.relative_to(partial) for path in mine] == [
        path.relative_to(target) for path in theirs
    ] and all(
        other.is_file() and path.read_bytes() == other.read_bytes()
        for path, other in zip(mine, theirs, strict=True)
    )


def _printable(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: _printable(item) for key, item in value.items() if item is not None and item != {}}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_printable(item) for item in value]
    if isinstance(value, str) and "\n" in value:
        block = "\n".join(line.rstrip() for line in value.strip().split("\n"))
        # Characters that YAML would break a line at, or not print, go into quotation marks instead.
        return LiteralScalarString(block) if all(line.isprintable() for line in block.split("\n")) else block
    return value


def _in_blocks(value: object) -> object:
    """Return a tree with those texts of several lines as blocks that a block leaves as they are."""
    if isinstance(value, Mapping):
        return {key: _in_blocks(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_in_blocks(item) for item in value]
    if isinstance(value, str) and "\n" in value:
        plain = all(line.isprintable() and line == line.strip() for line in value.split("\n"))
        return LiteralScalarString(value) if plain and value == value.strip() else value
    return value
