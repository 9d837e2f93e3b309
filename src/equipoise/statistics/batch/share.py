"""A share of the trials, one thread's work: drawn or packed, described, fitted and written, by the block."""

from __future__ import annotations

from typing import NamedTuple

from .block import (
    COUNT,
    DOUBT,
    DROPPED,
    NULL_DOUBT,
    RESULTS,
    Block,
    close_rows,
    describe,
    fit_rest,
    write_block,
)
from .compile import LANES, compiled
from .generate import Bench, Plan, generate_block
from .kernel import Rows, fit_most
from .pack import Data, Desk, pack_block
from .passes import Floats
from .sites import prepare_sites

# Where trials come from.
GIVEN, GIVEN_SITES, DRAWN = range(3)


class Task(NamedTuple):
    """What is done with every trial: where it comes from, and what is fitted.

    singles: whether rows have one participant each. seed, first: of the trials that are drawn. What belongs
    to another source is there, but not looked at: one kernel for all is compiled in half the time.
    """

    source: int
    participants: int
    singles: bool
    has_covariate: bool
    with_null: bool
    seed: int
    first: int
    plan: Plan
    data: Data


class Tools(NamedTuple):
    """The working memory of a thread."""

    block: Block
    bench: Bench
    desk: Desk


@compiled
def run_blocks(task: Task, tools: Tools, begin: int, base: int, end: int, out: Floats) -> int:
    """Work on the blocks from trial `base` on; return the first whose fit is left in doubt, or `end`.

    One call for many blocks, as to hand the working memory over takes longer than a pass over the rows, and
    other threads wait meanwhile. out: RESULTS numbers for each trial from `begin` on.
    """
    block, state = tools.block, tools.block.state
    while base < end:
        lanes = min(LANES, end - base)
        if task.source != GIVEN_SITES:
            if task.source == GIVEN:
                pack_block(block, task.data, tools.desk, base, lanes)
            else:
                generate_block(block, task.plan, tools.bench, task.seed, task.first + base, lanes)
            close_rows(block, task.participants)
            describe(block, task.has_covariate)
        state[NULL_DOUBT] = 0
        for model in range(2 if task.with_null else 1):
            dropped = model == 0 and state[DROPPED] > 0
            data = Rows(block.reduced if dropped else block.rows, block.bounds, block.tails, task.singles)
            facts = block.facts if model == 0 else block.null_facts
            fit = block.full if model == 0 else block.null
            state[DOUBT + model] = fit_most(data, state[COUNT], facts, fit)
        if state[DOUBT] + state[NULL_DOUBT] > 0:
            return base
        write_block(block, lanes, task.with_null, out[(base - begin) * RESULTS :])
        base += LANES
    return end


def run_share(task: Task, tools: Tools, begin: int, end: int, out: Floats) -> None:
    """Work on the trials from `begin` to `end`.

    Sites, and doubtful trials, have kernels of their own: what is compiled together is optimised together,
    which takes long.
    """
    base = begin
    while base < end:
        stop = end
        if task.source == GIVEN_SITES:
            stop = min(base + LANES, end)
            prepare_sites(tools.block, task.data, tools.desk, base, stop - base, task.has_covariate)
        base = run_blocks(task, tools, begin, base, stop, out)
        if base < stop:
            fit_rest(tools.block, task.singles)
            place = out[(base - begin) * RESULTS :]
            write_block(tools.block, min(LANES, stop - base), task.with_null, place)
            base = min(base + LANES, stop)
