"""study.yaml: what the study is, who runs it, its arms, epochs, sites and masking."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from equipoise.definition.model.fields import CountryCode, Identifier, SiteIdentifier, Text

StudyType = Literal["interventional", "observational", "expanded_access"]
Phase = Literal["early_phase_1", "phase_1", "phase_2", "phase_3", "phase_4", "not_applicable"]
InterventionModel = Literal["single_group", "parallel", "crossover", "factorial", "sequential"]
Purpose = Literal[
    "treatment",
    "prevention",
    "diagnostic",
    "supportive_care",
    "screening",
    "health_services_research",
    "basic_science",
    "device_feasibility",
    "other",
]
MaskedParty = Literal["participant", "care_provider", "investigator", "outcomes_assessor"]
ArmType = Literal[
    "experimental", "active_comparator", "placebo_comparator", "sham_comparator", "no_intervention", "other"
]
InterventionType = Literal[
    "drug",
    "device",
    "biological",
    "procedure",
    "radiation",
    "behavioral",
    "genetic",
    "dietary_supplement",
    "combination_product",
    "diagnostic_test",
    "other",
]
EpochType = Literal["screening", "run_in", "treatment", "washout", "follow_up", "extension"]
RoleKind = Literal[
    "investigator",
    "nurse",
    "laboratory",
    "infuser",
    "reader",
    "adjudicator",
    "safety_desk",
    "safety_board",
    "data_manager",
    "monitor",
    "statistician",
    "unblinded_statistician",
    "administrator",
]
Scope = Literal["site", "trial"]
AgencyClass = Literal["industry", "nih", "fed", "other_gov", "indiv", "network", "other", "ambig", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyIdentifier:
    """A number under which a registry or an authority knows the study or one of its sub-trials."""

    registry: Text
    value: Text
    sub_trial: Identifier | None = None
    note: Text | None = None
    link: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """A sponsor, collaborator or funder; `agency_class` is what ClinicalTrials.gov classes it as."""

    name: Text
    kind: Literal["sponsor", "collaborator", "funder", "other"] = "sponsor"
    agency_class: AgencyClass | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Official:
    """A person named in the public record; never somebody invented."""

    name: Text
    role: Text
    affiliation: Text | None = None
    source: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """What the definition takes for granted although no source states it."""

    id: Identifier
    text: Text
    source: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A part that people play in the trial.

    `masked` roles must not learn an allocation before unblinding; `scope` says whether they see one site or
    all.
    """

    id: Identifier
    kind: RoleKind
    name: Text
    masked: bool
    scope: Scope
    party: MaskedParty | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Masking:
    """Who is masked, in the words of ClinicalTrials.gov, and how it is kept."""

    parties: tuple[MaskedParty, ...]
    text: Text | None = None

    @property
    def level(self) -> str:
        """The registry's word: none, single, double, triple or quadruple."""
        return ("none", "single", "double", "triple", "quadruple")[len(set(self.parties))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Intervention:
    """What can be given to a participant."""

    id: Identifier
    name: Text
    type: InterventionType
    text: Text | None = None
    placebo: bool = False
    other_names: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """A stretch of the trial in which the plan for a participant does not change (USDM StudyEpoch)."""

    id: Identifier
    name: Text
    type: EpochType
    masked: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """A planned path through the epochs: a treatment group, or the sequence of a crossover (USDM StudyArm).

    `cells` gives, for each epoch, the interventions given in it (USDM StudyCell). Tables and figures show
    `short_name` where there is one.
    """

    id: Identifier
    name: Text
    type: ArmType
    cells: dict[Identifier, tuple[Identifier, ...]]
    short_name: Text | None = None
    text: Text | None = None

    @property
    def label(self) -> str:
        """The short name where there is one, else the name."""
        return self.short_name or self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class SubTrial:
    """A national trial with a registration of its own."""

    id: Identifier
    name: Text
    country: CountryCode
    registration: Text | None = None
    variant: Identifier | None = None
    status: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A hospital that takes part; `variant` overrides that of its sub-trial."""

    id: SiteIdentifier
    name: Text
    city: Text | None = None
    country: CountryCode
    time_zone: Text
    sub_trial: Identifier | None = None
    variant: Identifier | None = None
    assumed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyDates:
    """The dates a registry asks for."""

    start: date | None = None
    primary_completion: date | None = None
    completion: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """The whole of study.yaml."""

    id: Identifier
    version: Text
    title: Text
    official_title: Text | None = None
    acronym: Text | None = None
    language: Text = "en"
    type: StudyType = "interventional"
    phases: tuple[Phase, ...] = ("not_applicable",)
    purpose: Purpose = "treatment"
    model: InterventionModel
    randomised: bool = True
    identifiers: tuple[StudyIdentifier, ...] = ()
    sponsor: Organisation
    collaborators: tuple[Organisation, ...] = ()
    responsible_party: Text | None = None
    officials: tuple[Official, ...] = ()
    conditions: tuple[Text, ...]
    keywords: tuple[Text, ...] = ()
    planned_enrolment: int
    dates: StudyDates = StudyDates()
    masking: Masking
    roles: tuple[Role, ...]
    interventions: tuple[Intervention, ...]
    epochs: tuple[Epoch, ...]
    arms: tuple[Arm, ...]
    sub_trials: tuple[SubTrial, ...] = ()
    sites: tuple[Site, ...]
    assumptions: tuple[Assumption, ...] = ()
