"""Sums over the rows of 32 trials at once: the likelihood, its slopes and curvatures, lane by lane.

Everything is flat: `rows[(row * ROW_FIELDS + field) * LANES + lane]`, and so on, because a stride that is
known to the compiler is what makes it use vectors. A row is a set of participants of one trial who share
treatment, covariate and offset; the first rows are the reference arm's, then come the treated. Rows that pad
a shorter trial hold no participant and add exact zeros, hence a trial's sums do not depend on its neighbours.

With dispersion a, mu = exp(eta), v = a mu: a row of n participants with s events in all adds
s eta - (s + n / a) log(1 + v) to the log likelihood, and the counts add c_j log(1 + a j), where c_j is the
number of participants with more than j events: no gamma function is needed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .compile import LANES, compiled
from .elementary import exponential, log_1p, logarithm

Floats = NDArray[np.float64]

# Of a row: participants, events, covariate, offset.
ROW_FIELDS = 4
ROW = ROW_FIELDS * LANES

# Of the parameters: intercept, log rate ratio, slope, log dispersion, dispersion, 1 / dispersion.
B0, B1, B2, LOG_A, A, INVERSE_A = (field * LANES for field in range(6))
PARAMETERS = 6 * LANES

# Of the sums: thirteen for each arm (score, with covariate, information, with covariate, with its square,
# mixed with dispersion, with covariate, slope and curvature in dispersion, log likelihood, and a row's mu, 1
# / (1 + v) and log(1 + v) while it is worked on), then three of the tails.
ARM = 13 * LANES
G, GX, W, WX, WXX, C, CX, P, R, LIKELIHOOD, MU, INVERSE, LOG_U = (field * LANES for field in range(13))
T1, T2, TAIL = (field * LANES for field in range(26, 29))
SUMS = 29 * LANES


@compiled
def clear(sums: Floats) -> None:
    """Set all sums to 0."""
    for place in range(SUMS):
        sums[place] = 0.0


@compiled
def start_rows(rows: Floats, first: int, last: int, arm: Floats) -> None:
    """Add an arm's normal equations of least squares on the log of the rows' mean counts (plus a half)."""
    for row in range(first, last):
        r = rows[row * ROW : (row + 1) * ROW]
        for lane in range(LANES):
            n, s, x = r[lane], r[LANES + lane], r[2 * LANES + lane]
            z = logarithm((s + 0.5) / max(n, 1.0)) - r[3 * LANES + lane]
            arm[G + lane] += n * z
            arm[GX + lane] += n * x * z
            arm[W + lane] += n
            arm[WX + lane] += n * x
            arm[WXX + lane] += n * x * x


@compiled
def fisher_rows(rows: Floats, first: int, last: int, treated: float, parameters: Floats, arm: Floats) -> None:
    """Add an arm's score and expected information, and what the moments of the counts say of dispersion."""
    for row in range(first, last):
        r = rows[row * ROW : (row + 1) * ROW]
        for lane in range(LANES):
            n, s, x = r[lane], r[LANES + lane], r[2 * LANES + lane]
            eta = parameters[B0 + lane] + treated * parameters[B1 + lane]
            mu = exponential(eta + x * parameters[B2 + lane] + r[3 * LANES + lane])
            inverse = 1.0 / (1.0 + parameters[A + lane] * mu)
            expected = n * mu
            score, weight = (s - expected) * inverse, expected * inverse
            arm[G + lane] += score
            arm[GX + lane] += score * x
            arm[W + lane] += weight
            arm[WX + lane] += weight * x
            arm[WXX + lane] += weight * x * x
            arm[P + lane] += s * mu
            arm[R + lane] += expected * mu


