"""An invented record with results in which a reviewer finds nothing, and the same with changes."""

from __future__ import annotations

import copy
import json
from typing import Any

from equipoise.exchange.registry.findings import Finding
from equipoise.exchange.registry.quality import review
from equipoise.exchange.registry.read_json import read_json
from equipoise.exchange.registry.source import Source

from .registry_files import RECORD

P = "protocolSection"
R = "resultsSection"
FLOW = f"{R}.participantFlowModule"
BASELINE = f"{R}.baselineCharacteristicsModule"
MEASURES = f"{R}.outcomeMeasuresModule.outcomeMeasures"
EVENTS = f"{R}.adverseEventsModule"


def per_group(prefix: str, key: str, *values: object) -> list[dict[str, object]]:
    return [{"groupId": f"{prefix}{place}", key: value} for place, value in enumerate(values)]


def groups(prefix: str, *titles: str) -> list[dict[str, str]]:
    return [{"id": f"{prefix}{place}", "title": title} for place, title in enumerate(titles)]


def denominators(prefix: str, *counts: int) -> list[dict[str, object]]:
    return [{"units": "Participants", "counts": per_group(prefix, "value", *map(str, counts))}]


def milestones(started: tuple[int, ...], completed: tuple[int, ...]) -> list[dict[str, object]]:
    left = tuple(a - b for a, b in zip(started, completed, strict=True))
    return [
        {"type": name, "achievements": per_group("FG", "numSubjects", *map(str, numbers))}
        for name, numbers in (("STARTED", started), ("COMPLETED", completed), ("NOT COMPLETED", left))
    ]


def row(*cells: Any, title: str = "") -> dict[str, object]:
    named = {"title": title} if title else {}
    return {"categories": [{**named, "measurements": list(cells)}]}


