"""Simulated trials: permuted blocks, a covariate in levels, and negative binomial counts by inversion.

A count is the smallest y whose distribution function exceeds a uniform number: the gamma-Poisson mixture with
the gamma integrated out. Where the means are few, the distribution functions stand in tables with a guide to
where to begin; elsewhere they are summed up for each participant. Both give the same counts.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .block import COUNT_MOST, Block
from .compile import LANES, compiled
from .elementary import exponential, log_1p, logarithm
from .pack import add_tails, clear_lane
from .passes import ROW, Floats, Wholes
from .streams import Words, fill, uniform

GUIDE = 256
_GUIDE_BITS = 8
_GUIDE_MOST = 65_535
# What one distribution can still add to a sum of 53 bits.
_NOTHING = 1e-18
# Counts below this are found together, the others one by one.
_STEPS = 8


Guide = NDArray[np.uint16]


class Plan(NamedTuple):
    """A design in arrays: levels of the covariate, then cells (arm by level), then tables."""

    participants: int
    block: tuple[int, int]
    level_cdf: Floats
    level_guide: Guide
    level_x: Floats
    dispersion: float
    # The mean at exposure 1, by cell.
    rates: Floats
    # Exposure is uniform between these, and cut off at the hazard of drop-out.
    exposure: tuple[float, float]
    hazard: float
    # Tables: where each cell's begins, distribution functions, guides; empty without tables.
    begins: Wholes
    cdf: Floats
    guide: Guide


class Bench(NamedTuple):
    """What generation works with: words; by participant cells, chances, exposures, means, probabilities of no
    event, offsets, counts; a histogram, and sums by cell, both all 0.
    """

    words: Words
    cells: Wholes
    chances: Floats
    exposures: Floats
    means: Floats
    none: Floats
    offsets: Floats
    counts: Floats
    seen: Wholes
    sums: Wholes


@compiled
def first_probability(mean: float, dispersion: float) -> float:
    """Return the probability of no event."""
    if dispersion == 0:
        return exponential(-mean)
    v = dispersion * mean
    return exponential(-log_1p(v, 1.0 / (1.0 + v)) / dispersion)


@compiled
def invert(u: float, first: float, mean: float, dispersion: float) -> int:
    """Return the smallest count whose distribution function exceeds u; first: the probability of 0."""
    factor = 1.0 / (1.0 + dispersion * mean)
    ratio, step = mean * factor, dispersion * mean * factor
    p, total, y = first, first, 0
    while u >= total and (y < mean or p > _NOTHING) and y < COUNT_MOST:
        # The quotient does not wait for p.
        p = p * ((ratio + step * y) / (y + 1.0))
        total += p
        y += 1
    return y


@compiled
def prepare(means: Floats, exposures: Floats, dispersion: float, none: Floats, offsets: Floats) -> None:
    """Write what `first_probability` returns for each mean, and the logarithms of the exposures."""
    # Loops without a choice in them are vectorised.
    if dispersion == 0:
        for i in range(means.shape[0]):
            none[i] = exponential(-means[i])
    else:
        for i in range(means.shape[0]):
            v = dispersion * means[i]
            none[i] = exponential(-log_1p(v, 1.0 / (1.0 + v)) / dispersion)
    for i in range(means.shape[0]):
        offsets[i] = logarithm(exposures[i])


@compiled
def invert_all(chances: Floats, none: Floats, means: Floats, dispersion: float, counts: Floats) -> None:
    """Write what `invert` returns for each chance, or _STEPS where it is at least that.

    Every count takes the same steps, so that many are worked on at once.
    """
    for i in range(chances.shape[0]):
        u, p, mean = chances[i], none[i], means[i]
        factor = 1.0 / (1.0 + dispersion * mean)
        ratio, step = mean * factor, dispersion * mean * factor
        total = p
        above = 1.0 if u >= total else 0.0
        for y in range(_STEPS - 1):
            p = p * ((ratio + step * y) / (y + 1.0))
            total += p
            above += 1.0 if u >= total else 0.0
        counts[i] = above


@compiled
def tabulate(mean: float, dispersion: float, cdf: Floats) -> int:
    """Write the distribution function as `invert` sums it up, as far as it fits; return its length."""
    p = first_probability(mean, dispersion)
    factor = 1.0 / (1.0 + dispersion * mean)
    ratio, step = mean * factor, dispersion * mean * factor
    total, y = p, 0
    while y < cdf.shape[0]:
        cdf[y] = total
        if not ((y < mean or p > _NOTHING) and y < COUNT_MOST):
            # Whatever is left of the probability belongs to the last count.
            cdf[y] = 1.0
            return y + 1
        p = p * ((ratio + step * y) / (y + 1.0))
        total += p
        y += 1
    return y + 1


@compiled
def write_guide(cdf: Floats, guide: Guide) -> None:
    """Write the count of the smallest u of each of GUIDE equal parts: no count of the part is smaller."""
    y = 0
    for part in range(GUIDE):
        while part / GUIDE >= cdf[y]:
            y += 1
        guide[part] = min(y, _GUIDE_MOST)


@compiled
def draw_participants(
    plan: Plan, seed: int, trial: int, words: Words, cells: Wholes, chances: Floats
) -> None:
    """Draw arm, level, and the uniform number of the count for each participant of a trial.

    cells: arm * levels + level. The first word of a participant allocates, the second draws the level, and
    the others the count.
    """
    n, levels = plan.participants, plan.level_cdf.shape[0]
    fill(words, n, seed, trial, 0)
    control, treated = 0, 0
    for i in range(n):
        if control + treated == 0:
            control, treated = plan.block
        # Of the places left in the block one is drawn.
        arm = 1 if np.int64(words[i]) * (control + treated) >> 32 < treated else 0
        treated -= arm
        control -= 1 - arm
        level = 0
        if levels > 1:
            u = np.float64(np.int64(words[n + i])) * 2.3283064365386963e-10
            level = int(plan.level_guide[words[n + i] >> np.uint64(32 - _GUIDE_BITS)])
            while u >= plan.level_cdf[level]:
                level += 1
        cells[i] = arm * levels + level
        chances[i] = uniform(words[2 * n + i], words[3 * n + i])


@compiled
def pack_cells(
    block: Block, lane: int, plan: Plan, cells: Wholes, chances: Floats, seen: Wholes, sums: Wholes
) -> None:
    """Draw the counts from the tables, and put one row for each cell that has participants into a lane.

    sums: participants and events of each cell, all 0 before and after.
    """
    n, levels, most, highest = plan.participants, plan.level_cdf.shape[0], 0, 0
    for i in range(n):
        cell, u = cells[i], chances[i]
        y = int(plan.guide[cell * GUIDE + int(u * GUIDE)])
        begin = plan.begins[cell]
        while u >= plan.cdf[begin + y]:
            y += 1
        highest = max(highest, cell - levels if cell >= levels else cell)
        sums[2 * cell] += 1
        sums[2 * cell + 1] += y
        seen[y] += 1
        most = max(most, y)
    offset = logarithm(plan.exposure[1])
    for arm in range(2):
        row = arm * n
        for level in range(highest + 1):
            cell = arm * levels + level
            if sums[2 * cell] > 0:
                place = row * ROW + lane
                block.rows[place], block.rows[place + LANES] = sums[2 * cell], sums[2 * cell + 1]
                block.rows[place + 2 * LANES] = plan.level_x[level]
                block.rows[place + 3 * LANES] = offset
                sums[2 * cell], sums[2 * cell + 1] = 0, 0
                row += 1
        block.filled[arm * LANES + lane] = row - arm * n
    add_tails(block, lane, seen, most)


@compiled
def draw_exposures(plan: Plan, seed: int, trial: int, words: Words, exposures: Floats) -> None:
    """Draw each participant's exposure: uniform follow-up, ended early by drop-out at a constant hazard."""
    n = plan.participants
    low, high = plan.exposure
    if low < high or plan.hazard > 0:
        fill(words, n, seed, trial, 1)
    for i in range(n):
        exposures[i] = high
        if low < high:
            exposures[i] = low + (high - low) * (np.float64(np.int64(words[i])) * 2.3283064365386963e-10)
        if plan.hazard > 0:
            u = (np.float64(np.int64(words[n + i])) + 0.5) * 2.3283064365386963e-10
            exposures[i] = min(exposures[i], -logarithm(u) / plan.hazard)


