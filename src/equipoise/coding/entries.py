"""What the ledger says of coding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from equipoise.access.content import Audience, Content, entry_kind


@entry_kind(audience=Audience.TRIAL)
@dataclass(frozen=True, slots=True, kw_only=True)
class DictionaryAdded(Content):
    """The trial codes with this version from now on.

    `counts` are terms by level, `sha256` is that of the terms.
    """

    dictionary: str
    dictionary_version: str
    sha256: str
    counts: dict[str, Any]


@entry_kind(audience=Audience.CONDUCT, texts=("verbatim",))
@dataclass(frozen=True, slots=True, kw_only=True)
class TermCoded(Content):
    """The words of an item were coded; to be read without the dictionary.

    `levels`, `codes` and `terms` name the hierarchy from the chosen term to the highest. An `automatic` one
    was proposed by the program and accepted by a person together with others.
    """

    participant: str
    form: str
    encounter: str
    row: int
    item: str
    verbatim: str
    dictionary: str
    dictionary_version: str
    levels: tuple[str, ...]
    codes: tuple[str, ...]
    terms: tuple[str, ...]
    automatic: bool


@entry_kind(audience=Audience.CONDUCT)
@dataclass(frozen=True, slots=True, kw_only=True)
class CodingCarriedOver(Content):
    """A coding holds in another version of its dictionary, in which its codes and names are the same.

    `code` and `term` are those of the term that was chosen, `earlier_version` is that of its coding.
    """

    participant: str
    form: str
    encounter: str
    row: int
    item: str
    dictionary: str
    dictionary_version: str
    earlier_version: str
    code: str
    term: str
