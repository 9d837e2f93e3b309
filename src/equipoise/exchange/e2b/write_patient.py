"""The participant of a report: study (C.5), patient (D), reaction (E) and drugs (G)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from lxml import etree

from equipoise.exchange.e2b.case import Case
from equipoise.exchange.e2b.hl7 import (
    COUNTRIES,
    ICH,
    MEDDRA,
    OBSERVATIONS,
    SEXES,
    coded,
    day_text,
    identified,
    interval,
    node,
    null,
    observed,
    truth_value,
    value,
)
from equipoise.exchange.e2b.products import Drug

_TERM_MAX: Final = 250
_SEX_CODES: Final[Mapping[str, str]] = {"male": "1", "female": "2"}
_CRITERIA: Final = (
    ("death", "34", "resultsInDeath"),
    ("life_threatening", "21", "isLifeThreatening"),
    ("hospitalisation", "33", "requiresInpatientHospitalization"),
    ("disability", "35", "resultsInPersistentOrSignificantDisability"),
    ("congenital_anomaly", "12", "congenitalAnomalyBirthDefect"),
    ("medically_important", "26", "otherMedicallyImportantCondition"),
)
"""E.i.3.2a to f: the criterion, its code, its name."""

_OUTCOMES: Final[Mapping[str | None, str]] = {
    "recovered": "1",
    "recovering": "2",
    "not_recovered": "3",
    "sequelae": "4",
    "fatal": "5",
    None: "0",
}
_ACTIONS: Final[Mapping[str, str]] = {
    "withdrawn": "1",
    "reduced": "2",
    "increased": "3",
    "not_changed": "4",
    "not_applicable": "9",
}
_ALPHA_3: Final[Mapping[str, str]] = {
    "bg": "bul",
    "cs": "cze",
    "da": "dan",
    "de": "ger",
    "el": "gre",
    "en": "eng",
    "es": "spa",
    "et": "est",
    "fi": "fin",
    "fr": "fre",
    "ga": "gle",
    "hr": "hrv",
    "hu": "hun",
    "is": "ice",
    "it": "ita",
    "ja": "jpn",
    "ko": "kor",
    "lt": "lit",
    "lv": "lav",
    "mt": "mlt",
    "nl": "dut",
    "no": "nor",
    "nb": "nob",
    "pl": "pol",
    "pt": "por",
    "ro": "rum",
    "ru": "rus",
    "sk": "slo",
    "sl": "slv",
    "sv": "swe",
    "tr": "tur",
    "zh": "chi",
}
"""ISO 639-1 to the bibliographic codes of ISO 639-2."""


def primary_role(case: Case) -> etree._Element:
    """Return everything about the participant."""
    return node(
        "primaryRole",
        _player(case),
        node("subjectOf1", _study(case), typeCode="SBJ"),
        *(node("subjectOf2", each, typeCode="SBJ") for each in _observations(case)),
    )


def _player(case: Case) -> etree._Element:
    """Return D.1: the name masked, sex, date of death, and the participant's code as investigation number."""
    sex = _SEX_CODES.get(case.demography.sex or "")
    died = case.event.ended if case.event.outcome == "fatal" else None
    return node(
        "player1",
        null("name", "MSK"),
        null("administrativeGenderCode", "UNK")
        if sex is None
        else node("administrativeGenderCode", code=sex, codeSystem=SEXES),
        node("deceasedTime", value=day_text(died)) if died is not None else None,
        node(
            "asIdentifiedEntity",
            identified(f"{ICH}.3.10", case.person.participant[:20]),
            coded("4", f"{ICH}.1.4", "Investigation"),
        ),
    )


def _study(case: Case) -> etree._Element:
    return node(
        "researchStudy",
        identified(f"{ICH}.3.5", case.sponsor_number()[:50]),
        coded("1", f"{ICH}.1.8", "Clinical trials"),
        node("title", (case.study.official_title or case.study.title)[:2000]),
        *(
            node(
                "authorization",
                node(
                    "studyRegistration",
                    identified(f"{ICH}.3.6", number[:50]),
                    node(
                        "author",
                        node(
                            "territorialAuthority",
                            node(
                                "governingPlace",
                                null("code", "ASKU") if country is None else coded(country, COUNTRIES),
                            ),
                        ),
                    ),
                ),
            )
            for number, country in case.registrations()
        ),
    )


