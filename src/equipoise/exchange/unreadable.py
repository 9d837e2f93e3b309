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


def read_bytes(path: Path, bytes_max: int) -> bytes:
    """Return what a file holds.

    Raises FileUnreadable: FILE-MISSING, FILE-EMPTY, or FILE-TOO-LARGE where it holds more than `bytes_max`.
    """
    if not path.is_file():
        raise FileUnreadable("FILE-MISSING", f"There is no file {path.name} to read. Check the path.")
    with path.open("rb") as handle:
        content = handle.read(bytes_max + 1)
    if len(content) > bytes_max:
        raise FileUnreadable(
            "FILE-TOO-LARGE",
            f"The file {path.name} is larger than {bytes_max // 1_000_000} MB, the most that is read of its "
            "kind.",
        )
    if not content.strip():
        raise FileUnreadable("FILE-EMPTY", f"The file {path.name} is empty. Save it again.")
    return content
