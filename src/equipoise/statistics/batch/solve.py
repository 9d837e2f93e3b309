"""Newton's and Fisher's steps of 32 trials at once, from the sums over their rows."""

from __future__ import annotations

from .compile import LANES, compiled
from .elementary import exponential
from .passes import (
    ARM,
    B0,
    B1,
    B2,
    CX,
    GX,
    INVERSE_A,
    LOG_A,
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

# A step: the three coefficients, log dispersion, and the largest of them.
STEP_0, STEP_1, STEP_2, STEP_A, SIZE = (field * LANES for field in range(5))
STEP = 5 * LANES

# Below this dispersion counts are Poisson's in every digit that is reported.
LOG_A_LEAST = -16.11809565095832
_STEP_MOST = 2.0
_DISPERSION_MOST = 1.5


@compiled
def fisher_step(sums: Floats, kept: Floats, step: Floats, most: float) -> None:
    """Solve for the coefficients alone, the step shortened to `most`."""
    for lane in range(LANES):
        m1, m2 = kept[TREATMENT + lane], kept[COVARIATE + lane]
        w1, wx1 = sums[ARM + W + lane], sums[ARM + WX + lane]
        d0 = 1.0 / (sums[W + lane] + w1)
        h01, h02 = w1 * m1, (sums[WX + lane] + wx1) * m2
        l10, l20 = h01 * d0, h02 * d0
        d1 = 1.0 / (w1 * m1 + (1.0 - m1) - l10 * h01)
        u21 = wx1 * m1 * m2 - l20 * h01
        l21 = u21 * d1
        h22 = (sums[WXX + lane] + sums[ARM + WXX + lane]) * m2 + (1.0 - m2)
        d2 = 1.0 / (h22 - l20 * h02 - l21 * u21)
        y0 = sums[G + lane] + sums[ARM + G + lane]
        y1 = sums[ARM + G + lane] * m1 - l10 * y0
        y2 = (sums[GX + lane] + sums[ARM + GX + lane]) * m2 - l20 * y0 - l21 * y1
        x2 = y2 * d2
        x1 = y1 * d1 - l21 * x2
        x0 = y0 * d0 - l10 * x1 - l20 * x2
        size = max(abs(x0), abs(x1), abs(x2))
        part = most / max(size, most)
        step[STEP_0 + lane] = x0 * part
        step[STEP_1 + lane] = x1 * part
        step[STEP_2 + lane] = x2 * part
        step[STEP_A + lane] = 0.0
        step[SIZE + lane] = size


@compiled
def newton_step(sums: Floats, kept: Floats, parameters: Floats, step: Floats) -> None:
    """Solve for the coefficients and log dispersion together.

    Given the dispersion the surface is concave in the coefficients; where it is not in the dispersion, a
    plain step uphill takes the place of Newton's.
    """
    for lane in range(LANES):
        m1, m2 = kept[TREATMENT + lane], kept[COVARIATE + lane]
        w1, wx1, a = sums[ARM + W + lane], sums[ARM + WX + lane], parameters[A + lane]
        d0 = 1.0 / (sums[W + lane] + w1)
        h01, h02 = w1 * m1, (sums[WX + lane] + wx1) * m2
        h03, h13 = sums[C + lane] + sums[ARM + C + lane], sums[ARM + C + lane] * m1
        l10, l20, l30 = h01 * d0, h02 * d0, h03 * d0
        d1 = 1.0 / (w1 * m1 + (1.0 - m1) - l10 * h01)
        u21, u31 = wx1 * m1 * m2 - l20 * h01, h13 - l30 * h01
        l21, l31 = u21 * d1, u31 * d1
        h22 = (sums[WXX + lane] + sums[ARM + WXX + lane]) * m2 + (1.0 - m2)
        d2 = 1.0 / (h22 - l20 * h02 - l21 * u21)
        u32 = (sums[CX + lane] + sums[ARM + CX + lane]) * m2 - l30 * h02 - l31 * u21
        l32 = u32 * d2
        slope = a * sums[T1 + lane] + sums[P + lane] + sums[ARM + P + lane]
        bend = a * a * sums[T2 + lane] - sums[R + lane] - sums[ARM + R + lane] - slope
        d3 = bend - l30 * h03 - l31 * u31 - l32 * u32
        y0 = sums[G + lane] + sums[ARM + G + lane]
        y1 = sums[ARM + G + lane] * m1 - l10 * y0
        y2 = (sums[GX + lane] + sums[ARM + GX + lane]) * m2 - l20 * y0 - l21 * y1
        y3 = slope - l30 * y0 - l31 * y1 - l32 * y2
        # The curvature that a step of at most _DISPERSION_MOST needs.
        d3 = max(d3, abs(y3) / _DISPERSION_MOST) if d3 > 0 else max(abs(d3), abs(y3))
        x3 = y3 / max(d3, 1e-300)
        x2 = y2 * d2 - l32 * x3
        x1 = y1 * d1 - l21 * x2 - l31 * x3
        x0 = y0 * d0 - l10 * x1 - l20 * x2 - l30 * x3
        size = max(abs(x0), abs(x1), abs(x2), abs(x3))
        # Shortened as a whole, it still leads uphill.
        part = _STEP_MOST / max(size, _STEP_MOST)
        step[STEP_0 + lane] = x0 * part
        step[STEP_1 + lane] = x1 * part
        step[STEP_2 + lane] = x2 * part
        step[STEP_A + lane] = x3 * part
        step[SIZE + lane] = size


@compiled
def move(parameters: Floats, kept: Floats, step: Floats) -> None:
    """Add the step to the coefficients and log dispersion of the trials still active."""
    for lane in range(LANES):
        if kept[ACTIVE + lane] > 0:
            parameters[B0 + lane] += step[STEP_0 + lane]
            parameters[B1 + lane] += step[STEP_1 + lane]
            parameters[B2 + lane] += step[STEP_2 + lane]
            parameters[LOG_A + lane] += step[STEP_A + lane]


@compiled
def set_dispersion(parameters: Floats) -> None:
    """Set the dispersion and its inverse from the log dispersion."""
    for lane in range(LANES):
        parameters[A + lane] = exponential(parameters[LOG_A + lane])
        parameters[INVERSE_A + lane] = exponential(-parameters[LOG_A + lane])


@compiled
def settle(parameters: Floats, kept: Floats, step: Floats, tolerance: float) -> int:
    """Rest the trials that have converged or run away, and return how many are left.

    A trial at rest is not moved again: what its neighbours need has no influence on it.
    """
    left = 0
    for lane in range(LANES):
        if kept[ACTIVE + lane] > 0:
            if step[SIZE + lane] <= tolerance:
                kept[ACTIVE + lane], kept[CONVERGED + lane] = 0.0, 1.0
            elif not (parameters[LOG_A + lane] >= LOG_A_LEAST and step[SIZE + lane] < 1e300):
                kept[ACTIVE + lane] = 0.0
            else:
                left += 1
    return left
