"""The likelihood of one crossover trial of counts with a normal effect for each patient, and its slopes.

The lanes are patients, sixteen at a time: one evaluation of one trial is work enough for the vectors, and
each trial takes the steps that it needs. Patients with the same sequence, counts and offsets make one cell.
`cells[(chunk * CELL_FIELDS + field) * WIDTH + lane]`, and so on, with a stride that the compiler knows.

A patient's part of the likelihood depends on four numbers, which all slopes here are in: the linear
predictors of the two periods, log dispersion (alpha) and the log SD of the effect (rho). With the effect b,
dispersion a, mu = exp(eta + b), v = a mu, r = v / (1 + v), p = r (1 - r), K = y + 1 / a:

    h(b) = sum over both rows of y (eta + b) - K log(1 + v)  -  b^2 / (2 sigma^2)  -  rho

is integrated by adaptive Gauss-Hermite quadrature, at b = mode + spread z (Pinheiro and Bates, J Comput Graph
Stat 1995;4:12). Gradient and Hessian are those of the approximation itself: mode and spread are functions of
the four numbers, and their first and second derivatives enter. No dispersion is one of 1e-18, at which every
term has the value of its limit.
"""

from __future__ import annotations

import numpy as np

from .compile import compiled
from .elementary import exponential, log_1p, logarithm
from .passes import Floats

WIDTH = 16

# Of a cell: patients, counts and offsets of the two periods, 1 where treatment comes first, the mode.
N, Y1, Y2, O1, O2, FIRST, MODE = (field * WIDTH for field in range(7))
CELL_FIELDS = 7
CELL = CELL_FIELDS * WIDTH

# Of the four numbers, and of their ten pairs in the order 00, 10, 11, 20, ...
_LOCALS, _PAIRS = 4, 10

# Of the sums over the patients of a sequence: value, slopes, curvatures.
VALUE, SLOPES, CURVES, LOCAL_SUMS = 0, 1, 1 + _LOCALS, 1 + _LOCALS + _PAIRS
SUMS = 2 * LOCAL_SUMS * WIDTH
# Without an effect, in the places of curvatures with log SD and of its slope.
EFFECT, EXCESS, PAIRED, EXPECTED, SQUARED = CURVES + 6, CURVES + 7, CURVES + 8, CURVES + 9, SLOPES + 3

# What is worked with for one chunk: linear predictors; a exp(eta) without the effect, then at the mode; ends
# of the search; height, spread and curvature at the mode; derivatives of mode, spread and log spread.
_ETA1, _ETA2, _BARE1, _BARE2, _V1, _V2, _LOW, _HIGH, _MOVED, _TOP, _SPREAD, _C = (
    field * WIDTH for field in range(12)
)
_M, _S, _LOG_S, _HUU, _HUUU, _C1 = ((12 + 4 * field) * WIDTH for field in range(6))
_M2, _S2, _LOG_S2, _HU2, _HUU2 = ((36 + 10 * field) * WIDTH for field in range(5))
# Sums over the nodes: weight, slopes, curvatures, slope in the effect, and that with the node.
_TOTAL, _U0, _U1 = (field * WIDTH for field in range(86, 89))
_G, _Q = 89 * WIDTH, 93 * WIDTH
DESK = 108 * WIDTH

_MODE_STEPS_MOST = 100
# Newton's method squares the error.
_MODE_CLOSE = 1e-7
_MODE_STEP_MOST = 3.0


@compiled
def set_predictors(cell: Floats, at: Floats, a: float, desk: Floats) -> None:
    """Set a chunk's linear predictors; at: intercept, period, treatment, carry-over."""
    for lane in range(WIDTH):
        first = cell[FIRST + lane]
        common = at[0] + first * at[3]
        eta1 = common + first * at[2] + cell[O1 + lane]
        eta2 = common + (1.0 - first) * at[2] + at[1] + cell[O2 + lane]
        desk[_ETA1 + lane] = eta1
        desk[_ETA2 + lane] = eta2
        desk[_BARE1 + lane] = a * exponential(eta1)
        desk[_BARE2 + lane] = a * exponential(eta2)


