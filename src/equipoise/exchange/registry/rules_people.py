"""Rules about who takes part: age, sex, health, duration of disease, scores, and how many."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from equipoise.exchange.registry.claims import age_claims, duration_claims, people_claims, score_claims
from equipoise.exchange.registry.design_claims import healthy_claims, sex_claims
from equipoise.exchange.registry.facts import (
    Facts,
    code_of,
    first_of_each_passage,
    in_words,
    integer_of,
    plain,
)
from equipoise.exchange.registry.findings import ERROR, NOTE, WARNING, Finding
from equipoise.exchange.registry.model import Passage
from equipoise.exchange.registry.numbers import Range, parse_length
from equipoise.exchange.registry.texts import EXCLUSION, INCLUSION, TITLE, Claim, said

_AGE: Final = re.compile(r"^(\d+)\s*(year|month|week|day|hour)s?$", re.IGNORECASE)
_STRICT: Final = re.compile(
    r">(?!=)|<(?!=)|\b(?:over|above|older\s+than|more\s+than|greater\s+than|under|below|younger\s+than"
    r"|less\s+than)\b",
    re.I,
)
_ADULT_FROM, _OLDER_FROM = 18.0, 65.0
_NEARLY: Final = 0.1
_ABOUT: Final = 0.2


def _age_years(passage: Passage | None) -> float | None:
    match = _AGE.match(passage.text.strip()) if passage else None
    return parse_length(match[1], match[2]).years if match else None


def _range_of(claim: Claim) -> Range:
    return claim.value if isinstance(claim.value, Range) else Range()


def _differs(stated: float | None, field: float | None, claim: Claim, one_off: float) -> bool:
    """Compare a bound in a text with the field's; "over 17" and "under 66" also mean 18 and 65."""
    if stated is None or field is None or abs(stated - field) < 1e-6:
        return False
    return not (_STRICT.search(said(claim)) and abs(stated + one_off - field) < 1e-6)


def rule_age(facts: Facts) -> Iterator[Finding]:
    """The ages in the texts, in the fields and in the age groups are the same."""
    eligibility = facts.record.eligibility
    low, high = _age_years(eligibility.minimum_age), _age_years(eligibility.maximum_age)
    claims = age_claims(facts.spots)
    apart = _strata(claims, Range(low, high))
    claims = [claim for claim in claims if claim not in apart]
    by_zone: dict[str, list[Claim]] = {}
    for claim in claims:
        by_zone.setdefault(claim.spot.zone, []).append(claim)
    conflicting: list[Claim] = []
    for group in by_zone.values():
        ranges = [_range_of(claim) for claim in group]
        lows, highs = (
            [r.low for r in ranges if r.low is not None],
            [r.high for r in ranges if r.high is not None],
        )
        if len(group) > 1 and lows and highs and (min(lows), max(highs)) == (low, high):
            continue
        for claim, stated in zip(group, ranges, strict=True):
            beyond = stated.high is not None and low is not None and high is None
            if _differs(stated.low, low, claim, 1.0) or _differs(stated.high, high, claim, -1.0) or beyond:
                conflicting.append(claim)
    if low is None and high is None:
        conflicting = _disagreeing(claims)
    conflicting += _misnamed(facts, low, high)
    groups = _wrong_age_groups(eligibility.std_ages, low, high)
    if conflicting or groups:
        fields = (eligibility.minimum_age, eligibility.maximum_age)
        yield facts.finding(
            "REC-AGE",
            ERROR,
            "The record states more than one age range for participants. State one range and use it "
            "everywhere.",
            [*conflicting, *fields, *groups],
        )
    elif (
        high is not None
        and claims
        and all(_range_of(claim).high is None for claim in claims)
        and not any(re.search(rf"\b{high:g}\b", claim.passage.text) for claim in claims)
    ):
        yield facts.finding(
            "REC-AGE",
            NOTE,
            "The age field has an upper limit that the texts do not state. Add it to the texts or remove "
            "it from the field.",
            [*first_of_each_passage(claims), eligibility.maximum_age],
        )


def _strata(claims: Sequence[Claim], field: Range) -> list[Claim]:
    """Return the claims that are about parts of the participants: ranges side by side that make up the
    field's, and single bounds within it, where the criteria state it whole.
    """
    ranges = {_range_of(claim) for claim in claims}
    beside = {one for one in ranges if any(_follows(one, two) or _follows(two, one) for two in ranges)}
    lows, highs = [each.low for each in beside], [each.high for each in beside]
    whole = Range(
        None if None in lows else min((low for low in lows if low is not None), default=None),
        None if None in highs else max((high for high in highs if high is not None), default=None),
    )
    found = [claim for claim in claims if _range_of(claim) in beside] if whole == field else []
    if any(claim.spot.zone == INCLUSION and _range_of(claim) == field for claim in claims):
        found += [claim for claim in claims if _is_bound_within(_range_of(claim), field)]
    return found


