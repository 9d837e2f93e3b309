"""Sums over the rows of 32 trials at once: the likelihood, its slopes and curvatures, lane by lane.

Everything is flat: `rows[(row * ROW_FIELDS + field) * LANES + lane]`, and so on, because a stride that is
known to the compiler is what makes it use vectors. A row is a set of participants of one trial who share
treatment, covariate and offset. Rows stand in groups, two for each site: the reference arm's, then the
treated; where there are no sites there is one. Rows that pad a shorter trial hold no participant and add
exact zeros, hence a trial's sums do not depend on its neighbours.

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
Wholes = NDArray[np.int64]

# Of a row: participants, events, covariate, offset.
ROW_FIELDS = 4
ROW = ROW_FIELDS * LANES

# Of the parameters: log rate ratio, slope, log dispersion, dispersion, 1 / dispersion, the sites' intercepts.
B1, B2, LOG_A, A, INVERSE_A, B0 = (field * LANES for field in range(6))

# Of the sums, over all rows: score and information with covariate, the information with its square, what is
# mixed of covariate and dispersion, three parts of slope and curvature in the dispersion, log likelihood; of
# the tails three; a product, and a row's mu, 1 / (1 + v) and log(1 + v) while it is worked on. Then for each
# group: score, information, with covariate, mixed with dispersion.
GX, WXX, CX, P, R, LOGS, SHARES, LIKELIHOOD, T1, T2, TAIL, PRODUCT, MU, INVERSE, LOG_U, GROUPS = (
    field * LANES for field in range(16)
)
G, W, WX, C = (field * LANES for field in range(4))
GROUP = 4 * LANES

# Participants whose 1 + v are multiplied before one logarithm is taken.
_FACTORS = 16


@compiled
def clear(sums: Floats) -> None:
    """Set all sums to 0."""
    for place in range(sums.shape[0]):
        sums[place] = 0.0


@compiled
def start_rows(rows: Floats, first: int, last: int, sums: Floats, group: Floats) -> None:
    """Add a group's normal equations of least squares on the log of the rows' mean counts (plus a half)."""
    for row in range(first, last):
        r = rows[row * ROW : (row + 1) * ROW]
        for lane in range(LANES):
            n, s, x = r[lane], r[LANES + lane], r[2 * LANES + lane]
            z = logarithm((s + 0.5) / max(n, 1.0)) - r[3 * LANES + lane]
            group[G + lane] += n * z
            sums[GX + lane] += n * x * z
            group[W + lane] += n
            group[WX + lane] += n * x
            sums[WXX + lane] += n * x * x


@compiled
def fisher_rows(
    rows: Floats,
    first: int,
    last: int,
    treated: float,
    at: Floats,
    intercepts: Floats,
    sums: Floats,
    group: Floats,
) -> None:
    """Add a group's score and expected information, and what the moments of the counts say of dispersion."""
    for row in range(first, last):
        r = rows[row * ROW : (row + 1) * ROW]
        for lane in range(LANES):
            n, s, x = r[lane], r[LANES + lane], r[2 * LANES + lane]
            eta = intercepts[lane] + treated * at[B1 + lane]
            mu = exponential(eta + x * at[B2 + lane] + r[3 * LANES + lane])
            inverse = 1.0 / (1.0 + at[A + lane] * mu)
            expected = n * mu
            score, weight = (s - expected) * inverse, expected * inverse
            group[G + lane] += score
            sums[GX + lane] += score * x
            group[W + lane] += weight
            group[WX + lane] += weight * x
            sums[WXX + lane] += weight * x * x
            sums[P + lane] += s * mu
            sums[R + lane] += expected * mu


@compiled
def newton_rows(
    rows: Floats,
    first: int,
    last: int,
    treated: float,
    at: Floats,
    intercepts: Floats,
    sums: Floats,
    group: Floats,
) -> None:
    """Add a group's slopes and observed curvatures in the coefficients and log dispersion."""
    for row in range(first, last):
        r = rows[row * ROW : (row + 1) * ROW]
        for lane in range(LANES):
            eta = intercepts[lane] + treated * at[B1 + lane]
            eta += r[2 * LANES + lane] * at[B2 + lane] + r[3 * LANES + lane]
            sums[MU + lane] = exponential(eta)
        for lane in range(LANES):
            v = at[A + lane] * sums[MU + lane]
            sums[INVERSE + lane] = 1.0 / (1.0 + v)
            sums[LOGS + lane] += r[lane] * log_1p(v, sums[INVERSE + lane])
        for lane in range(LANES):
            n, s, x = r[lane], r[LANES + lane], r[2 * LANES + lane]
            mu, inverse = sums[MU + lane], sums[INVERSE + lane]
            v = at[A + lane] * mu
            share = v * inverse
            score = (s - n * mu) * inverse
            weight = (n * mu + s * v) * inverse * inverse
            mixed = score * share
            group[G + lane] += score
            sums[GX + lane] += score * x
            group[W + lane] += weight
            group[WX + lane] += weight * x
            sums[WXX + lane] += weight * x * x
            group[C + lane] += mixed
            sums[CX + lane] += mixed * x
            sums[SHARES + lane] += n * share
            sums[P + lane] += s * share
            sums[R + lane] += (s + n * at[INVERSE_A + lane]) * share * share


