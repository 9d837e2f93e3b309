"""From given counts to blocks: participants with the same treatment, covariate and offset make one row."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .block import Block
from .compile import LANES, compiled
from .kernel import SQUARES
from .passes import ROW, Floats, Wholes
from .streams import Words

_MIX_1 = np.uint64(0x9E3779B97F4A7C15)
_MIX_2 = np.uint64(0xC2B2AE3D27D4EB4F)
_MIX_3 = np.uint64(0x165667B19E3779F9)
_SHIFT = np.uint64(32)
_HIGH = np.uint64(40)
_ONE = np.uint64(1)


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
def are_whole(table: Floats, most: int) -> bool:
    """Say whether all numbers are whole, from 0 to `most`."""
    others = 0
    for row in range(table.shape[0]):
        for column in range(table.shape[1]):
            value = table[row, column]
            others += not (value >= 0.0 and value <= most and value == np.floor(value))
    return others == 0


class Data(NamedTuple):
    """Counts, treatment (0 or 1), covariate, offset, sites: trials by participants, or one row for all."""

    y: Floats
    treated: Floats
    x: Floats
    offset: Floats
    sites: Wholes


class Desk(NamedTuple):
    """What packing works with.

    seen: a histogram of counts, all 0. slots: a hash table of rows, all -1. keys: of participants. merged: a
    trial's rows. ranks: of each lane's sites. ends: of each lane's groups.
    """

    seen: Wholes
    slots: Wholes
    keys: Words
    merged: Floats
    ranks: Wholes
    ends: Wholes


def make_desk(participants: int, count_most: int, labels: int = 0) -> Desk:
    """Return what packing works with; labels: how many sites there are."""
    return Desk(
        seen=np.zeros(count_most + 2, np.int64),
        slots=np.full(1 << (2 * participants).bit_length(), -1),
        keys=np.zeros(participants, np.uint64),
        merged=np.zeros(8 * participants),
        ranks=np.zeros(labels * LANES, np.int64),
        ends=np.zeros(2 * labels * LANES, np.int64),
    )


@compiled
def mix(x: Floats, offset: Floats, treated: Floats, keys: Words) -> None:
    """Write a hash of each participant's covariate, offset and arm."""
    for i in range(keys.shape[0]):
        key = np.float64(x[i]).view(np.uint64) * _MIX_1 + np.float64(offset[i]).view(np.uint64) * _MIX_2
        keys[i] = (key ^ (key >> _SHIFT)) * _MIX_3 + np.uint64(treated[i]) * _MIX_1


@compiled
def pack_trial(
    block: Block, lane: int, y: Floats, treated: Floats, x: Floats, offset: Floats, desk: Desk
) -> None:
    """Put one trial into a lane."""
    seen, slots, merged, keys = desk.seen, desk.slots, desk.merged, desk.keys
    participants, most, mask = y.shape[0], 0, np.uint64(slots.shape[0] - 1)
    mix(x, offset, treated, keys)
    # Rows of four numbers, the treated arm's from `participants` on.
    filled, treated_filled = 0, participants
    for i in range(participants):
        count, is_treated = int(y[i]), treated[i] > 0.5
        seen[count] += 1
        most = max(most, count)
        # Places without a sign need no look at whether they count from the end.
        slot = (keys[i] >> _HIGH) & mask
        while True:
            at = slots[slot]
            if at < 0:
                at = 4 * (treated_filled if is_treated else filled)
                treated_filled += is_treated
                filled += not is_treated
                slots[slot] = at
                merged[at], merged[at + 1], merged[at + 2], merged[at + 3] = 1.0, y[i], x[i], offset[i]
                break
            place = np.uint64(at)
            same = merged[place + _ONE + _ONE] == x[i] and merged[place + _ONE + _ONE + _ONE] == offset[i]
            if same and (at >= 4 * participants) == is_treated:
                merged[place] += 1.0
                merged[place + _ONE] += y[i]
                break
            slot = (slot + _ONE) & mask
    slots[:] = -1
    for arm in range(2):
        begin, end = (0, filled) if arm == 0 else (participants, treated_filled)
        block.filled[arm * LANES + lane] = end - begin
        for row in range(begin, end):
            for field in range(4):
                block.rows[row * ROW + field * LANES + lane] = merged[4 * row + field]
    add_tails(block, lane, seen, most)


@compiled
def pack_block(block: Block, data: Data, desk: Desk, base: int, lanes: int) -> None:
    """Put the trials from `base` on into the lanes."""
    for lane in range(lanes):
        trial = base + lane
        arm = data.treated[trial if data.treated.shape[0] > 1 else 0]
        covariate = data.x[trial if data.x.shape[0] > 1 else 0]
        shift = data.offset[trial if data.offset.shape[0] > 1 else 0]
        pack_trial(block, lane, data.y[trial], arm, covariate, shift, desk)
    for lane in range(lanes, LANES):
        clear_lane(block, lane)
