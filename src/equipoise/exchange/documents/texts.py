"""Texts as printed pages can hold them."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Final

UNPRINTABLE: Final = "\ufffd"
# Control characters, halves of pairs, private use, undefined: no face has a shape for them.
_WITHOUT_SHAPE: Final = frozenset({"Cc", "Cs", "Co", "Cn"})
_SIGNS: Final = frozenset("\\{}\n")
_PLAIN: Final = frozenset(chr(code) for code in range(0x20, 0x7F)) - _SIGNS
_NEAREST: Final = {
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
    **dict.fromkeys("\u2018\u2019\u201b\u2032", "'"),
    **dict.fromkeys("\u201c\u201d\u201e\u2033", '"'),
    "\u00d7": "x",
    "\u00b7": ".",
    "\u2022": "*",
    "\u2264": "<",
    "\u2265": ">",
    "\u2192": ">",
    "\u2190": "<",
    "\u03b1": "a",
    "\u03b2": "b",
    "\u03bc": "u",
}


def printable(text: str) -> str:
    """Return a text with a replacement character for each that cannot be printed; line ends are kept."""
    if text.isprintable():
        return text
    ended = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    return "".join(
        UNPRINTABLE if each != "\n" and unicodedata.category(each) in _WITHOUT_SHAPE else each
        for each in ended
    )


def printable_tree(value: object) -> object:
    """Return a tree with all its texts made printable."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, Mapping):
        return {key: printable_tree(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [printable_tree(item) for item in value]
    return value


def rtf_text(text: str) -> str:
    """Return a text as RTF writes it, in ASCII for a reader of any code page.

    Characters beyond ASCII are written by their number, with the nearest ASCII character behind for readers
    that do not know them. Source: Rich Text Format 1.9.1, "Unicode RTF".
    """
    shown = printable(text)
    if shown.isascii() and not _SIGNS & set(shown):
        return shown
    return "".join(each if each in _PLAIN else _rtf_character(each) for each in shown)


def _rtf_character(each: str) -> str:
    if each in "\\{}":
        return f"\\{each}"
    if each == "\n":
        return "\\line "
    units = each.encode("utf-16-be")
    nearest = _NEAREST.get(each) or unicodedata.normalize("NFKD", each)[0]
    # As a hexadecimal number, since a space or a digit would belong to the number before it.
    plain = f"\\'{ord(nearest if nearest in _PLAIN else '?'):02x}"
    # Numbers of 16 bits with a sign; a character beyond the basic plane is two of them.
    numbers = (int.from_bytes(units[place : place + 2], signed=True) for place in range(0, len(units), 2))
    return "".join(f"\\u{number}{plain}" for number in numbers)
