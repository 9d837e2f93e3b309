"""The coder of a rehearsal: accepts what the dictionaries propose, and takes the first term for the rest."""

from __future__ import annotations

from equipoise.coding.commands import CodeMatches, CodeTerm
from equipoise.coding.dictionary import words_of
from equipoise.conduct.view import MaskedView
from equipoise.conduct.view.lines import CodingLine
from equipoise.definition.coded import DictionaryName
from equipoise.definition.coding import coded_with
from equipoise.rehearsal.world import World


def code_everything(world: World) -> None:
    """Code all words for which a dictionary was added; what nothing resembles stays, and stops the lock."""
    coder = world.cast.who("CodeTerm", None)
    seen = world.trial.as_seen_by(coder)
    added = {row.dictionary for row in seen.dictionaries()}
    for name in coded_with(world.terms(None).definition):
        if name not in added:
            continue
        if seen.coding_proposals(name).lines:
            world.act(coder, CodeMatches(dictionary=name))
        for line in seen.coding():
            if line.dictionary != name or line.status == "coded":
                continue
            code = _first_term(seen, name, line)
            if code is not None:
                world.act(coder, _choice(line, code))


def _first_term(seen: MaskedView, name: DictionaryName, line: CodingLine) -> str | None:
    """The first term with the beginning of a word of the site's, the longest beginning first."""
    words = words_of(line.verbatim)
    for length in range(max(map(len, words), default=0), 0, -1):
        for word in words:
            terms = seen.dictionary_terms(name, word[:length])
            if terms:
                return terms[0].code
    return None


def _choice(line: CodingLine, code: str) -> CodeTerm:
    return CodeTerm(
        participant=line.participant,
        form=line.form,
        item=line.item,
        verbatim=line.verbatim,
        code=code,
        encounter=line.encounter or None,
        row=line.row or None,
    )
