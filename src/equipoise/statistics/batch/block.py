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
    Rows,
    fit_doubtful,
    likelihood,
    make_fit,
)
from .passes import B0, B1, B2, GROUP, GROUPS, INVERSE_A, ROW, WX, WXX, Floats, G, W, Wholes
from .solve import COVARIATE, TREATMENT

# Counts above this are refused: the work grows with the largest count.
COUNT_MOST = 65_536

# The status of a trial; `engine.STATUSES` has the names.
S_FITTED, S_POISSON, S_NO_EVENTS_ARM, S_NO_EVENTS, S_SEPARATED, S_RANK, S_NOT_CONVERGED = range(7)

LOG_RATIO, STANDARD_ERROR, INTERCEPT, SLOPE, THETA, LOG_LIKELIHOOD, WALD, SCORE, RATIO, STATUS = range(10)
RESULTS = 10

# Of a group's covariate: smallest and largest, the same where there were events, participants, events.
LEAST, MOST, EVENT_LEAST, EVENT_MOST, LOOK_N, LOOK_S = (field * LANES for field in range(6))
LOOK = 6 * LANES
SPREAD_LEAST = 1e-9

# Of the state of a block: largest count, whether rows were dropped, what is in doubt with treatment, without.
COUNT, DROPPED, DOUBT, NULL_DOUBT = range(4)


class Block(NamedTuple):
    """The working memory of a block: its rows, and how far each lane has filled them.

    bounds: where each group's rows begin, and the last one's end. side: on which side the log rate ratio is
    infinite, +1 or -1.
    """

    rows: Floats
    reduced: Floats
    tails: Floats
    bounds: Wholes
    filled: Floats
    facts: Floats
    null_facts: Floats
    code: Floats
    side: Floats
    looks: Floats
    state: Wholes
    full: Fit
    null: Fit


def make_block(rows: int, count_most: int, sites: int = 1) -> Block:
    """Return working memory for so many rows a trial, with counts up to `count_most`."""
    return Block(
        rows=np.zeros(rows * ROW),
        reduced=np.zeros(rows * ROW),
        tails=np.empty((count_most + 1) * LANES),
        bounds=np.zeros(2 * sites + 1, np.int64),
        filled=np.zeros(3 * LANES),
        facts=np.zeros(FACTS),
        null_facts=np.zeros(FACTS),
        code=np.zeros(LANES),
        side=np.zeros(LANES),
        looks=np.zeros((2 * sites + 1) * LOOK),
        state=np.zeros(4, np.int64),
        full=make_fit(sites),
        null=make_fit(sites),
    )


@compiled
def close_rows(block: Block, participants: int) -> None:
    """Pad the lanes to the same number of rows, move the arms together, and find the largest count.

    block.filled: the rows of each arm, and the largest count, by lane. The treated arm's rows begin at
    `participants`.
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
    block.bounds[1], block.bounds[2] = first, first + second
    block.state[COUNT] = most


@compiled
def look_at_group(rows: Floats, first: int, last: int, look: Floats) -> None:
    """Find the range of a group's covariate, with and without events, its participants and its events."""
    for lane in range(LANES):
        look[LEAST + lane] = look[EVENT_LEAST + lane] = np.inf
        look[MOST + lane] = look[EVENT_MOST + lane] = -np.inf
        look[LOOK_N + lane] = look[LOOK_S + lane] = 0.0
    for row in range(first, last):
        r = rows[row * ROW : (row + 1) * ROW]
        for lane in range(LANES):
            n, s, x = r[lane], r[LANES + lane], r[2 * LANES + lane]
            look[LOOK_N + lane] += n
            look[LOOK_S + lane] += s
            look[LEAST + lane] = min(look[LEAST + lane], x if n > 0 else np.inf)
            look[MOST + lane] = max(look[MOST + lane], x if n > 0 else -np.inf)
            look[EVENT_LEAST + lane] = min(look[EVENT_LEAST + lane], x if s > 0 else np.inf)
            look[EVENT_MOST + lane] = max(look[EVENT_MOST + lane], x if s > 0 else -np.inf)


@compiled
def judge_covariate(looks: Floats, begin: int, end: int, lane: int) -> int:
    """Return S_FITTED, S_RANK where the covariate varies in no group, or S_SEPARATED where events do not.

    looks: the groups from `begin` to `end`; those without events are left out.
    """
    varies, events_vary, all_above, all_below = False, False, True, True
    for arm in range(begin, end):
        at = arm * LOOK + lane
        if looks[at + LOOK_S] == 0:
            continue
        near = SPREAD_LEAST * max(1.0, abs(looks[at + MOST]))
        varies = varies or looks[at + MOST] - looks[at + LEAST] > near
        events_vary = events_vary or looks[at + EVENT_MOST] > looks[at + EVENT_LEAST]
        all_above = all_above and looks[at + LEAST] >= looks[at + EVENT_LEAST]
        all_below = all_below and looks[at + MOST] <= looks[at + EVENT_MOST]
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
        at = lane if row < first else LOOK + lane
        aside = separated and block.rows[place + 2 * LANES] != block.looks[at + EVENT_LEAST]
        if block.looks[at + LOOK_S] == 0 or aside:
            block.reduced[place] = 0.0
        left += block.reduced[place]
    return left


