"""Building the elements of ODM: text that XML can hold, and what the versions do not share."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from lxml import etree

from equipoise.exchange.odm.metadata import Expression, Texts
from equipoise.exchange.odm.names import NAMESPACES, OWN, XML_LANG, Version, escaped

Attributes = Mapping[str, str | int | None]
_NONE: Attributes = MappingProxyType({})


def root_of(version: Version, name: str, attributes: Attributes = _NONE) -> etree._Element:
    """Return an element that stands in nothing yet."""
    namespace = NAMESPACES[version]
    element: etree._Element = etree.Element(f"{{{namespace}}}{name}", nsmap={None: namespace})
    _fill(element, attributes, None)
    return element


def add(
    parent: etree._Element, name: str, attributes: Attributes = _NONE, text: str | None = None
) -> etree._Element:
    """Append an element in the namespace of its parent; attributes that are None are left out."""
    namespace = etree.QName(parent).namespace
    element: etree._Element = etree.SubElement(parent, f"{{{namespace}}}{name}")
    _fill(element, attributes, text)
    return element


def _fill(element: etree._Element, attributes: Attributes, text: str | None) -> None:
    for key, value in attributes.items():
        if value is not None:
            element.set(key, escaped(str(value)))
    if text is not None:
        element.text = escaped(text)


def yes(value: bool) -> str:
    """Return Yes or No."""
    return "Yes" if value else "No"


def version_of(element: etree._Element) -> Version:
    """Return the version whose namespace an element is in."""
    return "2.0" if etree.QName(element).namespace == NAMESPACES["2.0"] else "1.3.2"


def add_texts(parent: etree._Element, name: str, texts: Texts) -> None:
    """Append an element with a text in each language, or nothing without texts."""
    if not texts:
        return
    element = add(parent, name)
    for language, text in texts.items():
        attributes = {
            "Type": "text/plain" if version_of(parent) == "2.0" else None,
            XML_LANG: language or None,
        }
        add(element, "TranslatedText", attributes, text)


def add_expression(parent: etree._Element, expression: Expression) -> None:
    """Append a formal expression."""
    if version_of(parent) == "2.0":
        add(add(parent, "FormalExpression", {"Context": expression.context}), "Code", text=expression.code)
    else:
        add(parent, "FormalExpression", {"Context": expression.context}, expression.code)


def add_own(parent: etree._Element, own: Mapping[str, str]) -> None:
    """Append what only this system says, as aliases."""
    for name, value in own.items():
        add(parent, "Alias", {"Context": f"{OWN}{name}", "Name": value})
