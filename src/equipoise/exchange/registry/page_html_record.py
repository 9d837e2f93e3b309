"""The protocol section of a record as the chapters of a page, in the registry's order.

Source: the layout of ClinicalTrials.gov's study pages, as `page_layout.LAYOUT` reads them; "Study Data
Structure" (API v2).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from equipoise.exchange.registry.page_html_blocks import (
    EMPTY,
    Block,
    Chapter,
    Cursor,
    Part,
    Row,
    bullets,
    facts,
    prose,
    table,
    words_of,
)

_P: Final = "protocolSection"


def protocol_chapters(record: Cursor) -> Iterator[Chapter]:
    """Yield the chapters of the protocol section; a part with nothing in it is left out."""
    for title, parts in (
        ("Study Overview", _overview),
        ("Contacts and Locations", _contacts),
        ("Participation Criteria", _participation),
        ("Study Plan", _plan),
        ("Collaborators and Investigators", _people),
        ("Publications and helpful links", _publications),
        ("Study record dates", _dates),
        ("More Information", _more),
    ):
        yield Chapter(title, tuple(part for part in parts(record) if part.blocks))


def _part(title: str, blocks: tuple[Block, ...], *places: str) -> Part:
    return Part(title, blocks, tuple(f"{_P}.{place}" for place in places))


def _joined(*texts: str, by: str = ", ") -> str:
    return by.join(text for text in texts if text)


def _overview(record: Cursor) -> Iterator[Part]:
    protocol = record.at(_P)
    names, status = protocol.at("identificationModule"), protocol.at("statusModule")
    said, design = protocol.at("descriptionModule"), protocol.at("designModule")
    last = status.word("lastKnownStatus")
    standing = status.word("overallStatus") + (f" (last known status: {last})" if last else "")
    yield _part("Status", prose(standing), "statusModule.overallStatus", "statusModule.lastKnownStatus")
    yield _part("Why Stopped", prose(status.text("whyStopped")), "statusModule.whyStopped")
    yield _part("Brief Summary", prose(said.text("briefSummary")), "descriptionModule.briefSummary")
    long = prose(said.text("detailedDescription"))
    yield _part("Detailed Description", long, "descriptionModule.detailedDescription")
    yield _part("Official Title", prose(names.text("officialTitle")), "identificationModule.officialTitle")
    yield _part("Acronym", prose(names.text("acronym")), "identificationModule.acronym")
    conditions = bullets(protocol.texts("conditionsModule", "conditions"))
    yield _part("Conditions", conditions, "conditionsModule.conditions")
    yield _part(
        "Intervention / Treatment", bullets(tuple(_named(protocol))), "armsInterventionsModule.interventions"
    )
    yield _part("ClinicalTrials.gov ID", prose(_joined(names.text("nctId"), *names.texts("nctIdAliases"))))
    yield _part("Other Study ID Numbers", bullets(tuple(_numbers(names))))
    for title, key in (
        ("Study Start", "startDateStruct"),
        ("Primary Completion", "primaryCompletionDateStruct"),
        ("Study Completion", "completionDateStruct"),
    ):
        kind, date = status.word(key, "type"), status.text(key, "date")
        yield _part(f"{title} ({kind})" if kind else title, prose(date), f"statusModule.{key}")
    kind = design.word("enrollmentInfo", "type")
    count = prose(design.text("enrollmentInfo", "count"))
    yield _part(f"Enrollment ({kind})" if kind else "Enrollment", count, "designModule.enrollmentInfo")
    yield _part("Study Type", prose(design.word("studyType")), "designModule.studyType")
    phases = bullets(tuple(map(words_of, design.texts("phases"))))
    yield _part("Phase", phases, "designModule.phases")
    yield _part("Expanded Access", tuple(_expanded(status, design)))


def _named(protocol: Cursor) -> Iterator[str]:
    for each in protocol.items("armsInterventionsModule", "interventions"):
        yield _joined(each.word("type"), each.text("name"), by=": ")


def _numbers(names: Cursor) -> Iterator[str]:
    own = names.at("orgStudyIdInfo")
    for each in (own, *names.items("secondaryIdInfos")):
        kind = _joined(each.word("type"), each.text("domain"), each.text("link"))
        if number := each.text("id"):
            yield number + (f" ({kind})" if kind else "")


def _expanded(status: Cursor, design: Cursor) -> Iterator[Block]:
    info, types = status.at("expandedAccessInfo"), design.at("expandedAccessTypes")
    yield from facts(
        ("Available", info.text("hasExpandedAccess")),
        ("Record", info.text("nctId")),
        ("Status", info.word("statusForNctId")),
        ("For single patients", types.text("individual")),
        ("For intermediate-size populations", types.text("intermediate")),
        ("Under a treatment protocol", types.text("treatment")),
    )


def _contact(each: Cursor) -> str:
    extension = each.text("phoneExt")
    phone = each.text("phone") + (f", extension {extension}" if extension else "")
    return _joined(each.text("name"), each.word("role"), phone, each.text("email"))


def _contacts(record: Cursor) -> Iterator[Part]:
    module = record.at(_P, "contactsLocationsModule")
    people = tuple(map(_contact, module.items("centralContacts")))
    yield _part("Study Contact", bullets(people), "contactsLocationsModule.centralContacts")
    rows = tuple(
        Row(
            each.text("country") or EMPTY,
            (
                _joined(each.text("city"), each.text("state"), each.text("zip")) or EMPTY,
                each.text("facility") or EMPTY,
                _joined(each.word("status"), *map(_contact, each.items("contacts")), by="; ") or EMPTY,
                _joined(each.text("geoPoint", "lat"), each.text("geoPoint", "lon")) or EMPTY,
            ),
        )
        for each in module.items("locations")
    )
    head = ("Country", "City", "Facility", "Status and contacts", "Latitude, longitude")
    found = table(head, rows)
    yield _part("Study Locations", found, "contactsLocationsModule.locations", "contactsLocationsModule")


def _participation(record: Cursor) -> Iterator[Part]:
    rules = record.at(_P, "eligibilityModule")
    low, high = rules.text("minimumAge"), rules.text("maximumAge")
    ages = _joined(low or "Any age", high or "no upper limit", by=" to ") if low or high else ""
    groups = ", ".join(map(words_of, rules.texts("stdAges")))
    yield _part(
        "Ages Eligible for Study",
        prose(ages + (f" ({groups})" if groups else "")),
        "eligibilityModule.minimumAge",
        "eligibilityModule.maximumAge",
        "eligibilityModule.stdAges",
    )
    for title, key, text in (
        ("Sexes Eligible for Study", "sex", rules.word("sex")),
        ("Gender Based", "genderBased", rules.text("genderBased")),
        ("Gender Description", "genderDescription", rules.text("genderDescription")),
        ("Accepts Healthy Volunteers", "healthyVolunteers", rules.text("healthyVolunteers")),
        ("Sampling Method", "samplingMethod", rules.word("samplingMethod")),
        ("Study Population", "studyPopulation", rules.text("studyPopulation")),
        ("Description", "eligibilityCriteria", rules.text("eligibilityCriteria")),
    ):
        yield _part(title, prose(text), f"eligibilityModule.{key}")


def _plan(record: Cursor) -> Iterator[Part]:
    protocol = record.at(_P)
    design = protocol.at("designModule")
    info, specimens = design.at("designInfo"), design.at("bioSpec")
    masked = ", ".join(map(words_of, info.texts("maskingInfo", "whoMasked")))
    level = info.word("maskingInfo", "masking")
    details = facts(
        ("Primary Purpose", info.word("primaryPurpose")),
        ("Allocation", info.word("allocation")),
        ("Interventional Model", info.word("interventionModel")),
        ("Interventional Model Description", info.text("interventionModelDescription")),
        ("Masking", f"{level} ({masked})" if masked else "None (Open Label)" if level == "None" else level),
        ("Masking Description", info.text("maskingInfo", "maskingDescription")),
        ("Observational Model", info.word("observationalModel")),
        ("Time Perspective", info.word("timePerspective")),
        ("Patient Registry", design.text("patientRegistry")),
        ("Target Follow-up Duration", design.text("targetDuration")),
        ("Biospecimen Retention", specimens.word("retention")),
        ("Biospecimen Description", specimens.text("description")),
        ("Expanded access record that patients moved to", design.text("nPtrsToThisExpAccNctId")),
    )
    yield _part("Design Details", details, "designModule.designInfo", "designModule.bioSpec")
    arms = table(
        ("Participant Group / Arm", "Description", "Intervention / Treatment"), tuple(_arms(protocol))
    )
    given = table(
        ("Intervention / Treatment", "Description", "Given to", "Other names"), tuple(_given(protocol))
    )
    yield _part("Arms and Interventions", (*arms, *given), "armsInterventionsModule")
    for category in ("primary", "secondary", "other"):
        rows = tuple(
            Row(
                each.text("measure") or EMPTY,
                (each.text("description") or EMPTY, each.text("timeFrame") or EMPTY),
            )
            for each in protocol.items("outcomesModule", f"{category}Outcomes")
        )
        title = f"{category.capitalize()} Outcome Measures"
        found = table(("Outcome Measure", "Measure Description", "Time Frame"), rows)
        yield _part(title, found, f"outcomesModule.{category}Outcomes")


def _arms(protocol: Cursor) -> Iterator[Row]:
    for each in protocol.items("armsInterventionsModule", "armGroups"):
        label = _joined(each.word("type"), each.text("label"), by=": ")
        given = "; ".join(each.texts("interventionNames"))
        yield Row(label or EMPTY, (each.text("description") or EMPTY, given or EMPTY))


def _given(protocol: Cursor) -> Iterator[Row]:
    for each in protocol.items("armsInterventionsModule", "interventions"):
        cells = (
            each.text("description"),
            "; ".join(each.texts("armGroupLabels")),
            "; ".join(each.texts("otherNames")),
        )
        name = _joined(each.word("type"), each.text("name"), by=": ")
        yield Row(name or EMPTY, tuple(cell or EMPTY for cell in cells))


def _people(record: Cursor) -> Iterator[Part]:
    module = record.at(_P, "sponsorCollaboratorsModule")
    holder = record.at(_P, "identificationModule", "organization")
    yield _part(
        "Sponsor", prose(_agency(module.at("leadSponsor"), "name")), "sponsorCollaboratorsModule.leadSponsor"
    )
    partners = tuple(_agency(each, "name") for each in module.items("collaborators"))
    yield _part("Collaborators", bullets(partners), "sponsorCollaboratorsModule.collaborators")
    officials = tuple(
        _joined(each.text("name"), each.word("role"), each.text("affiliation"))
        for each in record.items(_P, "contactsLocationsModule", "overallOfficials")
    )
    yield _part("Investigators", bullets(officials), "contactsLocationsModule.overallOfficials")
    party = module.at("responsibleParty")
    who = _joined(
        party.word("type"),
        party.text("investigatorFullName"),
        party.text("investigatorTitle"),
        party.text("investigatorAffiliation"),
        party.text("oldNameTitle"),
        party.text("oldOrganization"),
    )
    yield _part("Responsible Party", prose(who), "sponsorCollaboratorsModule.responsibleParty")
    yield _part("Organization of the record", prose(_agency(holder, "fullName")))


def _agency(each: Cursor, name: str) -> str:
    kind = each.word("class")
    return each.text(name) + (f" ({kind})" if kind else "")


def _publications(record: Cursor) -> Iterator[Part]:
    module = record.at(_P, "referencesModule")
    rows = []
    for each in module.items("references"):
        number = each.text("pmid")
        retracted = "; ".join(
            _joined("retracted", one.text("source"), one.text("pmid")) for one in each.items("retractions")
        )
        notes = _joined(f"PMID {number}" if number else "", each.word("type"), retracted)
        rows.append(each.text("citation") + (f" [{notes}]" if notes else ""))
    yield _part("General Publications", bullets(tuple(rows)), "referencesModule.references")
    links = tuple(
        _joined(each.text("label"), each.text("url"), by=": ") for each in module.items("seeAlsoLinks")
    )
    yield _part("Helpful Links", bullets(links))
    data = tuple(
        _joined(each.text("type"), each.text("id"), each.text("url"), each.text("comment"))
        for each in module.items("availIpds")
    )
    yield _part("Study Data/Documents", bullets(data))


_DATES: Final = {
    "Study Major Dates": (
        ("Study Start", "startDateStruct"),
        ("Primary Completion", "primaryCompletionDateStruct"),
        ("Study Completion", "completionDateStruct"),
    ),
    "Study Registration Dates": (
        ("First Submitted", "studyFirstSubmitDate"),
        ("First Submitted that Met QC Criteria", "studyFirstSubmitQcDate"),
        ("First Posted", "studyFirstPostDateStruct"),
    ),
    "Results and their delay": (
        ("Results First Submitted", "resultsFirstSubmitDate"),
        ("Results First Submitted that Met QC Criteria", "resultsFirstSubmitQcDate"),
        ("Results First Posted", "resultsFirstPostDateStruct"),
        ("Results Waived", "resultsWaived"),
        ("Delayed Posting", "delayedPosting"),
        ("Certification/Extension First Submitted", "dispFirstSubmitDate"),
        ("Certification/Extension First Submitted that Met QC Criteria", "dispFirstSubmitQcDate"),
        ("Certification/Extension First Posted", "dispFirstPostDateStruct"),
    ),
    "Study Record Updates": (
        ("Last Update Submitted", "lastUpdateSubmitDate"),
        ("Last Update Posted", "lastUpdatePostDateStruct"),
        ("Last Verified", "statusVerifiedDate"),
    ),
}


def _dates(record: Cursor) -> Iterator[Part]:
    status = record.at(_P, "statusModule")
    for title, pairs in _DATES.items():
        found = facts(*((label, _date(status, key)) for label, key in pairs))
        yield _part(title, found, *(f"statusModule.{key}" for _, key in pairs))


def _date(status: Cursor, key: str) -> str:
    kind = status.word(key, "type")
    return (status.text(key, "date") or status.text(key)) + (f" ({kind})" if kind else "")


def _more(record: Cursor) -> Iterator[Part]:
    protocol, oversight = record.at(_P), record.at(_P, "oversightModule")
    yield _part(
        "Keywords", bullets(protocol.texts("conditionsModule", "keywords")), "conditionsModule.keywords"
    )
    terms = tuple(
        term
        for module in ("conditionBrowseModule", "interventionBrowseModule")
        for each in record.items("derivedSection", module, "meshes")
        if (term := each.text("term"))
    )
    yield _part("Additional Relevant MeSH Terms", bullets(terms))
    sharing = protocol.at("ipdSharingStatementModule")
    plan = facts(
        ("Plan to Share Individual Participant Data (IPD)?", sharing.word("ipdSharing")),
        ("IPD Plan Description", sharing.text("description")),
        ("IPD Sharing Supporting Information Type", ", ".join(map(words_of, sharing.texts("infoTypes")))),
        ("IPD Sharing Time Frame", sharing.text("timeFrame")),
        ("IPD Sharing Access Criteria", sharing.text("accessCriteria")),
        ("URL", sharing.text("url")),
    )
    yield _part("Plan for Individual participant data (IPD)", plan, "ipdSharingStatementModule")
    regulated = facts(
        ("Studies a U.S. FDA-regulated drug product", oversight.text("isFdaRegulatedDrug")),
        ("Studies a U.S. FDA-regulated device product", oversight.text("isFdaRegulatedDevice")),
        ("Device product not approved or cleared by the U.S. FDA", oversight.text("isUnapprovedDevice")),
        ("Pediatric postmarket surveillance of a device product", oversight.text("isPpsd")),
        ("Product manufactured in and exported from the U.S.", oversight.text("isUsExport")),
        ("FDAAA 801 violation", oversight.text("fdaaa801Violation")),
        ("Data Monitoring Committee", oversight.text("oversightHasDmc")),
    )
    yield _part("Drug and device information, oversight", regulated, "oversightModule")
    documents = record.at("documentSection", "largeDocumentModule")
    rows = tuple(_document(each) for each in documents.items("largeDocs"))
    head = ("Document", "File", "Date", "Uploaded", "Bytes")
    yield Part("Study documents", (*facts(("No analysis plan", documents.text("noSap"))), *table(head, rows)))


def _document(each: Cursor) -> Row:
    holds = ", ".join(
        name
        for name, key in (
            ("protocol", "hasProtocol"),
            ("analysis plan", "hasSap"),
            ("consent form", "hasIcf"),
        )
        if each.text(key) == "Yes"
    )
    label = _joined(each.text("label"), each.text("typeAbbrev"), holds)
    return Row(
        label or EMPTY, tuple(each.text(key) or EMPTY for key in ("filename", "date", "uploadDate", "size"))
    )