@compiled
def describe(block: Block, has_covariate: bool) -> None:
    """Decide what each trial's model can hold, where there is one site; rows that are dropped are 0 in
    block.reduced.

    The squares of the counts are in block.facts already.
    """
    copied, looks, facts = False, block.looks, block.facts
    first, last = block.bounds[1], block.bounds[2]
    look_at_group(block.rows, block.bounds[0], first, looks[:LOOK])
    look_at_group(block.rows, first, last, looks[LOOK : 2 * LOOK])
    for lane in range(LANES):
        for field in (LEAST, EVENT_LEAST):
            looks[2 * LOOK + field + lane] = min(looks[field + lane], looks[LOOK + field + lane])
        for field in (MOST, EVENT_MOST):
            looks[2 * LOOK + field + lane] = max(looks[field + lane], looks[LOOK + field + lane])
        for field in (LOOK_N, LOOK_S):
            looks[2 * LOOK + field + lane] = looks[field + lane] + looks[LOOK + field + lane]
    for lane in range(LANES):
        events, everyone = looks[2 * LOOK + LOOK_S + lane], looks[2 * LOOK + LOOK_N + lane]
        one_arm = looks[LOOK_S + lane] == 0 or looks[LOOK + LOOK_S + lane] == 0
        judged = judge_covariate(looks, 0, 2, lane) if has_covariate else S_RANK
        judged_null = judge_covariate(looks, 2, 3, lane) if has_covariate and judged != S_RANK else S_RANK
        code = judged if has_covariate else S_FITTED
        block.code[lane] = S_NO_EVENTS if events == 0 else (S_NO_EVENTS_ARM if one_arm else code)
        block.side[lane] = 1.0 if looks[LOOK_S + lane] == 0 else -1.0
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
    block.state[DROPPED] = copied


@compiled
def drop_null_rows(block: Block, last: int, lane: int) -> float:
    """Take the rows that separation leaves without events out of the rows of the null model.

    Where the events of both arms lie at one end of the covariate, the full model is separated as well, and
    has its own rows by now.
    """
    left = 0.0
    for row in range(last):
        place = row * ROW + lane
        if block.rows[place + 2 * LANES] != block.looks[2 * LOOK + EVENT_LEAST + lane]:
            block.rows[place] = 0.0
        left += block.rows[place]
    return left


@compiled
def treatment_information(sums: Floats, kept: Floats, lane: int) -> float:
    """Return the expected information on the treatment given intercepts and covariate."""
    known, shared, slope = 0.0, 0.0, sums[WXX + lane]
    for one in range(GROUPS + lane, sums.shape[0], 2 * GROUP):
        w, w1 = sums[one + W] + sums[one + GROUP + W], sums[one + GROUP + W]
        if w > 0.0:
            wx, wx1 = sums[one + WX] + sums[one + GROUP + WX], sums[one + GROUP + WX]
            known += w1 - w1 * w1 / w
            shared += wx1 - w1 * wx / w
            slope -= wx * wx / w
    return float(known if kept[COVARIATE + lane] == 0 else known - shared * shared / slope)


@compiled
def treatment_score(sums: Floats, lane: int) -> float:
    """Return the score of the treatment."""
    score = 0.0
    for one in range(GROUPS + GROUP + lane, sums.shape[0], 2 * GROUP):
        score += sums[one + G]
    return float(score)


@compiled
def write_lane(block: Block, lane: int, with_null: bool, out: Floats) -> None:
    """Write a trial's results."""
    full, null, code = block.full, block.null, block.code[lane]
    at = full.parameters
    out[:] = 0.0
    several = block.bounds.shape[0] > 3
    if code == S_NO_EVENTS:
        out[LOG_RATIO], out[SLOPE], out[THETA] = np.nan, np.nan, np.nan
        out[STANDARD_ERROR], out[INTERCEPT], out[STATUS] = np.inf, np.nan if several else -np.inf, code
        return
    if block.facts[EVENTS + lane] == 0:
        out[:WALD], out[STATUS] = np.nan, code
        return
    if full.end[lane] == NOT_CONVERGED:
        out[:STATUS] = np.nan
        out[WALD], out[SCORE], out[RATIO], out[STATUS] = 0.0, 0.0, 0.0, S_NOT_CONVERGED
        return
    out[INTERCEPT] = np.nan if several else at[B0 + lane]
    out[SLOPE] = at[B2 + lane] if full.kept[COVARIATE + lane] > 0 else np.nan
    out[THETA] = np.inf if full.end[lane] == POISSON else at[INVERSE_A + lane]
    out[LOG_LIKELIHOOD] = likelihood(full.sums, lane)
    if code == S_NO_EVENTS_ARM:
        # The estimate grows without end, its standard error faster.
        out[LOG_RATIO] = block.side[lane] * np.inf
        if block.side[lane] > 0 and not several:
            out[INTERCEPT] = -np.inf
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
        out[SCORE] = treatment_score(null.sums, lane) / np.sqrt(known) if known > 1e-10 else 0.0
        out[RATIO] = max(0.0, 2.0 * (out[LOG_LIKELIHOOD] - likelihood(null.sums, lane)))


def fit_rest(block: Block, singles: bool) -> None:
    """Fit the trials that are left in doubt."""
    most, dropped = int(block.state[COUNT]), block.state[DROPPED] > 0
    if block.state[DOUBT] > 0:
        data = Rows(block.reduced if dropped else block.rows, block.bounds, block.tails, singles)
        fit_doubtful(data, most, block.facts, block.full)
    if block.state[NULL_DOUBT] > 0:
        data = Rows(block.rows, block.bounds, block.tails, singles)
        fit_doubtful(data, most, block.null_facts, block.null)


@compiled
def write_block(block: Block, lanes: int, with_null: bool, out: Floats) -> None:
    """Write the results of the first `lanes` trials."""
    for lane in range(lanes):
        write_lane(block, lane, with_null, out[lane * RESULTS : (lane + 1) * RESULTS])
