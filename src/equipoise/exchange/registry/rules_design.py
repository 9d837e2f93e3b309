"""Rules about the design: phase, masking, allocation, model, arms, placebo, sites, notation."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from equipoise.exchange.registry.claims import arm_count_claims, country_claims, site_claims
from equipoise.exchange.registry.design_claims import (
    PLACEBO,
    allocation_claims,
    decimal_claims,
    masking_claims,
    model_claims,
    phase_claims,
    phase_numbers,
    placebo_claims,
    ratio_claims,
)
from equipoise.exchange.registry.facts import (
    Facts,
    code_of,
    first_of_each_passage,
    in_words,
    integer_of,
)
from equipoise.exchange.registry.findings import ERROR, NOTE, WARNING, Finding
from equipoise.exchange.registry.model import ArmGroup, Passage
from equipoise.exchange.registry.texts import OUTCOMES, Claim, sentence_around

_ABOUT: Final = 0.2


def _differing(claims: Sequence[Claim]) -> list[Claim]:
    """Return the claims when their values differ from one text to another."""
    return list(first_of_each_passage(claims)) if len({claim.value for claim in claims}) > 1 else []


def _phases_of(claim: Claim) -> tuple[float, ...]:
    return claim.value if isinstance(claim.value, tuple) else ()


def rule_phase(facts: Facts) -> Iterator[Finding]:
    """The phase in the texts is that of the field."""
    fields = facts.record.design.phases
    claims = phase_claims(facts.spots)
    if fields:
        phases = tuple(sorted({number for field in fields for number in phase_numbers(field.text)}))
        early = any("EARLY" in code_of(field) for field in fields)
        clashing = [
            claim for claim in claims if claim.value != phases and not (early and claim.value == (0.0,))
        ]
        if {number for claim in clashing for number in _phases_of(claim)} == set(phases):
            clashing = []  # a phase 1 part and a phase 2 part, each named for itself
    else:
        clashing = _differing(claims)
    if clashing:
        yield facts.finding(
            "REC-PHASE",
            ERROR,
            f"The record names more than one phase: {in_words(clashing)} in the texts, and "
            f"{' and '.join(field.text for field in fields) or 'none'} in the field. Name the same phase "
            f"in both.",
            [*clashing, *fields],
        )


_MASKED_BY: Final = {
    "none": {"NONE"},
    "single": {"SINGLE"},
    "double": {"DOUBLE", "TRIPLE", "QUADRUPLE"},
    "triple": {"TRIPLE", "QUADRUPLE"},
    "quadruple": {"QUADRUPLE"},
    "observer": {"SINGLE", "DOUBLE", "TRIPLE", "QUADRUPLE"},
}
_MASKED_COUNT: Final = {"SINGLE": 1, "DOUBLE": 2, "TRIPLE": 3, "QUADRUPLE": 4}


def rule_masking(facts: Facts) -> Iterator[Finding]:
    """The masking in the texts fits the field, and the field names as many masked roles as it counts."""
    info = facts.record.design.info.masking_info
    code = code_of(info.masking).split("_")[0]
    claims = masking_claims(facts.spots)
    said = {str(claim.value) for claim in claims}
    if code not in {"NONE", *_MASKED_COUNT}:
        clashing = _differing([claim for claim in claims if claim.value != "observer"])
    else:
        clashing = [claim for claim in claims if code not in _MASKED_BY[str(claim.value)]]
        assessor = any(code_of(who) == "OUTCOMES_ASSESSOR" for who in info.who_masked)
        if "observer" in said or (code == "SINGLE" and assessor):
            # Open to all but the assessor: texts call it open-label, the field none or single.
            clashing = [claim for claim in clashing if claim.value not in {"none", "observer"}]
    who = info.who_masked if code in _MASKED_COUNT and info.who_masked else ()
    miscounted = who if who and len(who) != _MASKED_COUNT[code] else ()
    if clashing or miscounted:
        yield facts.finding(
            "REC-MASKING",
            ERROR,
            "The record describes more than one masking. State who is masked once and use it everywhere.",
            [*first_of_each_passage(clashing), info.masking, *miscounted],
        )


def rule_allocation(facts: Facts) -> Iterator[Finding]:
    """Texts and field agree on whether participants are allocated at random."""
    field = facts.record.design.info.allocation
    claims = allocation_claims(facts.spots)
    values = {claim.value for claim in claims}
    wrong = {"RANDOMIZED": "not", "NON_RANDOMIZED": "yes", "NA": "yes"}.get(code_of(field))
    clashing = [claim for claim in claims if claim.value == wrong]
    if not field and len(values) > 1:
        clashing = claims
    if clashing:
        yield facts.finding(
            "REC-ALLOCATION",
            ERROR,
            "The texts and the field disagree on whether participants are randomised. Correct whichever "
            "is wrong.",
            [*first_of_each_passage(clashing), field],
        )


def rule_ratio(facts: Facts) -> Iterator[Finding]:
    """The allocation ratio is the same in every text and has one part for each arm."""
    claims = ratio_claims(facts.spots)
    arms = facts.record.arms.arm_groups
    clashing = _differing(claims)
    parts = [
        claim
        for claim in claims
        # Fewer parts than arms can be the ratio within each of several strata or cohorts.
        if isinstance(claim.value, tuple) and len(claim.value) > len(arms) > 1
    ]
    if clashing or parts:
        yield facts.finding(
            "REC-RATIO",
            WARNING,
            "The allocation ratio differs between texts, or has not one part for each arm. State one "
            "ratio for these arms.",
            [*(clashing or first_of_each_passage(parts)), *(() if clashing else (arm.label for arm in arms))],
        )


_MODEL_CLASHES: Final = {
    "crossover": {"PARALLEL", "SINGLE_GROUP"},
    "parallel": {"CROSSOVER", "SINGLE_GROUP"},
    "single": {"PARALLEL", "CROSSOVER", "FACTORIAL"},
    "factorial": {"PARALLEL", "CROSSOVER", "SINGLE_GROUP"},
}


def rule_model(facts: Facts) -> Iterator[Finding]:
    """The intervention model fits the texts, the number of arms and the allocation."""
    info, arms = facts.record.design.info, facts.record.arms.arm_groups
    model = code_of(info.intervention_model)
    claims = model_claims(facts.spots)
    several = len({claim.value for claim in claims}) > 1
    clashing = [] if several else [claim for claim in claims if model in _MODEL_CLASHES[str(claim.value)]]
    labels: list[Passage | None] = []
    if (model == "SINGLE_GROUP" and len(arms) > 1) or (model in {"PARALLEL", "FACTORIAL"} and len(arms) == 1):
        labels = [arm.label for arm in arms]
    random = info.allocation if model == "SINGLE_GROUP" and code_of(info.allocation) == "RANDOMIZED" else None
    if clashing or labels or random:
        counts = arm_count_claims(facts.spots) if labels else []
        yield facts.finding(
            "REC-MODEL",
            ERROR if clashing else WARNING,
            f"The intervention model {info.intervention_model.text if info.intervention_model else ''} "
            f"does not fit "
            "the rest of the record. Correct the model or what contradicts it.",
            [info.intervention_model, *first_of_each_passage(clashing), *labels, random, *counts],
        )


def _sentence_of(claim: Claim) -> tuple[str, int]:
    return claim.passage.text, sentence_around(claim.passage.text, claim.start)[0]


def rule_arm_count(facts: Facts) -> Iterator[Finding]:
    """The texts count as many arms as the record lists."""
    arms = facts.record.arms.arm_groups
    claims = arm_count_claims(facts.spots)
    # A sentence that gives the right number beside another tells of stages or strata.
    right = {_sentence_of(claim) for claim in claims if claim.value == float(len(arms))}
    clashing = [claim for claim in claims if _sentence_of(claim) not in right] if arms else _differing(claims)
    if clashing:
        yield facts.finding(
            "REC-ARMS",
            WARNING,
            f"A text counts other than the {len(arms)} arms that the record lists. Correct the text or "
            f"the list.",
            [*first_of_each_passage(clashing), *(arm.label for arm in arms)],
        )


def _is_placebo(passage: Passage) -> bool:
    return bool(PLACEBO.search(passage.text))


def rule_placebo(facts: Facts) -> Iterator[Finding]:
    """A placebo that the texts give stands among the arms' types or the interventions."""
    arms = facts.record.arms
    claims = placebo_claims(facts.spots)
    names = [name for arm in arms.arm_groups for name in (arm.label, *arm.intervention_names)]
    names += [name for item in arms.interventions for name in (item.name, *item.other_names)]
    typed = any(code_of(arm.type) in {"PLACEBO_COMPARATOR", "SHAM_COMPARATOR"} for arm in arms.arm_groups)
    listed = typed or any(_is_placebo(name) for name in names if name)
    if arms.arm_groups and not listed and any(claim.spot.zone != OUTCOMES for claim in claims):
        yield facts.finding(
            "REC-PLACEBO",
            ERROR,
            "The texts give participants a placebo, but no arm is a placebo comparator and no placebo is "
            "listed as an "
            "intervention. List the placebo, or correct the texts.",
            [*first_of_each_passage(claims), *(arm.type or arm.label for arm in arms.arm_groups)],
        )


