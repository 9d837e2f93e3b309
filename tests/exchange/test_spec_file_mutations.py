"""An API record that agrees with itself has no finding; a seeded contradiction is found alone, and quoted."""

from __future__ import annotations

import json

import pytest

from .registry_files import changed, findings_of, written

TITLE = "identificationModule.officialTitle"
SUMMARY = "descriptionModule.briefSummary"
TEXT = "descriptionModule.detailedDescription"
CRITERIA = "eligibilityModule.eligibilityCriteria"
INFO = "designModule.designInfo"
STATUS = "statusModule"
ARM = "armsInterventionsModule.armGroups.0"
ZINC_ARM = {"label": "Zinc", "type": "ACTIVE_COMPARATOR", "interventionNames": ["Drug: Zinc"]}
ZINC = {"type": "DRUG", "name": "Zinc", "armGroupLabels": ["Zinc"]}
PRIMARY = "outcomesModule.primaryOutcomes"

SEEDS = [
    ({"eligibilityModule.minimumAge": "16 Years"}, "REC-AGE"),
    ({"eligibilityModule.maximumAge": None}, "REC-AGE"),
    ({CRITERIA: ("18 to 70 years of age", "≥ 21 years of age")}, "REC-AGE"),
    ({CRITERIA: ("18 to 70 years of age", "older than 17 years and younger than 71 years")}, None),
    ({CRITERIA: ("18 to 70 years of age", "18-75 yrs old")}, "REC-AGE"),
    ({SUMMARY: ("aged 18 to 70 years", "between the ages of 18 and 65")}, "REC-AGE"),
    ({SUMMARY: ("aged 18 to 70 years", "(mean age 40 to 50 years)")}, None),
    ({"eligibilityModule.stdAges": ["ADULT"]}, "REC-AGE"),
    ({CRITERIA: ("Men and women 18", "Women 18")}, "REC-SEX"),
    ({"eligibilityModule.sex": "FEMALE"}, "REC-SEX"),
    ({CRITERIA: ("* Chronic insomnia", "* Healthy volunteers\n* Chronic insomnia")}, "REC-HEALTHY"),
    ({SUMMARY: ("insomnia for 6 months or longer", "an illness duration of 2 to 9 years")}, "REC-DURATION"),
    ({SUMMARY: ("insomnia for 6 months or longer", "Insomnia Severity Index scores of at least "
        "12")}, "REC-SCORE"),
    ({SUMMARY: ("insomnia for 6 months or longer", "an Insomnia Severity Index of at least 15")}, None),
    ({SUMMARY: ("insomnia for 6 months or longer", "a BMI between 18 and 35 kg/m2")}, "REC-SCORE"),
    ({TEXT: ("four centers", "eleven centers")}, "REC-SITES"),
    ({TEXT: ("four centers", "approximately 5 centers")}, None),
    ({TEXT: ("two countries", "5 countries")}, "REC-SITES"),
    ({TEXT: ("at four centers", "as a single-center study")}, "REC-SITES"),
    ({TEXT: ("A total of 60", "A total of 120")}, "REC-ENROLMENT"),
    ({TEXT: ("A total of 60 participants will be", "61 participants were")}, "REC-ENROLMENT"),
    ({"designModule.enrollmentInfo": {"count": 90, "type": "ACTUAL"}}, "REC-ENROLMENT"),
    ({"designModule.phases": ["PHASE3"]}, "REC-PHASE"),
    ({"designModule.phases": ["PHASE2", "PHASE3"]}, "REC-PHASE"),
    ({SUMMARY: ("phase II trial", "phase IIb trial")}, None),
    ({SUMMARY: ("phase II trial", "phase I/II trial")}, "REC-PHASE"),
    ({f"{INFO}.allocation": "NON_RANDOMIZED"}, "REC-ALLOCATION"),
    ({TEXT: ("1:1", "2:1:1")}, "REC-RATIO"),
    ({SUMMARY: ("This phase", "Randomized 2:1, this phase")}, "REC-RATIO"),
    ({f"{INFO}.maskingInfo": {"masking": "NONE"}}, "REC-MASKING"),
    ({f"{INFO}.maskingInfo.masking": "TRIPLE"}, "REC-MASKING"),
    ({TITLE: ("Double-Blind", "Open-Label")}, "REC-MASKING"),
    ({SUMMARY: ("This phase", "This single-blind phase")}, "REC-MASKING"),
    ({f"{INFO}.interventionModel": "CROSSOVER"}, "REC-MODEL"),
    ({TITLE: ("Parallel-Group", "Crossover")}, "REC-MODEL"),
    ({f"{INFO}.interventionModel": "SINGLE_GROUP", TITLE: ("Parallel-Group ", "")}, "REC-MODEL"),
    ({TEXT: ("two treatment groups", "three treatment groups")}, "REC-ARMS"),
    ({TITLE: ("Parallel-Group", "3-arm")}, "REC-ARMS"),
    ({"armsInterventionsModule.armGroups.1.type": "ACTIVE_COMPARATOR"}, "REC-ARM-TYPE"),
    ({"armsInterventionsModule.armGroups.0.interventionNames": ["Drug: Zinc"]}, "REC-ARM-LINK"),
    ({"armsInterventionsModule.interventions.0.armGroupLabels": ["Iron"]}, "REC-ARM-LINK"),
    (
        {
            "armsInterventionsModule.armGroups.1": ZINC_ARM,
            "armsInterventionsModule.interventions.1": ZINC,
        },
        "REC-PLACEBO",
    ),
    ({f"{PRIMARY}.0.timeFrame": "Week 24"}, "REC-OUTCOME-TIME"),
    ({f"{PRIMARY}.0.measure": ("Week 12", "Week 16")}, "REC-OUTCOME-TIME"),
    ({f"{PRIMARY}.1.timeFrame": "1 year"}, "REC-OUTCOME-TIME"),
    ({f"{PRIMARY}.1.description": "Seen by a 24-hour recording at 12 weeks"}, None),
    ({TEXT: ("ISI at week 12", "ISI at 9 months")}, "REC-OUTCOME-TIME"),
    ({"outcomesModule.secondaryOutcomes.0.measure": "Adverse events within 12 months"}, "REC-OUTCOME-TIME"),
    ({SUMMARY: ("This phase", "With a follow-up of 2 years, this phase")}, "REC-FOLLOW-UP"),
    ({TITLE: ("Study of Magnesium", "Study of Magnesium in Children")}, "REC-AGE"),
    ({TITLE: ("Phase 2", "8-Week, Phase 2")}, "REC-STUDY-LENGTH"),
    ({f"{ARM}.description": "One capsule daily for 3 months"}, None),
    ({f"{ARM}.description": "One pill daily for 6 weeks"}, "REC-TREATMENT-LENGTH"),
    ({TITLE: ("Phase 2", "26-Week, Phase 2")}, None),
    ({SUMMARY: ("This phase", "This open-label phase")}, "REC-MASKING"),
    ({SUMMARY: ("This phase", "With an open-label part 2, this phase")}, None),
    ({SUMMARY: ("This phase", "This non-randomized phase")}, "REC-ALLOCATION"),
    ({f"{STATUS}.startDateStruct.date": "2019-08"}, "REC-DATES"),
    ({f"{STATUS}.lastUpdatePostDateStruct.date": "2017-02-04"}, "REC-DATES"),
    ({f"{STATUS}.overallStatus": "RECRUITING"}, "REC-STATUS"),
    ({f"{STATUS}.overallStatus": "WITHDRAWN"}, "REC-STATUS"),
    ({f"{STATUS}.completionDateStruct.type": "ESTIMATED"}, "REC-STATUS"),
    ({f"{STATUS}.completionDateStruct.date": "2024-01-01"}, "REC-STATUS"),
    ({f"{STATUS}.whyStopped": "No funds"}, "REC-STATUS"),
    ({"armsInterventionsModule.interventions.0.description": "1,5 mg, then 2.5 mg"}, "REC-DECIMALS"),
    ({"armsInterventionsModule.interventions.0.description": "2.5 mg, up to 1,500 mg in weeks 1,2"}, None),
]  # fmt: skip


def test_the_invented_record_agrees_with_itself():
    assert findings_of(changed({})) == []


@pytest.mark.parametrize(("seed", "code"), SEEDS)
def test_spec_a_seeded_contradiction_is_found_alone(seed, code):
    found = findings_of(changed(seed))
    if code == "REC-STATUS":  # a date that no status allows may also be out of order
        found = [finding for finding in found if finding.code != "REC-DATES"]
    assert [finding.code for finding in found] == ([code] if code else [])


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("seed", [seed for seed, code in SEEDS if code])
def test_every_quotation_stands_in_the_file_at_its_line(seed, indent):
    record = changed(seed)
    lines = written(record, indent=indent).split("\n")
    for finding in findings_of(record, indent=indent):
        assert finding.places
        for place in finding.places:
            assert place.quote in lines[place.line - 1]
            assert json.loads(f'"{place.quote}"') if not place.quote.startswith(("{", "[")) else True
