"""The fit of one block: a start, two steps of Fisher's, Newton's in all parameters, and the doubtful."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .compile import LANES, compiled
from .elementary import logarithm
from .passes import (
    B0,
    GROUP,
    GROUPS,
    INVERSE_A,
    LIKELIHOOD,
    LOG_A,
    TAIL,
    A,
    Floats,
    P,
    R,
    Wholes,
    clear,
    fisher_rows,
    newton_rows,
    newton_singles,
    start_rows,
    summary_rows,
    tail_likelihood,
    tail_slopes,
)
from .solve import (
    ACTIVE,
    CONVERGED,
    KEPT,
    LOG_A_LEAST,
    SIZE,
    STEP_0,
    STEP_1,
    STEP_2,
    STEP_A,
    fisher_step,
    move,
    newton_step,
    set_dispersion,
    settle,
)

# Of the facts of a trial: participants, events, squares of the participants' counts, coefficients.
PARTICIPANTS, EVENTS, SQUARES, COEFFICIENTS = (field * LANES for field in range(4))
FACTS = 4 * LANES

# How a trial's fit ended.
NOT_CONVERGED, FITTED, POISSON = 0.0, 1.0, 2.0

# Newton's method squares the error, hence after a last step of this size 1e-11 or so is left.
_LAST_STEP = 1e-6
_NEWTON_MOST = 14
_SHORT = 0.35
_POISSON_MOST = 250
_CLIMB_MOST = 250
_HALVINGS_MOST = 40
# With so many standard errors of over-dispersion left, there is some at the Poisson fit too, unless in a
# trial of few participants more than coefficients.
_CLEARLY = 4.0
_FEW = 47


class Rows(NamedTuple):
    """What a model is fitted to: rows, where each group's begin and the last one's end, counts' tails.

    singles: whether each row has one participant at most.
    """

    rows: Floats
    bounds: Wholes
    tails: Floats
    singles: bool


class Fit(NamedTuple):
    """The working memory of one model of a block; `end` has a trial's outcome for each lane."""

    parameters: Floats
    sums: Floats
    kept: Floats
    step: Floats
    other: Floats
    best: Floats
    end: Floats


def make_fit(sites: int) -> Fit:
    """Return working memory."""
    return Fit(
        parameters=np.zeros(B0 + sites * LANES),
        sums=np.zeros(GROUPS + 2 * sites * GROUP),
        kept=np.zeros(KEPT),
        step=np.zeros(STEP_0 + sites * LANES),
        other=np.zeros(B0 + sites * LANES),
        best=np.zeros(LANES),
        end=np.zeros(LANES),
    )


@compiled
def summarise(data: Rows, most: int, at: Floats, sums: Floats) -> None:
    """Sum likelihood, score and expected information at the parameters `at`."""
    clear(sums)
    for group in range(data.bounds.shape[0] - 1):
        first, last = data.bounds[group], data.bounds[group + 1]
        intercepts = at[B0 + (group >> 1) * LANES : B0 + ((group >> 1) + 1) * LANES]
        own = sums[GROUPS + group * GROUP : GROUPS + (group + 1) * GROUP]
        summary_rows(data.rows, first, last, float(group & 1), at, intercepts, sums, own)
    tail_likelihood(data.tails, most, at, sums)


@compiled
def likelihood(sums: Floats, lane: int) -> float:
    """Return a trial's log likelihood from the sums of a summary."""
    return float(sums[LIKELIHOOD + lane] + sums[TAIL + lane])


@compiled
def excess(sums: Floats, facts: Floats, lane: int) -> float:
    """Return the sum of (y - mu)^2 - y: twice the score for dispersion where there is none."""
    return float(facts[SQUARES + lane] - 2.0 * sums[P + lane] + sums[R + lane] - facts[EVENTS + lane])


@compiled
def fisher(data: Rows, at: Floats, fit: Fit) -> None:
    """Sum and solve one step of Fisher's at the parameters `at`."""
    clear(fit.sums)
    groups = data.bounds.shape[0] - 1
    for group in range(groups):
        first, last = data.bounds[group], data.bounds[group + 1]
        intercepts = at[B0 + (group >> 1) * LANES : B0 + ((group >> 1) + 1) * LANES]
        own = fit.sums[GROUPS + group * GROUP : GROUPS + (group + 1) * GROUP]
        fisher_rows(data.rows, first, last, float(group & 1), at, intercepts, fit.sums, own)
    fisher_step(fit.sums, fit.kept, fit.step, groups >> 1, 2.0)


