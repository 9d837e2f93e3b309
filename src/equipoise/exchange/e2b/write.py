"""Writes a case as an ICSR in a batch of its own.

Source: ICH E2B(R3) Implementation Guide; the order of elements is that of the HL7 ICSR message
PORR_IN049016UV in the batch MCCI_IN200100UV01.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from lxml import etree

from equipoise.analysis.cut import DataCut
from equipoise.exchange.e2b.case import Case, derive_case
from equipoise.exchange.e2b.hl7 import (
    COUNTRIES,
    ICH,
    OBSERVATIONS,
    Child,
    coded,
    day_text,
    identified,
    moment_text,
    node,
    null,
    truth_value,
    value,
    write_bytes,
)
from equipoise.exchange.e2b.narrative import write_narrative
from equipoise.exchange.e2b.parties import (
    QUALIFICATIONS,
    SENDER_TYPES,
    UNKNOWN_REPORTER,
    Receiver,
    Reporter,
    Sender,
)
from equipoise.exchange.e2b.write_patient import primary_role
from equipoise.safety.state import EventRow

_HL7_INTERACTIONS: Final = "2.16.840.1.113883.1.6"
_NARRATIVE_MAX: Final = 100_000
_COMMENT_MAX: Final = 20_000
_ROLES: Final[Mapping[str, tuple[str, str]]] = {
    "suspect": ("1", "Suspect"),
    "concomitant": ("2", "Concomitant"),
    "not_administered": ("4", "Drug Not Administered"),
}


def write_icsr(
    cut: DataCut,
    participant: str,
    row: int,
    *,
    sender: Sender,
    receiver: Receiver,
    unblinded: bool = False,
    reporter: Reporter = UNKNOWN_REPORTER,
    assessment: EventRow | None = None,
    sender_comment: str | None = None,
) -> bytes:
    """Return the report of a serious adverse event: the row of the log of a participant.

    The blinded version names every product that it may have been; it is the same from a masked and from an
    unmasked cut. `assessment` is the sponsor's own judgement, as a view lists it. Raises NotWritten:
    E2B-MASKED for an unblinded report from a masked cut, E2B-SAFETY, E2B-EVENT, E2B-NOT-SERIOUS, E2B-NUMBER.
    """
    case = derive_case(cut, participant, row, sender=sender, unblinded=unblinded, assessment=assessment)
    batch = node(
        "MCCI_IN200100UV01",
        identified(f"{ICH}.3.22", case.batch),
        node("creationTime", value=moment_text(case.created)),
        node("responseModeCode", code="D"),
        identified(_HL7_INTERACTIONS, "MCCI_IN200100UV01", "interactionId"),
        node("name", code="1", codeSystem=f"{ICH}.1.1", displayName="ichicsr"),
        _message(case, sender, receiver, reporter, sender_comment),
        _party("receiver", f"{ICH}.3.14", receiver.batch_identifier or receiver.identifier),
        _party("sender", f"{ICH}.3.13", sender.identifier),
        ITSVersion="XML_1.0",
    )
    return write_bytes(batch)


def _party(tag: str, root: str, identifier: str) -> etree._Element:
    return node(tag, node("device", identified(root, identifier[:60])))


def _message(
    case: Case, sender: Sender, receiver: Receiver, reporter: Reporter, sender_comment: str | None
) -> etree._Element:
    moment = moment_text(case.created)
    return node(
        "PORR_IN049016UV",
        identified(f"{ICH}.3.1", case.number),
        node("creationTime", value=moment),
        identified(_HL7_INTERACTIONS, "PORR_IN049016UV", "interactionId"),
        node("processingCode", code="P"),
        node("processingModeCode", code="T"),
        node("acceptAckCode", code="AL"),
        _party("receiver", f"{ICH}.3.12", receiver.identifier),
        _party("sender", f"{ICH}.3.11", sender.identifier),
        node(
            "controlActProcess",
            coded("PORR_TE049016UV", "2.16.840.1.113883.1.18"),
            node("effectiveTime", value=moment),
            node("subject", _investigation(case, sender, reporter, sender_comment)),
        ),
    )


def _investigation(
    case: Case, sender: Sender, reporter: Reporter, sender_comment: str | None
) -> etree._Element:
    """Return C.1, and around it everything else of the report."""
    return node(
        "investigationEvent",
        identified(f"{ICH}.3.1", case.number),
        identified(f"{ICH}.3.2", case.number),
        coded("PAT_ADV_EVNT", "2.16.840.1.113883.5.4"),
        node("text", write_narrative(case)[:_NARRATIVE_MAX]),
        node("statusCode", code="active"),
        node("effectiveTime", node("low", value=day_text(case.first_known))),
        node("availabilityTime", value=day_text(case.last_known)),
        node(
            "component",
            node(
                "adverseEventAssessment",
                node("subject1", primary_role(case), typeCode="SBJ"),
                *(node("component", each) for each in _judgements(case)),
                _comment("3", "sourceReporter", case.event.comment),
                _comment("1", "sender", sender_comment),
            ),
        ),
        _stated("1", "additionalDocumentsAvailable", False),
        _stated("23", "localCriteriaForExpedited", case.expedited),
        _related("1", "initialReport", _first_sender()),
        _related("2", "sourceReport", _reporter(case, reporter), node("priorityNumber", value="1")),
        node("subjectOf1", node("controlActEvent", node("author", _sender(sender)))),
        _characteristic("1", "ichReportType", value("CE", code="2", codeSystem=f"{ICH}.1.2")),
        _characteristic("2", "otherCaseIds", truth_value(None)),
    )


def _stated(code: str, name: str, holds: bool) -> etree._Element:
    return node("component", node("observationEvent", coded(code, OBSERVATIONS, name), truth_value(holds)))


def _characteristic(code: str, name: str, what: etree._Element) -> etree._Element:
    return node("subjectOf2", node("investigationCharacteristic", coded(code, f"{ICH}.1.23", name), what))


def _related(code: str, name: str, author: etree._Element, priority: Child = None) -> etree._Element:
    return node(
        "outboundRelationship",
        priority,
        node(
            "relatedInvestigation",
            coded(code, f"{ICH}.1.22", name),
            node("subjectOf2", node("controlActEvent", node("author", author))),
        ),
    )


def _first_sender() -> etree._Element:
    return node("assignedEntity", coded("2", f"{ICH}.1.3", "Other"))


def _located(country: str) -> etree._Element:
    return node(
        "asLocatedEntity",
        node("location", coded(country, COUNTRIES), classCode="COUNTRY", determinerCode="INSTANCE"),
    )


def _reporter(case: Case, reporter: Reporter) -> etree._Element:
    """Return the primary source: the site, whose investigator's name stays masked."""
    code = QUALIFICATIONS.get(reporter.qualification or "")
    return node(
        "assignedEntity",
        node("addr", node("city", case.site.city[:35])) if case.site.city else None,
        node(
            "assignedPerson",
            node("name", null("given", "MSK"), null("family", "MSK")),
            node(
                "asQualifiedEntity",
                null("code", "UNK") if code is None else coded(code, f"{ICH}.1.6"),
            ),
            _located(case.person.country),
        ),
        node("representedOrganization", node("name", case.site.name[:60])),
    )


