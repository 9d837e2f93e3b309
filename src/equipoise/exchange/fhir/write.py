"""Writes a study, and what was recorded in it, as a bundle of FHIR R5 resources."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from equipoise.analysis.cut import DataCut
from equipoise.definition.model.definition import StudyDefinition
from equipoise.exchange.fhir.codes import URIS
from equipoise.exchange.fhir.eligibility import eligibility_resources
from equipoise.exchange.fhir.questionnaires import questionnaire_resources
from equipoise.exchange.fhir.schedule import schedule_resources
from equipoise.exchange.fhir.study import study_resources
from equipoise.exchange.fhir.subjects import Progress, subject_resources
from equipoise.exchange.fhir.tree import Names, Tree, kept, moment


def write_fhir(
    definition: StudyDefinition,
    cut: DataCut | None = None,
    progress: Progress = lambda done, planned: None,
) -> Tree:
    """Return a bundle of type collection: the definition's resources, then those of the cut's participants.

    Resources refer to each other by the `fullUrl` of their entries. The definition is that of the cut where
    there is one. From a masked cut nothing is written that depends on an arm. `progress` is told of each
    participant.
    """
    names = Names(definition.study.id)
    return kept(
        resourceType="Bundle",
        id=names.uuid("Bundle", "study"),
        identifier={"system": URIS, "value": names.url("Bundle", definition.hash)},
        type="collection",
        timestamp=moment(cut.recorded_at) if cut else None,
        entry=[
            {"fullUrl": f"urn:uuid:{each['id']}", "resource": each}
            for each in _resources(definition, cut, names, progress)
        ],
    )


def _resources(
    definition: StudyDefinition, cut: DataCut | None, names: Names, progress: Progress
) -> Iterator[Tree]:
    taken_part = None if cut is None else sum(each.status != "failed" for each in cut.participants)
    yield from study_resources(definition, names, taken_part)
    yield from eligibility_resources(definition, names)
    yield from schedule_resources(definition, names)
    yield from questionnaire_resources(definition, names)
    if cut is not None:
        yield from subject_resources(cut, names, progress)


def fhir_text(bundle: Mapping[str, object]) -> str:
    """Return a bundle as the text of a file."""
    return json.dumps(bundle, ensure_ascii=False, indent=2) + "\n"


def fhir_ndjson(bundle: Mapping[str, object]) -> str:
    """Return the resources of a bundle, one a line, as a bulk import wants them.

    Without the bundle there is no `fullUrl`: references are rewritten to a type and an id.
    """
    entries = bundle.get("entry", [])
    assert isinstance(entries, list), "a bundle's entries are a list"
    resources = [each["resource"] for each in entries]
    places = {f"urn:uuid:{each['id']}": f"{each['resourceType']}/{each['id']}" for each in resources}
    return "".join(json.dumps(_relative(each, places), ensure_ascii=False) + "\n" for each in resources)


def _relative(node: object, places: Mapping[str, str]) -> object:
    if isinstance(node, Mapping):
        return {
            name: places.get(value, value)
            if name == "reference" and isinstance(value, str)
            else _relative(value, places)
            for name, value in node.items()
        }
    if isinstance(node, list):
        return [_relative(each, places) for each in node]
    return node
