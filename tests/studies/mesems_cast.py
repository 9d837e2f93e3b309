"""A candidate who may take part everywhere, and what one changed answer does to one criterion."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Any

from equipoise.definition.expression import EvidenceTable, FormRow, PartialDate, Truth, form_row, truth
from equipoise.definition.load import load_study
from equipoise.definition.recording import decode_item, failing_checks, read_values
from equipoise.studies import study_folder

MET, NOT_MET, UNKNOWN = Truth.MET, Truth.NOT_MET, Truth.UNKNOWN

RANDOMISATION = date(2024, 6, 3)
CONSENT = date(2024, 4, 8)
EXAMINED = date(2024, 5, 27)

Answers = Mapping[str, Any]

CLARA: dict[str, Answers | list[Answers]] = {
    "demography": {"birth_date": "1985-02-11", "sex": "female", "height": "168"},
    "ms_history": {
        "phenotype": "rrms",
        "onset_date": "2018-03-20",
        "diagnosis_date": "2018-09",
        "reference_edss": "3.0",
        "reference_edss_date": "2023-07-10",
        "csf_oligoclonal_bands": "positive",
    },
    "edss": {"total": "4.0"},
    "relapse": [{"onset": "2024-01-15", "documented": True}],
    "mri_history": [{"scanned_on": "2024-02-01", "gadolinium": True, "gel_count": 2}],
    "prior_treatment": [
        {
            "drug": "interferon_beta",
            "started_on": "2019-01",
            "ongoing": False,
            "stopped_on": "2022-06",
            "months_treated": 41,
        }
    ],
    "concomitant_medication": [],
    "medical_history": {
        "infection": False,
        "malignancy": "none",
        "life_expectancy_limited": False,
        "haematological_disease": False,
        "renal_failure": False,
        "mri_possible": True,
        "can_become_pregnant": True,
        "contraception": True,
        "able_to_consent": True,
    },
    "serology": {"hiv": "negative", "hepatitis_b": "negative", "hepatitis_c": "negative"},
    "laboratory": {"white_cells_relevant": False, "egfr": 95},
    "pregnancy_test": {"tested_on": "2024-05-31", "applicable": True, "result": "negative"},
}
"""Relapsing-remitting, 39 years old, one relapse in the last year, no treatment any more."""


@cache
def mesems() -> Any:
    """The definition; as Any, because a test knows which of its parts are there."""
    return load_study(study_folder("mesems")).definition


def stored(form_id: str, answers: Answers) -> dict[str, Any]:
    """The answers as the system keeps them; an answer that no form would take is a mistake of the test."""
    form = mesems().form(form_id)
    read = read_values(form, answers)
    assert not [problem for problem in read.problems if problem.code != "ITEM-MISSING"]
    return dict(read.stored)


def row(form_id: str, answers: Answers, number: int | None = None, day: date = EXAMINED) -> FormRow:
    form = mesems().form(form_id)
    kept = stored(form_id, answers)
    values = {item.id: decode_item(item.type, kept[item.id]) for item in form.items if item.id in kept}
    dated = PartialDate.parse(str(kept[form.dated_by])) if form.dated_by in kept else PartialDate.of(day)
    return form_row(form_id, values, row=number, date=dated, encounter=None if form.log else "baseline")


def judge(
    criterion_id, variant=None, *, on=RANDOMISATION, confirmed=None, examined=EXAMINED, **changes
) -> Truth:
    """How a criterion stands for Clara with some answers changed.

    `changes` names forms: of a single form the answers that differ (None: not known), of a log all its rows.
    `confirmed` says of logs through which day they are complete; otherwise all of them are up to date.
    """
    definition = mesems()
    rows = []
    for form_id, usual in CLARA.items():
        change = changes.pop(form_id, None)
        if isinstance(usual, list):
            entered = usual if change is None else change
            rows += [row(form_id, answers, number) for number, answers in enumerate(entered, start=1)]
        else:
            rows.append(row(form_id, {**usual, **(change or {})}, day=examined))
    rows += [row(form_id, answers) for form_id, answers in changes.items()]
    logs = [form.id for form in definition.forms if form.log]
    evidence = EvidenceTable(
        on,
        rows,
        anchors={"consent": CONSENT, "randomisation": on},
        variables=definition.eligibility.variables,
        reviewed=dict.fromkeys(logs, on) | (confirmed or {}),
        logs=logs,
    )
    rules = definition.eligibility.rules_for(variant, on)
    criterion = next(c for c in rules if c.id == criterion_id)
    return truth(criterion.when, evidence)


def complaints(form_id: str, **answers: Any) -> set[str]:
    """The edit checks that a filled form does not pass."""
    form = mesems().form(form_id)
    return {check.id for check in failing_checks(form, stored(form_id, answers), None)}