_MORE_THAN_PLACEBO: Final = re.compile(r"\b(?:then|followed|plus|and|with|or|to)\b|[+/&,]", re.IGNORECASE)


def _gives_placebo_only(arm: ArmGroup) -> bool:
    if arm.intervention_names:
        return all(
            _is_placebo(name) and not _MORE_THAN_PLACEBO.search(name.text) for name in arm.intervention_names
        )
    label = arm.label.text if arm.label else ""
    return bool(
        re.match(r"(?:matching\s+)?(?:placebo|sham)\b", label, re.I)
    ) and not _MORE_THAN_PLACEBO.search(label)


def rule_arm_type(facts: Facts) -> Iterator[Finding]:
    """An arm that gets nothing but placebo is typed as a placebo (or sham) comparator."""
    wrong = [
        arm
        for arm in facts.record.arms.arm_groups
        if code_of(arm.type) in {"EXPERIMENTAL", "ACTIVE_COMPARATOR"} and _gives_placebo_only(arm)
    ]
    if wrong:
        yield facts.finding(
            "REC-ARM-TYPE",
            WARNING,
            "An arm that is given placebo alone is not typed as a placebo comparator. Correct the arm's "
            "type.",
            [item for arm in wrong for item in (arm.label, arm.type, *arm.intervention_names)],
        )


