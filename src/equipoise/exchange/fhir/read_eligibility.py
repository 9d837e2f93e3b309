"""From evidence variables to the eligibility rules of a study folder, with the variants of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from equipoise.definition.expression import unparse
from equipoise.exchange.fhir.bundle import Resources
from equipoise.exchange.fhir.codes import GENDER, GENERATED
from equipoise.exchange.fhir.cursor import Cursor
from equipoise.exchange.fhir.read_conditions import raw_condition, read_expression, read_rule

_OWN = ("resourceType", "id", "url", "status", "version", "name")


def read_eligibility(resources: Resources, study: Cursor | None) -> dict[str, object]:
    """Return eligibility.yaml as far as the bundle gives it; empty without rules."""
    variables = [each for each in resources.of("EvidenceVariable") if each.get("name").value == "variables"]
    rules = _rules_of(resources, study)
    if rules is None:
        return {}
    rules.skip(*_OWN)
    limits: dict[str, object] = {}
    criteria = _criteria(rules, limits, {})
    common = {str(each["id"]): each for each in criteria}
    variants = [
        _variant(each, common)
        for each in resources.of("EvidenceVariable")
        if each.path != rules.path and each.get("approvalDate").value is not None
    ]
    return {
        "title": rules.text("title"),
        **limits,
        "variables": dict(pair for each in variables for pair in _variables(each)) or None,
        "criteria": criteria,
        "variants": variants or None,
    }


def _rules_of(resources: Resources, study: Cursor | None) -> Cursor | None:
    """Return the rules that the study refers to, else the first variable that looks like rules."""
    if study is not None:
        reference = study.get("recruitment").get("eligibility")
        found = reference.attempt(lambda place: _referred(resources, place))
        if found is not None:
            return found
    candidates = (each for each in resources.of("EvidenceVariable") if len(each.each("characteristic")) > 1)
    return next(candidates, None)


def _referred(resources: Resources, reference: Cursor) -> Cursor | None:
    found = resources.find(reference.text("reference"))
    if found is None or found.get("resourceType").value != "EvidenceVariable":
        return None
    reference.skip("type", "display")
    return found


def _criteria(
    rules: Cursor, limits: dict[str, object], known: Mapping[str, Mapping[str, object]]
) -> list[dict[str, object]]:
    """Return the criteria in their order; what a registry asks for by itself goes into `limits`."""
    numbers = {"inclusion": 0, "exclusion": 0}
    found: list[dict[str, object]] = []
    for place in rules.each("characteristic"):
        link = place.get("linkId").value
        if link in ("sex", "age", "healthy-volunteers"):
            limits |= _limit(place, str(link))
            continue
        place.skip("linkId")
        excluded = place.flag("exclude")
        category = "exclusion" if excluded else "inclusion"
        numbers[category] += 1
        own = str(link) if link else f"{category[0].upper()}{numbers[category]}"
        numbers[category] = _number(known.get(own), numbers[category])
        when = place.attempt(lambda each: raw_condition(read_rule(each)))
        text = place.text("description") or place.get("definitionCodeableConcept").words()
        if place.get("definitionCodeableConcept").get("text").value == text:
            place.skip("definitionCodeableConcept")
        for note in place.each("note"):
            if note.get("authorString").value == GENERATED:
                place.skip("note")
        found.append(
            {
                "id": own,
                "number": numbers[category],
                "category": category,
                "text": text or "Not described",
                "when": when,
            }
        )
    return found


def _number(known: Mapping[str, object] | None, otherwise: int) -> int:
    number = known.get("number") if known else None
    return number if isinstance(number, int) else otherwise


def _limit(place: Cursor, link: str) -> dict[str, object]:
    place.skip("linkId")
    typed = place.get("definitionByTypeAndValue")
    typed.skip("type")
    if link == "sex":
        return {"sex": typed.get("valueCodeableConcept").code(GENDER)}
    if link == "healthy-volunteers":
        return {"healthy_volunteers": typed.flag("valueBoolean")}
    ages: dict[str, object] = {}
    for end, name in (("low", "age_minimum_years"), ("high", "age_maximum_years")):
        limit = typed.get("valueRange").get(end)
        years = limit.whole("value")
        limit.skip("unit", "code", "system")
        if years is not None:
            ages[name] = years
    return ages


def _variables(place: Cursor) -> Iterator[tuple[str, str]]:
    place.skip(*_OWN, "title")
    for each in place.each("characteristic"):
        found = each.attempt(_variable)
        if found is not None:
            yield found


def _variable(place: Cursor) -> tuple[str, str] | None:
    expression = place.get("definitionExpression")
    name, node = expression.get("name").value, read_expression(expression)
    if not isinstance(name, str) or node is None:
        return None
    place.skip("linkId")
    return name, unparse(node)


def _variant(place: Cursor, common: Mapping[str, Mapping[str, object]]) -> dict[str, object]:
    """Return the difference that a variant makes to the common rules."""
    name = str(place.get("name").value or "variant")
    place.skip(*_OWN)
    criteria = _criteria(place, {}, common)
    changed = [each for each in criteria if common.get(str(each["id"])) != each]
    kept = {str(each["id"]) for each in criteria}
    sources = [text for each in place.each("relatedArtifact") if (text := _cited(each)) is not None]
    return {
        "id": name,
        "title": place.text("title"),
        "approved_from": place.day("approvalDate"),
        "source": "; ".join(sources) or None,
        "criteria": changed or None,
        "remove": _missing(common, kept) or None,
    }


def _cited(place: Cursor) -> str | None:
    place.skip("type")
    return place.text("citation")


def _missing(common: Mapping[str, Mapping[str, object]], kept: set[str]) -> Sequence[str]:
    return [each for each in common if each not in kept]
