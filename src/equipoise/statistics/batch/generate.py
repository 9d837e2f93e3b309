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
from .pack import Wholes, add_tails, clear_lane
from .passes import ROW, Floats
from .streams import Words, fill, uniform

GUIDE = 256
# What one distribution can still add to a sum of 53 bits.
_NOTHING = 1e-18


class Plan(NamedTuple):
    """A design in arrays: levels of the covariate, then cells (arm by level), then tables."""

    participants: int
    block: tuple[int, int]
    level_cdf: Floats
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
    guide: NDArray[np.int32]


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
def write_guide(cdf: Floats, guide: NDArray[np.int32]) -> None:
    """Write the count of the smallest u of each of GUIDE equal parts."""
    y = 0
    for part in range(GUIDE):
        while part / GUIDE >= cdf[y]:
            y += 1
        guide[part] = y


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
    n, levels, most = plan.participants, plan.level_cdf.shape[0], 0
    for i in range(n):
        cell, u = cells[i], chances[i]
        y = int(plan.guide[cell * GUIDE + int(u * GUIDE)])
        begin = plan.begins[cell]
        while u >= plan.cdf[begin + y]:
            y += 1
        sums[2 * cell] += 1
        sums[2 * cell + 1] += y
        seen[y] += 1
        most = max(most, y)
    offset = logarithm(plan.exposure[1])
    for arm in range(2):
        row = arm * n
        for level in range(levels):
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
def pack_participants(
    block: Block, lane: int, plan: Plan, cells: Wholes, chances: Floats, exposures: Floats, seen: Wholes
) -> None:
    """Draw each count by inversion, and put one row for each participant into a lane."""
    n, levels, most = plan.participants, plan.level_cdf.shape[0], 0
    means, none, offsets = np.empty(n), np.empty(n), np.empty(n)
    for i in range(n):
        means[i] = plan.rates[cells[i]] * exposures[i]
    for i in range(n):
        none[i] = first_probability(means[i], plan.dispersion)
    for i in range(n):
        offsets[i] = logarithm(exposures[i])
    block.filled[lane], block.filled[LANES + lane] = 0, 0
    for i in range(n):
        cell = cells[i]
        arm = 1 if cell >= levels else 0
        y = invert(chances[i], none[i], means[i], plan.dispersion)
        place = (arm * n + int(block.filled[arm * LANES + lane])) * ROW + lane
        block.filled[arm * LANES + lane] += 1
        block.rows[place], block.rows[place + LANES] = 1.0, y
        block.rows[place + 2 * LANES] = plan.level_x[cell - arm * levels]
        block.rows[place + 3 * LANES] = offsets[i]
        seen[y] += 1
        most = max(most, y)
    add_tails(block, lane, seen, most)


class Bench(NamedTuple):
    """What generation works with: words; cells, chances, exposures by participant; sums by cell."""

    words: Words
    cells: Wholes
    chances: Floats
    exposures: Floats
    seen: Wholes
    sums: Wholes


def make_bench(plan: Plan) -> Bench:
    """Return what the generation of a plan's trials works with."""
    n = plan.participants
    return Bench(
        words=np.zeros(4 * n, np.uint64),
        cells=np.zeros(n, np.int64),
        chances=np.zeros(n),
        exposures=np.zeros(n),
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
            pack_participants(block, lane, plan, cells, chances, exposures, bench.seen)
    for lane in range(lanes, LANES):
        clear_lane(block, lane)