@compiled
def find_modes(cell: Floats, theta: float, precision: float, desk: Floats) -> None:
    """Find each patient's most probable effect by Newton's method, from the last one found, in a bracket.

    precision: 1 / sigma^2. The slope falls everywhere, hence there is one root.
    """
    for lane in range(WIDTH):
        desk[_LOW + lane] = -1e300
        desk[_HIGH + lane] = 1e300
    for _ in range(_MODE_STEPS_MOST):
        for lane in range(WIDTH):
            b, y1, y2 = cell[MODE + lane], cell[Y1 + lane], cell[Y2 + lane]
            e = exponential(b)
            v1, v2 = desk[_BARE1 + lane] * e, desk[_BARE2 + lane] * e
            i1, i2 = 1.0 / (1.0 + v1), 1.0 / (1.0 + v2)
            slope = (y1 - theta * v1) * i1 + (y2 - theta * v2) * i2 - precision * b
            bend = (y1 + theta) * v1 * i1 * i1 + (y2 + theta) * v2 * i2 * i2 + precision
            low = b if slope > 0 else desk[_LOW + lane]
            high = b if slope < 0 else desk[_HIGH + lane]
            moved = b + min(max(slope / bend, -_MODE_STEP_MOST), _MODE_STEP_MOST)
            moved = moved if (moved >= low) & (moved <= high) else 0.5 * (low + high)
            desk[_LOW + lane] = low
            desk[_HIGH + lane] = high
            desk[_MOVED + lane] = abs(moved - b) - _MODE_CLOSE * abs(b)
            cell[MODE + lane] = moved
        far = 0
        for lane in range(WIDTH):
            far += 1 if desk[_MOVED + lane] > _MODE_CLOSE else 0
        if far == 0:
            break


@compiled
def look_at_modes(cell: Floats, theta: float, precision: float, desk: Floats) -> None:
    """Set height, spread and the derivatives of the slope and curvature in b, at the mode."""
    for place in range(_HU2, _HUU2 + _PAIRS * WIDTH):
        desk[place] = 0.0
    for lane in range(WIDTH):
        b, y1, y2 = cell[MODE + lane], cell[Y1 + lane], cell[Y2 + lane]
        e = exponential(b)
        v1, v2 = desk[_BARE1 + lane] * e, desk[_BARE2 + lane] * e
        i1, i2 = 1.0 / (1.0 + v1), 1.0 / (1.0 + v2)
        r1, r2, k1, k2 = v1 * i1, v2 * i2, y1 + theta, y2 + theta
        p1, p2 = r1 * i1, r2 * i2
        desk[_V1 + lane], desk[_V2 + lane] = v1, v2
        height = y1 * (desk[_ETA1 + lane] + b) + y2 * (desk[_ETA2 + lane] + b)
        height -= k1 * log_1p(v1, i1) + k2 * log_1p(v2, i2)
        desk[_TOP + lane] = height - 0.5 * precision * b * b
        # A row's derivatives in its predictor from the second on; then those with one alpha, and with two.
        d2a, d2b = -k1 * p1, -k2 * p2
        d3a, d3b = d2a * (1.0 - 2.0 * r1), d2b * (1.0 - 2.0 * r2)
        d4a, d4b = d2a * (1.0 - 6.0 * p1), d2b * (1.0 - 6.0 * p2)
        t1, t2 = theta * p1, theta * p2
        e2a, e2b = t1 + d3a, t2 + d3b
        e3a, e3b = t1 * (1.0 - 2.0 * r1) + d4a, t2 * (1.0 - 2.0 * r2) + d4b
        e1 = theta * (r1 + r2) + d2a + d2b
        f1 = 2.0 * (t1 + t2) - theta * (r1 + r2) + d3a + d3b
        f2 = t1 * (1.0 - 4.0 * r1) + t2 * (1.0 - 4.0 * r2) + d4a + d4b
        c = precision - d2a - d2b
        desk[_C + lane] = c
        desk[_SPREAD + lane] = np.sqrt(1.0 / c)
        # Of the slope in b and of its derivatives, the derivatives in the four numbers, and in their pairs.
        desk[_M + lane], desk[_M + WIDTH + lane] = d2a / c, d2b / c
        desk[_M + 2 * WIDTH + lane], desk[_M + 3 * WIDTH + lane] = e1 / c, 2.0 * precision * b / c
        desk[_HUU + lane], desk[_HUU + WIDTH + lane] = d3a, d3b
        desk[_HUU + 2 * WIDTH + lane], desk[_HUU + 3 * WIDTH + lane] = e2a + e2b, 2.0 * precision
        desk[_HUUU + lane], desk[_HUUU + WIDTH + lane] = d4a, d4b
        desk[_HUUU + 2 * WIDTH + lane], desk[_HUUU + 3 * WIDTH + lane] = e3a + e3b, 0.0
        desk[_HU2 + lane], desk[_HUU2 + lane] = d3a, d4a
        desk[_HU2 + 2 * WIDTH + lane], desk[_HUU2 + 2 * WIDTH + lane] = d3b, d4b
        desk[_HU2 + 3 * WIDTH + lane], desk[_HUU2 + 3 * WIDTH + lane] = e2a, e3a
        desk[_HU2 + 4 * WIDTH + lane], desk[_HUU2 + 4 * WIDTH + lane] = e2b, e3b
        desk[_HU2 + 5 * WIDTH + lane], desk[_HUU2 + 5 * WIDTH + lane] = f1, f2
        desk[_HU2 + 9 * WIDTH + lane] = -4.0 * precision * b
        desk[_HUU2 + 9 * WIDTH + lane] = -4.0 * precision


