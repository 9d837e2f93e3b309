"""Reading what the publishers of dictionaries distribute, into terms with their hierarchies."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path

TERM_LENGTH_MAX = 500
"""How long a term may be, in characters; MedDRA's have at most 100."""

_BYTES_MAX = 512 * 2**20


class DictionaryUnreadable(Exception):
    """A dictionary's files are not what they should be; nothing was kept of them.

    `code` is stable; `sentence` says what, in which file and line, and what to do next.
    """

    def __init__(self, code: str, sentence: str) -> None:
        self.code = code
        self.sentence = sentence
        super().__init__(f"{code}: {sentence}")


def read_lines(folder: Path, name: str, whose: str) -> Iterator[tuple[int, str]]:
    """Iterate over the lines of a file that hold anything, with their numbers.

    Raises DictionaryUnreadable: DICT-MISSING, DICT-SIZE, DICT-ENCODING.
    """
    path = folder / name
    if not folder.is_dir():
        raise DictionaryUnreadable(
            "DICT-MISSING",
            f"There is no folder {folder.name}. Name the folder that holds the files of {whose}.",
        )
    if not path.is_file():
        raise DictionaryUnreadable(
            "DICT-MISSING",
            f"The folder {folder.name} has no file {name}. Name the folder that holds the files of {whose}.",
        )
    if path.stat().st_size > _BYTES_MAX:
        raise DictionaryUnreadable(
            "DICT-SIZE", f"{name} is larger than any dictionary. Check that it is the file of {whose}."
        )
    content = path.read_bytes().removeprefix(codecs.BOM_UTF8)
    for number, line in enumerate(content.split(b"\n"), start=1):
        try:
            text = line.decode().rstrip("\r")
        except UnicodeDecodeError as error:
            raise DictionaryUnreadable(
                "DICT-ENCODING",
                f"{name}, line {number}: character {error.start + 1} is no UTF-8. Convert the files first, as"
                " with: iconv -f ISO-8859-1 -t UTF-8.",
            ) from None
        if text.strip():
            yield number, text


def check_text(name: str, number: int, column: str, text: str) -> str:
    """Return a code or term without spaces around it; raises DictionaryUnreadable (DICT-VALUE)."""
    said = text.strip()
    problem = "is empty" if not said else ""
    if len(said) > TERM_LENGTH_MAX:
        problem = f"is longer than {TERM_LENGTH_MAX} characters"
    if not said.isprintable():
        problem = "holds a character that cannot be printed"
    if problem:
        raise DictionaryUnreadable(
            "DICT-VALUE", f"{name}, line {number}: {column} {problem}. Check that the file is whole."
        )
    return said


def check_any(terms: int, name: str) -> None:
    """A dictionary has terms; raises DictionaryUnreadable (DICT-EMPTY)."""
    if not terms:
        raise DictionaryUnreadable("DICT-EMPTY", f"{name} holds no term. Check that the file is whole.")


def twice(name: str, number: int, what: str, code: str) -> DictionaryUnreadable:
    """Return the error of a code that stands twice."""
    return DictionaryUnreadable(
        "DICT-TWICE", f"{name}, line {number}: the {what} {code} stands there before. Keep one of the two."
    )


def no_hierarchy(name: str, number: int, what: str, where: str) -> DictionaryUnreadable:
    """Return the error of a term that belongs nowhere."""
    return DictionaryUnreadable(
        "DICT-HIERARCHY",
        f"{name}, line {number}: {what} is not in {where}. Check that the files are whole, and of"
        " one version.",
    )
