"""The registry record as read: one frozen model for copied pages and API files, in which every text keeps its
place.

The field helpers `one`, `many`, `part` and `parts` name the key that ClinicalTrials.gov's API v2 uses for a
field, so that the model and the map from the file to the model are one text and cannot drift apart. Source:
ClinicalTrials.gov, "Study Data Structure" (API v2).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, Final

VIEW: Final = "view"


@dataclass(frozen=True, slots=True)
class Passage:
    """One text of the record: where it stands (`section`, 1-based `line`) and what it says."""

    section: str
    line: int
    text: str


def one(key: str) -> Any:
    """Declare a field that holds one leaf, or None when the record has none."""
    return field(default=None, metadata={"key": key, "kind": "one"})


def many(key: str) -> Any:
    """Declare a field that holds the leaves of a list, or the paragraphs of a text."""
    return field(default=(), metadata={"key": key, "kind": "many"})


def part(key: str, cls: type[Any]) -> Any:
    """Declare a field that holds one nested object."""
    return field(default_factory=cls, metadata={"key": key, "kind": "part", "cls": cls})


def parts(key: str, cls: type[Any]) -> Any:
    """Declare a field that holds a list of nested objects."""
    return field(default=(), metadata={"key": key, "kind": "parts", "cls": cls})


@dataclass(frozen=True)
class OrgStudyId:
    id: Passage | None = one("id")
    type: Passage | None = one("type")
    link: Passage | None = one("link")


@dataclass(frozen=True)
class SecondaryId:
    id: Passage | None = one("id")
    type: Passage | None = one("type")
    domain: Passage | None = one("domain")
    link: Passage | None = one("link")


@dataclass(frozen=True)
class Organization:
    full_name: Passage | None = one("fullName")
    organization_class: Passage | None = one("class")


@dataclass(frozen=True)
class Identification:
    """How the study is named and numbered."""

    nct_id: Passage | None = one("nctId")
    nct_id_aliases: tuple[Passage, ...] = many("nctIdAliases")
    org_study_id: OrgStudyId = part("orgStudyIdInfo", OrgStudyId)
    secondary_ids: tuple[SecondaryId, ...] = parts("secondaryIdInfos", SecondaryId)
    brief_title: Passage | None = one("briefTitle")
    official_title: Passage | None = one("officialTitle")
    acronym: Passage | None = one("acronym")
    organization: Organization = part("organization", Organization)


@dataclass(frozen=True)
class DateEntry:
    """A date and whether the record calls it actual or estimated."""

    date: Passage | None = one("date")
    type: Passage | None = one("type")


@dataclass(frozen=True)
class ExpandedAccess:
    has_expanded_access: Passage | None = one("hasExpandedAccess")
    nct_id: Passage | None = one("nctId")
    status: Passage | None = one("statusForNctId")


@dataclass(frozen=True)
class Status:
    """Recruitment status and every date of the record."""

    status_verified: Passage | None = one("statusVerifiedDate")
    overall_status: Passage | None = one("overallStatus")
    last_known_status: Passage | None = one("lastKnownStatus")
    delayed_posting: Passage | None = one("delayedPosting")
    why_stopped: Passage | None = one("whyStopped")
    expanded_access: ExpandedAccess = part("expandedAccessInfo", ExpandedAccess)
    start: DateEntry = part("startDateStruct", DateEntry)
    primary_completion: DateEntry = part("primaryCompletionDateStruct", DateEntry)
    completion: DateEntry = part("completionDateStruct", DateEntry)
    first_submitted: Passage | None = one("studyFirstSubmitDate")
    first_submitted_qc: Passage | None = one("studyFirstSubmitQcDate")
    first_posted: DateEntry = part("studyFirstPostDateStruct", DateEntry)
    results_waived: Passage | None = one("resultsWaived")
    results_first_submitted: Passage | None = one("resultsFirstSubmitDate")
    results_first_submitted_qc: Passage | None = one("resultsFirstSubmitQcDate")
    results_first_posted: DateEntry = part("resultsFirstPostDateStruct", DateEntry)
    delay_first_submitted: Passage | None = one("dispFirstSubmitDate")
    delay_first_submitted_qc: Passage | None = one("dispFirstSubmitQcDate")
    delay_first_posted: DateEntry = part("dispFirstPostDateStruct", DateEntry)
    last_update_submitted: Passage | None = one("lastUpdateSubmitDate")
    last_update_submitted_qc: Passage | None = one("lastUpdateSubmitQcDate")
    last_update_posted: DateEntry = part("lastUpdatePostDateStruct", DateEntry)
    updated_by: Passage | None = None


@dataclass(frozen=True)
class ResponsibleParty:
    type: Passage | None = one("type")
    investigator_name: Passage | None = one("investigatorFullName")
    investigator_title: Passage | None = one("investigatorTitle")
    investigator_affiliation: Passage | None = one("investigatorAffiliation")
    old_name_title: Passage | None = one("oldNameTitle")
    old_organization: Passage | None = one("oldOrganization")


@dataclass(frozen=True)
class Sponsor:
    name: Passage | None = one("name")
    sponsor_class: Passage | None = one("class")


@dataclass(frozen=True)
class Sponsors:
    responsible_party: ResponsibleParty = part("responsibleParty", ResponsibleParty)
    lead_sponsor: Sponsor = part("leadSponsor", Sponsor)
    collaborators: tuple[Sponsor, ...] = parts("collaborators", Sponsor)


@dataclass(frozen=True)
class Oversight:
    has_dmc: Passage | None = one("oversightHasDmc")
    is_fda_regulated_drug: Passage | None = one("isFdaRegulatedDrug")
    is_fda_regulated_device: Passage | None = one("isFdaRegulatedDevice")
    is_unapproved_device: Passage | None = one("isUnapprovedDevice")
    is_ppsd: Passage | None = one("isPpsd")
    is_us_export: Passage | None = one("isUsExport")
    fdaaa801_violation: Passage | None = one("fdaaa801Violation")


@dataclass(frozen=True)
class Description:
    """Summary and detailed description, each as its paragraphs (a file of the API has one)."""

    brief_summary: tuple[Passage, ...] = many("briefSummary")
    detailed_description: tuple[Passage, ...] = many("detailedDescription")


@dataclass(frozen=True)
class Conditions:
    conditions: tuple[Passage, ...] = many("conditions")
    keywords: tuple[Passage, ...] = many("keywords")


@dataclass(frozen=True)
class Masking:
    masking: Passage | None = one("masking")
    description: tuple[Passage, ...] = many("maskingDescription")
    who_masked: tuple[Passage, ...] = many("whoMasked")


@dataclass(frozen=True)
class DesignInfo:
    allocation: Passage | None = one("allocation")
    intervention_model: Passage | None = one("interventionModel")
    intervention_model_description: tuple[Passage, ...] = many("interventionModelDescription")
    primary_purpose: Passage | None = one("primaryPurpose")
    observational_model: Passage | None = one("observationalModel")
    time_perspective: Passage | None = one("timePerspective")
    masking_info: Masking = part("maskingInfo", Masking)


@dataclass(frozen=True)
class ExpandedAccessTypes:
    individual: Passage | None = one("individual")
    intermediate: Passage | None = one("intermediate")
    treatment: Passage | None = one("treatment")


@dataclass(frozen=True)
class BioSpec:
    retention: Passage | None = one("retention")
    description: tuple[Passage, ...] = many("description")


@dataclass(frozen=True)
class Enrolment:
    count: Passage | None = one("count")
    type: Passage | None = one("type")


@dataclass(frozen=True)
class Design:
    study_type: Passage | None = one("studyType")
    expanded_access_patients: Passage | None = one("nPtrsToThisExpAccNctId")
    expanded_access_types: ExpandedAccessTypes = part("expandedAccessTypes", ExpandedAccessTypes)
    patient_registry: Passage | None = one("patientRegistry")
    target_duration: Passage | None = one("targetDuration")
    phases: tuple[Passage, ...] = many("phases")
    info: DesignInfo = part("designInfo", DesignInfo)
    bio_spec: BioSpec = part("bioSpec", BioSpec)
    enrolment: Enrolment = part("enrollmentInfo", Enrolment)


@dataclass(frozen=True)
class ArmGroup:
    label: Passage | None = one("label")
    type: Passage | None = one("type")
    description: tuple[Passage, ...] = many("description")
    intervention_names: tuple[Passage, ...] = many("interventionNames")


@dataclass(frozen=True)
class Intervention:
    type: Passage | None = one("type")
    name: Passage | None = one("name")
    description: tuple[Passage, ...] = many("description")
    arm_labels: tuple[Passage, ...] = many("armGroupLabels")
    other_names: tuple[Passage, ...] = many("otherNames")


@dataclass(frozen=True)
class Arms:
    arm_groups: tuple[ArmGroup, ...] = parts("armGroups", ArmGroup)
    interventions: tuple[Intervention, ...] = parts("interventions", Intervention)


@dataclass(frozen=True)
class Outcome:
    """One outcome measure; a page prints the time frame twice, and `time_frame_again` is its second print."""

    measure: Passage | None = one("measure")
    description: tuple[Passage, ...] = many("description")
    time_frame: Passage | None = one("timeFrame")
    time_frame_again: Passage | None = None


@dataclass(frozen=True)
class Outcomes:
    primary: tuple[Outcome, ...] = parts("primaryOutcomes", Outcome)
    secondary: tuple[Outcome, ...] = parts("secondaryOutcomes", Outcome)
    other: tuple[Outcome, ...] = parts("otherOutcomes", Outcome)


@dataclass(frozen=True)
class Criterion:
    """One numbered eligibility criterion: `id` such as I3 or E2.1, the printed `number`, its text and its
    sub-items.
    """

    id: str
    category: str
    number: str
    text: Passage
    more: tuple[Passage, ...] = ()
    items: tuple[Criterion, ...] = ()


@dataclass(frozen=True)
class Eligibility:
    """Who can take part; `text` is the printed block, `criteria` and `remarks` are views of it."""

    text: tuple[Passage, ...] = many("eligibilityCriteria")
    healthy_volunteers: Passage | None = one("healthyVolunteers")
    sex: Passage | None = one("sex")
    gender_based: Passage | None = one("genderBased")
    gender_description: Passage | None = one("genderDescription")
    minimum_age: Passage | None = one("minimumAge")
    maximum_age: Passage | None = one("maximumAge")
    std_ages: tuple[Passage, ...] = many("stdAges")
    study_population: tuple[Passage, ...] = many("studyPopulation")
    sampling_method: Passage | None = one("samplingMethod")
    criteria: tuple[Criterion, ...] = field(default=(), metadata={VIEW: True})
    remarks: tuple[Passage, ...] = field(default=(), metadata={VIEW: True})


@dataclass(frozen=True)
class Contact:
    name: Passage | None = one("name")
    role: Passage | None = one("role")
    phone: Passage | None = one("phone")
    phone_extension: Passage | None = one("phoneExt")
    email: Passage | None = one("email")


@dataclass(frozen=True)
class Official:
    name: Passage | None = one("name")
    affiliation: Passage | None = one("affiliation")
    role: Passage | None = one("role")


@dataclass(frozen=True)
class GeoPoint:
    lat: Passage | None = one("lat")
    lon: Passage | None = one("lon")


@dataclass(frozen=True)
class Location:
    facility: Passage | None = one("facility")
    status: Passage | None = one("status")
    city: Passage | None = one("city")
    state: Passage | None = one("state")
    zip: Passage | None = one("zip")
    country: Passage | None = one("country")
    contacts: tuple[Contact, ...] = parts("contacts", Contact)
    geo_point: GeoPoint = part("geoPoint", GeoPoint)


@dataclass(frozen=True)
class ContactsLocations:
    central_contacts: tuple[Contact, ...] = parts("centralContacts", Contact)
    officials: tuple[Official, ...] = parts("overallOfficials", Official)
    locations: tuple[Location, ...] = parts("locations", Location)
    location_groups: tuple[Passage, ...] = ()


@dataclass(frozen=True)
class Retraction:
    pmid: Passage | None = one("pmid")
    source: Passage | None = one("source")


@dataclass(frozen=True)
class Reference:
    pmid: Passage | None = one("pmid")
    type: Passage | None = one("type")
    citation: Passage | None = one("citation")
    retractions: tuple[Retraction, ...] = parts("retractions", Retraction)


@dataclass(frozen=True)
class SeeAlso:
    label: Passage | None = one("label")
    url: Passage | None = one("url")


@dataclass(frozen=True)
class AvailableIpd:
    id: Passage | None = one("id")
    type: Passage | None = one("type")
    url: Passage | None = one("url")
    comment: Passage | None = one("comment")


@dataclass(frozen=True)
class References:
    references: tuple[Reference, ...] = parts("references", Reference)
    see_also: tuple[SeeAlso, ...] = parts("seeAlsoLinks", SeeAlso)
    available_ipd: tuple[AvailableIpd, ...] = parts("availIpds", AvailableIpd)


@dataclass(frozen=True)
class IpdSharing:
    sharing: Passage | None = one("ipdSharing")
    description: tuple[Passage, ...] = many("description")
    info_types: tuple[Passage, ...] = many("infoTypes")
    time_frame: tuple[Passage, ...] = many("timeFrame")
    access_criteria: tuple[Passage, ...] = many("accessCriteria")
    url: Passage | None = one("url")


@dataclass(frozen=True)
class LargeDocument:
    type_abbreviation: Passage | None = one("typeAbbrev")
    has_protocol: Passage | None = one("hasProtocol")
    has_sap: Passage | None = one("hasSap")
    has_icf: Passage | None = one("hasIcf")
    label: Passage | None = one("label")
    date: Passage | None = one("date")
    upload_date: Passage | None = one("uploadDate")
    filename: Passage | None = one("filename")
    size: Passage | None = one("size")


@dataclass(frozen=True)
class Documents:
    no_sap: Passage | None = one("noSap")
    documents: tuple[LargeDocument, ...] = parts("largeDocs", LargeDocument)


@dataclass(frozen=True)
class RegistryRecord:
    """A registry record; `kind` is "page" or "json".

    `results`, `derived` and `annotations` keep their whole trees as leaves with full paths. `incomplete` is
    the place where a record that was cut off ends. `lines` is the file's text, for quotation. `results_tree`
    is the results section as scanned, a node of `json_tree`.
    """

    kind: str
    lines: tuple[str, ...] = field(default=(), repr=False, metadata={VIEW: True})
    identification: Identification = part("protocolSection.identificationModule", Identification)
    status: Status = part("protocolSection.statusModule", Status)
    sponsors: Sponsors = part("protocolSection.sponsorCollaboratorsModule", Sponsors)
    oversight: Oversight = part("protocolSection.oversightModule", Oversight)
    description: Description = part("protocolSection.descriptionModule", Description)
    conditions: Conditions = part("protocolSection.conditionsModule", Conditions)
    design: Design = part("protocolSection.designModule", Design)
    arms: Arms = part("protocolSection.armsInterventionsModule", Arms)
    outcomes: Outcomes = part("protocolSection.outcomesModule", Outcomes)
    eligibility: Eligibility = part("protocolSection.eligibilityModule", Eligibility)
    contacts: ContactsLocations = part("protocolSection.contactsLocationsModule", ContactsLocations)
    references: References = part("protocolSection.referencesModule", References)
    ipd_sharing: IpdSharing = part("protocolSection.ipdSharingStatementModule", IpdSharing)
    documents: Documents = part("documentSection.largeDocumentModule", Documents)
    has_results: Passage | None = one("hasResults")
    results: tuple[Passage, ...] = ()
    derived: tuple[Passage, ...] = ()
    annotations: tuple[Passage, ...] = ()
    related_terms: tuple[Passage, ...] = ()
    boilerplate: tuple[Passage, ...] = ()
    not_understood: tuple[Passage, ...] = ()
    incomplete: Passage | None = field(default=None, metadata={VIEW: True})
    results_tree: Any = field(default=None, repr=False, compare=False, metadata={VIEW: True})


def _passages(value: object) -> Iterator[Passage]:
    if isinstance(value, Passage):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from _passages(item)
    elif is_dataclass(value):
        for spec in fields(value):
            if VIEW not in spec.metadata:
                yield from _passages(getattr(value, spec.name))


def placed_passages(record: RegistryRecord) -> tuple[Passage, ...]:
    """Return every passage that stands in a field of the record: neither boilerplate nor not understood, no
    views.
    """
    outside = {"boilerplate", "not_understood"}
    return tuple(
        passage
        for spec in fields(record)
        if VIEW not in spec.metadata and spec.name not in outside
        for passage in _passages(getattr(record, spec.name))
    )
