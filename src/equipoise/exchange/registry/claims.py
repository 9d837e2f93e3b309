"""What the record's texts claim, quantity by quantity: each claim knows its value and the span that states
it.

Nothing here knows a disease or a score by name: scores are recognised by their form, an acronym or a name in
capitals that ends in a word such as Scale, and a long name is linked to its acronym by its initials.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from equipoise.exchange.registry.numbers import (
    AT_LEAST,
    AT_MOST,
    NUMBER,
    TIME_UNIT,
    TO,
    Range,
    parse_length,
    parse_number,
    parse_roman,
)
from equipoise.exchange.registry.texts import (
    DESCRIPTION,
    EXCLUSION,
    INCLUSION,
    NARRATIVE,
    POPULATION,
    RESULTS,
    SUMMARY,
    TITLE,
    Claim,
    Spot,
    claims_in,
    said,
    sentence_around,
)

# ---- ranges: age, duration of the disease, scores ----------------------------------------------------------

_AGE_UNIT: Final = r"(?:years?|yrs?|y|months?|mos?)"
_OLD: Final = rf"\s*[-]?\s*(?P<unit>{_AGE_UNIT})\b\.?(?P<old>[\s-]*(?:old\b|of\s+ages?\b|ages?\b))?"
_AGE_WORD: Final = r"\b(?:ages?|aged|ageing|aging)\b"
_AGE_GAP: Final = (
    r"(?:\s*[:(]?\s*(?:must\s+be|is|are|of|range(?:s|d)?|ranging|between|from|limits?)\s*)*\s*[:(]?\s*"
)
_AGE_RANGE: Final = re.compile(
    rf"(?P<cue>{_AGE_WORD}{_AGE_GAP})?(?:\bbetween\s+"
    rf"|\bfrom\s+)?(?<![\d.,·])(?P<low>{NUMBER})\s*(?:(?P<low_unit>{_AGE_UNIT})\b\.?)?(?:\s*old)?"
    rf"{TO}(?P<high>{NUMBER})(?!\s*[%/])(?:{_OLD})?",
    re.IGNORECASE,
)
_AGE_LOW: Final = re.compile(
    rf"(?:(?P<cue>{_AGE_WORD}{_AGE_GAP}|\badults?\s+){AT_LEAST}\s*(?P<a>{NUMBER})(?!\d)(?:{_OLD})?"
    rf"|{AT_LEAST}\s*(?P<b>{NUMBER})\s*(?P<unit2>{_AGE_UNIT})\b\.?\s*(?:old\b|of\s+age\b)"
    rf"|(?P<c>{NUMBER})\s*(?P<unit3>{_AGE_UNIT})\b\.?(?:(?:\s*(?:old\b|of\s+age\b|age\b))?\s*(?:and|or)\s+"
    rf"(?:older|over|above)|\s*(?:old|of\s+age|age)\s*(?:and|or)\s+more)\b(?!\s+than)"
    rf"|\bolder\s+than\s+(?P<e>{NUMBER})\s*(?P<unit5>{_AGE_UNIT})\b"
    rf"|(?P<d>{NUMBER})\s*\+\s*(?P<unit4>years?)\b)",
    re.IGNORECASE,
)
_AGE_HIGH: Final = re.compile(
    rf"(?:(?P<cue>{_AGE_WORD}{_AGE_GAP}){AT_MOST}\s*(?P<a>{NUMBER})(?!\d)(?:{_OLD})?"
    rf"|{AT_MOST}\s*(?P<b>{NUMBER})\s*(?P<unit2>{_AGE_UNIT})\b\.?\s*(?:old\b|of\s+age\b)"
    rf"|(?P<c>{NUMBER})\s*(?P<unit3>{_AGE_UNIT})\b\.?(?:\s*(?:old\b|of\s+age\b))?\s*(?:and"
    rf"|or)\s+(?:younger|under|below)\b(?!\s+than)"
    rf"|\byounger\s+than\s+(?P<d>{NUMBER})\s*(?P<unit4>{_AGE_UNIT})\b)",
    re.IGNORECASE,
)
_AGE_CUE: Final = (
    r"\b(?:age|aging|old|adult|young)|\b(?:and|or)\s+(?:over|above|more|under|below)\b|\+\s*year"
)
_NOT_THE_LIMITS: Final = re.compile(
    r"\b(?:mean|median|average|cohorts?|groups?|strat(?:um|a|ified|ification)|sub-?groups?|onset"
    r"|diagnos\w+|gestation\w*|part\s+[A-Z1-9]|vs|versus)\b|\d\s?%",
    re.IGNORECASE,
)
_NEAR: Final = 30
_ONE_SEX: Final = re.compile(r"\b(?:women|females?|girls|mothers?)\b|\b(?:men|males?|boys)\b", re.IGNORECASE)


def _years(number: str, unit: str | None) -> float:
    return parse_length(number, unit or "years").years


def _about_part_of_them(spot: Spot, match: re.Match[str]) -> bool:
    """Say whether a sentence speaks of some of the participants only: a cohort, one sex, an average."""
    begin, end = sentence_around(spot.passage.text, match.start())
    sentence = spot.passage.text[begin:end]
    near = spot.passage.text[max(begin, match.start() - _NEAR) : min(end, match.end() + _NEAR)]
    sexes = {
        word[0].lower() in "wfg" or word.lower().startswith("mother") for word in _ONE_SEX.findall(sentence)
    }
    one_sex = (
        len(sexes) == 1
        and spot.zone in {INCLUSION, EXCLUSION}
        and bool(re.search("pregnan|child", sentence, re.I))
    )
    return spot.nested or one_sex or bool(_NOT_THE_LIMITS.search(near))


def age_claims(all_spots: Sequence[Spot]) -> list[Claim]:
    """Return claims of the ages that can take part, in years; an exclusion's bound is turned round."""

    def of_range(match: re.Match[str], spot: Spot) -> Range | None:
        if not (match["cue"] or match["old"]) or spot.zone == EXCLUSION or _about_part_of_them(spot, match):
            return None
        low = _years(match["low"], match["low_unit"] or match["unit"])
        high = _years(match["high"], match["unit"])
        return Range(low, high) if low < high else None

    def bound(match: re.Match[str]) -> float:
        groups = match.groupdict()
        number = next(groups[name] for name in "abcde" if groups.get(name))
        units = (groups.get(name) for name in ("unit", "unit2", "unit3", "unit4", "unit5"))
        return _years(number, next((unit for unit in units if unit), None))

    def of_low(match: re.Match[str], spot: Spot) -> Range | None:
        if _about_part_of_them(spot, match):
            return None
        return Range(high=bound(match)) if spot.zone == EXCLUSION else Range(low=bound(match))

    def of_high(match: re.Match[str], spot: Spot) -> Range | None:
        if _about_part_of_them(spot, match):
            return None
        return Range(low=bound(match)) if spot.zone == EXCLUSION else Range(high=bound(match))

    zones = frozenset({TITLE, SUMMARY, DESCRIPTION, INCLUSION, EXCLUSION, POPULATION, RESULTS})
    ranges = list(claims_in(all_spots, zones, _AGE_RANGE, of_range, _AGE_CUE))
    singles = [
        *claims_in(all_spots, zones, _AGE_LOW, of_low, _AGE_CUE),
        *claims_in(all_spots, zones, _AGE_HIGH, of_high, _AGE_CUE),
    ]
    return ranges + [claim for claim in singles if not _overlaps(claim, ranges)]


