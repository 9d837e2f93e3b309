"""A record as one tree in the form of ClinicalTrials.gov's API v2, wherever it was read from."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, Final, TypeAlias

from equipoise.exchange.registry.draft_values import iso_date
from equipoise.exchange.registry.facts import code_of, integer_of
from equipoise.exchange.registry.model import Criterion, Passage, RegistryRecord

Tree: TypeAlias = dict[str, Any]
"""An object of the record; its values are texts, numbers, truth values, lists and further objects."""

_DIGITS_MAX: Final = 300
_INDENT: Final = "   "
_MONTH_CHARACTERS: Final = len("2013-02")
_LISTS: Final = frozenset((
    "phases", "keywords", "conditions", "whoMasked", "otherNames", "interventionNames", "armGroupLabels",
    "stdAges", "nctIdAliases", "infoTypes",
))  # fmt: skip
_TRUTHS: Final = frozenset((
    "hasExpandedAccess", "delayedPosting", "resultsWaived", "oversightHasDmc", "isFdaRegulatedDrug",
    "isFdaRegulatedDevice", "isUnapprovedDevice", "isPpsd", "isUsExport", "fdaaa801Violation",
    "patientRegistry", "healthyVolunteers", "genderBased", "individual", "intermediate", "treatment",
    "hasProtocol", "hasSap", "hasIcf", "noSap", "hasResults",
))  # fmt: skip
CODES: Final = frozenset((
    "type", "class", "overallStatus", "lastKnownStatus", "statusForNctId", "status", "studyType",
    "allocation", "interventionModel", "primaryPurpose", "observationalModel", "timePerspective", "masking",
    "whoMasked", "retention", "sex", "samplingMethod", "stdAges", "role", "ipdSharing", "infoTypes",
    "phases",
))  # fmt: skip
"""The keys of the API whose values are codes."""

_DATES: Final = frozenset((
    "date", "statusVerifiedDate", "studyFirstSubmitDate", "studyFirstSubmitQcDate",
    "resultsFirstSubmitDate", "resultsFirstSubmitQcDate", "dispFirstSubmitDate", "dispFirstSubmitQcDate",
    "lastUpdateSubmitDate", "lastUpdateSubmitQcDate", "uploadDate",
))  # fmt: skip
_PARTS: Final = frozenset({"SCREENING", "NONE", "SINGLE", "DOUBLE", "TRIPLE", "QUADRUPLE"})


def record_tree(record: RegistryRecord) -> Tree:
    """Return a record as the tree of an API file.

    That of a whole API file is its own, the first of equal keys counting; a number is an IEEE double, as RFC
    8259, section 6, expects. A copied page, and a file that was cut off, give what the model has a place for:
    codes, dates, truth values and numbers in the spelling of the API.
    """
    if is_whole_file(record):
        tree: Tree = json.loads(
            "\n".join(record.lines),
            strict=False,
            object_pairs_hook=_first_of_each,
            parse_float=_number,
            parse_int=lambda text: text if len(text) > _DIGITS_MAX else int(text),
        )
        return tree
    return _of_model(record)


def is_whole_file(record: RegistryRecord) -> bool:
    """Say whether the record was read from a file of the API that is not cut off."""
    return record.kind == "json" and record.incomplete is None


def leaves_of(node: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Yield every scalar, empty list and empty object below a node with its path: `a.b[0].c`."""
    if isinstance(node, Mapping) and node:
        for name, below in node.items():
            yield from leaves_of(below, f"{path}.{name}" if path else name)
    elif isinstance(node, list) and node:
        for place, below in enumerate(node):
            yield from leaves_of(below, f"{path}[{place}]")
    else:
        yield path, node


def at(node: object, *names: str) -> Any:
    """Follow names downwards; None where the tree has no such object."""
    for name in names:
        node = node.get(name) if isinstance(node, Mapping) else None
    return node


def objects(node: object, *names: str) -> list[Tree]:
    """Return the objects of a list below a node; none where there is no such list."""
    found = at(node, *names)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def text_of(node: object) -> str:
    """Return a scalar as text; nothing is no text, and neither is a list or an object."""
    if isinstance(node, bool):
        return str(node).lower()
    return "" if node is None or isinstance(node, list | dict) else str(node)


