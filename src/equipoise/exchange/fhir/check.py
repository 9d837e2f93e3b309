"""Checks a bundle for what its structure alone does not promise: codes, references and links.

Source: HL7 FHIR R5 (5.0.0), the bindings of strength `required` of the elements that are written here, and
the invariants on references within a bundle.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from equipoise.exchange.fhir.codes import (
    ITEM_TYPES,
    OFFICIAL_ROLES,
    ORGANISATION_ROLES,
    PARTY_ROLE,
    STUDY_STATUS,
    SUBJECT_STATE,
)

_PUBLICATION: Final = frozenset({"draft", "active", "retired", "unknown"})
_OPERATORS: Final = frozenset({"exists", "=", "!=", ">", "<", ">=", "<="})
_RELATIONS: Final = frozenset(
    f"{place}{end}" for place in ("before", "concurrent", "after") for end in ("", "-start", "-end")
) - {"concurrent-start", "concurrent-end"} | {"concurrent-with-start", "concurrent-with-end"}

REQUIRED_CODES: Final[Mapping[str, frozenset[str]]] = {
    **{
        f"{kind}.status": _PUBLICATION
        for kind in (
            "ActivityDefinition",
            "EvidenceVariable",
            "PlanDefinition",
            "Questionnaire",
            "ResearchStudy",
            "ResearchSubject",
        )
    },
    "AdverseEvent.status": frozenset({"in-progress", "completed", "entered-in-error", "unknown"}),
    "AdverseEvent.actuality": frozenset({"actual", "potential"}),
    "Bundle.type": frozenset({"collection", "transaction", "batch", "searchset", "document", "message"}),
    "EvidenceVariable.characteristic.definitionByCombination.code": frozenset(
        {"all-of", "any-of", "at-least", "at-most", "statistical", "net-effect", "dataset"}
    ),
    "Location.status": frozenset({"active", "suspended", "inactive"}),
    "Location.mode": frozenset({"instance", "kind"}),
    "Patient.gender": frozenset({"male", "female", "other", "unknown"}),
    "PlanDefinition.action.groupingBehavior": frozenset({"visual-group", "logical-group", "sentence-group"}),
    "PlanDefinition.action.relatedAction.relationship": _RELATIONS,
    "PlanDefinition.action.selectionBehavior": frozenset(
        {"any", "all", "all-or-none", "exactly-one", "at-most-one", "one-or-more"}
    ),
    "Questionnaire.item.enableBehavior": frozenset({"all", "any"}),
    "Questionnaire.item.enableWhen.operator": _OPERATORS,
    "Questionnaire.item.type": frozenset(
        {*ITEM_TYPES.values(), "group", "display", "time", "string", "url", "attachment", "reference"}
        | {"quantity", "question"}
    ),
}
"""The permitted codes of an element of type `code`, by its path with nested groups folded into one."""

REQUIRED_CONCEPTS: Final[Mapping[str, tuple[str, frozenset[str]]]] = {
    "ResearchStudy.associatedParty.role": (
        PARTY_ROLE,
        frozenset({*ORGANISATION_ROLES.values(), *OFFICIAL_ROLES.values()})
        | {"sponsor", "sponsor-investigator", "general-contact", "recruitment-contact", "irb"},
    ),
    "ResearchStudy.progressStatus.state": (
        STUDY_STATUS,
        frozenset(
            {"overall-study", "active", "active-but-not-recruiting", "administratively-completed", "approved"}
            | {"closed-to-accrual", "closed-to-accrual-and-intervention", "completed", "disapproved"}
            | {"enrolling-by-invitation", "in-review", "not-yet-recruiting", "recruiting", "terminated"}
            | {"temporarily-closed-to-accrual", "temporarily-closed-to-accrual-and-intervention", "withdrawn"}
        ),
    ),
    "ResearchSubject.progress.subjectState": (
        SUBJECT_STATE,
        frozenset(
            {"candidate", "eligible", "follow-up", "ineligible", "not-registered", "off-study", "on-study"}
            | {"on-study-intervention", "on-study-observation", "pending-on-study", "potential-candidate"}
            | {"screening", "withdrawn"}
        ),
    ),
}
"""The permitted codes of a concept, with their system."""

_ID: Final = re.compile(r"[A-Za-z0-9.-]{1,64}")
_REFERRING: Final = (".reference", ".definitionCanonical")
_FOLDED: Final = re.compile(
    r"\.(action|item|characteristic)(\.definitionByCombination\.characteristic|\.\1)+"
)


def check_bundle(bundle: Mapping[str, object]) -> tuple[str, ...]:
    """Return what is wrong with a bundle, each with its place; nothing for one that may be sent."""
    entries = bundle.get("entry", [])
    assert isinstance(entries, list), "a bundle's entries are a list"
    times = Counter(str(each["fullUrl"]) for each in entries)
    urls = frozenset(times)
    problems = list(_check_node(bundle.get("type"), "Bundle.type", urls))
    problems += [f"{url}: stands for two resources" for url in sorted(times) if times[url] > 1]
    for each in entries:
        resource = each["resource"]
        kind = str(resource["resourceType"])
        if not _ID.fullmatch(str(resource["id"])):
            problems.append(f"{kind}.id: {resource['id']} is not an id")
        found = [*_check_node(resource, kind, urls), *_check_links(resource)]
        problems += [f"{problem} ({resource['id']})" for problem in found]
    return tuple(problems)


def _check_node(node: object, path: str, urls: frozenset[str]) -> Iterator[str]:
    path = _FOLDED.sub(r".\1", path)
    if isinstance(node, Mapping):
        if path in REQUIRED_CONCEPTS:
            yield from _check_concept(node, path)
        for name, below in node.items():
            yield from _check_node(below, f"{path}.{name}", urls)
    elif isinstance(node, list):
        for below in node:
            yield from _check_node(below, path, urls)
    elif path in REQUIRED_CODES and node not in REQUIRED_CODES[path]:
        yield f"{path}: {node} is not one of its codes"
    elif path.endswith(_REFERRING) and str(node).startswith("urn:uuid:") and node not in urls:
        yield f"{path}: {node} is not in the bundle"


def _check_concept(node: Mapping[str, object], path: str) -> Iterator[str]:
    system, codes = REQUIRED_CONCEPTS[path]
    codings = node.get("coding", [])
    assert isinstance(codings, list), "a concept's codings are a list"
    if not any(each.get("system") == system and each.get("code") in codes for each in codings):
        yield f"{path}: no code of {system}"


def _check_links(resource: Mapping[str, object]) -> Iterator[str]:
    """Yield links that stand twice, or that something refers to and that are not there."""
    links = Counter(str(each["linkId"]) for each in _objects(resource) if "linkId" in each)
    yield from (f"linkId: {each} stands twice" for each in sorted(links) if links[each] > 1)
    for each in _objects(resource):
        for name in ("targetId", "question"):
            target = each.get(name)
            if isinstance(target, str) and target not in links:
                yield f"{name}: there is no {target}"


def _objects(node: object) -> Iterator[Mapping[str, object]]:
    if isinstance(node, Mapping):
        yield node
        for below in node.values():
            yield from _objects(below)
    elif isinstance(node, list):
        for below in node:
            yield from _objects(below)
