"""Laws of the crossover analyses, what degenerate data give, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.statistics.arguments import ArgumentError
from equipoise.statistics.counts import fit_negative_binomial
from equipoise.statistics.crossover import (
    ConditionalFit,
    CrossoverFit,
    crossover_design,
    fit_conditional_counts,
    fit_crossover_counts,
    fit_crossover_means,
)
from equipoise.statistics.quadrature import MarginalLikelihood, as_panel

NAMES = ("intercept", "period", "treatment")
few = settings(max_examples=12, deadline=None)
seeds = st.integers(0, 10_000)


def a_trial(
    seed: int, patients: int = 24, mean: float = 3.0, sigma: float = 0.8, theta: float = 2.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(patients), 2)
    period = np.tile([0, 1], patients)
    X = np.column_stack([np.ones(2 * patients), period, period == patient % 2]).astype(float)
    mu = np.exp(X @ [np.log(mean), 0.1, -0.3] + sigma * rng.normal(size=patients)[patient])
    return rng.poisson(mu * rng.gamma(theta, 1 / theta, 2 * patients)), X, patient


def same(one: CrossoverFit | ConditionalFit, other: CrossoverFit | ConditionalFit) -> None:
    assert one.status == other.status and one.coefficients.names == other.coefficients.names
    assert one.log_likelihood == pytest.approx(other.log_likelihood, rel=1e-7, abs=1e-7)
    assert one.coefficients.values == pytest.approx(other.coefficients.values, rel=1e-5, abs=1e-5)
    assert one.coefficients.covariance == pytest.approx(other.coefficients.covariance, rel=1e-4, abs=1e-6)
    assert one.aliased == other.aliased and one.diverging == other.diverging


@few
@given(seed=seeds)
def test_labels_of_patients_and_order_of_rows_change_nothing(seed: int) -> None:
    y, X, patient = a_trial(seed)
    rng = np.random.default_rng(seed + 1)
    order, labels = rng.permutation(len(y)), rng.permutation(24)
    moved = y[order], X[order], [f"SE{labels[who]:02d}" for who in patient[order]]
    same(fit_crossover_counts(y, X, patient, names=NAMES), fit_crossover_counts(*moved, names=NAMES))
    same(fit_conditional_counts(y, X, patient, names=NAMES), fit_conditional_counts(*moved, names=NAMES))


@few
@given(seed=seeds, zeros=st.integers(1, 5))
def test_a_patient_without_events_tells_the_conditional_analysis_nothing(seed: int, zeros: int) -> None:
    y, X, patient = a_trial(seed)
    more_y = np.append(y, np.zeros(2 * zeros))
    more_x = np.vstack([X, np.tile([[1.0, 0.0, 1.0], [1.0, 1.0, 0.0]], (zeros, 1))])
    more_patient = np.append(patient, np.repeat(np.arange(zeros) + 100, 2))
    one = fit_conditional_counts(y, X, patient, names=NAMES)
    other = fit_conditional_counts(more_y, more_x, more_patient, names=NAMES)
    same(one, other)
    assert one.informative == other.informative and one.robust is not None and other.robust is not None
    assert one.robust.covariance == pytest.approx(other.robust.covariance)


@few
@given(seed=seeds, factor=st.floats(-1.0, 1.0))
def test_a_patient_effect_of_any_size_leaves_the_conditional_analysis_alone(seed: int, factor: float) -> None:
    y, X, patient = a_trial(seed)
    effect = factor * np.sin(patient)
    same(
        fit_conditional_counts(y, X, patient, names=NAMES),
        fit_conditional_counts(y, X, patient, effect, names=NAMES),
    )


@few
@given(seed=seeds)
def test_patients_who_do_not_differ_leave_the_negative_binomial_model(seed: int) -> None:
    y, X, patient = a_trial(seed, sigma=0.0)
    # Within each patient one count well above the mean and one of 0: no patient stands out.
    high, early = np.maximum(y[0::2], 4), np.arange(24) // 2 % 2 == 1
    y[0::2], y[1::2] = np.where(early, high, 0), np.where(early, 0, high)
    fit, plain = fit_crossover_counts(y, X, patient, names=NAMES), fit_negative_binomial(y, X, names=NAMES)
    assert plain.status == "fitted"
    assert fit.status == "no_variance" and fit.sigma == 0 and fit.theta == plain.theta
    assert fit.coefficients.values == pytest.approx(plain.observed.values)
    assert fit.coefficients.covariance == pytest.approx(plain.observed.covariance)
    assert fit.log_likelihood == plain.log_likelihood


def test_the_likelihood_at_no_variance_is_the_negative_binomial_one() -> None:
    y, X, patient = a_trial(1)
    plain = fit_negative_binomial(y, X, names=NAMES)
    assert plain.theta is not None
    panel = as_panel(y.astype(float), X, np.zeros(len(y)), patient)
    at = np.append(plain.coefficients.values, [np.log(plain.theta), 0.0])
    value, scores = MarginalLikelihood(panel, 15, True)(at)
    assert value == pytest.approx(plain.log_likelihood, rel=1e-12)
    assert np.abs(scores.sum(axis=0)).max() < 1e-6


def test_more_nodes_change_little_and_the_information_is_of_log_theta_and_log_sigma() -> None:
    y, X, patient = a_trial(2, patients=60)
    fit, finer = (fit_crossover_counts(y, X, patient, names=NAMES, nodes=nodes) for nodes in (15, 40))
    assert fit.status == finer.status == "fitted"
    assert fit.parameters.names == (*NAMES, "log theta", "log sigma")
    assert fit.parameters.values == pytest.approx(finer.parameters.values, abs=1e-3)
    assert fit.theta is not None and fit.sigma is not None
    assert fit.parameters.values[3:] == pytest.approx(np.log([fit.theta, fit.sigma]))
    assert fit.coefficients.covariance == pytest.approx(fit.parameters.covariance[:3, :3])
    assert (fit.n, fit.patients) == (120, 60)


def test_a_missing_period_is_left_out_of_the_conditional_analysis_only() -> None:
    y, X, patient = a_trial(3)
    keep = np.arange(len(y)) != 5
    fit = fit_crossover_counts(y[keep], X[keep], patient[keep], names=NAMES)
    assert fit.usable and fit.n == 47 and fit.patients == 24
    whole = patient != patient[5]
    conditional = fit_conditional_counts(y[keep], X[keep], patient[keep], names=NAMES)
    same(conditional, fit_conditional_counts(y[whole], X[whole], patient[whole], names=NAMES))


def test_a_treatment_without_events_is_separated() -> None:
    y, X, patient = a_trial(4)
    y = np.where(X[:, 2] == 1, 0, y)
    for fit in (
        fit_crossover_counts(y, X, patient, names=NAMES),
        fit_conditional_counts(y, X, patient, names=NAMES),
    ):
        assert fit.status == "separated" and fit.diverging[-1] == ("treatment", -1)
    rest = X[:, 2] == 0
    alone = fit_crossover_counts(y[rest], X[rest][:, :2], patient[rest], names=NAMES[:2])
    mixed = fit_crossover_counts(y, X, patient, names=NAMES)
    same(replace(mixed, status=alone.status, diverging=()), alone)
    # One period of each patient is left.
    assert alone.status == "no_variance" and alone.sigma is None


def test_a_group_of_patients_without_events_tells_the_others_nothing() -> None:
    y, X, patient = a_trial(7)
    group = patient >= 18
    y = np.where(group, 0, y)
    fit = fit_crossover_counts(y, np.column_stack([X, group]), patient, names=(*NAMES, "site"))
    assert fit.status == "separated" and fit.diverging == (("site", -1),) and fit.patients == 24
    rest = fit_crossover_counts(y[~group], X[~group], patient[~group], names=NAMES)
    same(replace(fit, status=rest.status, diverging=()), rest)


def test_one_separating_direction_hidden_behind_another_is_found() -> None:
    patient = np.repeat(np.arange(8), 2)
    period = np.tile([0, 1], 8)
    X = np.column_stack([np.ones(16), period, period == patient % 2]).astype(float)
    y = np.zeros(16)
    y[13] = 1
    fit = fit_crossover_counts(y, X, patient, names=NAMES)
    assert fit.status == "separated" and len(fit.diverging) == 2 and fit.coefficients.names == ("intercept",)


def test_data_that_tell_nothing_have_a_status() -> None:
    y, X, patient = a_trial(5)
    none = np.zeros(len(y))
    assert fit_crossover_counts(none, X, patient).status == "no_events"
    assert fit_conditional_counts(none, X, patient).status == "no_events"
    assert fit_crossover_counts(y, X, np.zeros(len(y))).status == "no_data"
    assert fit_conditional_counts(y, X, np.arange(len(y))).status == "no_informative"
    assert fit_conditional_counts(y, X[:, :1], patient).status == "no_informative"
    assert not fit_conditional_counts(y, X[:, :1], patient).usable


def test_a_sequence_of_one_informative_patient_has_no_sandwich() -> None:
    X = np.array([[0.0, 1.0], [1.0, 0.0]] * 3 + [[0.0, 0.0], [1.0, 1.0]])
    y, patient = [3, 5, 2, 2, 4, 1, 3, 2], np.repeat(np.arange(4), 2)
    fit = fit_conditional_counts(y, X, patient, names=NAMES[1:])
    assert fit.status == "fitted" and fit.robust is None and fit.informative == 4


def test_aliased_columns_are_named() -> None:
    y, X, patient = a_trial(6)
    fit = fit_crossover_counts(y, np.hstack([X, X[:, 1:2]]), patient, names=(*NAMES, "again"))
    assert fit.aliased == ("again",) and fit.coefficients.names == NAMES


def test_the_design_of_two_sequences_and_two_periods() -> None:
    given_ = (["AB", "AB", "BA", "BA"], ["1", "2", "1", "2"], ["A", "B", "B", "A"])
    X, names = crossover_design(*given_, carry_over=True)
    assert names == ("intercept", "period 2", "treatment B", "sequence BA")
    assert X.tolist() == [[1, 0, 0, 0], [1, 1, 1, 0], [1, 0, 1, 1], [1, 1, 0, 1]]
    assert crossover_design(*given_)[1] == names[:3]


def test_sequences_of_one_patient_give_no_contrast_of_means() -> None:
    found = fit_crossover_means([[1.0, 2.0]], [[1.0, 3.0], [2.0, 2.0]])
    assert found.treatment.contrast is None and found.carry_over.contrast is None
    assert found.treatment.n == (1, 2)


_GOOD: dict[str, Any] = {"y": [1, 2, 0, 3], "X": np.ones((4, 1)), "patient": ["a", "a", "b", "b"]}


@pytest.mark.parametrize(
    ("argument", "changed"),
    [
        ("y[1]", {"y": [1, -2, 0, 3]}),
        ("y[2]", {"y": [1, 2, 0.5, 3]}),
        ("y[0]", {"y": [np.nan, 2, 0, 3]}),
        ("y", {"y": []}),
        ("X", {"X": np.ones((3, 1))}),
        ("X", {"X": np.ones(4)}),
        ("X[3, 0]", {"X": np.array([[1.0], [1.0], [1.0], [np.inf]])}),
        ("patient", {"patient": ["a", "b"]}),
        ("offset", {"offset": [0.0]}),
        ("offset[1]", {"offset": [0.0, np.nan, 0.0, 0.0]}),
        ("names", {"names": ("one", "two")}),
    ],
)
def test_arguments_that_no_trial_has_are_named(argument: str, changed: dict[str, Any]) -> None:
    for fit in (fit_crossover_counts, fit_conditional_counts):
        with pytest.raises(ArgumentError) as error:
            fit(**(_GOOD | changed))
        assert error.value.argument == argument


@pytest.mark.parametrize("nodes", [0, 1.5, 100, np.nan])
def test_numbers_of_nodes_that_there_are_not(nodes: Any) -> None:
    with pytest.raises(ArgumentError, match="nodes"):
        fit_crossover_counts(**_GOOD, nodes=nodes)


def test_arguments_of_the_design_and_of_means() -> None:
    with pytest.raises(ArgumentError, match="period"):
        crossover_design(["AB"], [], ["A"])
    with pytest.raises(ArgumentError, match="sequence"):
        crossover_design([], [], [])
    with pytest.raises(ArgumentError, match="first"):
        fit_crossover_means([[1.0]], [[1.0, 2.0]])
    with pytest.raises(ArgumentError, match=r"second\[0, 1\]"):
        fit_crossover_means([[1.0, 2.0]], [[1.0, np.nan]])
    with pytest.raises(ArgumentError, match="level"):
        fit_crossover_means([[1.0, 2.0]], [[1.0, 2.0]], level=1.0)