def rule_arm_links(facts: Facts) -> Iterator[Finding]:
    """Arms and interventions name each other by names that the record lists."""
    arms = facts.record.arms
    if not arms.arm_groups or not arms.interventions:
        return

    def fold(text: str) -> str:
        return re.sub(r"\s+", " ", text).strip().lower()

    names = {fold(item.name.text) for item in arms.interventions if item.name}
    labels = {fold(arm.label.text) for arm in arms.arm_groups if arm.label}
    dangling = [
        name
        for arm in arms.arm_groups
        for name in arm.intervention_names
        if fold(name.text.partition(":")[2]) not in names
    ]
    dangling += [
        label for item in arms.interventions for label in item.arm_labels if fold(label.text) not in labels
    ]
    if dangling:
        yield facts.finding(
            "REC-ARM-LINK",
            WARNING,
            "An arm names an intervention, or an intervention an arm, that the record does not list. Use "
            "one name for each.",
            dangling,
        )


def _sites_fit(claim: Claim, listed: int) -> bool:
    if isinstance(claim.value, str):
        return listed > 1
    stated = claim.value if isinstance(claim.value, float) else 0.0
    before = claim.passage.text[max(0, claim.start - 20) : claim.start].lower()
    if re.search(r"up to|at most|maximum", before):
        return listed <= stated
    if re.search(r"at least|more than|over|minimum", before):
        return listed >= stated
    return abs(listed - stated) <= (_ABOUT * stated if claim.hedged else 0)


def rule_sites(facts: Facts) -> Iterator[Finding]:
    """The texts count the sites and countries that the record lists, and no more sites than participants."""
    record = facts.record
    locations = record.contacts.locations
    countries = {code_of(location.country): location.country for location in locations if location.country}
    sites, nations = site_claims(facts.spots), country_claims(facts.spots)
    numbers = [claim for claim in sites if isinstance(claim.value, float)]
    clashing = [claim for claim in sites if locations and not _sites_fit(claim, len(locations))]
    clashing += [claim for claim in nations if countries and not _sites_fit(claim, len(countries))]
    if not locations:
        clashing = _differing([claim for claim in numbers if not claim.hedged]) + _differing(nations)
    count = integer_of(record.design.enrolment.count)
    exceeded = [
        claim for claim in numbers if count and isinstance(claim.value, float) and claim.value > count
    ]
    if clashing or exceeded:
        places: list[Passage | Claim | None] = [*dict.fromkeys((*clashing, *exceeded))]
        if any(claim in sites for claim in clashing):
            places += [location.facility or location.city for location in locations[:3]]
        places += list(countries.values())[:3] if any(claim in nations for claim in clashing) else []
        places += [record.design.enrolment.count] if exceeded else []
        listed = f"lists {len(locations)} location{'s' if len(locations) != 1 else ''}"
        yield facts.finding(
            "REC-SITES",
            WARNING,
            f"The texts count sites or countries otherwise than the rest of the record, which {listed}"
            + (f" and {count} participants" if exceeded else "")
            + ". Say whether the texts speak of a larger study.",
            places,
        )


def rule_decimals(facts: Facts) -> Iterator[Finding]:
    """Decimal numbers are written with one mark."""
    by_mark: dict[str, Claim] = {}
    for claim in decimal_claims(facts.spots):
        mark = str(claim.value)
        known = by_mark.get(mark)
        if known is None or claim.end - claim.start > known.end - known.start:
            by_mark[mark] = claim
    if len(by_mark) > 1:
        marks = " and ".join(sorted(by_mark))
        yield facts.finding(
            "REC-DECIMALS",
            NOTE,
            f"Decimal numbers are written in {len(by_mark)} ways ({marks}), so that one can be misread. "
            f"Write them with a full stop.",
            by_mark.values(),
        )
