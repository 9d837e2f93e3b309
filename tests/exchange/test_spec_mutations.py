"""A page that agrees with itself has no finding; change a number or word, and its finding appears, alone."""

from __future__ import annotations

import pytest

from .registry_pages import codes_of, findings_of, repaired_page, replaced

PAGE = repaired_page()

MUTATIONS = [
    # (what stands on the page, what is put in its place, the finding)
    ("aged 18-50 years", "aged 18-55 years", "REC-AGE"),
    ("aged 18-50 years", "aged 21 through 50 years", "REC-AGE"),
    ("aged 18-50 years", "between 18 and 60 years old", "REC-AGE"),
    ("aged 18-50 years", "aged ≥16 years", "REC-AGE"),
    ("aged 18-50 years", "twenty to fifty years of age", "REC-AGE"),
    ("2. Age 18 to 50 years", "2. Age 18 to 65 years", "REC-AGE"),
    ("2. Age 18 to 50 years", "2. Aged at least 20 years", "REC-AGE"),
    ("2. Age 18 to 50 years", "2. Patients up to 45 years of age", "REC-AGE"),
    ("18 years to 50 years (Adult)", "18 years to 75 years (Adult, Older Adult)", "REC-AGE"),
    ("18 years to 50 years (Adult)", "18 years and older (Adult, Older Adult)", "REC-AGE"),
    ("(Adult)", "(Child, Adult)", "REC-AGE"),
    ("disease duration of 2-10 years", "disease duration of 2–8 years", "REC-DURATION"),
    ("disease duration of 2-10 years", "disease duration between one and 10 years", "REC-DURATION"),
    ("disease duration of 2-10 years", "disease duration of at least 12 months", "REC-DURATION"),
    ("Disease duration 2 to 10 years", "Duration of disease ≤ 15 years", "REC-DURATION"),
    ("Status Scale score of 3.0-6.5", "Status Scale score of 3.0—7.0", "REC-SCORE"),
    ("Status Scale score of 3.0-6.5", "Status Scale (EDSS) score between 2 and 6.5", "REC-SCORE"),
    ("EDSS 3.0 to 6.5", "EDSS 3.0 through 5.5", "REC-SCORE"),
    ("EDSS 3.0 to 6.5", "EDSS ≤ 5.5", "REC-SCORE"),
    ("at one site", "at 12 centres", "REC-SITES"),
    ("at one site", "as a multicentre study", "REC-SITES"),
    ("at one site", "at one site in three countries", "REC-SITES"),
    ("        • Karolinska Institute, Karolinska University Hospital Solna",
     "        • Karolinska Institute\n        • A second hospital", "REC-SITES"),
    ("The collaboration runs", "Twelve patients were randomised. It runs", "REC-ENROLMENT"),
    ("randomised phase 1/2 trial", "randomised phase II trial", "REC-PHASE"),
    ("Phase 1/2 Trial of", "Phase 3 Trial of", "REC-PHASE"),
    ("  • Phase 1\n", "", "REC-PHASE"),
    ("  • Phase 2\n  • Phase 1\n", "  • Phase 4\n", "REC-PHASE"),
    ("a randomised phase", "a non-randomised phase", "REC-ALLOCATION"),
    ("Allocation: Randomized", "Allocation: Non-Randomized", "REC-ALLOCATION"),
    ("(1:1, at random)", "(allocated 2:1:1)", "REC-RATIO"),
    ("Masking: Quadruple", "Masking: Double (Participant, Investigator, Outcomes Assessor)", "REC-MASKING"),
    ("is a placebo-controlled crossover", "is an open-label, placebo-controlled crossover", "REC-MASKING"),
    ("is a placebo-controlled crossover", "is a triple-blind, placebo-controlled crossover", None),
    ("is a placebo-controlled crossover:", "is a placebo-controlled parallel-group trial:", "REC-MODEL"),
    ("Crossover Assignment", "Single Group Assignment", "REC-MODEL"),
    ("half of the participants", "in three arms, half of the participants", "REC-ARMS"),
    ("Active Comparator: Delayed treatment with mesenchymal stem cells\n", "Active Comparator: "
        "Placebo\n", None),
    ("  • Study Start", "  • Study Start", None),
    ("Time Frame: 24 weeks\n", "Time Frame: 36 weeks\n", "REC-OUTCOME-TIME"),
    ("should be fewer over 24 weeks", "should be fewer over 6 weeks", "REC-OUTCOME-TIME"),
    ("should be fewer over 24 weeks", "should be fewer over two years", "REC-OUTCOME-TIME"),
    ("First signs of efficacy,", "First signs of efficacy at month 3,", "REC-OUTCOME-TIME"),
    ("lesions seen at weeks 4, 12 and 24,", "lesions seen at weeks 4, 12 and 36,", "REC-OUTCOME-TIME"),
    ("both have a last follow-up visit at week 48", "both have a last follow-up visit at week "
        "60", "REC-FOLLOW-UP"),
    ("The follow-up visit at week 48 is the last.", "They are followed for two years.", "REC-FOLLOW-UP"),
    ("February 1, 2013", "February 1, 2020", "REC-DATES"),
    ("November 20, 2021", "March 2019", "REC-DATES"),
    ("November 21, 2012", "October 2, 2012", "REC-DATES"),
    ("November 20, 2021", "November 20, 2031", "REC-STATUS"),
    ("Study Completion (Actual)", "Study Completion (Estimated)", "REC-STATUS"),
    ("Enrollment (Actual)", "Enrollment (Estimated)", "REC-STATUS"),
    ("\nCompleted\n", "\nRecruiting\n", "REC-STATUS"),
    ("\n2\n\nPhase", "\n0\n\nPhase", "REC-STATUS"),
    ("1.5 T", "1,5 T", "REC-DECIMALS"),
    ("EDSS 3.0 to 6.5", "EDSS 3·0 to 6·5", "REC-DECIMALS"),
    ("Accepts Healthy Volunteers\n\nNo", "Accepts Healthy Volunteers\n\nNo\n\nSexes Eligible for "
        "Study\n\nAll", None),
    ("3. Disease duration", "3. Healthy volunteers; disease duration", "REC-HEALTHY"),
]  # fmt: skip
MUTATIONS = [mutation for mutation in MUTATIONS if mutation[0] != "  • Study Start"]


def test_the_repaired_page_agrees_with_itself():
    assert findings_of(PAGE) == []


@pytest.mark.parametrize(("old", "new", "code"), MUTATIONS)
def test_spec_one_changed_word_gives_one_finding(old, new, code):
    assert codes_of(replaced(PAGE, old, new)) == ([code] if code else [])
