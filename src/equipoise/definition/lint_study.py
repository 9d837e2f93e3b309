"""Rules for study.yaml, eligibility.yaml, schedule.yaml and allocation.yaml."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, pairwise
from math import prod
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from .findings import Place, Problem, Severity, suggest
from .model.definition import StudyDefinition
from .model.eligibility import Criterion, Eligibility, Variant
from .model.study import Arm

_STUDY, _ELIGIBILITY, _SCHEDULE, _ALLOCATION = (
    f"{name}.yaml" for name in ("study", "eligibility", "schedule", "allocation")
)
# How many arms an intervention model has at least.
_ARMS_MIN = {"single_group": 1, "parallel": 2, "crossover": 2, "factorial": 2, "sequential": 1}


def _problem(code: str, sentence: str, file: str, place: Place, severity: Severity = "error") -> Problem:
    return Problem(code=code, sentence=sentence, file=file, place=place, severity=severity)


def check_arms(definition: StudyDefinition) -> Iterator[Problem]:
    """Check arms against the intervention model, and that what is defined is also used."""
    study = definition.study
    fewest = _ARMS_MIN[study.model]
    if len(study.arms) < fewest:
        sentence = f"A {study.model} study has at least {fewest} arms. Add arms, or correct the model."
        yield _problem("LINT-ARMS", sentence, _STUDY, ("arms",))
    treatment = [epoch.id for epoch in study.epochs if epoch.type == "treatment"]
    if study.model == "crossover" and len(treatment) < 2:
        sentence = "A crossover has at least two epochs of type treatment. Add one, or correct the model."
        yield _problem("LINT-CROSSOVER", sentence, _STUDY, ("epochs",))
    for (_, first), (index, second) in combinations(enumerate(study.arms), 2):
        if _path(first, treatment) == _path(second, treatment):
            sentence = (
                f"The arms '{first.id}' and '{second.id}' are given the same in every epoch. Correct one."
            )
            severity: Severity = "error" if study.model == "crossover" else "warning"
            yield _problem("LINT-ARMS-ALIKE", sentence, _STUDY, ("arms", index), severity)
    for index, arm in enumerate(study.arms):
        for epoch in treatment:
            if epoch not in arm.cells:
                sentence = (
                    f"The arm '{arm.id}' has no cell for the epoch '{epoch}'. Write [] if nothing is given."
                )
                yield _problem("LINT-CELL", sentence, _STUDY, ("arms", index, "cells"), "warning")
    given = {name for arm in study.arms for names in arm.cells.values() for name in names}
    for index, intervention in enumerate(study.interventions):
        if intervention.id not in given:
            sentence = (
                f"No arm is given the intervention '{intervention.id}'. Use it in a cell, or remove it."
            )
            yield _problem("LINT-UNUSED", sentence, _STUDY, ("interventions", index), "warning")
    if study.planned_enrolment < max(1, sum(definition.allocation.ratio.values())):
        sentence = (
            "The planned enrolment is smaller than one round of the allocation ratio. Correct one of them."
        )
        yield _problem("LINT-ENROLMENT", sentence, _STUDY, ("planned_enrolment",), "warning")


def _path(arm: Arm, epochs: list[str]) -> list[frozenset[str]]:
    """What an arm is given, epoch by epoch."""
    return [frozenset(arm.cells.get(epoch, ())) for epoch in epochs]


def check_sites(definition: StudyDefinition) -> Iterator[Problem]:
    """Check time zones, and that site, country and sub-trial agree."""
    study = definition.study
    countries = {sub_trial.id: sub_trial.country for sub_trial in study.sub_trials}
    for index, site in enumerate(study.sites):
        if not _is_zone(site.time_zone):
            advice = suggest(site.time_zone, sorted(available_timezones()))
            sentence = f"There is no time zone '{site.time_zone}'. {advice}"
            yield _problem("LINT-TIME-ZONE", sentence, _STUDY, ("sites", index, "time_zone"))
        if not site.id.startswith(site.country):
            sentence = (
                f"The site {site.id} lies in {site.country}. Begin its id with the code of its country."
            )
            yield _problem("LINT-COUNTRY", sentence, _STUDY, ("sites", index, "country"))
        if site.sub_trial is not None and countries[site.sub_trial] != site.country:
            sentence = (
                f"The site {site.id} and its sub-trial '{site.sub_trial}' lie in two countries. Correct one."
            )
            yield _problem("LINT-COUNTRY", sentence, _STUDY, ("sites", index, "sub_trial"))


def _is_zone(name: str) -> bool:
    """Whether there is a time zone of this name; asking for one is much faster than listing all."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def check_masking(definition: StudyDefinition) -> Iterator[Problem]:
    """Check that the roles of masked parties are masked, and that nobody masked prepares a product."""
    study = definition.study
    held = {role.party for role in study.roles}
    for index, role in enumerate(study.roles):
        if role.party in study.masking.parties and not role.masked:
            sentence = (
                f"The {role.party} is masked, and the role '{role.id}' of that party is not. "
                "Write masked: true, or take the party out of one of the two."
            )
            yield _problem("LINT-MASKED", sentence, _STUDY, ("roles", index, "masked"))
    for index, party in enumerate(study.masking.parties):
        if party != "participant" and party not in held:
            sentence = (
                f"The {party} is masked, and no role says that it is this party. Give one the party {party}."
            )
            yield _problem("LINT-MASKED-PARTY", sentence, _STUDY, ("masking", "parties", index), "warning")
    epoch_of = {encounter.id: encounter.epoch for encounter in definition.schedule.encounters}
    masked = {role.kind for role in study.roles if role.masked}
    epochs = {epoch.id for epoch in study.epochs if epoch.masked}
    for index, product in enumerate(definition.supply.products):
        if not any(epoch_of[encounter] in epochs for encounter in product.dispensed_at):
            continue
        for kind in sorted(masked & set(product.prepared_by)):
            sentence = f"A masked role of the kind {kind} prepares '{product.name}' and learns what it holds."
            place: Place = ("products", index, "prepared_by")
            yield _problem(
                "LINT-MASKED-PREPARER", f"{sentence} Let another prepare it.", "supply.yaml", place
            )
        for kind in sorted(masked & set(product.given_by)):
            sentence = (
                f"A masked role of the kind {kind} gives '{product.name}'. "
                "If its contents can be told apart, let an unmasked role give it."
            )
            place = ("products", index, "given_by")
            yield _problem("LINT-MASKED-GIVER", sentence, "supply.yaml", place, "warning")