@compiled
def newton(data: Rows, most: int, fit: Fit) -> None:
    """Sum and solve one step of Newton's."""
    clear(fit.sums)
    at, groups = fit.parameters, data.bounds.shape[0] - 1
    for group in range(groups):
        first, last = data.bounds[group], data.bounds[group + 1]
        intercepts = at[B0 + (group >> 1) * LANES : B0 + ((group >> 1) + 1) * LANES]
        own = fit.sums[GROUPS + group * GROUP : GROUPS + (group + 1) * GROUP]
        if data.singles:
            newton_singles(data.rows, first, last, float(group & 1), at, intercepts, fit.sums, own)
        else:
            newton_rows(data.rows, first, last, float(group & 1), at, intercepts, fit.sums, own)
    tail_slopes(data.tails, most, at, fit.sums)
    newton_step(fit.sums, fit.kept, at, fit.step, groups >> 1)


@compiled
def start(data: Rows, facts: Floats, fit: Fit) -> None:
    """Begin with least squares on logarithms, then two steps of Fisher's with the dispersion by moments."""
    at, groups = fit.parameters, data.bounds.shape[0] - 1
    clear(fit.sums)
    for group in range(groups):
        first, last = data.bounds[group], data.bounds[group + 1]
        own = fit.sums[GROUPS + group * GROUP : GROUPS + (group + 1) * GROUP]
        start_rows(data.rows, first, last, fit.sums, own)
    at[:] = 0.0
    fisher_step(fit.sums, fit.kept, fit.step, groups >> 1, 300.0)
    for lane in range(LANES):
        n, s = facts[PARTICIPANTS + lane], facts[EVENTS + lane]
        fit.kept[CONVERGED + lane] = 0.0
        # A trial without events, or a lane without a trial, is not worked on.
        fit.kept[ACTIVE + lane] = 1.0 if s > 0 else 0.0
        mean = s / max(n, 1.0)
        rough = (facts[SQUARES + lane] / max(n, 1.0) - mean) / max(mean * mean, 1e-12) - 1.0
        at[LOG_A + lane] = logarithm(min(max(rough, 0.05), 20.0))
    move(at, fit.kept, fit.step, groups >> 1)
    set_dispersion(at)
    for _ in range(2):
        fisher(data, at, fit)
        move(at, fit.kept, fit.step, groups >> 1)
        for lane in range(LANES):
            ratio = excess(fit.sums, facts, lane) / max(fit.sums[R + lane], 1e-300)
            at[LOG_A + lane] = logarithm(min(max(ratio, 1e-4), 50.0))
        set_dispersion(at)
    for lane in range(LANES):
        # Without over-dispersion there is nothing to climb to; the Poisson fit will show.
        if not (at[LOG_A + lane] > -9.2 and facts[PARTICIPANTS + lane] > facts[COEFFICIENTS + lane]):
            fit.kept[ACTIVE + lane] = 0.0
        # Moments fall short, by more the more coefficients and the more dispersion there are, and Newton's
        # method is slower from below.
        short = 2.0 * facts[COEFFICIENTS + lane] / max(facts[PARTICIPANTS + lane], 1.0)
        at[LOG_A + lane] += min(short, 0.5) + _SHORT * logarithm(1.0 + at[A + lane])
    set_dispersion(at)


def fit_doubtful(data: Rows, most: int, facts: Floats, fit: Fit) -> None:
    """Fit the trials that `fit_most` leaves, so that each ends as FITTED, POISSON or NOT_CONVERGED.

    Each stage is compiled on its own: what is compiled together is optimised together, which takes long.
    """
    if settle_doubtful(data, most, facts, fit) > 0:
        climb(data, most, fit)
    finish(data, most, fit)


@compiled
def fit_most(data: Rows, most: int, facts: Floats, fit: Fit) -> int:
    """Fit the trials whose dispersion is clear, and return how many are left in doubt, as active.

    What `fit.kept` keeps of the model is set before. Parameters, outcomes, and the sums of the summary are
    left in `fit`.
    """
    start(data, facts, fit)
    left = 1
    for _ in range(_NEWTON_MOST):
        newton(data, most, fit)
        move(fit.parameters, fit.kept, fit.step, data.bounds.shape[0] >> 1)
        set_dispersion(fit.parameters)
        left = settle(fit.parameters, fit.kept, fit.step, _LAST_STEP)
        if left == 0:
            break
    summarise(data, most, fit.parameters, fit.sums)
    doubtful = 0
    for lane in range(LANES):
        error = np.sqrt(2.0 * fit.sums[R + lane])
        clear_enough = excess(fit.sums, facts, lane) > _CLEARLY * error
        many = facts[PARTICIPANTS + lane] - facts[COEFFICIENTS + lane] > _FEW
        sure = fit.kept[CONVERGED + lane] > 0 and clear_enough and many
        fit.end[lane] = FITTED
        fit.kept[ACTIVE + lane] = 0.0
        if not sure and facts[EVENTS + lane] > 0:
            fit.kept[ACTIVE + lane] = 1.0
            doubtful += 1
    return doubtful