def _overlaps(claim: Claim, others: Sequence[Claim]) -> bool:
    return any(
        claim.spot is other.spot and claim.start < other.end and other.start < claim.end for other in others
    )


_SUBJECT_WORD: Final = r"(?:disease|illness|disorder|condition|symptoms?|[A-Z][A-Za-z]*[A-Z]\w*)"
_BE: Final = (
    r"(?:\s*[:(]|\s+(?:must\s+be|should\s+be|is|was|are|of|range|ranging|between|from|for|since\s+\w+))*\s*"
)
_DURATION: Final = re.compile(
    rf"(?:\b(?P<subject>{_SUBJECT_WORD})(?:\s+|-)durations?\b|\bduration\s+of\s+(?:the\s+"
    rf"|their\s+)?(?:\w+\s+){{0,3}}?(?P<subject2>{_SUBJECT_WORD})"
    rf"(?:\s+(?:symptoms|disease))?){_BE}"
    rf"(?:(?P<low>{NUMBER})\s*(?:{TIME_UNIT})?{TO}(?P<high>{NUMBER})"
    rf"|(?P<ge>{AT_LEAST})\s*(?P<a>{NUMBER})|(?P<le>{AT_MOST})\s*(?P<b>{NUMBER}))"
    rf"\s*(?P<unit>{TIME_UNIT})",
    re.IGNORECASE,
)


