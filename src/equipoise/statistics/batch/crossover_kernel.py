"""The fit of one crossover trial: Newton's method in the coefficients, log dispersion and log SD together.

A trial whose coefficients have a finite maximum is fitted first without an effect of the patient, which gives
the start and what no variance is held against, then with one. What does not end well is left to the fit of
one dataset.

A function is compiled together with all that it calls: each is called from one place, as far as it goes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .compile import compiled
from .crossover_passes import (
    CELL,
    DESK,
    EFFECT,
    EXCESS,
    EXPECTED,
    FIRST,
    LOCAL_SUMS,
    MODE,
    O1,
    O2,
    PAIRED,
    SQUARED,
    SUMS,
    WIDTH,
    Y1,
    Y2,
    N,
    add_node,
    add_patients,
    find_modes,
    look_at_modes,
    move_with_modes,
    set_predictors,
    sum_chunk,
)
from .crossover_solve import (
    ALPHA,
    AT,
    CARRY_OVER,
    CHUNKS,
    ESTIMATES,
    EVENTS,
    FACTORIALS,
    FAR_AT,
    FREE,
    HEIGHT,
    MOST,
    OUTCOME,
    PARAMETERS,
    PERIOD,
    RESULTS,
    RHO,
    SLOPE,
    STATE,
    STEP,
    TREATMENT,
    TRIAL,
    gather,
    take_step,
    write_result,
)
from .elementary import exponential, logarithm
from .passes import Floats

# How a trial ended: left to the fit of one dataset, or as `crossover.CrossoverFit.status` has it.
LEFT, FITTED, POISSON, NO_VARIANCE = range(4)

# How a climb ended.
_STUCK, _TOP, _FAR, _LOW = range(4)
# What is fitted: without an effect Poisson's model and the negative binomial; with one the latter, Poisson's
# where theta goes beyond 1000, the slope at the largest theta, and the negative binomial again: from theta 1,
# as a few trials have a second top there, or from where it went beyond.
_BARE_POISSON, _BARE, _BOTH, _SHARP, _EDGE, _AGAIN, _BEYOND = range(7)

# No dispersion, and its log; theta of 1000; the last that can be told from none, and the ends of what is
# tried: as `crossover.fit_crossover_counts` has them.
_NONE = 1e-18
ALPHA_NONE = -41.44653167389282
_ALPHA_FAR = -6.907755278982137
_ALPHA_LAST = -13.710150042306449
_ALPHA_END = 13.815510557964274
# Below the first, an SD of 0.05, no variance is tried; below the second nothing is left of the effect.
_RHO_LOW = -3.0
_RHO_LAST = -12.0
_RISE = 1e-7

# Newton's method squares the error.
_LAST_STEP = 1e-6
_CLIMB_MOST = 200
_STEP_LEAST = 1e-9


class Work(NamedTuple):
    """The working memory of a fit: cells in chunks, tail counts, what the passes work with, the state,
    and the results without an effect of the patient.
    """

    cells: Floats
    tails: Floats
    desk: Floats
    sums: Floats
    state: Floats
    kept: Floats


def make_work(patients: int, count_most: int) -> Work:
    """Return working memory for trials of so many patients, with counts up to `count_most`."""
    return Work(
        cells=np.zeros((patients + WIDTH - 1) // WIDTH * CELL),
        tails=np.zeros(count_most + 2),
        desk=np.zeros(DESK),
        sums=np.zeros(SUMS),
        state=np.zeros(STATE),
        kept=np.zeros(RESULTS),
    )


@compiled
def pack_trial(
    cells: Floats,
    tails: Floats,
    state: Floats,
    y: Floats,
    first: NDArray[np.int64],
    offset: Floats,
    carry_over: bool,
) -> bool:
    """Put a trial into cells; return whether the coefficients have a finite maximum.

    They have where there are events in each period and under each treatment; with carry-over, in each period
    of each sequence. y, offset: patients by two periods.
    """
    for place in range(cells.shape[0]):
        cells[place] = 0.0
    for place in range(tails.shape[0]):
        tails[place] = 0.0
    for place in range(EVENTS, STATE):
        state[place] = 0.0
    many, most, treated = 0, 0, 0
    for i in range(first.shape[0]):
        treated += first[i]
        y1, y2, o1, o2, q = y[i, 0], y[i, 1], offset[i, 0], offset[i, 1], np.float64(first[i])
        state[EVENTS + 2 * first[i]] += y1
        state[EVENTS + 2 * first[i] + 1] += y2
        tails[int(y1)] += 1.0
        tails[int(y2)] += 1.0
        most = max(most, int(y1), int(y2))
        place = -1
        for cell in range(many):
            at = cell // WIDTH * CELL + cell % WIDTH
            same = (cells[at + Y1] == y1) & (cells[at + Y2] == y2) & (cells[at + FIRST] == q)
            if same & (cells[at + O1] == o1) & (cells[at + O2] == o2):
                place = at
                break
        if place < 0:
            place = many // WIDTH * CELL + many % WIDTH
            cells[place + Y1], cells[place + Y2], cells[place + FIRST] = y1, y2, q
            cells[place + O1], cells[place + O2] = o1, o2
            many += 1
        cells[place + N] += 1.0
    # From a histogram to the number of counts above each.
    above = 0.0
    for count in range(most, -1, -1):
        here = tails[count]
        tails[count] = above
        above += here
        state[FACTORIALS] += tails[count] * logarithm(count + 1.0)
    state[CHUNKS], state[MOST] = (many + WIDTH - 1) // WIDTH, most
    # Of reference first and treatment first, in period 1 and 2.
    a, b, c, d = state[EVENTS], state[EVENTS + 1], state[EVENTS + 2], state[EVENTS + 3]
    least = min(a, b, c, d) if carry_over else min(a + c, b + d, a + d, b + c)
    return bool((least > 0) & (treated > 0) & (treated < first.shape[0]))


@compiled
def evaluate(work: Work, effect: bool, nodes: Floats, log_weights: Floats) -> None:
    """Set value, slope and curvature at the parameters tried, with an effect of the patient or without.

    Without one, what stands in the places of log SD is something else, and log SD must be held.
    """
    cells, desk, sums, state = work.cells, work.desk, work.sums, work.state
    at = state[TRIAL : TRIAL + PARAMETERS]
    for place in range(SUMS):
        sums[place] = 0.0
    a = exponential(at[ALPHA]) if at[ALPHA] > ALPHA_NONE else _NONE
    theta, precision = 1.0 / a, exponential(-2.0 * at[RHO])
    for chunk in range(int(state[CHUNKS])):
        cell = cells[chunk * CELL : (chunk + 1) * CELL]
        set_predictors(cell, at, a, desk)
        if effect:
            find_modes(cell, theta, precision, desk)
            look_at_modes(cell, theta, precision, desk)
            move_with_modes(desk)
            for node in range(nodes.shape[0]):
                add_node(cell, theta, precision, nodes[node], log_weights[node], desk)
            add_patients(cell, at[RHO], desk, sums)
        else:
            sum_chunk(cell, theta, desk, sums)
    gather(sums, work.tails, a, state)


@compiled
def climb(
    work: Work, effect: bool, nodes: Floats, log_weights: Floats, far: float, low: float, most: int
) -> int:
    """Climb in the free parameters, at most so many evaluations, and say how it ended.

    _TOP: at a maximum, with the factors of the information there; _FAR, _LOW: log dispersion or log SD fell
    below `far` or `low`; _STUCK. Newton's steps, halved until the likelihood does not fall.
    """
    state, value, part = work.state, -np.inf, 1.0
    for i in range(PARAMETERS):
        state[TRIAL + i] = state[AT + i]
    for _ in range(most):
        evaluate(work, effect, nodes, log_weights)
        if state[HEIGHT] >= value - 1e-11 * (1.0 + abs(state[HEIGHT])):
            value, part = state[HEIGHT], 1.0
            for i in range(PARAMETERS):
                state[AT + i] = state[TRIAL + i]
            if state[FREE + ALPHA] > 0 and state[AT + ALPHA] < far:
                return _FAR
            if state[FREE + RHO] > 0 and state[AT + RHO] < low:
                return _LOW
            if state[FREE + ALPHA] > 0 and abs(state[AT + ALPHA]) > _ALPHA_END:
                return _STUCK
            size = take_step(state)
            if size < _LAST_STEP:
                # So short a step changes neither the value nor the information.
                for i in range(PARAMETERS):
                    state[AT + i] += state[STEP + i]
                return _TOP
        else:
            part *= 0.5
            if part < _STEP_LEAST:
                return _STUCK
        for i in range(PARAMETERS):
            state[TRIAL + i] = state[AT + i] + part * state[STEP + i]
    return _STUCK


@compiled
def start_bare(cells: Floats, state: Floats) -> None:
    """Set the parameters to the mean rate, with neither dispersion nor an effect."""
    events, exposure = 0.0, 0.0
    for chunk in range(int(state[CHUNKS])):
        cell = cells[chunk * CELL : (chunk + 1) * CELL]
        for lane in range(WIDTH):
            events += cell[N + lane] * (cell[Y1 + lane] + cell[Y2 + lane])
            exposure += cell[N + lane] * (exponential(cell[O1 + lane]) + exponential(cell[O2 + lane]))
    for i in range(PARAMETERS):
        state[AT + i] = 0.0
    state[AT], state[AT + ALPHA] = logarithm(events / exposure), ALPHA_NONE
    state[FREE + ALPHA], state[FREE + RHO] = 0.0, 0.0


@compiled
def add_up(sums: Floats, place: int) -> float:
    """Return one of the sums, of both sequences."""
    total = 0.0
    for lane in range(WIDTH):
        total += sums[place * WIDTH + lane] + sums[(LOCAL_SUMS + place) * WIDTH + lane]
    return total


@compiled
def start_bare_dispersion(sums: Floats, state: Floats) -> bool:
    """Set the dispersion from Poisson's fit; return whether the counts are over-dispersed there."""
    excess, squares = add_up(sums, EXCESS), add_up(sums, SQUARED)
    if not excess > 0:
        return False
    state[AT + ALPHA], state[FREE + ALPHA] = logarithm(min(max(excess / squares, 1e-3), 20.0)), 1.0
    return True