@compiled
def pack_participants(block: Block, lane: int, plan: Plan, bench: Bench) -> None:
    """Draw each count by inversion, and put one row for each participant into a lane."""
    n, levels, most = plan.participants, plan.level_cdf.shape[0], 0
    means, none, offsets, counts = bench.means, bench.none, bench.offsets, bench.counts
    for i in range(n):
        means[i] = plan.rates[bench.cells[i]] * bench.exposures[i]
    prepare(means, bench.exposures, plan.dispersion, none, offsets)
    invert_all(bench.chances, none, means, plan.dispersion, counts)
    filled, treated_filled = 0, n
    for i in range(n):
        cell, y = bench.cells[i], int(counts[i])
        if y == _STEPS:
            y = invert(bench.chances[i], none[i], means[i], plan.dispersion)
        is_treated = cell >= levels
        row = treated_filled if is_treated else filled
        treated_filled += is_treated
        filled += not is_treated
        place = row * ROW + lane
        block.rows[place], block.rows[place + LANES] = 1.0, y
        block.rows[place + 2 * LANES] = plan.level_x[cell - levels if is_treated else cell]
        block.rows[place + 3 * LANES] = offsets[i]
        bench.seen[y] += 1
        most = max(most, y)
    block.filled[lane], block.filled[LANES + lane] = filled, treated_filled - n
    add_tails(block, lane, bench.seen, most)


def make_bench(plan: Plan) -> Bench:
    """Return what the generation of a plan's trials works with."""
    n = plan.participants
    return Bench(
        words=np.zeros(4 * n, np.uint64),
        cells=np.zeros(n, np.int64),
        chances=np.zeros(n),
        exposures=np.zeros(n),
        means=np.zeros(n),
        none=np.zeros(n),
        offsets=np.zeros(n),
        counts=np.zeros(n),
        seen=np.zeros(COUNT_MOST + 2, np.int64),
        sums=np.zeros(2 * len(plan.rates), np.int64),
    )


@compiled
def generate_block(block: Block, plan: Plan, bench: Bench, seed: int, base: int, lanes: int) -> None:
    """Put the simulated trials from `base` on into the lanes."""
    cells, chances, exposures = bench.cells, bench.chances, bench.exposures
    for lane in range(lanes):
        draw_participants(plan, seed, base + lane, bench.words, cells, chances)
        if plan.cdf.shape[0] > 0:
            pack_cells(block, lane, plan, cells, chances, bench.seen, bench.sums)
        else:
            draw_exposures(plan, seed, base + lane, bench.words, exposures)
            pack_participants(block, lane, plan, bench)
    for lane in range(lanes, LANES):
        clear_lane(block, lane)
