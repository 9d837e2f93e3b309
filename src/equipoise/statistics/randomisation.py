"""Randomisation designs for two groups of equal size: how well they balance, how easily they are guessed.

A design is described by what it makes of the past: the probability that the next participant joins group 2,
given all assignments so far. From it come the assignments themselves, the guesses of an observer and the
assignments that are certain beforehand, so that no design needs a simulation of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arguments import ArgumentError, check_positive, check_whole

Array: TypeAlias = NDArray[np.float64]
Whole: TypeAlias = NDArray[np.int64]

Chances: TypeAlias = Generator[Array, Whole, None]
"""Yields the probability of group 2, is sent 1 for group 2 or -1 for group 1; each of the shape (trials,)."""

SUM_TOLERANCE = 1e-9
"""How far a factor's probabilities may be from the sum of 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompleteRandomisation:
    """A fair coin for every participant."""

    @property
    def label(self) -> str:
        """The design in words."""
        return "complete randomisation"


@dataclass(frozen=True, slots=True, kw_only=True)
class PermutedBlocks:
    """Blocks with as many of each group in random order; each block has one of the sizes, each as likely.

    The last block is cut where the participants end. ArgumentError unless `sizes` are distinct even whole
    numbers of 2 or more.
    """

    sizes: tuple[int, ...]

    def __post_init__(self) -> None:
        even = [size for size in self.sizes if isinstance(size, int) and size >= 2 and size % 2 == 0]
        if not even or len(even) < len(self.sizes) or len(set(even)) < len(even):
            raise ArgumentError("sizes", self.sizes, "at least one even whole number of 2 or more, each once")

    @property
    def label(self) -> str:
        """The design in words."""
        *others, last = map(str, self.sizes)
        return f"permuted blocks of {', '.join(others)}{' or ' if others else ''}{last}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BiasedCoin:
    """The smaller group with a given probability, a fair coin where they are equal.

    Efron, Biometrika 1971;58:403, who recommends 2/3. ArgumentError unless `probability` is 0.5 to 1.
    """

    probability: float

    def __post_init__(self) -> None:
        _check_preference(self.probability)

    @property
    def label(self) -> str:
        """The design in words."""
        return f"biased coin of {self.probability:.3g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BigStick:
    """A fair coin, until the groups differ by the tolerance: then the smaller group.

    Soares and Wu, Commun Stat Theory Methods 1983;12:2017. ArgumentError unless `tolerance` is a whole number
    of 1 or more.
    """

    tolerance: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "tolerance", check_whole("tolerance", self.tolerance))

    @property
    def label(self) -> str:
        """The design in words."""
        return f"big stick of {self.tolerance}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MaximalProcedure:
    """Each sequence in which the groups never differ by more than the tolerance, all as likely.

    Berger, Ivanova and Knoll, Stat Med 2003;22:3017. With `balanced_end` only those sequences count that end
    with equal groups (an odd number of participants: groups that differ by one), otherwise all that keep the
    tolerance. ArgumentError unless `tolerance` is a whole number of 1 or more.
    """

    tolerance: int
    balanced_end: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "tolerance", check_whole("tolerance", self.tolerance))

    @property
    def label(self) -> str:
        """The design in words."""
        return f"maximal procedure of {self.tolerance}{'' if self.balanced_end else ', open end'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Minimisation:
    """The group that leaves the margins less unbalanced, with a given probability; a fair coin among equals.

    `factors` holds for each factor the probabilities of its levels, which are independent between factors;
    `weights` are whole numbers, 1 each if there are none. The imbalance is the weighted sum of the ranges at
    the participant's own levels. Pocock and Simon, Biometrics 1975;31:103. ArgumentError unless `probability`
    is 0.5 to 1 and the levels of each factor have positive probabilities that sum to 1.
    """

    probability: float
    factors: tuple[tuple[float, ...], ...]
    weights: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        _check_preference(self.probability)
        if not self.factors:
            raise ArgumentError("factors", self.factors, "at least one factor")
        for index, levels in enumerate(self.factors):
            for level, probability in enumerate(levels):
                check_positive(f"factors[{index}][{level}]", probability)
            if abs(sum(levels) - 1) > SUM_TOLERANCE:
                raise ArgumentError(f"factors[{index}]", levels, "probabilities with the sum of 1")
        if self.weights and len(self.weights) != len(self.factors):
            raise ArgumentError("weights", self.weights, f"one for each of {len(self.factors)} factors")
        whole = [check_whole(f"weights[{index}]", weight) for index, weight in enumerate(self.weights)]
        object.__setattr__(self, "weights", tuple(whole))

    @property
    def label(self) -> str:
        """The design in words."""
        count = len(self.factors)
        return f"minimisation of {self.probability:.3g} over {count} factor{'s' if count > 1 else ''}"


