"""What the record's texts claim about design and time: phase, masking, allocation, model, control, follow-up,
decimals.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from equipoise.exchange.registry.numbers import NUMBER, TIME_UNIT, WORD_NUMBER, Length, parse_length
from equipoise.exchange.registry.texts import (
    ARMS,
    DESCRIPTION,
    DESIGN,
    INCLUSION,
    INTERVENTIONS,
    NARRATIVE,
    OUTCOMES,
    RESULTS,
    SUMMARY,
    TITLE,
    Claim,
    Spot,
    claims_in,
    sentence_around,
)

_STUDY_TEXTS: Final = frozenset({TITLE, SUMMARY, DESCRIPTION, DESIGN})
_PHASE_WORD: Final = r"(?:iv|i{1,3}|[0-4]|one|two|three|four)(?:\s?[ab])?"
_PHASE: Final = re.compile(
    rf"\bphase[-\s]+(?P<a>{_PHASE_WORD})(?:\s*(?:/|-|–|and|to"
    rf"|&)\s*(?:phase\s+)?(?P<b>{_PHASE_WORD}))?\b(?=(?P<tail>(?:\W+\w+){{0,6}}))",
    re.IGNORECASE,
)
_PHASE_NUMBERS: Final = {
    "i": 1, "ii": 2, "iii": 3, "iv": 4, "one": 1, "two": 2, "three": 3, "four": 4,
    "0": 0, "1": 1, "2": 2, "3": 3, "4": 4,
}  # fmt: skip
_PHASE_OF_A_PART: Final = re.compile(
    r"^\W*(?:part|portion|component|of\s+the\s+(?:study|trial)|will|dose|trials|studies|results)\b", re.I
)


def phase_numbers(text: str) -> tuple[float, ...]:
    """Return the phases that a text such as "PHASE1", "Phase 1/Phase 2" or "Early Phase 1" names."""
    return tuple(sorted({float(digit) for digit in re.findall(r"\d", text)}))


def phase_claims(spots: Sequence[Spot]) -> list[Claim]:
    """Return claims of the whole study's phase, as a tuple of numbers."""

    def of(match: re.Match[str], spot: Spot) -> tuple[float, ...] | None:
        about_study = spot.zone == TITLE or re.search(
            r"\b(?:trial|study|protocol|investigation)\b", match["tail"], re.I
        )
        if not about_study or _PHASE_OF_A_PART.match(match["tail"]):
            return None
        named = (re.sub(r"[\sab]+$", "", match[group].lower()) for group in ("a", "b") if match[group])
        return tuple(sorted({float(_PHASE_NUMBERS[name]) for name in named}))

    return list(claims_in(spots, _STUDY_TEXTS, _PHASE, of, "phase"))


_BLIND: Final = r"[-\s]?(?:blind(?:ed|ing)?|mask(?:ed|ing)?)\b"
_MASKING: Final = re.compile(
    rf"(?:(?P<double>\bdouble{_BLIND})|(?P<single>\bsingle{_BLIND})|(?P<triple>\btriple{_BLIND})"
    rf"|(?P<quadruple>\bquadruple{_BLIND})"
    rf"|(?P<observer>\b(?:observer|assessor|evaluator|rater){_BLIND})"
    r"|(?P<none>\bopen[-\s]label(?:l?ed)?\b"
    r"|\b(?:study|trial)\s+(?:is|was|will\s+be)\s+(?:not\s+blinded|unblinded)\b(?!\s+to\b)"
    r"|\b(?:non[-\s]?blinded|unblinded|unmasked)(?=\W+(?:\w+\W+){0,3}(?:study|trial|design)\b)"
    r"|\bwithout\s+(?:blinding|masking)\b)"
    r"(?!\W+(?:extension|fashion|dose|phase(?!\s+[1-4IViv])|period|follow|treatment|safety|part|arm|rescue|stage|continuation|team"
    r"|staff|pharmacist|statistician|personnel)))",
    re.IGNORECASE,
)


def _which(match: re.Match[str]) -> str:
    return next(name for name, text in match.groupdict().items() if text)


def masking_claims(spots: Sequence[Spot]) -> list[Claim]:
    """Return claims of the masking: none, single, double, triple, quadruple or observer."""

    def of(match: re.Match[str], spot: Spot) -> str | None:
        found = _which(match)
        part = found == "none" and _PART.search(
            spot.passage.text, *sentence_around(spot.passage.text, match.start())
        )
        return None if part else found

    return list(claims_in(spots, _STUDY_TEXTS, _MASKING, of, "blind|mask|label"))


