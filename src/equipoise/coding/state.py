"""The state of coding: the dictionaries in use, and what was chosen for which words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

from equipoise.coding.entries import CodingCarriedOver, DictionaryAdded, TermCoded
from equipoise.definition.coded import DictionaryName
from equipoise.ledger.entry import Entry
from equipoise.ledger.tables import Row, Tables

CodingStatus = Literal["uncoded", "lapsed", "coded"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DictionaryRow(Row):
    """A version of a dictionary that the trial codes, or coded, with; `counts` are terms by level."""

    table: ClassVar[str] = "dictionary"
    key: ClassVar[tuple[str, ...]] = ("dictionary", "version")

    dictionary: str
    version: str
    sha256: str
    counts: dict[str, Any]
    added_at: str
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CodingRow(Row):
    """What was chosen last for an item of a filled form; it holds for the words `verbatim` and no others.

    `version` is that of the dictionary, also where the choice was carried over to it.
    `levels`, `codes` and `terms` name the hierarchy from the chosen term to the highest.
    """

    table: ClassVar[str] = "coding"
    key: ClassVar[tuple[str, ...]] = ("participant", "form", "encounter", "row", "item")

    participant: str
    form: str
    encounter: str
    row: int
    item: str
    verbatim: str
    dictionary: str
    version: str
    levels: tuple[str, ...]
    codes: tuple[str, ...]
    terms: tuple[str, ...]
    automatic: bool
    coded_by: str
    coded_at: str
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Verbatim:
    """The words of an item as they stand now.

    `encounter` is empty between encounters, `row` 0 when not repeating.
    """

    participant: str
    form: str
    encounter: str
    row: int
    item: str
    dictionary: DictionaryName
    text: str

    @property
    def key(self) -> tuple[str, str, str, int, str]:
        """Where the words stand, as the key of a coding."""
        return self.participant, self.form, self.encounter, self.row, self.item


def dictionary_in_use(tables: Tables, name: str) -> DictionaryRow | None:
    """Return the version of a dictionary that was added last, or None."""
    rows = tables.where(DictionaryRow, dictionary=name)
    return max(rows, key=lambda row: row.position, default=None)


def coding_of(tables: Tables, verbatim: Verbatim) -> CodingRow | None:
    """Return what was chosen last for an item, whether it still holds or not."""
    return tables.get(CodingRow, *verbatim.key)


def status_of(verbatim: Verbatim, coding: CodingRow | None) -> CodingStatus:
    """Tell whether a coding holds: it lapses where other words stand, or another dictionary is asked for."""
    if coding is None:
        return "uncoded"
    holds = coding.verbatim == verbatim.text and coding.dictionary == verbatim.dictionary
    return "coded" if holds else "lapsed"


def _apply_dictionary_added(tables: Tables, entry: Entry) -> None:
    added = DictionaryAdded.of(entry)
    tables.put(
        DictionaryRow(
            dictionary=added.dictionary,
            version=added.dictionary_version,
            sha256=added.sha256,
            counts=added.counts,
            added_at=entry.recorded_at,
            position=entry.position,
        )
    )


def _apply_term_coded(tables: Tables, entry: Entry) -> None:
    coded = TermCoded.of(entry)
    tables.put(
        CodingRow(
            participant=coded.participant,
            form=coded.form,
            encounter=coded.encounter,
            row=coded.row,
            item=coded.item,
            verbatim=coded.verbatim,
            dictionary=coded.dictionary,
            version=coded.dictionary_version,
            levels=coded.levels,
            codes=coded.codes,
            terms=coded.terms,
            automatic=coded.automatic,
            coded_by=entry.actor,
            coded_at=entry.recorded_at,
            position=entry.position,
        )
    )


def _apply_coding_carried_over(tables: Tables, entry: Entry) -> None:
    carried = CodingCarriedOver.of(entry)
    place = carried.participant, carried.form, carried.encounter, carried.row, carried.item
    tables.put(replace(tables.require(CodingRow, *place), version=carried.dictionary_version))


APPLY: dict[str, Callable[[Tables, Entry], None]] = {
    "DictionaryAdded": _apply_dictionary_added,
    "TermCoded": _apply_term_coded,
    "CodingCarriedOver": _apply_coding_carried_over,
}