def _sender(sender: Sender) -> etree._Element:
    address = [
        node(tag, text[:most])
        for tag, text, most in (
            ("streetAddressLine", sender.street, 100),
            ("city", sender.city, 35),
            ("state", sender.state, 40),
            ("postalCode", sender.postcode, 15),
        )
        if text
    ]
    names = [
        node(tag, text[:most])
        for tag, text, most in (
            ("prefix", sender.title, 50),
            ("given", sender.given_name, 60),
            ("family", sender.family_name, 60),
        )
        if text
    ]
    telecoms = (("tel", sender.telephone, 33), ("fax", sender.fax, 33), ("mailto", sender.email, 100))
    organisation = node("representedOrganization", node("name", sender.organisation[:100]))
    return node(
        "assignedEntity",
        coded(SENDER_TYPES[sender.type], f"{ICH}.1.7"),
        node("addr", *address) if address else None,
        *(node("telecom", value=f"{kind}:{text[:most]}") for kind, text, most in telecoms if text),
        node(
            "assignedPerson",
            node("name", *names) if names else None,
            _located(sender.country) if sender.country else None,
        )
        if names or sender.country
        else None,
        node(
            "representedOrganization",
            node("name", sender.department[:60]) if sender.department else None,
            node("assignedEntity", organisation),
        ),
    )


def _judgements(case: Case) -> Iterator[etree._Element]:
    """Yield the role of each drug (G.k.1), then who judged the relation of which, and how (G.k.9)."""
    for place, drug in enumerate(case.drugs, start=1):
        code, name = _ROLES[drug.role]
        yield node(
            "causalityAssessment",
            coded("20", OBSERVATIONS, "interventionCharacterization"),
            value("CE", code=code, codeSystem=f"{ICH}.1.13", displayName=name),
            _drug_reference(case, place),
        )
    for place, drug in enumerate(case.drugs, start=1):
        if drug.role == "suspect":
            yield from (_causality(case, place, *judged) for judged in _opinions(case))


def _opinions(case: Case) -> Iterator[tuple[str, str]]:
    if case.event.causality_label is not None:
        yield "Investigator", case.event.causality_label
    if case.assessment is not None and case.assessment.sponsor_related is not None:
        yield "Sponsor", "Related" if case.assessment.sponsor_related else "Not related"


def _causality(case: Case, place: int, source: str, result: str) -> etree._Element:
    return node(
        "causalityAssessment",
        coded("39", OBSERVATIONS, "causality"),
        value("ST", result[:60]),
        node("methodCode", node("originalText", "Clinical judgement")),
        node("author", node("assignedEntity", node("code", node("originalText", source)))),
        node("subject1", node("adverseEffectReference", node("id", root=case.derived_id("reaction-1")))),
        _drug_reference(case, place),
    )


def _drug_reference(case: Case, place: int) -> etree._Element:
    return node("subject2", node("productUseReference", node("id", root=case.derived_id(f"drug-{place}"))))


def _comment(code: str, name: str, text: str | None) -> etree._Element | None:
    if not text:
        return None
    return node(
        "component1",
        node(
            "observationEvent",
            coded("10", OBSERVATIONS, "comment"),
            value("ED", text[:_COMMENT_MAX]),
            node("author", node("assignedEntity", coded(code, f"{ICH}.1.21", name))),
        ),
    )
