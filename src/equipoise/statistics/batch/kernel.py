"""The fit of one block: a start, two steps of Fisher's, Newton's in all parameters, and the doubtful."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .compile import LANES, compiled
from .elementary import logarithm
from .passes import (
    ARM,
    INVERSE_A,
    LIKELIHOOD,
    LOG_A,
    PARAMETERS,
    SUMS,
    TAIL,
    A,
    Floats,
    P,
    R,
    clear,
    fisher_rows,
    newton_rows,
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
    STEP,
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
_POISSON_MOST = 250
_CLIMB_MOST = 250
_HALVINGS_MOST = 40
# With so many standard errors of over-dispersion left, there is some at the Poisson fit too, unless in a
# trial of few participants.
_CLEARLY = 4.0
_FEW = 50


class Fit(NamedTuple):
    """The working memory of one model of a block; `end` has a trial's outcome for each lane."""

    parameters: Floats
    sums: Floats
    kept: Floats
    step: Floats
    other: Floats
    best: Floats
    end: Floats


def make_fit() -> Fit:
    """Return working memory."""
    return Fit(
        parameters=np.zeros(PARAMETERS),
        sums=np.zeros(SUMS),
        kept=np.zeros(KEPT),
        step=np.zeros(STEP),
        other=np.zeros(PARAMETERS),
        best=np.zeros(LANES),
        end=np.zeros(LANES),
    )


@compiled
def summarise(
    rows: Floats, first: int, last: int, tails: Floats, most: int, at: Floats, sums: Floats
) -> None:
    """Sum likelihood, score and expected information at the parameters `at`."""
    clear(sums)
    for arm in range(2):
        begin, end = (0, first) if arm == 0 else (first, last)
        summary_rows(rows, begin, end, float(arm), at, sums[arm * ARM : (arm + 1) * ARM])
    tail_likelihood(tails, most, at, sums)


@compiled
def likelihood(sums: Floats, lane: int) -> float:
    """Return a trial's log likelihood from the sums of a summary."""
    return float(sums[LIKELIHOOD + lane] + sums[ARM + LIKELIHOOD + lane] + sums[TAIL + lane])


@compiled
def excess(sums: Floats, facts: Floats, lane: int) -> float:
    """Return the sum of (y - mu)^2 - y: twice the score for dispersion where there is none."""
    products = sums[P + lane] + sums[ARM + P + lane]
    squares = sums[R + lane] + sums[ARM + R + lane]
    return float(facts[SQUARES + lane] - 2.0 * products + squares - facts[EVENTS + lane])


@compiled
def fisher(rows: Floats, first: int, last: int, at: Floats, fit: Fit) -> None:
    """Sum and solve one step of Fisher's at the parameters `at`."""
    clear(fit.sums)
    for arm in range(2):
        begin, end = (0, first) if arm == 0 else (first, last)
        fisher_rows(rows, begin, end, float(arm), at, fit.sums[arm * ARM : (arm + 1) * ARM])
    fisher_step(fit.sums, fit.kept, fit.step, 2.0)


@compiled
def newton(rows: Floats, first: int, last: int, tails: Floats, most: int, fit: Fit) -> None:
    """Sum and solve one step of Newton's."""
    clear(fit.sums)
    for arm in range(2):
        begin, end = (0, first) if arm == 0 else (first, last)
        newton_rows(rows, begin, end, float(arm), fit.parameters, fit.sums[arm * ARM : (arm + 1) * ARM])
    tail_slopes(tails, most, fit.parameters, fit.sums)
    newton_step(fit.sums, fit.kept, fit.parameters, fit.step)