@compiled
def newton_rows(rows: Floats, first: int, last: int, treated: float, parameters: Floats, arm: Floats) -> None:
    """Add an arm's slopes and observed curvatures in the coefficients and log dispersion."""
    for row in range(first, last):
        r = rows[row * ROW : (row + 1) * ROW]
        for lane in range(LANES):
            eta = parameters[B0 + lane] + treated * parameters[B1 + lane]
            eta += r[2 * LANES + lane] * parameters[B2 + lane] + r[3 * LANES + lane]
            arm[MU + lane] = exponential(eta)
        for lane in range(LANES):
            v = parameters[A + lane] * arm[MU + lane]
            arm[INVERSE + lane] = 1.0 / (1.0 + v)
            arm[LOG_U + lane] = log_1p(v, arm[INVERSE + lane])
        for lane in range(LANES):
            n, s, x = r[lane], r[LANES + lane], r[2 * LANES + lane]
            mu, inverse = arm[MU + lane], arm[INVERSE + lane]
            v = parameters[A + lane] * mu
            share = v * inverse
            bend = arm[LOG_U + lane] - share
            score = (s - n * mu) * inverse
            weight = (n * mu + s * v) * inverse * inverse
            mixed = score * share
            arm[G + lane] += score
            arm[GX + lane] += score * x
            arm[W + lane] += weight
            arm[WX + lane] += weight * x
            arm[WXX + lane] += weight * x * x
            arm[C + lane] += mixed
            arm[CX + lane] += mixed * x
            many = n * parameters[INVERSE_A + lane]
            arm[P + lane] += many * bend - s * share
            arm[R + lane] += s * share * share + many * (share * share - 2.0 * bend)


@compiled
def summary_rows(
    rows: Floats, first: int, last: int, treated: float, parameters: Floats, arm: Floats
) -> None:
    """Add an arm's log likelihood, score and expected information; with no dispersion, Poisson's."""
    for row in range(first, last):
        r = rows[row * ROW : (row + 1) * ROW]
        for lane in range(LANES):
            eta = parameters[B0 + lane] + treated * parameters[B1 + lane]
            eta += r[2 * LANES + lane] * parameters[B2 + lane] + r[3 * LANES + lane]
            arm[MU + lane] = exponential(eta)
            arm[LIKELIHOOD + lane] += r[LANES + lane] * eta
        for lane in range(LANES):
            v = parameters[A + lane] * arm[MU + lane]
            arm[INVERSE + lane] = 1.0 / (1.0 + v)
            arm[LOG_U + lane] = log_1p(v, arm[INVERSE + lane])
        for lane in range(LANES):
            n, s, x = r[lane], r[LANES + lane], r[2 * LANES + lane]
            mu, inverse = arm[MU + lane], arm[INVERSE + lane]
            expected = n * mu
            score, weight = (s - expected) * inverse, expected * inverse
            arm[G + lane] += score
            arm[GX + lane] += score * x
            arm[W + lane] += weight
            arm[WX + lane] += weight * x
            arm[WXX + lane] += weight * x * x
            poisson = parameters[A + lane] == 0.0
            loss = expected if poisson else (s + n * parameters[INVERSE_A + lane]) * arm[LOG_U + lane]
            arm[LIKELIHOOD + lane] -= loss
            arm[P + lane] += s * mu
            arm[R + lane] += expected * mu


@compiled
def tail_slopes(tails: Floats, most: int, parameters: Floats, sums: Floats) -> None:
    """Add the counts' part of the slope and curvature in the dispersion.

    tails: `tails[j * LANES + lane]` participants have more than j events; most: the largest count.
    """
    for j in range(1, most):
        c = tails[j * LANES : (j + 1) * LANES]
        whole = np.float64(j)
        for lane in range(LANES):
            ratio = whole / (1.0 + parameters[A + lane] * whole)
            sums[T1 + lane] += c[lane] * ratio
            sums[T2 + lane] += c[lane] * ratio * ratio


@compiled
def tail_likelihood(tails: Floats, most: int, parameters: Floats, sums: Floats) -> None:
    """Add the counts' part of the log likelihood, with the factorials."""
    for j in range(most):
        c = tails[j * LANES : (j + 1) * LANES]
        whole = np.float64(j)
        shift = logarithm(whole + 1.0)
        for lane in range(LANES):
            sums[TAIL + lane] += c[lane] * (logarithm(1.0 + parameters[A + lane] * whole) - shift)
