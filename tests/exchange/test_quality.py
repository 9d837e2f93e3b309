"""A record that a reviewer would accept has no finding; one thing wrong in it is found, alone, and quoted."""

from __future__ import annotations

import json
from functools import cache

import pytest

from equipoise.exchange.registry.findings import ADVISORY_COMMENT, MAJOR_COMMENT, Finding
from equipoise.exchange.registry.quality import RULES, review
from equipoise.exchange.registry.quality.lengths import LIMITS
from equipoise.exchange.registry.read_json import read_json
from equipoise.exchange.registry.source import Source
from tests.exchange.quality_files import (
    BASELINE,
    CLEAN,
    EVENTS,
    FLOW,
    MEASURES,
    P,
    R,
    denominators,
    groups,
    milestones,
    review_of,
    with_changes,
)
from tests.exchange.results_trials import trial

STATUS = f"{P}.statusModule"
DESIGN = f"{P}.designModule"
ARMS = f"{P}.armsInterventionsModule"
OUTCOMES = f"{P}.outcomesModule"
SECONDARY = f"{OUTCOMES}.secondaryOutcomes.0"
FIRST = f"{OUTCOMES}.primaryOutcomes.1"
TEXT = f"{P}.descriptionModule.detailedDescription"
TITLE = f"{P}.identificationModule.briefTitle"
CRITERIA = f"{P}.eligibilityModule.eligibilityCriteria"
NO_RESULTS: dict[str, object] = {R: None, "hasResults": False, f"{STATUS}.resultsFirstSubmitDate": None}
OPEN: dict[str, object] = {
    f"{STATUS}.overallStatus": "RECRUITING",
    f"{STATUS}.primaryCompletionDateStruct": {"date": "2022-06-30", "type": "ESTIMATED"},
    f"{STATUS}.completionDateStruct": {"date": "2022-09-30", "type": "ESTIMATED"},
    f"{DESIGN}.enrollmentInfo": {"count": 60, "type": "ESTIMATED"},
    f"{P}.contactsLocationsModule.centralContacts": [{"name": "An invented nurse", "role": "CONTACT"}],
    **NO_RESULTS,
}


def secondary(measure: str, frame: str = "Up to 6 months", **more: str) -> dict[str, object]:
    """Another secondary outcome in place of the one that is there, in a record without results."""
    return {**NO_RESULTS, SECONDARY: {"measure": measure, "timeFrame": frame, **more}}


def primary(measure: str, frame: str, **more: str) -> dict[str, object]:
    return {**NO_RESULTS, FIRST: {"measure": measure, "timeFrame": frame, **more}}


def cell(measure: int, group: int, **values: object) -> dict[str, object]:
    place = f"{MEASURES}.{measure}.classes.0.categories.0.measurements.{group}"
    return {f"{place}.{name}": value for name, value in values.items()}


def analysis(**values: str) -> dict[str, object]:
    return {f"{MEASURES}.0.analyses.0.{name}": value for name, value in values.items()}


LONG = "word " * 51 + "x"

