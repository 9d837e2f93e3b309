"""Simulated trials: the same bits however a run is divided, and counts of the distribution asked for."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from scipy import stats

from equipoise.statistics.arguments import ArgumentError
from equipoise.statistics.batch import engine
from equipoise.statistics.batch.block import COUNT_MOST, make_block
from equipoise.statistics.batch.engine import (
    STATUSES,
    CountDesign,
    FitResults,
    baseline_levels,
    fit_many,
    simulate_trials,
)
from equipoise.statistics.batch.generate import (
    draw_participants,
    first_probability,
    generate_block,
    invert,
    make_bench,
)

LEVELS, WEIGHTS = baseline_levels(1.7, 1.6)
FEW = CountDesign(
    participants=144, rate0=2.84, ratio=0.6, dispersion=1.6, levels=LEVELS, weights=WEIGHTS, slope=0.5
)
MANY = CountDesign(participants=60, rate0=1.5, ratio=0.7, dispersion=0.8, exposure=(0.5, 2.0), hazard=0.2)


def assert_bitwise(one: FitResults, other: FitResults, rows: slice = slice(None)) -> None:
    for field in fields(FitResults):
        np.testing.assert_array_equal(
            getattr(one, field.name)[rows], getattr(other, field.name), err_msg=field.name
        )


@pytest.mark.parametrize("design", [FEW, MANY])
def test_threads_and_division_change_no_bit(design: CountDesign) -> None:
    whole = simulate_trials(design, 2500, seed=5)
    assert_bitwise(whole, simulate_trials(design, 2500, seed=5, threads=2))
    assert_bitwise(whole, simulate_trials(design, 77, seed=5), slice(0, 77))
    assert_bitwise(whole, simulate_trials(design, 45, seed=5, first=1003), slice(1003, 1048))
    assert (simulate_trials(design, 77, seed=6).log_ratio != whole.log_ratio[:77]).all()


def test_data_fitted_alone_and_among_others_have_the_same_bits() -> None:
    rng = np.random.default_rng(1)
    y, t = rng.poisson(1.5 * rng.gamma(1, 1, (70, 40))), np.arange(40) % 2
    whole = fit_many(y, t, threads=2)
    for trial in (0, 31, 69):
        assert_bitwise(whole, fit_many(y[trial], t), slice(trial, trial + 1))


def test_tables_and_inversion_draw_the_same_counts() -> None:
    by_tables, by_inversion = (
        simulate_trials(FEW, 200, 3, method=method) for method in ("tables", "inversion")
    )
    np.testing.assert_allclose(by_tables.log_ratio, by_inversion.log_ratio, rtol=1e-9)
    np.testing.assert_allclose(by_tables.log_likelihood, by_inversion.log_likelihood, rtol=1e-9)


@pytest.mark.parametrize(("mean", "dispersion"), [(2.84, 1.6), (0.3, 0.0), (40.0, 0.5), (300.0, 0.01)])
def test_counts_follow_the_negative_binomial_distribution(mean: float, dispersion: float) -> None:
    size = 1 / dispersion if dispersion else 0.0
    law = stats.nbinom(size, size / (size + mean)) if dispersion else stats.poisson(mean)
    first = first_probability(mean, dispersion)
    for u in (0.0, 1e-9, 0.01, 0.2, 0.5, 0.77, 0.99, 1 - 1e-9):
        assert invert(u, first, mean, dispersion) == max(0, int(law.ppf(np.nextafter(u, 2))))


def test_arms_are_balanced_in_each_block_and_levels_have_their_weights() -> None:
    plan = engine._make_plan(
        CountDesign(
            participants=600,
            rate0=1,
            ratio=1,
            dispersion=1,
            block=(2, 1),
            levels=(0.0, 1.0, 2.0),
            weights=(0.5, 0.3, 0.2),
        ),
        "auto",
    )
    bench = make_bench(plan)
    seen, places = np.zeros(3), np.zeros(3)
    for trial in range(40):
        draw_participants(plan, 9, trial, bench.words, bench.cells, bench.chances)
        arms = (bench.cells >= 3).reshape(-1, 3)
        assert (arms.sum(axis=1) == 1).all()
        places += arms.sum(axis=0)
        seen += np.bincount(bench.cells % 3, minlength=3)
    assert stats.chisquare(places).pvalue > 1e-3
    assert stats.chisquare(seen, 24_000 * np.array([0.5, 0.3, 0.2])).pvalue > 1e-3


def test_means_variance_and_exposure_of_generated_participants() -> None:
    plan = engine._make_plan(MANY, "auto")
    block, bench = make_block(2 * 60, COUNT_MOST), make_bench(plan)
    rows, exposures = [], []
    for base in range(0, 640, 32):
        generate_block(block, plan, bench, 4, base, 32)
        table = block.rows.reshape(120, 4, 32)
        for lane in range(32):
            treated = int(block.filled[32 + lane])
            rows.append(table[60 : 60 + treated, 1, lane] / np.exp(table[60 : 60 + treated, 3, lane]))
            exposures.append(np.exp(table[60 : 60 + treated, 3, lane]))
    rates, times = np.concatenate(rows), np.concatenate(exposures)
    weighted = float(np.average(rates, weights=times))
    assert weighted == pytest.approx(
        1.05, abs=4 * float(np.sqrt(np.average((rates - 1.05) ** 2, weights=times) / len(rates)))
    )
    # E min(U, D) for U uniform on (0.5, 2) and D exponential with hazard 0.2.
    expected = (1 - (np.exp(-0.1) - np.exp(-0.4)) / (0.2 * 1.5)) / 0.2
    assert float(times.mean()) == pytest.approx(expected, abs=4 * float(times.std()) / len(times) ** 0.5)


def test_no_difference_is_found_as_often_as_it_should() -> None:
    null = CountDesign(participants=144, rate0=2.84, ratio=1, dispersion=1.6)
    results = simulate_trials(null, 20_000, 8, threads=2)
    assert set(results.status.tolist()) <= {STATUSES.index("fitted"), STATUSES.index("poisson")}
    error = 4 * (0.05 * 0.95 / 20_000) ** 0.5
    assert abs((np.abs(results.score_z) > 1.959964).mean() - 0.05) < error
    # The Wald test is known to reject too often: 5.7 percent at this size and dispersion.
    assert abs((np.abs(results.wald_z) > 1.959964).mean() - 0.057) < error
    assert abs(results.log_ratio.mean()) < 4 * results.log_ratio.std() / 20_000**0.5


def test_wald_alone_leaves_the_other_tests_at_zero() -> None:
    alone, whole = simulate_trials(FEW, 64, 2, tests="wald"), simulate_trials(FEW, 64, 2)
    np.testing.assert_array_equal(alone.wald_z, whole.wald_z)
    assert not alone.score_z.any()
    assert not alone.likelihood_ratio.any()


@pytest.mark.parametrize(
    ("change", "argument"),
    [
        ({"rate0": 0.0}, "rate0"),
        ({"ratio": float("nan")}, "ratio"),
        ({"dispersion": -1.0}, "dispersion"),
        ({"exposure": (2.0, 1.0)}, "exposure"),
        ({"exposure": 0.0}, "exposure"),
        ({"participants": 3}, "participants"),
        ({"block": (0, 2)}, "block"),
        ({"weights": (1.0,)}, "levels"),
        ({"weights": (0.5, 0.4), "levels": (0.0, 1.0)}, "weights"),
        ({"slope": 1.0}, "levels"),
        ({"rate0": 501.0}, "rate0"),
    ],
)
def test_impossible_designs_are_named(change: dict[str, object], argument: str) -> None:
    good: dict[str, object] = {"participants": 40, "rate0": 1.0, "ratio": 1.0, "dispersion": 1.0}
    with pytest.raises(ArgumentError) as refused:
        CountDesign(**(good | change))  # type: ignore[arg-type]  # some are wrong on purpose
    assert refused.value.argument == argument


@pytest.mark.parametrize(
    ("y", "treatment", "covariate", "argument"),
    [
        ([[1, -1]], [0, 1], None, "y"),
        ([[1, 0.5]], [0, 1], None, "y"),
        ([[1, float("nan")]], [0, 1], None, "y"),
        ([[1, 1e9]], [0, 1], None, "y"),
        ([[]], [[]], None, "y"),
        ([[1, 2]], [0, 0], None, "treatment"),
        ([[1, 2]], [0, 2], None, "treatment"),
        ([[1, 2]], [0, 1, 1], None, "treatment"),
        ([[1, 2]], [0, 1], [0.0, float("inf")], "covariate"),
    ],
)
def test_impossible_data_are_named(y: object, treatment: object, covariate: object, argument: str) -> None:
    with pytest.raises(ArgumentError) as refused:
        fit_many(y, treatment, covariate)  # type: ignore[arg-type]  # some are wrong on purpose
    assert refused.value.argument == argument


@pytest.mark.parametrize(
    ("change", "argument"),
    [
        ({"trials": 0}, "trials"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**63}, "seed"),
        ({"tests": "exact"}, "tests"),
        ({"method": "tables"}, "method"),
    ],
)
def test_impossible_runs_are_named(change: dict[str, object], argument: str) -> None:
    with pytest.raises(ArgumentError) as refused:
        simulate_trials(MANY, **({"trials": 1, "seed": 1} | change))  # type: ignore[arg-type]
    assert refused.value.argument == argument