ARMS = ("Magnesium", "Placebo")
RESULTS: dict[str, Any] = {
    "participantFlowModule": {
        "groups": groups("FG", *ARMS),
        "periods": [
            {
                "title": "Treatment",
                "milestones": milestones((29, 29), (27, 28)),
                "dropWithdraws": [
                    {"type": "Withdrawal by Subject", "reasons": per_group("FG", "numSubjects", "2", "1")}
                ],
            },
            {"title": "Follow-up", "milestones": milestones((27, 28), (27, 28))},
        ],
    },
    "baselineCharacteristicsModule": {
        "groups": groups("BG", *ARMS, "Total"),
        "denoms": denominators("BG", 29, 29, 58),
        "measures": [
            {
                "title": "Age, Continuous",
                "paramType": "MEAN",
                "dispersionType": "FULL_RANGE",
                "unitOfMeasure": "years",
                "classes": [
                    row(
                        *(
                            {"groupId": f"BG{place}", "value": mean, "lowerLimit": "19", "upperLimit": "69"}
                            for place, mean in enumerate(("41.2", "40.1", "40.7"))
                        )
                    )
                ],
            },
            {
                "title": "Sex: Female, Male",
                "paramType": "COUNT_OF_PARTICIPANTS",
                "unitOfMeasure": "Participants",
                "classes": [
                    {
                        "categories": [
                            {"title": "Female", "measurements": per_group("BG", "value", "15", "14", "29")},
                            {"title": "Male", "measurements": per_group("BG", "value", "14", "15", "29")},
                        ]
                    }
                ],
            },
        ],
    },
    "outcomeMeasuresModule": {
        "outcomeMeasures": [
            {
                "type": "PRIMARY",
                "title": "Change of ISI from Baseline to Week 12",
                "description": "The Insomnia Severity Index (ISI) runs from 0 to 28; higher is worse.",
                "reportingStatus": "POSTED",
                "paramType": "MEAN",
                "dispersionType": "Standard Deviation",
                "unitOfMeasure": "units on a scale",
                "timeFrame": "Baseline and Week 12",
                "groups": groups("OG", *ARMS),
                "denoms": denominators("OG", 27, 28),
                "classes": [
                    row(
                        {"groupId": "OG0", "value": "-6.1", "spread": "4.0"},
                        {"groupId": "OG1", "value": "-2.2", "spread": "3.8"},
                    )
                ],
                "analyses": [
                    {
                        "groupIds": ["OG0", "OG1"],
                        "pValue": "<0.001",
                        "paramType": "Mean Difference (Final Values)",
                        "paramValue": "-3.9",
                        "ciPctValue": "95",
                        "ciLowerLimit": "-6.0",
                        "ciUpperLimit": "-1.8",
                    }
                ],
            },
            {
                "type": "PRIMARY",
                "title": "Sleep latency",
                "reportingStatus": "POSTED",
                "paramType": "MEDIAN",
                "dispersionType": "Inter-Quartile Range",
                "unitOfMeasure": "minutes",
                "timeFrame": "12 weeks",
                "groups": groups("OG", *ARMS),
                "denoms": denominators("OG", 27, 28),
                "classes": [
                    row(
                        {"groupId": "OG0", "value": "21", "lowerLimit": "12", "upperLimit": "35"},
                        {"groupId": "OG1", "value": "33", "lowerLimit": "20", "upperLimit": "51"},
                    )
                ],
            },
            {
                "type": "SECONDARY",
                "title": "Number of Participants With Adverse Events",
                "reportingStatus": "POSTED",
                "paramType": "COUNT_OF_PARTICIPANTS",
                "unitOfMeasure": "Participants",
                "timeFrame": "Up to 6 months",
                "groups": groups("OG", *ARMS),
                "denoms": denominators("OG", 29, 29),
                "classes": [row({"groupId": "OG0", "value": "4"}, {"groupId": "OG1", "value": "3"})],
            },
        ]
    },
    "adverseEventsModule": {
        "frequencyThreshold": "5",
        "timeFrame": "6 months",
        "eventGroups": [
            {
                "id": f"EG{place}",
                "title": title,
                **{f"{kind}NumAtRisk": 29 for kind in ("deaths", "serious", "other")},
                "deathsNumAffected": 0,
                "seriousNumAffected": 1 - place,
                "otherNumAffected": 3,
            }
            for place, title in enumerate(ARMS)
        ],
        "seriousEvents": [
            {
                "term": "Syncope",
                "organSystem": "Nervous system disorders",
                "stats": [
                    {"groupId": "EG0", "numAffected": 1, "numAtRisk": 29},
                    {"groupId": "EG1", "numAffected": 0, "numAtRisk": 29},
                ],
            }
        ],
        "otherEvents": [
            {
                "term": "Diarrhoea",
                "organSystem": "Gastrointestinal disorders",
                "stats": [
                    {"groupId": "EG0", "numAffected": 3, "numAtRisk": 29},
                    {"groupId": "EG1", "numAffected": 3, "numAtRisk": 29},
                ],
            }
        ],
    },
}
ADDED: dict[str, Any] = {
    f"{P}.statusModule.resultsFirstSubmitDate": "2020-02-01",
    f"{P}.sponsorCollaboratorsModule": {
        "responsibleParty": {"type": "SPONSOR"},
        "leadSponsor": {"name": "An invented hospital", "class": "OTHER"},
    },
    f"{P}.oversightModule": {
        "oversightHasDmc": True,
        "isFdaRegulatedDrug": False,
        "isFdaRegulatedDevice": False,
    },
    f"{P}.outcomesModule.primaryOutcomes.0.description": "The Insomnia Severity Index (ISI) runs from 0 to "
    "28; higher is worse.",
    f"{P}.outcomesModule.secondaryOutcomes.0.measure": "Number of Participants With Adverse Events",
    R: RESULTS,
    "hasResults": True,
}


def with_changes(record: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """The record with values at dotted paths: None removes, a pair replaces words, else it is put there."""
    made = copy.deepcopy(record)
    for path, value in changes.items():
        *parents, last = [int(step) if step.isdigit() else step for step in path.split(".")]
        node: Any = made
        for step in parents:
            node = node[step]
        if value is None:
            del node[last]
        elif isinstance(value, tuple):
            old, new = value
            assert old in node[last], f"{path} has no {old!r}"
            node[last] = node[last].replace(old, new, 1)
        else:
            node[last] = copy.deepcopy(value)
    return made


CLEAN = with_changes(RECORD, ADDED)


def review_of(record: dict[str, Any], indent: int | None = 1) -> list[Finding]:
    return review(read_json(Source(json.dumps(record, indent=indent, ensure_ascii=False))))
