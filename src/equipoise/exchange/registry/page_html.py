"""A record as a page of HTML that needs nothing else: the registry's sections, the results as tables, and
what contradicts itself marked where it stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from equipoise.exchange.registry.findings import Finding
from equipoise.exchange.registry.page_html_blocks import Chapter, Cursor, Facts, Part
from equipoise.exchange.registry.page_html_record import protocol_chapters
from equipoise.exchange.registry.page_html_results import results_chapter
from equipoise.exchange.registry.tree import Tree

_TEMPLATES: Final = Path(__file__).parent / "templates"
_SHOWN: Final = ("protocolSection", "resultsSection", "documentSection")


@dataclass(frozen=True, slots=True)
class _Heading:
    """A part as the page shows it: its anchor, and the findings that stand in it, by their number."""

    anchor: str
    part: Part
    findings: tuple[int, ...]


def record_html(tree: Tree, findings: Sequence[Finding] = ()) -> str:
    """Return a record, as a tree in the form of the API, as one page of HTML.

    `findings` are listed first and marked where they stand. Whatever of the record no section has a place for
    is listed at the end. There is no script in the page, and every text of the record is escaped. Source: the
    layout of ClinicalTrials.gov's study pages.
    """
    cursor = Cursor(tree)
    names = cursor.at("protocolSection", "identificationModule")
    title = names.text("briefTitle") or names.text("officialTitle") or "A study without a title"
    chapters = [*protocol_chapters(cursor), results_chapter(cursor.at("resultsSection"))]
    cursor.text("hasResults")
    left = tuple(pair for name in _names(tree) for pair in cursor.at(name).unseen())
    if left:
        part = Part("Entries that no section of the page has a place for", (Facts(left),))
        chapters.append(Chapter("Further entries", (part,)))
    shown = tuple(
        (f"part-{number}", chapter.title, tuple(_headings(number, chapter, findings)))
        for number, chapter in enumerate((each for each in chapters if each.parts), 1)
    )
    return _template().render(
        title=title,
        number=names.text("nctId"),
        sponsor=cursor.at("protocolSection", "sponsorCollaboratorsModule", "leadSponsor").text("name"),
        status=cursor.at("protocolSection", "statusModule").word("overallStatus"),
        chapters=shown,
        findings=findings,
    )


def _names(tree: Tree) -> Iterator[str]:
    """Yield what is shown whole: not what the registry derives, and not the mark that there are results."""
    yield from (
        name for name in tree if name in _SHOWN or (not name.endswith("Section") and name != "hasResults")
    )


def _headings(number: int, chapter: Chapter, findings: Sequence[Finding]) -> Iterator[_Heading]:
    for count, part in enumerate(chapter.parts, 1):
        here = (*part.places, f"{chapter.title} > {part.title.partition(' (')[0]}")
        marked = tuple(
            place
            for place, finding in enumerate(findings, 1)
            if any(_within(each.section, here) for each in finding.places)
        )
        yield _Heading(f"part-{number}-{count}", part, marked)


def _within(section: str, places: Sequence[str]) -> bool:
    """Say whether a place of a finding is one of these, or below one."""
    return any(
        section == place or section.startswith((f"{place}.", f"{place}[", f"{place} > ")) for place in places
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

    def is_kind(block: Any, name: str) -> bool:
        return type(block).__name__ == name

    environment.tests["kind"] = is_kind
    return environment.get_template("record.html")
