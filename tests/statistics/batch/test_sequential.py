"""Simulated trials that are looked at early."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.statistics.arguments import ArgumentError
from equipoise.statistics.batch.engine import CountDesign, draw_trials
from equipoise.statistics.batch.operating import operating_characteristics
from equipoise.statistics.batch.sequential import Look, cut_off, looks_of, stops_of
from equipoise.statistics.boundaries import (
    Boundaries,
    Futility,
    boundaries,
    crossing_probabilities,
    drift_for,
    expected_information,
)

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
# Many participants with many events each, so that Z is normal, and its mean as the theory has it.
LARGE = CountDesign(participants=600, rate0=4, ratio=1, dispersion=0.25)


def one_sided(futility: Futility | None = None) -> Boundaries:
    return boundaries("asOF", information=(0.4, 0.7, 1), alpha=0.025, futility=futility)


def test_a_look_is_the_beginning_of_the_whole_trial() -> None:
    early, whole = (draw_trials(each, 5, 3) for each in (cut_off(ADJUSTED, Look(17, 2.0)), ADJUSTED))
    for name in ("y", "treatment", "covariate", "exposure", "block"):
        np.testing.assert_array_equal(
            np.atleast_2d(getattr(early, name)), np.atleast_2d(getattr(whole, name))[:, :17], err_msg=name
        )


@given(
    st.lists(
        st.lists(st.floats(-6, 6) | st.just(float("nan")), min_size=3, max_size=3), min_size=1, max_size=20
    )
)
def test_double_a_trial_ends_at_the_first_look_at_which_a_bound_is_crossed(rows: list[list[float]]) -> None:
    looks = (Look(10, 3.0, -1.0), Look(20, 2.5, 0.5), Look(30, 2.0, 2.0))
    found = stops_of(looks, np.array(rows).T)
    for trial, row in enumerate(rows):
        expected = (2, False, False)
        for place, (look, z) in enumerate(zip(looks, row, strict=True)):
            floor = -np.inf if look.futile_below is None or place == 2 else look.futile_below
            if z >= look.critical or z < floor:
                expected = (place, z >= look.critical, z < floor)
                break
        assert (found.look[trial], found.rejected[trial], found.futile[trial]) == expected


def test_without_looks_there_is_one_analysis_at_the_end() -> None:
    found = operating_characteristics(ADJUSTED, trials=200, seed=2)
    (look,) = found.looks
    assert look.participants == 42 and look.rejected == found.rejected
    assert set(found.expected.values()) == {42.0}
    assert all(share.value == 0 for share in look.futile.values())


@pytest.mark.parametrize(
    ("futility", "drift"),
    [
        (None, 0.0),
        (None, drift_for(one_sided(), 0.2)),
        (Futility(family="asOF", beta=0.2), 0.0),
        (Futility(family="asHSD", gamma=-2.0, beta=0.2, binding=True), 1.5),
    ],
)
def test_double_large_trials_stop_as_the_theory_of_boundaries_says(
    futility: Futility | None, drift: float
) -> None:
    bounds, trials = one_sided(futility), 6_000
    # With n / 2 an arm, the information of the log ratio: n / 4 times one over 1 / mu + k, about.
    ratio = np.exp(-drift * np.sqrt(4 * (1 / LARGE.rate0 + LARGE.dispersion) / LARGE.participants))
    design = replace(LARGE, ratio=float(ratio), rate0=LARGE.rate0 / float(np.sqrt(ratio)))
    found = operating_characteristics(design, trials=trials, seed=5, sides=1, alpha=0.025, bounds=bounds)
    theory = crossing_probabilities(bounds, drift)
    for place, look in enumerate(found.looks):
        for shares, said in ((look.rejected, theory.upper[place]), (look.futile, theory.lower[place])):
            if shares is look.futile and place == 2:
                assert shares["score"].value == 0
                continue
            error = 4 * (said * (1 - said) / trials) ** 0.5
            # The mean of Z is that of the theory to about 2 per cent.
            assert shares["score"].value == pytest.approx(
                said, abs=error + 0.05 * min(said, 1 - said) + 0.001
            )
    expected = 600 * expected_information(bounds, drift)
    assert found.expected["score"] == pytest.approx(expected, rel=0.02)
    assert sum(look.rejected["score"].value for look in found.looks) == pytest.approx(
        found.rejected["score"].value
    )


def test_a_trial_that_stops_early_overstates_its_effect() -> None:
    design = CountDesign(participants=80, rate0=2, ratio=0.5, dispersion=1)
    bounds = boundaries("P", information=(0.25, 0.5, 0.75, 1), alpha=0.05, sides=2)
    at_the_end, early = (
        operating_characteristics(design, trials=4000, seed=5, bounds=each, tests=("wald",))
        for each in (None, bounds)
    )
    assert early.expected["wald"] < 70 < at_the_end.expected["wald"]
    assert early.bias < at_the_end.bias - 5 * at_the_end.bias_error
    assert sum(early.statuses.values()) == 4000


@pytest.mark.parametrize(
    ("design", "change", "argument"),
    [
        (ADJUSTED, {"alpha": 0.05}, "bounds"),
        (ADJUSTED, {"sides": 2}, "bounds"),
        (replace(ADJUSTED, participants=4), {}, "bounds"),
        (replace(ADJUSTED, participants=3), {}, "bounds"),
        (ADJUSTED, {"tests": ("wald", "permutation")}, "tests"),
    ],
)
def test_looks_that_cannot_be_are_named(
    design: CountDesign, change: dict[str, object], argument: str
) -> None:
    asked = {"trials": 1, "seed": 1, "alpha": 0.025, "sides": 1, "bounds": one_sided()} | change
    with pytest.raises(ArgumentError) as refused:
        operating_characteristics(design, **asked)  # type: ignore[arg-type]
    assert refused.value.argument == argument


def test_a_look_has_its_share_of_the_participants_rounded_up() -> None:
    design = replace(ADJUSTED, participants=110)
    assert [look.participants for look in looks_of(design, 0.025, 1, one_sided())] == [44, 77, 110]
    design = replace(ADJUSTED, participants=111)
    assert [look.participants for look in looks_of(design, 0.025, 1, one_sided())] == [45, 78, 111]