SEEDS: list[tuple[dict[str, object], str | None]] = [
    # what every record gives
    ({f"{P}.designModule.designInfo.primaryPurpose": None}, "PRS-MISSING"),
    ({f"{P}.sponsorCollaboratorsModule.responsibleParty": None}, "PRS-MISSING"),
    ({f"{P}.oversightModule.isFdaRegulatedDrug": None}, "PRS-MISSING"),
    ({f"{P}.oversightModule.oversightHasDmc": None}, None),
    ({f"{ARMS}.armGroups.0.interventionNames": None, f"{ARMS}.interventions.0.armGroupLabels": ["Placebo"]},
     "PRS-ARM-IDLE"),
    ({f"{ARMS}.armGroups.0.interventionNames": None}, None),
    ({f"{ARMS}.armGroups.0.type": "NO_INTERVENTION"}, "PRS-ARM-BUSY"),
    ({f"{ARMS}.interventions.0.armGroupLabels": None,
      f"{ARMS}.armGroups.0.interventionNames": ["Drug: Placebo"], f"{ARMS}.armGroups.0.type": "OTHER"},
     "PRS-INTERVENTION-UNUSED"),
    ({f"{DESIGN}.designInfo.maskingInfo.whoMasked": None}, "PRS-MASKING-WHO"),
    # outcomes
    ({**NO_RESULTS, f"{OUTCOMES}.primaryOutcomes": None}, "PRS-OUTCOME-NONE"),
    (secondary("Safety"), "PRS-OUTCOME-VAGUE"),
    (secondary("Safety and Tolerability of Magnesium"), "PRS-OUTCOME-VAGUE"),
    (secondary("Long-term efficacy, safety (overall)"), "PRS-OUTCOME-VAGUE"),
    (secondary("Secondary Outcome 2"), "PRS-OUTCOME-VAGUE"),
    (secondary("Safety as measured by the number of participants with adverse events"), None),
    (secondary("Incidence of adverse events"), None),
    (secondary("To assess the quality of sleep"), "PRS-OUTCOME-AIM"),
    (secondary("Evaluate sleep by actigraphy"), "PRS-OUTCOME-AIM"),
    (secondary("Primary objective: deeper sleep"), "PRS-OUTCOME-AIM"),
    (secondary("Time to first awakening"), None),
    (secondary("Overall survival and quality of life"), "PRS-OUTCOME-SEVERAL"),
    (secondary("Hours of sleep; number of awakenings"), "PRS-OUTCOME-SEVERAL"),
    (secondary("1) hours of sleep 2) awakenings at night"), "PRS-OUTCOME-SEVERAL"),
    (secondary("Composite of mortality and length of stay"), None),
    (secondary("Blood pressure and blood pressure"), None),
    (secondary("PSQI"), "PRS-OUTCOME-ABBREVIATION"),
    (secondary("PSQI", description="Measured with the Pittsburgh Sleep Quality Index."), None),
    (secondary("ISI"), None),
    (secondary("Score on the Epworth Sleepiness Scale"), "PRS-OUTCOME-SCALE"),
    (secondary("Score on the Epworth Sleepiness Scale", description="From 0 to 24, higher is worse."), None),
    (secondary("BMI z-score"), None),
    ({**NO_RESULTS, f"{OUTCOMES}.otherOutcomes": [{"measure": "Sleep LATENCY ", "timeFrame": "12 weeks",
                                                 "description": "Mean over 3 months"}]}, "PRS-OUTCOME-ALIKE"),
    ({**NO_RESULTS, f"{SECONDARY}.timeFrame": None}, "PRS-TIME-NONE"),
    (secondary("Hours of sleep", "End of study"), "PRS-TIME-VAGUE"),
    (secondary("Hours of sleep", "Visit 1"), "PRS-TIME-VAGUE"),
    (secondary("Hours of sleep", "through study completion"), "PRS-TIME-VAGUE"),
    (secondary("Hours of sleep", "through study completion, an average of 1 year"), None),
    (secondary("Blood loss", "During surgery"), None),
    (secondary("Hours of sleep", "Baseline"), None),
    (primary("Hours of sleep", "4 weeks, 12 weeks"), "PRS-TIME-SEVERAL"),
    (primary("Change of sleep", "4 weeks, 12 weeks"), None),
    (primary("Hours of sleep", "12 weeks, 3 months"), None),
    (primary("Hours of sleep", "Baseline and 12 weeks"), None),
    # status, contacts, sites
    (OPEN, None),
    ({**OPEN, f"{STATUS}.primaryCompletionDateStruct.date": "2019-12"}, "PRS-DATE-PASSED"),
    ({**OPEN, f"{P}.contactsLocationsModule.centralContacts": []}, "PRS-CONTACT-NONE"),
    ({**OPEN, f"{P}.contactsLocationsModule.locations": [], TEXT: ("at four centers in two countries", "")},
     "PRS-SITE-NONE"),
    ({**OPEN, f"{P}.contactsLocationsModule.locations.0.status": "COMPLETED"}, None),
    ({f"{P}.contactsLocationsModule.locations.0.status": "RECRUITING"}, "PRS-SITE-STATUS"),
    ({f"{STATUS}.resultsFirstSubmitDate": "2019-06-01"}, "PRS-RESULTS-EARLY"),
    ({f"{STATUS}.resultsFirstSubmitDate": "2021-06-01", f"{P}.oversightModule.isFdaRegulatedDrug": True},
     "PRS-RESULTS-LATE"),
    ({f"{STATUS}.resultsFirstSubmitDate": "2021-06-01"}, None),
    # texts
    ({TEXT: ("60 participants will be", "60 participants, as we plan, will be")}, "PRS-PERSON"),
    ({TEXT: ("They take", 'They are asked "How do you sleep?". They take')}, None),
    ({TITLE: "Magnesium for Poor Sleep in CFS"}, "PRS-ACRONYM"),
    ({TITLE: "Magnesium for Poor Sleep in ISI"}, None),
    ({TITLE: "MAGNESIUM FOR POOR SLEEP"}, None),
    ({TEXT: CLEAN[P]["descriptionModule"]["briefSummary"]}, "PRS-DESCRIPTION-REPEATED"),
    ({CRITERIA: "Please contact the site."}, "PRS-CRITERIA-NONE"),
    ({CRITERIA: ("Exclusion Criteria", "Not with")}, "PRS-CRITERIA-HEADS"),
    ({TEXT: ("They take", "Participants will be paid for each visit. They take")}, "PRS-PAYMENT"),
    ({f"{MEASURES}.1.description": "There was no significant difference between arms."}, "PRS-CONCLUSION"),
    ({f"{MEASURES}.1.description": "Results are published in a journal."}, "PRS-CONCLUSION"),
    ({f"{MEASURES}.1.description": "A p-value (p<0.05) is considered significant."}, None),
    ({f"{P}.identificationModule.acronym": "A-LONG-ACRONYM!"}, "PRS-LENGTH"),
    ({**secondary(LONG)}, "PRS-LENGTH"),
    ({f"{MEASURES}.0.description": ("higher is worse", r"\\" * 900)}, None),
    # participant flow and baseline
    ({f"{FLOW}.periods.0.milestones.1.achievements.0.numSubjects": "26",
      f"{FLOW}.periods.1.milestones": milestones((26, 28), (26, 28))}, "PRS-FLOW-SUM"),
    ({f"{FLOW}.periods.0.dropWithdraws.0.reasons.0.numSubjects": "3"}, "PRS-FLOW-REASONS"),
    ({f"{FLOW}.periods.1.milestones": milestones((28, 28), (28, 28))}, "PRS-FLOW-NEXT"),
    ({f"{FLOW}.periods.1.milestones": milestones((28, 28), (28, 28)),
      f"{FLOW}.periods.1.milestones.0.comment": "One came back."}, None),
    ({f"{BASELINE}.denoms": denominators("BG", 28, 29, 57),
      f"{BASELINE}.measures.1.classes.0.categories.1.measurements.0.value": "13",
      f"{BASELINE}.measures.1.classes.0.categories.1.measurements.2.value": "28"}, "PRS-BASELINE-SIZE"),
    ({f"{BASELINE}.measures.0.title": "Height"}, "PRS-BASELINE-DEMOGRAPHY"),
    ({f"{BASELINE}.measures.1.classes.0.categories.1.measurements.2.value": "28"}, "PRS-BASELINE-TOTAL"),
    ({f"{MEASURES}.2.denoms": denominators("OG", 3, 29)}, "PRS-COUNT-EXCEEDS"),
    # outcome data
    ({f"{MEASURES}.2.unitOfMeasure": "mg", f"{MEASURES}.2.paramType": "NUMBER"}, "PRS-UNIT"),
    ({f"{MEASURES}.2.unitOfMeasure": "percentage of participants", f"{MEASURES}.2.paramType": "NUMBER"},
     "PRS-UNIT"),
    ({f"{BASELINE}.measures.0.title": "Age, time since birth"}, None),
    ({**cell(2, 0, value="400"), f"{MEASURES}.2.unitOfMeasure": "percentage of participants",
      f"{MEASURES}.2.paramType": "NUMBER",
      f"{MEASURES}.2.title": "Percentage of Participants With Adverse Events",
      f"{SECONDARY}.measure": "Percentage of Participants With Adverse Events"}, "PRS-PERCENT"),
    ({f"{MEASURES}.0.dispersionType": None, **cell(0, 0, spread=None), **cell(0, 1, spread=None)},
     "PRS-DISPERSION-NONE"),
    ({f"{MEASURES}.0.paramType": "MEDIAN"}, "PRS-DISPERSION-UNFIT"),
    (cell(0, 0, spread="-4.0"), "PRS-SPREAD"),
    (cell(1, 0, lowerLimit="36"), "PRS-SPREAD"),
    (cell(1, 0, value="38"), "PRS-OUTSIDE"),
    ({f"{BASELINE}.measures.0.classes.0.categories.0.measurements.0.value": "19.5"}, "PRS-OUTSIDE"),
    (cell(1, 0, value="see publication"), "PRS-WORDS"),
    (cell(1, 0, value="NA"), "PRS-WORDS"),
    (cell(1, 0, value="NA", comment="Too few events."), None),
    ({f"{MEASURES}.0.description": "The index of insomnia."}, "PRS-SCALE"),
    ({f"{MEASURES}.1.denoms": denominators("OG", 59, 28)}, "PRS-ANALYSED"),
    ({f"{MEASURES}.1.denoms": denominators("OG", 0, 28)}, "PRS-NOBODY"),
    ({f"{MEASURES}.1.denoms": denominators("OG", 0, 28), f"{MEASURES}.1.populationDescription": "None left."},
     None),
    ({f"{MEASURES}.2.title": "Number of Participants With Events", f"{MEASURES}.2.type": "POST_HOC"},
     "PRS-UNREPORTED"),
    ({f"{OUTCOMES}.secondaryOutcomes": []}, "PRS-UNREGISTERED"),
    (analysis(pValue="1.2"), "PRS-P-VALUE"),
    (analysis(pValue="=0.04"), None),
    (analysis(ciLowerLimit="-1.0", ciUpperLimit="-6.0"), "PRS-INTERVAL"),
    (analysis(paramValue="3.9"), "PRS-INTERVAL"),
    (analysis(paramValue="-6.05"), None),
    # adverse events
    ({EVENTS: None}, "PRS-EVENTS-NONE"),
    ({f"{EVENTS}.timeFrame": None}, "PRS-EVENTS-NONE"),
    ({f"{EVENTS}.otherEvents.0.stats.0.numAtRisk": 2}, "PRS-EVENTS-AT-RISK"),
    ({f"{EVENTS}.eventGroups.0.otherNumAffected": 2}, "PRS-EVENTS-TOTAL"),
    ({f"{EVENTS}.eventGroups.0.seriousNumAffected": 2}, "PRS-EVENTS-TOTAL"),
    ({f"{EVENTS}.eventGroups.0.otherNumAtRisk": 59}, "PRS-EVENTS-STARTED"),
    ({f"{EVENTS}.frequencyThreshold": None}, "PRS-EVENTS-THRESHOLD"),
    ({f"{EVENTS}.frequencyThreshold": "10"}, "PRS-EVENTS-THRESHOLD"),
]  # fmt: skip
OBSERVED = {
    f"{DESIGN}.studyType": "OBSERVATIONAL",
    f"{DESIGN}.designInfo": {"observationalModel": "COHORT", "timePerspective": "PROSPECTIVE"},
    f"{P}.eligibilityModule.studyPopulation": "People who sleep badly",
    f"{P}.eligibilityModule.samplingMethod": "NON_PROBABILITY_SAMPLE",
}
ELSEWHERE = [
    # Found beside a contradiction, which is found as well.
    ({**OBSERVED, TITLE: "A Randomised Look at Sleep"}, "PRS-OBSERVATION-RANDOMISED"),
    ({f"{ARMS}.armGroups.1.label": "Magnesium"}, "PRS-ARM-ALIKE"),
    ({**OPEN, f"{P}.contactsLocationsModule.locations": [{"city": "Lund", "status": "COMPLETED"}]},
     "PRS-SITE-STATUS"),
    ({f"{FLOW}.groups": groups("FG", "Magnesium", "Placebo", "Zinc"),
      f"{FLOW}.periods": [{"title": "All", "milestones": milestones((29, 20, 9), (29, 20, 9))}]},
     "PRS-FLOW-GROUPS"),
]  # fmt: skip


