"""Newton's and Fisher's steps of 32 trials at once, from the sums over their rows.

The sites' intercepts meet only in the other coefficients (the information has the shape of an arrow), hence
they are eliminated one by one, and the work grows with their number and not with its cube.
"""

from __future__ import annotations

from .compile import LANES, compiled
from .elementary import exponential
from .passes import (
    B0,
    B1,
    B2,
    CX,
    GROUP,
    GROUPS,
    GX,
    INVERSE_A,
    LOG_A,
    LOGS,
    SHARES,
    T1,
    T2,
    WX,
    WXX,
    A,
    C,
    Floats,
    G,
    P,
    R,
    W,
)

# Of what is kept of each trial's model (1 or 0): treatment, covariate; and whether it is still being fitted.
TREATMENT, COVARIATE, ACTIVE, CONVERGED = (field * LANES for field in range(4))
KEPT = 4 * LANES

# A step: treatment, slope, log dispersion, the largest of all; what is left of the equations when the sites'
# intercepts are eliminated (with treatment, slope and dispersion, in pairs, and the right sides); and the
# steps of the intercepts.
STEP_1, STEP_2, STEP_A, SIZE = (field * LANES for field in range(4))
_H11, _H12, _H13, _H22, _H23, _H33, _Y1, _Y2, _Y3, STEP_0 = (field * LANES for field in range(4, 14))

# Below this dispersion counts are Poisson's in every digit that is reported.
LOG_A_LEAST = -16.11809565095832
_STEP_MOST = 2.0
_DISPERSION_MOST = 1.5


@compiled
def eliminate(sums: Floats, kept: Floats, step: Floats, sites: int) -> None:
    """Eliminate the sites' intercepts; a site where nothing is expected has no equation."""
    for place in range(_H11, STEP_0):
        step[place] = 0.0
    for site in range(sites):
        one = GROUPS + 2 * site * GROUP
        reference, treated = sums[one : one + GROUP], sums[one + GROUP : one + 2 * GROUP]
        for lane in range(LANES):
            m1, m2 = kept[TREATMENT + lane], kept[COVARIATE + lane]
            whole = reference[W + lane] + treated[W + lane]
            d = 1.0 / whole if whole > 0.0 else 0.0
            h1, h13 = treated[W + lane] * m1, treated[C + lane] * m1
            h2, h3 = (reference[WX + lane] + treated[WX + lane]) * m2, reference[C + lane] + treated[C + lane]
            y = reference[G + lane] + treated[G + lane]
            l1, l2, l3 = h1 * d, h2 * d, h3 * d
            step[_H11 + lane] += h1 - l1 * h1
            step[_H12 + lane] += treated[WX + lane] * m1 * m2 - l2 * h1
            step[_H13 + lane] += h13 - l3 * h1
            step[_H22 + lane] -= l2 * h2
            step[_H23 + lane] -= l3 * h2
            step[_H33 + lane] -= l3 * h3
            step[_Y1 + lane] += treated[G + lane] * m1 - l1 * y
            step[_Y2 + lane] -= l2 * y
            step[_Y3 + lane] -= l3 * y


@compiled
def put_back(sums: Floats, kept: Floats, step: Floats, sites: int, most: float) -> None:
    """Find the steps of the sites' intercepts, and shorten the whole to `most`: it still leads uphill."""
    for site in range(sites):
        one = GROUPS + 2 * site * GROUP
        reference, treated = sums[one : one + GROUP], sums[one + GROUP : one + 2 * GROUP]
        own = step[STEP_0 + site * LANES : STEP_0 + (site + 1) * LANES]
        for lane in range(LANES):
            m1, m2 = kept[TREATMENT + lane], kept[COVARIATE + lane]
            whole = reference[W + lane] + treated[W + lane]
            d = 1.0 / whole if whole > 0.0 else 0.0
            left = reference[G + lane] + treated[G + lane] - treated[W + lane] * m1 * step[STEP_1 + lane]
            left -= (reference[WX + lane] + treated[WX + lane]) * m2 * step[STEP_2 + lane]
            left -= (reference[C + lane] + treated[C + lane]) * step[STEP_A + lane]
            own[lane] = left * d
            step[SIZE + lane] = max(step[SIZE + lane], abs(own[lane]))
    for lane in range(LANES):
        # What the right sides needed is free by now.
        step[_Y1 + lane] = most / max(step[SIZE + lane], most)
    for field in (STEP_1, STEP_2, STEP_A):
        for lane in range(LANES):
            step[field + lane] *= step[_Y1 + lane]
    for site in range(sites):
        for lane in range(LANES):
            step[STEP_0 + site * LANES + lane] *= step[_Y1 + lane]


