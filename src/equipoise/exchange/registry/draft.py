"""Drafts the files of a study folder from a registry record: what the record says, and nothing that it does
not say.

A draft is not a definition yet. Roles, schedule, forms and conditions are not in a public record; `equipoise
check` lists what is to be added. Codes that the study folder does not have are left out of it, and a date
without a day stands in registry.yaml as a month.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import date
from typing import Any, Final, get_args

from equipoise.definition.model.study import (
    AgencyClass,
    ArmType,
    InterventionModel,
    InterventionType,
    Purpose,
    StudyDates,
    StudyType,
)
from equipoise.exchange.registry.countries import country_code, time_zone
from equipoise.exchange.registry.draft_values import draft_values
from equipoise.exchange.registry.findings import Finding
from equipoise.exchange.registry.model import RegistryRecord
from equipoise.exchange.registry.rules import find_contradictions
from equipoise.exchange.registry.supplement import CONTACT, SITE, read_rows, read_supplement
from equipoise.exchange.registry.tree import Tree, at, objects, record_tree, text_of
from equipoise.exchange.registry.write_record import (
    ELIGIBILITY,
    NUMBER_TYPES,
    REGISTRY,
    REGISTRY_FILE,
    SPONSOR,
    STUDY,
)

_FULL_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_AGE_YEARS: Final = re.compile(r"([0-9]{1,3})\s*years?", re.IGNORECASE)
_NAME_CHARACTERS_MAX: Final = 48
_NOT_DECIDED: Final = "Not decided yet"
_SITES_MAX: Final = 999
_NUMBERS_OF: Final = {kind: registry for registry, kind in NUMBER_TYPES.items() if registry != REGISTRY}
_INTERVENTION_TYPES: Final = {"biological_vaccine": "biological", "procedure_surgery": "procedure"}


def draft_parts(record: RegistryRecord, findings: Sequence[Finding] | None = None) -> dict[str, Tree]:
    """Return study.yaml, eligibility.yaml and registry.yaml as trees, as far as the record gives them.

    `findings` are the contradictions of the record, where they are known already.
    """
    values, protocol = draft_values(record), record_tree(record).get("protocolSection")
    protocol = protocol if isinstance(protocol, dict) else {}
    found = find_contradictions(record) if findings is None else findings
    study = study_draft(values, protocol)
    drafted = {
        STUDY: study,
        ELIGIBILITY: eligibility_draft(values),
        REGISTRY_FILE: registry_draft(values, found, protocol, study),
    }
    return {name: _said(tree) for name, tree in drafted.items()}


def _said(value: Any) -> Any:
    """Leave out what is missing or holds no words: an empty key would be an error of the folder."""
    if isinstance(value, Mapping):
        return {name: made for name, below in value.items() if (made := _said(below)) not in (None, "", {})}
    if isinstance(value, list | tuple):
        return [made for each in value if (made := _said(each)) not in (None, "")]
    return value.strip() if isinstance(value, str) else value


def _name(text: str | None, taken: set[str], otherwise: str) -> str:
    """Make a name of the definition from a text: lower case, digits and underscores, each name once."""
    base = re.sub(r"[^a-z0-9]+", "_", (text or "").lower()).strip("_")
    base = base if base[:1].isalpha() else f"{otherwise}_{base}".strip("_")
    base = base[:_NAME_CHARACTERS_MAX].strip("_")
    name, number = base, 2
    while name in taken:
        name = f"{base[: _NAME_CHARACTERS_MAX - 4]}_{number}"
        number += 1
    taken.add(name)
    return name


def _known(value: str | None, words: object) -> str | None:
    """Return a code when the study folder has it."""
    return value if value in get_args(words) else None


def study_draft(values: Mapping[str, Any], protocol: Mapping[str, Any] | None = None) -> Tree:
    """Return the content of study.yaml as far as the record gives it.

    `values` are those of `draft_values`, `protocol` is the protocol section of the record's tree.
    """
    interventions, names = _interventions(values)
    sponsors = at(protocol, "sponsorCollaboratorsModule")
    lead = at(sponsors, "leadSponsor")
    classes = {text_of(one.get("name")): _class(one) for one in objects(sponsors, "collaborators")}
    masking = values["masking"]
    enrolment = values["enrolment"]
    model = _known(values["model"], InterventionModel)
    arms, epochs = _arms(values, names, model)
    return {
        "id": _name(values["acronym"] or values["title"], set(), "study"),
        "version": "draft",
        "title": values["title"],
        "official_title": values["official_title"],
        "acronym": values["acronym"],
        "type": _known(values["study_type"], StudyType),
        "phases": values["phases"] or None,
        "purpose": _known(values["purpose"], Purpose),
        "model": model,
        "randomised": {"randomized": True, "non_randomized": False, "na": False}.get(values["allocation"]),
        "identifiers": _numbers(values["identifiers"], protocol) or None,
        "sponsor": {"name": values["sponsor"], "agency_class": _class(lead)} if values["sponsor"] else None,
        "collaborators": [
            {"name": name, "kind": "collaborator", "agency_class": classes.get(name)}
            for name in values["collaborators"]
        ]
        or None,
        "responsible_party": values["responsible_party"],
        "officials": [one for one in values["officials"] if one["name"] and one["role"]] or None,
        "conditions": values["conditions"] or None,
        "keywords": values["keywords"] or None,
        "planned_enrolment": enrolment["count"] if enrolment["type"] == "estimated" else None,
        "dates": _full_dates(values["dates"]) or None,
        "masking": None
        if masking["parties"] is None
        else {"parties": masking["parties"], "text": masking["text"]},
        "interventions": interventions or None,
        "epochs": epochs,
        "arms": arms or None,
        "sites": _sites(values["locations"]) or None,
    }


def _numbers(stated: Mapping[str, Any], protocol: Mapping[str, Any] | None) -> list[Tree]:
    """Return the registry's number, the sponsor's, and those of others by what they are numbers of."""
    links = [
        text_of(one.get("link")) for one in objects(protocol, "identificationModule", "secondaryIdInfos")
    ]
    numbers = [(REGISTRY, stated["nct_id"], ""), (SPONSOR, stated["sponsor_id"], "")]
    for place, one in enumerate(stated["others"]):
        kind = _NUMBERS_OF.get(one["registry"], one["registry"]) or "Not named in the record"
        numbers.append((kind, one["value"], links[place] if place < len(links) else ""))
    return [
        {"registry": kind, "value": value, "link": link or None} for kind, value, link in numbers if value
    ]


def _class(organisation: Mapping[str, Any] | None) -> str | None:
    return _known(text_of(at(organisation, "class")).lower(), AgencyClass)


def _interventions(values: Mapping[str, Any]) -> tuple[list[dict[str, object]], dict[str, str]]:
    """Return the interventions, and the id of each by its name in lower case."""
    taken: set[str] = set()
    names: dict[str, str] = {}
    found: list[dict[str, object]] = []
    for one in values["interventions"]:
        if not one["name"]:
            continue
        identifier = _name(one["name"], taken, "intervention")
        names.setdefault(one["name"].lower(), identifier)
        kind = _INTERVENTION_TYPES.get(one["type"], one["type"])
        found.append(
            {
                "id": identifier,
                "name": one["name"],
                "type": _known(kind, InterventionType),
                "text": one["text"],
                "placebo": True if one["placebo"] else None,
                "other_names": one["other_names"] or None,
            }
        )
    return found, names


def _arms(
    values: Mapping[str, Any], names: Mapping[str, str], model: str | None
) -> tuple[list[dict[str, object]], list[dict[str, str]] | None]:
    """Return the arms, and one treatment epoch where the record says what each arm is given and in no
    sequence.
    """
    taken: set[str] = set()
    given = [
        [names[name.lower()] for name in arm["interventions"] if name.lower() in names]
        for arm in values["arms"]
    ]
    one_epoch = model in {"single_group", "parallel"} and any(given)
    arms = [
        {
            "id": _name(arm["name"], taken, "arm"),
            "name": arm["name"],
            "type": _known(arm["type"], ArmType),
            "cells": {"treatment": items} if one_epoch and items else None,
            "text": arm["text"],
        }
        for arm, items in zip(values["arms"], given, strict=True)
    ]
    return arms, [{"id": "treatment", "name": "Treatment", "type": "treatment"}] if one_epoch else None


def _sites(locations: Sequence[Mapping[str, Any]]) -> list[dict[str, object]]:
    """Return the locations as sites, numbered within each country; of several time zones none is chosen."""
    numbers: dict[str, int] = {}
    sites: list[dict[str, object]] = []
    for one in locations:
        country = country_code(one["country"])
        if country is None or numbers.get(country, 0) == _SITES_MAX:
            sites.append({"name": one["facility"] or one["city"], "city": one["city"]})
            continue
        numbers[country] = numbers.get(country, 0) + 1
        sites.append(
            {
                "id": f"{country}{numbers[country]:02d}",
                "name": one["facility"] or one["city"],
                "city": one["city"],
                "country": country,
                "time_zone": time_zone(country),
            }
        )
    return sites


def _registered_sites(protocol: Mapping[str, Any], study: Tree) -> list[Tree]:
    """Return what the record says of a location beyond its names, for each that has become a site."""
    found: list[Tree] = []
    locations = objects(protocol, "contactsLocationsModule", "locations")
    for location, site in zip(locations, study["sites"] or (), strict=False):
        said = read_rows(SITE, location)
        if people := [one for each in objects(location, "contacts") if (one := read_rows(CONTACT, each))]:
            said["contacts"] = people
        if said and "id" in site:
            found.append({"site": site["id"], **said})
    return found


def _full_dates(dates: Mapping[str, str | None]) -> dict[str, object]:
    """Return the dates of the study where the record gives a day."""
    return {
        spec.name: date.fromisoformat(text)
        for spec in fields(StudyDates)
        if (text := dates[spec.name]) and _FULL_DATE.fullmatch(text)
    }


def eligibility_draft(values: Mapping[str, Any]) -> Tree:
    """Return the content of eligibility.yaml: criteria with their texts, without conditions."""
    eligibility = values["eligibility"]
    return {
        "sex": eligibility["sex"] if eligibility["sex"] in {"all", "female", "male"} else None,
        "age_minimum_years": _years(eligibility["minimum_age"]),
        "age_maximum_years": _years(eligibility["maximum_age"]),
        "healthy_volunteers": eligibility["healthy_volunteers"],
        "criteria": [
            {
                "id": criterion["id"],
                "number": criterion["number"],
                "category": criterion["category"],
                "text": "\n".join(_lines(criterion, "")),
            }
            for criterion in values["criteria"]
        ],
    }


def _lines(criterion: Mapping[str, Any], indent: str) -> list[str]:
    """Print a criterion with its sub-items, each on its line with its printed number or its place."""
    lines = [indent + line for line in str(criterion["text"]).split("\n")]
    for item in criterion["items"]:
        first, *rest = _lines(item, indent + "  ")
        lines += [f"{indent}  {item['marker'] or item['number']}. {first.strip()}", *rest]
    return lines


def _years(text: str | None) -> int | None:
    match = _AGE_YEARS.fullmatch(text.strip()) if text else None
    return int(match[1]) if match else None


def registry_draft(
    values: Mapping[str, Any], findings: Sequence[Finding], protocol: Mapping[str, Any], study: Tree
) -> Tree:
    """Return the content of registry.yaml, with the contradictions that a person has to decide."""
    enrolment = values["enrolment"]
    return {
        "brief_summary": values["brief_summary"],
        "detailed_description": values["detailed_description"],
        "overall_status": values["status"],
        "enrolment_count": enrolment["count"],
        "enrolment_type": enrolment["type"] if enrolment["type"] in {"actual", "estimated"} else None,
        "outcomes": [
            {
                "measure": one["measure"],
                "time_frame": one["time_frame"],
                "category": one["category"],
                "description": one["description"],
            }
            for one in values["outcomes"]
        ],
        **read_supplement(protocol),
        "sites": _registered_sites(protocol, study),
        "contradictions": [
            {
                "topic": finding.message,
                "places": [
                    f'{place.section}, line {place.line}: "{place.quote}"' for place in finding.places
                ],
                "followed": _NOT_DECIDED,
            }
            for finding in findings
        ],
    }