@compiled
def begin_effect(cells: Floats, state: Floats, variance: float, dispersion: float) -> None:
    """Give part of a dispersion between all counts to an effect of the patient; the modes are 0 as yet."""
    state[AT] -= 0.5 * variance
    rest = (1.0 + dispersion) / exponential(variance) - 1.0
    state[AT + ALPHA] = logarithm(min(max(rest, 0.05), 20.0))
    state[AT + RHO] = 0.5 * logarithm(variance)
    state[FREE + ALPHA], state[FREE + RHO] = 1.0, 1.0
    for chunk in range(int(state[CHUNKS])):
        for lane in range(WIDTH):
            cells[chunk * CELL + MODE + lane] = 0.0


@compiled
def start_effect(cells: Floats, sums: Floats, state: Floats) -> bool:
    """Set the parameters from the moments without an effect: what a patient's two counts share, and what
    they vary more. Returns whether the likelihood rises with the variance of the effect where that is 0.
    """
    shared = add_up(sums, PAIRED) / add_up(sums, EXPECTED)
    variance = min(max(logarithm(1.0 + max(shared, 0.0)), 0.04), 4.0)
    begin_effect(cells, state, variance, add_up(sums, EXCESS) / add_up(sums, SQUARED))
    return add_up(sums, EFFECT) > 0