def _follows(one: Range, two: Range) -> bool:
    return one.low is not None and two.high is not None and one.low >= two.high


def _is_bound_within(one: Range, field: Range) -> bool:
    """Say whether a range has one bound, which lies strictly within another range."""
    bounds = [bound for bound in (one.low, one.high) if bound is not None]
    low, high = field.low, field.high
    return len(bounds) == 1 and low is not None and high is not None and low < bounds[0] < high


_GROUP_IN_TITLE: Final = re.compile(
    r"\b(?:(?P<young>children|pa?ediatric\s+(?:patients|participants|subjects|population)|infants"
    r"|adolescents)|(?P<adult>adults))\b",
    re.IGNORECASE,
)


def _misnamed(facts: Facts, low: float | None, high: float | None) -> list[Claim]:
    """Return the word of a title that calls adults children, or the reverse."""
    found: list[Claim] = []
    for spot in facts.spots:
        matches = list(_GROUP_IN_TITLE.finditer(spot.passage.text)) if spot.zone == TITLE else []
        if len({bool(match["adult"]) for match in matches}) == 1:
            bound = high if matches[0]["adult"] else low
            wrong = bound is not None and (bound < _ADULT_FROM) == bool(matches[0]["adult"])
            found += [Claim(spot, *matches[0].span(), matches[0][0])] if wrong else []
    return found


def _wrong_age_groups(groups: Sequence[Passage], low: float | None, high: float | None) -> list[Passage]:
    """Return the age groups when they are not those that the limits reach: child, adult from 18, older adult
    from 65.
    """
    if not groups or (low is None and high is None):
        return []
    start, end = low or 0.0, 200.0 if high is None else high
    expected = set()
    if start < _ADULT_FROM:
        expected.add("CHILD")
    if start < _OLDER_FROM and end >= _ADULT_FROM:
        expected.add("ADULT")
    if end >= _OLDER_FROM:
        expected.add("OLDER_ADULT")
    return list(groups) if {code_of(group) for group in groups} != expected else []


def _disagreeing(claims: Sequence[Claim]) -> list[Claim]:
    """Return the claims that disagree with every claim of some other text; criteria of one kind count as one
    text.
    """

    def text_of(claim: Claim) -> tuple[str, str, int]:
        shared = claim.spot.zone in {INCLUSION, EXCLUSION}
        return (
            (claim.spot.zone, "", 0)
            if shared
            else (claim.spot.zone, claim.passage.section, claim.passage.line)
        )

    texts: dict[tuple[str, str, int], list[Claim]] = {}
    for claim in claims:
        texts.setdefault(text_of(claim), []).append(claim)
    found: list[Claim] = []
    for claim in claims:
        for key, others in texts.items():
            zones = {key[0], claim.spot.zone}
            if key == text_of(claim):
                continue
            if zones == {INCLUSION, EXCLUSION}:
                clashes = [other for other in others if _cuts_into(claim, other)]
            elif any(_range_of(claim).agrees_with(_range_of(other)) for other in others):
                continue
            else:
                clashes = list(others)
            found += [item for item in (claim, *clashes) if clashes and item not in found]
    return sorted(found, key=lambda item: (item.passage.line, item.start))


def _cuts_into(claim: Claim, other: Claim) -> bool:
    """Say whether an exclusion's bound lies strictly within the range that the inclusion admits."""
    including, excluding = (claim, other) if claim.spot.zone == INCLUSION else (other, claim)
    admitted, bound = _range_of(including), _range_of(excluding)
    if admitted.low is None or admitted.high is None:
        return False
    return any(admitted.low < value < admitted.high for value in (bound.low, bound.high) if value is not None)


def rule_disease_duration(facts: Facts) -> Iterator[Finding]:
    """The duration of the disease is the same in every text."""
    claims = duration_claims(facts.spots)
    for subject in dict.fromkeys(claim.subject for claim in claims):
        clashing = _disagreeing([claim for claim in claims if claim.subject == subject])
        if clashing:
            yield facts.finding(
                "REC-DURATION",
                ERROR,
                f"The record states more than one duration of the {subject}: {in_words(clashing)}. State "
                f"one and use it everywhere.",
                clashing,
            )


