"""Reads an ICSR into its data elements: what a report says, number by number."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from lxml import etree

from equipoise.exchange.e2b.elements import ELEMENTS
from equipoise.exchange.e2b.hl7 import NAMESPACE
from equipoise.exchange.markup import line_of, read_xml
from equipoise.exchange.unreadable import FileUnreadable

ICSR_BYTES_MAX: Final = 50_000_000
_ROOT: Final = f"{{{NAMESPACE}}}MCCI_IN200100UV01"
_ATTRIBUTE: Final = re.compile(r"/@(\w+)$")
_MESSAGE: Final = f"{{{NAMESPACE}}}PORR_IN049016UV"

Values = Mapping[str, tuple[str, ...]]
"""The values of each data element in their order; one that is null is 'nullFlavor' and the reason."""


def read_icsr(path: Path) -> Values:
    """Return the data elements of the only report in a file, without those that it does not have.

    Raises FileUnreadable: those of `read_xml`; E2B-ROOT for another kind of document, E2B-BATCH for a batch
    of no report or of several.
    """
    root = read_xml(path, ICSR_BYTES_MAX)
    if root.tag != _ROOT:
        raise FileUnreadable(
            "E2B-ROOT",
            f"The file {path.name} is no batch of individual case safety reports: it begins with "
            f"{etree.QName(root).localname}. Choose an ICSR in the form of E2B(R3).",
            f"line {line_of(root)}",
        )
    reports = len(root.findall(_MESSAGE))
    if reports != 1:
        raise FileUnreadable(
            "E2B-BATCH",
            f"The file {path.name} holds {reports} reports, and one is read at a time. Save each by itself.",
            f"line {line_of(root)}",
        )
    found = ((element.number, _values(root, element.path)) for element in ELEMENTS)
    return {number: values for number, values in found if values}


def missing_elements(values: Values) -> tuple[str, ...]:
    """Return the numbers of the elements that every report must have and this one lacks.

    A serious event needs one of the criteria of seriousness, besides: E.i.3.2.
    """
    missing = [each.number for each in ELEMENTS if each.required and each.number not in values]
    criteria = [each for number, each in values.items() if number.startswith("E.i.3.2")]
    return (*missing, *([] if any("true" in each for each in criteria) else ["E.i.3.2"]))


def _values(root: etree._Element, path: str) -> tuple[str, ...]:
    """Return the values at a path; where the path ends in an attribute, a null stands for it."""
    ends = _ATTRIBUTE.search(path)
    owner, attribute = (path[: ends.start()], ends[1]) if ends else (path, "")
    found = root.xpath(owner, namespaces={"h": NAMESPACE})
    assert isinstance(found, list), "the path goes to elements"
    values = (_value(each, attribute) for each in found if isinstance(each, etree._Element))
    return tuple(value for value in values if value is not None)


def _value(element: etree._Element, attribute: str) -> str | None:
    flavour = element.get("nullFlavor")
    if flavour is not None:
        return f"nullFlavor {flavour}"
    if not attribute:
        return "".join(str(part) for part in element.itertext()).strip() or None
    text = element.get(attribute)
    return None if text is None else _plain(text)


def _plain(text: str) -> str:
    """Return a telephone, fax or e-mail address without its scheme."""
    scheme, colon, rest = text.partition(":")
    return rest if colon and scheme in ("tel", "fax", "mailto") else text
