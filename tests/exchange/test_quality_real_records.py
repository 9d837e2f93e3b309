"""What a reviewer would send back of the records as the registry publishes them, read by hand."""

from __future__ import annotations

import pytest

from equipoise.exchange.registry import read_record
from equipoise.exchange.registry.quality import RULES, review

from .registry_pages import API_FILES, OWN_PAGE, REAL_PAGE
from .test_spec_real_records import SEVEN, present

# Beside the contradictions: the code, and what of the record it stands for.
PAGE = [
    # Both outcomes begin with "To"; the first describes a co-primary objective with a time of its own.
    ("PRS-OUTCOME-AIM", ["To assess the safety", "To gather preliminary information"]),
    ("PRS-OUTCOME-SEVERAL", ["To assess the safety", "Co-primary objective of the study"]),
]
STAND = {
    "NCT00763412": [
        ("REC-ENROLMENT", ["31", "8"]),
        # Two outcomes are named BMI and CRP, and described nowhere.
        ("PRS-OUTCOME-ABBREVIATION", ["BMI", "CRP"]),
        ("PRS-PERSON", ["we will perform a pilot", "We completed the OGTT"]),
        # The region of enrolment counts 8, 8 and 16 participants, of 4, 4 and 8 in the baseline.
        ("PRS-COUNT-EXCEEDS", ["Region of Enrollment", "16"]),
        # Four participants with a FEV 1 from 92 to 121 have a mean of 99.25 or more, not 97.75.
        ("PRS-OUTSIDE", ["FEV 1", "97.75", "121"]),
    ],
    "NCT02210780": [("REC-ARM-TYPE", ["Placebo qw", "EXPERIMENTAL"])],
    # Summary and description are the same sentences.
    "NCT03475563": [("PRS-DESCRIPTION-REPEATED", ["The BIOSS Lim C pharmacoactive Stent"])],
    "NCT04207047": [
        ("REC-MODEL", ["SINGLE_GROUP", "Group D"]),
        # The titles of the two outcomes are "Primary Outcome" and "Secondary Outcome".
        ("PRS-OUTCOME-VAGUE", ["Primary Outcome", "Secondary Outcome"]),
    ],
}


@pytest.mark.parametrize("path", [OWN_PAGE, REAL_PAGE], ids=["own", "real"])
def test_published_the_page_names_its_seven_contradictions_first(path):
    codes = [finding.code for finding in review(read_record(present(path)))]
    assert codes[:7] == SEVEN
    assert set(codes[7:]) <= {code for code, _ in PAGE} | {"PRS-OUTCOME-VAGUE"}


def test_published_what_stands_of_the_real_page():
    findings = review(read_record(present(REAL_PAGE)))[7:]
    assert_stands(findings, PAGE)


@pytest.mark.parametrize("path", API_FILES, ids=lambda path: path.stem)
def test_published_what_stands_of_a_real_record(path):
    assert_stands(review(read_record(present(path))), STAND[path.stem])


def assert_stands(findings, expected):
    assert [finding.code for finding in findings] == [code for code, _ in expected]
    for finding, (_, quotes) in zip(findings, expected, strict=True):
        quoted = [place.quote for place in finding.places]
        assert [words for words in quotes if not any(words in quote for quote in quoted)] == []


@pytest.mark.parametrize("path", [OWN_PAGE, REAL_PAGE, *API_FILES], ids=lambda path: path.stem)
def test_every_quotation_stands_in_the_record(path):
    lines = present(path).read_text(encoding="utf-8").split("\n")
    for finding in review(read_record(path)):
        assert all(place.quote in lines[place.line - 1] for place in finding.places)


def test_a_page_is_not_asked_for_what_a_copy_of_it_lacks():
    asked = {rule.code for rule in RULES if rule.of_pages}
    assert not asked & {"PRS-MISSING", "PRS-ARM-IDLE", "PRS-CONTACT-NONE", "PRS-MASKING-WHO"}
