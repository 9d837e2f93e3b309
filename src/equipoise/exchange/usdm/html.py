"""The text of USDM's XHTML: a line for each paragraph and item, and what its tags refer to put in."""

from __future__ import annotations

from html.parser import HTMLParser

from equipoise.exchange.usdm.tree import Part

_BLOCKS = frozenset(
    ["p", "div", "li", "ul", "ol", "dl", "dt", "dd", "table", "tr", "br", "h1", "h2", "h3", "h4", "h5", "h6"]
)
_CELLS = frozenset({"td", "th"})


class _Text(HTMLParser):
    """Gathers text line by line; `terms` are what the parameters of a template stand for."""

    def __init__(self, terms: dict[str, str]) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[list[str]] = [[]]
        self._terms = terms

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _BLOCKS:
            self.lines.append(["- "] if tag == "li" else [])
        elif tag in _CELLS:
            self.lines[-1].append(" ")
        elif tag == "usdm:tag":
            name = dict(attrs).get("name") or ""
            self.lines[-1].append(self._terms.get(name, f"[{name}]"))

    def handle_endtag(self, tag: str) -> None:
        if tag in _BLOCKS:
            self.lines.append([])

    def handle_data(self, data: str) -> None:
        self.lines[-1].append(data)


class _Reference(HTMLParser):
    """The attributes of a `usdm:ref`."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, str | None] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "usdm:ref" and self.found is None:
            self.found = dict(attrs)


def plain_text(markup: str, terms: dict[str, str] | None = None) -> str:
    """Return the text of XHTML, a line for each block that has one."""
    parser = _Text(terms or {})
    parser.feed(markup)
    parser.close()
    lines: list[str] = []
    bullet = ""
    for pieces in parser.lines:
        line = " ".join("".join(pieces).split())
        if line == "-":
            bullet = "- "
        elif line:
            lines.append(f"{bullet}{line}")
            bullet = ""
    return "\n".join(lines)


def expanded(part: Part, key: str) -> str | None:
    """Return the text of XHTML at a key, with what the tags of its dictionary stand for put in."""
    markup = part.text(key)
    if markup is None:
        return None
    dictionary = part.follow("dictionaryId")
    terms: dict[str, str] = {}
    for entry in dictionary.parts("parameterMaps") if dictionary else []:
        tag = entry.peek("tag")
        if tag and f'name="{tag}"' in markup and (value := _value_of(entry)) is not None:
            terms[tag] = value
            entry.done("tag", "reference")
    return plain_text(markup, terms) or None


def _value_of(entry: Part) -> str | None:
    reference = entry.peek("reference")
    if reference is None or "<usdm:ref" not in reference:
        return reference
    parser = _Reference()
    parser.feed(reference)
    attributes = parser.found or {}
    target = entry.account.objects.get(attributes.get("id") or "")
    value = None if target is None else target.tree.get(attributes.get("attribute") or "")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return plain_text(str(value)) if isinstance(value, str | int | float) else None
