"""The protocol synopsis as the narrative content of a USDM document: one piece of XHTML for each section."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Final

from equipoise.definition.document import (
    Block,
    Bullets,
    Entry,
    Facts,
    Heading,
    Rule,
    Section,
    Table,
    Words,
)
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.synopsis import synopsis_of
from equipoise.exchange.usdm.make import Maker, Tree
from equipoise.exchange.usdm.terms import (
    DOCUMENT_STATES,
    LANGUAGE_NAMES,
    LANGUAGES,
    LANGUAGES_VERSION,
    PROTOCOL,
    Term,
)

SYNOPSIS: Final = "Protocol synopsis"
"""The name of the document, by which its contents are known to be derived from the rest of the tree."""


def write_document(maker: Maker, definition: StudyDefinition) -> tuple[Tree, list[Tree]]:
    """Return the synopsis as a document, and the texts of its sections, which the study version holds."""
    study = definition.study
    sections = synopsis_of(definition).sections
    items = [
        maker.make(
            "NarrativeContentItem",
            {"name": f"Section {number}", "text": section_html(section)},
            key=f"{number}",
        )
        for number, section in enumerate(sections, 1)
    ]
    contents = [_content(maker, sections, number) for number in range(1, len(sections) + 1)]
    language = study.language.partition("-")[0]
    state = "draft" if study.version.lower().startswith("draft") else "final"
    version = maker.make(
        "StudyDefinitionDocumentVersion",
        {
            "version": study.version,
            "status": maker.code(DOCUMENT_STATES[state]),
            "contents": contents,
        },
        key="synopsis",
    )
    document = maker.make(
        "StudyDefinitionDocument",
        {
            "name": SYNOPSIS,
            "language": maker.code(
                Term(language, LANGUAGE_NAMES.get(language, language)), LANGUAGES, LANGUAGES_VERSION
            ),
            "type": maker.code(PROTOCOL),
            "templateName": "Equipoise synopsis",
            "versions": [version],
            "notes": maker.notes(("Language", study.language)),
        },
        key=SYNOPSIS,
    )
    return document, items


def _content(maker: Maker, sections: tuple[Section, ...], number: int) -> Tree:
    def neighbour(other: int) -> str | None:
        return maker.id_of("NarrativeContent", f"{other}") if 1 <= other <= len(sections) else None

    return maker.make(
        "NarrativeContent",
        {
            "name": f"Section {number}",
            "sectionNumber": f"{number}",
            "sectionTitle": sections[number - 1].title,
            "displaySectionNumber": True,
            "displaySectionTitle": True,
            "previousId": neighbour(number - 1),
            "nextId": neighbour(number + 1),
            "contentItemId": maker.id_of("NarrativeContentItem", f"{number}"),
        },
        key=f"{number}",
    )


def section_html(section: Section) -> str:
    """Return a section's blocks as well-formed XHTML."""
    blocks = "".join(map(_block, section.blocks))
    return f'<div xmlns="http://www.w3.org/1999/xhtml">{blocks}</div>'


def _element(tag: str, content: str) -> str:
    """An element; XHTML has no list and no table without content."""
    return f"<{tag}>{content}</{tag}>" if content else ""


def _text(tag: str, text: str) -> str:
    return f"<{tag}>{escape(text, quote=False)}</{tag}>"


def _row(cells: Iterable[str], tag: str = "td") -> str:
    return _element("tr", "".join(_text(tag, cell) for cell in cells))


def _block(block: Block) -> str:
    if isinstance(block, Words):
        return _text("p", block.text)
    if isinstance(block, Heading):
        return _text("h3", block.text)
    if isinstance(block, Facts):
        return _element("dl", "".join(_text("dt", term) + _text("dd", text) for term, text in block.pairs))
    if isinstance(block, Bullets):
        return _element("ul", "".join(_text("li", item) for item in block.items))
    if isinstance(block, Table):
        head = "".join(_row(cells, "th") for cells in (block.head, *block.subheads))
        return _element("table", head + "".join(map(_row, block.rows)))
    return _element("ul", "".join(map(_entry, block.entries)))


def _entry(entry: Entry) -> str:
    parts = [_text("p", f"{entry.label} {entry.text}")]
    parts += [_text("p", entry.note)] if entry.note is not None else []
    parts += [_element("ul", _rule(entry.rule))] if entry.rule is not None else []
    return _element("li", "".join(parts))


def _rule(rule: Rule) -> str:
    below = _element("ul", "".join(map(_rule, rule.parts)))
    return _element("li", escape(rule.text, quote=False) + below)
