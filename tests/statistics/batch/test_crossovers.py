"""Crossovers by the thousand: against the fit of one dataset, laws, degenerate data, simulation."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from equipoise.statistics.arguments import ArgumentError
from equipoise.statistics.batch.crossover import (
    CROSSOVER_STATUSES,
    CrossoverDesign,
    CrossoverResults,
    draw_crossovers,
    fit_crossovers,
    simulate_crossovers,
)
from equipoise.statistics.crossover import CrossoverFit, fit_crossover_counts
from equipoise.statistics.quadrature import MarginalLikelihood, as_panel

Table = NDArray[np.float64]
NAMES = ("intercept", "period", "treatment", "sequence")
ESTIMATES = ("intercept", "period", "log_ratio", "carry_over")
ERRORS = ("intercept_error", "period_error", "standard_error", "carry_over_error")
few = settings(max_examples=10, deadline=None)
seeds = st.integers(0, 10_000)


def draw(
    seed: int,
    trials: int,
    patients: int = 36,
    mean: float = 2.5,
    sigma: float = 0.8,
    theta: float | None = 1.5,
) -> tuple[Table, NDArray[np.int64], Table]:
    """Counts, who has treatment first, offsets."""
    rng = np.random.default_rng(seed)
    first = rng.permuted(np.tile(np.arange(patients) % 2, (trials, 1)), axis=1)
    offset = np.log(rng.choice([0.5, 1.0], (trials, patients, 2), p=[0.1, 0.9]))
    effects = sigma * rng.normal(size=(trials, patients, 1))
    mu = mean * np.exp(-0.5 * np.stack([first, 1 - first], axis=2) + effects + offset)
    own = np.ones(mu.shape) if theta is None else rng.gamma(theta, 1 / theta, mu.shape)
    return rng.poisson(mu * own).astype(float), first, offset


def columns(first: NDArray[np.int64]) -> Table:
    """Intercept, period, treatment, sequence: two rows for each patient."""
    table = np.ones((len(first), 2, 4))
    table[:, :, 1] = [0, 1]
    table[:, :, 2] = np.column_stack([first, 1 - first])
    table[:, :, 3] = first[:, None]
    return table.reshape(-1, 4)


def fit_one(
    y: Table, first: NDArray[np.int64], offset: Table, terms: tuple[int, ...], nodes: int = 15
) -> CrossoverFit:
    names = [NAMES[term] for term in terms]
    patient = np.repeat(np.arange(len(first)), 2)
    return fit_crossover_counts(
        y.ravel(), columns(first)[:, list(terms)], patient, offset.ravel(), names, nodes
    )


def assert_same(batch: CrossoverResults, trial: int, one: CrossoverFit) -> None:
    assert CROSSOVER_STATUSES[batch.status[trial]] == one.status
    for place, name in enumerate(one.coefficients.names):
        estimate, error = ESTIMATES[NAMES.index(name)], ERRORS[NAMES.index(name)]
        assert getattr(batch, estimate)[trial] == pytest.approx(one.coefficients.values[place], abs=1e-6)
        # The information of the fit of one dataset is a difference quotient.
        expected = one.coefficients.covariance[place, place] ** 0.5
        assert getattr(batch, error)[trial] == pytest.approx(expected, rel=1e-5)
    assert batch.log_likelihood[trial] == pytest.approx(one.log_likelihood, abs=1e-8)
    sigma = np.nan if one.sigma is None else one.sigma
    assert batch.sigma[trial] == pytest.approx(sigma, abs=1e-6, nan_ok=True)
    assert 1 / batch.theta[trial] == pytest.approx(0.0 if one.theta is None else 1 / one.theta, abs=1e-6)


def assert_bitwise(one: CrossoverResults, other: CrossoverResults, rows: slice = slice(None)) -> None:
    for field in fields(CrossoverResults):
        np.testing.assert_array_equal(
            getattr(one, field.name)[rows], getattr(other, field.name), err_msg=field.name
        )


def assert_near(one: Table, other: Table, near: float = 1e-7) -> None:
    np.testing.assert_allclose(one, other, rtol=near, atol=near)


@pytest.mark.parametrize("terms", [(0, 1, 2), (0, 1, 2, 3)])
@pytest.mark.parametrize(
    ("sigma", "theta", "mean"), [(0.8, 1.5, 2.5), (0.0, 1.0, 1.0), (0.6, None, 2.0), (1.5, 0.5, 8.0)]
)
def test_double_one_dataset(sigma: float, theta: float | None, mean: float, terms: tuple[int, ...]) -> None:
    y, first, offset = draw(1, 4, sigma=sigma, theta=theta, mean=mean)
    batch = fit_crossovers(y, first, offset, carry_over=3 in terms, tests="wald")
    for trial in range(len(y)):
        assert_same(batch, trial, fit_one(y[trial], first[trial], offset[trial], terms))


@pytest.mark.parametrize("nodes", [1, 2, 40])
def test_double_one_dataset_at_other_numbers_of_nodes(nodes: int) -> None:
    y, first, offset = draw(2, 1)
    batch = fit_crossovers(y, first, offset, nodes=nodes, tests="wald")
    assert_same(batch, 0, fit_one(y[0], first[0], offset[0], (0, 1, 2), nodes))


def test_double_likelihood_ratio() -> None:
    y, first, offset = draw(3, 2)
    batch = fit_crossovers(y, first, offset)
    for trial in range(2):
        full, null = (fit_one(y[trial], first[trial], offset[trial], terms) for terms in ((0, 1, 2), (0, 1)))
        assert full.log_likelihood is not None and null.log_likelihood is not None
        expected = 2 * (full.log_likelihood - null.log_likelihood)
        assert batch.likelihood_ratio[trial] == pytest.approx(expected, abs=1e-7)


def test_the_standard_errors_are_of_the_curvature_of_the_likelihood_at_its_top() -> None:
    y, first, offset = draw(4, 1, patients=60)
    batch = fit_crossovers(y, first, offset, carry_over=True, tests="wald")
    assert CROSSOVER_STATUSES[batch.status[0]] == "fitted"
    panel = as_panel(y[0].ravel(), columns(first[0]), offset[0].ravel(), np.repeat(np.arange(60), 2))
    likelihood = MarginalLikelihood(panel, 15, True)
    top = np.array([*(getattr(batch, name)[0] for name in ESTIMATES), np.log(batch.theta[0]), batch.sigma[0]])
    value, scores = likelihood(top)
    assert value == pytest.approx(batch.log_likelihood[0], abs=1e-9)
    assert np.abs(scores.sum(axis=0)).max() < 1e-6
    bends = []
    for step in 1e-4 * np.eye(6):
        # Of fourth order, so that its error is far below what is compared.
        near, far = (
            (likelihood(top + k * step)[1] - likelihood(top - k * step)[1]).sum(axis=0) for k in (1, 2)
        )
        bends.append((8 * near - far) / 12e-4)
    errors = np.sqrt(np.diag(np.linalg.inv(-np.array(bends))))[:4]
    assert [getattr(batch, name)[0] for name in ERRORS] == pytest.approx(errors, rel=1e-6)


@pytest.mark.parametrize(
    ("trial", "truth", "lower"),
    # The lower tops are those of no over-dispersion, and of no variance of the patients.
    [
        (7, {"sigma": 2.5, "theta": 0.5, "mean": 0.5}, -83.025),
        (23, {"sigma": 0.1, "theta": 0.3, "mean": 1.0}, -90.594),
    ],
)
def test_the_higher_of_two_tops_is_found(trial: int, truth: dict[str, float], lower: float) -> None:
    y, first, offset = (table[trial] for table in draw(11, 300, patients=40, **truth))
    batch = fit_crossovers(y[None], first, offset, tests="wald")
    assert CROSSOVER_STATUSES[batch.status[0]] == "fitted" and batch.log_likelihood[0] > lower + 0.05
    assert_same(batch, 0, fit_one(y, first, offset, (0, 1, 2)))


@few
@given(seed=seeds)
def test_exchanged_labels_change_signs_and_nothing_else(seed: int) -> None:
    y, first, offset = draw(seed, 3)
    one, other = fit_crossovers(y, first, offset), fit_crossovers(y, 1 - first, offset)
    turned = fit_crossovers(y[:, :, ::-1], 1 - first, offset[:, :, ::-1])
    assert_near(other.log_ratio, -one.log_ratio)
    assert_near(other.period, one.period)
    assert_near(turned.log_ratio, one.log_ratio)
    assert_near(turned.period, -one.period)
    for name in ("standard_error", "sigma", "log_likelihood", "likelihood_ratio"):
        assert_near(getattr(other, name), getattr(one, name))
        assert_near(getattr(turned, name), getattr(one, name))
    np.testing.assert_array_equal(other.status, one.status)


@few
@given(seed=seeds)
def test_the_order_of_patients_and_the_unit_of_time_change_nothing(seed: int) -> None:
    y, first, offset = draw(seed, 2)
    order = np.random.default_rng(seed).permutation(y.shape[1])
    one = fit_crossovers(y, first, offset, carry_over=True)
    moved = fit_crossovers(y[:, order], first[:, order], offset[:, order] + 2.0, carry_over=True)
    assert_near(moved.intercept, one.intercept - 2.0)
    for name in ("log_ratio", "standard_error", "carry_over", "sigma", "log_likelihood", "likelihood_ratio"):
        assert_near(getattr(moved, name), getattr(one, name))


def test_threads_and_neighbours_change_no_bit() -> None:
    y, first, offset = draw(5, 150, patients=20)
    # One that the kernels leave among them.
    y[70] *= np.stack([first[70], 1 - first[70]], axis=1)
    whole = fit_crossovers(y, first, offset)
    assert_bitwise(whole, fit_crossovers(y, first, offset, threads=2))
    for trial in (0, 63, 70, 149):
        rows = slice(trial, trial + 1)
        assert_bitwise(whole, fit_crossovers(y[rows], first[rows], offset[rows]), rows)


def test_one_row_of_sequences_and_offsets_stands_for_all_trials() -> None:
    y, first, offset = draw(6, 3)
    whole = fit_crossovers(y, np.tile(first[0], (3, 1)), np.tile(offset[0], (3, 1, 1)))
    assert_bitwise(whole, fit_crossovers(y, first[0], offset[0]))


def test_degenerate_trials_have_the_status_that_they_have_alone() -> None:
    rng = np.random.default_rng(7)
    first = np.arange(24) % 2
    treated = np.stack([first, 1 - first], axis=1)
    usual = rng.poisson(2.0 * np.exp(0.8 * rng.normal(size=(24, 1))) * rng.gamma(1.5, 1 / 1.5, (24, 2)))
    # Within each patient one count well above the mean and one of 0, so that no patient stands out.
    early = np.stack([np.arange(24) // 2 % 2, 1 - np.arange(24) // 2 % 2], axis=1)
    apart = early * (3 + np.arange(24) % 5)[:, None]
    data = {
        "no_events": 0 * usual,
        "separated": usual * (1 - treated),
        "no_variance": apart,
        "poisson": np.round(4 * np.exp(0.7 * rng.normal(size=(24, 1)))) + np.zeros((1, 2)),
    }
    y = np.array([*data.values(), usual, np.full((24, 2), 3)], dtype=float)
    batch = fit_crossovers(y, first, carry_over=False)
    assert [CROSSOVER_STATUSES[code] for code in batch.status[:4]] == list(data)
    for trial in range(1, len(y)):
        assert_same(batch, trial, fit_one(y[trial], first, np.zeros((24, 2)), (0, 1, 2)))
    assert np.isnan(batch.log_ratio[0]) and batch.wald_z[0] == 0 == batch.likelihood_ratio[0]
    assert batch.log_ratio[1] == -np.inf and batch.standard_error[1] == np.inf and batch.wald_z[1] == 0
    assert batch.likelihood_ratio[1] > 10
    assert batch.sigma[2] == 0 and np.isfinite(batch.theta[2])
    assert batch.theta[3] == np.inf and batch.sigma[3] > 0
    # Counts that do not vary at all: neither over-dispersion nor a variance of the patients.
    assert batch.sigma[5] == 0 and batch.theta[5] == np.inf
    assert np.isnan(batch.carry_over).all()


def test_one_sequence_alone_does_not_tell_treatment_from_period() -> None:
    y, _, _ = draw(8, 2)
    batch = fit_crossovers(y, np.zeros(36))
    assert np.isnan(batch.log_ratio).all() and np.isfinite(batch.period).all()


DESIGN = CrossoverDesign(patients=24, rate0=2.5, ratio=0.6, dispersion=0.7, sigma=0.8)


def test_simulated_threads_and_division_change_no_bit() -> None:
    whole = simulate_crossovers(DESIGN, 200, seed=5)
    assert_bitwise(whole, simulate_crossovers(DESIGN, 200, seed=5, threads=2))
    assert_bitwise(whole, simulate_crossovers(DESIGN, 70, seed=5), slice(0, 70))
    assert_bitwise(whole, simulate_crossovers(DESIGN, 30, seed=5, first=110), slice(110, 140))
    assert (simulate_crossovers(DESIGN, 30, seed=6).log_ratio != whole.log_ratio[:30]).all()


def test_simulated_patients_are_of_the_design() -> None:
    design = CrossoverDesign(
        patients=3000,
        rate0=2.0,
        ratio=0.5,
        period=1.5,
        carry_over=1.2,
        dispersion=0.5,
        sigma=0.6,
        exposure=(1.0, 2.0),
        block=(2, 1),
    )
    y, sequence = draw_crossovers(design, 20, seed=3)
    assert (sequence.reshape(-1, 3).sum(axis=1) == 1).all()
    expected = np.array([[2.0, 2.0 * 0.5 * 1.5 * 2], [2.0 * 0.5 * 1.2, 2.0 * 1.5 * 2 * 1.2]])
    for which in (0, 1):
        counts = y[sequence == which]
        assert counts.mean(axis=0) == pytest.approx(
            expected[which], abs=4 * counts.std() / len(counts) ** 0.5
        )
    # Two counts of a patient share the variance of a log-normal factor, e^(sigma^2) - 1.
    counts = y[sequence == 0]
    shared = float(np.cov(counts.T)[0, 1]) / float(np.prod(expected[0]))
    assert shared == pytest.approx(np.exp(0.36) - 1, abs=0.05)
    own = (counts[:, 0].var() - 2) / 4
    assert own == pytest.approx(1.5 * np.exp(0.36) - 1, abs=0.15)


def test_what_was_put_in_is_found_and_no_difference_is_rejected_as_seldom_as_it_should() -> None:
    null = CrossoverDesign(patients=48, rate0=3.0, ratio=1.0, dispersion=0.5, sigma=0.7)
    results = simulate_crossovers(null, 1500, 8, threads=2)
    error = 4 * (0.05 * 0.95 / 1500) ** 0.5
    assert abs((results.likelihood_ratio > 3.841459).mean() - 0.055) < error
    assert abs((np.abs(results.wald_z) > 1.959964).mean() - 0.06) < error
    assert abs(results.log_ratio.mean()) < 4 * results.log_ratio.std() / 1500**0.5
    assert results.standard_error.mean() == pytest.approx(results.log_ratio.std(), rel=0.1)
    assert float(np.median(results.sigma)) == pytest.approx(0.7, abs=0.05)


GOOD: dict[str, Any] = {"y": np.ones((2, 4, 2)), "treated_first": [0, 1, 0, 1]}


@pytest.mark.parametrize(
    ("argument", "changed"),
    [
        ("y", {"y": np.ones((4, 2))}),
        ("y", {"y": np.ones((0, 4, 2))}),
        ("y", {"y": np.full((2, 4, 2), np.nan)}),
        ("y", {"y": np.full((2, 4, 2), -1)}),
        ("treated_first", {"treated_first": [0, 1]}),
        ("treated_first", {"treated_first": [0, 1, 2, 1]}),
        ("treated_first", {"treated_first": [0, 1, np.nan, 1]}),
        ("offset", {"offset": np.zeros((3, 4, 2))}),
        ("offset", {"offset": np.full((4, 2), np.inf)}),
        ("nodes", {"nodes": 100}),
        ("threads", {"threads": 0}),
        ("tests", {"tests": "score"}),
    ],
)
def test_arguments_that_no_trial_has_are_named(argument: str, changed: dict[str, Any]) -> None:
    with pytest.raises(ArgumentError) as error:
        fit_crossovers(**(GOOD | changed))
    assert error.value.argument == argument


@pytest.mark.parametrize(
    ("argument", "changed"),
    [
        ("rate0", {"rate0": 0.0}),
        ("rate0", {"rate0": 200.0}),
        ("ratio", {"ratio": np.nan}),
        ("dispersion", {"dispersion": -1.0}),
        ("sigma", {"sigma": np.inf}),
        ("exposure", {"exposure": (1.0, 0.0)}),
        ("patients", {"patients": 3}),
        ("block", {"block": (2, 0)}),
    ],
)
def test_designs_that_there_are_not(argument: str, changed: dict[str, Any]) -> None:
    good: dict[str, Any] = {"patients": 24, "rate0": 2.5, "ratio": 0.6, "dispersion": 0.7, "sigma": 0.8}
    with pytest.raises(ArgumentError) as error:
        CrossoverDesign(**(good | changed))
    assert error.value.argument == argument


@pytest.mark.parametrize(
    ("argument", "changed"),
    [("trials", {"trials": 0}), ("seed", {"seed": 1 << 63}), ("first", {"first": -1})],
)
def test_simulations_that_there_are_not(argument: str, changed: dict[str, Any]) -> None:
    with pytest.raises(ArgumentError) as error:
        simulate_crossovers(DESIGN, **({"trials": 1, "seed": 1} | changed))
    assert error.value.argument == argument
