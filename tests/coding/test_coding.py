"""Coding: chosen by a person, refused when the words changed, lapsed when they change, learned from."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from equipoise.access.command import Command
from equipoise.access.refusal import Refusal, Refused
from equipoise.capture.commands import CorrectForm, RecordForm, RemoveRow
from equipoise.coding.commands import AddDictionary, CarryOverCodings, CodeMatches, CodeTerm
from equipoise.coding.dictionary import DictionaryContent, MemoryDictionaries, Term
from equipoise.coding.entries import TermCoded
from equipoise.coding.state import CodingRow
from equipoise.conduct.trial import Trial
from equipoise.conduct.view.lines import CodingLine
from equipoise.definition.lock import hashed
from equipoise.definition.model.definition import StudyDefinition
from tests.conduct.clinic import ADA, DANA, PRIYA, Clinic, open_definition
from tests.dictionaries import VERSION, meddra

EVENT = {"onset": "2024-05", "severity": "mild", "serious": False, "outcome": "ongoing"}


def coded_definition(**changed: Any) -> StudyDefinition:
    """The small trial, whose adverse events are coded with MedDRA."""
    definition = open_definition()
    forms = tuple(
        replace(form, items=tuple(_coded(item) if item.id == "term" else item for item in form.items))
        if form.id == "adverse_event"
        else form
        for form in definition.forms
    )
    return hashed(replace(definition, forms=forms, **changed))


def _coded(item: Any) -> Any:
    return replace(item, coded_with="meddra")


class Coding(Clinic):
    """A clinic with one participant, whose adverse events have terms to be coded."""

    def __init__(self, folder: Path) -> None:
        self.content = meddra(folder)
        self.dictionaries = MemoryDictionaries([self.content])
        super().__init__(definition=coded_definition())
        self.code = self.consent()

    def another(self, seed: str, entropy: Any = None) -> Trial:
        trial = super().another(seed, entropy)
        return Trial(trial.definition, self.ledger, self.vault, self.clock, trial._entropy, self.dictionaries)

    def event(self, term: str) -> int:
        """Record an adverse event, and return its row."""
        self.do(
            PRIYA, RecordForm(participant=self.code, form="adverse_event", values={**EVENT, "term": term})
        )
        return max(line.row for line in self.lines)

    def add(self, version: str = VERSION, content: DictionaryContent | None = None) -> None:
        used = content or self.content
        self.dictionaries.add(used)
        self.do(DANA, AddDictionary(dictionary="meddra", version=version, sha256=used.sha256))

    def choose(self, row: int, verbatim: str, code: str) -> CodeTerm:
        return CodeTerm(
            participant=self.code, form="adverse_event", item="term", row=row, verbatim=verbatim, code=code
        )

    def refused(self, command: Command, reason: str | None = None) -> str:
        outcome = self.trial.record(DANA, command, reason)
        assert isinstance(outcome, Refusal)
        return outcome.code

    @property
    def view(self) -> Any:
        return self.trial.as_seen_by(DANA)

    @property
    def lines(self) -> tuple[CodingLine, ...]:
        found: tuple[CodingLine, ...] = self.view.coding()
        return found


@pytest.fixture
def clinic(tmp_path: Path) -> Coding:
    return Coding(tmp_path)


def test_spec_a_coding_holds_the_words_the_version_and_the_whole_hierarchy(clinic: Coding) -> None:
    row = clinic.event("Shimmers in both ears")
    clinic.add()
    (entry,) = clinic.do(DANA, clinic.choose(row, "Shimmers in both ears", "10000012"))
    said = TermCoded.of(entry)
    assert {name: entry.content[name] for name in ("verbatim", "dictionary", "dictionary_version")} == {
        "verbatim": "Shimmers in both ears",
        "dictionary": "meddra",
        "dictionary_version": "28.1",
    }
    assert said.levels == ("LLT", "PT", "HLT", "HLGT", "SOC")
    assert said.codes == ("10000012", "10000021", "10000031", "10000041", "10000051")
    assert said.terms[1] == "Glimmering"
    assert entry.content["automatic"] is False
    (line,) = clinic.lines
    assert (line.status, line.terms[0], line.coded_by) == ("coded", "Glimmering of the ears", "dana")


def test_spec_nothing_is_coded_whose_words_changed_meanwhile(clinic: Coding) -> None:
    row = clinic.event("Shimmers")
    clinic.add()
    assert clinic.refused(clinic.choose(row, "Shimmer", "10000012")) == "COD-CHANGED"
    assert clinic.lines[0].status == "uncoded"


def test_spec_a_corrected_verbatim_makes_the_coding_lapse_and_keeps_it(clinic: Coding) -> None:
    row = clinic.event("Shimmers")
    clinic.add()
    clinic.do(DANA, clinic.choose(row, "Shimmers", "10000012"))
    correct = CorrectForm(participant=clinic.code, form="adverse_event", row=row, values={"term": "Buzzing"})
    clinic.do(PRIYA, correct, "misread")
    (line,) = clinic.lines
    assert (line.status, line.verbatim, line.coded) == ("lapsed", "Buzzing", "Shimmers")
    # Nothing was written for it, and what holds no longer is replaced without a reason.
    assert [entry.kind for entry in clinic.ledger.read()].count("TermCoded") == 1
    clinic.do(DANA, clinic.choose(row, "Buzzing", "10000015"))
    assert clinic.lines[0].status == "coded"


def test_spec_another_choice_needs_a_reason_and_the_same_one_is_not_made_twice(clinic: Coding) -> None:
    row = clinic.event("Shimmers")
    clinic.add()
    clinic.do(DANA, clinic.choose(row, "Shimmers", "10000012"))
    assert clinic.refused(clinic.choose(row, "Shimmers", "10000012")) == "COD-SAME"
    assert clinic.refused(clinic.choose(row, "Shimmers", "10000015")) == "COD-REASON"
    (entry,) = clinic.do(DANA, clinic.choose(row, "Shimmers", "10000015"), "the ears are not named")
    assert entry.reason == "the ears are not named"


def test_what_is_struck_out_or_no_item_to_be_coded_is_not_coded(clinic: Coding) -> None:
    row = clinic.event("Shimmers")
    clinic.add()
    other = replace(clinic.choose(row, "mild", "10000012"), item="severity")
    assert clinic.refused(other) == "COD-NO-WORDS"
    clinic.do(PRIYA, RemoveRow(participant=clinic.code, form="adverse_event", row=row), "twice")
    assert clinic.refused(clinic.choose(row, "Shimmers", "10000012")) == "COD-NO-WORDS"
    assert clinic.lines == ()


def test_spec_only_current_terms_of_the_dictionary_in_use_are_chosen(clinic: Coding) -> None:
    row = clinic.event("Shimmers")
    assert clinic.refused(clinic.choose(row, "Shimmers", "10000012")) == "COD-NO-DICTIONARY"
    assert clinic.refused(CodeMatches(dictionary="meddra")) == "COD-NO-DICTIONARY"
    clinic.add()
    assert clinic.refused(clinic.choose(row, "Shimmers", "10000014")) == "COD-NOT-CURRENT"
    assert clinic.refused(clinic.choose(row, "Shimmers", "10000021")) == "COD-UNKNOWN-CODE"


def test_spec_a_dictionary_is_added_once_and_its_terms_must_be_there(clinic: Coding) -> None:
    add = AddDictionary(dictionary="meddra", version=VERSION, sha256=clinic.content.sha256)
    assert clinic.refused(replace(add, sha256="0" * 64)) == "COD-NO-TERMS"
    assert clinic.refused(replace(add, dictionary="whodrug")) == "COD-NOT-ASKED-FOR"
    assert clinic.refused(replace(add, version=" ")) == "COD-TEXT"
    clinic.do(DANA, add)
    assert clinic.refused(add) == "COD-TWICE"
    (row,) = clinic.view.dictionaries()
    assert (row.version, row.counts["LLT"], row.sha256) == ("28.1", 9, clinic.content.sha256)


def test_spec_the_dictionary_proposes_only_what_leaves_no_choice(clinic: Coding) -> None:
    words = ("GLIMMERING of the  ears", "Twice named", "Glimmers, old-fashioned", "Something else")
    rows = [clinic.event(each) for each in words]
    clinic.add()
    proposals = clinic.view.coding_proposals("meddra")
    assert [(each.row, each.code, each.because) for each in proposals.lines] == [
        (rows[0], "10000012", "same_words")
    ]
    accept = CodeMatches(dictionary="meddra", shown_hash=proposals.shown_hash)
    (entry,) = clinic.do(DANA, accept)
    assert (entry.content["automatic"], entry.content["row"]) == (True, rows[0])
    assert clinic.refused(CodeMatches(dictionary="meddra")) == "COD-NOTHING"
    assert [line.status for line in clinic.lines] == ["coded", "uncoded", "uncoded", "uncoded"]


def test_spec_what_was_not_shown_is_not_accepted(clinic: Coding) -> None:
    clinic.event("Humming")
    clinic.add()
    shown = clinic.view.coding_proposals("meddra").shown_hash
    clinic.event("Curled toe")
    assert clinic.refused(CodeMatches(dictionary="meddra", shown_hash=shown)) == "COD-PROPOSALS-CHANGED"


def test_spec_what_the_same_words_got_before_is_offered_first_and_proposed(clinic: Coding) -> None:
    first, second = clinic.event("Humming"), clinic.event("humming ")
    clinic.add()
    clinic.do(DANA, clinic.choose(first, "Humming", "10000016"))
    terms = clinic.view.dictionary_terms("meddra", "HUMMING")
    assert [(each.code, each.earlier) for each in terms] == [("10000016", 1), ("10000015", 0)]
    (proposed,) = clinic.view.coding_proposals("meddra").lines
    assert (proposed.row, proposed.code, proposed.because) == (second, "10000016", "coded_before")
    # Where people chose differently, there is nothing to propose.
    clinic.do(DANA, clinic.choose(second, "humming", "10000015"))
    clinic.event("Humming")
    assert clinic.view.coding_proposals("meddra").lines == ()


def test_another_version_is_used_from_then_on(clinic: Coding, tmp_path: Path) -> None:
    row = clinic.event("Shimmers")
    clinic.add()
    clinic.do(DANA, clinic.choose(row, "Shimmers", "10000012"))
    fewer = DictionaryContent("meddra", clinic.content.terms[1:])
    clinic.add("29.0", fewer)
    assert clinic.refused(clinic.choose(clinic.event("Glim"), "Glim", "10000011")) == "COD-UNKNOWN-CODE"
    clinic.do(DANA, clinic.choose(row, "Shimmers", "10000012"), "new version")
    assert clinic.lines[0].version == "29.0"


def later_version(content: DictionaryContent) -> DictionaryContent:
    """A version in which 10000012 is as it was, 10000013 is gone, 10000015 has moved, 10000017 is old."""

    def changed(term: Term) -> Term:
        if term.code == "10000015":
            levels = tuple(
                replace(each, term="Humming, renamed") if each.level == "PT" else each for each in term.levels
            )
            return replace(term, levels=levels)
        return replace(term, current=False) if term.code == "10000017" else term

    return DictionaryContent("meddra", tuple(changed(t) for t in content.terms if t.code != "10000013"))


def test_spec_a_new_version_says_what_became_of_what_was_coded(clinic: Coding) -> None:
    chosen = {"Shimmers": "10000012", "Ears": "10000013", "Hums": "10000015", "Toe": "10000017"}
    rows = {words: clinic.event(words) for words in chosen}
    clinic.event("Left as it is")
    clinic.add()
    for words, code in chosen.items():
        clinic.do(DANA, clinic.choose(rows[words], words, code))
    assert clinic.view.outdated_codings("meddra").lines == ()
    clinic.add("29.0", later_version(clinic.content))
    outdated = clinic.view.outdated_codings("meddra")
    assert {each.verbatim: each.change for each in outdated.lines} == {
        "Shimmers": "unchanged",
        "Ears": "gone",
        "Hums": "moved",
        "Toe": "not_current",
    }
    now = {each.verbatim: each.terms_now for each in outdated.lines}
    assert now["Ears"] == () and now["Hums"][1] == "Humming, renamed"
    (entry,) = clinic.do(DANA, CarryOverCodings(dictionary="meddra", shown_hash=outdated.shown_hash))
    said = entry.content
    assert (entry.kind, said["row"], said["code"]) == ("CodingCarriedOver", rows["Shimmers"], "10000012")
    assert (said["earlier_version"], said["dictionary_version"]) == (VERSION, "29.0")
    (line,) = (each for each in clinic.lines if each.verbatim == "Shimmers")
    assert (line.status, line.version, line.automatic) == ("coded", "29.0", False)
    assert clinic.refused(CarryOverCodings(dictionary="meddra")) == "COD-NOTHING-CARRIED"
    # What has moved holds as it was until somebody codes it anew, and says why.
    clinic.do(DANA, clinic.choose(rows["Hums"], "Hums", "10000015"), "moved in 29.0")
    assert {each.verbatim for each in clinic.view.outdated_codings("meddra").lines} == {"Ears", "Toe"}


def test_spec_nothing_is_carried_over_or_accepted_that_was_shown_for_another_version(clinic: Coding) -> None:
    row = clinic.event("Shimmers")
    clinic.event("Humming")
    assert clinic.refused(CarryOverCodings(dictionary="meddra")) == "COD-NO-DICTIONARY"
    clinic.add()
    clinic.do(DANA, clinic.choose(row, "Shimmers", "10000012"))
    proposed = clinic.view.coding_proposals("meddra").shown_hash
    later = later_version(clinic.content)
    clinic.add("29.0", later)
    shown = clinic.view.outdated_codings("meddra").shown_hash
    stale = CodeMatches(dictionary="meddra", shown_hash=proposed)
    assert clinic.refused(stale) == "COD-PROPOSALS-CHANGED"
    clinic.add("29.1", later)
    stale_too = CarryOverCodings(dictionary="meddra", shown_hash=shown)
    assert clinic.refused(stale_too) == "COD-CODINGS-CHANGED"


def test_the_terms_of_a_dictionary_are_for_those_who_code(clinic: Coding) -> None:
    clinic.add()
    for actor in (PRIYA, ADA):
        with pytest.raises(Refused, match="ACC-UNSEEN"):
            clinic.trial.as_seen_by(actor).dictionary_terms("meddra", "glim")
    assert clinic.view.dictionary_terms("meddra") == clinic.view.dictionary_terms("whodrug", "n") == ()
    assert clinic.view.coding_proposals("whodrug").lines == ()
    assert clinic.view.outdated_codings("whodrug").lines == ()


def test_spec_what_is_not_coded_is_open_before_the_lock_of_a_live_trial(clinic: Coding) -> None:
    row = clinic.event("Shimmers")

    def matters() -> list[tuple[str, str]]:
        return [(each.subject, each.state) for each in clinic.view.readiness() if each.kind == "coding"]

    assert matters() == [("Shimmers", "uncoded")]
    clinic.add()
    clinic.do(DANA, clinic.choose(row, "Shimmers", "10000012"))
    assert matters() == []


def test_spec_nothing_is_coded_with_where_the_study_names_no_dictionary() -> None:
    clinic = Clinic()
    assert clinic.trial.as_seen_by(DANA).coding() == ()


def test_law_a_coding_is_replayed_from_the_ledger_alone(clinic: Coding) -> None:
    row = clinic.event("Shimmers")
    clinic.add()
    clinic.do(DANA, clinic.choose(row, "Shimmers", "10000012"))
    without = Trial(clinic.definition, clinic.ledger, clinic.vault, clinic.clock, clinic.trial._entropy)
    assert without.tables.digest() == clinic.trial.tables.digest()
    assert [each.codes[0] for each in without.tables.all(CodingRow)] == ["10000012"]
