"""Rules for a sample size that the example study, of two arms and counts, cannot break."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from equipoise.definition.lint import lint
from equipoise.definition.lint_sample_size import check_sample_size
from equipoise.definition.load import load_study
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.sample_size import (
    Assumed,
    FutilityBoundary,
    InterimAnalyses,
    ProportionAssumptions,
    SampleSize,
)

STUDIES = Path(__file__).parent.parent / "studies"


@pytest.fixture(scope="module")
def tern() -> StudyDefinition:
    """Three arms, and endpoints of several types."""
    return load_study(STUDIES / "tern").definition


def told(definition: StudyDefinition, plan: SampleSize) -> list[str]:
    return [problem.sentence for problem in check_sample_size(replace(definition, sample_size=plan))]


def test_of_three_arms_one_is_named_to_be_compared(tern: StudyDefinition) -> None:
    assert tern.sample_size is not None
    assert told(tern, tern.sample_size) == []
    (sentence,) = told(tern, replace(tern.sample_size, treated=None))
    assert sentence == "Say which arm is compared with 'vehicle': add the key 'treated'."


@pytest.mark.parametrize(
    ("reference", "treated", "found"),
    [
        (["0.5", "0.6"], ["0.3", "0.2"], 0),
        (["0.5", "0.3"], ["0.3", "0.6"], 2),
        (["0.3", "0.2"], ["0.4", "0.3"], 1),
    ],
)
def test_proportions_deviate_on_their_own_side_of_each_other(
    tern: StudyDefinition, reference: list[str], treated: list[str], found: int
) -> None:
    def assumed(values: list[str]) -> Assumed:
        value, *deviations = map(Decimal, values)
        return Assumed(value=value, source="x", deviations=tuple(deviations))

    proportions = ProportionAssumptions(reference=assumed(reference), treated=assumed(treated))
    plan = SampleSize(endpoint="responder", treated="strong", power=Decimal("0.8"), proportions=proportions)
    assert len(told(tern, plan)) == found


def test_a_level_that_is_none_is_found(tern: StudyDefinition) -> None:
    assert tern.sample_size is not None
    sentences = told(tern, replace(tern.sample_size, alpha=Decimal(0)))
    assert sentences[0] == "The level alpha is 0. Write a number as in 0.05."


def test_a_study_may_have_none(tern: StudyDefinition) -> None:
    assert lint(tern) == lint(replace(tern, sample_size=None)) == ()


def test_a_one_sided_test_may_stop_for_futility(tern: StudyDefinition) -> None:
    assert tern.sample_size is not None
    futility = FutilityBoundary(family="asHSD", gamma=Decimal(-2), binding=True)
    looks = InterimAnalyses(family="asOF", information=(Decimal("0.5"), Decimal(1)), futility=futility)
    plan = replace(tern.sample_size, sides=1, alpha=tern.sample_size.alpha / 2, interim=looks)
    assert told(tern, plan) == []
