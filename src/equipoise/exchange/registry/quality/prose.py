"""The texts: who speaks, which abbreviations stand unexplained, and what does not belong into a record.

Sources: ClinicalTrials.gov, "Protocol Registration Data Element Definitions" (Brief Summary, Detailed
Description, Eligibility Criteria); PRS Major Comments (eligibility criteria appear to be missing; results or
conclusions in a free-text field; payment of participants); Registration User's Guide (2021) on persons and
acronyms.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from equipoise.exchange.registry.findings import NOTE, WARNING
from equipoise.exchange.registry.quality.outcomes import spelled_out
from equipoise.exchange.registry.quality.subject import (
    COMMENTS,
    DEFINITIONS,
    Hit,
    Rule,
    Subject,
    folded,
    hit,
    in_its_sentence,
    spans,
    words_of,
)
from equipoise.exchange.registry.texts import Claim, sentence_around

_GUIDE: Final = "Registration User's Guide (2021)"


def _sentence(claim: Claim) -> str:
    text = claim.passage.text
    return text[slice(*sentence_around(text, claim.start))]


_PERSON: Final = re.compile(r"\b(?:[Ww]e|[Oo]ur|[Oo]urs|us|[Yy]ou|[Yy]our|[Yy]ours|my)\b(?![-/.])")
_QUOTED: Final = re.compile(r"[\"“”«»?]|(?<!\w)'|\u2018|\b(?:item|question|statement|asked)\b", re.IGNORECASE)


def find_persons(subject: Subject) -> Iterator[Hit]:
    """The titles, the summary and the description speak of the investigators and participants, not of us or
    you.
    """
    record = subject.record
    titles = [record.identification.brief_title, record.identification.official_title]
    texts = [*(title for title in titles if title), *record.description.brief_summary]
    texts += record.description.detailed_description
    texts += [text for outcome in subject.outcomes for text in outcome.description]
    for passage in texts:
        said = (claim for claim in spans(passage, _PERSON) if not _QUOTED.search(_sentence(claim)))
        if (first := next(said, None)) is not None:
            yield hit(in_its_sentence(first), detail=f'"{first.value}"')


_CAPITALS: Final = re.compile(r"(?<![\w/+-])[A-Z]{3,6}s?(?![\w/+-])")
_KNOWN: Final = frozenset(
    {
        "HIV",
        "AIDS",
        "DNA",
        "RNA",
        "MRI",
        "PET",
        "COVID",
        "SARS",
        "USA",
        "NIH",
        "FDA",
        "WHO",
        "III",
        "VIII",
        "VII",
    }
)
_SHOUTED: Final = 0.6


def find_acronyms(subject: Subject) -> Iterator[Hit]:
    """An acronym of the brief title is explained somewhere in the record."""
    record, title = subject.record, subject.record.identification.brief_title
    letters = [letter for letter in title.text if letter.isalpha()] if title else []
    if title is None or sum(letter.isupper() for letter in letters) > _SHOUTED * len(letters):
        return
    names = [each for item in record.arms.interventions for each in (item.name, *item.other_names)]
    names += [text for item in record.arms.interventions for text in item.description]
    names += [record.identification.acronym, record.identification.org_study_id.id]
    names += [record.sponsors.lead_sponsor.name, record.identification.organization.full_name]
    names += [each.name for each in record.sponsors.collaborators]
    known = set(re.findall(r"[A-Z]{2,}", " ".join(name.text.upper() for name in names if name)))
    for claim in spans(title, _CAPITALS):
        acronym = str(claim.value).removesuffix("s")
        if acronym not in known | _KNOWN and not spelled_out(acronym, subject):
            yield hit(claim, detail=acronym)


def find_repetition(subject: Subject) -> Iterator[Hit]:
    """The detailed description says more than the brief summary."""
    described = subject.record.description
    summary, detailed = described.brief_summary, described.detailed_description
    if summary and [folded(text) for text in summary] == [folded(text) for text in detailed]:
        yield hit(summary[0], detailed[0])


# ---- eligibility -------------------------------------------------------------------------------------------

_ELSEWHERE: Final = re.compile(
    r"(?:please\s+)?(?:contact|see|refer\s+to|call)\b.{0,80}|n/?a|none|not\s+applicable|tbd|to\s+be\s+determined",
    re.IGNORECASE | re.DOTALL,
)
_HEADS: Final = ("inclusion", "exclusion")


def find_no_criteria(subject: Subject) -> Iterator[Hit]:
    """The record says who can take part."""
    texts = subject.record.eligibility.text
    whole = words_of(" ".join(text.text for text in texts))
    if not whole or _ELSEWHERE.fullmatch(whole.strip(" .")):
        yield hit(*(texts or (subject.name,)))


def find_no_heads(subject: Subject) -> Iterator[Hit]:
    """The criteria stand below the heads Inclusion Criteria and Exclusion Criteria."""
    texts = subject.record.eligibility.text
    whole = " ".join(text.text for text in texts).casefold()
    missing = [f"{head.capitalize()} Criteria" for head in _HEADS if head not in whole]
    if whole.strip() and not _ELSEWHERE.fullmatch(whole.strip(" .")) and missing:
        yield hit(texts[0], detail=" and ".join(missing))


# ---- what does not belong there ----------------------------------------------------------------------------

_PAYMENT: Final = re.compile(
    r"\b(?:participants?|subjects?|patients?|volunteers?|parents?|families)\s+(?:will|are|would|can|may|shall)\s+"
    r"(?:also\s+|each\s+)?(?:be\s+)?(?:paid|compensated|reimbursed|remunerated"
    r"|(?:receive|get|given|earn)\b[^.;]{0,40}?(?:[$€£]\s?\d|\bUSD|\bgift\s+cards?|\bstipends?|\bmonetary"
    r"|\bpayments?\b|\bfinancial\s+compensation))",
    re.IGNORECASE,
)


def find_payment(subject: Subject) -> Iterator[Hit]:
    """The texts tell nothing of payments to participants, unless these are what is studied."""
    studied = " ".join(each.name.text for each in subject.record.arms.interventions if each.name)
    if re.search(
        r"incentive|financial|payment|cash|voucher|reward|contingency|money", studied, re.IGNORECASE
    ):
        return
    for passage in (*subject.prose, *subject.record.eligibility.text):
        for claim in spans(passage, _PAYMENT):
            yield hit(claim)


_CONCLUSION: Final = re.compile(
    r"\b(?:see|refer\s+to)\s+(?:the\s+|our\s+|attached\s+)?(?:publications?|published|paper|article|manuscript|pubmed)\b"
    r"|\bresults\s+(?:are|were|have\s+been|will\s+be)\s+(?:published|presented|reported|available)\s+(?:in|at|elsewhere)\b"
    r"|\b(?:was|were)\s+(?:statistically\s+)?significantly\s+(?:higher|lower|greater|better|worse|more|less|reduced"
    r"|increased|different|improved)\b"
    r"|\b(?:was|were)\s+no\s+(?:statistically\s+)?significant\s+(?:difference|change|effect)"
    r"|\bp\s?-?(?:value)?\s?[=<]\s?0?\.\d+\s*\)",
    re.IGNORECASE,
)
_FREE_TEXT: Final = re.compile(
    r"resultsSection\.(?!moreInfoModule).*\.(?:description|populationDescription|comment|recruitmentDetails"
    r"|preAssignmentDetails|groupDescription|estimateComment|title)$"
)
_CHARACTERS_MIN: Final = len("p=.05)")
_A_PLAN: Final = re.compile(
    r"\b(?:if|considered|will\s+be|would|threshold|level|alpha|defined|criteri\w+|deemed|previous\w*|literature"
    r"|et\s+al|power|hypothes\w+)\b",
    re.IGNORECASE,
)


def find_conclusions(subject: Subject) -> Iterator[Hit]:
    """Results stand in tables, and not in texts."""
    texts = [text for outcome in subject.outcomes for text in outcome.description]
    texts += [
        passage
        for passage in subject.record.results
        if len(passage.text) >= _CHARACTERS_MIN and _FREE_TEXT.match(passage.section)
    ]
    for passage in texts:
        for claim in spans(passage, _CONCLUSION):
            if not _A_PLAN.search(_sentence(claim)):
                yield hit(claim)


RULES: Final = (
    Rule(
        "PRS-PERSON",
        NOTE,
        find_persons,
        "A text speaks in the first or second person",
        "Write of the investigators and of the participants",
        _GUIDE,
        of_pages=True,
    ),
    Rule(
        "PRS-ACRONYM",
        NOTE,
        find_acronyms,
        "The brief title has an acronym that the record explains nowhere",
        "Write it in full, with the acronym in brackets",
        f"{_GUIDE}; {DEFINITIONS}, Brief Title",
    ),
    Rule(
        "PRS-DESCRIPTION-REPEATED",
        NOTE,
        find_repetition,
        "The detailed description repeats the brief summary",
        "Describe the study in more detail, or leave the description out",
        f"{DEFINITIONS}, Detailed Description",
        of_pages=True,
    ),
    Rule(
        "PRS-CRITERIA-NONE",
        WARNING,
        find_no_criteria,
        "The record does not say who can take part",
        "List the inclusion and the exclusion criteria",
        f"{COMMENTS}: eligibility criteria appear to be missing; 42 CFR 11.28(a)(2)(ii)",
    ),
    Rule(
        "PRS-CRITERIA-HEADS",
        NOTE,
        find_no_heads,
        "The eligibility criteria lack a head",
        "List the criteria below the heads Inclusion Criteria and Exclusion Criteria",
        f"{DEFINITIONS}, Eligibility Criteria",
    ),
    Rule(
        "PRS-PAYMENT",
        WARNING,
        find_payment,
        "A text tells of payments to participants",
        "Remove it, as the registry does not publish this",
        f"{COMMENTS}: payment of participants",
        of_pages=True,
    ),
    Rule(
        "PRS-CONCLUSION",
        WARNING,
        find_conclusions,
        "A text tells results, or where they are published",
        "Report the numbers in a table, and cite the publication among the references",
        f"{COMMENTS}: results data or conclusions in a free-text field",
        of_pages=True,
    ),
)
