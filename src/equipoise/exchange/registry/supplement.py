"""What a registry asks of a study beyond its protocol: tables that are read into registry.yaml and written
from it.

Source: ClinicalTrials.gov, "Study Data Structure" (API v2) and "Protocol Registration Data Element
Definitions for Interventional and Observational Studies".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final, get_args

from equipoise.definition.model import registry as asked
from equipoise.exchange.registry.tree import Tree, at, objects

_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MONTH: Final = re.compile(r"[0-9]{4}-[0-9]{2}")
_DEGREES: Final = re.compile(r"-?[0-9]{1,3}(\.[0-9]{1,20})?")
_YEARS: Final = re.compile(r"\s*[0-9]{1,3}\s+years?\s*", re.IGNORECASE)


def code(word: str) -> str:
    """Return a word in the API's spelling: 'Active, not recruiting' is ACTIVE_NOT_RECRUITING."""
    return re.sub(r"[^A-Z0-9]+", "_", word.upper()).strip("_")


@dataclass(frozen=True, slots=True)
class Codec:
    """The way of a value into registry.yaml and back; `read` gives None for what the file cannot hold."""

    read: Callable[[Any], Any]
    write: Callable[[Any], Any]


def _is(kind: type) -> Callable[[Any], Any]:
    return lambda value: value if isinstance(value, kind) else None


def _matches(pattern: re.Pattern[str]) -> Callable[[Any], Any]:
    return lambda value: value if isinstance(value, str) and pattern.fullmatch(value) else None


def _same(value: Any) -> Any:
    return value


def _words(value: Any) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) and _DAY.fullmatch(value) else None
    except ValueError:
        return None


def _chosen(choice: object) -> Codec:
    """Make a codec of a choice of the study folder."""
    known = get_args(choice)

    def read(value: Any) -> str | None:
        word = value.lower() if isinstance(value, str) else None
        return word if word in known else None

    return Codec(read, code)


def _degrees(value: Any) -> str | None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if number and _DEGREES.fullmatch(str(value)) else None


def _status(value: Any) -> str | None:
    """Return a coded word as a person writes it: RECRUITING is Recruiting; odd ones are left alone."""
    words = _words(value)
    plain = words.replace("_", " ").capitalize() if words else None
    return plain if plain and code(plain) == words else None


_TEXT: Final = Codec(_words, _same)
_TRUTH: Final = Codec(_is(bool), _same)
_DATE: Final = Codec(_day, str)
_AGE: Final = Codec(lambda value: None if _YEARS.fullmatch(str(value)) else _words(value), _same)
_NUMBER: Final = Codec(_degrees, lambda value: float(Decimal(value)))
_WORD: Final = Codec(_status, code)

Row = tuple[str, str, Codec]
"""Where a value stands in the API's object, where in registry.yaml, and how it goes from one to the other."""

