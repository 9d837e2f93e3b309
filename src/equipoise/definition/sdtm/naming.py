"""Names and labels within the lengths that a version 5 transport file allows."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from .guide import LABEL_LENGTH_MAX, NAME_LENGTH_MAX


class ShortNames:
    """Names of at most 8 characters, each given out once."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)

    def new(self, wanted: str, ending: str = "") -> str:
        """A name like the one wanted, with its last characters replaced by a number where it is taken."""
        plain = "".join(each for each in wanted.upper() if each.isalnum() and each.isascii()) or "V"
        plain = plain if plain[0].isalpha() else f"V{plain}"
        name, number = plain[: NAME_LENGTH_MAX - len(ending)] + ending, 1
        while name in self._taken:
            number += 1
            tail = f"{number}{ending}"
            name = plain[: NAME_LENGTH_MAX - len(tail)] + tail
        self._taken.add(name)
        return name


_ASCII = str.maketrans("\u2010\u2011\u2012\u2013\u2014\u2018\u2019\u201c\u201d\u00d7\u00b5", "-----''\"\"xu")


def short_label(text: str) -> str:
    """The text as a label: ASCII, at most 40 characters, cut between two words where it is longer."""
    flat = unicodedata.normalize("NFKD", text.translate(_ASCII))
    plain = "".join(each for each in flat if not unicodedata.combining(each))
    return cut_text(" ".join(plain.encode("ascii", "replace").decode().split()), LABEL_LENGTH_MAX)


def cut_text(text: str, length_max: int) -> str:
    """The beginning of a text, of at most so many bytes in UTF-8, up to the end of a word.

    A word is cut where it alone takes more than half of the length.
    """
    raw = text.encode()
    if len(raw) <= length_max:
        return text
    start = raw[:length_max].decode(errors="ignore")
    blank = start.rfind(" ")
    head = start[:blank] if text[len(start)] != " " and 2 * blank >= len(start) else start
    return head.rstrip(" ,;:(") or start