RECORDS = [(with_changes(CLEAN, changes), code) for changes, code in SEEDS]


@cache
def seeded(place: int) -> list[Finding]:
    return review_of(RECORDS[place][0])


def codes(changes: dict[str, object]) -> list[str]:
    return [finding.code for finding in review_of(with_changes(CLEAN, changes))]


def test_the_invented_record_is_accepted():
    assert codes({}) == []


@pytest.mark.parametrize("place", range(len(SEEDS)), ids=lambda place: f"{place}-{SEEDS[place][1]}")
def test_spec_one_thing_wrong_is_found_alone_and_quoted(place):
    record, code = RECORDS[place]
    assert [finding.code for finding in seeded(place)] == ([code] if code else [])
    lines = json.dumps(record, indent=1, ensure_ascii=False).split("\n")
    for finding in seeded(place):
        assert finding.places
        assert all(quoted.quote in lines[quoted.line - 1] for quoted in finding.places)
        assert finding.remedy and finding.message == f"{finding.sentence} {finding.remedy}"


@pytest.mark.parametrize(("changes", "code"), ELSEWHERE)
def test_spec_it_is_found_beside_a_contradiction(changes, code):
    assert code in codes(changes)


def test_every_rule_has_its_example():
    shown = {code for _, code in (*SEEDS, *ELSEWHERE) if code}
    assert {rule.code for rule in RULES} - {"PRS-LENGTH"} == shown - {"PRS-LENGTH"}
    assert len({rule.code for rule in RULES}) == len(RULES)


