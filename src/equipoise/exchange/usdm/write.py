"""Writes a study definition as USDM 4.0 (CDISC Unified Study Definitions Model), in the form of its JSON API.

What has a place in USDM is written there; what has none but matters to whoever runs the study stands as a
note, "Label: text", at the object that it belongs to, and the whole protocol synopsis as narrative content.
Conditions have no place: criteria and analysis populations carry them in words.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import replace
from uuid import NAMESPACE_OID, uuid5

from equipoise import __version__
from equipoise.definition.model.definition import StudyDefinition
from equipoise.exchange.usdm.make import NOT_STATED, Maker, Tree
from equipoise.exchange.usdm.narrative import write_document
from equipoise.exchange.usdm.terms import APPROVAL, TITLES
from equipoise.exchange.usdm.write_amendments import Amendment, write_amendments
from equipoise.exchange.usdm.write_criteria import write_criterion_items, write_terms
from equipoise.exchange.usdm.write_design import write_design, write_interventions
from equipoise.exchange.usdm.write_people import write_identifiers, write_organisations, write_roles
from equipoise.exchange.usdm.write_schedule import write_concepts

USDM_VERSION = "4.0.0"


def write_usdm(
    definition: StudyDefinition,
    sites: Collection[str] | None = None,
    amendments: Sequence[Amendment] = (),
) -> Tree:
    """Return the study as the tree of a USDM 4.0 file: equal definitions give equal trees.

    `sites` are the ids of the sites that are written, all of the definition's by default; `amendments` are
    those of the trial that led to this version.
    """
    if sites is not None:
        kept = tuple(site for site in definition.study.sites if site.id in sites)
        definition = replace(definition, study=replace(definition.study, sites=kept))
    maker, study = Maker(), definition.study
    document, narrative = write_document(maker, definition)
    registry = definition.registry
    return {
        "study": {
            "id": str(uuid5(NAMESPACE_OID, f"{study.sponsor.name}/{study.id}")),
            "name": study.id,
            "label": study.acronym or study.title,
            "description": registry.brief_summary if registry else None,
            "versions": [_version(maker, definition, narrative, amendments)],
            "documentedBy": [document],
            "instanceType": "Study",
        },
        "usdmVersion": USDM_VERSION,
        "systemName": "Equipoise",
        "systemVersion": __version__,
    }


def usdm_text(tree: Tree) -> str:
    """Return a tree of USDM as JSON text."""
    return json.dumps(tree, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def _version(
    maker: Maker, definition: StudyDefinition, narrative: list[Tree], amendments: Sequence[Amendment]
) -> Tree:
    study, registry = definition.study, definition.registry
    references = [] if registry is None else registry.publications
    return maker.make(
        "StudyVersion",
        {
            "versionIdentifier": study.version,
            "rationale": NOT_STATED,
            "documentVersionIds": [maker.id_of("StudyDefinitionDocumentVersion", "synopsis")],
            "dateValues": _approvals(maker, definition),
            "amendments": write_amendments(maker, definition, amendments),
            "studyIdentifiers": write_identifiers(maker, study),
            "studyDesigns": [write_design(maker, definition)],
            "titles": _titles(maker, definition),
            "eligibilityCriterionItems": write_criterion_items(maker, definition),
            "narrativeContentItems": narrative,
            "roles": write_roles(maker, study),
            "organizations": write_organisations(maker, definition),
            "studyInterventions": write_interventions(maker, definition),
            "biomedicalConcepts": write_concepts(maker, definition),
            "dictionaries": write_terms(maker, definition),
            "notes": maker.notes(
                ("Study start", study.dates.start),
                ("Primary completion", study.dates.primary_completion),
                ("Study completion", study.dates.completion),
                *(("Keyword", keyword) for keyword in study.keywords),
                *(("Reference", reference.citation) for reference in references),
            ),
        },
        key="main",
    )


def _titles(maker: Maker, definition: StudyDefinition) -> list[Tree]:
    study = definition.study
    # An official title is compulsory, so that the brief one stands in for one that is not there.
    titles = {"official": study.official_title or study.title, "brief": study.title, "acronym": study.acronym}
    return [
        maker.make("StudyTitle", {"text": text, "type": maker.code(TITLES[kind])})
        for kind, text in titles.items()
        if text
    ]


def _approvals(maker: Maker, definition: StudyDefinition) -> list[Tree]:
    """The dates from which variants of the rules hold, where these are those of whole countries."""
    study = definition.study
    followed: dict[str, set[str | None]] = {}
    for site in study.sites:
        followed.setdefault(site.country, set()).add(definition.variant_of(site.id))
    found = []
    for variant in definition.eligibility.variants:
        countries = [country for country, variants in followed.items() if variants == {variant.id}]
        if countries:
            fields: Tree = {
                "name": variant.id,
                "label": f"Approval of the rules: {variant.title}",
                "type": maker.code(APPROVAL),
                "dateValue": variant.approved_from.isoformat(),
                "geographicScopes": [maker.scope(country) for country in countries],
            }
            found.append(maker.make("GovernanceDate", fields))
    return found