def duration_claims(all_spots: Sequence[Spot]) -> list[Claim]:
    """Return claims of how long participants have had the disease (or its symptoms), in years."""

    def of(match: re.Match[str], spot: Spot) -> Range | None:
        if spot.nested:
            return None
        if match["low"]:
            return Range(_years(match["low"], match["unit"]), _years(match["high"], match["unit"]))
        low = _years(match["a"], match["unit"]) if match["a"] else None
        high = _years(match["b"], match["unit"]) if match["b"] else None
        return Range(high, low) if spot.zone == EXCLUSION else Range(low, high)

    zones = frozenset({TITLE, SUMMARY, DESCRIPTION, INCLUSION, EXCLUSION, POPULATION})
    found = claims_in(all_spots, zones, _DURATION, of, "duration")
    return [
        Claim(
            claim.spot,
            claim.start,
            claim.end,
            claim.value,
            "symptoms" if "ymptom" in said(claim) else "disease",
        )
        for claim in found
        if not re.search(r"\b(?:treatment|study|trial|infusion)\s+duration", said(claim), re.IGNORECASE)
    ]


_ACRONYM: Final = (
    r"\b[a-z]?[A-Z][A-Za-z]{0,6}[A-Z][A-Za-z]{0,4}(?:[0-9]{1,2}[a-z]?)?"
    r"(?:-[A-Z0-9][A-Za-z0-9]{0,4})?(?![A-Za-z0-9])"
)
_SCALE_NOUN: Final = (
    "Scale|Score|Index|Inventory|Questionnaire|Examination|Assessment|Test|Status|Rating|Measure|Scales"
)
_LONG_NAME: Final = (
    rf"\b[A-Z][A-Za-z'’]+(?:[-\s]+(?:of|and|the|for|in|[A-Z][A-Za-z'’]*)){{0,7}}?[-\s]+(?:{_SCALE_NOUN})\b"
)
_SCORE_LINK: Final = (
    r"(?:\s*\([^)]{1,30}\))?(?:\s+(?:total\s+|sum\s+|baseline\s+)?(?:scores?|scales?"
    r"|performance\s+status|class|grade|stage|levels?|values?))*"
    r"(?:\s*[:=(]|\s+(?:must\s+be|should\s+be|is|was|are|of|range|ranging|between|from|at\s+screening))*\s*"
)
_ROMAN_OR_NUMBER: Final = rf"(?:{NUMBER}|\b[IVX]{{1,4}}\b)"
_SCORE: Final = re.compile(
    rf"(?:(?P<long>{_LONG_NAME})|(?P<acronym>{_ACRONYM})){_SCORE_LINK}"
    rf"(?:(?P<low>{_ROMAN_OR_NUMBER}){TO}(?P<high>{_ROMAN_OR_NUMBER})(?!\s*(?:{TO.strip()})\s*\d)"
    rf"|(?P<ge>(?:≥|>=|>|[Aa]t\s+least|[Gg]reater\s+than(?:\s+or\s+equal\s+to)?|[Mm]ore\s+than"
    rf"|[Aa]bove))\s*(?P<a>{NUMBER})"
    rf"|(?P<le>(?:≤|<=|<|[Aa]t\s+most|[Ll]ess\s+than(?:\s+or\s+equal\s+to)?|[Bb]elow"
    rf"|[Uu]p\s+to))\s*(?P<b>{NUMBER}))"
    rf"(?P<unit>\s*(?:%|[a-zµ]+/[\w.]+|mg|kg|ml|mL|cm|mm|{TIME_UNIT}|points?\b|times\b|x\b|×|fold\b))?"
)
_SCALE_ITSELF: Final = re.compile(
    r"\b(?:ranges?\s+from|ranging\s+from|scored\s+from|scale\s+(?:of|from)|point\s+scale|worst"
    r"|severe\s+disease|\(minimum\)|change|"
    r"increase|decrease|improvement|reduction|worsening|progression)\b",
    re.IGNORECASE,
)
_CONDITIONAL: Final = re.compile(
    r"(?<!included\s)(?<!eligible\s)(?<!enrolled\s)(?<!recruited\s)(?<!qualify\s)(?<!participate\s)\b"
    r"(?:if|when|unless|in\s+case|whose|those\s+with|where)\b[^.;()]*$",
    re.IGNORECASE,
)
_NEVER_SCORES: Final = frozenset(
    {"IV", "MRI", "AND", "OR", "NOT", "HIV", "COVID-19", "ICD", "DSM", "II", "III", "VI"}
)


