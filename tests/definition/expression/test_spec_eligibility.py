"""A whole eligibility: three courses of a disease, thresholds that depend on a score, washouts."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from equipoise.definition import expression as ex
from tests.definition.expression.cast import StudyNames, StudySymbols

RANDOMISATION = date(2024, 6, 1)

# A year of attempted therapy, with one or more of the approved ones.
FAILED_THERAPY = (
    "count(therapy where therapy.kind in ('first_line', 'second_line')"
    " and months(therapy.start, coalesce(therapy.stop, today)) >= 12) >= 1"
)
# The rise since the first examination of the last year; half a point is enough from 5.5 on.
WORSENING = (
    "exam.score - first(exam.score within 12 months before randomisation) >= if(exam.score <= 5.0, 1, 0.5)"
)
ATTACK_IN_A_YEAR = "count(attack within 12 months before randomisation) >= 1"
ACTIVE_SCAN = "count(scan where scan.active >= 1 within 12 months before randomisation) >= 1"

INCLUSION: dict[str, Any] = {
    "all": [
        {
            "text": "Active disease of a known course",
            "any": [
                {
                    "text": "Relapsing, not responding to therapy",
                    "all": [
                        "diagnosis.course = 'relapsing'",
                        FAILED_THERAPY,
                        {
                            "any": [
                                ATTACK_IN_A_YEAR,
                                "count(attack within 24 months before randomisation) >= 2",
                                ACTIVE_SCAN,
                            ]
                        },
                    ],
                },
                {
                    "text": "Secondary progressive, not responding to therapy",
                    "all": [
                        "diagnosis.course = 'secondary'",
                        FAILED_THERAPY,
                        WORSENING,
                        {"any": [ATTACK_IN_A_YEAR, ACTIVE_SCAN]},
                    ],
                },
                {
                    "text": "Primary progressive, with inflammation",
                    "all": ["diagnosis.course = 'primary'", WORSENING, ACTIVE_SCAN, "diagnosis.csf_positive"],
                },
            ],
        },
        {"text": "Age 18 to 50 years", "when": "age between 18 and 50"},
        {"text": "Disease duration 2 to 10 years", "when": "years(diagnosis.onset, today) between 2 and 10"},
        {"text": "Score 3.0 to 6.5", "when": "fresh(exam.score, 30 days) between 3.0 and 6.5"},
    ]
}
STILL_TREATED = (
    "count(therapy where therapy.kind = '{}' and therapy.start <= randomisation"
    " and coalesce(therapy.stop, today) >= randomisation - {}) = 0"
)
NO_EXCLUSION = {
    "all": [
        STILL_TREATED.format("immunosuppressive", "3 months"),
        STILL_TREATED.format("first_line", "30 days"),
        STILL_TREATED.format("corticosteroid", "30 days"),
        "count(attack within 60 days before randomisation) = 0",
        "count(tumour where not (tumour.kind in ('basal_cell', 'in_situ')"
        " and years(tumour.remission, today) >= 1)) = 0",
        {"not": "history.pregnant"},
        {"not": {"text": "Renal failure", "when": "fresh(lab.clearance, 3 months) < 60"}},
    ]
}
VARIABLES = {"age": ex.parse_text("years(person.birth_date, today)")}


def participant(
    course: str, *, without: Collection[str] = (), more: tuple[ex.FormRow, ...] = (), **items: ex.Value
) -> ex.EvidenceTable:
    """Someone who meets everything, but for what is said."""
    day = ex.PartialDate.parse
    values: dict[str, ex.Value] = {
        "birth_date": date(1984, 6, 1),
        "onset": day("2019"),
        "csf_positive": True,
        "score": Decimal("5.0"),
        "earlier_score": Decimal("4.0"),
        "clearance": Decimal(90),
        "pregnant": False,
        "active": 1,
        **items,
    }
    rows = {
        "person": ex.form_row("person", {"birth_date": values["birth_date"]}),
        "diagnosis": ex.form_row(
            "diagnosis",
            {"course": course, "onset": values["onset"], "csf_positive": values["csf_positive"]},
        ),
        "earlier": ex.form_row(
            "exam", {"score": values["earlier_score"]}, date=day("2023-07-01"), position=1
        ),
        "exam": ex.form_row("exam", {"score": values["score"]}, date=day("2024-05-20"), position=2),
        "therapy": ex.form_row(
            "therapy",
            {"kind": "first_line", "start": date(2022, 1, 1), "stop": date(2024, 1, 1)},
            row=1,
            date=day("2022-01-01"),
        ),
        "attack": ex.form_row("attack", {"severity": 1}, row=1, date=day("2023-09")),
        "scan": ex.form_row("scan", {"active": values["active"]}, date=day("2024-05-20")),
        "lab": ex.form_row("lab", {"clearance": values["clearance"]}, date=day("2024-05-20")),
        "history": ex.form_row("history", {"pregnant": values["pregnant"]}),
    }
    logs = {"therapy", "attack", "tumour"}
    return ex.EvidenceTable(
        RANDOMISATION,
        [*(row for name, row in rows.items() if name not in without), *more],
        anchors={"randomisation": RANDOMISATION},
        variables=VARIABLES,
        reviewed={log: RANDOMISATION for log in logs if f"{log} review" not in without},
        logs=logs,
    )


def stands(raw: object, evidence: ex.EvidenceTable) -> str:
    return ex.truth(ex.parse_condition(raw), evidence).value


def attack(day: str) -> ex.FormRow:
    return ex.form_row("attack", {"severity": 1}, row=2, date=ex.PartialDate.parse(day))


def therapy(kind: str, start: str, stop: str | None) -> ex.FormRow:
    ended = None if stop is None else date.fromisoformat(stop)
    values: dict[str, ex.Value] = {"kind": kind, "start": date.fromisoformat(start), "stop": ended}
    return ex.form_row("therapy", values, row=2, date=ex.PartialDate.parse(start))


@pytest.mark.parametrize("course", ["relapsing", "secondary", "primary"])
def test_spec_a_participant_of_each_course_is_included(course: str) -> None:
    assert stands(INCLUSION, participant(course)) == "met"
    assert stands(NO_EXCLUSION, participant(course)) == "met"


@pytest.mark.parametrize(
    ("evidence", "outcome"),
    [
        # Relapsing: an attack in 12 months, or two in 24, or an active scan.
        (participant("relapsing", without={"attack"}), "met"),
        (participant("relapsing", without={"attack"}, active=0), "not met"),
        (participant("relapsing", without={"attack", "scan"}, more=(attack("2022-07-01"),)), "not met"),
        (participant("relapsing", without={"attack", "attack review"}, active=0), "unknown"),
        (
            participant(
                "relapsing", without={"attack", "scan"}, more=(attack("2022-07-01"), attack("2022-08"))
            ),
            "met",
        ),
        (participant("relapsing", without={"therapy"}), "not met"),
        (participant("relapsing", without={"therapy", "therapy review"}), "unknown"),
        # Progressive: one point up to 5.0, half a point from 5.5.
        (participant("secondary", earlier_score=Decimal("4.5")), "not met"),
        (participant("secondary", score=Decimal("5.5"), earlier_score=Decimal("5.0")), "met"),
        (participant("secondary", without={"earlier"}), "not met"),
        (participant("secondary", without={"attack"}, active=0), "not met"),
        (participant("primary", csf_positive=False), "not met"),
        (participant("primary", csf_positive=None), "unknown"),
        (participant("primary", active=0), "not met"),
        # Age, duration, score.
        (participant("relapsing", birth_date=date(2006, 6, 1)), "met"),
        (participant("relapsing", birth_date=date(2006, 6, 2)), "not met"),
        (participant("relapsing", birth_date=date(1973, 6, 2)), "met"),
        (participant("relapsing", birth_date=date(1973, 6, 1)), "not met"),
        (participant("relapsing", onset=ex.PartialDate(2022)), "unknown"),
        (participant("relapsing", onset=ex.PartialDate(2022, 5)), "met"),
        (participant("relapsing", onset=ex.PartialDate(2023)), "not met"),
        (participant("relapsing", score=Decimal("2.5")), "not met"),
        (participant("relapsing", without={"exam"}), "unknown"),
    ],
)
def test_spec_inclusion(evidence: ex.EvidenceTable, outcome: str) -> None:
    assert stands(INCLUSION, evidence) == outcome


@pytest.mark.parametrize(
    ("evidence", "outcome"),
    [
        (
            participant("relapsing", more=(therapy("immunosuppressive", "2023-01-01", "2024-03-01"),)),
            "not met",
        ),
        (participant("relapsing", more=(therapy("immunosuppressive", "2023-01-01", "2024-02-29"),)), "met"),
        (participant("relapsing", more=(therapy("immunosuppressive", "2023-01-01", None),)), "not met"),
        (participant("relapsing", more=(therapy("corticosteroid", "2024-04-28", "2024-05-02"),)), "not met"),
        (participant("relapsing", more=(therapy("corticosteroid", "2024-04-28", "2024-05-01"),)), "met"),
        (participant("relapsing", more=(attack("2024-04-02"),)), "not met"),
        (participant("relapsing", more=(attack("2024-04-01"),)), "met"),
        (participant("relapsing", more=(attack("2024-04"),)), "unknown"),
        (participant("relapsing", without={"tumour review"}), "unknown"),
        (participant("relapsing", more=(ex.form_row("tumour", {"kind": "other"}),)), "not met"),
        (
            participant(
                "relapsing",
                more=(ex.form_row("tumour", {"kind": "in_situ", "remission": ex.PartialDate(2020)}),),
            ),
            "met",
        ),
        (participant("relapsing", pregnant=True), "not met"),
        (participant("relapsing", clearance=Decimal("59.9")), "not met"),
        (participant("relapsing", without={"lab"}), "unknown"),
    ],
)
def test_spec_exclusion(evidence: ex.EvidenceTable, outcome: str) -> None:
    assert stands(NO_EXCLUSION, evidence) == outcome


@pytest.mark.parametrize("raw", [INCLUSION, NO_EXCLUSION])
def test_the_rules_are_sound_and_read_back(raw: object) -> None:
    node = ex.parse_condition(raw)
    assert ex.typecheck(node, StudySymbols(), condition=True) == []
    assert ex.parse_text(ex.unparse(node), max_length=100_000) == node
    assert ex.parse_condition(ex.to_raw(node)) == node
    assert ex.check_variables(VARIABLES) == []
    assert ex.prose(node, StudyNames(), labels=False)


def test_the_rules_in_english() -> None:
    assert ex.prose(ex.parse_text(ATTACK_IN_A_YEAR), StudyNames()) == (
        "at least 1 attack within the 12 months before randomisation"
    )
    assert ex.prose(ex.parse_condition(INCLUSION), StudyNames()) == (
        "Active disease of a known course, Age 18 to 50 years, Disease duration 2 to 10 years"
        " and Score 3.0 to 6.5"
    )
