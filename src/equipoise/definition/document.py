"""A document of headed blocks, written as Markdown or as one self-contained, printable page of HTML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from jinja2 import Environment, FileSystemLoader, StrictUndefined

TEMPLATES = Path(__file__).parent / "templates"

_MARKS = re.compile(r"([\\`*_\[\]|<>#~])")
_LIST_START = re.compile(r"^([-+]|[0-9]+(?=[.)]\s))")


@dataclass(frozen=True, slots=True)
class Words:
    """A paragraph."""

    text: str


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading within a section."""

    text: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Terms with what they are."""

    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list without order."""

    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a head; `subheads` are further rows of it. A `wide` table scrolls, and prints across."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    subheads: tuple[tuple[str, ...], ...] = ()
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule in words, with the rules that it joins."""

    text: str
    parts: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """A labelled text, as a criterion is one, with the rule that it states."""

    label: str
    text: str
    rule: Rule | None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Entries:
    """A list of labelled texts."""

    entries: tuple[Entry, ...]


Block: TypeAlias = Words | Heading | Facts | Bullets | Table | Entries


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a document."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A titled document; `language` is a BCP 47 tag."""

    title: str
    subtitle: str
    language: str
    sections: tuple[Section, ...]
    footer: str


def to_html(document: Document) -> str:
    """Write a page that needs nothing else: one style sheet within it, no script."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["kind"] = lambda block, name: type(block).__name__ == name
    return environment.get_template("document.html").render(document=document)


def to_markdown(document: Document) -> str:
    """Write Markdown with tables (GitHub's), in which no text can be taken for a mark."""
    lines = [f"# {escape(document.title)}", ""]
    if document.subtitle:
        lines += [escape(document.subtitle), ""]
    for section in document.sections:
        lines += [f"## {escape(section.title)}", ""]
        for block in section.blocks:
            lines += [*_markdown(block), ""]
    return "\n".join([*lines, "---", "", escape(document.footer), ""])


def escape(text: str) -> str:
    """Return text as one line of Markdown that reads as the text itself."""
    line = _MARKS.sub(r"\\\1", " ".join(text.split()))
    found = _LIST_START.match(line)
    if found is None:
        return line
    end = found.end()
    return f"\\{line}" if line[0] in "-+" else f"{line[:end]}\\{line[end:]}"


def _markdown(block: Block) -> Iterator[str]:
    if isinstance(block, Words):
        yield escape(block.text)
    elif isinstance(block, Heading):
        yield f"### {escape(block.text)}"
    elif isinstance(block, Facts):
        yield from (f"- **{escape(term)}:** {escape(text)}" for term, text in block.pairs)
    elif isinstance(block, Bullets):
        yield from (f"- {escape(item)}" for item in block.items)
    elif isinstance(block, Table):
        yield _row(block.head)
        yield _row(("---",) * len(block.head), written=True)
        yield from map(_row, (*block.subheads, *block.rows))
    else:
        for entry in block.entries:
            # Another bullet than that of facts, so that a list which follows them is one of its own.
            yield f"* **{escape(entry.label)}** {escape(entry.text)}"
            if entry.note is not None:
                yield f"  - {escape(entry.note)}"
            if entry.rule is not None:
                yield from _rule(entry.rule, 1)


def _row(cells: tuple[str, ...], written: bool = False) -> str:
    return f"| {' | '.join(cell if written else escape(cell) for cell in cells)} |"


def _rule(rule: Rule, level: int) -> Iterator[str]:
    yield f"{'  ' * level}- {escape(rule.text)}"
    for part in rule.parts:
        yield from _rule(part, level + 1)
