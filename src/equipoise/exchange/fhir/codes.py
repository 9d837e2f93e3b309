"""The code systems of FHIR R5 that are used, and which of our words each of their codes stands for.

Sources: HL7 FHIR R5 (5.0.0), the value sets bound to the elements concerned; for the severity of an event and
the criteria of its seriousness the HL7 "Adverse Event Clinical Research IG" 1.0.1 (STU1, FHIR R5).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

HL7: Final = "http://hl7.org/fhir"
TERMINOLOGY: Final = "http://terminology.hl7.org/CodeSystem"
UCUM: Final = "http://unitsofmeasure.org"
MEDDRA: Final = "https://www.meddra.org"
COUNTRIES: Final = "urn:iso:std:iso:3166"
URIS: Final = "urn:ietf:rfc:3986"
EXPRESSION_LANGUAGE: Final = "text/x-equipoise"
"""The expression language of a study folder, as a media type."""

GENERATED: Final = "Generated from the rule"
"""The author of a text that says in words what a structure beside it says already."""

STUDY_STATUS: Final = f"{HL7}/research-study-status"
PARTY_ROLE: Final = f"{HL7}/research-study-party-role"
PHASE: Final = f"{HL7}/research-study-phase"
PURPOSE: Final = f"{HL7}/research-study-prim-purp-type"
OBJECTIVE: Final = f"{HL7}/research-study-objective-type"
ARM_TYPE: Final = f"{HL7}/research-study-arm-type"
STUDY_DESIGN: Final = f"{HL7}/study-design"
TITLE_TYPE: Final = f"{HL7}/title-type"
SUBJECT_STATE: Final = f"{TERMINOLOGY}/research-subject-state"
SUBJECT_STATE_TYPE: Final = f"{TERMINOLOGY}/research-subject-state-type"
MILESTONE: Final = f"{TERMINOLOGY}/research-subject-milestone"
PLAN_TYPE: Final = f"{TERMINOLOGY}/plan-definition-type"
SERIOUSNESS: Final = f"{TERMINOLOGY}/adverse-event-seriousness"
EVENT_OUTCOME: Final = f"{TERMINOLOGY}/adverse-event-outcome"
CAUSALITY: Final = f"{TERMINOLOGY}/adverse-event-causality-assess"
GENDER: Final = f"{HL7}/administrative-gender"

REGISTRIES: Final[Mapping[str, str]] = {
    "ClinicalTrials.gov": "http://clinicaltrials.gov",
}
"""The name space of a registry's numbers, where HL7 names one; else the identifier's type names the registry.

