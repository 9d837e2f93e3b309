"""The data elements that are written, each with where it stands in the message and whether it is asked for.

Numbers and titles are those of the ICH E2B(R3) Implementation Guide, which explains each under its number;
places are those of its mapping to the HL7 message.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from equipoise.exchange.e2b.hl7 import COUNTRIES, ICH, MEDDRA, OBSERVATIONS, SEXES


@dataclass(frozen=True, slots=True)
class Element:
    """A data element: its number, its title, the path to its value, and whether every report has it."""

    number: str
    title: str
    path: str
    required: bool = False


_MESSAGE: Final = "h:PORR_IN049016UV/"
_EVENT: Final = f"{_MESSAGE}h:controlActProcess/h:subject/h:investigationEvent/"
_ASSESSED: Final = f"{_EVENT}h:component/h:adverseEventAssessment/"
_ROLE: Final = f"{_ASSESSED}h:subject1/h:primaryRole/"
_STUDY: Final = f"{_ROLE}h:subjectOf1/h:researchStudy/"
_SENDER: Final = (
    f"{_EVENT}h:subjectOf1/h:controlActEvent/h:author/h:assignedEntity[h:code/@codeSystem='{ICH}.1.7']/"
)
_SENDER_IS: Final = f"{_SENDER}h:assignedPerson/"
_SENDER_ORGANISATION: Final = f"{_SENDER}h:representedOrganization/"


def _coded(tag: str, code: str, system: str) -> str:
    return f"{tag}[h:code[@code='{code}'][@codeSystem='{system}']]/"


def _id(name_space: int) -> str:
    return f"h:id[@root='{ICH}.3.{name_space}']/@extension"


def _observed(code: str) -> str:
    return _coded("h:observation", code, OBSERVATIONS)


def _source(code: str) -> str:
    related = _coded("h:relatedInvestigation", code, f"{ICH}.1.22")
    return (
        f"{_EVENT}h:outboundRelationship/{related}h:subjectOf2/h:controlActEvent/h:author/h:assignedEntity/"
    )


_REPORTER: Final = _source("2")
_REACTION: Final = f"{_ROLE}h:subjectOf2/{_observed('29')}"
_FLAG: Final = "h:outboundRelationship2/"
_DRUG: Final = (
    f"{_ROLE}h:subjectOf2/{_coded('h:organizer', '4', f'{ICH}.1.20')}h:component/h:substanceAdministration/"
)
_DOSAGE: Final = f"{_DRUG}h:outboundRelationship2[@typeCode='COMP']/h:substanceAdministration/"
_CAUSALITY: Final = f"{_ASSESSED}h:component/{_coded('h:causalityAssessment', '39', OBSERVATIONS)}"
_COMMENT: Final = f"{_ASSESSED}h:component1/{_coded('h:observationEvent', '10', OBSERVATIONS)}"


def _flag(number: str, title: str, code: str) -> Element:
    return Element(number, title, f"{_REACTION}{_FLAG}{_observed(code)}h:value/@value", True)


ELEMENTS: Final = (
    Element("N.1.1", "Types of message in batch", f"h:name[@codeSystem='{ICH}.1.1']/@code", True),
    Element("N.1.2", "Batch number", _id(22), True),
    Element("N.1.3", "Batch sender identifier", f"h:sender/h:device/{_id(13)}", True),
    Element("N.1.4", "Batch receiver identifier", f"h:receiver/h:device/{_id(14)}", True),
    Element("N.1.5", "Date of batch transmission", "h:creationTime/@value", True),
    Element("N.2.r.1", "Message identifier", f"{_MESSAGE}{_id(1)}", True),
    Element("N.2.r.2", "Message sender identifier", f"{_MESSAGE}h:sender/h:device/{_id(11)}", True),
    Element("N.2.r.3", "Message receiver identifier", f"{_MESSAGE}h:receiver/h:device/{_id(12)}", True),
    Element("N.2.r.4", "Date of message creation", f"{_MESSAGE}h:creationTime/@value", True),
    Element("C.1.1", "Sender's safety report unique identifier", f"{_EVENT}{_id(1)}", True),
    Element("C.1.2", "Date of creation", f"{_MESSAGE}h:controlActProcess/h:effectiveTime/@value", True),
    Element(
        "C.1.3",
        "Type of report",
        f"{_EVENT}h:subjectOf2/h:investigationCharacteristic/h:value[@codeSystem='{ICH}.1.2']/@code",
        True,
    ),
    Element("C.1.4", "Date first received from source", f"{_EVENT}h:effectiveTime/h:low/@value", True),
    Element("C.1.5", "Date of most recent information", f"{_EVENT}h:availabilityTime/@value", True),
    Element(
        "C.1.6.1",
        "Are additional documents available?",
        f"{_EVENT}h:component/{_coded('h:observationEvent', '1', OBSERVATIONS)}h:value/@value",
        True,
    ),
    Element(
        "C.1.7",
        "Does this case fulfil the local criteria for an expedited report?",
        f"{_EVENT}h:component/{_coded('h:observationEvent', '23', OBSERVATIONS)}h:value/@value",
        True,
    ),
    Element("C.1.8.1", "Worldwide unique case identification number", f"{_EVENT}{_id(2)}", True),
    Element(
        "C.1.8.2",
        "First sender of this case",
        f"{_source('1')}h:code[@codeSystem='{ICH}.1.3']/@code",
        True,
    ),
    Element(
        "C.1.9.1",
        "Other case identifiers in previous transmissions",
        f"{_EVENT}h:subjectOf2/{_coded('h:investigationCharacteristic', '2', f'{ICH}.1.23')}h:value/@value",
        True,
    ),
    Element("C.2.r.1.2", "Reporter's given name", f"{_REPORTER}h:assignedPerson/h:name/h:given"),
    Element("C.2.r.1.4", "Reporter's family name", f"{_REPORTER}h:assignedPerson/h:name/h:family"),
    Element("C.2.r.2.1", "Reporter's organisation", f"{_REPORTER}h:representedOrganization/h:name"),
    Element("C.2.r.2.4", "Reporter's city", f"{_REPORTER}h:addr/h:city"),
    Element(
        "C.2.r.3",
        "Reporter's country code",
        f"{_REPORTER}h:assignedPerson/h:asLocatedEntity/h:location/h:code[@codeSystem='{COUNTRIES}']/@code",
        True,
    ),
    Element(
        "C.2.r.4", "Qualification", f"{_REPORTER}h:assignedPerson/h:asQualifiedEntity/h:code/@code", True
    ),
    Element(
        "C.2.r.5",
        "Primary source for regulatory purposes",
        f"{_EVENT}h:outboundRelationship/h:priorityNumber/@value",
        True,
    ),
    Element("C.3.1", "Sender type", f"{_SENDER}h:code/@code", True),
    Element(
        "C.3.2",
        "Sender's organisation",
        f"{_SENDER_ORGANISATION}h:assignedEntity/h:representedOrganization/h:name",
        True,
    ),
    Element("C.3.3.1", "Sender's department", f"{_SENDER_ORGANISATION}h:name"),
    Element("C.3.3.2", "Sender's title", f"{_SENDER_IS}h:name/h:prefix"),
    Element("C.3.3.3", "Sender's given name", f"{_SENDER_IS}h:name/h:given"),
    Element("C.3.3.5", "Sender's family name", f"{_SENDER_IS}h:name/h:family"),
    Element("C.3.4.1", "Sender's street address", f"{_SENDER}h:addr/h:streetAddressLine"),
    Element("C.3.4.2", "Sender's city", f"{_SENDER}h:addr/h:city"),
    Element("C.3.4.3", "Sender's state or province", f"{_SENDER}h:addr/h:state"),
    Element("C.3.4.4", "Sender's postcode", f"{_SENDER}h:addr/h:postalCode"),
    Element("C.3.4.5", "Sender's country code", f"{_SENDER_IS}h:asLocatedEntity/h:location/h:code/@code"),
    Element("C.3.4.6", "Sender's telephone", f"{_SENDER}h:telecom[starts-with(@value,'tel:')]/@value"),
    Element("C.3.4.7", "Sender's fax", f"{_SENDER}h:telecom[starts-with(@value,'fax:')]/@value"),
    Element(
        "C.3.4.8", "Sender's e-mail address", f"{_SENDER}h:telecom[starts-with(@value,'mailto:')]/@value"
    ),
    Element(
        "C.5.1.r.1", "Study registration number", f"{_STUDY}h:authorization/h:studyRegistration/{_id(6)}"
    ),
    Element(
        "C.5.1.r.2",
        "Study registration country",
        f"{_STUDY}h:authorization/h:studyRegistration/h:author/h:territorialAuthority/h:governingPlace/h:code/@code",
    ),
    Element("C.5.2", "Study name", f"{_STUDY}h:title"),
    Element("C.5.3", "Sponsor study number", f"{_STUDY}{_id(5)}"),
    Element("C.5.4", "Study type where reaction was observed", f"{_STUDY}h:code/@code", True),
    Element("D.1", "Patient (name or initials)", f"{_ROLE}h:player1/h:name", True),
    Element(
        "D.1.1.4", "Medical record number: investigation", f"{_ROLE}h:player1/h:asIdentifiedEntity/{_id(10)}"
    ),
    Element("D.2.2a", "Age at onset (number)", f"{_ROLE}h:subjectOf2/{_observed('3')}h:value/@value"),
    Element("D.2.2b", "Age at onset (unit)", f"{_ROLE}h:subjectOf2/{_observed('3')}h:value/@unit"),
    Element(
        "D.5",
        "Sex",
        f"{_ROLE}h:player1/h:administrativeGenderCode[@codeSystem='{SEXES}' or @nullFlavor]/@code",
    ),
    Element(
        "D.7.2",
        "Text for relevant medical history",
        f"{_ROLE}h:subjectOf2/h:organizer/h:component/{_observed('18')}h:value",
    ),
    Element("D.9.1", "Date of death", f"{_ROLE}h:player1/h:deceasedTime/@value"),
    Element(
        "D.9.2.r.2",
        "Reported cause of death (free text)",
        f"{_ROLE}h:subjectOf2/{_observed('32')}h:value/h:originalText",
    ),
    Element("D.9.3", "Was autopsy done?", f"{_ROLE}h:subjectOf2/{_observed('5')}h:value/@value"),
    Element("E.i.1.1a", "Reaction as reported, native language", f"{_REACTION}h:value/h:originalText"),
    Element("E.i.1.1b", "Language of the term as reported", f"{_REACTION}h:value/h:originalText/@language"),
    Element(
        "E.i.2.1a",
        "MedDRA version for reaction",
        f"{_REACTION}h:value[@codeSystem='{MEDDRA}']/@codeSystemVersion",
        True,
    ),
    Element("E.i.2.1b", "Reaction (MedDRA code)", f"{_REACTION}h:value[@codeSystem='{MEDDRA}']/@code", True),
    _flag("E.i.3.2a", "Results in death", "34"),
    _flag("E.i.3.2b", "Life threatening", "21"),
    _flag("E.i.3.2c", "Caused or prolonged hospitalisation", "33"),
    _flag("E.i.3.2d", "Disabling or incapacitating", "35"),
    _flag("E.i.3.2e", "Congenital anomaly or birth defect", "12"),
    _flag("E.i.3.2f", "Other medically important condition", "26"),
    Element(
        "E.i.4", "Date of start of reaction", f"{_REACTION}h:effectiveTime/descendant-or-self::*/h:low/@value"
    ),
    Element(
        "E.i.5", "Date of end of reaction", f"{_REACTION}h:effectiveTime/descendant-or-self::*/h:high/@value"
    ),
    Element("E.i.7", "Outcome of reaction", f"{_REACTION}{_FLAG}{_observed('27')}h:value/@code", True),
    Element(
        "E.i.9",
        "Country where the reaction occurred",
        f"{_REACTION}h:location/h:locatedEntity/h:locatedPlace/h:code/@code",
    ),
    Element(
        "G.k.1",
        "Characterisation of drug role",
        f"{_ASSESSED}h:component/{_coded('h:causalityAssessment', '20', OBSERVATIONS)}h:value/@code",
        True,
    ),
    Element(
        "G.k.2.2",
        "Medicinal product name as reported",
        f"{_DRUG}h:consumable/h:instanceOfKind/h:kindOfProduct/h:name",
        True,
    ),
    Element("G.k.2.5", "Investigational product blinded", f"{_DRUG}{_FLAG}{_observed('6')}h:value/@value"),
    Element("G.k.4.r.4", "Start of drug", f"{_DOSAGE}h:effectiveTime/descendant-or-self::*/h:low/@value"),
    Element(
        "G.k.4.r.5", "Last administration", f"{_DOSAGE}h:effectiveTime/descendant-or-self::*/h:high/@value"
    ),
    Element("G.k.4.r.8", "Dosage text", f"{_DOSAGE}h:text"),
    Element(
        "G.k.7.r.1",
        "Indication as reported",
        f"{_DRUG}h:inboundRelationship/{_observed('19')}h:value/h:originalText",
    ),
    Element(
        "G.k.8",
        "Action taken with drug",
        f"{_DRUG}h:inboundRelationship/h:act/h:code[@codeSystem='{ICH}.1.15']/@code",
    ),
    Element(
        "G.k.9.i.2.r.1",
        "Source of assessment",
        f"{_CAUSALITY}h:author/h:assignedEntity/h:code/h:originalText",
    ),
    Element("G.k.9.i.2.r.2", "Method of assessment", f"{_CAUSALITY}h:methodCode/h:originalText"),
    Element("G.k.9.i.2.r.3", "Result of assessment", f"{_CAUSALITY}h:value"),
    Element("H.1", "Case narrative", f"{_EVENT}h:text", True),
    Element(
        "H.2",
        "Reporter's comments",
        f"{_COMMENT}h:value[../h:author/h:assignedEntity/h:code[@code='3'][@codeSystem='{ICH}.1.21']]",
    ),
    Element(
        "H.4",
        "Sender's comments",
        f"{_COMMENT}h:value[../h:author/h:assignedEntity/h:code[@code='1'][@codeSystem='{ICH}.1.21']]",
    ),
)
