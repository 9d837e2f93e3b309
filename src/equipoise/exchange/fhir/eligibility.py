"""EvidenceVariable for eligibility: the common rules, each variant of them, and the variables they use."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from equipoise.definition.expression import prose, unparse
from equipoise.definition.expression.prose import phrase
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.eligibility import Criterion, Eligibility, Variant
from equipoise.definition.names import DefinitionNames
from equipoise.exchange.fhir.codes import EXPRESSION_LANGUAGE, GENDER, GENERATED
from equipoise.exchange.fhir.conditions import Writer, grouped
from equipoise.exchange.fhir.study import publication_status
from equipoise.exchange.fhir.tree import Names, Tree, concept, kept, quantity, slug


def eligibility_resources(definition: StudyDefinition, names: Names) -> Iterator[Tree]:
    """Yield the rules that hold everywhere, those of each variant as a whole, and the variables."""
    rules = definition.eligibility
    yield _rules(definition, names, "eligibility", rules.title, rules.criteria)
    for variant in rules.variants:
        yield _rules(
            definition,
            names,
            f"variant:{variant.id}",
            variant.title,
            rules.rules_for(variant.id, variant.approved_from),
            variant,
        )
    if rules.variables:
        yield _variables(definition, names)


def _rules(
    definition: StudyDefinition,
    names: Names,
    name: str,
    title: str,
    criteria: Sequence[Criterion],
    variant: Variant | None = None,
) -> Tree:
    writer = Writer(definition, names)
    return names.resource(
        "EvidenceVariable",
        name,
        url=names.url("EvidenceVariable", name),
        version=definition.study.version,
        name=variant.id if variant else "eligibility",
        title=title,
        status=publication_status(definition.study),
        approvalDate=variant.approved_from.isoformat() if variant else None,
        relatedArtifact=[{"type": "citation", "citation": variant.source}]
        if variant and variant.source
        else [],
        characteristic=[
            *_limits(definition.eligibility),
            *(_criterion(definition, each, writer) for each in criteria),
        ],
    )


def _limits(rules: Eligibility) -> Iterator[Tree]:
    """Yield sex, age and health, which a registry asks for by themselves."""
    if rules.sex != "all":
        yield _typed("sex", "Sex", valueCodeableConcept=concept(None, GENDER, rules.sex))
    low, high = rules.age_minimum_years, rules.age_maximum_years
    if low is not None or high is not None:
        limits = {"low": low, "high": high}
        ages = {end: quantity(years, "years", "a") for end, years in limits.items() if years is not None}
        yield _typed("age", "Age in completed years", valueRange=ages)
    yield _typed("healthy-volunteers", "Accepts healthy volunteers", valueBoolean=rules.healthy_volunteers)


def _typed(link: str, words: str, **value: object) -> Tree:
    return {"linkId": link, "definitionByTypeAndValue": {"type": concept(words), **value}}


def _criterion(definition: StudyDefinition, criterion: Criterion, writer: Writer) -> Tree:
    """Return a criterion: its text, its rule, and the rule in English."""
    head: Tree = {"linkId": slug(criterion.id), "description": criterion.text}
    if criterion.category == "exclusion":
        head["exclude"] = True
    if criterion.when is None:
        return {**head, "definitionCodeableConcept": concept(criterion.text)}
    words = prose(criterion.when, DefinitionNames(definition), labels=False)
    return {
        **head,
        "note": [{"authorString": GENERATED, "text": words}],
        **grouped(writer.characteristic(criterion.when), "description", "exclude"),
    }


def _variables(definition: StudyDefinition, names: Names) -> Tree:
    """Return the quantities that criteria refer to by name."""
    words = DefinitionNames(definition)
    return names.resource(
        "EvidenceVariable",
        "variables",
        url=names.url("EvidenceVariable", "variables"),
        name="variables",
        title="Variables of the eligibility rules",
        status=publication_status(definition.study),
        characteristic=[
            kept(
                linkId=slug(name),
                definitionExpression={
                    "description": phrase(node, words),
                    "name": name,
                    "language": EXPRESSION_LANGUAGE,
                    "expression": unparse(node),
                },
            )
            for name, node in definition.eligibility.variables.items()
        ],
    )
