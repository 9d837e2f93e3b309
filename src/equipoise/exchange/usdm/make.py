"""Makes the objects of a USDM tree: each with its class and an id that is derived, not drawn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from html import escape

from equipoise.definition.countries import alpha_3
from equipoise.exchange.registry.countries import country_name
from equipoise.exchange.usdm.terms import (
    CDISC,
    CDISC_VERSION,
    COUNTRIES,
    COUNTRIES_VERSION,
    COUNTRY,
    GLOBAL,
    OWN,
    OWN_VERSION,
    Codelist,
    Term,
    Word,
)

Tree = dict[str, object]

NOT_STATED = "Not stated in the study definition"
"""What stands where USDM wants a text and the study definition has none."""


class Maker:
    """Makes objects, and numbers the ids of each class from 1 in the order in which they are asked for.

    A `key` names an object within its class, so that others can refer to it before it is made.
    """

    def __init__(self) -> None:
        self._numbers: Counter[str] = Counter()
        self._ids: dict[tuple[str, str], str] = {}

    def id_of(self, kind: str, key: str) -> str:
        """Return the id of the object of a class that has this key."""
        if (kind, key) not in self._ids:
            self._ids[kind, key] = self._new_id(kind)
        return self._ids[kind, key]

    def _new_id(self, kind: str) -> str:
        self._numbers[kind] += 1
        return f"{kind}_{self._numbers[kind]}"

    def make(self, kind: str, fields: Mapping[str, object], key: str | None = None) -> Tree:
        """Return an object of a class."""
        identifier = self._new_id(kind) if key is None else self.id_of(kind, key)
        return {"id": identifier, **fields, "instanceType": kind}

    def code(self, term: Term, system: str = CDISC, version: str = CDISC_VERSION) -> Tree:
        """Return a code, of CDISC where no other system is named."""
        return self.make(
            "Code",
            {
                "code": term.code,
                "codeSystem": system,
                "codeSystemVersion": version,
                "decode": term.decode,
            },
        )

    def own_code(self, word: str) -> Tree:
        """Return a word of the study folder as a code of the project's own system."""
        decode = word.replace("_", " ").replace("+", " and ")
        return self.code(Term(word, decode[:1].upper() + decode[1:]), OWN, OWN_VERSION)

    def coded(self, codelist: Codelist[Word], word: Word) -> Tree:
        """Return a word's code in a CDISC codelist, or, where that has none, in the project's own system."""
        term = codelist.get(word)
        if term is not None:
            return self.code(term)
        return self.own_code("+".join(word) if isinstance(word, tuple) else str(word))

    def alias(self, code: Tree) -> Tree:
        """Return a code as USDM wants it where it may have aliases."""
        return self.make("AliasCode", {"standardCode": code})

    def country(self, alpha_2: str) -> Tree:
        """Return the code of a country."""
        term = Term(alpha_3(alpha_2), country_name(alpha_2))
        return self.code(term, COUNTRIES, COUNTRIES_VERSION)

    def scope(self, alpha_2: str) -> Tree:
        """Return a country as the scope of what holds there."""
        return self.make(
            "GeographicScope",
            {"type": self.code(COUNTRY), "code": self.alias(self.country(alpha_2))},
        )

    def everywhere(self) -> Tree:
        """Return the scope of what holds in all countries."""
        return self.make("GeographicScope", {"type": self.code(GLOBAL), "code": None})

    def quantity(self, value: int | float, unit: Term | None = None) -> Tree:
        """Return a number with its unit."""
        return self.make(
            "Quantity", {"value": value, "unit": None if unit is None else self.alias(self.code(unit))}
        )

    def varying_duration(self, text: str, reason: str) -> Tree:
        """Return a duration that is not fixed, or not stated."""
        fields = {"text": text, "durationWillVary": True, "reasonDurationWillVary": reason}
        return self.make("Duration", {**fields, "quantity": None})

    def notes(self, *labelled: tuple[str, object]) -> list[Tree]:
        """Return notes of the form "Label: text", one for each text that is there."""
        return [
            self.make("CommentAnnotation", {"text": f"{label}: {text}"}) for label, text in labelled if text
        ]


def html_text(text: str) -> str:
    """Return text as the XHTML that USDM wants of criteria, objectives and endpoints: a paragraph a line."""
    return "".join(f"<p>{escape(line.strip(), quote=False)}</p>" for line in text.split("\n") if line.strip())


def lines_of(*labelled: tuple[str, object]) -> str | None:
    """Return lines of the form "Label: text" for a class that has a description and no notes."""
    return "\n".join(f"{label}: {text}" for label, text in labelled if text) or None
