"""A block of 32 trials: what is degenerate in each, the model with and without treatment, and the results."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .compile import LANES, compiled
from .kernel import (
    COEFFICIENTS,
    EVENTS,
    FACTS,
    NOT_CONVERGED,
    PARTICIPANTS,
    POISSON,
    SQUARES,
    Fit,
    fit_doubtful,
    fit_most,
    likelihood,
    make_fit,
)
from .passes import ARM, B0, B1, B2, INVERSE_A, ROW, WX, WXX, Floats, G, W
from .solve import COVARIATE, TREATMENT

# Counts above this are refused: the work grows with the largest count.
COUNT_MOST = 65_536

# The status of a trial; `engine.STATUSES` has the names.
S_FITTED, S_POISSON, S_NO_EVENTS_ARM, S_NO_EVENTS, S_SEPARATED, S_RANK, S_NOT_CONVERGED = range(7)

LOG_RATIO, STANDARD_ERROR, INTERCEPT, SLOPE, THETA, LOG_LIKELIHOOD, WALD, SCORE, RATIO, STATUS = range(10)
RESULTS = 10

# Of an arm's covariate: smallest and largest, the same where there were events, participants, events.
_LEAST, _MOST, _EVENT_LEAST, _EVENT_MOST, _N, _S = (field * LANES for field in range(6))
_LOOK = 6 * LANES
_SPREAD_LEAST = 1e-9


class Block(NamedTuple):
    """The working memory of a block: its rows, and how far each lane has filled them."""

    rows: Floats
    reduced: Floats
    tails: Floats
    filled: Floats
    facts: Floats
    null_facts: Floats
    code: Floats
    arms: Floats
    full: Fit
    null: Fit


def make_block(participants: int, count_most: int) -> Block:
    """Return working memory for trials of so many participants, with counts up to `count_most`."""
    # One arm's rows stand first, the other's from `participants` on, until both are moved together.
    return Block(
        rows=np.zeros(2 * participants * ROW),
        reduced=np.zeros(2 * participants * ROW),
        tails=np.empty((count_most + 1) * LANES),
        filled=np.zeros(3 * LANES),
        facts=np.zeros(FACTS),
        null_facts=np.zeros(FACTS),
        code=np.zeros(LANES),
        arms=np.zeros(3 * _LOOK),
        full=make_fit(),
        null=make_fit(),
    )


@compiled
def close_rows(block: Block, participants: int) -> tuple[int, int, int]:
    """Pad the lanes to the same number of rows, move the arms together; return their ends and the largest
    count.

    block.filled: the rows of each arm, and the largest count, by lane.
    """
    first, second, most = 0, 0, 0
    for lane in range(LANES):
        first = max(first, int(block.filled[lane]))
        second = max(second, int(block.filled[LANES + lane]))
        most = max(most, int(block.filled[2 * LANES + lane]))
    for arm in range(2):
        end = first if arm == 0 else second
        for lane in range(LANES):
            for row in range(int(block.filled[arm * LANES + lane]), end):
                place = (arm * participants + row) * ROW + lane
                for field in range(4):
                    block.rows[place + field * LANES] = 0.0
    if first < participants:
        for place in range(second * ROW):
            block.rows[first * ROW + place] = block.rows[participants * ROW + place]
    for lane in range(LANES):
        for j in range(int(block.filled[2 * LANES + lane]), most):
            block.tails[j * LANES + lane] = 0.0
    return first, first + second, most


@compiled
def look_at_arm(rows: Floats, first: int, last: int, arm: Floats) -> None:
    """Find the range of an arm's covariate, with and without events, its participants and its events."""
    for lane in range(LANES):
        arm[_LEAST + lane] = arm[_EVENT_LEAST + lane] = np.inf
        arm[_MOST + lane] = arm[_EVENT_MOST + lane] = -np.inf
        arm[_N + lane] = arm[_S + lane] = 0.0
    for row in range(first, last):
        r = rows[row * ROW : (row + 1) * ROW]
        for lane in range(LANES):
            n, s, x = r[lane], r[LANES + lane], r[2 * LANES + lane]
            arm[_N + lane] += n
            arm[_S + lane] += s
            arm[_LEAST + lane] = min(arm[_LEAST + lane], x if n > 0 else np.inf)
            arm[_MOST + lane] = max(arm[_MOST + lane], x if n > 0 else -np.inf)
            arm[_EVENT_LEAST + lane] = min(arm[_EVENT_LEAST + lane], x if s > 0 else np.inf)
            arm[_EVENT_MOST + lane] = max(arm[_EVENT_MOST + lane], x if s > 0 else -np.inf)


