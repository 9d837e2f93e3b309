"""The words of CDISC for what a protocol says: trial summary parameters and their controlled terms.

Source: CDISC SDTM controlled terminology, Trial Summary Parameter (C66738) and its response codelists.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

ARM, EPOCH, EPOCH_GROUP, TIMING = "ARM.", "EPOCH.", "SEG.", "TIMING."
INDICATION, INTERVENTION, ENDPOINT, ESTIMAND = "INDICATION.", "INTERVENTION.", "ENDPOINT.", "ESTIMAND."
CRITERION, CRITERION_CONDITION, POPULATION, PARAMETER = "CRIT.", "COND.criterion.", "POPULATION", "TS."

STUDY_TYPES: Final = {
    "interventional": "INTERVENTIONAL",
    "observational": "OBSERVATIONAL",
    "expanded_access": "EXPANDED ACCESS",
}
MODELS: Final = {
    "single_group": "SINGLE GROUP",
    "parallel": "PARALLEL",
    "crossover": "CROSSOVER",
    "factorial": "FACTORIAL",
    "sequential": "SEQUENTIAL",
}
PURPOSES: Final = {
    "treatment": "TREATMENT",
    "prevention": "PREVENTION",
    "diagnostic": "DIAGNOSIS",
    "supportive_care": "SUPPORTIVE CARE",
    "screening": "SCREENING",
    "health_services_research": "HEALTH SERVICES RESEARCH",
    "basic_science": "BASIC SCIENCE",
    "device_feasibility": "DEVICE FEASIBILITY",
    "other": "OTHER",
}
SEXES: Final = {"all": "BOTH", "female": "F", "male": "M"}
YES_NO: Final = {"true": "Y", "false": "N"}
BLINDING: Final = {"none": "OPEN LABEL", "single": "SINGLE BLIND"}
"""The term for a level of masking; everything above single is a double blind."""

_NO_PHASE: Final = "NOT APPLICABLE"
_PHASES: Final = {
    "early_phase_1": "0",
    "phase_1": "I",
    "phase_2": "II",
    "phase_3": "III",
    "phase_4": "IV",
}
_PHASE_TERM: Final = re.compile("PHASE ([0IV/]+) TRIAL")

LABELS: Final = {
    "STYPE": "Study Type",
    "INTMODEL": "Intervention Model",
    "TINDTP": "Trial Intent Type",
    "RANDOM": "Trial is Randomized",
    "TBLIND": "Trial Blinding Schema",
    "PLANSUB": "Planned Number of Subjects",
    "SPONSOR": "Clinical Study Sponsor",
    "SSTDTC": "Study Start Date",
    "SENDTC": "Study End Date",
    "SEXPOP": "Sex of Participants",
    "AGEMIN": "Planned Minimum Age of Subjects",
    "AGEMAX": "Planned Maximum Age of Subjects",
    "HLTSUBJI": "Healthy Subject Indicator",
    "REGID": "Registry Identifier",
}
"""The name of each parameter that is written, by its short name."""

ENDPOINT_LEVELS: Final = {"primary": "Primary", "secondary": "Secondary", "exploratory": "Exploratory"}
TIME_FRAME: Final = "Time frame: "


def phase_term(phases: Sequence[str]) -> str:
    """Return the term for phases, several of which stand as in PHASE I/II TRIAL."""
    numbers = [_PHASES[phase] for phase in phases if phase in _PHASES]
    return f"PHASE {'/'.join(numbers)} TRIAL" if numbers else _NO_PHASE


def phases_of(term: str) -> list[str] | None:
    """Return the phases of a term, None if it is none of those that `phase_term` writes."""
    found = _PHASE_TERM.fullmatch(term)
    names = reverse(_PHASES)
    numbers = found[1].split("/") if found else []
    if numbers and all(number in names for number in numbers):
        return [names[number] for number in numbers]
    return ["not_applicable"] if term == _NO_PHASE else None


def reverse(terms: Mapping[str, str]) -> dict[str, str]:
    """Return our word for each term."""
    return {term: word for word, term in terms.items()}