RandomisationDesign: TypeAlias = (
    CompleteRandomisation | PermutedBlocks | BiasedCoin | BigStick | MaximalProcedure | Minimisation
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """A mean over simulated trials with its Monte Carlo standard error."""

    mean: float
    se: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DesignOperating:
    """How a design balances and how far it can be foreseen.

    Imbalance is the absolute difference of the groups' sizes. `imbalance` has one value for each position,
    the first participant's first; `mean_imbalance` is their mean, `final_imbalance` the last,
    `largest_imbalance` the expected largest of a trial. The others are proportions of the participants:

    - `correct_guesses` of an observer who names the smaller group, and tosses a coin where they are equal
      (the convergence strategy; Blackwell and Hodges, Ann Math Stat 1957;28:449);
    - `best_guesses` of an observer who knows the design and names the likelier group;
    - `deterministic` assignments, which that observer knows for certain.

    Both observers know all earlier assignments; the second also the levels of the factors, but not which of
    several block sizes was drawn.
    """

    design: RandomisationDesign
    label: str
    participants: int
    trials: int
    imbalance: tuple[Simulated, ...]
    mean_imbalance: Simulated
    final_imbalance: Simulated
    largest_imbalance: Simulated
    correct_guesses: Simulated
    best_guesses: Simulated
    deterministic: Simulated


def simulate_design(
    design: RandomisationDesign, participants: int, trials: int, rng: np.random.Generator
) -> DesignOperating:
    """Simulate the assignments of many trials, and what observers make of them.

    `participants` is a whole number of 1 or more, `trials` of 2 or more. A guess counts with the probability
    that it is correct rather than as 0 or 1: the same expectation with a smaller error. ArgumentError for
    other numbers, or when `rng` is no numpy generator.
    """
    participants = check_whole("participants", participants)
    trials = check_whole("trials", trials, 2)
    largest = np.zeros(trials)
    total, guessed, best, certain = (np.zeros(trials) for _ in range(4))
    imbalance: list[Simulated] = []
    for chance, earlier, side in _run(design, participants, trials, rng):
        # Where the groups are equal the coin of the observer is right half of the time, whatever the chance.
        guessed += np.where(earlier == 0, 0.5, np.where(earlier < 0, chance, 1 - chance))
        best += np.maximum(chance, 1 - chance)
        certain += (chance == 0) | (chance == 1)
        size = np.abs(earlier + side).astype(float)
        total += size
        np.maximum(largest, size, out=largest)
        imbalance.append(_summary(size))
    return DesignOperating(
        design=design,
        label=design.label,
        participants=participants,
        trials=trials,
        imbalance=tuple(imbalance),
        mean_imbalance=_summary(total / participants),
        final_imbalance=imbalance[-1],
        largest_imbalance=_summary(largest),
        correct_guesses=_summary(guessed / participants),
        best_guesses=_summary(best / participants),
        deterministic=_summary(certain / participants),
    )


def compare_designs(
    designs: Sequence[RandomisationDesign], participants: int, trials: int, seed: int
) -> tuple[DesignOperating, ...]:
    """Simulate several designs alike, in their order: the rows of a table, the points of a scatter plot.

    Each place has a random stream of its own, so that a longer list begins with the results of the shorter.
    ArgumentError when there is no design, or `seed` is no whole number of 0 or more.
    """
    if not designs:
        raise ArgumentError("designs", designs, "at least one design")
    if not isinstance(seed, int) or seed < 0:
        raise ArgumentError("seed", seed, "a whole number of 0 or more")
    streams = np.random.SeedSequence(seed).spawn(len(designs))
    return tuple(
        simulate_design(design, participants, trials, np.random.default_rng(stream))
        for design, stream in zip(designs, streams, strict=True)
    )


def simulate_sequences(
    design: RandomisationDesign, participants: int, trials: int, rng: np.random.Generator
) -> Whole:
    """Simulate assignments: 1 or 2 for the group, of the shape (trials, participants).

    ArgumentError as from `simulate_design`.
    """
    participants, trials = check_whole("participants", participants), check_whole("trials", trials)
    sides = [side for _, _, side in _run(design, participants, trials, rng)]
    return (np.stack(sides, axis=1) + 3) // 2


def sequence_chances(
    design: RandomisationDesign, sequences: ArrayLike, levels: ArrayLike | None = None
) -> Array:
    """The probability of group 2 for each participant of given sequences, given those before: exact.

    `sequences` holds 1 or 2, shape (sequences, participants); so has the result. Minimisation needs `levels`,
    the participants' levels of each factor, numbered from 0, shape (participants, factors). After an
    assignment that the design cannot make the row is NaN. ArgumentError for other shapes or values.
    """
    groups = np.asarray(sequences)
    if groups.ndim != 2 or not groups.size or not np.isin(groups, (1, 2)).all():
        raise ArgumentError("sequences", f"of the shape {groups.shape}", "rows of 1 and 2, at least one")
    count, participants = groups.shape
    rule = _rule(design, participants, count, _arrivals(design, participants, count, levels))
    sides = 2 * groups.astype(np.int64) - 3
    chances = np.empty(groups.shape)
    possible = np.ones(count, dtype=bool)
    chance = next(rule)
    for position in range(participants):
        # A row that the design cannot make goes on as one that it can, so that the rule need not know of it.
        likelier = np.where(chance >= 0.5, 1, -1)
        made = np.where(sides[:, position] > 0, chance, 1 - chance) > 0
        chances[:, position] = np.where(possible, chance, np.nan)
        possible &= made
        if position < participants - 1:
            chance = rule.send(np.where(possible, sides[:, position], likelier))
    return chances


def _run(
    design: RandomisationDesign, participants: int, trials: int, rng: np.random.Generator
) -> Iterator[tuple[Array, Whole, Whole]]:
    """For each participant: the chance of group 2, the earlier difference (2 less 1), the side (1 or -1)."""
    if not isinstance(rng, np.random.Generator):
        raise ArgumentError("rng", rng, "a numpy random generator")
    arrivals = _drawn(design.factors, trials, rng) if isinstance(design, Minimisation) else repeat(())
    rule = _rule(design, participants, trials, arrivals)
    difference = np.zeros(trials, dtype=np.int64)
    chance = next(rule)
    for position in range(participants):
        side = np.where(rng.random(trials) < chance, 1, -1)
        yield chance, difference, side
        difference = difference + side
        if position < participants - 1:
            chance = rule.send(side)


def _rule(
    design: RandomisationDesign, participants: int, trials: int, arrivals: Iterator[Sequence[Whole]]
) -> Chances:
    match design:
        case CompleteRandomisation():
            return _by_difference(lambda _, difference: np.full(difference.shape, 0.5), trials)
        case BiasedCoin(probability=probability):
            return _by_difference(lambda _, difference: _prefer(difference, probability), trials)
        case BigStick(tolerance=tolerance):
            return _by_difference(
                lambda _, difference: np.where(np.abs(difference) < tolerance, 0.5, 1.0 * (difference < 0)),
                trials,
            )
        case MaximalProcedure():
            bound = min(design.tolerance, participants)
            table = _maximal_chances(participants, bound, design.balanced_end)
            return _by_difference(lambda position, difference: table[position, difference + bound], trials)
        case PermutedBlocks(sizes=sizes):
            return _blocks(sizes, trials)
        case Minimisation():
            return _minimise(design, trials, arrivals)


def _by_difference(chance: Callable[[int, Whole], Array], trials: int) -> Chances:
    """The designs that look at the position and the groups' difference only."""
    difference = np.zeros(trials, dtype=np.int64)
    position = 0
    while True:
        side = yield chance(position, difference)
        difference = difference + side
        position += 1


def _prefer(imbalance: NDArray[Any], probability: float) -> Array:
    """The chance of group 2: the preferred one's where group 2 has too few, less where too many."""
    return np.where(imbalance == 0, 0.5, np.where(imbalance < 0, probability, 1 - probability))


def _maximal_chances(participants: int, bound: int, balanced_end: bool) -> Array:
    """The chance of group 2 by position and difference (from -bound), by counting the ways to go on.

    Each row of counts is divided by its largest: only the ratios within a row matter, and the counts grow
    beyond all floating-point numbers.
    """
    width = 2 * bound + 1
    ways = np.ones(width)
    if balanced_end:
        ways = 1.0 * (np.abs(np.arange(width) - bound) == participants % 2)
    table = np.full((participants, width), 0.5)
    for position in reversed(range(participants)):
        up, down = np.append(ways[1:], 0.0), np.append(0.0, ways[:-1])
        np.divide(up, up + down, out=table[position], where=up + down > 0)
        ways = (up + down) / (up + down).max()
    return table


def _blocks(sizes: Sequence[int], trials: int) -> Chances:
    """Permuted blocks, seen by one who does not know which sizes were drawn.

    A block begins with equal groups, so that the difference is that within the block, and what matters of the
    block is only how many of its places are left: `weight` is the probability of each number.
    """
    left = np.arange(1, max(sizes) + 1)[:, None]
    start = np.isin(left, sizes) / len(sizes)
    weight = np.repeat(start, trials, axis=1)
    difference = np.zeros(trials, dtype=np.int64)
    while True:
        # Of those left, (left - difference) / 2 are of group 2.
        chance = 0.5 - difference / (2 * left)
        side = yield (weight * chance).sum(axis=0) / weight.sum(axis=0)
        weight = weight * np.where(side > 0, chance, 1 - chance)
        weight = start * weight[0] + np.vstack([weight[1:], np.zeros(trials)])
        weight /= weight.sum(axis=0)
        difference = difference + side


def _minimise(design: Minimisation, trials: int, arrivals: Iterator[Sequence[Whole]]) -> Chances:
    margins = [np.zeros((len(levels), trials), dtype=np.int64) for levels in design.factors]
    weights = design.weights or (1,) * len(margins)
    every = np.arange(trials)
    while True:
        levels = next(arrivals)
        excess = np.zeros(trials)
        for margin, level, weight in zip(margins, levels, weights, strict=True):
            difference = margin[level, every]
            excess += weight * (np.abs(difference + 1) - np.abs(difference - 1))
        side = yield _prefer(excess, design.probability)
        for margin, level in zip(margins, levels, strict=True):
            margin[level, every] += side


def _drawn(
    factors: Sequence[Sequence[float]], trials: int, rng: np.random.Generator
) -> Iterator[list[Whole]]:
    """The levels of one participant after the other: for each factor, those of all trials."""
    bounds = [np.cumsum(levels)[:-1] for levels in factors]
    while True:
        yield [np.searchsorted(bound, rng.random(trials), side="right") for bound in bounds]


def _arrivals(
    design: RandomisationDesign, participants: int, count: int, levels: ArrayLike | None
) -> Iterator[Sequence[Whole]]:
    """The given levels, the same for all sequences."""
    if not isinstance(design, Minimisation):
        if levels is not None:
            raise ArgumentError("levels", "given", "left out: only minimisation looks at them")
        return repeat(())
    given = np.asarray(levels)
    if given.shape != (participants, len(design.factors)):
        shape = "missing" if levels is None else f"of the shape {given.shape}"
        raise ArgumentError("levels", shape, f"of the shape {(participants, len(design.factors))}")
    for index, known in enumerate(design.factors):
        if not np.isin(given[:, index], range(len(known))).all():
            raise ArgumentError(f"levels[:, {index}]", given[:, index], f"0 to {len(known) - 1}")
    return iter([[np.full(count, level) for level in row] for row in given.astype(np.int64)])


def _summary(values: Array) -> Simulated:
    return Simulated(mean=float(values.mean()), se=float(values.std(ddof=1) / np.sqrt(len(values))))


def _check_preference(probability: float) -> None:
    if not isinstance(probability, int | float) or not 0.5 <= probability <= 1:
        raise ArgumentError("probability", probability, "a number from 0.5 to 1")
