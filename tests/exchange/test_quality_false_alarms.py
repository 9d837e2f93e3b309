"""What is no contradiction: sentences as records have them, put into a record that agrees with itself."""

from __future__ import annotations

import pytest

from .registry_files import changed, findings_of

TITLE = "identificationModule.officialTitle"
SUMMARY = "descriptionModule.briefSummary"
TEXT = "descriptionModule.detailedDescription"
CRITERIA = "eligibilityModule.eligibilityCriteria"
PRIMARY = "outcomesModule.primaryOutcomes"
ALONE = {SUMMARY: ("adults aged 18 to 70 years", "adults")}


def told(sentence: str) -> dict[str, object]:
    """The description with another sentence at its beginning."""
    return {TEXT: ("A total", f"{sentence} A total")}


QUIET: list[dict[str, object]] = [
    # ages: strata beside each other, parts of the participants, other people, other things that last years
    {SUMMARY: ("adults aged 18 to 70 years", "30 people aged 18 to 49 years and 30 aged 49 to 70 years")},
    {CRITERIA: ("* Chronic", "* Those over 40 years of age have an electrocardiogram\n* Chronic")},
    {CRITERIA: ("Use of sleep", "Smoking a packet a day for 10 years or more\n2. Use of sleep")},
    told("In this region 16% are over 75 years old."),
    {TITLE: ("Study of Magnesium", "Study of Magnesium at a Department of Pediatric Medicine")},
    {CRITERIA: ("18 to 70 years of age", "at least 18 years of age and at most 70"), **ALONE},
    # how many, where: elsewhere, each, part of them, numbers in words
    told("The habit has spread to 52 countries, with many cases."),
    told("Seven nurses will each recruit 8 participants."),
    told("A total of 12 participants will be asked in focus groups."),
    told("In a study of 173 patients, sleep was found to be short."),
    {TEXT: ("A total of 60 participants", "A hundred and sixty participants"),
     "designModule.enrollmentInfo": {"count": 160, "type": "ACTUAL"}},
    # arms, allocation, masking: cohorts, a first few, other trials, who prepares what is given
    told("They come in three cohorts."),
    told("One intervention group and one control group are randomized."),
    told("A sentinel group of 4 is treated in a non-randomized manner."),
    told("Cohorts are compared where randomized controlled trials are not feasible."),
    told("Capsules are filled by unblinded pharmacists."),
    told("Results will be unblinded at the end."),
    told("The data manager of the study will be unblinded to the groups."),
    # phases, ratios, times
    {"designModule.phases": ["PHASE1", "PHASE2"], TITLE: ("Phase 2 Study", "Study"),
     SUMMARY: ("This phase II trial", "There is a phase 1 study and a phase 2 study, which"),
     TEXT: ("An earlier open-label phase 3 trial in 400 patients was single-center.", "")},
    {f"{PRIMARY}.1.description": "Latency in those with symptoms from day 2"},
    {f"{PRIMARY}.1.description": "Latency at 4 weeks", f"{PRIMARY}.1.timeFrame": "No more than 12 weeks"},
    told("The primary endpoint is the ISI at week 12, and again at 6 months."),
]  # fmt: skip


@pytest.mark.parametrize("place", range(len(QUIET)))
def test_spec_no_false_alarm(place):
    assert [finding.code for finding in findings_of(changed(QUIET[place]))] == []


def test_spec_months_are_not_read_as_years():
    limits = {"minimumAge": "6 Months", "maximumAge": "17 Years", "stdAges": ["CHILD"]}
    changes = {f"eligibilityModule.{name}": value for name, value in limits.items()}
    record = changed(
        {**changes, CRITERIA: ("Men and women 18 to 70 years of age", "Aged 6 months to 17 years"),
         SUMMARY: ("in adults aged 18 to 70 years with", "in")}
    )  # fmt: skip
    assert [finding.code for finding in findings_of(record)] == []


@pytest.mark.parametrize(
    ("seed", "code"),
    [
        # Strata that are not what the field says, a number in words, a text that says both.
        ({SUMMARY: ("aged 18 to 70 years", "aged 18 to 49 years or aged 49 to 80 years")}, "REC-AGE"),
        ({TEXT: ("A total of 60", "Three hundred")}, "REC-ENROLMENT"),
        (told("This is a non-randomized study."), "REC-ALLOCATION"),
        (told("It is an unblinded study."), "REC-MASKING"),
    ],
)
def test_spec_a_contradiction_like_them_is_found(seed, code):
    assert [finding.code for finding in findings_of(changed(seed))] == [code]
