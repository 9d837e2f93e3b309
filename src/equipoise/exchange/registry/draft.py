"""Writes the draft of a study folder from a registry record: what the record says, and nothing that it does
not say.

A draft is not a definition yet. Roles, schedule, forms and conditions are not in a public record; `equipoise
check` lists what is to be added. Codes that the study folder does not have are left out of it, as is a date
without a day.
"""

from __future__ import annotations

import io
import json
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from datetime import date
from pathlib import Path
from typing import Any, Final, get_args

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import LiteralScalarString

from equipoise.definition.model.registry import RegistryDates
from equipoise.definition.model.study import (
    ArmType,
    InterventionModel,
    InterventionType,
    Purpose,
    StudyDates,
    StudyType,
)
from equipoise.exchange.registry.countries import country_code, time_zone
from equipoise.exchange.registry.draft_values import draft_values
from equipoise.exchange.registry.findings import Finding, write_findings
from equipoise.exchange.registry.model import RegistryRecord
from equipoise.exchange.registry.rules import find_contradictions

_FULL_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_AGE_YEARS: Final = re.compile(r"(\d+)\s*years?", re.IGNORECASE)
_NAME_CHARACTERS_MAX: Final = 48
_NOT_DECIDED: Final = "Not decided yet"
_INTERVENTION_TYPES: Final = {"biological_vaccine": "biological", "procedure_surgery": "procedure"}


class DraftRefused(Exception):
    """A draft that is not written: a stable `code`, a `sentence`, and the `place`."""

    def __init__(self, code: str, sentence: str, place: str) -> None:
        super().__init__(f"{code}: {sentence} ({place})")
        self.code = code
        self.sentence = sentence
        self.place = place


def write_draft(record: RegistryRecord, out_dir: Path | str) -> tuple[Path, ...]:
    """Write study.yaml, eligibility.yaml, registry.yaml, findings.json and not_understood.json into a new
    folder.

    The folder appears whole or not at all. Raises DraftRefused (REC-DRAFT-EXISTS) when the folder is there
    and holds anything but this very draft. Returns the paths written.
    """
    target = Path(out_dir)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        _write_files(record, partial)
        if target.exists():
            _check_replaceable(target, partial)
            if not _is_empty(target):
                return _paths(target)
            target.rmdir()
        partial.chmod(0o755)
        partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return _paths(target)


def _paths(folder: Path) -> tuple[Path, ...]:
    return tuple(sorted(folder.iterdir()))


def _is_empty(folder: Path) -> bool:
    return not any(folder.iterdir())


def _check_replaceable(target: Path, partial: Path) -> None:
    """Refuse a folder whose content would be lost, or that is no folder."""
    if target.is_dir() and (_is_empty(target) or _same_content(target, partial)):
        return
    raise DraftRefused(
        "REC-DRAFT-EXISTS",
        f"The draft is not written, because {target.name} holds other files. Give the name of a new folder.",
        target.name,
    )


def _same_content(target: Path, partial: Path) -> bool:
    mine, theirs = _paths(partial), _paths(target)
    return [path.name for path in mine] == [path.name for path in theirs] and all(
        other.is_file() and path.read_bytes() == other.read_bytes()
        for path, other in zip(mine, theirs, strict=True)
    )


def _write_files(record: RegistryRecord, folder: Path) -> None:
    values: Any = draft_values(record)
    findings = find_contradictions(record)
    _write_yaml(folder / "study.yaml", study_draft(values))
    _write_yaml(folder / "eligibility.yaml", eligibility_draft(values))
    _write_yaml(folder / "registry.yaml", registry_draft(values, findings))
    write_findings(findings, folder / "findings.json")
    left = json.dumps([asdict(passage) for passage in record.not_understood], ensure_ascii=False, indent=2)
    (folder / "not_understood.json").write_text(left + "\n", encoding="utf-8")


def _write_yaml(path: Path, content: Mapping[str, object]) -> None:
    writer = YAML()
    writer.width = 110
    writer.allow_unicode = True
    writer.indent(mapping=2, sequence=4, offset=2)
    buffer = io.StringIO()
    writer.dump(_printable(content), buffer)
    path.write_text(buffer.getvalue(), encoding="utf-8")


def _printable(value: object) -> object:
    """Leave out what is missing, and give texts of several lines as blocks."""
    if isinstance(value, Mapping):
        return {key: _printable(item) for key, item in value.items() if item is not None and item != {}}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_printable(item) for item in value]
    if isinstance(value, str) and "\n" in value:
        block = "\n".join(line.rstrip() for line in value.strip().split("\n"))
        # Characters that YAML would break a line at, or not print, go into quotation marks instead.
        return LiteralScalarString(block) if all(line.isprintable() for line in block.split("\n")) else block
    return value


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


def study_draft(values: Mapping[str, Any]) -> dict[str, object]:
    """Return the content of study.yaml as far as the record gives it."""
    interventions, names = _interventions(values)
    masking = values["masking"]
    numbers = values["identifiers"]
    identifiers = (
        [{"registry": "ClinicalTrials.gov", "value": numbers["nct_id"]}] if numbers["nct_id"] else []
    )
    identifiers += [{"registry": "Sponsor", "value": numbers["sponsor_id"]}] if numbers["sponsor_id"] else []
    identifiers += [
        {"registry": one["registry"] or "Not named in the record", "value": one["value"]}
        for one in numbers["others"]
        if one["value"]
    ]
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
        "identifiers": identifiers or None,
        "sponsor": {"name": values["sponsor"]} if values["sponsor"] else None,
        "collaborators": [{"name": name, "kind": "collaborator"} for name in values["collaborators"]] or None,
        "responsible_party": values["responsible_party"],
        "officials": [one for one in values["officials"] if one["name"] and one["role"]] or None,
        "conditions": values["conditions"] or None,
        "keywords": values["keywords"] or None,
        "planned_enrolment": enrolment["count"] if enrolment["type"] == "estimated" else None,
        "dates": _full_dates(values["dates"], StudyDates) or None,
        "masking": None
        if masking["parties"] is None
        else {"parties": masking["parties"], "text": masking["text"]},
        "interventions": interventions or None,
        "epochs": epochs,
        "arms": arms or None,
        "sites": _sites(values["locations"]) or None,
    }


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
        if country is None:
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


def _full_dates(dates: Mapping[str, str | None], owner: type[Any]) -> dict[str, object]:
    """Return the dates that a part of the study folder has, where the record gives a day."""
    wanted = {spec.name for spec in fields(owner)}
    return {
        name: text if name == "last_verified" else date.fromisoformat(text)
        for name, text in dates.items()
        if name in wanted and text and (name == "last_verified" or _FULL_DATE.fullmatch(text))
    }


def eligibility_draft(values: Mapping[str, Any]) -> dict[str, object]:
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


def registry_draft(values: Mapping[str, Any], findings: Sequence[Finding]) -> dict[str, object]:
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
        "publications": [{"citation": citation} for citation in values["publications"]],
        "dates": _full_dates(values["dates"], RegistryDates),
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
