"""The report as PDF: archivable (PDF/A-2a), accessible (PDF/UA-1), the same bytes for the same cut.

Every text reaches typst as data and not as source, so that nothing in it can be read as markup.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Final

from matplotlib import get_data_path

from equipoise import __version__
from equipoise.analysis.report.content import Block, Drawing, ReportContent, Table
from equipoise.analysis.report.plots import FACE
from equipoise.exchange.documents.pages import column_shares, is_narrow, is_upright, svg_ratio, type_size
from equipoise.exchange.documents.texts import printable_tree
from equipoise.exchange.made import NotWritten

STANDARDS: Final = ("a-2a", "ua-1")
TEMPLATE: Final = Path(__file__).with_name("report.typ")
_FACES: Final = ("Libertinus Serif", "DejaVu Sans")
_CODE_FACES: Final = ("DejaVu Sans Mono",)
_IMAGE: Final = b"""#set page(width: 10in, height: auto, margin: 0in)
#image(bytes(sys.inputs.svg), format: "svg", width: 100%)
"""
_DOTS_PER_INCH: Final = 200
_LANGUAGE: Final = re.compile(r"([a-z]{2,3})(?:-|$)")
_DATE: Final = ("year", "month", "day", "hour", "minute", "second")


def print_pdf(content: ReportContent, fonts: Path | None = None) -> bytes:
    """Return a report as PDF.

    `fonts` is a folder of fonts for scripts other than Latin, Greek and Cyrillic. Raises NotWritten
    (EXTRA-MISSING) without typst.
    """
    return typeset(TEMPLATE.read_bytes(), report_tree(content), content.recorded_at, fonts)


def typeset(source: bytes, tree: Mapping[str, object], recorded_at: str, fonts: Path | None = None) -> bytes:
    """Return what a template makes of a tree, which it finds as JSON under `sys.inputs.report`."""
    moment = datetime.fromisoformat(recorded_at)
    pages = _typst().compile(
        source,
        format="pdf",
        font_paths=font_paths(fonts),
        # Only faces that come with the programs, so that a report looks the same on every machine.
        ignore_system_fonts=True,
        sys_inputs={"report": json.dumps(printable_tree(tree), ensure_ascii=False)},
        pdf_standards=list(STANDARDS),
        timestamp=int(moment.timestamp()),
    )
    assert isinstance(pages, bytes), "one file is made"
    return pages


def drawing_png(svg: str, fonts: Path | None = None) -> bytes:
    """Return a drawing as an image for programs that show no SVG, 2000 dots wide or more."""
    image = _typst().compile(
        _IMAGE,
        format="png",
        ppi=_DOTS_PER_INCH,
        font_paths=font_paths(fonts),
        ignore_system_fonts=True,
        sys_inputs={"svg": page_svg(svg)},
    )
    assert isinstance(image, bytes), "a drawing is one page"
    return image


def _typst() -> ModuleType:
    try:
        import typst  # noqa: PLC0415 - only who prints pages needs it, and has it
    except ImportError as error:
        raise NotWritten(
            "EXTRA-MISSING", "PDF files and figures need typst. Install equipoise[documents].", "typst"
        ) from error
    return typst


def font_paths(fonts: Path | None = None) -> list[str | Path | bytes]:
    """The folders whose faces are used: what matplotlib brings, then that of the user."""
    bundled = Path(get_data_path()) / "fonts" / "ttf"
    return [bundled] if fonts is None else [bundled, fonts]


def report_tree(content: ReportContent) -> dict[str, object]:
    """Return all that the template prints."""
    moment = datetime.fromisoformat(content.recorded_at)
    return {
        "page_title": content.page_title,
        "author": f"Equipoise {__version__}",
        "language": _language(content.language),
        "date": {part: getattr(moment, part) for part in _DATE},
        "faces": list(_FACES),
        "code_faces": list(_CODE_FACES),
        "study": content.study,
        "kind": content.kind,
        "heading": content.heading,
        "official_title": content.official_title or "",
        "source": content.source,
        "marks": list(content.marks),
        "banners": [asdict(each) for each in content.banners],
        "facts": [asdict(each) for each in content.facts],
        "key": None if content.key is None else asdict(content.key),
        "cautions": list(content.cautions),
        "sections": [
            {
                "title": each.title,
                "upright": all(isinstance(block, Drawing) and is_upright(block.svg) for block in each.blocks),
                "displays": any(isinstance(block, Table | Drawing) for block in each.blocks),
                "blocks": [_block(block) for block in each.blocks],
            }
            for each in content.sections
        ],
    }


def _language(tag: str) -> str:
    """The language of a tag as typst knows it, two or three letters; English for any other tag."""
    found = _LANGUAGE.match(tag.lower())
    return found[1] if found else "en"


def _block(block: Block) -> dict[str, object]:
    if isinstance(block, Drawing) and not block.svg:
        return {"tag": "paragraph", "kind": "note", "opening": "", "text": block.instead}
    if not isinstance(block, Drawing | Table):
        return {"tag": block.tag, **asdict(block)}
    shared = {
        "tag": block.tag,
        "word": block.word,
        "number": block.number,
        "title": block.title,
        "population": block.population,
    }
    if isinstance(block, Drawing):
        return {
            **shared,
            "notes": block.notes,
            "svg": page_svg(block.svg),
            "ratio": svg_ratio(block.svg),
            "upright": is_upright(block.svg),
        }
    view = block.view
    return {
        **shared,
        "notes": view.notes,
        "head": view.head,
        "words": view.words,
        "size": type_size(view),
        "columns": [0 for _ in view.head] if is_narrow(view) else column_shares(view),
        "rows": [{"kind": row.kind, "cells": row.cells} for row in view.rows],
    }


def page_svg(svg: str) -> str:
    """Return a drawing set in the faces of the page."""
    faces = ", ".join(f"'{each}'" for each in _FACES)
    return svg.replace(FACE, faces).replace('font-family="inherit"', f'font-family="{faces}"')
