"""What the answers of a study's own event form mean in the fixed codes of a standard.

A definition says which item holds the outcome or the causality of an event, and datasets.yaml what an item is
called in tabulation datasets; what a code means elsewhere, neither says. Codes are recognised by their words,
in the code or in its label; what is not recognised has no meaning here, and a standard's code for unknown
stands for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from equipoise.analysis.cut import CutParticipant
from equipoise.definition.coded import Coding
from equipoise.definition.expression import (
    EvidenceTable,
    FormRow,
    PartialDate,
    Truth,
    Value,
    completed_years,
    references,
    truth,
)
from equipoise.definition.model.conduct import Safety
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.forms import Form, Item
from equipoise.definition.tabulation import tabulations

_Words = tuple[tuple[str, str], ...]
"""Meanings with the words by which each is known; the first that fits is the one."""

_DEATH: Final = r"(?<!non[- ])(?<!not )(?<!near[- ])\bfatal|\bdeath|\bdied|\bdead"
OUTCOMES: Final[_Words] = (
    ("sequelae", r"(?<!without )(?<!no )\bsequel"),
    (
        "not_recovered",
        r"\bnot (yet )?(recover|resolv|improv)|\bun(recover|resolv|chang)|ongoing|persist|worse",
    ),
    ("recovering", r"\brecovering|\bresolving|\bimprov"),
    ("fatal", _DEATH),
    ("recovered", r"\brecovered|\bresolved"),
)
CAUSALITIES: Final[_Words] = (
    (
        "unrelated",
        r"\bunrelated|\bnot related|\b(definite|certain)ly not\b|\bimpossible\b(?! to)|\bnone\b|\bno\b",
    ),
    ("unlikely", r"\bunlikely|\bremote|\bnot (likely|probabl)|\bprobably not\b|\bimprobabl|\bdoubtful"),
    ("possible", r"(?<!not )\bpossibl"),
    ("probable", r"\bprobabl|\blikely"),
    ("certain", r"(?<!not )\b(certain|definite)"),
)
ACTIONS: Final[_Words] = (
    ("not_applicable", r"not applicable"),
    ("withdrawn", r"(?<!not )\b(withdraw|discontinu|stopp|interrupt)|not given"),
    ("reduced", r"(?<!not )\breduc"),
    ("increased", r"(?<!not )\bincreas"),
    ("not_changed", r"not changed|unchanged|\bnone\b|no action"),
)
CRITERIA: Final[_Words] = (
    ("death", _DEATH),
    ("life_threatening", r"life.?threat"),
    ("hospitalisation", r"hospital"),
    ("disability", r"disab|incapacit"),
    ("congenital_anomaly", r"congenital|birth defect"),
    ("medically_important", r"medical(ly)?[ -]+(important|significant)|important medical"),
)
_SEXES: Final[_Words] = (("female", r"\bfemale|\bwom[ae]n|^f\b"), ("male", r"\bmale|\bm[ae]n\b|^m\b"))
CRITERION_VARIABLES: Final[Mapping[str, str]] = {
    "AESDTH": "death",
    "AESLIFE": "life_threatening",
    "AESHOSP": "hospitalisation",
    "AESDISAB": "disability",
    "AESCONG": "congenital_anomaly",
    "AESMIE": "medically_important",
}
_COMMENT: Final = re.compile(r"comment|narrative|description")
_MEDDRA: Final = re.compile(r"meddra|\bllt\b|\bpreferred term\b")
_MEDDRA_CODE: Final = re.compile(r"[0-9]{8}")
_MEDDRA_VERSION: Final = re.compile(r"[0-9]{1,2}\.[0-9]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Demography:
    """What is recorded of a person's birth and sex, each None where it is not."""

    born: PartialDate | None
    sex: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CodedEvent:
    """An event of the log in the fixed words of this module; None and empty where the data do not say.

    `causality_label` and `outcome_label` are the study's own words. `meddra` is the code of the term and the
    version of the dictionary, as it was coded, else where the trial's own coding is among the answers;
    `coding` is the whole of what was chosen. `serious`, `related` and `unexpected` are what the definition's
    conditions make of the row alone.
    """

    row: FormRow
    term: str
    severity: str | None
    body_system: str | None
    started: PartialDate | None
    ended: PartialDate | None
    aware: PartialDate | None
    outcome: str | None
    outcome_label: str | None
    causality: str | None
    causality_label: str | None
    action: str | None
    comment: str | None
    meddra: tuple[str | None, str | None]
    coding: Coding | None
    criteria: frozenset[str]
    serious: Truth
    related: Truth
    unexpected: Truth


