"""What a report says, before it is printed: sections of blocks, the same for HTML, RTF and PDF.

Tables, figures and listings have the chapter numbers of a clinical study report (ICH E3): 14.1 for
participants, 14.2 for efficacy, 14.3 for safety, 16.2 for listings by participant.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, TypeAlias

from equipoise.analysis.report.views import TableView


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """A paragraph of plain text; `opening` is set in bold before it."""

    tag: ClassVar[str] = "paragraph"

    text: str
    kind: Literal["plain", "note", "lead"] = "plain"
    opening: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subheading:
    """A heading within a section."""

    tag: ClassVar[str] = "subheading"

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A term with what is said of it.

    `soft` follows the term, `code` (a hash) and `source` the text; `places` stand below it, a line for each.
    """

    term: str
    text: str
    soft: str = ""
    code: str = ""
    source: str = ""
    places: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entries:
    """A list of terms: those of an estimand side by side, others one below the other."""

    tag: ClassVar[str] = "entries"

    entries: tuple[Entry, ...]
    kind: Literal["estimand", "methods"] = "methods"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table or a listing; `wide` where it needs the width of a page across.

    `number` is given out by `numbered`.
    """

    tag: ClassVar[str] = "table"

    view: TableView
    chapter: str
    population: str
    word: Literal["Table", "Listing"] = "Table"
    wide: bool = False
    number: str = ""

    @property
    def title(self) -> str:
        """What the table shows."""
        return self.view.caption


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A figure as SVG, empty where there is nothing to draw: then `instead` says so."""

    tag: ClassVar[str] = "drawing"
    word: ClassVar[str] = "Figure"

    svg: str
    title: str
    chapter: str
    population: str
    notes: tuple[str, ...] = ()
    instead: str = ""
    number: str = ""

    @property
    def caption(self) -> str:
        """The title with its notes, as sentences."""
        return " ".join((f"{self.title}.", *self.notes))


Block: TypeAlias = Paragraph | Subheading | Entries | Table | Drawing
Display: TypeAlias = Table | Drawing
"""What has a number and a title: a table, a listing or a figure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A numbered part of the report; `id` is its address within the file."""

    id: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Banner:
    """What must be known of the whole: that it is simulated, or masked."""

    kind: Literal["simulated", "masked"]
    opening: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyResult:
    """What the box at the top says of the primary endpoint; `p` is "= 0.031" or "<0.001", or empty."""

    label: str
    endpoint: str
    value: str
    p: str
    measure: str
    groups: tuple[tuple[str, str], ...]
    verdict: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportContent:
    """A whole report.

    `marks` stand on every page; `source` says from which data and with which program it was made;
    `recorded_at` is the moment of the data cut, the only date that a printed file bears.
    """

    language: str
    study: str
    kind: str
    page_title: str
    heading: str
    official_title: str | None
    banners: tuple[Banner, ...]
    facts: tuple[Entry, ...]
    key: KeyResult | None
    cautions: tuple[str, ...]
    sections: tuple[Section, ...]
    marks: tuple[str, ...]
    source: str
    recorded_at: str

    def displays(self) -> Iterator[Display]:
        """Every table, listing and figure that shows something, in reading order."""
        for section in self.sections:
            for block in section.blocks:
                if isinstance(block, Table) or (isinstance(block, Drawing) and block.svg):
                    yield block


def numbered(sections: Iterable[Section]) -> tuple[Section, ...]:
    """Number tables, listings and figures in reading order, each kind within its chapter: Table 14.1.1."""
    counts: Counter[tuple[str, str]] = Counter()

    def with_number(block: Block) -> Block:
        if not isinstance(block, Table | Drawing):
            return block
        counts[block.word, block.chapter] += 1
        return replace(block, number=f"{block.chapter}.{counts[block.word, block.chapter]}")

    return tuple(
        replace(section, blocks=tuple(with_number(block) for block in section.blocks)) for section in sections
    )
