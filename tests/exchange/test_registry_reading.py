"""Reading: the layout of pages with every section, API leaves, criteria, places, cut records."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.exchange.registry import draft_values, find_contradictions, placed_passages
from equipoise.exchange.registry.json_tree import leaves, scan
from equipoise.exchange.registry.read_json import read_json
from equipoise.exchange.registry.read_page import read_page
from equipoise.exchange.registry.source import Source

from .registry_files import RECORD, changed, findings_of, written
from .registry_pages import repaired_page

FULL_PAGE = """Magnesium for Sleep

NCT00000000

March 4, 2020 updated by: An Invented Hospital

A Randomized Study of Magnesium in Adults

It asks whether magnesium helps people to sleep.

Study Overview

Status

Terminated

Conditions

  • Insomnia
  • Restless Legs

Intervention / Treatment

  • Drug: Magnesium
  • Drug: Placebo

Study Type

Interventional

Enrollment (Actual)

40

Phase

  • Not Applicable

Contacts and Locations

This section provides the contact details for whoever conducts the study.

Study Contact

  • Name: Priya Rao, MD
  • Phone Number: +46 8 123 456
  • Email: priya@example.org

Study Locations

  • Denmark
      • Odense, Denmark, 5000
          • Second Hospital
          • Third Hospital
  • United States
      • Ohio
          • Toledo, Ohio, United States, 43604
              • Fourth Hospital

Participation Criteria

Eligibility Criteria

Ages Eligible for Study

18 years and older (Adult, Older Adult)

Accepts Healthy Volunteers

No

Sexes Eligible for Study

All

Sampling Method

Non-Probability Sample

Description

Inclusion Criteria:

  • Poor sleep
  • Two of these: (1) long latency (2) early waking (3) daytime sleepiness

Exclusion Criteria:

  • Pregnancy

Study Plan

Design Details

  • Primary Purpose: Treatment
  • Allocation: Randomized
  • Interventional Model: Parallel Assignment
  • Masking: Double (Participant, Investigator)
  • A Line: nobody knows

Arms and Interventions

Participant Group / Arm
Intervention / Treatment
Experimental: Magnesium
One capsule each night
Drug: Magnesium
Capsule of 300 mg
Other Names:
  • Mg
Placebo Comparator: Placebo
Drug: Placebo
Capsule without magnesium

What is the study measuring?

Primary Outcome Measures

Outcome Measure
Measure Description
Time Frame
Sleep latency
Time Frame: Week 12
Mean of a week
Week 12
Wakes
Time Frame: 12 weeks
12 weeks

Other Outcome Measures

Outcome Measure
Time Frame
Mood
Day 3

Collaborators and Investigators

Sponsor

An Invented Hospital

Collaborators

Another Hospital

Investigators

  • Principal Investigator: Priya Rao, MD, An Invented Hospital

Publications and helpful links

General Publications

  • Rao P. Sleep. 2019.

Study record dates

Study Major Dates

Study Start (Actual)

January 2, 2018

Study Completion (Actual)

February 2019

Last Verified

March 1, 2020

More Information

Terms related to this study

Keywords

  • sleep
  • magnesium

Plan for Individual participant data (IPD)

Plan to Share Individual Participant Data (IPD)?

NO