def check_roles(definition: StudyDefinition) -> Iterator[Problem]:
    """Check that somebody can open the trial, which is all that anything else begins with."""
    if all(role.kind != "administrator" for role in definition.study.roles):
        sentence = (
            "No role is of the kind administrator, so nobody can open the trial and grant roles. Add one."
        )
        yield _problem("LINT-ROLE", sentence, _STUDY, ("roles",), "warning")


def check_criteria(definition: StudyDefinition) -> Iterator[Problem]:
    """Check drafts, numbers and ages of the eligibility criteria."""
    eligibility = definition.eligibility
    youngest, oldest = eligibility.age_minimum_years, eligibility.age_maximum_years
    if youngest is not None and oldest is not None and youngest > oldest:
        sentence = "The minimum age is above the maximum age. Correct one of them."
        yield _problem("LINT-AGE", sentence, _ELIGIBILITY, ("age_minimum_years",))
    yield from _check_drafts(eligibility.criteria, ("criteria",))
    yield from _check_numbers(eligibility.criteria, ("criteria",))
    for index, variant in enumerate(eligibility.variants):
        place: Place = ("variants", index)
        replaced = {*variant.remove, *(criterion.id for criterion in variant.criteria)}
        kept = tuple(criterion for criterion in eligibility.criteria if criterion.id not in replaced)
        yield from _check_drafts(variant.criteria, (*place, "criteria"))
        yield from _check_numbers((*kept, *variant.criteria), place)
        yield from _check_variant(definition, variant, place)