@compiled
def settle_doubtful(data: Rows, most: int, facts: Floats, fit: Fit) -> int:
    """Decide by the score at no dispersion which active trials are Poisson's; return how many must climb."""
    found, other = fit.parameters, fit.other
    for lane in range(LANES):
        fit.best[lane] = fit.kept[CONVERGED + lane]
        doubtful = fit.kept[ACTIVE + lane] > 0
        for field in range(found.shape[0] // LANES):
            # What has not converged may be anywhere.
            far = doubtful and not (abs(found[field * LANES + lane]) < 50.0)
            other[field * LANES + lane] = 0.0 if far else found[field * LANES + lane]
        other[LOG_A + lane] = 0.0
        other[A + lane] = 0.0
        other[INVERSE_A + lane] = 0.0
        fit.end[lane] = NOT_CONVERGED if doubtful else fit.end[lane]
        fit.kept[CONVERGED + lane] = 0.0
    for _ in range(_POISSON_MOST):
        fisher(data, other, fit)
        move(other, fit.kept, fit.step, data.bounds.shape[0] >> 1)
        if settle(other, fit.kept, fit.step, _LAST_STEP) == 0:
            break
    summarise(data, most, other, fit.sums)
    climbing = 0
    for lane in range(LANES):
        fit.kept[ACTIVE + lane] = 0.0
        if fit.kept[CONVERGED + lane] == 0:
            continue
        more = excess(fit.sums, facts, lane)
        if more <= 0 or facts[PARTICIPANTS + lane] <= facts[COEFFICIENTS + lane]:
            fit.end[lane] = POISSON
            for field in range(found.shape[0] // LANES):
                found[field * LANES + lane] = other[field * LANES + lane]
        elif fit.best[lane] > 0:
            fit.end[lane] = FITTED
        else:
            for field in range(found.shape[0] // LANES):
                found[field * LANES + lane] = other[field * LANES + lane]
            found[LOG_A + lane] = logarithm(min(max(more / fit.sums[R + lane], 1e-3), 20.0))
            fit.kept[ACTIVE + lane] = 1.0
            climbing += 1
    return climbing


@compiled
def finish(data: Rows, most: int, fit: Fit) -> None:
    """Leave the sums at the parameters as they are in the end."""
    set_dispersion(fit.parameters)
    for lane in range(LANES):
        if fit.end[lane] == POISSON:
            fit.parameters[A + lane] = 0.0
            fit.parameters[INVERSE_A + lane] = 0.0
    summarise(data, most, fit.parameters, fit.sums)


@compiled
def climb(data: Rows, most: int, fit: Fit) -> None:
    """Climb with Newton's steps, halved until the likelihood does not fall, from the Poisson fit."""
    at, trial = fit.parameters, fit.step.copy()
    poisson = fit.other.copy()
    set_dispersion(at)
    summarise(data, most, at, fit.sums)
    for lane in range(LANES):
        fit.best[lane] = likelihood(fit.sums, lane)
        fit.kept[CONVERGED + lane] = 0.0
    for _ in range(_CLIMB_MOST):
        newton(data, most, fit)
        trial[:] = fit.step
        halve(data, most, fit)
        for lane in range(LANES):
            # A step that had to be shortened is none of Newton's last.
            fit.step[SIZE + lane] = trial[SIZE + lane]
        if settle(at, fit.kept, fit.step, 1e-7) == 0:
            break
    for lane in range(LANES):
        if fit.kept[CONVERGED + lane] > 0:
            fit.end[lane] = FITTED
        elif at[LOG_A + lane] < LOG_A_LEAST:
            fit.end[lane] = POISSON
            for field in range(at.shape[0] // LANES):
                at[field * LANES + lane] = poisson[field * LANES + lane]


@compiled
def halve(data: Rows, most: int, fit: Fit) -> None:
    """Move each active trial by its step, halved until its likelihood does not fall."""
    at, trial = fit.parameters, fit.other
    for _ in range(_HALVINGS_MOST):
        trial[:] = at
        move(trial, fit.kept, fit.step, data.bounds.shape[0] >> 1)
        set_dispersion(trial)
        summarise(data, most, trial, fit.sums)
        falling = 0
        for lane in range(LANES):
            if fit.kept[ACTIVE + lane] > 0:
                now = likelihood(fit.sums, lane)
                if not now >= fit.best[lane] - 1e-12 * (1.0 + abs(fit.best[lane])):
                    for field in (STEP_1, STEP_2, STEP_A):
                        fit.step[field + lane] *= 0.5
                    for place in range(STEP_0 + lane, fit.step.shape[0], LANES):
                        fit.step[place] *= 0.5
                    falling += 1
        if falling == 0:
            break
    at[:] = trial
    for lane in range(LANES):
        if fit.kept[ACTIVE + lane] > 0:
            fit.best[lane] = likelihood(fit.sums, lane)
