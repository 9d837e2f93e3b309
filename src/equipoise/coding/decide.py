"""What is decided about coding, with the dictionaries that are kept beside the trial."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal

from equipoise.access.command import Command, Moment
from equipoise.access.filling import check_text
from equipoise.access.refusal import Refusal
from equipoise.coding.commands import AddDictionary, CarryOverCodings, CodeMatches, CodeTerm
from equipoise.coding.dictionary import Dictionaries, Term, folded
from equipoise.coding.entries import CodingCarriedOver, DictionaryAdded, TermCoded
from equipoise.coding.outdated import Outdated, carried_hash, outdated_codings
from equipoise.coding.state import (
    CodingRow,
    DictionaryRow,
    Verbatim,
    coding_of,
    dictionary_in_use,
    status_of,
)
from equipoise.definition.coded import DictionaryName
from equipoise.definition.coding import DICTIONARY_TITLES, LEVELS, coded_with, title_of_dictionary
from equipoise.definition.model.definition import StudyDefinition
from equipoise.ledger.canonical import JSON, canonical_json
from equipoise.ledger.entry import Draft
from equipoise.ledger.tables import Tables

Decision = tuple[Draft, ...] | Refusal

Because = Literal["same_words", "coded_before"]
ReadVerbatims = Callable[[StudyDefinition, Tables, str | None], Iterable[Verbatim]]
"""How the words that are to be coded are read, of one participant or of all: another room has them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A term that is proposed for words which are not coded: it says the same, or they got it before."""

    verbatim: Verbatim
    term: Term
    because: Because


class Coder:
    """Decides on coding. It needs the dictionaries, and a way to the words of the forms."""

    def __init__(self, dictionaries: Dictionaries, read_verbatims: ReadVerbatims) -> None:
        self.dictionaries = dictionaries
        self._read_verbatims = read_verbatims

    @property
    def decide(self) -> dict[type[Command], Callable[[Any, Moment], Decision]]:
        """The decision on each command of the room."""
        return {
            AddDictionary: self.decide_add_dictionary,
            CodeTerm: self.decide_code_term,
            CodeMatches: self.decide_code_matches,
            CarryOverCodings: self.decide_carry_over,
        }

    def decide_add_dictionary(self, command: AddDictionary, moment: Moment) -> Decision:
        """Take a version of a dictionary into use, whose terms are kept already."""
        refusal = check_text(command.version, "version", "COD") or check_asked_for(command, moment)
        if refusal is not None:
            return refusal
        version = command.version.strip()
        if moment.tables.get(DictionaryRow, command.dictionary, version) is not None:
            return Refusal(
                "COD-TWICE",
                f"{DICTIONARY_TITLES[command.dictionary]} {version} was added already.",
                "Nothing needs to be done; another version is added under its own number.",
            )
        counts = self.dictionaries.counts(command.sha256)
        if counts is None or LEVELS[command.dictionary][0] not in counts:
            return Refusal(
                "COD-NO-TERMS",
                "No dictionary with this SHA-256 is kept beside the trial.",
                "Load its files with `equipoise dictionary add`.",
            )
        added = DictionaryAdded(
            dictionary=command.dictionary,
            dictionary_version=version,
            sha256=command.sha256,
            counts=dict(counts),
        )
        return (added.draft(),)

    def decide_code_term(self, command: CodeTerm, moment: Moment) -> Decision:
        """Code the words of one item, if they are still those that the coder saw."""
        verbatim = self._find(command, moment)
        if verbatim is None:
            return _no_words(command)
        # As an answer is recorded: a browser sends its own line ends.
        if verbatim.text != command.verbatim.replace("\r\n", "\n").strip():
            return Refusal(
                "COD-CHANGED",
                f"The words of {command.participant} that were to be coded were changed meanwhile.",
                "Look at them as they are now, and choose again.",
            )
        in_use = dictionary_in_use(moment.tables, verbatim.dictionary)
        if in_use is None:
            return _no_dictionary(verbatim.dictionary)
        term = self.dictionaries.term(in_use.sha256, command.code)
        if term is None or not term.current:
            return _unknown_code(command.code, in_use, known=term is not None)
        refusal = check_recoding(coding_of(moment.tables, verbatim), verbatim, term, in_use, moment)
        if refusal is not None:
            return refusal
        return (_draft(verbatim, term, in_use, automatic=False),)

    def decide_code_matches(self, command: CodeMatches, moment: Moment) -> Decision:
        """Code everything that is proposed, if it is what the coder was shown."""
        in_use = dictionary_in_use(moment.tables, command.dictionary)
        if in_use is None:
            return _no_dictionary(command.dictionary)
        proposals = self.propose(moment.definition, moment.tables, command.dictionary, _of_site(moment))
        if not proposals:
            return Refusal(
                "COD-NOTHING",
                f"{DICTIONARY_TITLES[command.dictionary]} proposes nothing for what is not coded.",
                "Code the rest term by term.",
            )
        if command.shown_hash not in (None, proposals_hash(in_use, proposals)):
            return Refusal(
                "COD-PROPOSALS-CHANGED",
                "The proposals are not those that the coder was shown.",
                "Look at them as they are now, then accept them.",
            )
        return tuple(_draft(each.verbatim, each.term, in_use, automatic=True) for each in proposals)

    def decide_carry_over(self, command: CarryOverCodings, moment: Moment) -> Decision:
        """Carry over every coding that is unchanged now, if it is what the coder was shown."""
        in_use = dictionary_in_use(moment.tables, command.dictionary)
        if in_use is None:
            return _no_dictionary(command.dictionary)
        found = self.outdated(moment.definition, moment.tables, command.dictionary, _of_site(moment))
        unchanged = [each for each in found if each.change == "unchanged"]
        if not unchanged:
            return Refusal(
                "COD-NOTHING-CARRIED",
                "No coding with an earlier version is unchanged in"
                f" {DICTIONARY_TITLES[command.dictionary]} {in_use.version}.",
                "Code what is left term by term.",
            )
        if command.shown_hash not in (None, carried_hash(in_use, unchanged)):
            return Refusal(
                "COD-CODINGS-CHANGED",
                "The codings are not those that the coder was shown.",
                "Look at them as they are now, then carry them over.",
            )
        return tuple(_carried(each, in_use) for each in unchanged)

    def outdated(
        self,
        definition: StudyDefinition,
        tables: Tables,
        name: DictionaryName,
        of: Callable[[str], bool],
    ) -> tuple[Outdated, ...]:
        """Return the codings of some participants that hold with an earlier version, with what became of
        their terms.
        """
        in_use = dictionary_in_use(tables, name)
        if in_use is None:
            return ()
        verbatims = (each for each in self._read_verbatims(definition, tables, None) if of(each.participant))
        return tuple(outdated_codings(self.dictionaries, tables, in_use, verbatims))

    def propose(
        self,
        definition: StudyDefinition,
        tables: Tables,
        name: DictionaryName,
        of: Callable[[str], bool],
    ) -> tuple[Proposal, ...]:
        """Return a term for each of the words of some participants that are not coded and leave no choice.

        What was chosen before for the same words goes before what the dictionary calls so; where earlier
        choices differ, or two current terms say the same, there is nothing to propose.
        """
        in_use = dictionary_in_use(tables, name)
        if in_use is None:
            return ()
        earlier = _earlier_codes(tables, name)
        known: dict[str, tuple[Term, Because] | None] = {}
        proposals = []
        for verbatim in self._read_verbatims(definition, tables, None):
            row = coding_of(tables, verbatim)
            if verbatim.dictionary != name or status_of(verbatim, row) == "coded":
                continue
            if not of(verbatim.participant):
                continue
            words = folded(verbatim.text)
            if words not in known:
                known[words] = self._propose(verbatim.text, in_use, earlier.get(words))
            found = known[words]
            if found is not None:
                proposals.append(Proposal(verbatim=verbatim, term=found[0], because=found[1]))
        return tuple(proposals)

    def candidates(
        self, tables: Tables, name: DictionaryName, words: str, limit: int
    ) -> tuple[tuple[Term, int], ...]:
        """Return terms to choose from, with how often the same words were coded so; those come first."""
        in_use = dictionary_in_use(tables, name)
        if in_use is None:
            return ()
        earlier = _earlier_codes(tables, name).get(folded(words), Counter())
        chosen = ((self.dictionaries.term(in_use.sha256, code), n) for code, n in earlier.items())
        learned = sorted(
            ((term, n) for term, n in chosen if term is not None and term.current),
            key=lambda each: (-each[1], each[0].code),
        )
        found = self.dictionaries.search(in_use.sha256, words, limit)
        return (*learned, *((term, 0) for term in found if term.code not in earlier))[:limit]

    def _propose(
        self, words: str, in_use: DictionaryRow, codes: Counter[str] | None
    ) -> tuple[Term, Because] | None:
        if codes:
            term = self.dictionaries.term(in_use.sha256, next(iter(codes))) if len(codes) == 1 else None
            return None if term is None or not term.current else (term, "coded_before")
        same = self.dictionaries.equal(in_use.sha256, words)
        return (same[0], "same_words") if len(same) == 1 else None

    def _find(self, command: CodeTerm, moment: Moment) -> Verbatim | None:
        return next(
            (
                each
                for each in self._read_verbatims(moment.definition, moment.tables, command.participant)
                if (each.form, each.item) == (command.form, command.item)
                and each.row == (command.row or 0)
                and (each.row > 0 or each.encounter == (command.encounter or ""))
            ),
            None,
        )


def proposals_hash(in_use: DictionaryRow, proposals: Iterable[Proposal]) -> str:
    """Return the SHA-256, in hexadecimal, of what a version proposes: what is said to have been shown."""
    said: list[JSON] = [[*each.verbatim.key, each.verbatim.text, each.term.code] for each in proposals]
    return sha256(canonical_json([in_use.version, in_use.sha256, said])).hexdigest()


def check_asked_for(command: AddDictionary, moment: Moment) -> Refusal | None:
    """The definition must code something with the dictionary."""
    if command.dictionary in coded_with(moment.definition):
        return None
    return Refusal(
        "COD-NOT-ASKED-FOR",
        f"No item of the study is coded with {DICTIONARY_TITLES[command.dictionary]}.",
        "Name the dictionary at the item: coded_with, in the study folder.",
    )


def check_recoding(
    row: CodingRow | None, verbatim: Verbatim, term: Term, in_use: DictionaryRow, moment: Moment
) -> Refusal | None:
    """What holds is coded otherwise with a reason; what is so already is not coded again."""
    if row is None or status_of(verbatim, row) != "coded":
        return None
    if (row.codes[0], row.version) == (term.code, in_use.version):
        return Refusal(
            "COD-SAME",
            f"The words of {verbatim.participant} are coded so already.",
            "Nothing needs to be done.",
        )
    if (moment.reason or "").strip():
        return None
    return Refusal(
        "COD-REASON",
        f"The words of {verbatim.participant} are coded already, and another choice needs a reason.",
        "Say why it is made.",
    )


def _earlier_codes(tables: Tables, name: str) -> Mapping[str, Counter[str]]:
    """How often each code was chosen by a person for the same words, without regard to case and spaces."""
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row in tables.all(CodingRow):
        if row.dictionary == name and not row.automatic:
            found[folded(row.verbatim)][row.codes[0]] += 1
    return found


def _draft(verbatim: Verbatim, term: Term, in_use: DictionaryRow, *, automatic: bool) -> Draft:
    return TermCoded(
        participant=verbatim.participant,
        form=verbatim.form,
        encounter=verbatim.encounter,
        row=verbatim.row,
        item=verbatim.item,
        verbatim=verbatim.text,
        dictionary=in_use.dictionary,
        dictionary_version=in_use.version,
        levels=tuple(each.level for each in term.levels),
        codes=tuple(each.code for each in term.levels),
        terms=tuple(each.term for each in term.levels),
        automatic=automatic,
    ).draft()


def _carried(outdated: Outdated, in_use: DictionaryRow) -> Draft:
    participant, form, encounter, row, item = outdated.verbatim.key
    return CodingCarriedOver(
        participant=participant,
        form=form,
        encounter=encounter,
        row=row,
        item=item,
        dictionary=in_use.dictionary,
        dictionary_version=in_use.version,
        earlier_version=outdated.coding.version,
        code=outdated.coding.codes[0],
        term=outdated.coding.terms[0],
    ).draft()


def _of_site(moment: Moment) -> Callable[[str], bool]:
    """Whether a participant is of the site that the actor belongs to, if they belong to one."""
    site = moment.actor.site
    return lambda participant: site in (None, participant.split("-", maxsplit=1)[0])


def _no_words(command: CodeTerm) -> Refusal:
    return Refusal(
        "COD-NO-WORDS",
        f"There are no words of {command.participant} to be coded at this place.",
        "Check form, item, encounter and row; the study folder says which items are coded.",
    )


def _no_dictionary(name: DictionaryName) -> Refusal:
    return Refusal(
        "COD-NO-DICTIONARY",
        f"No version of {DICTIONARY_TITLES[name]} was added to the trial.",
        "Load its files with `equipoise dictionary add`.",
    )


def _unknown_code(code: str, in_use: DictionaryRow, *, known: bool) -> Refusal:
    title = title_of_dictionary(in_use.dictionary)
    if known:
        return Refusal(
            "COD-NOT-CURRENT",
            f"The code {code} is not current any more in {title} {in_use.version}.",
            "Choose a current term.",
        )
    return Refusal(
        "COD-UNKNOWN-CODE",
        f"{title} {in_use.version} has no term of the lowest level with the code {code}.",
        "Choose a term from the list.",
    )
