"""The state of one crossover trial's fit: from sums by sequence to slope, curvature and Newton's step."""

from __future__ import annotations

import numpy as np

from .compile import compiled
from .crossover_passes import CURVES, LOCAL_SUMS, SLOPES, VALUE, WIDTH
from .elementary import logarithm
from .passes import Floats

# Of the parameters: intercept, period, treatment, carry-over, log dispersion, log SD of the patient effect.
PERIOD, TREATMENT, CARRY_OVER, ALPHA, RHO, PARAMETERS = range(1, 7)

# Of a trial's results: outcome, log likelihood, parameters, their standard errors.
OUTCOME, LOG_LIKELIHOOD, ESTIMATES, ERRORS, RESULTS = 0, 1, 2, 2 + PARAMETERS, 2 + 2 * PARAMETERS

# Of the state of a fit: parameters, those tried, those beyond which dispersion is too small; whether they are
# free (1 or 0); slope, step, curvature, factors of the information; the local sums of a sequence and where
# they belong; events of each sequence and period; chunks of cells, the largest count, the log of the counts'
# factorials, the log likelihood.
AT, TRIAL, FAR_AT, FREE, SLOPE, STEP = (part * PARAMETERS for part in range(6))
_CURVE, _FACTOR = 36, 72
_LOCAL, _NEAR, EVENTS = 108, 108 + LOCAL_SUMS, 108 + LOCAL_SUMS + 4 * PARAMETERS
CHUNKS, MOST, FACTORIALS, HEIGHT, STATE = range(EVENTS + 4, EVENTS + 9)

_STEP_MOST = 1.5


@compiled
def gather(sums: Floats, tails: Floats, a: float, state: Floats) -> None:
    """Turn the sums by sequence into value, slope and curvature in the parameters."""
    value, most = -state[FACTORIALS], int(state[MOST])
    for place in range(SLOPE, STEP):
        state[place] = 0.0
    for place in range(_CURVE, _FACTOR):
        state[place] = 0.0
    for place in range(_NEAR, EVENTS):
        state[place] = 0.0
    near = state[_NEAR:EVENTS]
    near[0], near[PARAMETERS], near[PARAMETERS + 1] = 1.0, 1.0, 1.0
    near[2 * PARAMETERS + ALPHA], near[3 * PARAMETERS + RHO] = 1.0, 1.0
    for sequence in range(2):
        q = np.float64(sequence)
        near[TREATMENT], near[CARRY_OVER] = q, q
        near[PARAMETERS + TREATMENT], near[PARAMETERS + CARRY_OVER] = 1.0 - q, q
        for place in range(LOCAL_SUMS):
            total = 0.0
            for lane in range(WIDTH):
                total += sums[(sequence * LOCAL_SUMS + place) * WIDTH + lane]
            state[_LOCAL + place] = total
        value += state[_LOCAL + VALUE]
        for i in range(4):
            for one in range(PARAMETERS):
                state[SLOPE + one] += near[i * PARAMETERS + one] * state[_LOCAL + SLOPES + i]
            for k in range(4):
                bend = state[_LOCAL + CURVES + max(i, k) * (max(i, k) + 1) // 2 + min(i, k)]
                for one in range(PARAMETERS):
                    part = near[i * PARAMETERS + one] * bend
                    for other in range(PARAMETERS):
                        state[_CURVE + one * PARAMETERS + other] += part * near[k * PARAMETERS + other]
    # What the counts alone tell of the dispersion.
    slope, curve = 0.0, 0.0
    for j in range(1, most):
        many, u = tails[j], 1.0 + a * j
        share = a * j / u
        value += many * logarithm(u)
        slope += many * share
        curve += many * share * (1.0 - share)
    state[HEIGHT] = value
    state[SLOPE + ALPHA] += slope
    state[_CURVE + ALPHA * PARAMETERS + ALPHA] += curve


@compiled
def factorise(state: Floats) -> bool:
    """Factorise minus the curvature in the free parameters into L D L'; return whether it is positive.

    Where it is not, a pivot below 0 is turned, so that the step still leads uphill. L stands below the
    diagonal, D on it; a parameter that is held has a pivot of 1.
    """
    factor, positive = state[_FACTOR : _FACTOR + PARAMETERS * PARAMETERS], True
    for i in range(PARAMETERS):
        for k in range(i + 1):
            free = (state[FREE + i] > 0) & (state[FREE + k] > 0)
            element = -state[_CURVE + i * PARAMETERS + k] if free else 0.0
            for j in range(k):
                both = factor[i * PARAMETERS + j] * factor[k * PARAMETERS + j]
                element -= both * factor[j * PARAMETERS + j]
            if k < i:
                factor[i * PARAMETERS + k] = element / factor[k * PARAMETERS + k]
            elif state[FREE + i] > 0:
                positive = positive and element > 1e-12
                factor[i * PARAMETERS + i] = max(abs(element), 1e-8)
            else:
                factor[i * PARAMETERS + i] = 1.0
    return positive


@compiled
def solve(factor: Floats, out: Floats) -> None:
    """Solve L D L' x = out, in its place."""
    for i in range(PARAMETERS):
        for k in range(i):
            out[i] -= factor[i * PARAMETERS + k] * out[k]
    for i in range(PARAMETERS - 1, -1, -1):
        element = out[i] / factor[i * PARAMETERS + i]
        for k in range(i + 1, PARAMETERS):
            element -= factor[k * PARAMETERS + i] * out[k]
        out[i] = element


@compiled
def take_step(state: Floats) -> float:
    """Set the step of Newton's method, shortened where it is long; return its largest element before that.

    Where the likelihood is not concave, so that no top is near, that is 1 at least.
    """
    positive, size = factorise(state), 0.0
    for i in range(PARAMETERS):
        state[STEP + i] = state[SLOPE + i] if state[FREE + i] > 0 else 0.0
    solve(state[_FACTOR : _FACTOR + PARAMETERS * PARAMETERS], state[STEP : STEP + PARAMETERS])
    for i in range(PARAMETERS):
        size = max(size, abs(state[STEP + i]))
    for i in range(PARAMETERS):
        state[STEP + i] *= _STEP_MOST / max(size, _STEP_MOST)
    return size if positive else max(size, 1.0)


@compiled
def write_result(state: Floats, out: Floats) -> None:
    """Write value, parameters and their standard errors, from the factors of the information."""
    factor, column = state[_FACTOR : _FACTOR + PARAMETERS * PARAMETERS], state[STEP : STEP + PARAMETERS]
    out[LOG_LIKELIHOOD] = state[HEIGHT]
    for i in range(PARAMETERS):
        for k in range(PARAMETERS):
            column[k] = 1.0 if k == i else 0.0
        solve(factor, column)
        out[ESTIMATES + i] = state[AT + i]
        out[ERRORS + i] = np.sqrt(column[i])
