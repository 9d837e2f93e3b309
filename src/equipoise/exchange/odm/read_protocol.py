"""Reads the protocol of an ODM 2.0 file, and the sites of either version, into a draft study folder."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, Final, get_args, get_type_hints

from lxml import etree

from equipoise.definition.expression import to_raw
from equipoise.definition.model.analysis import IntercurrentEvent
from equipoise.exchange.identifiers import Identifiers
from equipoise.exchange.odm.draft import Draft, Tree
from equipoise.exchange.odm.names import LOCATION
from equipoise.exchange.odm.protocol_terms import (
    ARM,
    CRITERION,
    ENDPOINT,
    ENDPOINT_LEVELS,
    EPOCH,
    ESTIMAND,
    INTERVENTION,
    MODELS,
    PURPOSES,
    SEXES,
    STUDY_TYPES,
    TIME_FRAME,
    YES_NO,
    phases_of,
    reverse,
)
from equipoise.exchange.odm.read_metadata import first_text, read_texts
from equipoise.exchange.odm.stream import Taker, child, children

_STRATEGIES: Final = "|".join(get_args(get_type_hints(IntercurrentEvent)["strategy"]))
_INTERCURRENT: Final = re.compile(rf"(.*) \(({_STRATEGIES})\)", re.DOTALL)
_YEARS: Final = re.compile(r"P([0-9]{1,3})Y")

_TERMS: Final[Mapping[str, tuple[str, str, Mapping[str, str]]]] = {
    "STYPE": ("study.yaml", "type", reverse(STUDY_TYPES)),
    "INTMODEL": ("study.yaml", "model", reverse(MODELS)),
    "TINDTP": ("study.yaml", "purpose", reverse(PURPOSES)),
    "RANDOM": ("study.yaml", "randomised", reverse(YES_NO)),
    "SEXPOP": ("eligibility.yaml", "sex", reverse(SEXES)),
    "HLTSUBJI": ("eligibility.yaml", "healthy_volunteers", reverse(YES_NO)),
}
"""Where the value of a summary parameter stands in a study folder, with our word for each of its terms."""

_DATES: Final = {"SSTDTC": "start", "SENDTC": "completion"}
_AGES: Final = {"AGEMIN": "age_minimum_years", "AGEMAX": "age_maximum_years"}


class ProtocolReader:
    """Adds to a draft what the protocol of its version says."""

    def __init__(self, take: Taker, version: etree._Element, draft: Draft) -> None:
        self.take = take
        self.draft = draft
        self.version = version
        found = child(version, "Protocol")
        self.protocol = version if found is None else found

    def read(self) -> None:
        """Read every part that a study folder has a place for."""
        for parameter in children(child(self.protocol, "StudySummary"), "StudyParameter"):
            self._parameter(parameter)
        self._phase()
        self._structure()
        self._named()
        self._criteria()
        self._estimands()
        if self.take.own:
            self._forget_what_is_said_elsewhere()

    def _words(self, element: etree._Element | None, *place: str) -> str | None:
        texts = read_texts(self.take, child(element, "Description"))
        return (
            self.draft.languages.say(place, texts) if place else first_text(texts, self.draft.languages.main)
        )

    # -- the summary

    def _parameter(self, parameter: etree._Element) -> None:
        value_element = child(parameter, "ParameterValue")
        name = parameter.get("ShortName", "")
        if value_element is None or not self._taken(name, value_element.get("Value", "").strip()):
            return
        self.take.attribute(value_element, "Value")
        for attribute in ("OID", "Term", "ShortName"):
            self.take.attribute(parameter, attribute)

    def _taken(self, name: str, value: str) -> bool:
        """Put the value of a parameter into the draft; says whether it was understood."""
        study = self.draft.part("study.yaml")
        if name in _TERMS:
            file, key, words = _TERMS[name]
            word = words.get(value.upper())
            if word is not None:
                truth = {"true": True, "false": False}
                self.draft.part(file)[key] = truth.get(word, word)
            return word is not None
        if name == "PLANSUB" and value.isdecimal() and len(value) < 10:
            study["planned_enrolment"] = int(value)
        elif name == "SPONSOR" and value:
            study["sponsor"] = {"name": value}
        elif name in _DATES and _is_day(value):
            study.setdefault("dates", {})[_DATES[name]] = value
        elif name in _AGES and (years := _YEARS.fullmatch(value)):
            self.draft.part("eligibility.yaml")[_AGES[name]] = int(years[1])
        elif name == "REGID" and value:
            registry, colon, number = value.partition(": ")
            identifier = (
                {"registry": registry, "value": number} if colon else {"registry": "Other", "value": value}
            )
            study.setdefault("identifiers", []).append(identifier)
        else:
            return self.take.own and name == "TBLIND"
        return True

    def _phase(self) -> None:
        phase = child(self.protocol, "TrialPhase")
        phases = None if phase is None else phases_of(phase.get("Value", ""))
        if phase is not None and phases is not None:
            self.take.attribute(phase, "Value")
            self.draft.part("study.yaml")["phases"] = phases

    # -- arms, epochs, interventions, indications

    def _structure(self) -> None:
        study, structure = self.draft.part("study.yaml"), child(self.protocol, "StudyStructure")
        names = self.draft.names("arm")
        arms = []
        for arm in children(structure, "Arm"):
            oid, name = self.take.required(arm, "OID"), self.take.attribute(arm, "Name") or ""
            identifier = names.new(oid.removeprefix(ARM), words=name)
            text = self._words(arm)
            arms.append({"id": identifier, "name": name or identifier, **({"text": text} if text else {})})
        if arms:
            study["arms"] = arms
        names = self.draft.names("epoch")
        epochs = []
        for epoch in sorted(children(structure, "Epoch"), key=_place):
            oid, name = self.take.required(epoch, "OID"), self.take.attribute(epoch, "Name") or ""
            self.take.attribute(epoch, "SequenceNumber")
            identifier = names.new(oid.removeprefix(EPOCH), words=name)
            name = self._words(epoch, "epochs", identifier) or name
            epochs.append({"id": identifier, "name": name or identifier})
        if epochs:
            study["epochs"] = epochs

    def _named(self) -> None:
        study = self.draft.part("study.yaml")
        conditions = []
        for indication in children(child(self.protocol, "StudyIndications"), "StudyIndication"):
            self.take.attribute(indication, "OID")
            conditions.append(self._words(indication))
        if any(conditions):
            study["conditions"] = [text for text in conditions if text]
        names = self.draft.names("intervention")
        interventions = []
        for given in children(child(self.protocol, "StudyInterventions"), "StudyIntervention"):
            oid = self.take.required(given, "OID")
            identifier = names.new(oid.removeprefix(INTERVENTION))
            text = self._words(given, "interventions", identifier)
            interventions.append({"id": identifier, "name": text or identifier})
        if interventions:
            study["interventions"] = interventions

    # -- criteria, endpoints, estimands

    def _criteria(self) -> None:
        around = child(self.protocol, "InclusionExclusionCriteria")
        found: list[Tree] = []
        names = ("InclusionCriteria", "ExclusionCriteria")
        for category, name in zip(("inclusion", "exclusion"), names, strict=True):
            for number, criterion in enumerate(children(child(around, name), "Criterion"), 1):
                found.append(self._criterion(criterion, category, number))
        if found:
            self.draft.part("eligibility.yaml")["criteria"] = found

    def _criterion(self, criterion: etree._Element, category: str, number: int) -> Tree:
        oid = self.take.required(criterion, "OID")
        name = self.take.attribute(criterion, "Name") or ""
        identifier = oid.removeprefix(CRITERION)
        text = self._words(criterion, "eligibility", "criteria", identifier)
        printed = re.fullmatch("[A-Za-z]([0-9]{1,3})", identifier) if self.take.own else None
        tree: Tree = {
            "id": identifier,
            "number": int(printed[1]) if printed else number,
            "category": category,
            "text": text or name or identifier,
        }
        condition = self.take.attribute(criterion, "ConditionOID") or ""
        node = self.draft.conditions.get(condition)
        if node is not None:
            tree["when"] = to_raw(node)
        elif condition in self.draft.metadata.conditions and not self.take.own:
            self.draft.used.add(condition)
            formal = self.draft.metadata.conditions[condition]
            said = [*formal.text.values(), *(each.code for each in formal.expressions)]
            self.draft.note(f"ConditionDef[{condition}]", formal.line, "; ".join(said) or formal.name)
        return tree

    def _estimands(self) -> None:
        analysis: Tree = {}
        levels = reverse(ENDPOINT_LEVELS)
        endpoints: list[Tree] = []
        names = self.draft.names("endpoint")
        by_oid: dict[str, Tree] = {}
        for endpoint in children(child(self.protocol, "StudyEndPoints"), "StudyEndPoint"):
            oid, name = self.take.required(endpoint, "OID"), self.take.attribute(endpoint, "Name") or ""
            tree: Tree = {"id": names.new(oid.removeprefix(ENDPOINT), words=name), "title": name}
            level = levels.get(endpoint.get("Level", ""))
            if level is not None:
                self.take.attribute(endpoint, "Level")
                tree["role"] = level
            if endpoint.get("Type") == "Simple":
                self.take.attribute(endpoint, "Type")
            words = self._words(endpoint) or ""
            if words.startswith(TIME_FRAME):
                tree["time_frame"] = words.removeprefix(TIME_FRAME)
            elif words:
                self.draft.note(f"StudyEndPoint[{oid}]", int(endpoint.sourceline or 0), words)
            by_oid[oid] = tree
            endpoints.append(tree)
        target = child(self.protocol, "StudyTargetPopulation")
        population = None
        if target is not None:
            self.take.attribute(target, "OID")
            self.take.attribute(target, "Name")
            population = self._words(target)
        found = children(child(self.protocol, "StudyEstimands"), "StudyEstimand")
        names = self.draft.names("estimand")
        estimands = [self._estimand(each, names, population, by_oid) for each in found]
        analysis |= {"estimands": estimands} if estimands else {}
        analysis |= {"endpoints": endpoints} if endpoints else {}
        if analysis:
            self.draft.part("analysis.yaml").update(analysis)

    def _estimand(
        self,
        element: etree._Element,
        names: Identifiers,
        population: str | None,
        endpoints: Mapping[str, Tree],
    ) -> Tree:
        take = self.take
        oid, name = take.required(element, "OID"), take.attribute(element, "Name") or ""
        tree: Tree = {"id": names.new(oid.removeprefix(ESTIMAND), words=name), "title": name}
        take.attribute(element, "Level")
        words = self._words(element)
        tree |= {"variable": words} if words else {}
        target = child(element, "StudyTargetPopulationRef")
        if target is not None:
            take.attribute(target, "StudyTargetPopulationOID")
            tree |= {"population": population} if population else {}
        for reference in children(element, "StudyEndPointRef"):
            endpoint = take.attribute(reference, "StudyEndPointOID") or ""
            if endpoint in endpoints:
                endpoints[endpoint]["estimand"] = tree["id"]
        events = []
        for event in children(element, "IntercurrentEvent"):
            text = self._words(event) or ""
            parted = _INTERCURRENT.fullmatch(text)
            events.append({"event": parted[1], "strategy": parted[2]} if parted else {"event": text})
        tree |= {"intercurrent_events": events} if events else {}
        summary = self._words(child(element, "SummaryMeasure"))
        return tree | ({"summary": summary} if summary else {})

    def _forget_what_is_said_elsewhere(self) -> None:
        """Take out of a file of ours what only repeats its aliases: windows, and the events of each epoch."""
        for around in (self.protocol, self.version):
            for element in children(around, "StudyTimings", "StudyEventGroupRef", "StudyEventGroupDef"):
                around.remove(element)


def add_sites(take: Taker, root: etree._Element, draft: Draft) -> None:
    """Add the locations of a file that are sites."""
    sites: list[dict[str, Any]] = []
    for admin in children(root, "AdminData"):
        for location in children(admin, "Location"):
            kind = "LocationType" if "LocationType" in location.attrib else "Role"
            if location.get(kind) not in (None, "Site") and not take.own:
                continue
            oid, name = take.required(location, "OID"), take.attribute(location, "Name") or ""
            is_site = take.attribute(location, kind) != "Sponsor"
            for reference in children(location, "MetaDataVersionRef"):
                for key in ("StudyOID", "MetaDataVersionOID", "EffectiveDate"):
                    take.attribute(reference, key)
            if not is_site:
                continue
            address = child(location, "Address")
            tree = {"id": oid.removeprefix(LOCATION)} if take.own else {}
            tree |= {"name": name}
            for key in ("City", "Country"):
                text = take.text(child(address, key)).strip()
                tree |= {key.lower(): text} if text else {}
            sites.append(tree)
    if sites:
        draft.part("study.yaml")["sites"] = sites


def _place(element: etree._Element) -> int:
    text = element.get("SequenceNumber", "")
    return int(text) if text.isdecimal() and len(text) < 10 else 0


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