_ALLOCATION: Final = re.compile(
    r"(?P<not>\bnon[-\s]?randomi[sz]ed|\bnot\s+(?:be\s+)?randomi[sz]ed|\bwithout\s+randomi[sz]ation"
    r"|\bunrandomi[sz]ed)"
    r"|(?P<yes>\brandomi[sz]ed\b(?!(?:\W+(?:placebo|controlled|clinical)){0,3}\W+(?:trials|studies)\b)|\brandomly\s+(?:assigned|allocated)\b)",
    re.IGNORECASE,
)
_PART: Final = re.compile(
    r"\b(?:part|cohort|stage|group)\s+[A-Z1-9]\b|\bextension\b|\bsentinel\b|\b(?:run|lead)-in\b"
    r"|\bescalation\b|\bsub-?study\b",
    re.IGNORECASE,
)


def allocation_claims(spots: Sequence[Spot]) -> list[Claim]:
    """Return claims that participants are ("yes") or are not ("not") allocated at random."""

    def of(match: re.Match[str], spot: Spot) -> str | None:
        begin, end = sentence_around(spot.passage.text, match.start())
        return None if _PART.search(spot.passage.text, begin, end) else _which(match)

    return list(claims_in(spots, _STUDY_TEXTS | {ARMS}, _ALLOCATION, of, "random"))


_RATIO: Final = re.compile(r"(?<![\d:.])\d{1,2}(?:\s?:\s?\d{1,2}){1,5}(?![\d:])")
_RATIO_CUE: Final = re.compile(r"randomi|allocat|assign", re.IGNORECASE)


def ratio_claims(spots: Sequence[Spot]) -> list[Claim]:
    """Return claims of the allocation ratio, as a tuple of its parts."""

    def of(match: re.Match[str], spot: Spot) -> tuple[float, ...] | None:
        begin, end = sentence_around(spot.passage.text, match.start())
        if not _RATIO_CUE.search(spot.passage.text, begin, end):
            return None
        return tuple(float(piece) for piece in re.split(r"\s?:\s?", match[0]))

    return list(claims_in(spots, NARRATIVE | {ARMS, RESULTS}, _RATIO, of))


_MODEL: Final = re.compile(
    r"(?P<crossover>\bcross[-\s]?over\b(?=\W+(?:design|study|trial|assignment|manner|fashion|comparison"
    r"|randomi|double|placebo|phase|,))|\bcross[-\s]?over$)"
    r"|(?P<parallel>\bparallel(?:[-\s](?:group|arm|design|assignment|study|trial)s?)\b|\bparallel,)"
    r"|(?P<single>\bsingle[-\s](?:arm|group)\b(?=\W+(?:\w+\W+){0,3}(?:study|trial|design|open|pilot"
    r"|phase)|,))|(?P<factorial>\bfactorial\b)",
    re.IGNORECASE,
)
_NEGATED: Final = re.compile(r"\b(?:no|not|without|non)\W*(?:\w+\W+)?$", re.IGNORECASE)


def model_claims(spots: Sequence[Spot]) -> list[Claim]:
    """Return claims of the intervention model: crossover, parallel, single or factorial."""

    def of(match: re.Match[str], spot: Spot) -> str | None:
        return None if _NEGATED.search(spot.passage.text, 0, match.start()) else _which(match)

    return list(claims_in(spots, _STUDY_TEXTS, _MODEL, of, "cross|parallel|single|factorial"))


PLACEBO: Final = re.compile(r"\b(?:placebos?|sham|dummy|vehicle|saline|inactive)\b", re.IGNORECASE)
_CONTROL: Final = re.compile(
    r"\b(?:placebo|sham)[-\s]controlled\b|\b(?:receiv\w+|followed\s+by|or|versus|vs\.?|with|to"
    r"|and)\s+(?:an?\s+|the\s+|matching\s+|either\s+)?(?:placebo|sham)\b",
    re.IGNORECASE,
)


def placebo_claims(spots: Sequence[Spot]) -> list[Claim]:
    """Return claims that some participants get a placebo or a sham."""

    def of(match: re.Match[str], spot: Spot) -> str | None:
        return None if _NEGATED.search(spot.passage.text, 0, match.start()) else "placebo"

    return list(claims_in(spots, _STUDY_TEXTS | {ARMS, OUTCOMES}, _CONTROL, of, "placebo|sham"))


