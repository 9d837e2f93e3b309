"""Reading XML that nobody here wrote: no entities, no network, within limits, with the line of every fault.

Source of the hazards: OWASP, "XML External Entity Prevention Cheat Sheet".
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from lxml import etree

from equipoise.exchange.unreadable import FileUnreadable, read_bytes

XML_BYTES_MAX: Final = 200_000_000
DEPTH_MAX: Final = 100


def read_xml(path: Path, bytes_max: int = XML_BYTES_MAX) -> etree._Element:
    """Return the root element of a file.

    Raises FileUnreadable: those of `read_bytes`; XML-DOCTYPE for a document type, whose entities could expand
    without end or read other files; XML-INVALID, with the line, for what is not well-formed; XML-TOO-DEEP.
    """
    content = read_bytes(path, bytes_max)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_pis=True
    )
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        line = error.lineno or 1
        if "depth" in (error.msg or "").lower():
            raise _too_deep(path, line) from error
        raise FileUnreadable(
            "XML-INVALID",
            f"The file {path.name} is not well-formed XML: {(error.msg or 'it is cut off').rstrip('.')}. "
            "Export it again.",
            f"line {line}",
        ) from error
    if root.getroottree().docinfo.doctype:
        raise FileUnreadable(
            "XML-DOCTYPE",
            f"The file {path.name} declares a document type, which may name other files or expand "
            "without end. Remove the DOCTYPE and try again.",
            "line 1",
        )
    _check_depth(path, root)
    return root


def line_of(element: etree._Element) -> int:
    """Return the line at which an element begins."""
    return int(element.sourceline or 0)


def _check_depth(path: Path, root: etree._Element) -> None:
    depth = 0
    for event, element in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if depth > DEPTH_MAX:
            raise _too_deep(path, line_of(element))


def _too_deep(path: Path, line: int) -> FileUnreadable:
    return FileUnreadable(
        "XML-TOO-DEEP",
        f"The file {path.name} nests deeper than {DEPTH_MAX} levels, which no document of its kind does.",
        f"line {line}",
    )
