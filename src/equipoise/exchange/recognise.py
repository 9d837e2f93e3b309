"""Tells what a file is by what it holds: its name only where nothing in it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, Literal

from equipoise.exchange.unreadable import FileUnreadable

Kind = Literal["ctgov", "usdm", "odm", "define", "fhir", "e2b", "datasets", "package"]

_HEAD_BYTES: Final = 65_536
_TABLES: Final = frozenset({".csv", ".ndjson"})
_ROOT: Final = re.compile(rb"<(?:[\w.-]+:)?([A-Za-z_][\w.-]*)[\s>/]")
_COMMENTS: Final = re.compile(rb"<!--.*?-->|<\?.*?\?>|<!DOCTYPE[^>\[]*(?:\[.*?\])?\s*>", re.DOTALL)
_KEYS: Final[tuple[tuple[bytes, Kind], ...]] = (
    (rb'"protocolSection"\s*:', "ctgov"),
    (rb'"datasetJSONVersion"\s*:', "datasets"),
    (rb'"resourceType"\s*:', "fhir"),
    (rb'"(?:usdmVersion|instanceType)"\s*:', "usdm"),
)


def kind_of(path: Path) -> Kind:
    """Return what a file is: a registry record where nothing says otherwise, whose reader then says what is
    wrong.

    Raises FileUnreadable: FILE-MISSING; XML-ROOT for XML of no kind that is read here.
    """
    if not path.is_file():
        raise FileUnreadable("FILE-MISSING", f"There is no file {path.name} to read. Check the path.")
    with path.open("rb") as handle:
        head = handle.read(_HEAD_BYTES)
    if head.startswith((b"HEADER RECORD*******", b"PAR1")):
        return "datasets"
    if head.startswith(b"PK\x03\x04"):
        return "package"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"<"):
        return _kind_of_xml(path, text)
    if text.startswith((b"{", b"[")):
        found = {kind: match.start() for key, kind in _KEYS if (match := re.search(key, text))}
        if found:
            return min(found, key=lambda kind: found[kind])
    return "datasets" if path.suffix.lower() in _TABLES else "ctgov"


def _kind_of_xml(path: Path, text: bytes) -> Kind:
    root = _ROOT.search(_COMMENTS.sub(b"", text))
    name = root[1].decode() if root else ""
    if name == "ODM":
        # A description of datasets is ODM with an extension, of which every such file names the namespace.
        return "define" if b"cdisc.org/ns/def/" in text else "odm"
    if name.startswith("MCCI_IN"):
        return "e2b"
    raise FileUnreadable(
        "XML-ROOT",
        f"The file {path.name} is XML, and its root is {name or 'not there'}. What is read is ODM, "
        "Define-XML and E2B(R3).",
        "line 1",
    )