def rule_score(facts: Facts) -> Iterator[Finding]:
    """The range of a score or measurement is the same in every text."""
    claims = score_claims(facts.spots)
    for subject in dict.fromkeys(claim.subject for claim in claims):
        clashing = _disagreeing([claim for claim in claims if claim.subject == subject])
        if clashing:
            yield facts.finding(
                "REC-SCORE",
                ERROR,
                f"The record states more than one range of {subject}: {in_words(clashing)}. State one "
                f"and use it everywhere.",
                clashing,
            )


def rule_sex(facts: Facts) -> Iterator[Finding]:
    """The sex in the texts is that of the field."""
    field = facts.record.eligibility.sex
    code = code_of(field)
    allowed = {"ALL": "both", "FEMALE": "female", "MALE": "male"}.get(code)
    clashing = [claim for claim in sex_claims(facts.spots) if allowed and claim.value != allowed]
    if clashing:
        yield facts.finding(
            "REC-SEX",
            ERROR,
            "The texts and the field disagree on the sex of participants. Correct whichever is wrong.",
            [*first_of_each_passage(clashing), field],
        )


def rule_healthy_volunteers(facts: Facts) -> Iterator[Finding]:
    """Healthy volunteers take part in the texts just when the field accepts them."""
    field = facts.record.eligibility.healthy_volunteers
    refused = {"FALSE": "healthy", "TRUE": "not"}.get(code_of(field))
    clashing = [claim for claim in healthy_claims(facts.spots) if claim.value == refused]
    if clashing:
        yield facts.finding(
            "REC-HEALTHY",
            WARNING,
            "The texts and the field disagree on whether healthy volunteers take part. Correct whichever "
            "is wrong.",
            [*first_of_each_passage(clashing), field],
        )


# ---- how many ----------------------------------------------------------------------------------------------

_STARTED: Final = re.compile(
    r"resultsSection\.participantFlowModule\.periods\[0\]\.milestones\[(\d+)\]\.(.*)$"
)


def started_passages(results: Iterable[Passage]) -> list[Passage]:
    """Return the numbers of participants who started the first period, group by group."""
    found: list[Passage] = []
    started: str | None = None
    for passage in results:
        match = _STARTED.match(passage.section)
        if match and match[2] == "type":
            started = match[1] if passage.text == "STARTED" else None
        elif match and match[1] == started and match[2].endswith("numSubjects"):
            found.append(passage)
    return found


def _fits(claim: Claim, count: int) -> bool:
    """Say whether a count agrees with a claim, which may say up to, at least or about."""
    stated = claim.value if isinstance(claim.value, float) else 0.0
    words = claim.passage.text[max(0, claim.start - 20) : claim.end].lower()
    if re.search(r"up to|at most|maximum|≤", words):
        return count <= stated
    if re.search(r"at least|minimum|≥|more than", words):
        return count >= stated
    if claim.hedged or re.search(r"approximately|about|around|~", words):
        return abs(count - stated) <= _ABOUT * stated
    return count == stated


def rule_enrolment(facts: Facts) -> Iterator[Finding]:
    """The number of participants is the same in field, texts and participant flow; a plan is not an actual
    number.
    """
    field = facts.record.design.enrolment
    count = integer_of(field.count)
    if count is None:
        return
    actual = code_of(field.type) != "ESTIMATED"
    claims = people_claims(facts.spots)
    counted = [claim for claim in claims if claim.subject == "counted" and not _fits(claim, count)]
    planned = [claim for claim in claims if claim.subject == "planned"]
    added = [claim for claim in claims if claim.subject == "added"]
    totals = [claim.value for claim in (*planned, *added) if isinstance(claim.value, float)]
    near = actual and any(abs(total - count) <= _NEARLY * total for total in (*totals, sum(totals)))
    if any(_fits(claim, count) for claim in planned) or near or sum(totals) == count:
        planned = []
    started = started_passages(facts.record.results)
    numbers = [integer_of(passage) for passage in started]
    total = sum(number for number in numbers if number is not None)
    flow = started if started and None not in numbers and actual and total != count else []
    if not (counted or planned or flow):
        return
    severity = WARNING if counted or flow or not actual else NOTE
    parts = [f"The field gives {'an actual' if actual else 'an estimated'} enrolment of {count}"]
    parts += [f"a text gives {plain(claim.value)}" for claim in counted[:1] if isinstance(claim.value, float)]
    parts += [f"a text plans {plain(claim.value)}" for claim in planned[:1] if isinstance(claim.value, float)]
    parts += [f"{total} started in the participant flow"] if flow else []
    yield facts.finding(
        "REC-ENROLMENT",
        severity,
        "; ".join(parts) + ". Say which number counts whom.",
        [field.count, *counted, *planned, *(added if planned else ()), *flow],
    )