@compiled
def judge_covariate(arms: Floats, begin: int, end: int, lane: int) -> int:
    """Return S_FITTED, S_RANK where the covariate varies in no group, or S_SEPARATED where events do not.

    arms: the groups from `begin` to `end`; those without events are left out.
    """
    varies, events_vary, all_above, all_below = False, False, True, True
    for arm in range(begin, end):
        at = arm * _LOOK + lane
        if arms[at + _S] == 0:
            continue
        near = _SPREAD_LEAST * max(1.0, abs(arms[at + _MOST]))
        varies = varies or arms[at + _MOST] - arms[at + _LEAST] > near
        events_vary = events_vary or arms[at + _EVENT_MOST] > arms[at + _EVENT_LEAST]
        all_above = all_above and arms[at + _LEAST] >= arms[at + _EVENT_LEAST]
        all_below = all_below and arms[at + _MOST] <= arms[at + _EVENT_MOST]
    if not varies:
        return S_RANK
    return S_SEPARATED if not events_vary and (all_above or all_below) else S_FITTED


@compiled
def drop_rows(block: Block, first: int, last: int, lane: int, separated: bool) -> float:
    """Take an arm without events, and rows that separation leaves without any, out of the reduced rows.

    They add nothing at the supremum of the likelihood. Returns the number of participants left.
    """
    left = 0.0
    for row in range(last):
        place = row * ROW + lane
        at = lane if row < first else _LOOK + lane
        aside = separated and block.rows[place + 2 * LANES] != block.arms[at + _EVENT_LEAST]
        if block.arms[at + _S] == 0 or aside:
            block.reduced[place] = 0.0
        left += block.reduced[place]
    return left


@compiled
def describe(block: Block, first: int, last: int, has_covariate: bool) -> bool:
    """Decide what each trial's model can hold; return whether some trial has rows that were dropped.

    The squares of the counts are in block.facts already.
    """
    copied, arms, facts = False, block.arms, block.facts
    look_at_arm(block.rows, 0, first, arms[:_LOOK])
    look_at_arm(block.rows, first, last, arms[_LOOK : 2 * _LOOK])
    for lane in range(LANES):
        for field in (_LEAST, _EVENT_LEAST):
            arms[2 * _LOOK + field + lane] = min(arms[field + lane], arms[_LOOK + field + lane])
        for field in (_MOST, _EVENT_MOST):
            arms[2 * _LOOK + field + lane] = max(arms[field + lane], arms[_LOOK + field + lane])
        for field in (_N, _S):
            arms[2 * _LOOK + field + lane] = arms[field + lane] + arms[_LOOK + field + lane]
    for lane in range(LANES):
        events, everyone = arms[2 * _LOOK + _S + lane], arms[2 * _LOOK + _N + lane]
        one_arm = arms[_S + lane] == 0 or arms[_LOOK + _S + lane] == 0
        judged = judge_covariate(arms, 0, 2, lane) if has_covariate else S_RANK
        judged_null = judge_covariate(arms, 2, 3, lane) if has_covariate and judged != S_RANK else S_RANK
        code = judged if has_covariate else S_FITTED
        block.code[lane] = S_NO_EVENTS if events == 0 else (S_NO_EVENTS_ARM if one_arm else code)
        block.full.kept[TREATMENT + lane] = 0.0 if one_arm else 1.0
        block.full.kept[COVARIATE + lane] = 1.0 if judged == S_FITTED else 0.0
        block.null.kept[TREATMENT + lane] = 0.0
        block.null.kept[COVARIATE + lane] = 1.0 if judged_null == S_FITTED else 0.0
        left = everyone
        if events > 0 and (one_arm or judged == S_SEPARATED):
            if not copied:
                for place in range(last * ROW):
                    block.reduced[place] = block.rows[place]
                copied = True
            left = drop_rows(block, first, last, lane, judged == S_SEPARATED)
        facts[PARTICIPANTS + lane] = left
        facts[EVENTS + lane] = events
        coefficients = 1.0 + block.full.kept[TREATMENT + lane]
        facts[COEFFICIENTS + lane] = coefficients + block.full.kept[COVARIATE + lane]
        null = block.null_facts
        null[PARTICIPANTS + lane] = everyone
        null[EVENTS + lane] = events
        null[SQUARES + lane] = facts[SQUARES + lane]
        null[COEFFICIENTS + lane] = 1.0 + block.null.kept[COVARIATE + lane]
        if judged_null == S_SEPARATED and events > 0:
            null[PARTICIPANTS + lane] = drop_null_rows(block, last, lane)
    return copied


@compiled
def drop_null_rows(block: Block, last: int, lane: int) -> float:
    """Take the rows that separation leaves without events out of the rows of the null model.

    Where the events of both arms lie at one end of the covariate, the full model is separated as well, and
    has its own rows by now.
    """
    left = 0.0
    for row in range(last):
        place = row * ROW + lane
        if block.rows[place + 2 * LANES] != block.arms[2 * _LOOK + _EVENT_LEAST + lane]:
            block.rows[place] = 0.0
        left += block.rows[place]
    return left