# ---- time --------------------------------------------------------------------------------------------------

_VISIT_FOLLOW: Final = re.compile(
    rf"\bfollow(?:ed)?[-\s]?up\b(?:\s+(?:visits?|period|duration|time|assessments?"
    rf"|evaluations?))*(?:\s*[:(]|\s+(?:at|of|for|was|is|will\s+be|lasts?|until|to|up\s+to|after"
    rf"|through))*\s+"
    rf"(?:(?P<unit1>week|month|day|year)s?\s+(?P<n1>\d+)|(?<!\+)(?P<n2>{NUMBER})[-\s]*(?P<unit2>{TIME_UNIT}))"
    rf"|\bfollowed(?:[-\s]up)?\s+for\s+(?:up\s+to\s+|at\s+least\s+|a\s+(?:total"
    rf"|period)\s+of\s+)*(?P<n3>{NUMBER})[-\s]*(?P<unit3>{TIME_UNIT})"
    rf"|(?<![\d+.,])(?P<n4>{NUMBER})[-\s](?P<unit4>{TIME_UNIT})\s+follow[-\s]?up\b",
    re.IGNORECASE,
)


def follow_up_claims(spots: Sequence[Spot]) -> list[Claim]:
    """Return claims of when follow-up ends."""

    def of(match: re.Match[str], spot: Spot) -> Length | None:
        for index in "1234":
            if match[f"n{index}"]:
                return parse_length(match[f"n{index}"], match[f"unit{index}"])
        return None

    return list(claims_in(spots, _STUDY_TEXTS | {ARMS}, _VISIT_FOLLOW, of, "follow"))


_BETWEEN_TIMES: Final = r"(?:\s*[,/&–-]\s*(?:and\s+|or\s+)?|\s+(?:and|or|to)\s+)"
# A comma separates the times of a list (0,4,8); it is no decimal mark here.
_TIME_NUMBER: Final = rf"(?:\d+(?:[.·]\d+)?|\b{WORD_NUMBER}\b)"
_TIMES: Final = re.compile(
    rf"\b(?P<unit1>weeks?|months?|days?|years?|hours?)\s+(?P<list1>\d+(?:{_BETWEEN_TIMES}\d+){{0,40}})"
    rf"(?![\d.]*\s*(?:%|mg|ml))"
    rf"|(?<![\d.,+])(?P<list2>{_TIME_NUMBER}(?:{_BETWEEN_TIMES}{_TIME_NUMBER}){{0,40}})[-\s]*(?P<unit2>{TIME_UNIT})",
    re.IGNORECASE,
)
_NUMBER_IN_LIST: Final = re.compile(_TIME_NUMBER, re.IGNORECASE)


def times_in(text: str) -> Iterator[tuple[int, int, tuple[Length, ...]]]:
    """Yield the spans and lengths of time points in a text: "weeks 4, 8 and 12" is one span with three."""
    for match in _TIMES.finditer(text):
        listed, unit = match["list1"] or match["list2"], match["unit1"] or match["unit2"]
        numbers = _NUMBER_IN_LIST.findall(listed)
        yield match.start(), match.end(), tuple(parse_length(number, unit) for number in numbers)


_NEAR: Final = 80
_HORIZON_BEFORE: Final = re.compile(
    r"(?:\b(?:over|at|by|through|until|after|during|to|in|within|from\s+baseline\s+(?:to|at)"
    r"|up\s+to)\s+(?:the\s+|a\s+|an\s+|first\s+|every\s+)*)$",
    re.IGNORECASE,
)
_NOT_A_HORIZON_BEFORE: Final = re.compile(
    r"\b(?:sustained|confirmed|lasting|persist\w*|defined|duration|prior|previous|last|past|before"
    r"|history|recall|infection|illness|symptoms?|starting|beginning|every|each|per|age|aged|least|washout|preceding|within\s+the)\b[^.;]{0,25}$",
    re.IGNORECASE,
)
_NOT_A_HORIZON_AFTER: Final = re.compile(
    r"^\W*(?:prior|before|recall|earlier|apart|old|of\s+age|intervals?|preceding|period\s+prior|pre-"
    r"|diary|walk|test)",
    re.IGNORECASE,
)


