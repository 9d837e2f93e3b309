"""Codings with an earlier version of a dictionary, held against the version in use (up-versioning).

MSSO's *MedDRA Term Selection: Points to Consider* and its *Best Practices* ask that a change of version be
looked through: what is gone or has moved is coded anew, the rest is carried over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

from equipoise.coding.dictionary import Dictionaries, Term
from equipoise.coding.state import CodingRow, DictionaryRow, Verbatim, coding_of, status_of
from equipoise.definition.coded import Level
from equipoise.ledger.canonical import JSON, canonical_json
from equipoise.ledger.tables import Tables

Change = Literal["unchanged", "moved", "not_current", "gone"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outdated:
    """Words that are coded with an earlier version, and what became of their term: `term` is that of now.

    A term is `moved` where anything of its hierarchy has another code or name; `not_current` and `gone` ones
    are coded with no more.
    """

    verbatim: Verbatim
    coding: CodingRow
    term: Term | None
    change: Change


def outdated_codings(
    dictionaries: Dictionaries, tables: Tables, in_use: DictionaryRow, verbatims: Iterable[Verbatim]
) -> Iterator[Outdated]:
    """Iterate over the words whose coding holds with another version than that in use, in their order."""
    known: dict[str, Term | None] = {}
    for verbatim in verbatims:
        row = coding_of(tables, verbatim)
        if row is None or verbatim.dictionary != in_use.dictionary or status_of(verbatim, row) != "coded":
            continue
        if row.version == in_use.version:
            continue
        code = row.codes[0]
        if code not in known:
            known[code] = dictionaries.term(in_use.sha256, code)
        yield Outdated(verbatim=verbatim, coding=row, term=known[code], change=_change(row, known[code]))


def _change(row: CodingRow, term: Term | None) -> Change:
    if term is None:
        return "gone"
    if not term.current:
        return "not_current"
    before = tuple(Level(*each) for each in zip(row.levels, row.codes, row.terms, strict=True))
    return "unchanged" if before == term.levels else "moved"


def carried_hash(in_use: DictionaryRow, unchanged: Iterable[Outdated]) -> str:
    """Return the SHA-256, in hexadecimal, of codings that may be carried over to a version, as shown."""
    said: list[JSON] = [
        [*each.verbatim.key, each.verbatim.text, each.coding.version, each.coding.codes[0]]
        for each in unchanged
    ]
    return sha256(canonical_json([in_use.version, in_use.sha256, said])).hexdigest()
