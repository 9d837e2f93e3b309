"""Randomisation designs: programmed twice, exact on all sequences of small trials, and what always holds."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import permutations, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.statistics.arguments import ArgumentError
from equipoise.statistics.randomisation import (
    BiasedCoin,
    BigStick,
    CompleteRandomisation,
    MaximalProcedure,
    Minimisation,
    PermutedBlocks,
    RandomisationDesign,
    compare_designs,
    sequence_chances,
    simulate_design,
    simulate_sequences,
)

HALF = Fraction(1, 2)
FACTORS = ((0.9, 0.1), (0.2, 0.3, 0.5))

Weights = dict[tuple[int, ...], Fraction]
"""The probability of each sequence of 1 and 2."""

DESIGNS: list[RandomisationDesign] = [
    CompleteRandomisation(),
    PermutedBlocks(sizes=(4,)),
    PermutedBlocks(sizes=(2, 4, 6)),
    BiasedCoin(probability=0.75),
    BigStick(tolerance=2),
    MaximalProcedure(tolerance=2),
    MaximalProcedure(tolerance=3, balanced_end=False),
    Minimisation(probability=0.75, factors=FACTORS, weights=(2, 1)),
]


def lead(sequence: Sequence[int]) -> int:
    """How many more are in group 2."""
    return sum(1 if group == 2 else -1 for group in sequence)


def prefixes(sequence: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    return (sequence[:count] for count in range(len(sequence) + 1))


def plain_blocks(sizes: tuple[int, ...], participants: int) -> Weights:
    done: Weights = defaultdict(Fraction)
    growing: Weights = {(): Fraction(1)}
    while growing:
        longer: Weights = defaultdict(Fraction)
        for begun, weight in growing.items():
            for size in sizes:
                blocks = set(permutations([1] * (size // 2) + [2] * (size // 2)))
                for block in blocks:
                    sequence = begun + block
                    share = weight / len(sizes) / len(blocks)
                    if len(sequence) < participants:
                        longer[sequence] += share
                    else:
                        done[sequence[:participants]] += share
        growing = longer
    return done


def plain_maximal(tolerance: int, balanced_end: bool, participants: int) -> Weights:
    kept = [
        sequence
        for sequence in product((1, 2), repeat=participants)
        if all(abs(lead(begun)) <= tolerance for begun in prefixes(sequence))
        and (not balanced_end or abs(lead(sequence)) == participants % 2)
    ]
    return {sequence: Fraction(1, len(kept)) for sequence in kept}


def plain_step(design: RandomisationDesign, begun: tuple[int, ...], levels: Sequence[Sequence[int]]) -> float:
    """The chance of group 2 of those designs that are defined by it."""
    match design:
        case BiasedCoin():
            return (
                0.5 if not lead(begun) else design.probability if lead(begun) < 0 else 1 - design.probability
            )
        case BigStick():
            return 0.5 if abs(lead(begun)) < design.tolerance else float(lead(begun) < 0)
        case Minimisation():
            totals = []
            for candidate in (1, 2):
                total = 0
                for factor, weight in enumerate(design.weights):
                    same = [
                        group
                        for group, known in zip((*begun, candidate), levels, strict=False)
                        if known[factor] == levels[len(begun)][factor]
                    ]
                    counts = same.count(1), same.count(2)
                    total += weight * (max(counts) - min(counts))
                totals.append(total)
            if totals[0] == totals[1]:
                return 0.5
            return design.probability if totals[1] < totals[0] else 1 - design.probability
        case _:
            return 0.5


def plain_sequences(
    design: RandomisationDesign, participants: int, levels: Sequence[Sequence[int]] = ()
) -> Weights:
    if isinstance(design, PermutedBlocks):
        return plain_blocks(design.sizes, participants)
    if isinstance(design, MaximalProcedure):
        return plain_maximal(design.tolerance, design.balanced_end, participants)
    found: Weights = {(): Fraction(1)}
    for _ in range(participants):
        longer: Weights = {}
        for begun, weight in found.items():
            chance = Fraction(plain_step(design, begun, levels))
            longer[(*begun, 1)], longer[(*begun, 2)] = weight * (1 - chance), weight * chance
        found = {sequence: weight for sequence, weight in longer.items() if weight}
    return found


def plain_operating(found: Weights) -> dict[str, Fraction]:
    """The operating characteristics as sums over all sequences, by their definitions."""
    begun_weight: Weights = defaultdict(Fraction)
    for sequence, weight in found.items():
        for begun in prefixes(sequence):
            begun_weight[begun] += weight
    totals: dict[str, Fraction] = defaultdict(Fraction)
    for sequence, weight in found.items():
        count = len(sequence)
        sizes = [abs(lead(begun)) for begun in prefixes(sequence)][1:]
        totals["mean_imbalance"] += weight * Fraction(sum(sizes), count)
        totals["final_imbalance"] += weight * sizes[-1]
        totals["largest_imbalance"] += weight * max(sizes)
        for position, group in enumerate(sequence):
            begun, share = sequence[:position], weight / count
            smaller = 2 if lead(begun) < 0 else 1
            totals["correct_guesses"] += share * (HALF if not lead(begun) else Fraction(group == smaller))
            chance = begun_weight[(*begun, 2)] / begun_weight[begun]
            totals["best_guesses"] += share * max(chance, 1 - chance)
            totals["deterministic"] += share * (chance in (0, 1))
    return totals


def check_operating(design: RandomisationDesign, participants: int, expected: dict[str, Fraction]) -> None:
    found = simulate_design(design, participants, 20_000, np.random.default_rng(7))
    for name, value in expected.items():
        simulated = getattr(found, name)
        assert abs(simulated.mean - float(value)) <= 4.5 * simulated.se + 1e-9, (
            name,
            simulated,
            float(value),
        )


@pytest.mark.parametrize("design", DESIGNS, ids=lambda design: design.label)
@pytest.mark.parametrize("participants", [1, 7, 8])
def test_every_sequence_has_its_exact_probability(design: RandomisationDesign, participants: int) -> None:
    drawn = np.random.default_rng(11)
    levels = [[int(drawn.integers(2)), int(drawn.integers(3))] for _ in range(participants)]
    expected = plain_sequences(design, participants, levels)
    sequences = list(product((1, 2), repeat=participants))
    given_levels = levels if isinstance(design, Minimisation) else None
    chances = sequence_chances(design, sequences, given_levels)
    made = np.nanprod(np.where(np.array(sequences) == 2, chances, 1 - chances), axis=1)
    assert made == pytest.approx([float(expected.get(each, 0)) for each in sequences], abs=1e-14)
    impossible = [each not in expected for each in sequences]
    assert list(made == 0) == impossible


@pytest.mark.parametrize("design", DESIGNS[:-1], ids=lambda design: design.label)
def test_the_simulation_agrees_with_the_sum_over_all_sequences(design: RandomisationDesign) -> None:
    check_operating(design, 9, plain_operating(plain_sequences(design, 9)))


def test_the_simulation_of_minimisation_draws_the_levels_as_they_are_likely() -> None:
    design = Minimisation(probability=0.75, factors=FACTORS, weights=(2, 1))
    totals: dict[str, Fraction] = defaultdict(Fraction)
    kinds = [
        (levels, Fraction(FACTORS[0][levels[0]]) * Fraction(FACTORS[1][levels[1]]))
        for levels in product(range(2), range(3))
    ]
    for arrivals in product(kinds, repeat=3):
        weight = arrivals[0][1] * arrivals[1][1] * arrivals[2][1]
        each = plain_operating(plain_sequences(design, 3, [levels for levels, _ in arrivals]))
        for name, value in each.items():
            totals[name] += weight * value
    check_operating(design, 3, totals)


def test_the_mean_by_position_is_that_of_complete_randomisation() -> None:
    # The mean absolute value of a sum of n signs: n C(n - 1, (n - 1) // 2) / 2^(n - 1).
    found = simulate_design(CompleteRandomisation(), 4, 20_000, np.random.default_rng(3))
    assert [each.mean for each in found.imbalance] == pytest.approx([1, 1, 1.5, 1.5], abs=0.04)
    assert found.final_imbalance == found.imbalance[-1]
    assert found.final_imbalance.se == pytest.approx(np.sqrt(4 - 1.5**2) / np.sqrt(20_000), rel=0.03)
    assert (found.correct_guesses.mean, found.best_guesses.mean, found.deterministic.mean) == (0.5, 0.5, 0)


@pytest.mark.parametrize("tolerance", [1, 2, 3, 5])
def test_a_long_big_stick_is_deterministic_once_in_twice_the_tolerance(tolerance: int) -> None:
    # The difference is a reflected random walk: its limits have the probability 1 / (2 tolerance) together.
    found = simulate_design(BigStick(tolerance=tolerance), 4000, 40, np.random.default_rng(5))
    assert found.deterministic.mean == pytest.approx(1 / (2 * tolerance), abs=0.005)
    assert found.correct_guesses.mean == pytest.approx(0.5 + 1 / (4 * tolerance), abs=0.005)


def same_chances(
    design: RandomisationDesign, other: RandomisationDesign, levels: Any = None, participants: int = 8
) -> None:
    sequences = list(product((1, 2), repeat=participants))
    np.testing.assert_allclose(
        sequence_chances(design, sequences, levels), sequence_chances(other, sequences), atol=1e-14
    )


def test_designs_meet_at_their_extremes() -> None:
    same_chances(BiasedCoin(probability=0.5), CompleteRandomisation())
    same_chances(BiasedCoin(probability=1), PermutedBlocks(sizes=(2,)))
    same_chances(BigStick(tolerance=1), PermutedBlocks(sizes=(2,)))
    same_chances(BigStick(tolerance=8), CompleteRandomisation())
    same_chances(MaximalProcedure(tolerance=8, balanced_end=False), CompleteRandomisation())
    same_chances(MaximalProcedure(tolerance=4), PermutedBlocks(sizes=(8,)))
    alike = Minimisation(probability=0.8, factors=((1.0,),))
    same_chances(alike, BiasedCoin(probability=0.8), [[0]] * 8)


def test_the_maximal_procedure_counts_beyond_the_largest_float() -> None:
    found = simulate_design(MaximalProcedure(tolerance=300), 2500, 20, np.random.default_rng(2))
    assert found.final_imbalance.mean == 0
    assert found.largest_imbalance.mean < 300


def test_an_observer_of_minimisation_knows_more_than_the_groups_sizes() -> None:
    design = Minimisation(probability=1, factors=((0.5, 0.5), (0.5, 0.5)))
    found = simulate_design(design, 60, 500, np.random.default_rng(2))
    assert found.best_guesses.mean > found.correct_guesses.mean + 0.1
    assert found.deterministic.mean == pytest.approx(2 * found.best_guesses.mean - 1, abs=1e-12)


designs = st.one_of(
    st.just(CompleteRandomisation()),
    st.lists(st.sampled_from([2, 4, 6, 8]), min_size=1, max_size=3, unique=True).map(
        lambda sizes: PermutedBlocks(sizes=tuple(sizes))
    ),
    st.floats(0.5, 1).map(lambda probability: BiasedCoin(probability=probability)),
    st.integers(1, 5).map(lambda tolerance: BigStick(tolerance=tolerance)),
    st.builds(MaximalProcedure, tolerance=st.integers(1, 5), balanced_end=st.booleans()),
    st.floats(0.5, 1).map(lambda probability: Minimisation(probability=probability, factors=FACTORS)),
)
seeds = st.integers(0, 2**64)


@given(
    st.integers(1, 5).flatmap(
        lambda most: st.sampled_from(
            [
                (most, BigStick(tolerance=most)),
                (most, MaximalProcedure(tolerance=most)),
                (most, MaximalProcedure(tolerance=most, balanced_end=False)),
                (most, PermutedBlocks(sizes=tuple({2, 2 * most}))),
            ]
        )
    ),
    st.integers(1, 40),
    seeds,
)
@settings(max_examples=60)
def test_the_tolerance_is_never_exceeded(
    limited: tuple[int, RandomisationDesign], participants: int, seed: int
) -> None:
    most, design = limited
    sequences = simulate_sequences(design, participants, 50, np.random.default_rng(seed))
    assert sequences.shape == (50, participants)
    assert np.abs((2 * sequences - 3).cumsum(axis=1)).max() <= most
    found = simulate_design(design, participants, 50, np.random.default_rng(seed))
    assert found.largest_imbalance.mean == np.abs((2 * sequences - 3).cumsum(axis=1)).max(axis=1).mean()


@given(st.sampled_from([2, 4, 6, 8]), st.integers(1, 30), seeds)
@settings(max_examples=40)
def test_blocks_of_one_size_end_in_balance(size: int, participants: int, seed: int) -> None:
    design = PermutedBlocks(sizes=(size,))
    found = simulate_design(design, participants, 20, np.random.default_rng(seed))
    assert all(each.mean == 0 for each in found.imbalance[size - 1 :: size])


@given(designs, st.integers(1, 20), seeds)
@settings(max_examples=40)
def test_the_same_seed_gives_the_same_numbers_and_a_longer_list_begins_alike(
    design: RandomisationDesign, participants: int, seed: int
) -> None:
    once = compare_designs([design], participants, 20, seed)
    again = compare_designs([design, CompleteRandomisation()], participants, 20, seed)
    assert again[:1] == once
    assert [row.label for row in again] == [design.label, "complete randomisation"]


@given(designs, st.integers(1, 30), seeds)
@settings(max_examples=60)
def test_guessing_is_no_worse_than_a_coin_and_no_better_than_knowing_the_design(
    design: RandomisationDesign, participants: int, seed: int
) -> None:
    found = simulate_design(design, participants, 200, np.random.default_rng(seed))
    assert found.correct_guesses.mean >= 0.5 - 5 * found.correct_guesses.se - 1e-9
    assert found.correct_guesses.mean <= found.best_guesses.mean + 1e-12
    assert found.best_guesses.mean >= 0.5 + found.deterministic.mean / 2 - 1e-12
    assert found.final_imbalance.mean <= found.largest_imbalance.mean
    assert found.mean_imbalance.mean == pytest.approx(np.mean([each.mean for each in found.imbalance]))


@given(designs, st.lists(st.sampled_from([1, 2]), min_size=1, max_size=12), st.data())
@settings(max_examples=60)
def test_exchanging_the_groups_exchanges_the_chances(
    design: RandomisationDesign, sequence: list[int], data: st.DataObject
) -> None:
    levels = None
    if isinstance(design, Minimisation):
        kind = st.tuples(st.integers(0, 1), st.integers(0, 2))
        levels = data.draw(st.lists(kind, min_size=len(sequence), max_size=len(sequence)))
    mirrored = [3 - group for group in sequence]
    one, other = sequence_chances(design, [sequence, mirrored], levels)
    np.testing.assert_allclose(one, 1 - other, atol=1e-12)


@pytest.mark.parametrize(
    ("argument", "build"),
    [
        ("sizes", lambda: PermutedBlocks(sizes=())),
        ("sizes", lambda: PermutedBlocks(sizes=(4, 3))),
        ("sizes", lambda: PermutedBlocks(sizes=(0,))),
        ("sizes", lambda: PermutedBlocks(sizes=(4, 4))),
        ("probability", lambda: BiasedCoin(probability=0.4)),
        ("probability", lambda: BiasedCoin(probability=float("nan"))),
        ("probability", lambda: Minimisation(probability=1.1, factors=FACTORS)),
        ("tolerance", lambda: BigStick(tolerance=0)),
        ("tolerance", lambda: MaximalProcedure(tolerance=1.5)),  # type: ignore[arg-type]
        ("factors", lambda: Minimisation(probability=0.8, factors=())),
        ("factors[0]", lambda: Minimisation(probability=0.8, factors=((),))),
        ("factors[1]", lambda: Minimisation(probability=0.8, factors=((1.0,), (0.5, 0.4)))),
        ("factors[0][1]", lambda: Minimisation(probability=0.8, factors=((1.0, 0.0),))),
        ("weights", lambda: Minimisation(probability=0.8, factors=FACTORS, weights=(1,))),
        ("weights[1]", lambda: Minimisation(probability=0.8, factors=FACTORS, weights=(1, 0))),
        ("participants", lambda: simulate_design(DESIGNS[0], 0, 10, np.random.default_rng(1))),
        ("trials", lambda: simulate_design(DESIGNS[0], 10, 1, np.random.default_rng(1))),
        ("rng", lambda: simulate_design(DESIGNS[0], 10, 10, 1)),  # type: ignore[arg-type]
        ("designs", lambda: compare_designs([], 10, 10, 1)),
        ("seed", lambda: compare_designs(DESIGNS, 10, 10, -1)),
        ("sequences", lambda: sequence_chances(DESIGNS[0], [1, 2])),
        ("sequences", lambda: sequence_chances(DESIGNS[0], [[0, 1]])),
        ("levels", lambda: sequence_chances(DESIGNS[0], [[1, 2]], [[0], [0]])),
        ("levels", lambda: sequence_chances(DESIGNS[-1], [[1, 2]])),
        ("levels", lambda: sequence_chances(DESIGNS[-1], [[1, 2]], [[0, 0]])),
        ("levels[:, 1]", lambda: sequence_chances(DESIGNS[-1], [[1, 2]], [[0, 0], [0, 3]])),
    ],
)
def test_what_no_design_can_have_is_named(argument: str, build: Any) -> None:
    with pytest.raises(ArgumentError) as raised:
        build()
    assert raised.value.argument == argument


def test_the_documentation_has_these_numbers() -> None:
    compared: list[RandomisationDesign] = [
        CompleteRandomisation(),
        PermutedBlocks(sizes=(4,)),
        PermutedBlocks(sizes=(2, 4, 6)),
        BiasedCoin(probability=2 / 3),
        BigStick(tolerance=3),
        MaximalProcedure(tolerance=3),
        MaximalProcedure(tolerance=3, balanced_end=False),
        Minimisation(probability=0.8, factors=((0.5, 0.5), (0.2, 0.3, 0.5), (0.1,) * 10)),
    ]
    page = (Path(__file__).parents[2] / "docs" / "randomisation-designs.md").read_text(encoding="utf-8")
    lines = [
        f"| {row.label} | {row.mean_imbalance.mean:.2f} | {row.final_imbalance.mean:.2f} "
        f"| {row.largest_imbalance.mean:.2f} | {100 * row.correct_guesses.mean:.1f} "
        f"| {100 * row.best_guesses.mean:.1f} | {100 * row.deterministic.mean:.1f} |"
        for row in compare_designs(compared, 144, 10_000, 1)
    ]
    assert [line for line in page.splitlines() if line.startswith("| ")][2:] == lines
