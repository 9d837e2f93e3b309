"""What a rule of quality control looks at, what it answers, and what it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from equipoise.exchange.registry.facts import Day, Facts, code_of, day_of
from equipoise.exchange.registry.findings import Finding, places_of
from equipoise.exchange.registry.model import Outcome, Passage, RegistryRecord
from equipoise.exchange.registry.quality.tables import Results, results_of
from equipoise.exchange.registry.texts import Claim, Spot, sentence_around

DEFINITIONS: Final = "Protocol Registration Data Element Definitions"
RESULTS_DEFINITIONS: Final = "Results Data Element Definitions"
COMMENTS: Final = "PRS Major Comments"
REVIEW_2011: Final = "Zarin et al., NEJM 2011;364:852, Table 3"

_FINAL_RULE: Final = day_of(Passage("", 0, "2017-01-18"))
_ESCAPED: Final = re.compile(r"\\(?=[^\w\s])")
_DETAILS_MAX: Final = 8


def words_of(text: str) -> str:
    """Return a text as it is read: without the backslashes of the registry's markup, with single spaces."""
    return " ".join((_ESCAPED.sub("", text) if "\\" in text else text).split())


def folded(passage: Passage | None) -> str:
    """Return a text for comparison with another."""
    return words_of(passage.text).casefold().strip(" .") if passage else ""


def spans(passage: Passage, pattern: re.Pattern[str]) -> Iterator[Claim]:
    """Yield what a pattern finds in a text, as places to quote."""
    for match in pattern.finditer(passage.text):
        yield Claim(Spot("", passage), match.start(), match.end(), match[0])


def in_its_sentence(claim: Claim) -> Claim:
    """Return the whole sentence of what was found, to be quoted."""
    return Claim(claim.spot, *sentence_around(claim.passage.text, claim.start), claim.value)


@dataclass(frozen=True, slots=True)
class Hit:
    """A place that a rule sends back: what to quote, and a few words where the quotation is not enough."""

    places: tuple[Passage | Claim | None, ...]
    detail: str = ""


def hit(*places: Passage | Claim | None, detail: str = "") -> Hit:
    """Return a hit that quotes some passages."""
    return Hit(places, detail)


@dataclass(frozen=True)
class Subject:
    """A record under review; what several rules look at is made once."""

    facts: Facts

    @property
    def record(self) -> RegistryRecord:
        return self.facts.record

    @cached_property
    def results(self) -> Results | None:
        return results_of(self.record.results_tree)

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        return self.facts.outcomes

    @property
    def is_interventional(self) -> bool:
        return code_of(self.record.design.study_type) == "INTERVENTIONAL"

    @property
    def is_observational(self) -> bool:
        return code_of(self.record.design.study_type) == "OBSERVATIONAL"

    @property
    def status(self) -> str:
        """The overall status; for one that is unknown, the last one that was known."""
        status = self.record.status
        code = code_of(status.overall_status)
        return code_of(status.last_known_status) if code == "UNKNOWN" else code

    @cached_property
    def updated(self) -> Day | None:
        """The day of the last update that was submitted, else posted."""
        status = self.record.status
        return day_of(status.last_update_submitted) or day_of(status.last_update_posted.date)

    @property
    def name(self) -> Passage | None:
        """What stands for the whole record, where something is missing in it."""
        identification = self.record.identification
        return identification.nct_id or identification.brief_title or identification.official_title

    def since_final_rule(self, passage: Passage | None) -> bool:
        """Say whether a date is not before 18 January 2017, from which 42 CFR Part 11 asks for more."""
        day = day_of(passage)
        return bool(day and _FINAL_RULE and not _FINAL_RULE.surely_after(day))

    @cached_property
    def prose(self) -> tuple[Passage, ...]:
        """The texts in which the record tells of the study in sentences."""
        record, info = self.record, self.record.design.info
        return (
            *record.description.brief_summary,
            *record.description.detailed_description,
            *info.intervention_model_description,
            *info.masking_info.description,
            *(text for arm in record.arms.arm_groups for text in arm.description),
            *(text for each in record.arms.interventions for text in each.description),
            *(text for outcome in self.outcomes for text in outcome.description),
        )

    @cached_property
    def all_words(self) -> str:
        """All that the record says of the study, in one text."""
        record = self.record
        named = [record.identification.brief_title, record.identification.official_title]
        named += [outcome.measure for outcome in self.outcomes]
        texts = [*(each for each in named if each), *self.prose, *record.eligibility.text]
        texts += [*record.conditions.conditions, *record.conditions.keywords]
        return "\n".join(words_of(text.text) for text in texts)


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of quality control: `find` yields what breaks it, and its docstring says what it asks.

    `sentence` says what is wrong and `remedy` what to do, neither with its full stop; `source` names who
    asks. A rule with `of_pages` is asked of copied pages too, which lack what the registry prints as links.
    """

    code: str
    severity: str
    find: Callable[[Subject], Iterable[Hit]]
    sentence: str
    remedy: str
    source: str
    of_pages: bool = False

    def findings(self, subject: Subject) -> Iterator[Finding]:
        """Yield one finding that quotes all places, or none."""
        hits = list(self.find(subject))
        if not hits:
            return
        details = list(dict.fromkeys(each.detail for each in hits if each.detail))
        more = f" and {len(details) - _DETAILS_MAX} more" if len(details) > _DETAILS_MAX else ""
        told = f": {'; '.join(details[:_DETAILS_MAX])}{more}" if details else ""
        places = places_of(subject.record, [place for each in hits for place in each.places])
        yield Finding(self.code, self.severity, f"{self.sentence}{told}. {self.remedy}.", places)
