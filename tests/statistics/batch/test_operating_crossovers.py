"""How often the tests of a crossover reject: on the data that are simulated, as the page says."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from equipoise.statistics.arguments import ArgumentError
from equipoise.statistics.batch.crossover import CrossoverDesign, fit_crossovers, simulate_crossovers
from equipoise.statistics.batch.operating_crossovers import CROSSOVER_TESTS, _draw, crossover_rejections

NULL = CrossoverDesign(patients=24, rate0=2, ratio=1, dispersion=0.5, sigma=0.8, exposure=(1.0, 1.5))
PAGE = Path(__file__).parents[3] / "docs" / "designing.md"


def test_the_data_of_trials_are_those_that_are_analysed() -> None:
    simulated = simulate_crossovers(NULL, 6, 3, first=9, tests="wald")
    drawn = [_draw(NULL, 3, 9 + trial) for trial in range(6)]
    fit = fit_crossovers(
        np.array([y.reshape(-1, 2) for y, _ in drawn]),
        np.array([sequence for _, sequence in drawn]),
        np.tile(np.log(NULL.exposure), (24, 1)),
        tests="wald",
    )
    np.testing.assert_allclose(fit.log_ratio, simulated.log_ratio, rtol=1e-6)


def test_tasks_add_up_to_the_whole_and_a_test_does_not_depend_on_the_others() -> None:
    whole = crossover_rejections(NULL, trials=70, seed=2, alpha=0.2)
    assert tuple(whole) == CROSSOVER_TESTS
    simulated = simulate_crossovers(NULL, 70, 2)
    assert whole["wald"].value == (np.abs(simulated.wald_z) > 1.2815515655).mean()
    assert whole["likelihood_ratio"].value == (simulated.likelihood_ratio > 1.6423744).mean()
    for test in CROSSOVER_TESTS:
        assert crossover_rejections(NULL, trials=70, seed=2, alpha=0.2, tests=[test]) == {test: whole[test]}


def test_what_differs_is_found_more_often_than_what_does_not() -> None:
    null = crossover_rejections(NULL, trials=64, seed=1)
    better = crossover_rejections(replace(NULL, ratio=0.4), trials=64, seed=1)
    assert all(better[test].value > null[test].value + 0.4 for test in CROSSOVER_TESTS)


def test_what_the_page_says_of_crossovers_is_found_again_in_fewer_trials() -> None:
    section = PAGE.read_text(encoding="utf-8").partition("`crossover_rejections`")[2]
    rows = re.findall(
        r"^\| `(\w+)` \| .*? \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$", section, re.M
    )
    said = {name: [float(value) for value in values] for name, *values in rows}
    assert tuple(said) == CROSSOVER_TESTS
    trials = 64
    design = CrossoverDesign(patients=72, rate0=2.84, ratio=1, dispersion=4, sigma=0.8)
    for test, share in crossover_rejections(design, trials=trials, seed=1).items():
        value = said[test][-1]
        assert share.value == pytest.approx(value, abs=4 * (value * (1 - value) / trials) ** 0.5), test


@pytest.mark.parametrize(
    ("change", "argument"),
    [
        ({"trials": 0}, "trials"),
        ({"seed": -1}, "seed"),
        ({"alpha": 0.0}, "alpha"),
        ({"tests": ()}, "tests"),
        ({"tests": ("score",)}, "tests"),
    ],
)
def test_impossible_runs_are_named(change: dict[str, object], argument: str) -> None:
    with pytest.raises(ArgumentError) as refused:
        crossover_rejections(NULL, **({"trials": 1, "seed": 1} | change))  # type: ignore[arg-type]
    assert refused.value.argument == argument