def test_spec_a_finding_is_major_or_advisory():
    found = {finding.code: finding.comment for place in range(len(SEEDS)) for finding in seeded(place)}
    assert found["PRS-OUTCOME-VAGUE"] == found["PRS-COUNT-EXCEEDS"] == MAJOR_COMMENT
    assert found["PRS-PERSON"] == ADVISORY_COMMENT


def test_the_same_is_found_in_a_line_as_in_a_file():
    for place in range(0, len(SEEDS), 5):
        in_a_line = [finding.message for finding in review_of(RECORDS[place][0], indent=None)]
        assert in_a_line == [finding.message for finding in seeded(place)]


def test_what_is_lost_of_a_record_is_not_missing_in_it():
    text = json.dumps(CLEAN)
    findings = review(read_json(Source(text[: text.index('"outcomesModule"')])))
    assert [finding.code for finding in findings] == ["REC-INCOMPLETE"]


def test_published_the_limits_are_those_of_the_data_element_definitions():
    assert {
        "brief title": 300,
        "official title": 600,
        "acronym": 14,
        "unique protocol identification number": 30,
        "brief summary": 5000,
        "detailed description": 32000,
        "intervention name": 200,
        "intervention description": 1000,
        "outcome description": 999,
        "eligibility criteria": 20000,
    }.items() <= {limit.element: limit.characters for limit in LIMITS}.items()


@pytest.mark.parametrize(("field", "most"), [("briefTitle", 300), ("officialTitle", 600), ("acronym", 14)])
def test_spec_a_text_may_be_as_long_as_its_limit(field, most):
    for more, expected in ((0, []), (1, ["PRS-LENGTH"])):
        text = ("Sleep " * 200)[: most + more].strip().ljust(most + more, "x")
        found = [code for code in codes({f"{P}.identificationModule.{field}": text}) if code == "PRS-LENGTH"]
        assert found == expected


@pytest.mark.parametrize("kind", ["crossover", "parallel", "single"])
def test_the_results_of_a_rehearsed_trial_are_accepted(kind):
    _, _, record = trial(kind)
    places = [place for finding in review_of(record) for place in finding.places]
    assert [place for place in places if "resultsSection" in place.section] == []