@compiled
def move_with_modes(desk: Floats) -> None:
    """Set the first and second derivatives of mode, spread and log spread, and clear the sums over nodes."""
    for place in range(_TOTAL, _Q + _PAIRS * WIDTH):
        desk[place] = 0.0
    for i in range(_LOCALS):
        for lane in range(WIDTH):
            third = desk[_HUU + lane] + desk[_HUU + WIDTH + lane]
            c = desk[_C + lane]
            c1 = -(desk[_HUU + i * WIDTH + lane] + third * desk[_M + i * WIDTH + lane])
            desk[_C1 + i * WIDTH + lane] = c1
            desk[_LOG_S + i * WIDTH + lane] = -0.5 * c1 / c
            desk[_S + i * WIDTH + lane] = -0.5 * c1 / c * desk[_SPREAD + lane]
    for i in range(_LOCALS):
        for k in range(i + 1):
            pair = (i * (i + 1) // 2 + k) * WIDTH
            for lane in range(WIDTH):
                third = desk[_HUU + lane] + desk[_HUU + WIDTH + lane]
                fourth = desk[_HUUU + lane] + desk[_HUUU + WIDTH + lane]
                c, mi, mk = desk[_C + lane], desk[_M + i * WIDTH + lane], desk[_M + k * WIDTH + lane]
                m2 = desk[_HU2 + pair + lane] + third * mi * mk
                m2 += desk[_HUU + i * WIDTH + lane] * mk + desk[_HUU + k * WIDTH + lane] * mi
                m2 /= c
                c2 = desk[_HUU2 + pair + lane] + fourth * mi * mk + third * m2
                c2 += desk[_HUUU + i * WIDTH + lane] * mk + desk[_HUUU + k * WIDTH + lane] * mi
                both = desk[_C1 + i * WIDTH + lane] * desk[_C1 + k * WIDTH + lane] / (c * c)
                desk[_M2 + pair + lane] = m2
                desk[_LOG_S2 + pair + lane] = 0.5 * (both + c2 / c)
                desk[_S2 + pair + lane] = desk[_SPREAD + lane] * (0.75 * both + 0.5 * c2 / c)


@compiled
def row_terms(y: float, theta: float, v: float) -> tuple[float, float, float, float, float, float]:
    """Return a row's log term, slope, weight, slope by alpha, mixed, and curvature by alpha."""
    inverse = 1.0 / (1.0 + v)
    r, k, log_u = v * inverse, y + theta, log_1p(v, inverse)
    slope, weight = (y - theta * v) * inverse, k * r * inverse
    by_alpha = theta * (log_u - r) - y * r
    return k * log_u, slope, weight, by_alpha, -slope * r, theta * (2.0 * r - log_u) - weight


@compiled
def add_node(cell: Floats, theta: float, precision: float, z: float, log_weight: float, desk: Floats) -> None:
    """Add what the integrand and its derivatives are at one node, weighted by its height."""
    for lane in range(WIDTH):
        y1, y2 = cell[Y1 + lane], cell[Y2 + lane]
        away = desk[_SPREAD + lane] * z
        b = cell[MODE + lane] + away
        factor = exponential(away)
        loss1, s1, w1, a1, x1, aa1 = row_terms(y1, theta, desk[_V1 + lane] * factor)
        loss2, s2, w2, a2, x2, aa2 = row_terms(y2, theta, desk[_V2 + lane] * factor)
        fall = precision * b * b
        height = y1 * (desk[_ETA1 + lane] + b) + y2 * (desk[_ETA2 + lane] + b) - loss1 - loss2 - 0.5 * fall
        e = exponential(height - desk[_TOP + lane] + log_weight)
        hu, huu = s1 + s2 - precision * b, 0.5 * (w1 + w2 + precision)
        n0 = desk[_M + lane] + z * desk[_S + lane]
        n1 = desk[_M + WIDTH + lane] + z * desk[_S + WIDTH + lane]
        n2 = desk[_M + 2 * WIDTH + lane] + z * desk[_S + 2 * WIDTH + lane]
        n3 = desk[_M + 3 * WIDTH + lane] + z * desk[_S + 3 * WIDTH + lane]
        d0, d1, d2, d3 = s1 + hu * n0, s2 + hu * n1, a1 + a2 + hu * n2, fall - 1.0 + hu * n3
        c0, c1 = -w1 - huu * n0, -w2 - huu * n1
        c2, c3 = x1 + x2 - huu * n2, 2.0 * precision * b - huu * n3
        desk[_TOTAL + lane] += e
        desk[_U0 + lane] += e * hu
        desk[_U1 + lane] += e * hu * z
        desk[_G + lane] += e * d0
        desk[_G + WIDTH + lane] += e * d1
        desk[_G + 2 * WIDTH + lane] += e * d2
        desk[_G + 3 * WIDTH + lane] += e * d3
        desk[_Q + lane] += e * (d0 * d0 + 2.0 * c0 * n0 - w1)
        desk[_Q + WIDTH + lane] += e * (d1 * d0 + c1 * n0 + c0 * n1)
        desk[_Q + 2 * WIDTH + lane] += e * (d1 * d1 + 2.0 * c1 * n1 - w2)
        desk[_Q + 3 * WIDTH + lane] += e * (d2 * d0 + c2 * n0 + c0 * n2 + x1)
        desk[_Q + 4 * WIDTH + lane] += e * (d2 * d1 + c2 * n1 + c1 * n2 + x2)
        desk[_Q + 5 * WIDTH + lane] += e * (d2 * d2 + 2.0 * c2 * n2 + aa1 + aa2)
        desk[_Q + 6 * WIDTH + lane] += e * (d3 * d0 + c3 * n0 + c0 * n3)
        desk[_Q + 7 * WIDTH + lane] += e * (d3 * d1 + c3 * n1 + c1 * n3)
        desk[_Q + 8 * WIDTH + lane] += e * (d3 * d2 + c3 * n2 + c2 * n3)
        desk[_Q + 9 * WIDTH + lane] += e * (d3 * d3 + 2.0 * c3 * n3 - 2.0 * fall)


@compiled
def add_terms(cell: Floats, place: int, terms: Floats, sums: Floats) -> None:
    """Add a term of each patient of a chunk to the sums of the two sequences."""
    for lane in range(WIDTH):
        many = cell[N + lane] * terms[lane]
        sums[place * WIDTH + lane] += many * (1.0 - cell[FIRST + lane])
        sums[(LOCAL_SUMS + place) * WIDTH + lane] += many * cell[FIRST + lane]


@compiled
def add_patients(cell: Floats, rho: float, desk: Floats, sums: Floats) -> None:
    """Add a chunk's patients to the sums of their sequences."""
    for lane in range(WIDTH):
        integral = logarithm(desk[_TOTAL + lane] * desk[_SPREAD + lane])
        desk[_TOP + lane] += integral - rho
    add_terms(cell, VALUE, desk[_TOP : _TOP + WIDTH], sums)
    for i in range(_LOCALS):
        for lane in range(WIDTH):
            desk[_G + i * WIDTH + lane] /= desk[_TOTAL + lane]
            desk[_MOVED + lane] = desk[_G + i * WIDTH + lane] + desk[_LOG_S + i * WIDTH + lane]
        add_terms(cell, SLOPES + i, desk[_MOVED : _MOVED + WIDTH], sums)
    for i in range(_LOCALS):
        for k in range(i + 1):
            pair = i * (i + 1) // 2 + k
            for lane in range(WIDTH):
                at = pair * WIDTH + lane
                curve = desk[_Q + at] + desk[_U0 + lane] * desk[_M2 + at] + desk[_U1 + lane] * desk[_S2 + at]
                curve = curve / desk[_TOTAL + lane] + desk[_LOG_S2 + at]
                curve -= desk[_G + i * WIDTH + lane] * desk[_G + k * WIDTH + lane]
                desk[_MOVED + lane] = curve
            add_terms(cell, CURVES + pair, desk[_MOVED : _MOVED + WIDTH], sums)


@compiled
def sum_chunk(cell: Floats, theta: float, desk: Floats, sums: Floats) -> None:
    """Add a chunk's log likelihood, slopes and curvatures where no patient has an effect.

    In the places of curvatures with log SD, which are 0: EFFECT, twice the slope in the variance of the
    effect where it is 0; EXCESS, by how much squared residuals exceed the counts; PAIRED and EXPECTED, the
    products of the two residuals and of the two means; SQUARED, the squares of the means.
    """
    for place in range(_Q, _Q + LOCAL_SUMS * WIDTH):
        desk[place] = 0.0
    for lane in range(WIDTH):
        y1, y2 = cell[Y1 + lane], cell[Y2 + lane]
        v1, v2 = desk[_BARE1 + lane], desk[_BARE2 + lane]
        loss1, s1, w1, a1, x1, aa1 = row_terms(y1, theta, v1)
        loss2, s2, w2, a2, x2, aa2 = row_terms(y2, theta, v2)
        mu1, mu2 = theta * v1, theta * v2
        rest1, rest2 = y1 - mu1, y2 - mu2
        desk[_Q + lane] = y1 * desk[_ETA1 + lane] + y2 * desk[_ETA2 + lane] - loss1 - loss2
        desk[_Q + SLOPES * WIDTH + lane] = s1
        desk[_Q + (SLOPES + 1) * WIDTH + lane] = s2
        desk[_Q + (SLOPES + 2) * WIDTH + lane] = a1 + a2
        desk[_Q + CURVES * WIDTH + lane] = -w1
        desk[_Q + (CURVES + 2) * WIDTH + lane] = -w2
        desk[_Q + (CURVES + 3) * WIDTH + lane] = x1
        desk[_Q + (CURVES + 4) * WIDTH + lane] = x2
        desk[_Q + (CURVES + 5) * WIDTH + lane] = aa1 + aa2
        desk[_Q + EFFECT * WIDTH + lane] = (s1 + s2) * (s1 + s2) - w1 - w2
        desk[_Q + EXCESS * WIDTH + lane] = rest1 * rest1 - y1 + (rest2 * rest2 - y2)
        desk[_Q + PAIRED * WIDTH + lane] = rest1 * rest2
        desk[_Q + EXPECTED * WIDTH + lane] = mu1 * mu2
        desk[_Q + SQUARED * WIDTH + lane] = mu1 * mu1 + mu2 * mu2
    for place in range(LOCAL_SUMS):
        add_terms(cell, place, desk[_Q + place * WIDTH : _Q + (place + 1) * WIDTH], sums)
