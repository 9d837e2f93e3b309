"""What the words of the sites are called in dictionaries, and what there is to choose from."""

from __future__ import annotations

from equipoise.access.content import Audience
from equipoise.access.permissions import permitted_commands
from equipoise.coding.decide import proposals_hash
from equipoise.coding.outdated import carried_hash
from equipoise.coding.state import (
    CodingRow,
    DictionaryRow,
    Verbatim,
    coding_of,
    dictionary_in_use,
    status_of,
)
from equipoise.conduct.coding import read_verbatims
from equipoise.conduct.view.lines import (
    CodingLine,
    CodingProposals,
    ProposalLine,
    TermLine,
)
from equipoise.conduct.view.outdated_lines import OutdatedCodings, OutdatedLine
from equipoise.conduct.view.scope import Scope
from equipoise.definition.coded import DictionaryName

TERMS_MAX = 50
"""How many terms there are to choose from at once; more words make the choice smaller."""


def list_dictionaries(scope: Scope) -> tuple[DictionaryRow, ...]:
    """List the versions of dictionaries that were added, in the order of adding."""
    scope.need(Audience.TRIAL)
    return tuple(sorted(scope.tables.all(DictionaryRow), key=lambda row: row.position))


def list_coding(scope: Scope) -> tuple[CodingLine, ...]:
    """List the words that are to be coded within the viewer's scope, with what was chosen for them."""
    scope.need(Audience.CONDUCT)
    return tuple(
        _coding_line(verbatim, coding_of(scope.tables, verbatim))
        for verbatim in read_verbatims(scope.definition, scope.tables)
        if scope.viewer.sees_participant(verbatim.participant)
    )


def _coding_line(verbatim: Verbatim, row: CodingRow | None) -> CodingLine:
    return CodingLine(
        participant=verbatim.participant,
        form=verbatim.form,
        encounter=verbatim.encounter,
        row=verbatim.row,
        item=verbatim.item,
        verbatim=verbatim.text,
        dictionary=verbatim.dictionary,
        status=status_of(verbatim, row),
        coded=row.verbatim if row else None,
        version=row.version if row else None,
        levels=row.levels if row else (),
        codes=row.codes if row else (),
        terms=row.terms if row else (),
        automatic=row is not None and row.automatic,
        coded_by=row.coded_by if row else None,
        coded_at=row.coded_at if row else None,
    )


def list_proposals(scope: Scope, dictionary: DictionaryName) -> CodingProposals:
    """Return what a dictionary proposes for the words that are not coded."""
    _need_coder(scope)
    in_use = dictionary_in_use(scope.tables, dictionary)
    if in_use is None:
        return CodingProposals(lines=(), shown_hash="")
    found = scope.coder.propose(scope.definition, scope.tables, dictionary, scope.viewer.sees_participant)
    lines = tuple(
        ProposalLine(
            participant=each.verbatim.participant,
            form=each.verbatim.form,
            encounter=each.verbatim.encounter,
            row=each.verbatim.row,
            item=each.verbatim.item,
            verbatim=each.verbatim.text,
            code=each.term.code,
            terms=tuple(level.term for level in each.term.levels),
            because=each.because,
        )
        for each in found
    )
    return CodingProposals(lines=lines, shown_hash=proposals_hash(in_use, found))


def list_outdated(scope: Scope, dictionary: DictionaryName) -> OutdatedCodings:
    """Return the codings that hold with an earlier version of a dictionary than the one in use."""
    _need_coder(scope)
    in_use = dictionary_in_use(scope.tables, dictionary)
    if in_use is None:
        return OutdatedCodings(lines=(), shown_hash="")
    found = scope.coder.outdated(scope.definition, scope.tables, dictionary, scope.viewer.sees_participant)
    lines = tuple(
        OutdatedLine(
            participant=each.verbatim.participant,
            form=each.verbatim.form,
            encounter=each.verbatim.encounter,
            row=each.verbatim.row,
            item=each.verbatim.item,
            verbatim=each.verbatim.text,
            version=each.coding.version,
            code=each.coding.codes[0],
            terms=each.coding.terms,
            terms_now=tuple(level.term for level in each.term.levels) if each.term else (),
            change=each.change,
        )
        for each in found
    )
    unchanged = [each for each in found if each.change == "unchanged"]
    return OutdatedCodings(lines=lines, shown_hash=carried_hash(in_use, unchanged))


def list_terms(scope: Scope, dictionary: DictionaryName, words: str | None) -> tuple[TermLine, ...]:
    """List the terms to choose from for some words: first those that the same words got before."""
    _need_coder(scope)
    return tuple(
        TermLine(
            code=term.code,
            term=term.text,
            levels=tuple(each.level for each in term.levels),
            codes=tuple(each.code for each in term.levels),
            terms=tuple(each.term for each in term.levels),
            earlier=earlier,
        )
        for term, earlier in scope.coder.candidates(scope.tables, dictionary, words or "", TERMS_MAX)
    )


def _need_coder(scope: Scope) -> None:
    """The terms of a dictionary are licensed: they are for those who code, and not for every reader."""
    scope.need(Audience.CONDUCT)
    if "CodeTerm" not in permitted_commands(scope.viewer.role.kind):
        raise scope.refused("the terms of a dictionary")
