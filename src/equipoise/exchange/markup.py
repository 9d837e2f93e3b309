"""Reading XML that nobody here wrote: no entities, no network, within limits, with the line of every fault.

Source of the hazards: OWASP, "XML External Entity Prevention Cheat Sheet".
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, TypedDict

from lxml import etree

from equipoise.exchange.unreadable import FileUnreadable, read_bytes

XML_BYTES_MAX: Final = 200_000_000
DEPTH_MAX: Final = 100


class _Safely(TypedDict):
    resolve_entities: bool
    no_network: bool
    load_dtd: bool
    huge_tree: bool
    remove_pis: bool


SAFELY: Final[_Safely] = {
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "huge_tree": False,
    "remove_pis": True,
}
"""How any parser here is made."""


def read_xml(path: Path, bytes_max: int = XML_BYTES_MAX) -> etree._Element:
    """Return the root element of a file.

    Raises FileUnreadable: those of `read_bytes`; XML-DOCTYPE for a document type, whose entities could expand
    without end or read other files; XML-INVALID, with the line, for what is not well-formed; XML-TOO-DEEP.
    """
    content = read_bytes(path, bytes_max)
    try:
        root = etree.fromstring(content, etree.XMLParser(**SAFELY))
    except etree.XMLSyntaxError as error:
        raise not_well_formed(path, error) from error
    check_document_type(path, root)
    depth = 0
    for event, element in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        check_depth(path, element, depth)
    return root


def not_well_formed(path: Path, error: etree.XMLSyntaxError) -> FileUnreadable:
    """Return what a parser's error means to a reader."""
    line = error.lineno or 1
    if "depth" in (error.msg or "").lower():
        return _too_deep(path, line)
    reason = (error.msg or "it is cut off").rstrip(".")
    return FileUnreadable(
        "XML-INVALID",
        f"The file {path.name} is not well-formed XML: {reason}. Export it again.",
        f"line {line}",
    )


def check_document_type(path: Path, root: etree._Element) -> None:
    """Refuse a document with a document type."""
    if root.getroottree().docinfo.doctype:
        raise FileUnreadable(
            "XML-DOCTYPE",
            f"The file {path.name} declares a document type, which may name other files or expand "
            "without end. Remove the DOCTYPE and try again.",
            "line 1",
        )


def check_depth(path: Path, element: etree._Element, depth: int) -> None:
    """Refuse an element that stands deeper than any document nests."""
    if depth > DEPTH_MAX:
        raise _too_deep(path, line_of(element))


def line_of(element: etree._Element) -> int:
    """Return the line at which an element begins."""
    return int(element.sourceline or 0)


def _too_deep(path: Path, line: int) -> FileUnreadable:
    return FileUnreadable(
        "XML-TOO-DEEP",
        f"The file {path.name} nests deeper than {DEPTH_MAX} levels, which no document of its kind does.",
        f"line {line}",
    )