def draft_criteria(eligibility: Eligibility) -> tuple[str, ...]:
    """Return the criteria of which only the text is there, each once: nobody can be enrolled under them."""
    own = (*eligibility.criteria, *(each for variant in eligibility.variants for each in variant.criteria))
    return tuple(dict.fromkeys(each.id for each in own if each.when is None))


def _check_drafts(criteria: tuple[Criterion, ...], place: Place) -> Iterator[Problem]:
    for index, criterion in enumerate(criteria):
        if criterion.when is None:
            sentence = (
                f"The criterion '{criterion.id}' is a draft: it can be printed, and nobody can be enrolled "
                "under it. Write its condition under when."
            )
            yield _problem("LINT-DRAFT", sentence, _ELIGIBILITY, (*place, index), "warning")


def _check_numbers(criteria: tuple[Criterion, ...], place: Place) -> Iterator[Problem]:
    numbered: dict[tuple[str, int], str] = {}
    for criterion in criteria:
        category, number = criterion.category, criterion.number
        first = numbered.setdefault((category, number), criterion.id)
        if first != criterion.id:
            sentence = (
                f"'{first}' and '{criterion.id}' both are {category} criterion {number}. Number one anew."
            )
            yield _problem("LINT-NUMBER", sentence, _ELIGIBILITY, place)


def _check_variant(definition: StudyDefinition, variant: Variant, place: Place) -> Iterator[Problem]:
    common = {criterion.id: criterion for criterion in definition.eligibility.criteria}
    for index, criterion in enumerate(variant.criteria):
        where = (*place, "criteria", index)
        if criterion.id in variant.remove:
            sentence = f"The variant both removes and changes '{criterion.id}'. Keep one of the two."
            yield _problem("LINT-VARIANT", sentence, _ELIGIBILITY, where)
        if criterion.id in common and common[criterion.id].category != criterion.category:
            sentence = (
                f"The common criterion '{criterion.id}' is of the other category. Give this one its own id."
            )
            yield _problem("LINT-VARIANT", sentence, _ELIGIBILITY, where)
        if common.get(criterion.id) == criterion:
            sentence = f"The variant repeats the common criterion '{criterion.id}' unchanged. Remove it here."
            yield _problem("LINT-VARIANT", sentence, _ELIGIBILITY, where, "warning")
    if not variant.criteria and not variant.remove:
        sentence = f"The variant '{variant.id}' changes nothing. Say what it changes, or remove it."
        yield _problem("LINT-VARIANT", sentence, _ELIGIBILITY, place, "warning")
    study = definition.study
    followed = {site.variant for site in study.sites} | {part.variant for part in study.sub_trials}
    if variant.id not in followed:
        sentence = (
            f"No site and no sub-trial follows the variant '{variant.id}'. Name it there, or remove it."
        )
        yield _problem("LINT-UNUSED", sentence, _ELIGIBILITY, place, "warning")
    end = study.dates.completion
    if end is not None and variant.approved_from > end:
        sentence = f"The variant '{variant.id}' holds only after the study has ended. Correct approved_from."
        yield _problem("LINT-VARIANT", sentence, _ELIGIBILITY, (*place, "approved_from"), "warning")