def _observations(case: Case) -> Iterator[etree._Element]:
    if case.age is not None:
        yield observed("3", "age", value("PQ", value=str(case.age), unit="a"))
    history = observed("18", "historyAndConcurrentConditionText", value("ED", nullFlavor="UNK"))
    yield _group("1", "relevantMedicalHistoryAndConcurrentConditions", [history])
    if case.event.outcome == "fatal":
        cause = value("CE", node("originalText", case.event.term[:_TERM_MAX]), codeSystem=MEDDRA)
        yield observed("32", "reportedCauseOfDeath", cause)
        yield observed("5", "autopsy", value("BL", nullFlavor="UNK"))
    yield _reaction(case)
    drugs = [_drug(case, place, drug) for place, drug in enumerate(case.drugs, start=1)]
    if drugs:
        yield _group("4", "drugInformation", drugs)


def _group(code: str, name: str, parts: list[etree._Element]) -> etree._Element:
    return node("organizer", coded(code, f"{ICH}.1.20", name), *(node("component", each) for each in parts))


def _reaction(case: Case) -> etree._Element:
    """Return E.i: the term as reported, with its MedDRA code where the trial recorded one."""
    event = case.event
    term = node("originalText", event.term[:_TERM_MAX])
    language = _ALPHA_3.get(case.study.language.partition("-")[0])
    if language is not None:
        term.set("language", language)
    code, version = event.meddra
    coding = {"code": code, "codeSystemVersion": version}
    return node(
        "observation",
        node("id", root=case.derived_id("reaction-1")),
        coded("29", OBSERVATIONS, "reaction"),
        interval(event.started, event.ended),
        value("CE", term, codeSystem=MEDDRA, **{name: text for name, text in coding.items() if text}),
        node(
            "location",
            node("locatedEntity", node("locatedPlace", coded(case.person.country, COUNTRIES))),
            typeCode="LOC",
        ),
        *(
            node("outboundRelationship2", observed(code, name, truth_value((key in event.criteria) or None)))
            for key, code, name in _CRITERIA
        ),
        node(
            "outboundRelationship2",
            observed("27", "outcome", value("CE", code=_OUTCOMES[event.outcome], codeSystem=f"{ICH}.1.11")),
        ),
    )


def _drug(case: Case, place: int, drug: Drug) -> etree._Element:
    """Return G.k of one drug; of one that was not given, its name alone."""
    action = _ACTIONS.get(case.event.action or "", "0")
    return node(
        "substanceAdministration",
        node("id", root=case.derived_id(f"drug-{place}")),
        node(
            "consumable",
            node("instanceOfKind", node("kindOfProduct", node("name", drug.name[:_TERM_MAX]))),
        ),
        node("outboundRelationship2", observed("6", "blinded", truth_value(True))) if drug.blinded else None,
        _dosage(drug),
        _indication(drug),
        node(
            "inboundRelationship",
            node("act", coded(action, f"{ICH}.1.15")),
            typeCode="CAUS",
        )
        if drug.role == "suspect"
        else None,
    )


def _dosage(drug: Drug) -> etree._Element | None:
    if drug.role == "not_administered":
        return None
    return node(
        "outboundRelationship2",
        node(
            "substanceAdministration",
            node("text", drug.dose[:2000]) if drug.dose else None,
            interval(drug.started, drug.stopped),
        ),
        typeCode="COMP",
    )


def _indication(drug: Drug) -> etree._Element | None:
    if drug.indication is None:
        return None
    return node(
        "inboundRelationship",
        node(
            "observation",
            coded("19", OBSERVATIONS, "indication"),
            value("CE", node("originalText", drug.indication[:_TERM_MAX]), codeSystem=MEDDRA),
            node("performer", node("assignedEntity", coded("3", f"{ICH}.1.21", "sourceReporter"))),
        ),
    )
