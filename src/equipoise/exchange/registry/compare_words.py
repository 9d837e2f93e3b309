"""What the parts of a record are called in a sentence, and how much a change of them weighs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from equipoise.exchange.registry.align import folded
from equipoise.exchange.registry.page_html_blocks import words_of
from equipoise.exchange.registry.tree import CODES, text_of

_SHOWN_CHARACTERS: Final = 80
_AROUND_CHARACTERS: Final = 25
_DATED: Final = "DateStruct"
_MODULES: Final = {
    "identificationModule": "Identification",
    "statusModule": "Status and dates",
    "sponsorCollaboratorsModule": "Sponsor and collaborators",
    "oversightModule": "Oversight",
    "descriptionModule": "Description",
    "conditionsModule": "Conditions and keywords",
    "designModule": "Design",
    "armsInterventionsModule": "Arms and interventions",
    "outcomesModule": "Outcome measures",
    "eligibilityModule": "Eligibility",
    "contactsLocationsModule": "Contacts and locations",
    "referencesModule": "References",
    "ipdSharingStatementModule": "Data sharing",
    "largeDocumentModule": "Documents",
    "participantFlowModule": "Results, participant flow",
    "baselineCharacteristicsModule": "Results, baseline",
    "outcomeMeasuresModule": "Results, outcome measures",
    "adverseEventsModule": "Results, adverse events",
    "moreInfoModule": "Results, further information",
}
_SECTIONS: Final = {
    "derivedSection": "Derived by the registry",
    "annotationSection": "Added by the registry",
    "resultsSection": "Results",
    "documentSection": "Documents",
    "hasResults": "Results",
}
_ITEMS: Final = {
    "primaryOutcomes": "primary outcome",
    "secondaryOutcomes": "secondary outcome",
    "otherOutcomes": "other outcome",
    "armGroups": "arm",
    "interventions": "intervention",
    "locations": "location",
    "overallOfficials": "official",
    "centralContacts": "contact",
    "contacts": "contact",
    "references": "reference",
    "seeAlsoLinks": "link",
    "availIpds": "available data set",
    "secondaryIdInfos": "further number",
    "collaborators": "collaborator",
    "whoMasked": "masked party",
    "interventionNames": "intervention name",
    "armGroupLabels": "arm label",
    "otherNames": "other name",
    "stdAges": "age group",
    "infoTypes": "kind of shared document",
    "nctIdAliases": "former number",
    "largeDocs": "document",
    "outcomeMeasures": "reported outcome",
    "analyses": "analysis",
    "seriousEvents": "serious adverse event",
    "otherEvents": "other adverse event",
    "eventGroups": "group",
    "classes": "class",
    "categories": "category",
    "dropWithdraws": "reason not completed",
    "reasons": "group",
    "achievements": "group",
    "stats": "group",
    "denoms": "number analysed",
    "counts": "group",
    "measures": "baseline measure",
}
_FIELDS: Final = {
    "nctId": "registry number",
    "overallStatus": "status",
    "whyStopped": "reason for stopping",
    "startDateStruct": "study start",
    "primaryCompletionDateStruct": "primary completion",
    "completionDateStruct": "study completion",
    "studyFirstPostDateStruct": "first posting",
    "resultsFirstPostDateStruct": "first posting of results",
    "dispFirstPostDateStruct": "first posting of the delay",
    "lastUpdatePostDateStruct": "last posting",
    "statusVerifiedDate": "month of the last verification",
    "enrollmentInfo": "enrolment",
    "oversightHasDmc": "data monitoring committee",
    "eligibilityCriteria": "text of the criteria",
    "hasResults": "mark that there are results",
    "ipdSharing": "plan to share data",
    "orgStudyIdInfo": "sponsor's number",
    "pmid": "PubMed number",
    "geoPoint": "position",
    "lat": "latitude",
    "lon": "longitude",
    "zip": "postal code",
    "isFdaRegulatedDrug": "entry on an FDA-regulated drug",
    "isFdaRegulatedDevice": "entry on an FDA-regulated device",
    "isUnapprovedDevice": "entry on an unapproved device",
    "isPpsd": "entry on a pediatric postmarket surveillance",
    "isUsExport": "entry on an export from the U.S.",
    "hasExpandedAccess": "entry on expanded access",
    "numSubjects": "number of participants",
    "numAffected": "number affected",
    "numAtRisk": "number at risk",
    "numEvents": "number of events",
    "pValue": "P value",
    "paramValue": "estimate",
    "ciLowerLimit": "lower confidence limit",
    "ciUpperLimit": "upper confidence limit",
    "miscInfoModule": "registry's own entry on the",
    "versionHolder": "version",
}
_NAMES: Final = (
    "measure",
    "label",
    "facility",
    "title",
    "name",
    "term",
    "citation",
    "filename",
    "id",
    "type",
    "groupId",
    "city",
)
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SILENT: Final = re.compile(r"(Struct|Info|Module|Section)$")
_MOVES: Final = {"primaryOutcomes": "primary", "secondaryOutcomes": "secondary", "otherOutcomes": "other"}
# The weight of what a path begins with, the first that fits.
_WEIGHTS: Final = tuple(
    (re.compile(pattern), weight)
    for pattern, weight in (
        (r"(derived|annotation)Section", 5),
        (r".*\.(lastUpdate|studyFirst|resultsFirst|dispFirst|statusVerified)", 5),
        (r"protocolSection\.outcomesModule\.primaryOutcomes", 1),
        (r"protocolSection\.statusModule\.(overallStatus|whyStopped)", 1),
        (r"protocolSection\.designModule\.(enrollmentInfo|designInfo|studyType|phases)", 1),
        (r"protocolSection\.eligibilityModule", 1),
        (r"protocolSection\.armsInterventionsModule\.(armGroups|interventions)", 1),
        (r"protocolSection\.statusModule\.(start|primaryCompletion|completion)", 2),
        (r"protocolSection\.(outcomes|design|conditions|oversight)Module", 2),
        (r"(resultsSection|hasResults)", 2),
        (r"protocolSection\.(sponsorCollaborators|contactsLocations|ipdSharingStatement)Module", 3),
        (r"documentSection", 3),
    )
)
_WORDS: Final = 4


@dataclass(frozen=True, slots=True)
class Named:
    """What an item of a list is called: its place, from 1, and its own words, where it has any."""

    place: int
    words: str


@dataclass(frozen=True, slots=True)
class Step:
    """A step down a record: a key, or an item of the list of that name as both versions have it."""

    key: str
    called: Named | None = None
    new_key: str = ""
    new_called: Named | None = None


def named(item: Any, name: str, place: int) -> Named:
    """Return what an item is called."""
    if not isinstance(item, Mapping):
        return Named(place + 1, text_of(item))
    words = next((text for key in _NAMES if (text := text_of(item.get(key)))), "")
    return Named(place + 1, words)


def module_of(steps: tuple[Step, ...]) -> str:
    """Return what a reader calls the module that a path leads into."""
    keys = [step.key for step in steps]
    own = _SECTIONS.get(keys[0]) if keys[0] in ("derivedSection", "annotationSection") else None
    return own or next((_MODULES[key] for key in keys if key in _MODULES), _SECTIONS.get(keys[0], "Other"))


def weight_of(steps: tuple[Step, ...], kind: str) -> int:
    """Return how much a change weighs, from 1; an outcome that moves weighs as the weightier of its lists."""
    keys = [step.key for step in steps]
    paths = [".".join(keys)]
    if steps[-1].new_key and kind == "moved":
        paths.append(".".join([*keys[:-1], steps[-1].new_key]))
    return min(
        next((weight for pattern, weight in _WEIGHTS if pattern.match(path)), _WORDS) for path in paths
    )


def sentence_of(kind: str, steps: tuple[Step, ...], old: Any, new: Any) -> str:
    """Say what happened to what a path leads to; the sentence ends with a full stop."""
    last = steps[-1]
    if kind == "moved":
        before, after = _MOVES[str(old)], _MOVES[str(new)]
        verb = {"primary": "was promoted to", "secondary": "became", "other": "became"}[after]
        verb = "was demoted to" if before == "primary" else verb
        return f"{_item(last, False)} {verb} {'an' if after == 'other' else 'a'} {after} outcome."
    if last.called is not None and kind in ("added", "removed"):
        around = _around(steps[:-1])
        return f"{_item(last, kind == 'added')}{around} was {kind}."
    what = _what(steps)
    if kind in ("added", "removed"):
        return f"{what} was {kind}: {_value(last.key, new if kind == 'added' else old)}."
    if last.key.endswith(_DATED) and isinstance(old, Mapping) and isinstance(new, Mapping):
        return f"{what} changed from {_dated(old)} to {_dated(new)}{_days_between(old, new)}."
    if last.key == "enrollmentInfo" and isinstance(old, Mapping) and isinstance(new, Mapping):
        return f"{what} changed from {_counted(old)} to {_counted(new)}{_difference(old, new)}."
    return f"{what} {_reworded(last.key, old, new)}."


def _reworded(key: str, old: Any, new: Any) -> str:
    if isinstance(old, str) and isinstance(new, str):
        if folded(old) == folded(new):
            return "changed in case or white space alone"
        if key == "eligibilityCriteria":
            return _lines(old, new)
        if max(len(old), len(new)) > _SHOWN_CHARACTERS:
            return f"changed from {_excerpt(old, new)} to {_excerpt(new, old)}"
    return f"changed from {_value(key, old)} to {_value(key, new)}"


def _lines(old: str, new: str) -> str:
    """Say which lines of the criteria are new and which are gone."""
    before, after = ({folded(_bare(line)): _bare(line) for line in text.split("\n")} for text in (old, new))
    gone = [line for key, line in before.items() if key and key not in after]
    come = [line for key, line in after.items() if key and key not in before]
    told = [f"without {_quoted(line)}" for line in gone] + [f"with {_quoted(line)}" for line in come]
    return "changed: now " + "; ".join(told) if told else "changed in order or numbering alone"


def _bare(line: str) -> str:
    return re.sub(r"^\s*(?:[*•-]|\(?(?:\d{1,2}|[a-z])[.)])\s+", "", line).strip()


def _what(steps: tuple[Step, ...]) -> str:
    """Return 'the time frame of primary outcome 1 ("...")'."""
    keys, place = [], len(steps)
    for step in reversed(steps):
        if step.called is not None or step.key in _MODULES or (step.key in _SECTIONS and len(steps) > 1):
            break
        keys.append(step.key)
        place -= 1
    if not keys:
        return _item(steps[-1], False)
    words = [_field(key) for key in reversed(keys) if key not in ("designInfo", "maskingInfo")] or [
        _field(keys[0])
    ]
    return f"the {' '.join(words)}{_around(steps[:place])}"


def _around(steps: tuple[Step, ...]) -> str:
    return "".join(f" of {_item(step, False)}" for step in reversed(steps) if step.called is not None)


def _item(step: Step, new: bool) -> str:
    """Return 'primary outcome 1 ("...")'; of what both versions have, the number and the words of the old."""
    key, called = (
        (step.new_key or step.key, step.new_called or step.called) if new else (step.key, step.called)
    )
    noun = _ITEMS.get(key) or _field(
        re.sub(r"ies$", "y", key) if key.endswith("ies") else key.removesuffix("s")
    )
    if called is None:
        return f"the {noun}"
    return f"{noun} {called.place}" + (f" ({_quoted(_word(key, called.words))})" if called.words else "")


def _field(key: str) -> str:
    if key in _FIELDS:
        return _FIELDS[key]
    return _CAMEL.sub(" ", _SILENT.sub("", key)).lower() or key


def _value(key: str, value: Any) -> str:
    if isinstance(value, Mapping) and key.endswith(_DATED):
        return _dated(value)
    if isinstance(value, Mapping) and key == "enrollmentInfo":
        return _counted(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or isinstance(value, Mapping | list):
        return _cut(json.dumps(value, ensure_ascii=False)) if value else "nothing"
    text = text_of(value)
    return _word(key, text) if key in CODES or not isinstance(value, str) or _plain(text) else _quoted(text)


def _word(key: str, text: str) -> str:
    return words_of(text) if key in CODES else text


def _plain(text: str) -> bool:
    """Say whether a text needs no quotation marks: a date, a number, a duration of two words."""
    return re.fullmatch(r"[<>≤≥=-]?[\w.-]+(?: [\w-]+)?", text) is not None and any(
        mark.isdigit() for mark in text
    )


def _quoted(text: str) -> str:
    return f'"{_cut(text)}"'


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN_CHARACTERS else f"{line[:_SHOWN_CHARACTERS]}..."


def _excerpt(text: str, other: str) -> str:
    """Quote a long text around where it begins to differ from another."""
    line, there = " ".join(text.split()), " ".join(other.split())
    start = next((place for place, (a, b) in enumerate(zip(line, there, strict=False)) if a != b), len(there))
    start = max(0, min(start, len(line)) - _AROUND_CHARACTERS)
    piece = line[start : start + _SHOWN_CHARACTERS]
    ends = ("..." if start else "", "..." if start + _SHOWN_CHARACTERS < len(line) else "")
    return f'"{ends[0]}{piece}{ends[1]}"'


def _dated(node: Mapping[str, Any]) -> str:
    kind = text_of(node.get("type")).lower()
    return (text_of(node.get("date")) or "no date") + (f" ({kind})" if kind else "")


def _counted(node: Mapping[str, Any]) -> str:
    kind = text_of(node.get("type")).lower()
    return (text_of(node.get("count")) or "no number") + (f" ({kind})" if kind else "")


def _days_between(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    try:
        first, second = (date.fromisoformat(text_of(node.get("date"))) for node in (old, new))
    except ValueError:
        return ""
    days = (second - first).days
    return (
        f", {abs(days)} day{'' if abs(days) == 1 else 's'} {'later' if days > 0 else 'earlier'}"
        if days
        else ""
    )


def _difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    before, after = old.get("count"), new.get("count")
    if type(before) is not int or type(after) is not int or before == after:
        return ""
    return f", {abs(after - before)} {'more' if after > before else 'fewer'}"