Source: HL7 Terminology (THO), ClinicalTrialsGov 1.0.0.
"""

STUDY_STATUSES: Final[Mapping[str, str]] = {
    "not yet recruiting": "not-yet-recruiting",
    "recruiting": "recruiting",
    "enrolling by invitation": "enrolling-by-invitation",
    "active, not recruiting": "active-but-not-recruiting",
    "suspended": "temporarily-closed-to-accrual",
    "terminated": "terminated",
    "completed": "completed",
    "withdrawn": "withdrawn",
}
"""The overall status of a registry record, in lower case, as FHIR has it."""

PHASES: Final[Mapping[tuple[str, ...], str]] = {
    ("not_applicable",): "n-a",
    ("early_phase_1",): "early-phase-1",
    ("phase_1",): "phase-1",
    ("phase_1", "phase_2"): "phase-1-phase-2",
    ("phase_2",): "phase-2",
    ("phase_2", "phase_3"): "phase-2-phase-3",
    ("phase_3",): "phase-3",
    ("phase_4",): "phase-4",
}
ARM_TYPES: Final[Mapping[str, str]] = {
    "experimental": "experimental",
    "active_comparator": "active-comparator",
    "placebo_comparator": "placebo-comparator",
    "sham_comparator": "sham-comparator",
    "no_intervention": "no-intervention",
    "other": "other-arm-type",
}
STUDY_TYPES: Final[Mapping[str, tuple[str, str]]] = {
    "interventional": ("SEVCO:01001", "Interventional research"),
    "observational": ("SEVCO:01002", "Observational research"),
    "expanded_access": ("SEVCO:01038", "Expanded Access study"),
}
MODELS: Final[Mapping[str, tuple[str, str]]] = {
    "parallel": ("SEVCO:01011", "Parallel cohort design"),
    "crossover": ("SEVCO:01012", "Crossover cohort design"),
    "single_group": ("SEVCO:01016", "Uncontrolled cohort design"),
}
"""A factorial and a sequential model have no code there, and stand as text."""

RANDOMISED: Final[Mapping[bool, tuple[str, str]]] = {
    True: ("SEVCO:01003", "randomized assignment"),
    False: ("SEVCO:01005", "Non-randomized assignment"),
}
MASKED_PARTIES: Final[Mapping[str, tuple[str, str]]] = {
    "participant": ("SEVCO:01060", "Blinding of study participants"),
    "care_provider": ("SEVCO:01061", "Blinding of intervention providers"),
    "outcomes_assessor": ("SEVCO:01062", "Blinding of outcome assessors"),
}
INVESTIGATOR_MASKED: Final = "Blinding of investigators"
OFFICIAL_ROLES: Final[Mapping[str, str]] = {
    "principal investigator": "primary-investigator",
    "sub-investigator": "sub-investigator",
    "study director": "study-director",
    "study chair": "study-chair",
}
"""The role of an official, in lower case; every other one is a general contact."""

ORGANISATION_ROLES: Final[Mapping[str, str]] = {
    "sponsor": "lead-sponsor",
    "collaborator": "collaborator",
    "funder": "funding-source",
    "other": "collaborator",
}
OBJECTIVES: Final[Mapping[str, str]] = {
    "primary": "primary",
    "secondary": "secondary",
    "exploratory": "exploratory",
    "safety": "secondary",
    "other": "exploratory",
}
ITEM_TYPES: Final[Mapping[str, str]] = {
    "integer": "integer",
    "decimal": "decimal",
    "text": "text",
    "boolean": "boolean",
    "choice": "coding",
    "date": "date",
    "partial_date": "date",
    "datetime": "dateTime",
}
OUTCOMES: Final[Mapping[str, str]] = {
    "recovered": "resolved",
    "recovering": "recovering",
    "not_recovered": "ongoing",
    "sequelae": "resolvedWithSequelae",
    "fatal": "fatal",
}
CAUSALITIES: Final[Mapping[str, str]] = {
    "unlikely": "unlikely",
    "possible": "possible",
    "probable": "probably-likely",
    "certain": "certain",
}
"""An event that is not related has no code in the assessment of FHIR, and stands as text."""

ENTRY_FORMAT: Final = f"{HL7}/StructureDefinition/entryFormat"
MIN_VALUE: Final = f"{HL7}/StructureDefinition/minValue"
MAX_VALUE: Final = f"{HL7}/StructureDefinition/maxValue"
MAX_DECIMALS: Final = f"{HL7}/StructureDefinition/maxDecimalPlaces"
ITEM_UNIT: Final = f"{HL7}/StructureDefinition/questionnaire-unit"
ITEM_CONTROL: Final = f"{HL7}/StructureDefinition/questionnaire-itemControl"
ITEM_CONTROLS: Final = f"{HL7}/questionnaire-item-control"
CONSTRAINT: Final = f"{HL7}/StructureDefinition/targetConstraint"
TIME_ZONE: Final = f"{HL7}/StructureDefinition/timezone"
ENABLE_WHEN: Final = f"{HL7}/uv/sdc/StructureDefinition/sdc-questionnaire-enableWhenExpression"
VISIT_WINDOW: Final = f"{HL7}/uv/vulcan-schedule/StructureDefinition/AcceptableOffsetRangeSoa"
SEVERITY: Final = f"{HL7}/uv/ae-research-ig/StructureDefinition/ae-severity"
CRITERIA: Final = f"{HL7}/uv/ae-research-ig/StructureDefinition/seriousness-criteria"

FULL_DATE: Final = "YYYY-MM-DD"
PARTIAL_DATE: Final = "YYYY, YYYY-MM or YYYY-MM-DD"