_STRUCTS: Final = {
    "start": "startDateStruct",
    "primary_completion": "primaryCompletionDateStruct",
    "completion": "completionDateStruct",
    "first_posted": "studyFirstPostDateStruct",
    "results_first_posted": "resultsFirstPostDateStruct",
    "delay_first_posted": "dispFirstPostDateStruct",
    "last_update_posted": "lastUpdatePostDateStruct",
}
_STATUS, _INFO, _IPD = "statusModule", "designModule.designInfo", "ipdSharingStatementModule"
_RULES, _WATCH = "eligibilityModule", "oversightModule"
ROWS: Final[tuple[Row, ...]] = (
    (f"{_STATUS}.lastKnownStatus", "last_known_status", _WORD),
    (f"{_STATUS}.whyStopped", "why_stopped", _TEXT),
    (f"{_STATUS}.expandedAccessInfo.hasExpandedAccess", "expanded_access.available", _TRUTH),
    (f"{_STATUS}.expandedAccessInfo.nctId", "expanded_access.number", _TEXT),
    (f"{_STATUS}.expandedAccessInfo.statusForNctId", "expanded_access.status", _WORD),
    ("designModule.expandedAccessTypes.individual", "expanded_access.individual", _TRUTH),
    ("designModule.expandedAccessTypes.intermediate", "expanded_access.intermediate", _TRUTH),
    ("designModule.expandedAccessTypes.treatment", "expanded_access.treatment", _TRUTH),
    (f"{_STATUS}.studyFirstSubmitDate", "dates.first_submitted", _DATE),
    (f"{_STATUS}.studyFirstSubmitQcDate", "dates.first_submitted_qc", _DATE),
    (f"{_STATUS}.studyFirstPostDateStruct.date", "dates.first_posted", _DATE),
    (f"{_STATUS}.resultsFirstSubmitDate", "dates.results_first_submitted", _DATE),
    (f"{_STATUS}.resultsFirstSubmitQcDate", "dates.results_first_submitted_qc", _DATE),
    (f"{_STATUS}.resultsFirstPostDateStruct.date", "dates.results_first_posted", _DATE),
    (f"{_STATUS}.dispFirstSubmitDate", "dates.delay_first_submitted", _DATE),
    (f"{_STATUS}.dispFirstSubmitQcDate", "dates.delay_first_submitted_qc", _DATE),
    (f"{_STATUS}.dispFirstPostDateStruct.date", "dates.delay_first_posted", _DATE),
    (f"{_STATUS}.lastUpdateSubmitDate", "dates.last_update_submitted", _DATE),
    (f"{_STATUS}.lastUpdatePostDateStruct.date", "dates.last_update_posted", _DATE),
    (f"{_STATUS}.statusVerifiedDate", "dates.last_verified", _TEXT),
    *(
        (f"{_STATUS}.{_STRUCTS[name]}.date", f"months.{name}", Codec(_matches(_MONTH), _same))
        for name in get_args(asked.StudyDate)
    ),
    *(
        (f"{_STATUS}.{_STRUCTS[name]}.type", f"date_types.{name}", _chosen(asked.DateType))
        for name in get_args(asked.TypedDate)
    ),
    (f"{_WATCH}.oversightHasDmc", "oversight.monitoring_board", _TRUTH),
    (f"{_WATCH}.isFdaRegulatedDrug", "oversight.fda_regulated_drug", _TRUTH),
    (f"{_WATCH}.isFdaRegulatedDevice", "oversight.fda_regulated_device", _TRUTH),
    (f"{_WATCH}.isUnapprovedDevice", "oversight.unapproved_device", _TRUTH),
    (f"{_WATCH}.isPpsd", "oversight.pediatric_postmarket_surveillance", _TRUTH),
    (f"{_WATCH}.isUsExport", "oversight.us_export", _TRUTH),
    (f"{_INFO}.interventionModelDescription", "model_text", _TEXT),
    (f"{_INFO}.observationalModel", "observation.model", _chosen(asked.ObservationModel)),
    (f"{_INFO}.timePerspective", "observation.time_perspective", _chosen(asked.TimePerspective)),
    ("designModule.patientRegistry", "observation.patient_registry", _TRUTH),
    ("designModule.targetDuration", "observation.target_duration", _TEXT),
    (f"{_RULES}.samplingMethod", "observation.sampling_method", _chosen(asked.SamplingMethod)),
    (f"{_RULES}.studyPopulation", "observation.population", _TEXT),
    ("designModule.bioSpec.retention", "specimens.retention", _chosen(asked.Retention)),
    ("designModule.bioSpec.description", "specimens.text", _TEXT),
    (f"{_RULES}.minimumAge", "minimum_age", _AGE),
    (f"{_RULES}.maximumAge", "maximum_age", _AGE),
    (f"{_RULES}.genderBased", "gender_based", _TRUTH),
    (f"{_RULES}.genderDescription", "gender_text", _TEXT),
    (
        "sponsorCollaboratorsModule.responsibleParty.type",
        "responsible_party.type",
        _chosen(asked.PartyType),
    ),
    ("sponsorCollaboratorsModule.responsibleParty.investigatorTitle", "responsible_party.title", _TEXT),
    (
        "sponsorCollaboratorsModule.responsibleParty.investigatorAffiliation",
        "responsible_party.affiliation",
        _TEXT,
    ),
    (f"{_IPD}.ipdSharing", "data_sharing.plan", _chosen(asked.SharingPlan)),
    (f"{_IPD}.description", "data_sharing.text", _TEXT),
    (f"{_IPD}.timeFrame", "data_sharing.time_frame", _TEXT),
    (f"{_IPD}.accessCriteria", "data_sharing.access", _TEXT),
    (f"{_IPD}.url", "data_sharing.url", _TEXT),
)
CONTACT: Final[tuple[Row, ...]] = (
    ("name", "name", _TEXT),
    ("role", "role", _WORD),
    ("phone", "phone", _TEXT),
    ("phoneExt", "extension", _TEXT),
    ("email", "email", _TEXT),
)
SITE: Final[tuple[Row, ...]] = (
    ("status", "status", _WORD),
    ("state", "state", _TEXT),
    ("zip", "zip", _TEXT),
    ("geoPoint.lat", "latitude", _NUMBER),
    ("geoPoint.lon", "longitude", _NUMBER),
)
PUBLICATION: Final[tuple[Row, ...]] = (
    ("citation", "citation", _TEXT),
    ("pmid", "pmid", _TEXT),
    ("type", "type", _chosen(asked.ReferenceType)),
)
LISTS: Final[tuple[tuple[str, str, tuple[Row, ...]], ...]] = (
    ("contactsLocationsModule.centralContacts", "contacts", CONTACT),
    ("referencesModule.references", "publications", PUBLICATION),
    ("referencesModule.seeAlsoLinks", "links", (("url", "url", _TEXT), ("label", "label", _TEXT))),
    (
        "referencesModule.availIpds",
        "available_data",
        tuple((name, name, _TEXT) for name in ("id", "type", "url", "comment")),
    ),
)
_SHARED: Final = (f"{_IPD}.infoTypes", "data_sharing.documents", _chosen(asked.SharedDocument))


