"""Trial summary (SDTMIG 7.4.2): the parameters of TS that the definition and the state of the trial know.

A parameter that a reviewer looks for and the definition does not hold is there with a null flavor (ISO
21090): NI, no information, NA, not applicable, or OTH, something that the terminology lacks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from equipoise.analysis.cut import DataCut
from equipoise.analysis.derive import cut_date
from equipoise.definition.countries import alpha_3
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.sdtm.guide import MODEL_VERSION, TEXT_LENGTH_MAX, VERSION
from equipoise.definition.sdtm.naming import cut_text
from equipoise.exchange.datasets.model import Cell
from equipoise.exchange.usdm import terms
from equipoise.exchange.usdm.terms import Codelist, Word

Row = dict[str, Cell]
CDISC = "CDISC CT"

PARAMETERS: Mapping[str, str] = {
    "TITLE": "Trial Title",
    "SPONSOR": "Clinical Study Sponsor",
    "REGID": "Registry Identifier",
    "STYPE": "Study Type",
    "TTYPE": "Trial Type",
    "TPHASE": "Trial Phase Classification",
    "TINDTP": "Trial Intent Type",
    "INDIC": "Trial Disease/Condition Indication",
    "INTMODEL": "Intervention Model",
    "INTTYPE": "Intervention Type",
    "TRT": "Investigational Therapy or Treatment",
    "COMPTRT": "Comparative Treatment Name",
    "TCNTRL": "Control Type",
    "TBLIND": "Trial Blinding Schema",
    "RANDOM": "Trial is Randomized",
    "RANDQT": "Randomization Quotient",
    "STRATFCT": "Stratification Factor",
    "NARMS": "Planned Number of Arms",
    "PLANSUB": "Planned Number of Subjects",
    "ACTSUB": "Actual Number of Subjects",
    "AGEMIN": "Planned Minimum Age of Subjects",
    "AGEMAX": "Planned Maximum Age of Subjects",
    "SEXPOP": "Sex of Participants",
    "HLTSUBJI": "Healthy Subject Indicator",
    "FCNTRY": "Planned Country of Investigational Sites",
    "LENGTH": "Trial Length",
    "SSTDTC": "Study Start Date",
    "SENDTC": "Study End Date",
    "DCUTDTC": "Data Cutoff Date",
    "DCUTDESC": "Data Cutoff Description",
    "OBJPRIM": "Trial Primary Objective",
    "OUTMSPRI": "Primary Outcome Measure",
    "OUTMSSEC": "Secondary Outcome Measure",
    "OUTMSEXP": "Exploratory Outcome Measure",
    "STOPRULE": "Study Stop Rules",
    "ADAPT": "Adaptive Design",
    "ADDON": "Added on to Existing Treatments",
    "DOSE": "Dose per Administration",
    "ROUTE": "Route of Administration",
    "PCLAS": "Pharmacologic Class",
    "SDTIGVER": "SDTM IG Version",
    "SDTMVER": "SDTM Version",
}

# Submission values of CDISC's terminology by the definition's words; their codes are those of USDM's terms.
STUDY_TYPES = {
    "interventional": "INTERVENTIONAL",
    "observational": "OBSERVATIONAL",
    "expanded_access": "EXPANDED ACCESS",
}
PHASES = {
    ("early_phase_1",): "EARLY PHASE I",
    ("phase_1",): "PHASE I TRIAL",
    ("phase_1", "phase_2"): "PHASE I/II TRIAL",
    ("phase_1", "phase_2", "phase_3"): "PHASE I/II/III TRIAL",
    ("phase_1", "phase_3"): "PHASE I/III TRIAL",
    ("phase_2",): "PHASE II TRIAL",
    ("phase_2", "phase_3"): "PHASE II/III TRIAL",
    ("phase_3",): "PHASE III TRIAL",
    ("phase_4",): "PHASE IV TRIAL",
    ("not_applicable",): "NOT APPLICABLE",
}
PURPOSES = {
    "treatment": "TREATMENT",
    "prevention": "PREVENTION",
    "diagnostic": "DIAGNOSIS",
    "supportive_care": "SUPPORTIVE CARE",
    "screening": "SCREENING",
    "health_services_research": "HEALTH SERVICES RESEARCH",
    "basic_science": "BASIC SCIENCE",
    "device_feasibility": "DEVICE FEASIBILITY",
}
MODELS = {
    "single_group": "SINGLE GROUP",
    "parallel": "PARALLEL",
    "crossover": "CROSS-OVER",
    "factorial": "FACTORIAL",
    "sequential": "SEQUENTIAL",
}
INTERVENTIONS = {
    "drug": "DRUG",
    "device": "DEVICE",
    "biological": "BIOLOGIC",
    "procedure": "PROCEDURE",
    "radiation": "RADIATION",
    "behavioral": "BEHAVIORAL THERAPY",
    "genetic": "GENETIC",
    "dietary_supplement": "DIETARY SUPPLEMENT",
    "combination_product": "COMBINATION PRODUCT",
    "diagnostic_test": "DIAGNOSTIC TEST",
}
BLINDING = {"open": "OPEN LABEL", "single": "SINGLE BLIND", "double": "DOUBLE BLIND"}
_MASKINGS = {
    "none": "open",
    "single": "single",
    "double": "double",
    "triple": "double",
    "quadruple": "double",
}
SUB_TYPES = {"efficacy": "EFFICACY", "safety": "SAFETY"}
_SEXES = {"all": "BOTH", "female": "F", "male": "M"}
_ROLES = {"primary": "OUTMSPRI", "secondary": "OUTMSSEC", "exploratory": "OUTMSEXP", "safety": "OUTMSSEC"}


@dataclass(frozen=True, slots=True)
class Found:
    """A value of a parameter; without one, the null flavor says why."""

    parameter: str
    value: str | None
    code: str | None = None
    reference: str | None = None
    flavor: str | None = None


def summary_rows(cut: DataCut) -> list[Row]:
    """The rows of TS, by parameter, several values numbered by TSSEQ."""
    found = [*_identity(cut.definition), *_design(cut.definition), *_treatment(cut.definition)]
    found += [*_people(cut), *_time(cut), *_outcomes(cut.definition)]
    terminology = cut.definition.datasets.terminology if cut.definition.datasets else None
    by_parameter: dict[str, list[Found]] = {name: [] for name in PARAMETERS}
    for each in found:
        by_parameter[each.parameter].append(each)
    rows: list[Row] = []
    for parameter, values in by_parameter.items():
        said = [each for each in values if each.value or each.flavor] or [Found(parameter, None, flavor="NI")]
        for number, each in enumerate(said, start=1):
            row: Row = {
                "TSSEQ": number,
                "TSPARMCD": parameter,
                "TSPARM": PARAMETERS[parameter],
                "TSVAL": each.value and cut_text(" ".join(each.value.split()), TEXT_LENGTH_MAX),
                "TSVALNF": each.flavor,
                "TSVALCD": each.code,
                "TSVCDREF": each.reference,
                "TSVCDVER": terminology if each.reference == CDISC else None,
            }
            rows.append(row)
    return rows


def _coded(parameter: str, values: Mapping[Word, str], codelist: Codelist[Word], word: Word) -> Found:
    """A value of CDISC terminology, or the null flavor OTH where it has no term for what the study says."""
    if word not in values:
        return Found(parameter, None, flavor="OTH")
    return Found(parameter, values[word], codelist[word].code, CDISC)


def _yes(parameter: str, truth: bool) -> Found:
    return Found(parameter, *(("Y", "C49488") if truth else ("N", "C49487")), CDISC)


def _identity(definition: StudyDefinition) -> Iterator[Found]:
    study = definition.study
    yield Found("TITLE", study.official_title or study.title)
    yield Found("SPONSOR", study.sponsor.name)
    for each in study.identifiers:
        yield Found("REGID", each.value, each.value, each.registry)
    for condition in study.conditions:
        yield Found("INDIC", condition)
    yield Found("SDTIGVER", VERSION)
    yield Found("SDTMVER", MODEL_VERSION)


def _design(definition: StudyDefinition) -> Iterator[Found]:
    study, allocation = definition.study, definition.allocation
    yield _coded("STYPE", STUDY_TYPES, terms.STUDY_TYPES, study.type)
    yield _coded("TPHASE", PHASES, terms.PHASES, study.phases)
    yield _coded("TINDTP", PURPOSES, terms.PURPOSES, study.purpose)
    yield _coded("INTMODEL", MODELS, terms.MODELS, study.model)
    yield _coded("TBLIND", BLINDING, terms.BLINDING, _MASKINGS[study.masking.level])
    yield _yes("RANDOM", study.randomised)
    yield Found("NARMS", str(len(study.arms)))
    tested = {each.role for each in definition.analysis.endpoints}
    if tested & {"primary", "secondary"}:
        yield _coded("TTYPE", SUB_TYPES, terms.SUB_TYPES, "efficacy")
    if definition.safety is not None:
        yield _coded("TTYPE", SUB_TYPES, terms.SUB_TYPES, "safety")
    if not study.randomised:
        yield Found("RANDQT", None, flavor="NA")
        yield Found("STRATFCT", None, flavor="NA")
        return
    treated = [arm for arm in allocation.ratio if _investigational(definition, arm)]
    share = sum(allocation.ratio[arm] for arm in treated) / sum(allocation.ratio.values())
    yield Found("RANDQT", f"{share:.4g}")
    factors = [each.id.replace("_", " ").upper() for each in (*allocation.strata, *allocation.factors)]
    for factor in factors:
        yield Found("STRATFCT", factor)
    if not factors:
        yield Found("STRATFCT", None, flavor="NA")


def _investigational(definition: StudyDefinition, arm_id: str) -> bool:
    """Whether an arm is given anything that is under investigation, in any epoch."""
    arm = definition.arm(arm_id)
    return arm is not None and any(
        intervention.id in given and intervention not in _controls(definition)
        for given in arm.cells.values()
        for intervention in definition.study.interventions
    )


def _controls(definition: StudyDefinition) -> list[object]:
    """Placebos, and what only arms of comparison are given where some arm is experimental."""
    study = definition.study
    experimental = [arm for arm in study.arms if arm.type == "experimental"]
    cells = [given for arm in experimental or study.arms for given in arm.cells.values()]
    under_study = {each for given in cells for each in given}
    return [each for each in study.interventions if each.placebo or each.id not in under_study]


def _treatment(definition: StudyDefinition) -> Iterator[Found]:
    study, controls = definition.study, _controls(definition)
    for kind in dict.fromkeys(each.type for each in study.interventions if each not in controls):
        yield _coded("INTTYPE", INTERVENTIONS, terms.INTERVENTION_TYPES, kind)
    for each in study.interventions:
        yield Found("COMPTRT" if each in controls else "TRT", each.name)
    if not controls:
        yield Found("COMPTRT", None, flavor="NA")
    types = {arm.type for arm in study.arms}
    if any(each.placebo for each in study.interventions):
        yield Found("TCNTRL", "PLACEBO", "C49648", CDISC)
    elif "active_comparator" in types and len(study.arms) > 1:
        yield Found("TCNTRL", "ACTIVE", None, CDISC)
    else:
        yield Found("TCNTRL", "NONE", None, CDISC)
    for product in definition.supply.products:
        if product.dose:
            yield Found("DOSE", product.dose)
    constants = [each.constants for each in (definition.datasets.forms if definition.datasets else ())]
    for route in dict.fromkeys(each["EXROUTE"] for each in constants if "EXROUTE" in each):
        yield Found("ROUTE", route, None, CDISC)
    for rule in definition.safety.stopping_rules if definition.safety else ():
        yield Found("STOPRULE", rule)
    interim = definition.sample_size.interim if definition.sample_size else None
    if interim is not None:
        words = f"Interim analyses with boundaries of the family {interim.family}"
        yield Found("STOPRULE", interim.text or words)


def _people(cut: DataCut) -> Iterator[Found]:
    definition = cut.definition
    rules, study = definition.eligibility, definition.study
    enrolled = [each for each in cut.participants if each.randomised_on is not None or not study.randomised]
    yield Found("PLANSUB", str(study.planned_enrolment))
    yield Found("ACTSUB", str(sum(each.status != "failed" for each in enrolled)))
    for parameter, years in (("AGEMIN", rules.age_minimum_years), ("AGEMAX", rules.age_maximum_years)):
        if years is None:
            yield Found(parameter, None, flavor="NA")
        else:
            yield Found(parameter, f"P{years}Y", None, "ISO 8601")
    yield _coded("SEXPOP", _SEXES, {**terms.SEXES, "all": terms.BOTH_SEXES}, rules.sex)
    yield _yes("HLTSUBJI", rules.healthy_volunteers)
    for country in dict.fromkeys(alpha_3(site.country) for site in study.sites):
        yield Found("FCNTRY", country, country, "ISO 3166-1 alpha-3")


def _time(cut: DataCut) -> Iterator[Found]:
    dates, encounters = cut.definition.study.dates, cut.definition.schedule.encounters
    consented = [each.consented_on.isoformat() for each in cut.participants]
    start = dates.start.isoformat() if dates.start else min(consented, default=None)
    yield Found("SSTDTC", start, None, "ISO 8601")
    yield Found("SENDTC", dates.completion.isoformat() if dates.completion else None, None, "ISO 8601")
    yield Found("DCUTDTC", cut_date(cut).isoformat(), None, "ISO 8601")
    locked = "database locked" if cut.locked_at else "database open"
    yield Found("DCUTDESC", f"State of the trial at entry {cut.position} of its record, {locked}")
    days = max((each.day for each in encounters if each.anchor != "consent"), default=0)
    yield Found("LENGTH", f"P{days}D" if days > 0 else None, None, "ISO 8601")


def _outcomes(definition: StudyDefinition) -> Iterator[Found]:
    analysis = definition.analysis
    for each in analysis.endpoints:
        yield Found(_ROLES[each.role], each.title)
        estimand = next((x for x in analysis.estimands if x.id == each.estimand), None)
        if each.role == "primary" and estimand is not None:
            yield Found("OBJPRIM", f"{estimand.treatment}: {estimand.variable}")
    if not any(each.role == "exploratory" for each in analysis.endpoints):
        yield Found("OUTMSEXP", None, flavor="NA")