def horizon_claims(spot: Spot) -> Iterator[tuple[Claim, tuple[Length, ...]]]:
    """Yield, sentence by sentence, the times at or over which an outcome's text says that it is measured."""
    text = spot.passage.text
    for start, end, lengths in times_in(text):
        begin, finish = sentence_around(text, start)
        before, after = text[max(begin, start - _NEAR) : start], text[end : min(finish, end + _NEAR)]
        named = text[start].isalpha() and not text[start:end].lower().startswith(tuple("otfsenab"))
        introduced = named or _HORIZON_BEFORE.search(before) or spot.zone == TITLE
        if (
            not lengths
            or not introduced
            or _NOT_A_HORIZON_BEFORE.search(before)
            or _NOT_A_HORIZON_AFTER.match(after)
        ):
            continue
        yield Claim(spot, start, end, max(lengths, key=lambda length: length.hours)), lengths


_STUDY_LENGTH: Final = re.compile(
    rf"(?<![\d.,+-])(?P<n>{NUMBER})[-\s](?P<unit>week|month|year)s?(?![-\s]*(?:old|extension|follow|of\s+age))"
    r"(?:[-,\s]+(?:randomi[sz]ed|double|single|triple|blind(?:ed)?|masked|open|label|placebo|controlled|parallel|group|crossover"
    r"|cross|over|multi|cent(?:er|re)|phase|[1-4]|i{1,3}v?|prospective|interventional|clinical|and|active|arm|two|three)\b){0,14}"
    r"[-,\s]+(?:study|trial)\b",
    re.IGNORECASE,
)


def study_length_claims(spots: Sequence[Spot]) -> list[Claim]:
    """Return claims of how long the study lasts for a participant, as in "a 32-week, double-blind study"."""

    def of(match: re.Match[str], spot: Spot) -> Length | None:
        text = spot.passage.text
        extended = re.search(
            r"extension|follow[-\s]?up|period|part|stage",
            text[slice(*sentence_around(text, match.start()))],
            re.I,
        )
        return None if extended else parse_length(match["n"], match["unit"])

    return list(claims_in(spots, NARRATIVE, _STUDY_LENGTH, of, "study|trial"))


_TREATED_FOR: Final = re.compile(
    rf"\bfor\s+(?:up\s+to\s+|a\s+(?:total|period)\s+of\s+)?(?P<n>{NUMBER})[-\s]+(?P<unit>days?|weeks?|months?|years?)\b"
    r"(?!\s+(?:before|prior|after|old|of\s+age))",
    re.IGNORECASE,
)
_TREATED: Final = re.compile(
    r"\b(?:treat(?:ed|ment)?|receiv\w+|tak(?:e|es|en|ing)|dos(?:e|es|ed|ing)|administ\w+|mg|daily|capsules?|tablets?|pills?)\b"
    r"|\btimes\s+a\s+(?:day|week)\b",
    re.IGNORECASE,
)
_NOT_TREATED: Final = re.compile(
    r"\b(?:follow\w*|observ\w+|monitor\w*|stable|history|at\s+least)\b[^,.;]*$", re.IGNORECASE
)


def treatment_length_claims(spots: Sequence[Spot]) -> list[Claim]:
    """Return claims of how long a treatment is given, as in "one capsule daily for 12 weeks"."""

    def of(match: re.Match[str], spot: Spot) -> Length | None:
        text = spot.passage.text
        begin, _ = sentence_around(text, match.start())
        before = text[begin : match.start()]
        given = _TREATED.search(before) and not _NOT_TREATED.search(before)
        return parse_length(match["n"], match["unit"]) if given else None

    return list(claims_in(spots, NARRATIVE | {ARMS, INTERVENTIONS}, _TREATED_FOR, of, r"\bfor\s"))


# ---- notation, sex, health ---------------------------------------------------------------------------------

_DOT: Final = re.compile(r"(?<![\d.,·])\d{1,4}\.\d{1,3}(?![\d.])")
_MIDDLE: Final = re.compile(r"(?<!\d)\d{1,4}[·‧∙]\d{1,3}(?!\d)")
_COMMA: Final = re.compile(
    r"(?<![\d.,])(?<!\d,\s)\d{1,3},\d{1,2}(?![\d,.])(?=\s?(?:[A-Za-zµ°]{1,7}\b(?!-)|%))(?!\s+(?:and|or|to)\b)"
)
_POINTED: Final = re.compile(r"\d[.,·‧∙]\d")
_LIST_BEFORE: Final = re.compile(
    r"\b(?:weeks?|days?|months?|visits?|years?|hours?|cycles?|doses?|groups?|grades?|stages?|types?"
    r"|class|criteria|items?|numbers?|tables?|cohorts?|arms?|parts?|at|and|or)\s*$",
    re.IGNORECASE,
)


