"""What the tests of a design are worth: sums over parts of a run, and tests that are done trial by trial."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from equipoise.statistics.arguments import ArgumentError
from equipoise.statistics.batch.engine import CountDesign, draw_trials, fit_many, simulate_trials
from equipoise.statistics.batch.one_by_one import SANDWICHED, SINGLE_TESTS, analyse, count_rejections
from equipoise.statistics.batch.operating import KERNEL_TESTS, TESTS, operating_characteristics
from equipoise.statistics.batch.sandwich import robust_statistics

NULL = CountDesign(participants=40, rate0=2, ratio=1, dispersion=1)
ADJUSTED = CountDesign(
    participants=42,
    rate0=2,
    ratio=0.5,
    dispersion=1,
    exposure=(0.5, 2.0),
    hazard=0.2,
    block=(2, 1),
    levels=(0.0, 1.0, 2.0),
    weights=(0.5, 0.3, 0.2),
    slope=0.4,
)
# As many parameters as participants.
TINY = CountDesign(
    participants=3, rate0=9, ratio=1, dispersion=0, block=(2, 1), levels=(0.0, 1.0), weights=(0.5, 0.5)
)
# A group without events in every other trial.
RARE = CountDesign(participants=16, rate0=0.12, ratio=1, dispersion=1)
PAGE = Path(__file__).parents[3] / "docs" / "designing.md"


@pytest.mark.parametrize("design", [NULL, ADJUSTED])
def test_the_data_of_trials_are_those_that_are_analysed(design: CountDesign) -> None:
    simulated, data = simulate_trials(design, 12, seed=3, first=5), draw_trials(design, 12, 3, 5)
    fit = fit_many(data.y, data.treatment, data.covariate, np.log(data.exposure))
    for name in ("log_ratio", "standard_error", "score_z", "likelihood_ratio"):
        np.testing.assert_allclose(getattr(fit, name), getattr(simulated, name), rtol=1e-7, err_msg=name)
    for treatment in data.treatment:
        treated = np.bincount(data.block, weights=treatment)
        assert set(treated.tolist()) == {float(design.block[1])}


@pytest.mark.parametrize("design", [NULL, ADJUSTED, RARE, TINY])
def test_double_sandwiches_of_many_trials_are_those_of_each(design: CountDesign) -> None:
    trials = 30
    found = robust_statistics(design, simulate_trials(design, trials, 3, first=5), SANDWICHED)
    data = draw_trials(design, trials, 3, 5)
    for test in SANDWICHED:
        alone = [analyse(test, data, row, "two-sided", np.random.default_rng(0)) for row in range(trials)]
        np.testing.assert_allclose(
            found[test], [each.statistic or 0.0 for each in alone], rtol=1e-6, atol=1e-9
        )


def test_parts_add_up_to_what_the_whole_says() -> None:
    trials = 20_000
    told: list[tuple[int, int]] = []
    found = operating_characteristics(
        NULL, trials=trials, seed=4, progress=lambda done, tasks: told.append((done, tasks))
    )
    whole = simulate_trials(NULL, trials, 4)
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert tuple(found.rejected) == KERNEL_TESTS
    assert found.rejected["score"].value == (np.abs(whole.score_z) > 1.959964).mean()
    finite = whole.log_ratio[np.isfinite(whole.log_ratio)]
    assert found.bias == pytest.approx(finite.mean(), rel=1e-9)
    assert found.spread == pytest.approx(finite.std(ddof=1), rel=1e-12)
    assert found.mean_error == pytest.approx(whole.standard_error[np.isfinite(whole.log_ratio)].mean())
    assert sum(found.statuses.values()) == trials


def test_one_side_rejects_on_its_side_only() -> None:
    def rejected(direction: str) -> dict[str, float]:
        found = operating_characteristics(
            CountDesign(participants=40, rate0=4, ratio=0.2, dispersion=0.5),
            trials=40,
            seed=2,
            alpha=0.025,
            sides=1,
            direction=direction,  # type: ignore[arg-type]  # both are allowed
            tests=TESTS,
        )
        return {test: share.value for test, share in found.rejected.items()}

    fewer = rejected("fewer")
    # Far from the hypothesis the observed information need not be positive, and there is no statistic.
    assert 0 < fewer.pop("score_observed") < 0.9
    assert all(value > 0.9 for value in fewer.values())
    assert not any(rejected("more").values())


def test_with_equal_exposure_and_no_covariate_the_observed_information_is_the_expected_one() -> None:
    found = operating_characteristics(NULL, trials=130, seed=1, tests=("wald", "wald_observed"))
    assert found.rejected["wald"] == found.rejected["wald_observed"]


def test_a_trial_is_tested_the_same_whoever_its_neighbours_are() -> None:
    def count(first: int, trials: int) -> dict[str, int]:
        rule: dict = {"tests": SINGLE_TESTS, "alpha": 0.4, "alternative": "two-sided"}
        return count_rejections(NULL, trials, 6, first=first, **rule)

    apart = [count(trial, 1) for trial in range(4)]
    assert count(0, 4) == {test: sum(each[test] for each in apart) for test in SINGLE_TESTS}


def test_trials_without_events_reject_nothing() -> None:
    rare = CountDesign(participants=8, rate0=1e-9, ratio=1, dispersion=1)
    found = operating_characteristics(rare, trials=3, seed=1, tests=TESTS)
    assert {share.value for share in found.rejected.values()} == {0.0}
    assert found.statuses == {"no_events": 3}
    assert np.isnan(found.bias)


def test_what_the_page_says_of_every_test_is_found_again_in_fewer_trials() -> None:
    page = PAGE.read_text(encoding="utf-8").partition("`crossover_rejections`")[0]
    rows = re.findall(r"^\| `(\w+)` \| .*? \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$", page, re.M)
    said = {name: [float(value) for value in values] for name, *values in rows}
    assert tuple(said) == TESTS
    trials = 64
    design = CountDesign(participants=144, rate0=2.84, ratio=1, dispersion=4)
    found = operating_characteristics(design, trials=trials, seed=1, tests=TESTS)
    for test, share in found.rejected.items():
        value = said[test][-1]
        assert share.value == pytest.approx(value, abs=4 * (value * (1 - value) / trials) ** 0.5), test


@pytest.mark.parametrize(
    ("change", "argument"),
    [
        ({"trials": 0}, "trials"),
        ({"seed": 2**63}, "seed"),
        ({"alpha": 1.0}, "alpha"),
        ({"sides": 3}, "sides"),
        ({"direction": "up"}, "direction"),
        ({"tests": ()}, "tests"),
        ({"tests": ("wald", "exact")}, "tests"),
        ({"threads": 0}, "threads"),
    ],
)
def test_impossible_runs_are_named(change: dict[str, object], argument: str) -> None:
    with pytest.raises(ArgumentError) as refused:
        operating_characteristics(NULL, **({"trials": 1, "seed": 1} | change))  # type: ignore[arg-type]
    assert refused.value.argument == argument