def read_supplement(protocol: Mapping[str, Any]) -> Tree:
    """Return what registry.yaml takes from the protocol section of a record, by the tables of this module."""
    found = read_rows(ROWS, protocol)
    for api, own, rows in LISTS:
        put(
            found,
            own,
            [each for item in objects(protocol, *api.split(".")) if (each := read_rows(rows, item))],
        )
    api, own, words = _SHARED
    listed = at(protocol, *api.split("."))
    if isinstance(listed, list):
        put(found, own, [word for each in listed if (word := words.read(each)) is not None])
    return found


def write_supplement(registry: Mapping[str, Any]) -> Tree:
    """Return the protocol section that the same tables make of registry.yaml, and nothing else."""
    found = write_rows(ROWS, registry)
    for api, own, rows in LISTS:
        put(found, api, [write_rows(rows, item) for item in objects(registry, own)])
    api, own, words = _SHARED
    put(found, api, [words.write(each) for each in at(registry, *own.split(".")) or ()])
    return found


def read_rows(rows: Sequence[Row], node: Mapping[str, Any]) -> Tree:
    """Read an object of the API by a table."""
    found: Tree = {}
    for api, own, codec in rows:
        put(found, own, codec.read(at(node, *api.split("."))))
    return found


def write_rows(rows: Sequence[Row], node: Mapping[str, Any]) -> Tree:
    """Write an object of the API by a table."""
    made: Tree = {}
    for api, own, codec in rows:
        value = at(node, *own.split("."))
        if value is not None:
            put(made, api, codec.write(value))
    return made


def put(tree: Tree, path: str, value: object) -> None:
    """Set a value at a dotted path, where there is one to set and none stands there yet."""
    if value is None or value == []:
        return
    *above, last = path.split(".")
    for name in above:
        tree = tree.setdefault(name, {})
    tree.setdefault(last, value)


def overlay(tree: Tree, more: Mapping[str, Any]) -> Tree:
    """Return a tree with what another adds to it; what stands in both is the first one's."""
    made = dict(tree)
    for name, value in more.items():
        mine = made.get(name)
        if isinstance(mine, dict) and isinstance(value, Mapping):
            made[name] = overlay(mine, value)
        else:
            made.setdefault(name, value)
    return made