@compiled
def fisher_step(sums: Floats, kept: Floats, step: Floats, sites: int, most: float) -> None:
    """Solve for the coefficients alone, the step shortened to `most`."""
    # What the dispersion is mixed with has not been summed up, hence is 0.
    eliminate(sums, kept, step, sites)
    for lane in range(LANES):
        m1, m2 = kept[TREATMENT + lane], kept[COVARIATE + lane]
        d1 = 1.0 / (step[_H11 + lane] + (1.0 - m1))
        l21 = step[_H12 + lane] * d1
        h22 = sums[WXX + lane] * m2 + (1.0 - m2) + step[_H22 + lane]
        y2 = sums[GX + lane] * m2 + step[_Y2 + lane] - l21 * step[_Y1 + lane]
        x2 = y2 / (h22 - l21 * step[_H12 + lane])
        x1 = step[_Y1 + lane] * d1 - l21 * x2
        step[STEP_1 + lane], step[STEP_2 + lane], step[STEP_A + lane] = x1, x2, 0.0
        step[SIZE + lane] = max(abs(x1), abs(x2))
    put_back(sums, kept, step, sites, most)


@compiled
def newton_step(sums: Floats, kept: Floats, at: Floats, step: Floats, sites: int) -> None:
    """Solve for the coefficients and log dispersion together.

    Given the dispersion the surface is concave in the coefficients; where it is not in the dispersion, a
    plain step uphill takes the place of Newton's.
    """
    eliminate(sums, kept, step, sites)
    for lane in range(LANES):
        m1, m2 = kept[TREATMENT + lane], kept[COVARIATE + lane]
        a, inverse_a = at[A + lane], at[INVERSE_A + lane]
        d1 = 1.0 / (step[_H11 + lane] + (1.0 - m1))
        h12, h13 = step[_H12 + lane], step[_H13 + lane]
        l21, l31 = h12 * d1, h13 * d1
        h22 = sums[WXX + lane] * m2 + (1.0 - m2) + step[_H22 + lane]
        d2 = 1.0 / (h22 - l21 * h12)
        u32 = sums[CX + lane] * m2 + step[_H23 + lane] - l31 * h12
        l32 = u32 * d2
        bends = inverse_a * (sums[LOGS + lane] - sums[SHARES + lane])
        slope = a * sums[T1 + lane] + bends - sums[P + lane]
        bend = a * a * sums[T2 + lane] - sums[R + lane] + 2.0 * bends - slope
        d3 = bend + step[_H33 + lane] - l31 * h13 - l32 * u32
        y1 = step[_Y1 + lane]
        y2 = sums[GX + lane] * m2 + step[_Y2 + lane] - l21 * y1
        y3 = slope + step[_Y3 + lane] - l31 * y1 - l32 * y2
        # The curvature that a step of at most _DISPERSION_MOST needs.
        d3 = max(d3, abs(y3) / _DISPERSION_MOST) if d3 > 0 else max(abs(d3), abs(y3))
        x3 = y3 / max(d3, 1e-300)
        x2 = y2 * d2 - l32 * x3
        x1 = y1 * d1 - l21 * x2 - l31 * x3
        step[STEP_1 + lane], step[STEP_2 + lane], step[STEP_A + lane] = x1, x2, x3
        step[SIZE + lane] = max(abs(x1), abs(x2), abs(x3))
    put_back(sums, kept, step, sites, _STEP_MOST)


@compiled
def move(at: Floats, kept: Floats, step: Floats, sites: int) -> None:
    """Add the step to the coefficients and log dispersion of the trials still active."""
    for lane in range(LANES):
        if kept[ACTIVE + lane] > 0:
            at[B1 + lane] += step[STEP_1 + lane]
            at[B2 + lane] += step[STEP_2 + lane]
            at[LOG_A + lane] += step[STEP_A + lane]
    for site in range(sites):
        for lane in range(LANES):
            if kept[ACTIVE + lane] > 0:
                at[B0 + site * LANES + lane] += step[STEP_0 + site * LANES + lane]


@compiled
def set_dispersion(at: Floats) -> None:
    """Set the dispersion and its inverse from the log dispersion."""
    for lane in range(LANES):
        at[A + lane] = exponential(at[LOG_A + lane])
        at[INVERSE_A + lane] = exponential(-at[LOG_A + lane])


@compiled
def settle(at: Floats, kept: Floats, step: Floats, tolerance: float) -> int:
    """Rest the trials that have converged or run away, and return how many are left.

    A trial at rest is not moved again: what its neighbours need has no influence on it.
    """
    left = 0
    for lane in range(LANES):
        if kept[ACTIVE + lane] > 0:
            if step[SIZE + lane] <= tolerance:
                kept[ACTIVE + lane], kept[CONVERGED + lane] = 0.0, 1.0
            elif not (at[LOG_A + lane] >= LOG_A_LEAST and step[SIZE + lane] < 1e300):
                kept[ACTIVE + lane] = 0.0
            else:
                left += 1
    return left