def decimal_claims(spots: Sequence[Spot]) -> list[Claim]:
    """Return decimal numbers by their mark: "full stop", "middle dot" or "comma"; a list is none."""
    found: list[Claim] = []
    for spot in spots:
        if spot.zone == RESULTS:
            continue
        text = spot.passage.text
        if not _POINTED.search(text):
            continue
        for mark, pattern in (("full stop", _DOT), ("middle dot", _MIDDLE), ("comma", _COMMA)):
            for match in pattern.finditer(text):
                if mark != "comma" or not _LIST_BEFORE.search(text, 0, match.start()):
                    found.append(Claim(spot, *_with_unit(text, match), mark))
    return found


def _with_unit(text: str, match: re.Match[str]) -> tuple[int, int]:
    """Widen a number to its range and unit, so that the quotation can be read on its own."""
    after = re.compile(r"(?:\s?(?:-|–|to)\s?\d+[.,·]\d+)?(?:\s[A-Za-z]{1,3}\b)?").match(text, match.end())
    return match.start(), after.end() if after else match.end()


_SEX: Final = re.compile(
    r"(?P<both>\b(?:male|men|man|boys)\W+(?:and|or|and/or|&|/)\W*(?:female|women|woman|girls)"
    r"|\b(?:female|women|woman|girls)s?\W+(?:and|or|and/or|&|/)\W*(?:male|men|man|boys)|"
    r"\b(?:both|either|any|all)\s+(?:sex(?:es)?|genders?)\b)"
    r"|(?P<female>\b(?:only\s+(?:women|females?)|(?:women|females?)\s+only))|(?P<male>\b(?:only\s+(?:men"
    r"|males?)|(?:men|males?)\s+only))",
    re.IGNORECASE,
)
_SEX_OPENING: Final = re.compile(
    r"^(?:(?:healthy|adult|premenopausal|postmenopausal|post-menopausal|pregnant|non-pregnant"
    r"|nulliparous|young|older)\s+)*(?:(?P<female>women|females?)|(?P<male>men|males?))"
    r"(?:\s+(?:patients|subjects|participants|volunteers))?(?:\s*[,(]|\s+(?:aged?|between|who|with|from"
    r"|over|ages)\b|\s*≥|\s+\d|\s*$)",
    re.IGNORECASE,
)
_SEX_TITLE: Final = re.compile(
    r"\b(?:in|of|for|among)\s+(?:\w+\s+)?(?:(?P<female>women)|(?P<male>men))\b(?!\s+(?:and|or"
    r"|who\s+have\s+sex))",
    re.I,
)


def sex_claims(spots: Sequence[Spot]) -> list[Claim]:
    """Return claims of the sex of participants: both, female or male."""
    found = list(
        claims_in(spots, frozenset({TITLE, SUMMARY, INCLUSION}), _SEX, lambda match, _: _which(match))
    )
    for zone, pattern in ((INCLUSION, _SEX_OPENING), (TITLE, _SEX_TITLE)):
        chosen = [
            spot
            for spot in spots
            if spot.zone == zone and not spot.nested and not _SEX.search(spot.passage.text)
        ]
        found += claims_in(chosen, frozenset({zone}), pattern, lambda match, _: _which(match))
    openings = {claim.value for claim in found if claim.spot.zone == INCLUSION and claim.value != "both"}
    return [claim for claim in found if claim.value == "both" or len(openings) < 2]


_HEALTHY: Final = re.compile(
    r"(?P<not>\b(?:no|not)\s+(?:\w+\s+)?healthy\s+volunteers)|(?P<healthy>\bhealthy\s+(?:(?:adult|male"
    r"|female|normal|human|elderly|young)\s+){0,3}"
    r"(?:volunteers?|subjects?|participants?|individuals?|adults?|men|women|males?|females?)\b)",
    re.IGNORECASE,
)


def healthy_claims(spots: Sequence[Spot]) -> list[Claim]:
    """Return claims that healthy volunteers can ("healthy") or cannot ("not") take part."""
    chosen = [spot for spot in spots if not spot.nested]
    return list(
        claims_in(chosen, frozenset({TITLE, INCLUSION, ARMS}), _HEALTHY, lambda match, _: _which(match))
    )
