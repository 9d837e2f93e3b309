"""When a trial has its participants: against what is known exactly, and against counting one by one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import gamma

from equipoise.statistics.arguments import ArgumentError
from equipoise.statistics.recruitment import RecruitmentPlan, forecast_recruitment


def test_alike_sites_that_are_all_open_reach_the_target_as_a_poisson_process_does():
    plan = RecruitmentPlan(target=60, openings=(0.0,) * 5, mean_rate=0.8, shape=np.inf)
    forecast = forecast_recruitment(plan, seed=1, trials=20_000)
    exact = gamma(60, scale=1 / 4)
    assert forecast.completion.mean() == pytest.approx(15, abs=4 * exact.std() / 20_000**0.5)
    for share in (0.1, 0.5, 0.9):
        p, error = forecast.probability_by(float(exact.ppf(share)))
        assert p == pytest.approx(share, abs=4 * error)


def test_one_site_of_unknown_rate_has_negative_binomial_numbers():
    plan = RecruitmentPlan(target=10_000, openings=(2.0,), mean_rate=3.0, shape=2.0)
    forecast = forecast_recruitment(plan, seed=2, trials=20_000, points=101)
    # Mean of the numbers is 3 (t - 2); their median is that of a gamma mixture of Poisson numbers.
    rng = np.random.default_rng(3)
    place = int(np.flatnonzero(forecast.median < 5000)[-1])
    time = forecast.times[place]
    counted = rng.poisson(rng.gamma(2, 1.5, 20_000) * (time - 2))
    assert forecast.median[place] == pytest.approx(np.median(counted), rel=0.05)


def one_by_one(plan: RecruitmentPlan, rng: np.random.Generator) -> float:
    """The time of the last participant, by the arrivals of each site."""
    arrivals: list[float] = []
    for opening in plan.openings:
        rate = rng.gamma(plan.shape, plan.mean_rate / plan.shape)
        arrivals += list(opening + np.cumsum(rng.exponential(1 / rate, plan.target)))
    return sorted(arrivals)[plan.target - 1]


def test_sites_that_open_one_after_the_other_agree_with_counting_one_by_one():
    plan = RecruitmentPlan(target=25, openings=(0.0, 3.0, 3.0, 9.0), mean_rate=0.7, shape=1.5)
    rng = np.random.default_rng(4)
    counted = np.array([one_by_one(plan, rng) for _ in range(4000)])
    forecast = forecast_recruitment(plan, seed=5, trials=20_000)
    for share in (0.25, 0.5, 0.75):
        p, error = forecast.probability_by(float(np.quantile(counted, share)))
        assert p == pytest.approx(share, abs=4 * (share * (1 - share) / 4000 + error**2) ** 0.5)


def test_what_has_come_in_so_far_corrects_what_was_assumed():
    before = RecruitmentPlan(target=100, openings=(0.0,) * 4, mean_rate=2.0)
    slow = RecruitmentPlan(
        target=100, openings=(0.0,) * 4, mean_rate=2.0, enrolled=(6, 5, 7, 6), open_for=(12.0,) * 4
    )
    assert forecast_recruitment(slow, seed=6).quantile(0.5) > forecast_recruitment(before, seed=6).quantile(
        0.5
    )
    assert slow.missing == 76
    forecast = forecast_recruitment(slow, seed=6)
    assert forecast.by_site.sum() == pytest.approx(100)
    assert forecast.median[0] == 24


def test_a_target_that_is_reached_takes_no_time():
    done = RecruitmentPlan(target=5, openings=(0.0,), mean_rate=1.0, enrolled=(6,), open_for=(3.0,))
    assert not forecast_recruitment(done, seed=1).completion.any()


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.floats(0, 20), min_size=1, max_size=6),
    st.floats(0.05, 5),
    st.floats(0.2, 20),
    st.integers(1, 40),
)
def test_laws(openings, rate, shape, target):
    plan = RecruitmentPlan(target=target, openings=tuple(openings), mean_rate=rate, shape=shape)
    forecast = forecast_recruitment(plan, seed=7, trials=200)
    assert (forecast.completion >= min(openings)).all()
    assert (np.diff(forecast.completion) >= 0).all()
    assert (forecast.low <= forecast.median).all() and (forecast.median <= forecast.high).all()
    assert (np.diff(forecast.median) >= 0).all() and forecast.high.max() <= target
    again = forecast_recruitment(plan, seed=7, trials=200)
    assert (again.completion == forecast.completion).all()


@pytest.mark.parametrize(
    ("wrong", "argument"),
    [
        ({"target": 0}, "target"),
        ({"target": 2.5}, "target"),
        ({"openings": ()}, "openings"),
        ({"openings": (0.0, -1.0)}, "openings[1]"),
        ({"openings": (0.0, float("nan"))}, "openings[1]"),
        ({"mean_rate": 0.0}, "mean_rate"),
        ({"shape": -1.0}, "shape"),
        ({"enrolled": (1,)}, "enrolled"),
        ({"enrolled": (1, -1), "open_for": (1.0, 1.0)}, "enrolled[1]"),
        ({"enrolled": (1, 1)}, "open_for"),
    ],
)
def test_what_no_trial_can_have_is_named(wrong, argument):
    with pytest.raises(ArgumentError) as error:
        RecruitmentPlan(**{"target": 5, "openings": (0.0, 0.0), "mean_rate": 1.0, **wrong})
    assert error.value.argument == argument