@compiled
def start(rows: Floats, first: int, last: int, facts: Floats, fit: Fit) -> None:
    """Begin with least squares on logarithms, then two steps of Fisher's with the dispersion by moments."""
    at = fit.parameters
    clear(fit.sums)
    for arm in range(2):
        begin, end = (0, first) if arm == 0 else (first, last)
        start_rows(rows, begin, end, fit.sums[arm * ARM : (arm + 1) * ARM])
    fisher_step(fit.sums, fit.kept, fit.step, 300.0)
    for lane in range(LANES):
        n, s = facts[PARTICIPANTS + lane], facts[EVENTS + lane]
        fit.kept[CONVERGED + lane] = 0.0
        # A trial without events, or a lane without a trial, is not worked on.
        fit.kept[ACTIVE + lane] = 1.0 if s > 0 else 0.0
        mean = s / max(n, 1.0)
        rough = (facts[SQUARES + lane] / max(n, 1.0) - mean) / max(mean * mean, 1e-12) - 1.0
        at[LOG_A + lane] = logarithm(min(max(rough, 0.05), 20.0))
        for field in range(3):
            at[field * LANES + lane] = 0.0
    move(at, fit.kept, fit.step)
    set_dispersion(at)
    for _ in range(2):
        fisher(rows, first, last, at, fit)
        move(at, fit.kept, fit.step)
        for lane in range(LANES):
            squares = fit.sums[R + lane] + fit.sums[ARM + R + lane]
            ratio = excess(fit.sums, facts, lane) / max(squares, 1e-300)
            at[LOG_A + lane] = logarithm(min(max(ratio, 1e-4), 50.0))
        set_dispersion(at)
    for lane in range(LANES):
        # Without over-dispersion there is nothing to climb to; the Poisson fit will show.
        if not (at[LOG_A + lane] > -9.2 and facts[PARTICIPANTS + lane] > facts[COEFFICIENTS + lane]):
            fit.kept[ACTIVE + lane] = 0.0


def fit_doubtful(
    rows: Floats, first: int, last: int, tails: Floats, most: int, facts: Floats, fit: Fit
) -> None:
    """Fit the trials that `fit_most` leaves, so that each ends as FITTED, POISSON or NOT_CONVERGED.

    Each stage is compiled on its own: what is compiled together is optimised together, which takes long.
    """
    if settle_doubtful(rows, first, last, tails, most, facts, fit) > 0:
        climb(rows, first, last, tails, most, fit)
    finish(rows, first, last, tails, most, fit)


@compiled
def fit_most(rows: Floats, first: int, last: int, tails: Floats, most: int, facts: Floats, fit: Fit) -> int:
    """Fit the trials whose dispersion is clear, and return how many are left in doubt, as active.

    rows: `first` of the reference arm, up to `last` of the treated; what `fit.kept` keeps of the model is set
    before. Parameters, outcomes, and the sums of the summary are left in `fit`.
    """
    start(rows, first, last, facts, fit)
    left = 1
    for _ in range(_NEWTON_MOST):
        newton(rows, first, last, tails, most, fit)
        move(fit.parameters, fit.kept, fit.step)
        set_dispersion(fit.parameters)
        left = settle(fit.parameters, fit.kept, fit.step, _LAST_STEP)
        if left == 0:
            break
    summarise(rows, first, last, tails, most, fit.parameters, fit.sums)
    doubtful = 0
    for lane in range(LANES):
        squares = fit.sums[R + lane] + fit.sums[ARM + R + lane]
        clear_enough = excess(fit.sums, facts, lane) > _CLEARLY * np.sqrt(2.0 * squares)
        sure = fit.kept[CONVERGED + lane] > 0 and clear_enough and facts[PARTICIPANTS + lane] > _FEW
        fit.end[lane] = FITTED
        fit.kept[ACTIVE + lane] = 0.0
        if not sure and facts[EVENTS + lane] > 0:
            fit.kept[ACTIVE + lane] = 1.0
            doubtful += 1
    return doubtful


