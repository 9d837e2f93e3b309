"""A file that cannot be read, and the reading of its bytes within a limit."""

from __future__ import annotations

from pathlib import Path


class FileUnreadable(Exception):
    """A file that is not read: a stable `code`, a `sentence` with what to do, the `place` in it."""

    def __init__(self, code: str, sentence: str, place: str = "") -> None:
        super().__init__(f"{code}: {sentence}" + (f" ({place})" if place else ""))
        self.code = code
        self.sentence = sentence
        self.place = place


def check_file(path: Path, bytes_max: int) -> None:
    """Refuse what is no file, is empty, or is too large.

    Raises FileUnreadable: FILE-MISSING, FILE-EMPTY, or FILE-TOO-LARGE where it holds more than `bytes_max`.
    """
    if not path.is_file():
        raise FileUnreadable("FILE-MISSING", f"There is no file {path.name} to read. Check the path.")
    size = path.stat().st_size
    if size > bytes_max:
        raise FileUnreadable(
            "FILE-TOO-LARGE",
            f"The file {path.name} is larger than {bytes_max // 1_000_000} MB, the most that is read of its "
            "kind.",
        )
    if size == 0:
        raise _empty(path)


def read_bytes(path: Path, bytes_max: int) -> bytes:
    """Return what a file holds. Raises FileUnreadable as `check_file`; blanks alone are nothing."""
    check_file(path, bytes_max)
    content = path.read_bytes()
    if not content.strip():
        raise _empty(path)
    return content


def _empty(path: Path) -> FileUnreadable:
    return FileUnreadable("FILE-EMPTY", f"The file {path.name} is empty. Save it again.")
