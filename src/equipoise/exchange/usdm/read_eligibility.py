"""eligibility.yaml as far as a USDM file holds it: criteria with their texts, without conditions."""

from __future__ import annotations

import re
from typing import Final

from equipoise.exchange.usdm.draft import Draft, Tree, filled
from equipoise.exchange.usdm.html import expanded, plain_text
from equipoise.exchange.usdm.terms import BOTH_SEXES, CATEGORIES, SEXES, YEAR
from equipoise.exchange.usdm.tree import Part
from equipoise.exchange.usdm.write_criteria import COMMON

_NUMBER: Final = re.compile(r"(?:Inclusion|Exclusion) criterion (\d{1,6})(?:, .*)?")
_DIGITS: Final = re.compile(r"\d{1,6}$")
_AGES: Final = {
    "age_minimum_years": ("minValue", "Minimum age in years"),
    "age_maximum_years": ("maxValue", "Maximum age in years"),
}


def eligibility_part(draft: Draft) -> Tree:
    """Return the content of eligibility.yaml."""
    design = draft.design
    population = design.part("population")
    criteria = {part.id: part for part in design.linked("eligibilityCriteria")}
    variants = _variants(population) if population else []
    held = _common(population) if population else set()
    held_apart = {
        name
        for cohort in variants
        for name in (part.id for part in cohort.follow_all("criterionIds"))
        if name not in held
    }
    common = _criteria([part for name, part in criteria.items() if name not in held_apart])
    tree: Tree = {"criteria": common}
    if population is not None:
        tree = {**_population(draft, population), **tree}
        everywhere = {part.peek("identifier") for part in population.follow_all("criterionIds")}
        tree["variants"] = [_variant(cohort, common, held, everywhere) for cohort in variants]
    return tree


def _population(draft: Draft, population: Part) -> Tree:
    population.done("name")
    population.follow_all("criterionIds")
    sexes = {one.word({**SEXES, "all": BOTH_SEXES}) for one in population.parts("plannedSex")}
    again = population.noted("Screened again after days").get("Screened again after days")
    for cohort in population.parts("cohorts"):
        if draft.own:
            cohort.done("name", "label", "includesHealthySubjects")
            cohort.follow_all("criterionIds")
            cohort.noted("Sites")
    return {
        "title": population.text("label"),
        "sex": "all" if "all" in sexes or len(sexes) > 1 else next(iter(sexes), None),
        **_ages(population),
        "healthy_volunteers": population.flag("includesHealthySubjects"),
        "rescreening_after_days": _whole(again),
    }


def _ages(population: Part) -> Tree:
    found: Tree = {}
    ages = population.part("plannedAge")
    for name, (end, label) in _AGES.items():
        bound = ages.part(end) if ages else None
        if bound is not None and bound.is_code("unit", YEAR):
            years = bound.number("value")
            found[name] = None if years is None else int(years)
        noted = population.noted(label).get(label)
        if noted is not None:
            found[name] = _whole(noted)
    if ages is not None and ages.tree.get("isApproximate") is False:
        ages.done("isApproximate")
    return found


def _whole(text: str | None) -> int | None:
    return int(text) if text is not None and _DIGITS.fullmatch(text) else None


def _criteria(parts: list[Part]) -> list[Tree]:
    """Criteria with numbers within their category; an identifier that two of them have is none."""
    identifiers = [part.peek("identifier") for part in parts]
    counted: dict[str | None, int] = {}
    found = []
    for part in parts:
        category = part.coded("category", CATEGORIES)
        counted[category] = counted.get(category, 0) + 1
        item = part.follow("criterionItemId")
        identifier, name = part.text("identifier"), part.text("name")
        if item is not None and item.peek("name") in (name, identifier):
            item.done("name")
        unique = identifier is not None and identifiers.count(identifier) == 1
        found.append(
            filled(
                {
                    "id": identifier if unique else name or identifier,
                    "number": _number(part, identifier) or counted[category],
                    "category": category,
                    "text": expanded(item, "text") if item else None,
                }
            )
        )
    return found


def _number(part: Part, identifier: str | None) -> int | None:
    labelled = _NUMBER.fullmatch(part.peek("label") or "")
    if labelled is not None:
        part.done("label")
        return int(labelled[1])
    digits = _DIGITS.search(identifier or "")
    return int(digits[0]) if digits else None


def _variants(population: Part) -> list[Part]:
    """The cohorts that say from when they hold, as the variants of the rules do."""
    return [
        cohort
        for cohort in population.parts("cohorts")
        if any(one.peek("label") == "Holds from" for one in cohort.parts("characteristics"))
    ]


def _common(population: Part) -> set[str]:
    """The ids of the criteria that hold for the whole population, or where no variant does."""
    cohorts = [cohort for cohort in population.parts("cohorts") if cohort.peek("name") == COMMON]
    return {one.id for part in (population, *cohorts) for one in part.follow_all("criterionIds")}


def _variant(cohort: Part, common: list[Tree], shared: set[str], everywhere: set[str | None]) -> Tree:
    facts = {}
    for one in cohort.parts("characteristics"):
        label = one.text("label")
        one.done("name")
        facts[label] = plain_text(one.text("text") or "")
    held = cohort.follow_all("criterionIds")
    own = _criteria([part for part in held if part.id not in shared])
    kept = everywhere | {part.peek("identifier") for part in held}
    return filled(
        {
            "id": cohort.text("name"),
            "title": cohort.text("label"),
            "approved_from": facts.get("Holds from"),
            "source": facts.get("Source"),
            "criteria": own,
            "remove": [one["id"] for one in common if one["id"] not in kept],
        }
    )
