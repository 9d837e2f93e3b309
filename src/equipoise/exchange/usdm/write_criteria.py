"""Eligibility in USDM: criteria with their texts, the population, and a cohort for each variant."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from equipoise.definition.document import Rule
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.eligibility import Criterion, Eligibility
from equipoise.definition.names import DefinitionNames
from equipoise.definition.synopsis_words import rule_of, value_of
from equipoise.exchange.usdm.make import Maker, Tree, html_text
from equipoise.exchange.usdm.terms import CATEGORIES, SEXES, YEAR

COMMON = "common"
"""The cohort of the sites that follow no variant."""
POPULATION = "population"
_TERMS = "eligibility_terms"

Named = tuple[str, Criterion, str | None]
"""A criterion with its name in the tree, and the title of the variant that it belongs to."""


def named_criteria(eligibility: Eligibility) -> Iterator[Named]:
    """Yield the criteria in the order of the folder: the common ones, then those of each variant."""
    for criterion in eligibility.criteria:
        yield criterion.id, criterion, None
    for variant in eligibility.variants:
        for criterion in variant.criteria:
            yield f"{variant.id}.{criterion.id}", criterion, variant.title


def write_criteria(maker: Maker, definition: StudyDefinition) -> list[Tree]:
    """Return the criteria of the study design, linked in their order."""
    named = list(named_criteria(definition.eligibility))
    return [
        maker.make(
            "EligibilityCriterion",
            {
                "name": name,
                "label": f"{criterion.category.capitalize()} criterion {criterion.number}"
                + (f", {variant}" if variant else ""),
                "category": maker.code(CATEGORIES[criterion.category]),
                "identifier": criterion.id,
                "criterionItemId": maker.id_of("EligibilityCriterionItem", name),
                "previousId": maker.id_of("EligibilityCriterion", named[place - 1][0]) if place else None,
                "nextId": maker.id_of("EligibilityCriterion", named[place + 1][0])
                if place + 1 < len(named)
                else None,
            },
            key=name,
        )
        for place, (name, criterion, variant) in enumerate(named)
    ]


def write_criterion_items(maker: Maker, definition: StudyDefinition) -> list[Tree]:
    """Return the texts of the criteria; how each is decided, in words, is its description."""
    names = DefinitionNames(definition)
    terms = maker.id_of("SyntaxTemplateDictionary", _TERMS) if definition.eligibility.variables else None
    return [
        maker.make(
            "EligibilityCriterionItem",
            {
                "name": name,
                "description": None if criterion.when is None else rule_text(rule_of(criterion.when, names)),
                "text": html_text(criterion.text),
                "dictionaryId": None if criterion.when is None else terms,
            },
            key=name,
        )
        for name, criterion, _ in named_criteria(definition.eligibility)
    ]


def rule_text(rule: Rule, indent: str = "") -> str:
    """Return a rule in words as lines, what it joins below it."""
    return "\n".join([f"{indent}{rule.text}", *(rule_text(part, f"{indent}  ") for part in rule.parts)])


def write_terms(maker: Maker, definition: StudyDefinition) -> list[Tree]:
    """Return the terms of the rules, in words, as the dictionary of the criteria."""
    names, variables = DefinitionNames(definition), definition.eligibility.variables
    if not variables:
        return []
    maps = [
        maker.make("ParameterMap", {"tag": name, "reference": value_of(node, names)})
        for name, node in variables.items()
    ]
    fields: Tree = {"name": _TERMS, "label": "Terms of the eligibility rules", "parameterMaps": maps}
    return [maker.make("SyntaxTemplateDictionary", fields, key=_TERMS)]


def write_population(maker: Maker, definition: StudyDefinition) -> Tree:
    """Return the population with what holds at every site; what differs stands in cohorts."""
    eligibility, study = definition.eligibility, definition.study
    everywhere = _held_everywhere(eligibility)
    sexes = SEXES if eligibility.sex == "all" else {eligibility.sex: SEXES[eligibility.sex]}
    youngest, oldest = eligibility.age_minimum_years, eligibility.age_maximum_years
    bounded = youngest is not None and oldest is not None
    return maker.make(
        "StudyDesignPopulation",
        {
            "name": POPULATION,
            "label": eligibility.title,
            "includesHealthySubjects": eligibility.healthy_volunteers,
            "plannedEnrollmentNumber": maker.quantity(study.planned_enrolment),
            "plannedSex": [maker.code(term) for term in sexes.values()],
            "criterionIds": [maker.id_of("EligibilityCriterion", name) for name in everywhere],
            "plannedAge": _age_range(maker, eligibility) if bounded else None,
            "cohorts": [*_cohorts(maker, definition)],
            # USDM has a range of ages with both its ends, or none.
            "notes": maker.notes(
                ("Minimum age in years", None if bounded else youngest),
                ("Maximum age in years", None if bounded else oldest),
                ("Screened again after days", eligibility.rescreening_after_days),
            ),
        },
        key=POPULATION,
    )


def _age_range(maker: Maker, eligibility: Eligibility) -> Tree:
    ends = {"minValue": eligibility.age_minimum_years, "maxValue": eligibility.age_maximum_years}
    values = {name: maker.quantity(years, YEAR) for name, years in ends.items() if years is not None}
    return maker.make("Range", {**values, "isApproximate": False})


def _held_everywhere(eligibility: Eligibility) -> list[str]:
    changed = {
        name
        for variant in eligibility.variants
        for name in (*variant.remove, *(criterion.id for criterion in variant.criteria))
    }
    return [criterion.id for criterion in eligibility.criteria if criterion.id not in changed]


def _cohorts(maker: Maker, definition: StudyDefinition) -> Iterator[Tree]:
    eligibility = definition.eligibility
    if not eligibility.variants:
        return
    everywhere = set(_held_everywhere(eligibility))
    own = [criterion.id for criterion in eligibility.criteria if criterion.id not in everywhere]
    yield _cohort(maker, definition, COMMON, eligibility.title, own, ())
    for variant in eligibility.variants:
        overlaid = {criterion.id for criterion in variant.criteria}
        held = [
            f"{variant.id}.{criterion.id}" if criterion.id in overlaid else criterion.id
            for criterion in eligibility.rules_for(variant.id, date.max)
        ]
        characteristics = {
            "Holds from": variant.approved_from.isoformat(),
            "Source": variant.source,
        }
        yield _cohort(
            maker,
            definition,
            variant.id,
            variant.title,
            [name for name in held if name not in everywhere],
            [(label, text) for label, text in characteristics.items() if text],
        )


def _cohort(
    maker: Maker,
    definition: StudyDefinition,
    name: str,
    label: str,
    criteria: list[str],
    characteristics: list[tuple[str, str]] | tuple[()],
) -> Tree:
    followed = None if name == COMMON else name
    sites = [site.id for site in definition.study.sites if definition.variant_of(site.id) == followed]
    return maker.make(
        "StudyCohort",
        {
            "name": name,
            "label": label,
            "includesHealthySubjects": definition.eligibility.healthy_volunteers,
            "criterionIds": [maker.id_of("EligibilityCriterion", criterion) for criterion in criteria],
            "plannedSex": [],
            "characteristics": [
                maker.make(
                    "Characteristic", {"name": f"{name}: {title}", "label": title, "text": html_text(text)}
                )
                for title, text in characteristics
            ],
            "notes": maker.notes(("Sites", ", ".join(sites))),
        },
    )