def check_schedule(definition: StudyDefinition) -> Iterator[Problem]:
    """Check the windows of neighbouring encounters, and that epochs, forms and encounters are used."""
    schedule = definition.schedule
    for anchor in dict.fromkeys(encounter.anchor for encounter in schedule.encounters):
        numbered = [(e.day, i, e) for i, e in enumerate(schedule.encounters) if e.anchor == anchor]
        ordered = sorted(numbered, key=lambda entry: entry[:2])
        for (_, _, first), (_, index, second) in pairwise(ordered):
            place: Place = ("encounters", index)
            if first.day == second.day:
                sentence = (
                    f"'{first.id}' and '{second.id}' are planned for the same day. Move one, or join them."
                )
                yield _problem("LINT-SAME-DAY", sentence, _SCHEDULE, place, "warning")
            elif first.day + first.late_days >= second.day - second.early_days:
                sentence = f"The windows of '{first.id}' and '{second.id}' overlap. Narrow one of them."
                yield _problem("LINT-WINDOW", sentence, _SCHEDULE, place, "warning")
    for index, encounter in enumerate(schedule.encounters):
        if encounter.early_days < 0 or encounter.late_days < 0:
            sentence = (
                f"The window of '{encounter.id}' is negative. Write how many days early and late it may be."
            )
            yield _problem("LINT-WINDOW", sentence, _SCHEDULE, ("encounters", index))
        if not any(encounter.id in activity.encounters for activity in schedule.activities):
            sentence = f"Nothing is done at '{encounter.id}'. Name it in an activity, or remove it."
            yield _problem("LINT-UNUSED", sentence, _SCHEDULE, ("encounters", index), "warning")
    visited = {encounter.epoch for encounter in schedule.encounters}
    for index, epoch in enumerate(definition.study.epochs):
        # In a washout people stay at home.
        if epoch.id not in visited and epoch.type != "washout":
            sentence = f"No encounter lies in the epoch '{epoch.id}'. Plan one, or remove the epoch."
            yield _problem("LINT-UNUSED", sentence, _STUDY, ("epochs", index), "warning")


def check_allocation(definition: StudyDefinition) -> Iterator[Problem]:
    """Check the ratio, the strata and the length of the lists."""
    allocation, study = definition.allocation, definition.study
    for arm in study.arms:
        if arm.id not in allocation.ratio:
            sentence = f"The ratio says nothing of the arm '{arm.id}'. Add it."
            yield _problem("LINT-RATIO", sentence, _ALLOCATION, ("ratio",))
    for arm_id, share in allocation.ratio.items():
        if share < 1:
            sentence = f"The share of '{arm_id}' is {share}. Write whole numbers of at least 1."
            yield _problem("LINT-RATIO", sentence, _ALLOCATION, ("ratio", arm_id))
    if not 0 < allocation.probability <= 1:
        sentence = "The probability of minimisation is not above 0 and at most 1. Correct it."
        yield _problem("LINT-PROBABILITY", sentence, _ALLOCATION, ("probability",))
    if allocation.method == "minimisation" and not allocation.factors:
        sentence = "Minimisation needs factors to balance. Add them under factors."
        yield _problem("LINT-FACTOR", sentence, _ALLOCATION, ("method",))
    sizes = {"site": len(study.sites), "country": len({site.country for site in study.sites})}
    for key in ("strata", "factors"):
        for index, factor in enumerate(getattr(allocation, key)):
            place: Place = (key, index)
            if factor.id in sizes and factor.value is not None:
                sentence = (
                    f"'{factor.id}' needs no value, as the trial knows it. Remove the value, or rename it."
                )
                yield _problem("LINT-FACTOR", sentence, _ALLOCATION, place)
            if factor.id not in sizes and (factor.value is None or len(set(factor.levels)) < 2):
                sentence = f"'{factor.id}' needs a value and two or more levels. Add them."
                yield _problem("LINT-FACTOR", sentence, _ALLOCATION, place)
            if factor.weight < 1:
                sentence = (
                    f"The weight of '{factor.id}' is {factor.weight}. Write a whole number of at least 1."
                )
                yield _problem("LINT-FACTOR", sentence, _ALLOCATION, place)
    if allocation.method != "minimisation":
        lists = prod(sizes.get(factor.id, len(factor.levels)) for factor in allocation.strata)
        if lists * allocation.slots_per_stratum < study.planned_enrolment:
            sentence = (
                f"{lists} lists of {allocation.slots_per_stratum} slots are fewer than the planned enrolment."
            )
            place = ("slots_per_stratum",)
            yield _problem("LINT-SLOTS", f"{sentence} Make them longer.", _ALLOCATION, place)
