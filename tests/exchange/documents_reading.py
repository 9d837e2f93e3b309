"""Reports of invented trials, and what a reader of their files sees."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from html.parser import HTMLParser
from typing import Any

from equipoise.analysis.cut import DataCut
from equipoise.analysis.derive import mask_cut
from equipoise.analysis.report.content import ReportContent, Section
from equipoise.definition.lock import hashed
from equipoise.exchange.documents.files import report_of
from equipoise.exchange.made import MadeFile
from tests.analysis.cuts import make_cut, swap_arms
from tests.analysis.trials import crossover_definition, parallel_definition, single_definition

MAKERS = {"crossover": crossover_definition, "parallel": parallel_definition, "single": single_definition}


@cache
def cut_of(kind: str, masked: bool = False, swapped: bool = False) -> DataCut:
    """A small trial; `masked` as a masked role has it, before the unblinding."""
    cut = make_cut(hashed(MAKERS[kind]()), 10)
    cut = swap_arms(cut) if swapped else cut
    return replace(mask_cut(cut), unblinded_at=None) if masked else cut


@cache
def report(kind: str, masked: bool = False, swapped: bool = False) -> tuple[ReportContent, Section]:
    content, listed = report_of(cut_of(kind, masked, swapped))
    assert listed is not None
    return content, listed


def bytes_of(file: MadeFile) -> bytes:
    return file.content if isinstance(file.content, bytes) else b"".join(file.content)


_TOKEN = re.compile(
    rb"\\'([0-9a-f]{2})|\\([a-z]+)(-?\d+)? ?|\\([^a-z0-9])|([{}])|([^\\{}\r\n]+)|[\r\n]", re.DOTALL
)
_HIDDEN = {"fonttbl", "info", "header", "footer", "pict"}


@dataclass
class Rtf:
    """The text of an RTF file: rows of cells, paragraphs, and those of headers and footers."""

    rows: list[list[str]] = field(default_factory=list)
    heads: int = 0
    paragraphs: list[str] = field(default_factory=list)
    margins: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    depth_end: int = 0


def read_rtf(content: bytes) -> Rtf:
    """Read as a program that knows Unicode does: what follows a \\u number is skipped."""
    found = Rtf()
    text: list[str] = []
    cells: list[str] = []
    margin: list[str] = []
    groups: list[str] = []
    hidden, skip, high = "", 0, 0
    for sign in _TOKEN.finditer(content):
        code, word, number, symbol, brace, plain = sign.groups()
        into = margin if hidden in ("header", "footer") else text
        if brace == b"{":
            groups.append(hidden)
        elif brace == b"}":
            was, hidden = hidden, groups.pop()
            if was in ("header", "footer") and hidden == "":
                found.margins.append("".join(margin))
                margin.clear()
        elif word is not None:
            name = word.decode()
            found.words.append(name)
            if name in _HIDDEN and not hidden:
                hidden = name
            elif hidden in ("", "header", "footer"):
                if name == "u":
                    unit = int(number) % 65536
                    if 0xD800 <= unit < 0xDC00:
                        high = unit
                    elif high:
                        into.append(chr(0x10000 + ((high - 0xD800) << 10) + unit - 0xDC00))
                        high = 0
                    else:
                        into.append(chr(unit))
                    skip = 1
                elif name == "line":
                    into.append("\n")
                elif name == "cell":
                    cells.append("".join(text))
                    text.clear()
                elif name == "row":
                    found.rows.append(cells)
                    cells = []
                elif name == "par" and not hidden:
                    found.paragraphs.append("".join(text))
                    text.clear()
        elif symbol == b"*" and not hidden:
            hidden = "*"
        elif hidden in ("", "header", "footer") and not brace:
            if skip and (code or plain):
                plain, code, skip = (plain or b"")[1:], None, 0
            into.append(
                bytes.fromhex(code.decode()).decode("cp1252") if code else (symbol or plain or b"").decode()
            )
    found.depth_end = len(groups)
    found.heads = found.words.count("trhdr")
    return found


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []

    def handle_data(self, data: str) -> None:
        self.found.append(data)


def html_text(page: str) -> str:
    """The text of a page, without the places of its spaces and line ends."""
    parser = _Words()
    parser.feed(page)
    return squeezed("".join(parser.found))


def squeezed(text: str) -> str:
    return "".join(text.split())


def texts_of(tree: Any) -> Iterator[str]:
    if isinstance(tree, str):
        yield tree
    elif isinstance(tree, dict):
        for value in tree.values():
            yield from texts_of(value)
    elif isinstance(tree, list | tuple):
        for value in tree:
            yield from texts_of(value)