def initials(name: str) -> str:
    """Return the acronym of a long name: Eczema Area and Severity Index gives EASI."""
    words = re.findall(r"[A-Za-z'’]+", name)
    return "".join(word[0] for word in words if word[0].isupper())


def score_claims(all_spots: Sequence[Spot]) -> list[Claim]:
    """Return claims of the values of named scores or measurements that let people take part, by acronym."""
    found: list[Claim] = []
    zones = frozenset({TITLE, SUMMARY, DESCRIPTION, INCLUSION, EXCLUSION, POPULATION})

    def of(match: re.Match[str], spot: Spot) -> Range | None:
        unit = (match["unit"] or "").strip().lower()
        begin, end = sentence_around(spot.passage.text, match.start())
        sentence = spot.passage.text[begin:end]
        refused = spot.nested or re.fullmatch(TIME_UNIT + "|points?|times|x|×|fold", unit)
        if (
            refused
            or _SCALE_ITSELF.search(sentence)
            or _CONDITIONAL.search(spot.passage.text[begin : match.start()])
        ):
            return None
        if match["low"]:
            low, high = parse_roman(match["low"]), parse_roman(match["high"])
            return Range(low, high) if low < high and spot.zone != EXCLUSION else None
        low_bound = parse_number(match["a"]) if match["a"] else None
        high_bound = parse_number(match["b"]) if match["b"] else None
        return Range(high_bound, low_bound) if spot.zone == EXCLUSION else Range(low_bound, high_bound)

    for claim in claims_in(all_spots, zones, _SCORE, of):
        match = _SCORE.match(claim.passage.text, claim.start)
        if match is None:
            continue
        named = re.search(rf"\(({_ACRONYM})\)", said(claim))
        subject = named[1] if named else (match["acronym"] or initials(match["long"]))
        if subject.upper() not in _NEVER_SCORES:
            found.append(Claim(claim.spot, claim.start, claim.end, claim.value, subject.upper()))
    return found


# ---- counts: sites, countries, participants, arms ----------------------------------------------------------

