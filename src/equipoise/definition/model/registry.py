"""registry.yaml: what the public record says, where no other file of the folder says it already."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal

from equipoise.definition.model.fields import Identifier, SiteIdentifier, Text

DateType = Literal["actual", "estimated"]
TypedDate = Literal[
    "start",
    "primary_completion",
    "completion",
    "first_posted",
    "results_first_posted",
    "delay_first_posted",
    "last_update_posted",
]
StudyDate = Literal["start", "primary_completion", "completion"]
PartyType = Literal["sponsor", "principal_investigator", "sponsor_investigator"]
ObservationModel = Literal[
    "cohort",
    "case_control",
    "case_only",
    "case_crossover",
    "ecologic_or_community",
    "family_based",
    "defined_population",
    "natural_history",
    "other",
]
TimePerspective = Literal["retrospective", "prospective", "cross_sectional", "other"]
SamplingMethod = Literal["probability_sample", "non_probability_sample"]
Retention = Literal["none_retained", "samples_with_dna", "samples_without_dna"]
SharingPlan = Literal["yes", "no", "undecided"]
SharedDocument = Literal["study_protocol", "sap", "icf", "csr", "analytic_code"]
ReferenceType = Literal["background", "result", "derived"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredOutcome:
    """An outcome as registered, tied to the endpoint that answers it."""

    measure: Text
    time_frame: Text
    category: Literal["primary", "secondary", "other"] = "primary"
    description: Text | None = None
    endpoint: Identifier | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryDates:
    """The dates of the record itself, not of the study."""

    first_submitted: date | None = None
    first_submitted_qc: date | None = None
    first_posted: date | None = None
    results_first_submitted: date | None = None
    results_first_submitted_qc: date | None = None
    results_first_posted: date | None = None
    delay_first_submitted: date | None = None
    delay_first_submitted_qc: date | None = None
    delay_first_posted: date | None = None
    last_update_submitted: date | None = None
    last_update_posted: date | None = None
    last_verified: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """Two places of the public record that disagree, and which of them the definition follows."""

    topic: Text
    places: tuple[Text, ...]
    followed: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A reference with its citation."""

    citation: Text
    note: Text | None = None
    pmid: Text | None = None
    type: ReferenceType | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponsibleParty:
    """What `responsible_party` of study.yaml is, and where that person works."""

    type: PartyType | None = None
    title: Text | None = None
    affiliation: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Oversight:
    """Who watches over the study, and what of it the Food and Drug Administration regulates."""

    monitoring_board: bool | None = None
    fda_regulated_drug: bool | None = None
    fda_regulated_device: bool | None = None
    unapproved_device: bool | None = None
    pediatric_postmarket_surveillance: bool | None = None
    us_export: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpandedAccess:
    """Whether what is studied can be had outside the study, and for whom."""

    available: bool | None = None
    number: Text | None = None
    status: Text | None = None
    individual: bool | None = None
    intermediate: bool | None = None
    treatment: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """The design of a study that observes and does not intervene."""

    model: ObservationModel | None = None
    time_perspective: TimePerspective | None = None
    patient_registry: bool | None = None
    target_duration: Text | None = None
    sampling_method: SamplingMethod | None = None
    population: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Specimens:
    """The biological samples that are kept."""

    retention: Retention | None = None
    text: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Whom the public may ask about the study."""

    name: Text | None = None
    role: Text | None = None
    phone: Text | None = None
    extension: Text | None = None
    email: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredSite:
    """What the record adds to a site of study.yaml; latitude and longitude are in degrees."""

    site: SiteIdentifier
    status: Text | None = None
    state: Text | None = None
    zip: Text | None = None
    latitude: Decimal | None = None
    longitude: Decimal | None = None
    contacts: tuple[Contact, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSharing:
    """The plan to share the data of individual participants."""

    plan: SharingPlan | None = None
    text: Text | None = None
    documents: tuple[SharedDocument, ...] = ()
    time_frame: Text | None = None
    access: Text | None = None
    url: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A page on the study."""

    url: Text
    label: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AvailableData:
    """A data set or document of the study that can be had, and where."""

    id: Text | None = None
    type: Text | None = None
    url: Text | None = None
    comment: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """The whole of registry.yaml."""

    brief_summary: Text
    detailed_description: Text | None = None
    overall_status: Text | None = None
    last_known_status: Text | None = None
    why_stopped: Text | None = None
    enrolment_count: int | None = None
    enrolment_type: Literal["actual", "estimated"] | None = None
    model_text: Text | None = None
    minimum_age: Text | None = None
    maximum_age: Text | None = None
    gender_based: bool | None = None
    gender_text: Text | None = None
    responsible_party: ResponsibleParty = ResponsibleParty()
    oversight: Oversight = Oversight()
    expanded_access: ExpandedAccess = ExpandedAccess()
    observation: Observation = Observation()
    specimens: Specimens = Specimens()
    outcomes: tuple[RegisteredOutcome, ...] = ()
    contacts: tuple[Contact, ...] = ()
    sites: tuple[RegisteredSite, ...] = ()
    data_sharing: DataSharing = DataSharing()
    publications: tuple[Publication, ...] = ()
    links: tuple[Link, ...] = ()
    available_data: tuple[AvailableData, ...] = ()
    dates: RegistryDates = RegistryDates()
    months: dict[StudyDate, Text] = field(default_factory=dict)
    date_types: dict[TypedDate, DateType] = field(default_factory=dict)
    contradictions: tuple[Contradiction, ...] = ()
