"""The linter: every rule that a definition as a whole must keep, run one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from .expression import RESERVED
from .findings import Problem
from .lint_analysis import check_analysis, check_log_windows
from .lint_conduct import check_coding, check_forms, check_imaging, check_safety, check_supply
from .lint_datasets import check_datasets
from .lint_expressions import check_expressions, check_unmasking, parts
from .lint_languages import check_languages
from .lint_references import check_references
from .lint_retired import check_retired
from .lint_sample_size import check_sample_size
from .lint_study import (
    check_allocation,
    check_arms,
    check_criteria,
    check_masking,
    check_roles,
    check_schedule,
    check_sites,
)
from .model.definition import StudyDefinition
from .names import ANCHORS, TRIAL_FORMS


def check_names(definition: StudyDefinition) -> Iterator[Problem]:
    """Find entries of one list that are called the same."""
    for part in parts(definition):
        for key in part.value.__dataclass_fields__:
            entries = getattr(part.value, key)
            seen: set[str] = set()
            for index, entry in enumerate(entries if isinstance(entries, tuple) else ()):
                name = getattr(entry, "id", None)
                if name in seen:
                    sentence = (
                        f"The name '{name}' stands twice under {key}. Give one of the two another name."
                    )
                    place = (*part.place, key, index, "id")
                    yield Problem(code="LINT-NAME-TWICE", sentence=sentence, file=part.file, place=place)
                if name is not None:
                    seen.add(name)


def check_meanings(definition: StudyDefinition) -> Iterator[Problem]:
    """Find names that would mean two things in an expression."""
    encounters = [encounter.id for encounter in definition.schedule.encounters]
    for index, name in enumerate(encounters):
        if name in RESERVED or name in ANCHORS:
            yield _taken(name, "schedule.yaml", ("encounters", index, "id"))
    for form in definition.forms:
        if form.id in RESERVED or form.id in TRIAL_FORMS:
            yield _taken(form.id, f"forms/{form.id}.yaml", ("id",))
    for file, variables in (
        ("eligibility.yaml", definition.eligibility.variables),
        ("analysis.yaml", definition.analysis.variables),
    ):
        for name in variables:
            if name in RESERVED or name in ANCHORS or name in encounters:
                yield _taken(name, file, ("variables", name))


def _taken(name: str, file: str, place: tuple[str | int, ...]) -> Problem:
    sentence = f"In expressions, '{name}' means something already. Choose another name."
    return Problem(code="LINT-NAME-TAKEN", sentence=sentence, file=file, place=place)


Rules: TypeAlias = tuple[Callable[[StudyDefinition], Iterator[Problem]], ...]

NAMES: Rules = (check_names, check_meanings, check_references)
"""Rules for names; where one is broken, the other rules would only repeat it in other words."""

RULES: Rules = (
    check_expressions,
    check_unmasking,
    check_arms,
    check_sites,
    check_masking,
    check_roles,
    check_criteria,
    check_schedule,
    check_allocation,
    check_forms,
    check_coding,
    check_safety,
    check_imaging,
    check_supply,
    check_retired,
    check_analysis,
    check_log_windows,
    check_sample_size,
    check_datasets,
    check_languages,
)
"""Rules that may rely on every name being that of something."""


def lint(definition: StudyDefinition) -> tuple[Problem, ...]:
    """Return what is wrong, or looks wrong, with a definition whose parts are each well formed."""
    broken = tuple(problem for rule in NAMES for problem in rule(definition))
    return broken or tuple(problem for rule in RULES for problem in rule(definition))
