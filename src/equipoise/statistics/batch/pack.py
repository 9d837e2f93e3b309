"""From given counts to blocks: participants with the same treatment, covariate and offset make one row."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .block import Block
from .compile import LANES, compiled
from .kernel import SQUARES
from .passes import ROW, Floats

Wholes = NDArray[np.int64]

_MIX_1 = -7046029254386353131
_MIX_2 = -4417276706812531889
_MIX_3 = 1609587929392839161


@compiled
def add_tails(block: Block, lane: int, seen: Wholes, most: int) -> None:
    """Turn a histogram of counts into tail counts and the sum of squares, and clear it."""
    above, squares = 0, 0.0
    for count in range(most, 0, -1):
        above += seen[count]
        squares += np.float64(seen[count]) * np.float64(count) * np.float64(count)
        block.tails[(count - 1) * LANES + lane] = above
        seen[count] = 0
    seen[0] = 0
    block.filled[2 * LANES + lane] = most
    block.facts[SQUARES + lane] = squares


@compiled
def clear_lane(block: Block, lane: int) -> None:
    """Leave a lane without a trial."""
    for field in range(3):
        block.filled[field * LANES + lane] = 0
    block.facts[SQUARES + lane] = 0.0


@compiled
def pack_trial(
    block: Block,
    lane: int,
    y: Wholes,
    treated: Wholes,
    x: Floats,
    offset: Floats,
    seen: Wholes,
    slots: Wholes,
) -> None:
    """Put one trial into a lane.

    slots: a power of two at least twice the participants, filled with -1, and left so.
    """
    participants, most, mask = y.shape[0], 0, slots.shape[0] - 1
    block.filled[lane], block.filled[LANES + lane] = 0, 0
    for i in range(participants):
        arm, count = treated[i], y[i]
        seen[count] += 1
        most = max(most, count)
        key = np.float64(x[i]).view(np.int64) * _MIX_1 + np.float64(offset[i]).view(np.int64) * _MIX_2
        slot = ((key ^ (key >> 29)) * _MIX_3 + arm) >> 20 & mask
        while True:
            row = slots[slot]
            if row < 0:
                row = arm * participants + int(block.filled[arm * LANES + lane])
                block.filled[arm * LANES + lane] += 1
                slots[slot] = row
                place = row * ROW + lane
                block.rows[place], block.rows[place + LANES] = 1.0, count
                block.rows[place + 2 * LANES], block.rows[place + 3 * LANES] = x[i], offset[i]
                break
            place = row * ROW + lane
            same = block.rows[place + 2 * LANES] == x[i] and block.rows[place + 3 * LANES] == offset[i]
            if same and (row >= participants) == (arm == 1):
                block.rows[place] += 1.0
                block.rows[place + LANES] += count
                break
            slot = (slot + 1) & mask
    slots[:] = -1
    add_tails(block, lane, seen, most)


class Data(NamedTuple):
    """Counts, treatment (0 or 1), covariate, offset: trials by participants, or one row for all."""

    y: Wholes
    treated: Wholes
    x: Floats
    offset: Floats


class Desk(NamedTuple):
    """A histogram of counts, all 0, and a hash table of rows, all -1."""

    seen: Wholes
    slots: Wholes


def make_desk(participants: int, count_most: int) -> Desk:
    """Return what packing works with."""
    return Desk(np.zeros(count_most + 2, np.int64), np.full(1 << (2 * participants).bit_length(), -1))


@compiled
def pack_block(block: Block, data: Data, desk: Desk, base: int, lanes: int) -> None:
    """Put the trials from `base` on into the lanes."""
    for lane in range(lanes):
        trial = base + lane
        arm = data.treated[trial if data.treated.shape[0] > 1 else 0]
        covariate = data.x[trial if data.x.shape[0] > 1 else 0]
        shift = data.offset[trial if data.offset.shape[0] > 1 else 0]
        pack_trial(block, lane, data.y[trial], arm, covariate, shift, desk.seen, desk.slots)
    for lane in range(lanes, LANES):
        clear_lane(block, lane)