Clinical Trials on Insomnia
"""


@pytest.fixture(scope="module")
def full():
    return read_page(Source(FULL_PAGE))


def test_a_page_with_every_section_is_understood(full):
    assert [passage.text for passage in full.not_understood] == ["A Line: nobody knows"]
    assert full.incomplete is None
    assert find_contradictions(full) == []


def test_the_values_of_a_full_page(full):
    values: Any = draft_values(full)
    assert values["title"] == "Magnesium for Sleep"
    assert values["identifiers"] == {"nct_id": "NCT00000000", "sponsor_id": None, "others": []}
    assert values["brief_summary"] == "It asks whether magnesium helps people to sleep."
    assert values["conditions"] == ["Insomnia", "Restless Legs"]
    assert values["keywords"] == ["sleep", "magnesium"]
    assert (values["sponsor"], values["collaborators"]) == ("An Invented Hospital", ["Another Hospital"])
    official = {
        "name": "Priya Rao, MD",
        "role": "Principal Investigator",
        "affiliation": "An Invented Hospital",
    }
    assert values["officials"] == [official]
    assert [(one["facility"], one["country"]) for one in values["locations"]] == [
        ("Second Hospital", "Denmark"),
        ("Third Hospital", "Denmark"),
        ("Fourth Hospital", "United States"),
    ]
    assert values["masking"]["parties"] == ["participant", "investigator"]
    assert [(arm["name"], arm["interventions"]) for arm in values["arms"]] == [
        ("Magnesium", ["Magnesium"]),
        ("Placebo", ["Placebo"]),
    ]
    assert [(one["name"], one["text"], one["other_names"]) for one in values["interventions"]] == [
        ("Magnesium", "Capsule of 300 mg", ["Mg"]),
        ("Placebo", "Capsule without magnesium", []),
    ]
    assert [(one["measure"], one["time_frame"]) for one in values["outcomes"]] == [
        ("Sleep latency", "Week 12"),
        ("Wakes", "12 weeks"),
        ("Mood", "Day 3"),
    ]
    assert values["dates"]["start"] == "2018-01-02" and values["dates"]["completion"] == "2019-02"
    assert values["eligibility"]["minimum_age"] == "18 years" and values["eligibility"]["maximum_age"] is None
    assert [one["id"] for one in values["criteria"]] == ["I1", "I2", "E1"]
    assert [item["text"] for item in values["criteria"][1]["items"]] == [
        "long latency",
        "early waking",
        "daytime sleepiness",
    ]


def test_sections_carry_their_heading_path(full):
    masking = full.design.info.masking_info.masking
    assert masking.section == "Study Plan > Design Details > Masking"
    assert full.lines[masking.line - 1].endswith("Masking: Double (Participant, Investigator)")


def test_criteria_are_numbered_within_their_category_with_sub_items():
    criteria = read_json(Source(written(changed({})))).eligibility.criteria
    assert [one.id for one in criteria] == ["I1", "I2", "I3", "I4", "E1", "E2", "E3"]
    assert [(item.id, item.number, item.text.text) for item in criteria[5].items] == [
        ("E2.1", "1", "known, or"),
        ("E2.2", "2", "planned"),
    ]
    assert {one.text.section for one in criteria} == {"protocolSection.eligibilityModule.eligibilityCriteria"}


@pytest.mark.requirement("R30")
def test_what_the_model_does_not_know_is_not_understood():
    record = json.loads(json.dumps(RECORD))
    record["protocolSection"]["designModule"]["weather"] = ["fair", {"wind": 3}]
    record["extra"] = None
    left = read_json(Source(written(record))).not_understood
    assert [(one.section, one.text) for one in left] == [
        ("protocolSection.designModule.weather[0]", "fair"),
        ("protocolSection.designModule.weather[1].wind", "3"),
        ("extra", "null"),
    ]


def test_the_second_of_two_equal_names_is_not_understood():
    text = written(RECORD, indent=None).replace('"sex": "ALL"', '"sex": "ALL", "sex": "MALE"')
    record = read_json(Source(text))
    assert record.eligibility.sex is not None and record.eligibility.sex.text == "ALL"
    assert [one.text for one in record.not_understood] == ["MALE"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1), inner, max_size=3),
    max_leaves=12,
)


def reading_of(node):
    if isinstance(node, dict) and node:
        return [text for value in node.values() for text in reading_of(value)]
    if isinstance(node, list) and node:
        return [text for value in node for text in reading_of(value)]
    return [node if isinstance(node, str) else json.dumps(node)]


@given(json_values, st.sampled_from([None, 2]), st.booleans())
def test_double_the_scanner_reads_what_the_standard_library_reads(value, indent, ascii_only):
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    assert [passage.text for passage in leaves(scan(text).root)] == reading_of(value)


@given(st.integers(min_value=400, max_value=len(written(RECORD)) - 2))
def test_a_file_cut_anywhere_is_read_as_far_as_it_goes(end):
    text = written(RECORD)
    record = read_json(Source(text[:end]))
    assert record.incomplete is not None
    assert "REC-INCOMPLETE" in [finding.code for finding in find_contradictions(record)]
    whole = {passage.text for passage in placed_passages(read_json(Source(text)))}
    # Only the last leaf may be a part of what the whole file says there.
    assert sum(passage.text not in whole for passage in placed_passages(record)) <= 1


def test_a_page_cut_in_half_is_read_with_a_warning():
    text = repaired_page()
    record = read_page(Source(text[: len(text) // 2]))
    findings = find_contradictions(record)
    assert [finding.code for finding in findings] == ["REC-INCOMPLETE"]
    assert findings[0].severity == "warning"
    title = record.identification.brief_title
    assert title is not None and title.text == "Mesenchymal Stem Cells for Multiple Sclerosis"


def test_escapes_in_a_file_are_quoted_as_they_stand():
    seed = {"descriptionModule.briefSummary": ("This phase", 'A "phase 3 ≥ 1" study.\nThis phase')}
    places = findings_of(changed(seed))[0].places
    assert places[0].quote == "phase 3"


def test_sections_and_lines_are_the_same_in_a_file_on_one_line():
    record = read_json(Source(written(RECORD, indent=None)))
    assert {passage.line for passage in placed_passages(record)} == {1}
    assert record.not_understood == ()
