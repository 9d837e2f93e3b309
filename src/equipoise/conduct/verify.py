"""Verification: the chain recomputed, the ledger replayed, the tables compared, the commitments opened."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Protocol

from equipoise.allocation.entries import TrialUnblinded
from equipoise.allocation.vault import verify_openings
from equipoise.coding.state import DictionaryRow
from equipoise.conduct.identities import unmatched
from equipoise.conduct.rooms import APPLY, apply_entry
from equipoise.conduct.view.texts import is_free_text
from equipoise.definition.coding import title_of_dictionary
from equipoise.definition.lock import definition_from_json
from equipoise.enrolment.state import IdentityRow
from equipoise.governance.entries import StudyAmended
from equipoise.ledger.blots import read_blot
from equipoise.ledger.chain import StoredRecord, check_chain
from equipoise.ledger.entry import Entry, Head
from equipoise.ledger.tables import ConstraintViolated, Row, Tables

_PROBLEMS_MAX = 50
_SENSELESS = (LookupError, TypeError, ValueError, AttributeError, ConstraintViolated)
"""What comes of content that no decision of this release can have written."""


class KeptTrial(Protocol):
    """A trial as it is kept, readable without being trusted."""

    def records(self) -> Iterator[StoredRecord]:
        """Iterate over the ledger, unchecked."""
        ...

    def head(self) -> Head:
        """Return the head as it is kept."""
        ...

    def definitions(self) -> Mapping[str, bytes]:
        """Return canonical definitions by the hash they are kept under."""
        ...

    def dictionary_hash(self, name: str, digest: str) -> str | None:
        """Return the SHA-256 of the terms that are kept under one now, or None where none are."""
        ...

    def row_types(self) -> Sequence[type[Row]]:
        """Return every row type that has a table."""
        ...

    def differing_rows(self, row_type: type[Row], expected: list[Any]) -> list[str]:
        """Name the rows of a table that differ from those expected."""
        ...

    def structure_problems(self) -> list[str]:
        """Say where the storage's structure is not as it should be."""
        ...


