"""An invented API v2 record that agrees with itself, and the writing of records with changes."""

from __future__ import annotations

import copy
import json
from typing import Any

from equipoise.exchange.registry.findings import Finding
from equipoise.exchange.registry.read_json import read_json
from equipoise.exchange.registry.rules import find_contradictions
from equipoise.exchange.registry.source import Source

CRITERIA = """Inclusion Criteria:

* Men and women 18 to 70 years of age
* Chronic insomnia, with a disease duration of at least 6 months
* Insomnia Severity Index (ISI) score ≥15 at screening
* BMI 20 to 35 kg/m2

Exclusion Criteria:

1. Use of sleep medication within 2 weeks before screening
2. Pregnancy:

   1. known, or
   2. planned
3. ISI score > 26"""

RECORD: dict[str, Any] = {
    "protocolSection": {
        "identificationModule": {
            "nctId": "NCT00000000",
            "orgStudyIdInfo": {"id": "CALM-01"},
            "organization": {"fullName": "An invented hospital", "class": "OTHER"},
            "briefTitle": "Magnesium for Poor Sleep",
            "officialTitle": "A Randomized, Double-Blind, Placebo-Controlled, Parallel-Group Phase 2 "
            "Study of Magnesium",
        },
        "statusModule": {
            "overallStatus": "COMPLETED",
            "startDateStruct": {"date": "2018-03", "type": "ACTUAL"},
            "primaryCompletionDateStruct": {"date": "2019-06-30", "type": "ACTUAL"},
            "completionDateStruct": {"date": "2019-09-30", "type": "ACTUAL"},
            "studyFirstSubmitDate": "2018-01-10",
            "studyFirstPostDateStruct": {"date": "2018-01-20", "type": "ACTUAL"},
            "lastUpdateSubmitDate": "2020-02-01",
            "lastUpdatePostDateStruct": {"date": "2020-02-04", "type": "ACTUAL"},
        },
        "descriptionModule": {
            "briefSummary": "This phase II trial compares magnesium with placebo in adults aged 18 to 70 "
            "years with "
            "insomnia for 6 months or longer.",
            "detailedDescription": "A total of 60 participants will be randomly assigned 1:1 to one of "
            "two treatment "
            "groups at four centers in two countries. They take a capsule each night for 12 weeks and "
            "are followed up for "
            "6 months. An earlier open-label phase 3 trial in 400 patients was single-center.\n\nThe "
            "primary endpoint is the "
            "change of the ISI at week 12.",
        },
        "conditionsModule": {"conditions": ["Insomnia"], "keywords": ["sleep"]},
        "designModule": {
            "studyType": "INTERVENTIONAL",
            "phases": ["PHASE2"],
            "designInfo": {
                "allocation": "RANDOMIZED",
                "interventionModel": "PARALLEL",
                "primaryPurpose": "TREATMENT",
                "maskingInfo": {"masking": "DOUBLE", "whoMasked": ["PARTICIPANT", "INVESTIGATOR"]},
            },
            "enrollmentInfo": {"count": 58, "type": "ACTUAL"},
        },
        "armsInterventionsModule": {
            "armGroups": [
                {"label": "Magnesium", "type": "EXPERIMENTAL", "interventionNames": ["Drug: Magnesium"]},
                {"label": "Placebo", "type": "PLACEBO_COMPARATOR", "interventionNames": ["Drug: Placebo"]},
            ],
            "interventions": [
                {
                    "type": "DRUG",
                    "name": "Magnesium",
                    "description": "300 mg",
                    "armGroupLabels": ["Magnesium"],
                },
                {"type": "DRUG", "name": "Placebo", "description": "Capsule", "armGroupLabels": ["Placebo"]},
            ],
        },
        "outcomesModule": {
            "primaryOutcomes": [
                {"measure": "Change of ISI from Baseline to Week 12", "timeFrame": "Baseline and Week 12"},
                {"measure": "Sleep latency", "description": "Mean over 3 months", "timeFrame": "12 weeks"},
            ],
            "secondaryOutcomes": [{"measure": "Adverse events", "timeFrame": "Up to 6 months"}],
        },
        "eligibilityModule": {
            "eligibilityCriteria": CRITERIA,
            "healthyVolunteers": False,
            "sex": "ALL",
            "minimumAge": "18 Years",
            "maximumAge": "70 Years",
            "stdAges": ["ADULT", "OLDER_ADULT"],
        },
        "contactsLocationsModule": {
            "locations": [
                {"facility": "First", "city": "Malmö", "country": "Sweden"},
                {"facility": "Second", "city": "Lund", "country": "Sweden"},
                {"facility": "Third", "city": "Århus", "country": "Denmark"},
                {"facility": "Fourth", "city": "Odense", "country": "Denmark"},
            ]
        },
    },
    "hasResults": False,
}


def changed(changes: dict[str, Any]) -> dict[str, Any]:
    """Return the record with values replaced at dotted paths; None removes."""
    record = copy.deepcopy(RECORD)
    for path, value in changes.items():
        *parents, last = [int(step) if step.isdigit() else step for step in path.split(".")]
        node: Any = record["protocolSection"]
        for step in parents:
            node = node[step]
        if value is None:
            del node[last]
        elif isinstance(value, tuple):
            old, new = value
            assert old in node[last], f"{path} has no {old!r}"
            node[last] = node[last].replace(old, new, 1)
        else:
            node[last] = value
    return record


def written(record: dict[str, Any], *, indent: int | None = 1) -> str:
    return json.dumps(record, indent=indent, ensure_ascii=True)


def findings_of(record: dict[str, Any], *, indent: int | None = 1) -> list[Finding]:
    return find_contradictions(read_json(Source(written(record, indent=indent))))