_COUNT: Final = rf"(?<![\d.,·:/+-])(?P<n>{NUMBER})"
_SITE_KIND: Final = (
    r"(?:(?:clinical|study|research|participating|investigational|investigative|trial|hospital|medical"
    r"|academic|university|"
    r"tertiary|recruiting|specialist|specialised|specialized|different|European|international|national"
    r"|treatment|care)\s+){0,3}"
)
_SITES: Final = re.compile(
    rf"(?:{_COUNT}\s+{_SITE_KIND}(?P<what>sites|cent(?:re|er)s|hospitals|clinics"
    rf"|institutions)\b(?!\s+(?:of|on|per|for)\b)"
    rf"|(?P<single>\b(?:single|one)[-\s]?(?:cent(?:re|er)|site|institution)\b|\bmonocent(?:ric|re|er)\b)"
    rf"|(?P<multi>\bmulti[-\s]?(?:cent(?:re|er)|site|centric)\b))",
    re.IGNORECASE,
)
_SITES_CUE: Final = "site|cent(?:er|re|ric)|hospitals|clinics|institution"
_COUNTRIES: Final = re.compile(
    rf"{_COUNT}\s+(?:different\s+|participating\s+|European\s+|other\s+)?(?:countries|nations)\b", re.I
)
_ELSEWHERE: Final = re.compile(
    r"\b(?:cases|deaths|outbreak|pandemic|epidemic|endemic|spread|affect\w+|approved|marketed|licensed|prevalen\w+"
    r"|inciden\w+|worldwide|reported)\b",
    re.IGNORECASE,
)
_BODY_SITES: Final = re.compile(
    r"\b(?:injection|disease|metasta|tumou?r|biops|skin|infection|anatom|body|binding)", re.I
)


def site_claims(all_spots: Sequence[Spot]) -> list[Claim]:
    """Return claims of how many sites take part: a number, or "single" or "multi" as 1 and "many"."""

    def of(match: re.Match[str], spot: Spot) -> float | str | None:
        if match["single"] or match["multi"]:
            return 1.0 if match["single"] else "many"
        begin, end = sentence_around(spot.passage.text, match.start())
        if match["what"].lower() == "sites" and _BODY_SITES.search(spot.passage.text, begin, end):
            return None
        return parse_number(match["n"])

    return list(claims_in(all_spots, NARRATIVE | {RESULTS, POPULATION}, _SITES, of, _SITES_CUE))


def country_claims(all_spots: Sequence[Spot]) -> list[Claim]:
    """Return claims of how many countries take part."""

    def of(match: re.Match[str], spot: Spot) -> float | None:
        sentence = sentence_around(spot.passage.text, match.start())
        return None if _ELSEWHERE.search(spot.passage.text, *sentence) else parse_number(match["n"])

    return list(claims_in(all_spots, NARRATIVE | {RESULTS}, _COUNTRIES, of, "countries|nations"))


_PEOPLE: Final = (
    r"(?:patients|participants|subjects|volunteers|individuals|adults|children|women|men"
    r"|people|persons|infants|adolescents)"
)
_ENROLLED: Final = (
    r"(?:enrol(?:l)?(?:ed|ing|ment)?|randomi[sz]ed|recruited|recruit|included|include|assigned|randomly)"
)
_PEOPLE_COUNT: Final = re.compile(
    rf"(?:{_COUNT}\s+(?:[A-Za-z-]+\s+){{0,5}}?{_PEOPLE}\s+(?:[a-z]+\s+){{0,3}}?{_ENROLLED}\b"
    rf"|\b(?:enrol(?:l)?(?:s|ed|ing|ment)?|randomi[sz](?:e|es|ed|ing)|recruit(?:s|ed|ing|ment)?"
    rf"|include(?:s|d)?|including|(?:trial|study)\s+(?:in|with|of|among)|total\s+of)\s+"
    rf"(?:of\s+)?(?:a\s+)?(?:total\s+of\s+)?(?:up\s+to\s+|approximately\s+|about\s+"
    rf"|at\s+least\s+)?(?P<m>(?<![\d.,]){NUMBER})\s+(?:[A-Za-z-]+\s+){{0,5}}?{_PEOPLE}\b"
    rf"|\bsample\s+size\s+(?:of|is|will\s+be|was)\s+(?P<k>{NUMBER})"
    rf"|(?P<i>(?<![\d.,]){NUMBER})\s+(?:were|have\s+been)\s+(?:randomi[sz]ed|enrol(?:l)?ed)\b"
    rf"|(?P<another>\b(?:another|additional"
    rf"|further)\s+(?P<j>{NUMBER})\s+(?:[A-Za-z-]+\s+){{0,5}}?{_PEOPLE}\b))",
    re.IGNORECASE,
)
_PEOPLE_CUE: Final = (
    r"enrol|randomi|recruit|includ|assign|sample|(?:trial|study)\s+(?:in|with|of|among)|total\s+of"
    "|another|additional|further"
)
_PER_GROUP: Final = re.compile(
    r"\beach\b|\bfocus\s+groups?|\binterview|\bqualitative|\bsub-?(?:sample|study|set|group)"
    r"|\b(?:per|every)\s+(?:treatment\s+|study\s+)?(?:arm|group|cohort|site|cent(?:re|er)|week|month"
    r"|year)|\b(?:first|last|screened|respectively)\b|"
    r"\bin\s+(?:the\s+\w+|both|either|one)\s+(?:arms?|groups?)\b",
    re.IGNORECASE,
)
_PLANNED: Final = re.compile(
    r"\b(?:will|plan(?:ned|s)?|to be|aims?|intend(?:s|ed)?|expected|anticipated|target|up to|shall"
    r"|to\s+(?:recruit|enrol|enroll|include|randomi[sz]e))\b",
    re.IGNORECASE,
)
_FOUND: Final = re.compile(
    r"\b(?:show(?:s|ed|n)|found|reported|demonstrated|revealed|noted|had|died|developed|survived|et\s+al"
    r"|another\s+study)\b",
    re.IGNORECASE,
)