@compiled
def newton_singles(
    rows: Floats,
    first: int,
    last: int,
    treated: float,
    at: Floats,
    intercepts: Floats,
    sums: Floats,
    group: Floats,
) -> None:
    """Add what `newton_rows` adds, of rows with one participant at most: one logarithm serves sixteen.

    The product of the 1 + v is kept less 1, as otherwise small dispersions would drown in rounding.
    """
    for begin in range(first, last, _FACTORS):
        for lane in range(LANES):
            sums[PRODUCT + lane] = 0.0
        for row in range(begin, min(begin + _FACTORS, last)):
            r = rows[row * ROW : (row + 1) * ROW]
            for lane in range(LANES):
                n, s, x = r[lane], r[LANES + lane], r[2 * LANES + lane]
                eta = intercepts[lane] + treated * at[B1 + lane]
                mu = n * exponential(eta + x * at[B2 + lane] + r[3 * LANES + lane])
                v = at[A + lane] * mu
                inverse = 1.0 / (1.0 + v)
                share = v * inverse
                score = (s - mu) * inverse
                weight = (mu + s * v) * inverse * inverse
                mixed = score * share
                group[G + lane] += score
                sums[GX + lane] += score * x
                group[W + lane] += weight
                group[WX + lane] += weight * x
                sums[WXX + lane] += weight * x * x
                group[C + lane] += mixed
                sums[CX + lane] += mixed * x
                sums[SHARES + lane] += share
                sums[P + lane] += s * share
                sums[R + lane] += (s + at[INVERSE_A + lane]) * share * share
                sums[PRODUCT + lane] += v + v * sums[PRODUCT + lane]
        for lane in range(LANES):
            product = sums[PRODUCT + lane]
            sums[LOGS + lane] += log_1p(product, 1.0 / (1.0 + product))


@compiled
def summary_rows(
    rows: Floats,
    first: int,
    last: int,
    treated: float,
    at: Floats,
    intercepts: Floats,
    sums: Floats,
    group: Floats,
) -> None:
    """Add a group's log likelihood, score and expected information; with no dispersion, Poisson's."""
    for row in range(first, last):
        r = rows[row * ROW : (row + 1) * ROW]
        for lane in range(LANES):
            eta = intercepts[lane] + treated * at[B1 + lane]
            eta += r[2 * LANES + lane] * at[B2 + lane] + r[3 * LANES + lane]
            sums[MU + lane] = exponential(eta)
            sums[LIKELIHOOD + lane] += r[LANES + lane] * eta
        for lane in range(LANES):
            v = at[A + lane] * sums[MU + lane]
            sums[INVERSE + lane] = 1.0 / (1.0 + v)
            sums[LOG_U + lane] = log_1p(v, sums[INVERSE + lane])
        for lane in range(LANES):
            n, s, x = r[lane], r[LANES + lane], r[2 * LANES + lane]
            mu, inverse = sums[MU + lane], sums[INVERSE + lane]
            expected = n * mu
            score, weight = (s - expected) * inverse, expected * inverse
            group[G + lane] += score
            sums[GX + lane] += score * x
            group[W + lane] += weight
            group[WX + lane] += weight * x
            sums[WXX + lane] += weight * x * x
            poisson = at[A + lane] == 0.0
            loss = expected if poisson else (s + n * at[INVERSE_A + lane]) * sums[LOG_U + lane]
            sums[LIKELIHOOD + lane] -= loss
            sums[P + lane] += s * mu
            sums[R + lane] += expected * mu


@compiled
def tail_slopes(tails: Floats, most: int, at: Floats, sums: Floats) -> None:
    """Add the counts' part of the slope and curvature in the dispersion.

    tails: `tails[j * LANES + lane]` participants have more than j events; most: the largest count.
    """
    for j in range(1, most):
        c = tails[j * LANES : (j + 1) * LANES]
        whole = np.float64(j)
        for lane in range(LANES):
            ratio = whole / (1.0 + at[A + lane] * whole)
            sums[T1 + lane] += c[lane] * ratio
            sums[T2 + lane] += c[lane] * ratio * ratio


@compiled
def tail_likelihood(tails: Floats, most: int, at: Floats, sums: Floats) -> None:
    """Add the counts' part of the log likelihood, with the factorials."""
    for j in range(most):
        c = tails[j * LANES : (j + 1) * LANES]
        whole = np.float64(j)
        shift = logarithm(whole + 1.0)
        for lane in range(LANES):
            sums[TAIL + lane] += c[lane] * (logarithm(1.0 + at[A + lane] * whole) - shift)