def _first_of_each(pairs: Sequence[tuple[str, Any]]) -> Tree:
    """Make an object as the reader of records does: the first of equal keys counts."""
    tree: Tree = {}
    for name, value in pairs:
        tree.setdefault(_mended(name), _mended(value))
    return tree


def _mended(value: Any) -> Any:
    """Replace halves of characters, which no file in UTF-8 can hold."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return [_mended(each) for each in value] if isinstance(value, list) else value


def _number(text: str) -> float | str:
    value = float(text)
    return value if math.isfinite(value) else text


# -- from the model


def _of_model(value: Any) -> Tree:
    tree: Tree = {}
    for spec in fields(value):
        if "key" not in spec.metadata:
            continue
        found = _value(spec.metadata["key"].split(".")[-1], getattr(value, spec.name))
        if found in (None, "", [], {}):
            continue
        *above, last = spec.metadata["key"].split(".")
        node = tree
        for name in above:
            node = node.setdefault(name, {})
        node[last] = found
    if isinstance(value, RegistryRecord) and value.kind == "page":
        _mend_page(tree, value)
    return tree


def _value(key: str, value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, Passage):
        return _of_model(value)
    if isinstance(value, tuple):
        found = [_value(key, each) for each in value]
        if key in _LISTS or not all(isinstance(each, Passage) for each in value):
            return found
        return "\n\n".join(text_of(each) for each in found)
    return None if value is None else _scalar(key, value)


def _scalar(key: str, passage: Passage) -> object:
    if key in _TRUTHS:
        return {"TRUE": True, "FALSE": False}.get(code_of(passage), passage.text)
    if key == "count":
        count = integer_of(passage)
        return passage.text if count is None else count
    if key in ("lat", "lon"):
        return _number(passage.text) if passage.text.strip("-").replace(".", "", 1).isdigit() else None
    if key in _DATES:
        return iso_date(passage) or passage.text
    return _code(key, code_of(passage)) if key in CODES else passage.text


def _code(key: str, code: str) -> str:
    if key == "masking":
        return next((part for part in code.split("_") if part in _PARTS), code)
    return code.replace("PHASE_", "PHASE") if key == "phases" else code


def _mend_page(tree: Tree, record: RegistryRecord) -> None:
    """Say what a page says otherwise as the API does: criteria, ages, dates, and who keeps the record."""
    status = at(tree, "protocolSection", "statusModule")
    if status and "lastUpdateSubmitQcDate" in status:
        # A page prints the one date of the API under another name.
        status.setdefault("lastUpdateSubmitDate", status.pop("lastUpdateSubmitQcDate"))
    if status and "statusVerifiedDate" in status:
        status["statusVerifiedDate"] = status["statusVerifiedDate"][:_MONTH_CHARACTERS]
    if record.status.updated_by and at(tree, "protocolSection", "sponsorCollaboratorsModule") is None:
        party = {"oldNameTitle": record.status.updated_by.text}
        tree["protocolSection"]["sponsorCollaboratorsModule"] = {"responsibleParty": party}
    rules = at(tree, "protocolSection", "eligibilityModule")
    if rules is None:
        return
    if record.eligibility.criteria:
        rules["eligibilityCriteria"] = "\n\n".join(_criteria(record.eligibility.criteria))
    for key in ("minimumAge", "maximumAge"):
        if key in rules:
            rules[key] = rules[key].strip().title()


def _criteria(criteria: Sequence[Criterion]) -> Iterator[str]:
    for category in ("inclusion", "exclusion"):
        found = [each for each in criteria if each.category == category]
        if found:
            yield f"{category.capitalize()} Criteria:"
            yield "\n".join(
                line for number, each in enumerate(found, 1) for line in _lines(each, f"{number}.", "")
            )


def _lines(criterion: Criterion, marker: str, indent: str) -> Iterator[str]:
    yield f"{indent}{marker} {criterion.text.text}"
    yield from (f"{indent}{_INDENT}{more.text}" for more in criterion.more)
    for place, item in enumerate(criterion.items, 1):
        yield from _lines(item, f"{item.number or place}.", indent + _INDENT)