def people_claims(all_spots: Sequence[Spot]) -> list[Claim]:
    """Return claims of how many people take part in all; `subject` is planned, counted or (a further group)
    added.
    """
    found: list[Claim] = []

    def of(match: re.Match[str], spot: Spot) -> float | None:
        begin, end = sentence_around(spot.passage.text, match.start())
        text = spot.passage.text
        told = _FOUND.search(text, begin, end) and not _PLANNED.search(text, begin, end)
        # A sentence that tells what was found in so many patients tells of another study.
        if _PER_GROUP.search(text, begin, end) or (told and re.search(r"study\s+(?:of|in)", match[0])):
            return None
        return parse_number(match["n"] or match["m"] or match["k"] or match["i"] or match["j"])

    for claim in claims_in(all_spots, NARRATIVE | {RESULTS, POPULATION}, _PEOPLE_COUNT, of, _PEOPLE_CUE):
        match = _PEOPLE_COUNT.match(claim.passage.text, claim.start)
        begin, end = sentence_around(claim.passage.text, claim.start)
        planned = bool(_PLANNED.search(claim.passage.text, begin, end))
        subject = "added" if match and match["another"] else "planned" if planned else "counted"
        hedged = claim.hedged or bool(
            re.search(r"up to|approximately|about|at least", said(claim), re.IGNORECASE)
        )
        found.append(Claim(claim.spot, claim.start, claim.end, claim.value, subject, hedged))
    return found


_ARM_COUNT: Final = re.compile(
    rf"(?:{_COUNT}[-\s](?:parallel[-\s]|treatment[-\s]|study[-\s]|different[-\s]|intervention[-\s]"
    rf"|equal[-\s])*(?P<what>arms?|groups?)\b)",
    re.IGNORECASE,
)
_CONTROL: Final = re.compile(
    r"\b(?:and|plus|with)\s+(?:an?|one|the|1)\s+(?:\w+\s+)?(?:control|placebo|comparator)", re.IGNORECASE
)
_DIVIDED: Final = re.compile(
    r"randomi|assign|divid|allocat|one of|split|arm\b|arms\b|parallel", re.IGNORECASE
)


def arm_count_claims(all_spots: Sequence[Spot]) -> list[Claim]:
    """Return claims of the number of arms."""

    def of(match: re.Match[str], spot: Spot) -> float | None:
        begin, end = sentence_around(spot.passage.text, match.start())
        text = spot.passage.text
        about_arms = match["what"].lower().startswith("arm") or _DIVIDED.search(text, begin, end)
        # "One intervention group and a control group" does not count the arms.
        besides = "intervention" in match[0].lower() and _CONTROL.search(text, match.end(), end)
        return parse_number(match["n"]) if about_arms and not besides else None

    return list(claims_in(all_spots, NARRATIVE, _ARM_COUNT, of, "arm|group"))
