"""Building the HL7 message: elements with the attributes that the standard fixes, codes and typed values.

Source: ICH E2B(R3) Implementation Guide, appendices on object identifiers and on HL7 data types.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from lxml import etree

from equipoise.definition.expression import PartialDate

NAMESPACE: Final = "urn:hl7-org:v3"
XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
ICH: Final = "2.16.840.1.113883.3.989.2.1"
"""The root of the identifiers that ICH assigns: `.1.n` code lists, `.3.n` name spaces of identifiers."""

OBSERVATIONS: Final = f"{ICH}.1.19"
COUNTRIES: Final = "1.0.3166.1.2.2"
SEXES: Final = "1.0.5218"
MEDDRA: Final = "2.16.840.1.113883.6.163"

_EVENT: Final = {"moodCode": "EVN"}
_FIXED: Final[Mapping[str, Mapping[str, str]]] = {
    "act": {"classCode": "ACT", **_EVENT},
    "actReference": {"classCode": "OBS", **_EVENT},
    "adverseEffectReference": {"classCode": "OBS", **_EVENT},
    "adverseEventAssessment": {"classCode": "INVSTG", **_EVENT},
    "asIdentifiedEntity": {"classCode": "IDENT"},
    "asLocatedEntity": {"classCode": "LOCE"},
    "asQualifiedEntity": {"classCode": "QUAL"},
    "assignedEntity": {"classCode": "ASSIGNED"},
    "assignedPerson": {"classCode": "PSN", "determinerCode": "INSTANCE"},
    "author": {"typeCode": "AUT"},
    "authorization": {"typeCode": "AUTH"},
    "causalityAssessment": {"classCode": "OBS", **_EVENT},
    "component": {"typeCode": "COMP"},
    "component1": {"typeCode": "COMP"},
    "consumable": {"typeCode": "CSM"},
    "controlActEvent": {"classCode": "CACT", **_EVENT},
    "controlActProcess": {"classCode": "CACT", **_EVENT},
    "device": {"classCode": "DEV", "determinerCode": "INSTANCE"},
    "governingPlace": {"classCode": "COUNTRY", "determinerCode": "INSTANCE"},
    "inboundRelationship": {"typeCode": "RSON"},
    "instanceOfKind": {"classCode": "INST"},
    "investigationCharacteristic": {"classCode": "OBS", **_EVENT},
    "investigationEvent": {"classCode": "INVSTG", **_EVENT},
    "kindOfProduct": {"classCode": "MMAT", "determinerCode": "KIND"},
    "locatedEntity": {"classCode": "LOCE"},
    "locatedPlace": {"classCode": "COUNTRY", "determinerCode": "INSTANCE"},
    "observation": {"classCode": "OBS", **_EVENT},
    "observationEvent": {"classCode": "OBS", **_EVENT},
    "organizer": {"classCode": "CATEGORY", **_EVENT},
    "outboundRelationship": {"typeCode": "SPRT"},
    "outboundRelationship2": {"typeCode": "PERT"},
    "performer": {"typeCode": "PRF"},
    "player1": {"classCode": "PSN", "determinerCode": "INSTANCE"},
    "primaryRole": {"classCode": "INVSBJ"},
    "productUseReference": {"classCode": "SBADM", **_EVENT},
    "receiver": {"typeCode": "RCV"},
    "relatedInvestigation": {"classCode": "INVSTG", **_EVENT},
    "representedOrganization": {"classCode": "ORG", "determinerCode": "INSTANCE"},
    "researchStudy": {"classCode": "CLNTRL", **_EVENT},
    "sender": {"typeCode": "SND"},
    "studyRegistration": {"classCode": "ACT", **_EVENT},
    "subject": {"typeCode": "SUBJ"},
    "subject1": {"typeCode": "SUBJ"},
    "subject2": {"typeCode": "SUBJ"},
    "subjectOf1": {"typeCode": "SUBJ"},
    "subjectOf2": {"typeCode": "SUBJ"},
    "substanceAdministration": {"classCode": "SBADM", **_EVENT},
    "territorialAuthority": {"classCode": "TERR"},
}
UNWRITABLE: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Child = etree._Element | str | None


def node(tag: str, *children: Child, **attributes: str) -> etree._Element:
    """Return an element with the attributes fixed for its tag, further ones, and its children; None is none.

    A text among the children is the element's text.
    """
    made = etree.Element(f"{{{NAMESPACE}}}{tag}", nsmap={None: NAMESPACE, "xsi": XSI})
    for name, text in (dict(_FIXED.get(tag, {})) | attributes).items():
        made.set(name, text)
    for child in children:
        if isinstance(child, str):
            made.text = UNWRITABLE.sub(" ", child)
        elif child is not None:
            made.append(child)
    return made


def identified(root: str, extension: str, tag: str = "id") -> etree._Element:
    """Return an instance identifier."""
    return node(tag, extension=UNWRITABLE.sub(" ", extension), root=root)


def coded(code: str, system: str, name: str | None = None) -> etree._Element:
    """Return a code of a list, with what it is called where that helps a reader."""
    named = {} if name is None else {"displayName": name}
    return node("code", None, code=code, codeSystem=system, **named)


def null(tag: str, flavour: str) -> etree._Element:
    """Return an element without content, and why it has none: ASKU, MSK, NI, UNK."""
    return node(tag, nullFlavor=flavour)


def value(kind: str, *children: Child, **attributes: str) -> etree._Element:
    """Return a value of an HL7 data type: BL, CE, ED, PQ, ST."""
    made = node("value", *children, **attributes)
    made.set(f"{{{XSI}}}type", kind)
    return made


def truth_value(holds: bool | None) -> etree._Element:
    """Return a truth value, or that there is no information."""
    return value("BL", nullFlavor="NI") if holds is None else value("BL", value=str(holds).lower())


def observed(code: str, name: str, what: etree._Element, *more: Child) -> etree._Element:
    """Return an observation of one of ICH's kinds."""
    return node("observation", coded(code, OBSERVATIONS, name), what, *more)


def interval(low: PartialDate | None, high: PartialDate | None) -> etree._Element:
    """Return a span of time as far as its ends are known; what is not known was asked for."""
    if low is None and high is None:
        return null("effectiveTime", "ASKU")
    made = node(
        "effectiveTime",
        None if low is None else node("low", value=day_text(low)),
        None if high is None else node("high", value=day_text(high)),
    )
    made.set(f"{{{XSI}}}type", "IVL_TS")
    return made


def day_text(day: PartialDate) -> str:
    """Return a date as far as it is known: CCYY, CCYYMM or CCYYMMDD."""
    return str(day).replace("-", "")


def moment_text(moment: str) -> str:
    """Return an ISO 8601 time with its zone as CCYYMMDDhhmmss in UTC."""
    return f"{datetime.fromisoformat(moment).astimezone(UTC):%Y%m%d%H%M%S}+0000"


def write_bytes(root: etree._Element) -> bytes:
    """Return a document as bytes, the same for the same content."""
    etree.indent(root)
    etree.cleanup_namespaces(root, keep_ns_prefixes=["xsi"])
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8") + b"\n"
