"""The distribution of a statistic that is looked at again and again, and may stop at each look.

Z at a share t of the maximum information is normal with mean drift * sqrt(t) and variance 1, and its
increments are independent (the canonical joint distribution: Jennison and Turnbull, Group Sequential Methods
with Applications to Clinical Trials, 2000, chapter 3). `drift` is thus the mean of Z when all information
is in: the effect times the square root of the maximum information. Armitage, McPherson and Rowe's recursion
(J R Stat Soc A 1969;132:235) leads from one look to the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, inf, log, sqrt
from typing import Self

import numpy as np
from scipy.special import log_ndtr, logsumexp

from .design import Array

TOLERANCE = 1e-11

# Jennison and Turnbull take r = 16; finer here for eight digits, and finer still where looks are close.
_FINENESS_MIN = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """The probability to stop at each look above the upper and below the lower bound.

    With two sides the lower bound is the upper one with its sign changed, and stops with a rejection; with
    one side it is that for futility, if there is one.
    """

    upper: tuple[float, ...]
    lower: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Going:
    """The trials that have not stopped: what Z was at their last look, as probabilities on a grid."""

    information: float
    points: Array
    masses: Array

    @classmethod
    def start(cls) -> Self:
        return cls(0.0, np.zeros(1), np.ones(1))

    def log_beyond(self, information: float, bound: float, drift: float, side: int) -> float:
        """The log probability that Z is above (side 1) or below (side -1) a bound at the next look."""
        step = information - self.information
        reached = self.points * sqrt(self.information) + drift * step
        short = side * (reached - bound * sqrt(information)) / sqrt(step)
        return float(logsumexp(log_ndtr(short), b=self.masses))

    def bound(self, information: float, target: float, drift: float, side: int) -> float:
        """The bound beyond which Z is with a given probability, in all trials where fewer are left than that.

        The target must be above 1e-300.
        """
        from scipy.optimize import brentq  # noqa: PLC0415  # slow to import

        mean, reach, wanted = drift * sqrt(information), 45.0, log(target)
        if self.log_beyond(information, mean - side * reach, drift, side) <= wanted:
            return -side * inf
        return float(
            brentq(
                lambda value: self.log_beyond(information, value, drift, side) - wanted,
                mean - reach,
                mean + reach,
                xtol=TOLERANCE,
            )
        )

    def onward(self, information: float, low: float, high: float, drift: float, fineness: int) -> Going:
        """The trials whose Z lies between both bounds at the next look, and that go on."""
        step = information - self.information
        points, weights = _grid(low, high, drift * sqrt(information), fineness)
        reached = self.points * sqrt(self.information) + drift * step
        away = (points[:, None] * sqrt(information) - reached) / sqrt(step)
        density = np.exp(-0.5 * away * away) @ self.masses * sqrt(information / (2 * np.pi * step))
        return Going(information, points, weights * density)


def _grid(low: float, high: float, mean: float, fineness: int) -> tuple[Array, Array]:
    """Points and weights of Simpson's rule between two bounds (Jennison and Turnbull 2000, chapter 19).

    Even in the middle, ever wider in the tails; an empty grid where the bounds leave no probability.
    """
    r = fineness
    tail = 3 + 4 * np.log(r / np.arange(1, r))
    middle = 3 * (np.arange(r, 5 * r + 1) - 3 * r) / (2 * r)
    ends = mean + np.concatenate([-tail, middle, tail[::-1]])
    low, high = max(low, ends[0]), min(high, ends[-1])
    if low >= high:
        return np.zeros(1), np.zeros(1)
    ends = np.concatenate([[low], ends[(ends > low) & (ends < high)], [high]])
    widths = np.diff(ends)
    points, weights = np.empty(2 * len(ends) - 1), np.zeros(2 * len(ends) - 1)
    points[0::2], points[1::2] = ends, (ends[:-1] + ends[1:]) / 2
    weights[1::2] = widths * 4 / 6
    weights[0:-1:2] += widths / 6
    weights[2::2] += widths / 6
    return points, weights


def fineness_for(times: Sequence[float]) -> int:
    """How fine the grid must be for looks at these shares of the information (Jennison and Turnbull's r)."""
    narrowest = min((sqrt((late - early) / late) for early, late in pairwise(times)), default=1.0)
    return max(_FINENESS_MIN, int(3 / narrowest) + 1)


def cross(times: Sequence[float], upper: Sequence[float], lower: Sequence[float], drift: float) -> Crossing:
    """The probability of each look to be the first with Z above the upper or below the lower bound."""
    above, below = [], []
    going, fineness = Going.start(), fineness_for(times)
    for time, high, low in zip(times, upper, lower, strict=True):
        above.append(exp(going.log_beyond(time, high, drift, 1)))
        below.append(exp(going.log_beyond(time, low, drift, -1)))
        if time < 1:
            going = going.onward(time, low, high, drift, fineness)
    return Crossing(upper=tuple(above), lower=tuple(below))