@compiled
def start_wide(cells: Floats, state: Floats, kept: Floats) -> None:
    """Set the parameters to those without an effect, but for a variance of the effect of 1."""
    for i in range(ALPHA):
        state[AT + i] = kept[ESTIMATES + i]
    begin_effect(cells, state, 1.0, exponential(kept[ESTIMATES + ALPHA]))


@compiled
def start_beyond(state: Floats) -> None:
    """Go back to where dispersion became small, with dispersion free."""
    for i in range(PARAMETERS):
        state[AT + i] = state[FAR_AT + i]
    state[FREE + ALPHA] = 1.0


@compiled
def start_sharp(state: Floats) -> None:
    """Remember where dispersion became small, and leave it away."""
    for i in range(PARAMETERS):
        state[FAR_AT + i] = state[AT + i]
    state[AT + ALPHA], state[FREE + ALPHA] = ALPHA_NONE, 0.0


@compiled
def fit_trial(work: Work, nodes: Floats, log_weights: Floats, out: Floats) -> None:
    """Fit the trial in the cells, stage by stage, and write RESULTS numbers, of which the outcome holds."""
    state, kept = work.state, work.kept
    stage, low, up, wide = _BARE_POISSON, -np.inf, False, False
    alike, far_value, sharp_value = 0.0, 0.0, -np.inf
    start_bare(work.cells, work.state)
    while True:
        far = _ALPHA_FAR if stage in (_BOTH, _AGAIN) else -np.inf
        most = 1 if stage == _EDGE else _CLIMB_MOST
        end = climb(work, stage >= _BOTH, nodes, log_weights, far, low, most)
        value = state[HEIGHT]
        differs = value > alike + _RISE
        higher = stage != _EDGE and value > sharp_value + _RISE
        if end == _TOP and higher:
            write_result(state, out)
        if stage < _BOTH:
            if end != _TOP:
                break
            if stage == _BARE_POISSON and start_bare_dispersion(work.sums, state):
                stage = _BARE
                continue
            for place in range(RESULTS):
                kept[place] = out[place]
            alike, up = value, start_effect(work.cells, work.sums, state)
            stage, low = _BOTH, _RHO_LOW
        elif stage == _EDGE:
            if state[SLOPE + ALPHA] <= 0 and sharp_value >= far_value:
                # With the last dispersion that can be told from none the likelihood still falls.
                state[AT + ALPHA], state[FREE + ALPHA] = 0.0, 1.0
                stage, low = _AGAIN, _RHO_LOW
            else:
                start_beyond(state)
                stage, low, sharp_value = _BEYOND, _RHO_LOW, -np.inf
        elif stage == _AGAIN:
            out[OUTCOME] = FITTED if end == _TOP and higher else POISSON
            break
        elif end == _LOW and low == _RHO_LOW and (up or differs):
            low = _RHO_LAST
        elif end == _FAR:
            far_value = value
            start_sharp(state)
            stage, low = _SHARP, _RHO_LOW
        elif end == _TOP and differs:
            if stage != _SHARP:
                out[OUTCOME] = FITTED
                break
            sharp_value = value
            state[AT + ALPHA] = _ALPHA_LAST
            stage = _EDGE
        elif end != _STUCK and not differs and stage == _SHARP and far_value > alike + _RISE:
            start_beyond(state)
            stage, low = _BEYOND, _RHO_LOW
        elif differs or (end == _STUCK and not wide):
            break
        elif not wide:
            # A few trials have a second top, where the patients differ.
            start_wide(work.cells, state, kept)
            stage, low, wide, sharp_value = _BOTH, _RHO_LOW, True, -np.inf
        else:
            for place in range(RESULTS):
                out[place] = kept[place]
            out[OUTCOME], out[ESTIMATES + RHO] = NO_VARIANCE, -np.inf
            break


@compiled
def fit_trials(
    work: Work,
    y: Floats,
    first: NDArray[np.int64],
    offset: Floats,
    carry_over: bool,
    with_null: bool,
    nodes: Floats,
    log_weights: Floats,
    out: Floats,
) -> None:
    """Fit trials one after the other, with treatment and, if asked, without; write twice RESULTS for each.

    y: trials by patients by periods; first: 1 where treatment comes first, and offset, by trial or one for
    all.
    """
    state = work.state
    for trial in range(y.shape[0]):
        sequence = first[trial if first.shape[0] > 1 else 0]
        shift = offset[trial if offset.shape[0] > 1 else 0]
        whole = pack_trial(work.cells, work.tails, state, y[trial], sequence, shift, carry_over)
        for model in range(2):
            here = out[(2 * trial + model) * RESULTS : (2 * trial + model + 1) * RESULTS]
            here[OUTCOME] = LEFT
            if whole and (model == 0 or with_null):
                state[FREE], state[FREE + PERIOD] = 1.0, 1.0
                state[FREE + TREATMENT] = 0.0 if model == 1 else 1.0
                state[FREE + CARRY_OVER] = 1.0 if carry_over else 0.0
                fit_trial(work, nodes, log_weights, here)
