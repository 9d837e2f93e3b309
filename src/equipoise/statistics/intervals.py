"""Intervals of proportions, means, medians and rates."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, sqrt

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import bdtr, betaincinv, gammaincinv, ndtri, stdtrit


@dataclass(frozen=True, slots=True)
class Bounds:
    """An estimate with both ends of its interval; None where the data give none."""

    estimate: float | None
    low: float | None
    high: float | None


def clopper_pearson(events: int, n: int, level: float = 0.95) -> Bounds:
    """The exact interval of a proportion (Clopper and Pearson, Biometrika 1934;26:404)."""
    if n <= 0:
        return Bounds(None, None, None)
    tail = (1 - level) / 2
    low = 0.0 if events == 0 else float(betaincinv(events, n - events + 1, tail))
    high = 1.0 if events == n else float(betaincinv(events + 1, n - events, 1 - tail))
    return Bounds(events / n, low, high)


def wilson(events: int, n: int, level: float = 0.95) -> Bounds:
    """The score interval of a proportion (Wilson, J Am Stat Assoc 1927;22:209)."""
    if n <= 0:
        return Bounds(None, None, None)
    z = float(ndtri((1 + level) / 2))
    p = events / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    # At 0 and n the bound is exact; rounding would leave a trace of it.
    return Bounds(p, 0.0 if events == 0 else middle - half, 1.0 if events == n else middle + half)


def mean_interval(values: ArrayLike, level: float = 0.95) -> Bounds:
    """The mean with its t interval; no bounds for fewer than two values."""
    x = np.asarray(values, dtype=float)
    if len(x) == 0:
        return Bounds(None, None, None)
    mean = float(x.mean())
    if len(x) < 2:
        return Bounds(mean, None, None)
    half = float(stdtrit(len(x) - 1, (1 + level) / 2)) * float(x.std(ddof=1)) / sqrt(len(x))
    return Bounds(mean, mean - half, mean + half)


def median_interval(values: ArrayLike, level: float = 0.95) -> Bounds:
    """The median with its distribution-free interval by order statistics, of at least the level."""
    x = np.sort(np.asarray(values, dtype=float))
    n = len(x)
    if n == 0:
        return Bounds(None, None, None)
    tail = (1 - level) / 2
    # The largest rank of which fewer than the tail's share of samples lie above the median.
    rank = max((k for k in range(1, n // 2 + 1) if float(bdtr(k - 1, n, 0.5)) <= tail), default=0)
    median = float(np.median(x))
    return Bounds(median, float(x[rank - 1]), float(x[n - rank])) if rank else Bounds(median, None, None)


def poisson_rate_interval(events: int, exposure: float, level: float = 0.95) -> Bounds:
    """The exact interval of a Poisson rate per unit of exposure (Garwood, Biometrika 1936;28:437)."""
    if exposure <= 0:
        return Bounds(None, None, None)
    tail = (1 - level) / 2
    low = 0.0 if events == 0 else float(gammaincinv(events, tail)) / exposure
    return Bounds(events / exposure, low, float(gammaincinv(events + 1, 1 - tail)) / exposure)


def quartiles(values: ArrayLike) -> tuple[float, float, float]:
    """Lower quartile, median and upper quartile, averaging where a rank falls between two (SAS PCTLDEF 5)."""
    x = np.sort(np.asarray(values, dtype=float))
    n = len(x)

    def at(share: float) -> float:
        place = n * share
        low, high = max(ceil(place), 1), min(floor(place) + 1, n)
        return float((x[low - 1] + x[high - 1]) / 2)

    return at(0.25), at(0.5), at(0.75)
