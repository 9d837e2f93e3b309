"""Rehearsed trials with their records, and how these are looked at."""

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

from equipoise.analysis.cut import DataCut
from equipoise.analysis.result import AnalysisResult
from equipoise.analysis.run import analyse
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.forms import Code
from equipoise.exchange.registry import write_json
from equipoise.exchange.registry.write_results import results_record
from tests.analysis.cuts import make_cut
from tests.analysis.trials import crossover_definition, parallel_definition, single_definition

MAKERS = {"crossover": crossover_definition, "parallel": parallel_definition, "single": single_definition}


def with_deaths(definition: StudyDefinition) -> StudyDefinition:
    """The same, with a word for a fatal outcome of an adverse event."""
    forms = []
    for form in definition.forms:
        items = [
            replace(item, codes=(*item.codes, Code(code="fatal", label="Fatal")))
            if (form.id, item.id) == ("adverse_event", "outcome")
            else item
            for item in form.items
        ]
        forms.append(replace(form, items=tuple(items)))
    return replace(definition, forms=tuple(forms))


@cache
def trial(kind: str) -> tuple[DataCut, AnalysisResult, dict[str, Any]]:
    """A rehearsed trial with what goes wrong in trials: its cut, its analysis, and its record."""
    cut = make_cut(with_deaths(MAKERS[kind]()))
    return cut, analyse(cut), record_of(cut)


def record_of(cut: DataCut, over_percent: float = 5) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(write_json(results_record(cut, over_percent)))
    return record


def results_of(kind: str) -> dict[str, Any]:
    section: dict[str, Any] = trial(kind)[2]["resultsSection"]
    return section


def leaves(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Every leaf with its path; the places of lists are not told apart."""
    if isinstance(value, dict):
        for key, below in value.items():
            yield from leaves(below, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for below in value:
            yield from leaves(below, f"{path}[]")
    else:
        yield path, value


def counts_of(rows: list[dict[str, Any]]) -> list[int]:
    return [int(row["numSubjects"] if "numSubjects" in row else row["value"]) for row in rows]
