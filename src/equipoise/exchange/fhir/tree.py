"""Building FHIR's objects: what every resource has, and the data types that all of them use."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from uuid import NAMESPACE_URL, uuid5

from equipoise.definition.coded import Coding
from equipoise.exchange.fhir.codes import MEDDRA, UCUM

Tree = dict[str, object]
"""An object of FHIR in its JSON form."""

_NOT_OF_ID: Final = re.compile(r"[^A-Za-z0-9.-]+")
_ID_MAX: Final = 64


@dataclass(frozen=True, slots=True)
class Names:
    """The identifiers of a study's resources: derived from the study's and their own, and from no arm."""

    study: str

    def uuid(self, kind: str, name: str) -> str:
        """Return the identifier of a resource, the same in every export of the study."""
        return str(uuid5(NAMESPACE_URL, f"urn:equipoise:fhir:{self.study}:{kind}:{name}"))

    def url(self, kind: str, name: str) -> str:
        """Return the address of a resource within the bundle, which is its canonical URL, too."""
        return f"urn:uuid:{self.uuid(kind, name)}"

    def resource(self, kind: str, key: str, /, **members: object) -> Tree:
        """Return a resource of a kind, without what is missing."""
        return kept(resourceType=kind, id=self.uuid(kind, key), **members)

    def reference(self, kind: str, name: str, display: str | None = None) -> Tree:
        """Return a reference to a resource of the bundle."""
        return kept(reference=self.url(kind, name), type=kind, display=display)


def kept(**members: object) -> Tree:
    """Return an object without what is missing or empty."""
    return {name: value for name, value in members.items() if value is not None and value not in ("", [], {})}


def concept(text: str | None, system: str | None = None, code: str | None = None) -> Tree:
    """Return a concept with its words, and its code where a system has one."""
    coding = [kept(system=system, code=code)] if code is not None else []
    return kept(coding=coding, text=text)


def coded_concept(text: str, coding: Coding | None) -> Tree:
    """Return words with the term of MedDRA that they were coded with, if they were."""
    if coding is None or coding.dictionary != "meddra":
        return concept(text)
    lowest = coding.levels[0]
    named = {"version": coding.version, "code": lowest.code, "display": lowest.term}
    return kept(coding=[{"system": MEDDRA, **named}], text=text)


def extension(url: str, **value: object) -> Tree:
    """Return an extension with its value."""
    return {"url": url, **value}


def quantity(value: int | float, unit: str, code: str, comparator: str | None = None) -> Tree:
    """Return a quantity in a unit of UCUM."""
    return kept(comparator=comparator, unit=unit, system=UCUM, code=code) | {"value": value}


def days(value: int) -> Tree:
    """Return a number of days."""
    return quantity(value, "days", "d")


def number(value: Decimal) -> int | float:
    """Return a decimal as a number of JSON."""
    return int(value) if value == value.to_integral_value() else float(value)


def moment(text: str) -> str:
    """Return a time of the ledger to the second."""
    return f"{text[:19]}Z"


def slug(name: str) -> str:
    """Return a name as an id of FHIR: a definition's names have underscores, which it does not allow."""
    return _NOT_OF_ID.sub("-", name)[:_ID_MAX]


def joined(parts: Sequence[str]) -> str:
    """Return paragraphs as one text."""
    return "\n\n".join(parts)