@compiled
def settle_doubtful(
    rows: Floats, first: int, last: int, tails: Floats, most: int, facts: Floats, fit: Fit
) -> int:
    """Decide by the score at no dispersion which active trials are Poisson's; return how many must climb."""
    found, other = fit.parameters, fit.other
    for lane in range(LANES):
        fit.best[lane] = fit.kept[CONVERGED + lane]
        doubtful = fit.kept[ACTIVE + lane] > 0
        for field in range(3):
            # What has not converged may be anywhere.
            far = doubtful and not (abs(found[field * LANES + lane]) < 50.0)
            other[field * LANES + lane] = 0.0 if far else found[field * LANES + lane]
        other[LOG_A + lane] = 0.0
        other[A + lane] = 0.0
        other[INVERSE_A + lane] = 0.0
        fit.end[lane] = NOT_CONVERGED if doubtful else fit.end[lane]
        fit.kept[CONVERGED + lane] = 0.0
    for _ in range(_POISSON_MOST):
        fisher(rows, first, last, other, fit)
        move(other, fit.kept, fit.step)
        if settle(other, fit.kept, fit.step, _LAST_STEP) == 0:
            break
    summarise(rows, first, last, tails, most, other, fit.sums)
    climbing = 0
    for lane in range(LANES):
        fit.kept[ACTIVE + lane] = 0.0
        if fit.kept[CONVERGED + lane] == 0:
            continue
        more = excess(fit.sums, facts, lane)
        if more <= 0 or facts[PARTICIPANTS + lane] <= facts[COEFFICIENTS + lane]:
            fit.end[lane] = POISSON
            for field in range(6):
                found[field * LANES + lane] = other[field * LANES + lane]
        elif fit.best[lane] > 0:
            fit.end[lane] = FITTED
        else:
            squares = fit.sums[R + lane] + fit.sums[ARM + R + lane]
            for field in range(3):
                found[field * LANES + lane] = other[field * LANES + lane]
            found[LOG_A + lane] = logarithm(min(max(more / squares, 1e-3), 20.0))
            fit.kept[ACTIVE + lane] = 1.0
            climbing += 1
    return climbing


@compiled
def finish(rows: Floats, first: int, last: int, tails: Floats, most: int, fit: Fit) -> None:
    """Leave the sums at the parameters as they are in the end."""
    set_dispersion(fit.parameters)
    for lane in range(LANES):
        if fit.end[lane] == POISSON:
            fit.parameters[A + lane] = 0.0
            fit.parameters[INVERSE_A + lane] = 0.0
    summarise(rows, first, last, tails, most, fit.parameters, fit.sums)


@compiled
def climb(rows: Floats, first: int, last: int, tails: Floats, most: int, fit: Fit) -> None:
    """Climb with Newton's steps, halved until the likelihood does not fall, from the Poisson fit."""
    at, trial = fit.parameters, fit.step.copy()
    poisson = fit.other.copy()
    set_dispersion(at)
    summarise(rows, first, last, tails, most, at, fit.sums)
    for lane in range(LANES):
        fit.best[lane] = likelihood(fit.sums, lane)
        fit.kept[CONVERGED + lane] = 0.0
    for _ in range(_CLIMB_MOST):
        newton(rows, first, last, tails, most, fit)
        trial[:] = fit.step
        halve(rows, first, last, tails, most, fit)
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
            for field in range(6):
                at[field * LANES + lane] = poisson[field * LANES + lane]


@compiled
def halve(rows: Floats, first: int, last: int, tails: Floats, most: int, fit: Fit) -> None:
    """Move each active trial by its step, halved until its likelihood does not fall."""
    at, trial = fit.parameters, fit.other
    for _ in range(_HALVINGS_MOST):
        trial[:] = at
        move(trial, fit.kept, fit.step)
        set_dispersion(trial)
        summarise(rows, first, last, tails, most, trial, fit.sums)
        falling = 0
        for lane in range(LANES):
            if fit.kept[ACTIVE + lane] > 0:
                now = likelihood(fit.sums, lane)
                if not now >= fit.best[lane] - 1e-12 * (1.0 + abs(fit.best[lane])):
                    for field in range(4):
                        fit.step[field * LANES + lane] *= 0.5
                    falling += 1
        if falling == 0:
            break
    at[:] = trial
    for lane in range(LANES):
        if fit.kept[ACTIVE + lane] > 0:
            fit.best[lane] = likelihood(fit.sums, lane)