@dataclass(frozen=True, slots=True)
class VerifyProblem:
    """One thing that does not hold; codes are stable, sentences name places and no values."""

    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What verification found; `head` is recomputed, not read.

    `blotted` are the positions of the entries out of which something was blotted.
    """

    head: Head
    entries: int
    tables: int
    rows: int
    openings: int
    problems: tuple[VerifyProblem, ...]
    warnings: tuple[VerifyProblem, ...] = ()
    blotted: tuple[int, ...] = ()

    @property
    def intact(self) -> bool:
        """Whether nothing was found."""
        return not self.problems


def verify_trial(
    kept: KeptTrial, published: Sequence[Head] = (), identities: Collection[str] | None = None
) -> VerifyReport:
    """Replay a trial from its ledger and compare everything kept with what the ledger leads to.

    `published` are heads that were given to somebody outside: they show a ledger that was cut short and
    resealed. `identities` are the codes of a register of identities, where there is one: what does not
    agree with the ledger there is a warning, as no record of the trial depends on it.
    """
    problems = [
        VerifyProblem("VERIFY-STORE", f"The storage has {line}.") for line in kept.structure_problems()
    ]
    if any("cannot be read" in problem.sentence for problem in problems):
        return VerifyReport(Head.genesis(), 0, 0, 0, 0, tuple(problems))
    entries: list[Entry] = []
    chain = check_chain(kept.records(), published, keep=entries.append)
    warnings = [VerifyProblem(p.code, p.sentence) for p in chain.problems if p.severity == "warning"]
    problems += [VerifyProblem(p.code, p.sentence) for p in chain.problems if p.severity != "warning"]
    if kept.head() != chain.head:
        problems.append(VerifyProblem("VERIFY-HEAD", "The head that is kept is not the head of the chain."))
    if not chain.intact:
        return VerifyReport(
            chain.head, chain.entries, 0, 0, 0, tuple(problems[:_PROBLEMS_MAX]), tuple(warnings)
        )
    definitions = {**kept.definitions(), **_amended(entries)}
    altered = _check_definitions(definitions, entries)
    tables, unknown = _replay(entries)
    problems += altered + unknown
    if not altered and not unknown:
        problems += _check_blots(definitions, entries)
    rows = 0
    for row_type in kept.row_types():
        expected = list(tables.all(row_type))
        rows += len(expected)
        problems += [
            VerifyProblem("VERIFY-TABLE", f"In the table {row_type.table} the row {difference}.")
            for difference in kept.differing_rows(row_type, expected)
        ]
    problems += _check_openings(entries)
    gone, changed = _check_dictionaries(kept, tables)
    problems += changed
    warnings += gone
    if identities is not None:
        found = unmatched(identities, tables.all(IdentityRow))
        warnings += [VerifyProblem("VERIFY-IDENTITY", each.sentence) for each in found]
    return VerifyReport(
        head=chain.head,
        entries=chain.entries,
        tables=len(kept.row_types()),
        rows=rows,
        openings=sum(len(TrialUnblinded.of(e).openings) for e in entries if e.kind == TrialUnblinded.kind),
        problems=tuple(problems[:_PROBLEMS_MAX]),
        warnings=tuple(warnings),
        blotted=tuple(sorted({blot.target for each in entries if (blot := read_blot(each)) is not None})),
    )


def _amended(entries: Sequence[Entry]) -> dict[str, bytes]:
    """Return the definitions that the ledger itself brought in, by the hash that it gives them."""
    found = (StudyAmended.of(entry) for entry in entries if entry.kind == StudyAmended.kind)
    return {each.definition: each.canonical.encode() for each in found}


def _check_definitions(kept: Mapping[str, bytes], entries: Sequence[Entry]) -> list[VerifyProblem]:
    named = {entry.definition for entry in entries}
    problems = [
        VerifyProblem(
            "VERIFY-DEFINITION", f"The definition {digest[:12]} is not what it was: its hash differs."
        )
        for digest, canonical in kept.items()
        if sha256(canonical).hexdigest() != digest
    ]
    problems += [
        VerifyProblem("VERIFY-DEFINITION", f"The definition {digest[:12]}, which entries name, is not kept.")
        for digest in sorted(named - kept.keys())
    ]
    return problems


def _check_blots(kept: Mapping[str, bytes], entries: Sequence[Entry]) -> list[VerifyProblem]:
    """Find what was blotted out though it is no free text: the chain cannot tell, as it knows no kinds."""
    blots = [blot for entry in entries if (blot := read_blot(entry)) is not None]
    problems = []
    for blot in blots:
        entry = entries[blot.target - 1]
        if not is_free_text(definition_from_json(kept[entry.definition]), entry, blot.path):
            sentence = f"Entry {blot.position} blotted out what is no free text of entry {blot.target}."
            problems.append(VerifyProblem("VERIFY-BLOT", sentence))
    return problems


def _check_dictionaries(kept: KeptTrial, tables: Tables) -> tuple[list[VerifyProblem], list[VerifyProblem]]:
    """Return a warning for each dictionary that is not kept any more, and a problem for each that changed.

    Codings are read without their dictionary: its licence may end before the trial does.
    """
    gone, changed = [], []
    for row in tables.all(DictionaryRow):
        called = f"{title_of_dictionary(row.dictionary)} {row.version}"
        found = kept.dictionary_hash(row.dictionary, row.sha256)
        if found is None:
            sentence = f"The terms of {called} are not kept any more: nothing is coded with them."
            gone.append(VerifyProblem("VERIFY-DICTIONARY", sentence))
        elif found != row.sha256:
            sentence = f"The terms of {called} are not those that entry {row.position} names."
            changed.append(VerifyProblem("VERIFY-DICTIONARY", sentence))
    return gone, changed


def _check_openings(entries: Sequence[Entry]) -> list[VerifyProblem]:
    try:
        return [VerifyProblem(each.code, each.sentence) for each in verify_openings(entries)]
    except _SENSELESS:
        return [VerifyProblem("VERIFY-OPENINGS", "What was revealed at the unblinding cannot be read.")]


def _replay(entries: Sequence[Entry]) -> tuple[Tables, list[VerifyProblem]]:
    tables = Tables()
    for entry in entries:
        if entry.kind not in APPLY:
            sentence = (
                f"Entry {entry.position} is of the kind {entry.kind}, which this release does not know."
            )
            return tables, [VerifyProblem("VERIFY-KIND", sentence)]
        try:
            apply_entry(tables, entry)
        except _SENSELESS:
            sentence = f"Entry {entry.position} ({entry.kind}) does not fit what came before it."
            return tables, [VerifyProblem("VERIFY-REPLAY", sentence)]
    return tables, []