class Answers:
    """The answers of a study by what they are called in tabulation datasets, which datasets.yaml says."""

    def __init__(self, definition: StudyDefinition) -> None:
        self._definition = definition
        self._named: dict[tuple[str, str], list[tuple[Form, Item]]] = {}
        for each in tabulations(definition):
            form = definition.form(each.form)
            for entry in each.variables:
                item = form.item(entry.item) if form else None
                if form is not None and item is not None and entry.variable is not None:
                    self._named.setdefault((each.domain, entry.variable), []).append((form, item))

    def items(self, domain: str, variable: str) -> list[tuple[Form, Item]]:
        """Return the items that become a variable of a domain, each with its form."""
        return self._named.get((domain, variable), [])

    def item(self, form: str, domain: str, variable: str) -> Item | None:
        """Return the item of a form that becomes a variable of a domain."""
        return next((item for own, item in self.items(domain, variable) if own.id == form), None)

    def event(self, safety: Safety, row: FormRow) -> CodedEvent:
        """Return a row of the form of adverse events in the words of the standards."""
        form = self._definition.form(safety.form)
        assert form is not None, "a definition's event form is one of its forms"
        alone = EvidenceTable(row.date.first if row.date else date.min, [row])

        def meaning(words: _Words, item: Item | None) -> str | None:
            return None if item is None else _meaning(words, *_texts(item, value_of(row, item.id)))

        def label(item: Item | None) -> str | None:
            return None if item is None else shown_answer(item, value_of(row, item.id))

        outcome = meaning(OUTCOMES, form.item(safety.outcome))
        criteria = {*_criteria(form, safety, row), *self._flags(form, row)}
        return CodedEvent(
            row=row,
            term=label(form.item(safety.term)) or "",
            severity=label(form.item(safety.severity)),
            body_system=label(form.item(safety.body_system)) if safety.body_system else None,
            started=dated(value_of(row, safety.onset)),
            ended=dated(value_of(row, safety.resolved)) if safety.resolved else None,
            aware=dated(value_of(row, safety.aware)),
            outcome=outcome,
            outcome_label=label(form.item(safety.outcome)),
            causality=meaning(CAUSALITIES, form.item(safety.causality)),
            causality_label=label(form.item(safety.causality)),
            action=meaning(ACTIONS, self.item(form.id, "AE", "AEACN")),
            comment=label(_comment(form, safety)),
            meddra=_meddra(form, safety, row),
            coding=row.codings.get(safety.term),
            # An event whose outcome is death resulted in death, whatever else was ticked.
            criteria=frozenset(criteria | ({"death"} if outcome == "fatal" else set())),
            serious=truth(safety.serious, alone),
            related=truth(safety.related, alone),
            unexpected=truth(safety.unexpected, alone),
        )

    def _flags(self, form: Form, row: FormRow) -> Iterator[str]:
        """Yield the criteria of seriousness that a question of their own says yes to."""
        for variable, criterion in CRITERION_VARIABLES.items():
            item = self.item(form.id, "AE", variable)
            if item is not None and value_of(row, item.id) is True:
                yield criterion

    def demography(self, person: CutParticipant) -> Demography:
        """Return birth and sex as they were recorded."""
        born = [dated(self._latest(person, form, item)) for form, item in self.items("DM", "BRTHDTC")]
        sexes = [
            _meaning(_SEXES, *_texts(item, self._latest(person, form, item)))
            for form, item in self.items("DM", "SEX")
        ]
        return Demography(
            born=next((each for each in born if each), None), sex=next((each for each in sexes if each), None)
        )

    def _latest(self, person: CutParticipant, form: Form, item: Item) -> Value:
        values = [value_of(row, item.id) for row in person.rows if row.form == form.id]
        return next((value for value in reversed(values) if value is not None), None)


def age_at(born: PartialDate | None, day: PartialDate | None) -> int | None:
    """Return the completed years from a birth to a day, of partial dates the fewest that they allow."""
    if born is None or day is None or day.first < born.last:
        return None
    return completed_years(born.last, day.first)


def value_of(row: FormRow, item: str) -> Value:
    """Return the value of an item of a row, None where it has none."""
    seen = row.values.get(item)
    return None if seen is None else seen.value


def shown_answer(item: Item, value: Value) -> str | None:
    """Return an answer in the words of its item, with the unit; None for no answer."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "Yes" if value else "No"
    label = next((code.label for code in item.codes if code.code == str(value)), str(value))
    return f"{label} {item.unit}" if item.unit else label


def _criteria(form: Form, safety: Safety, row: FormRow) -> Iterator[str]:
    """Yield the criteria of seriousness that are met, by the items that make an event serious."""
    asked = {item for named, item in references(safety.serious).items if named == form.id}
    for item in form.items:
        value = value_of(row, item.id)
        if item.id not in asked or value is None or value is False:
            continue
        found = _meaning(CRITERIA, *((_named(item),) if value is True else _texts(item, value)))
        if found is not None:
            yield found


def _comment(form: Form, safety: Safety) -> Item | None:
    """Return the first text that is called a comment and is nothing else that safety.yaml names."""
    named = {safety.term, safety.severity, safety.causality, safety.outcome, safety.body_system}
    texts = (each for each in form.items if each.type == "text" and each.id not in named)
    return next((each for each in texts if _COMMENT.search(_named(each))), None)


def _meddra(form: Form, safety: Safety, row: FormRow) -> tuple[str | None, str | None]:
    """Return the code of the lowest level term, and the version of MedDRA that it is of."""
    coding = row.codings.get(safety.term)
    if coding is not None and coding.dictionary == "meddra":
        return coding.levels[0].code, coding.version
    return _coding(form, row, _MEDDRA_CODE), _coding(form, row, _MEDDRA_VERSION)


def _coding(form: Form, row: FormRow, pattern: re.Pattern[str]) -> str | None:
    """Return the first answer about MedDRA that reads as a code, or as a version of it."""
    answers = (str(value_of(row, item.id)) for item in form.items if _MEDDRA.search(_named(item)))
    return next((answer for answer in answers if pattern.fullmatch(answer)), None)


def dated(value: Value) -> PartialDate | None:
    """Return an answer as a date, perhaps partial; None for one that is none."""
    if isinstance(value, PartialDate):
        return value
    return PartialDate.of(value) if isinstance(value, date) else None


def _named(item: Item) -> str:
    return f"{item.id.replace('_', ' ')} {item.label}".lower()


def _texts(item: Item, value: Value) -> tuple[str, ...]:
    """Return the texts that may tell what an answer means: its code, then its label."""
    if value is None:
        return ()
    labels = [code.label for code in item.codes if code.code == str(value)]
    return tuple(text.replace("_", " ").lower() for text in (str(value), *labels))


def _meaning(words: _Words, *texts: str) -> str | None:
    for text in texts:
        for meaning, pattern in words:
            if re.search(pattern, text):
                return meaning
    return None
