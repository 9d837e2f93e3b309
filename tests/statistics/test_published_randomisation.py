"""Randomisation designs against what is known in closed form."""

from math import comb

import numpy as np
import pytest

from equipoise.statistics.randomisation import (
    BiasedCoin,
    PermutedBlocks,
    simulate_design,
    simulate_sequences,
)


@pytest.mark.parametrize("half", [1, 2, 3, 5, 10])
def test_blackwell_and_hodges_guesses_in_a_block(half: int) -> None:
    # Blackwell and Hodges, Ann Math Stat 1957;28:449, for the random allocation of 2b participants to equal
    # groups: b + (2^(2b) / C(2b, b) - 1) / 2 correct guesses are expected.
    expected = half + (4**half / comb(2 * half, half) - 1) / 2
    found = simulate_design(PermutedBlocks(sizes=(2 * half,)), 6 * half, 20_000, np.random.default_rng(half))
    guesses = found.correct_guesses
    assert abs(guesses.mean - expected / (2 * half)) <= 4 * guesses.se + 1e-12
    assert found.best_guesses == guesses


def test_efron_coin_of_two_thirds_balances_every_second_even_trial() -> None:
    # Efron, Biometrika 1971;58:403: the difference has the stationary probabilities (r - 1) / (2 r) of 0 and
    # (r^2 - 1) / (2 r^(j+1)) of j, with r = p / (1 - p). At p = 2/3 half of the long trials of even size are
    # balanced, three quarters of those of odd size differ by 1, and the excess of correct guesses tends to
    # (r - 1) / (4 r) = 1/8.
    rng = np.random.default_rng(1971)
    coin = BiasedCoin(probability=2 / 3)
    sides = 2 * simulate_sequences(coin, 80, 20_000, rng) - 3
    error = 4 * np.sqrt(0.25 / 20_000)
    assert np.mean(sides.sum(axis=1) == 0) == pytest.approx(1 / 2, abs=error)
    assert np.mean(np.abs(sides[:, :-1].sum(axis=1)) == 1) == pytest.approx(3 / 4, abs=error)
    assert np.mean(np.abs(sides.sum(axis=1)) == 4) == pytest.approx(3 / 2**5, abs=error)
    assert simulate_design(coin, 4000, 40, rng).correct_guesses.mean == pytest.approx(5 / 8, abs=0.002)


@pytest.mark.parametrize("probability", [0.55, 0.6, 0.75, 0.9])
def test_efron_excess_of_correct_guesses(probability: float) -> None:
    # Efron 1971, as above: 1/2 + (r - 1) / (4 r).
    ratio = probability / (1 - probability)
    found = simulate_design(BiasedCoin(probability=probability), 4000, 40, np.random.default_rng(58))
    assert found.correct_guesses.mean == pytest.approx(0.5 + (ratio - 1) / (4 * ratio), abs=0.004)
