"""CDISC controlled terms of USDM 4.0, by the study folder's own words.

Codes are those of the CDISC packages of 26 September 2025 (DDF, Protocol and SDTM controlled terminology),
codelist by codelist as USDM 4.0 binds them to an attribute, each with its submission value in the lists of
DDF and its preferred term in the others. A word that a codelist has no term for is written in the project's
own code system, never with a code of CDISC's.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Final, NamedTuple, TypeVar

from equipoise.definition.model.study import MaskedParty


class Term(NamedTuple):
    """A code of NCI's with what it stands for."""

    code: str
    decode: str


Word = TypeVar("Word", bound=Hashable)
Codelist = Mapping[Word, Term]

CDISC: Final = "http://www.cdisc.org"
CDISC_VERSION: Final = "2025-09-26"
OWN: Final = "Equipoise study definition"
OWN_VERSION: Final = "1"
COUNTRIES: Final = "ISO 3166 1 alpha3"
COUNTRIES_VERSION: Final = "2020-08"
LANGUAGES: Final = "ISO 639-1"
LANGUAGES_VERSION: Final = "2002"

# C99077
STUDY_TYPES: Final = {
    "interventional": Term("C98388", "Interventional Study"),
    "observational": Term("C16084", "Observational Study"),
    "expanded_access": Term("C98722", "Expanded Access Study"),
}
# C66737
PHASES: Final = {
    ("early_phase_1",): Term("C54721", "Early Phase 1 Trial"),
    ("phase_1",): Term("C15600", "Phase I Trial"),
    ("phase_1", "phase_2"): Term("C15693", "Phase I/II Trial"),
    ("phase_1", "phase_2", "phase_3"): Term("C198366", "Phase I/II/III Trial"),
    ("phase_1", "phase_3"): Term("C198367", "Phase I/III Trial"),
    ("phase_2",): Term("C15601", "Phase II Trial"),
    ("phase_2", "phase_3"): Term("C15694", "Phase II/III Trial"),
    ("phase_3",): Term("C15602", "Phase III Trial"),
    ("phase_4",): Term("C15603", "Phase IV Trial"),
    ("not_applicable",): Term("C48660", "Not Applicable"),
}
# C99076
MODELS: Final = {
    "single_group": Term("C82640", "Single Group Study"),
    "parallel": Term("C82639", "Parallel Study"),
    "crossover": Term("C82637", "Crossover Study"),
    "factorial": Term("C82638", "Factorial Study"),
    "sequential": Term("C142568", "Group Sequential Design"),
}
# C66736
PURPOSES: Final = {
    "treatment": Term("C49656", "Treatment Study"),
    "prevention": Term("C49657", "Prevention Study"),
    "diagnostic": Term("C49653", "Diagnosis Study"),
    "supportive_care": Term("C71486", "Supportive Care Study"),
    "screening": Term("C71485", "Screening Study"),
    "health_services_research": Term("C15245", "Health Services Research"),
    "basic_science": Term("C15714", "Basic Research"),
    "device_feasibility": Term("C139174", "Device Feasibility Study"),
}
# C66739
SUB_TYPES: Final = {
    "efficacy": Term("C49666", "Efficacy Study"),
    "safety": Term("C49667", "Safety Study"),
}
# C207416
CHARACTERISTICS: Final = {
    "randomised": Term("C46079", "Randomized"),
    "stratified": Term("C147145", "Stratified Randomisation"),
    "one_site": Term("C217004", "Single-Centre"),
    "many_sites": Term("C217005", "Multicentre"),
    "one_country": Term("C217006", "Single Country"),
    "many_countries": Term("C217007", "Multiple Countries"),
}
# C66735
BLINDING: Final = {
    "open": Term("C49659", "Open Label Study"),
    "single": Term("C28233", "Single Blind Study"),
    "double": Term("C15228", "Double Blind Study"),
}
# C174222
ARM_TYPES: Final = {
    "experimental": Term("C174266", "Investigational Arm"),
    "active_comparator": Term("C174267", "Active Comparator Arm"),
    "placebo_comparator": Term("C174268", "Placebo Control Arm"),
    "sham_comparator": Term("C174269", "Sham Comparator Arm"),
    "no_intervention": Term("C174270", "No Intervention Arm"),
}
# C188727
WITHIN_STUDY: Final = Term("C188866", "Data Generated Within Study")
# C99079
EPOCH_TYPES: Final = {
    "screening": Term("C202487", "Screening Epoch"),
    "run_in": Term("C98779", "Run-in Period"),
    "treatment": Term("C101526", "Treatment Epoch"),
    "washout": Term("C42872", "Washout Period"),
    "follow_up": Term("C202578", "Follow-Up Epoch"),
}
OPEN_TREATMENT: Final = Term("C102256", "Open Label Treatment Epoch")
# C99078
INTERVENTION_TYPES: Final = {
    "drug": Term("C1909", "Pharmacologic Substance"),
    "device": Term("C16830", "Medical Device"),
    "biological": Term("C307", "Biological Agent"),
    "procedure": Term("C98769", "Physical Medical Procedure"),
    "radiation": Term("C15313", "Radiation Therapy"),
    "behavioral": Term("C15184", "Behavioral Intervention"),
    "genetic": Term("C15238", "Gene Therapy"),
    "dietary_supplement": Term("C1505", "Dietary Supplement"),
    "combination_product": Term("C54696", "Combination Product"),
    "diagnostic_test": Term("C18020", "Diagnostic Procedure"),
}
# C207417
INTERVENTION_ROLES: Final = {
    "experimental": Term("C41161", "Experimental Intervention"),
    "active_comparator": Term("C68609", "Active Comparator"),
    "placebo": Term("C753", "Placebo"),
}
# C207419
TITLES: Final = {
    "official": Term("C207616", "Official Study Title"),
    "brief": Term("C207615", "Brief Study Title"),
    "acronym": Term("C207646", "Study Acronym"),
}
# C188724
REGISTRY: Final = Term("C93453", "Clinical Study Registry")
HEALTHCARE: Final = Term("C21541", "Healthcare Facility")
# C215480
SPONSOR: Final = Term("C70793", "Sponsor")
PRINCIPAL_INVESTIGATOR: Final = Term("C19924", "Principal investigator")
STUDY_SITE: Final = Term("C80403", "Study Site")
PARTY_ROLES: Final[Mapping[MaskedParty, Term]] = {
    "participant": Term("C41189", "Study Subject"),
    "care_provider": Term("C17445", "Care Provider"),
    "investigator": Term("C25936", "Investigator"),
    "outcomes_assessor": Term("C207599", "Outcomes Assessor"),
}
KIND_ROLES: Final = {
    "investigator": Term("C25936", "Investigator"),
    "laboratory": Term("C37984", "Laboratory"),
    "safety_desk": Term("C215673", "Pharmacovigilance"),
    "safety_board": Term("C142489", "Data Safety Monitoring Board"),
    "statistician": Term("C51877", "Statistician"),
    "unblinded_statistician": Term("C51877", "Statistician"),
}
# C188723 and C215477
DOCUMENT_STATES: Final = {"draft": Term("C85255", "Draft"), "final": Term("C25508", "Final")}
PROTOCOL: Final = Term("C70817", "Protocol")
# C207412
COUNTRY: Final = Term("C25464", "Country")
GLOBAL: Final = Term("C68846", "Global")
# C207413
APPROVAL: Final = Term("C71476", "Approval Date")
EFFECTIVE: Final = Term("C207598", "Protocol Effective Date")
# C207415
OTHER_REASON: Final = Term("C17649", "Other")
# C188728
VISIT: Final = Term("C25716", "Visit")
# C201264 and C201265
FIXED: Final = Term("C201358", "Fixed Reference")
AFTER: Final = Term("C201356", "After")
BEFORE: Final = Term("C201357", "Before")
START_TO_START: Final = Term("C201355", "Start to Start")
# C66797
CATEGORIES: Final = {
    "inclusion": Term("C25532", "Inclusion Criteria"),
    "exclusion": Term("C25370", "Exclusion Criteria"),
}
# C66732
SEXES: Final = {"female": Term("C16576", "Female"), "male": Term("C20197", "Male")}
BOTH_SEXES: Final = Term("C49636", "Both")
# C66781
YEAR: Final = Term("C29848", "Year")
# C71620
DAY: Final = Term("C25301", "Day")
# C188725 and C188726
OBJECTIVE_LEVELS: Final = {
    "primary": Term("C85826", "Study Primary Objective"),
    "secondary": Term("C85827", "Study Secondary Objective"),
    "exploratory": Term("C163559", "Exploratory Objective"),
}
ENDPOINT_LEVELS: Final = {
    "primary": Term("C94496", "Primary Endpoint"),
    "secondary": Term("C139173", "Secondary Endpoint"),
    "exploratory": Term("C170559", "Exploratory Endpoint"),
}

LANGUAGE_NAMES: Final = {
    "da": "Danish",
    "de": "German",
    "en": "English",
    "es": "Spanish",
    "fi": "Finnish",
    "fr": "French",
    "it": "Italian",
    "nl": "Dutch",
    "no": "Norwegian",
    "pl": "Polish",
    "pt": "Portuguese",
    "sv": "Swedish",
}