@compiled
def treatment_information(sums: Floats, kept: Floats, lane: int) -> float:
    """Return the expected information on the treatment given intercept and covariate."""
    w, w1 = sums[W + lane] + sums[ARM + W + lane], sums[ARM + W + lane]
    if kept[COVARIATE + lane] == 0:
        return float(w1 - w1 * w1 / w)
    wx, wx1 = sums[WX + lane] + sums[ARM + WX + lane], sums[ARM + WX + lane]
    wxx = sums[WXX + lane] + sums[ARM + WXX + lane]
    mean = wx / w
    shared = wx1 - w1 * mean
    return float(w1 - w1 * w1 / w - shared * shared / (wxx - wx * mean))


@compiled
def write_lane(block: Block, lane: int, with_null: bool, out: Floats) -> None:
    """Write a trial's results."""
    full, null, code = block.full, block.null, block.code[lane]
    at = full.parameters
    out[:] = 0.0
    if code == S_NO_EVENTS:
        out[LOG_RATIO], out[SLOPE], out[THETA] = np.nan, np.nan, np.nan
        out[STANDARD_ERROR], out[INTERCEPT], out[STATUS] = np.inf, -np.inf, code
        return
    if full.end[lane] == NOT_CONVERGED:
        out[:STATUS] = np.nan
        out[WALD], out[SCORE], out[RATIO], out[STATUS] = 0.0, 0.0, 0.0, S_NOT_CONVERGED
        return
    out[INTERCEPT] = at[B0 + lane]
    out[SLOPE] = at[B2 + lane] if full.kept[COVARIATE + lane] > 0 else np.nan
    out[THETA] = np.inf if full.end[lane] == POISSON else at[INVERSE_A + lane]
    out[LOG_LIKELIHOOD] = likelihood(full.sums, lane)
    if code == S_NO_EVENTS_ARM:
        # The estimate grows without end, its standard error faster.
        none_in_reference = full.sums[W + lane] == 0
        out[LOG_RATIO] = np.inf if none_in_reference else -np.inf
        out[INTERCEPT] = -np.inf if none_in_reference else at[B0 + lane]
        out[STANDARD_ERROR] = np.inf
    else:
        out[LOG_RATIO] = at[B1 + lane]
        out[STANDARD_ERROR] = 1.0 / np.sqrt(treatment_information(full.sums, full.kept, lane))
        out[WALD] = out[LOG_RATIO] / out[STANDARD_ERROR]
    out[STATUS] = S_POISSON if code == S_FITTED and full.end[lane] == POISSON else code
    if with_null and null.end[lane] == NOT_CONVERGED:
        out[STATUS] = S_NOT_CONVERGED
    elif with_null:
        known = treatment_information(null.sums, null.kept, lane)
        out[SCORE] = null.sums[ARM + G + lane] / np.sqrt(known) if known > 1e-10 else 0.0
        out[RATIO] = max(0.0, 2.0 * (out[LOG_LIKELIHOOD] - likelihood(null.sums, lane)))


@compiled
def begin_block(
    block: Block, participants: int, has_covariate: bool, with_null: bool
) -> tuple[int, int, int, bool, int, int]:
    """Fit what is clear; return the arms' ends, the largest count, if rows were dropped, what is in doubt.

    One call, as to hand the working memory over takes as long as a pass over the rows.
    """
    first, last, most = close_rows(block, participants)
    reduced = describe(block, first, last, has_covariate)
    in_doubt = np.zeros(2, np.int64)
    for model in range(2 if with_null else 1):
        rows = block.reduced if reduced and model == 0 else block.rows
        facts = block.facts if model == 0 else block.null_facts
        fit = block.full if model == 0 else block.null
        in_doubt[model] = fit_most(rows, first, last, block.tails, most, facts, fit)
    return first, last, most, reduced, int(in_doubt[0]), int(in_doubt[1])


@compiled
def write_block(block: Block, lanes: int, with_null: bool, out: Floats) -> None:
    """Write the results of the first `lanes` trials."""
    for lane in range(lanes):
        write_lane(block, lane, with_null, out[lane * RESULTS : (lane + 1) * RESULTS])


def run_block(
    block: Block, participants: int, lanes: int, has_covariate: bool, with_null: bool, out: Floats
) -> None:
    """Fit the block's trials, with treatment and without, and write RESULTS numbers for each."""
    first, last, most, reduced, doubtful, doubtful_null = begin_block(
        block, participants, has_covariate, with_null
    )
    if doubtful > 0:
        rows = block.reduced if reduced else block.rows
        fit_doubtful(rows, first, last, block.tails, most, block.facts, block.full)
    if doubtful_null > 0:
        fit_doubtful(block.rows, first, last, block.tails, most, block.null_facts, block.null)
    write_block(block, lanes, with_null, out)
