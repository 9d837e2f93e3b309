"""Group-sequential boundaries: at which values of Z a trial may stop, and what it then can tell.

`drift` is the mean of Z when all information is in: the effect times the square root of the maximum
information. Reference throughout: Jennison and Turnbull, Group Sequential Methods with Applications to
Clinical Trials, 2000.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, expm1, inf, isfinite, log, log1p, sqrt
from typing import Literal, cast

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from .arguments import (
    ArgumentError,
    check_not_negative,
    check_one_of,
    check_positive,
    check_probability,
    check_whole,
)
from .crossing import TOLERANCE, Crossing, Going, cross, fineness_for

Family = Literal["OF", "P", "WT", "asOF", "asP", "asHSD", "asKD"]

SHAPES = ("OF", "P", "WT")
SPENDING = ("asOF", "asP", "asHSD", "asKD")

_LOOKS_MAX = 50
# Two looks must differ by this share of the information, or the grid would need too many points.
_STEP_MIN = 0.001
# Below this a probability is lost to rounding; a bound for it would be a number without a meaning.
_SPENT_MIN = 1e-300
_GAMMA_HSD_MAX, _GAMMA_KD_MAX = 20.0, 20.0
_DELTA_MIN, _DELTA_MAX = -0.5, 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Futility:
    """How a trial may stop for futility: the share of `beta` that a lower bound may spend at each look.

    `family` and `gamma` are those of a spending function. A `binding` bound must be obeyed, and the upper
    bounds are the lower for it; one that does not bind leaves the upper bounds and the type I error as they
    are without it (Jennison and Turnbull 2000, chapter 7).
    """

    family: Family
    beta: float
    binding: bool = False
    gamma: float | None = None

    def __post_init__(self) -> None:
        check_one_of("futility.family", self.family, SPENDING)
        check_probability("futility.beta", self.beta)
        check_one_of("futility.binding", self.binding, (True, False))
        _check_gamma("futility.gamma", self.family, self.gamma)


@dataclass(frozen=True, slots=True, kw_only=True)
class Boundaries:
    """The boundaries of a group-sequential test, one number for each look.

    `critical`: reject where Z (with two sides |Z|) is at least this. `nominal_p`: the p-value, with as many
    sides as the test, that belongs to it. `spent`: the type I error spent up to each look, a lower bound that
    does not bind left aside. With futility, `lower` has the bounds below which the trial stops without a
    rejection, the last equal to the last upper one, `spent_beta` the type II error spent up to each look, and
    `drift` the drift at which all of beta is spent.
    """

    family: Family
    alpha: float
    sides: int
    information: tuple[float, ...]
    critical: tuple[float, ...]
    nominal_p: tuple[float, ...]
    spent: tuple[float, ...]
    futility: Futility | None = None
    lower: tuple[float, ...] | None = None
    spent_beta: tuple[float, ...] | None = None
    drift: float | None = None


def equal_looks(looks: int) -> tuple[float, ...]:
    """The shares of the information at so many equally spaced looks, the last of them 1."""
    count = check_whole("looks", looks)
    if count > _LOOKS_MAX:
        raise ArgumentError("looks", looks, f"a whole number from 1 to {_LOOKS_MAX}")
    return tuple((place + 1) / count for place in range(count))


def spending(
    family: str,
    information: Sequence[float],
    *,
    alpha: float,
    sides: int = 1,
    gamma: float | None = None,
) -> tuple[float, ...]:
    """The error that a spending function has spent up to each share t of the information.

    asOF: 2 - 2 Phi(z(a / 2) / sqrt t); asP: a log(1 + (e - 1) t) (Lan and DeMets, Biometrika 1983;70:659);
    asKD: a t^gamma (Kim and DeMets, Biometrika 1987;74:149); asHSD: a (1 - exp(-gamma t)) / (1 - exp(-gamma))
    (Hwang, Shih and DeCani, Stat Med 1990;9:1439). a is alpha / sides: a two-sided test spends as two
    one-sided tests of half the level do, and the sum of both is returned.
    """
    check_one_of("family", family, SPENDING)
    _check_level(alpha, sides)
    _check_gamma("gamma", family, gamma)
    each = _spending(family, _shares(information), alpha / sides, gamma)
    return tuple(sides * spent for spent in each)


def boundaries(
    family: str,
    *,
    information: Sequence[float],
    alpha: float,
    sides: int = 1,
    gamma: float | None = None,
    delta: float | None = None,
    futility: Futility | None = None,
) -> Boundaries:
    """The boundaries of a group-sequential test with looks at given shares of the maximum information.

    `family`: WT, with bounds C t^(delta - 1/2), and of it OF (delta 0) and P (delta 1/2) (Wang and Tsiatis,
    Biometrics 1987;43:193; O'Brien and Fleming, Biometrics 1979;35:549; Pocock, Biometrika 1977;64:191); or
    a spending function: asOF, asP, asHSD and asKD (see `spending`), of which the last two take gamma.
    `information` ascends to 1 and is free of units. `alpha` is the level of both sides together.
    Futility needs a one-sided test; where it binds, it needs a spending function for alpha too. The integrals
    are those of Jennison and Turnbull (2000, chapter 19), to about eight digits.
    """
    check_one_of("family", family, (*SHAPES, *SPENDING))
    known = cast(Family, family)
    _check_level(alpha, sides)
    _check_delta(known, delta)
    _check_gamma("gamma", known, gamma)
    times = _shares(information)
    if futility is not None:
        _check_futility(futility, known, alpha, sides)
    spent = _spending(known, times, alpha / sides, gamma)
    increments = _increments("information", spent)
    if futility is not None and futility.binding:
        wedge = _wedge(times, futility, alpha, increments=increments)
    else:
        if spent:
            critical = _spend(times, increments, sides)
        else:
            critical = _shape(times, alpha, sides, {"OF": 0.0, "P": 0.5}.get(known, delta or 0.0))
            spent = tuple(np.cumsum(cross(times, critical, _mirror(critical, sides), 0.0).upper))
        wedge = _wedge(times, futility, alpha, upper=critical) if futility else _Wedge(upper=critical)
    return Boundaries(
        family=known,
        alpha=float(alpha),
        sides=sides,
        information=times,
        critical=wedge.upper,
        nominal_p=tuple(float(sides * ndtr(-bound)) for bound in wedge.upper),
        spent=tuple(float(sides * share) for share in spent),
        futility=futility,
        lower=wedge.lower,
        spent_beta=_spending(futility.family, times, futility.beta, futility.gamma) if futility else None,
        drift=wedge.drift,
    )


def crossing_probabilities(bounds: Boundaries, drift: float, *, obey_futility: bool = True) -> Crossing:
    """The probability of stopping at each look above the upper and below the lower bound under a drift.

    With `obey_futility` off, trials go on when they are below a lower bound for futility, and only the upper
    bounds count.
    """
    lower = bounds.lower if obey_futility else None
    if lower is None:
        lower = _mirror(bounds.critical, bounds.sides)
    return cross(bounds.information, bounds.critical, lower, _check_drift(drift))


def expected_information(bounds: Boundaries, drift: float) -> float:
    """The information at which the trial is expected to stop, as a share of the maximum."""
    found = crossing_probabilities(bounds, drift)
    stops = np.array(found.upper[:-1]) + np.array(found.lower[:-1])
    return float(1 - stops @ (1 - np.array(bounds.information[:-1])))


def drift_for(bounds: Boundaries, beta: float) -> float:
    """The drift at which the upper bounds are crossed with the probability 1 - beta.

    Bounds for futility are obeyed. With two sides, the crossing of the other side counts for nothing, as in
    the usual formula without looks.
    """
    from scipy.optimize import brentq  # noqa: PLC0415  # slow to import

    # No test of the same errors needs less than the one without looks.
    fixed = _fixed_drift(bounds.alpha, beta, bounds.sides)

    def excess(drift: float) -> float:
        return sum(crossing_probabilities(bounds, drift).upper) - (1 - beta)

    far = 1.1 * fixed + 0.01
    while excess(far) < 0:
        far *= 1.5
    return float(brentq(excess, fixed - 0.01, far, xtol=TOLERANCE))


def information_for(
    log_ratio: float,
    *,
    alpha: float,
    beta: float,
    sides: int = 1,
    design: Boundaries | None = None,
) -> float:
    """The maximum information that a test of a log ratio needs for the power 1 - beta.

    Without looks ((z(alpha / sides) + z(beta)) / log_ratio)^2, in units of 1 / log_ratio^2; with a design
    that times its inflation factor (Jennison and Turnbull 2000, chapter 2). ArgumentError when the
    design has another alpha or other sides.
    """
    _check_level(alpha, sides)
    if not isfinite(log_ratio) or log_ratio == 0:
        raise ArgumentError("log_ratio", log_ratio, "a finite number other than 0")
    if design is not None and (design.alpha, design.sides) != (float(alpha), sides):
        given = f"of alpha {design.alpha:g} with sides {design.sides}"
        raise ArgumentError("design", given, f"of alpha {alpha:g} with sides {sides}")
    drift = _fixed_drift(alpha, beta, sides) if design is None else drift_for(design, beta)
    return float((drift / log_ratio) ** 2)


def count_information(
    n1: int, n2: int, *, rate1: float, rate2: float, dispersion: float, exposure: ArrayLike = 1.0
) -> float:
    """The information on a log ratio of rates of negative binomial counts: 1 / its variance.

    n1 and n2 participants with the rates `rate1` and `rate2` per unit of exposure and the variance
    mu + dispersion mu^2; `exposure` is one number, or several that are equally likely in both groups. A
    participant with mean mu has the information mu / (1 + dispersion mu) on the log rate (Lawless, Can J
    Stat 1987;15:209).
    """
    times = np.atleast_1d(np.asarray(exposure, dtype=float))
    if times.ndim != 1 or not times.size:
        raise ArgumentError("exposure", f"an array of the shape {times.shape}", "a number or a row of them")
    for time in times:
        check_positive("exposure", float(time))
    check_not_negative("dispersion", dispersion)

    def of_group(name: str, rate: float, size: int) -> float:
        mu = check_positive(f"rate{name}", rate) * times
        return check_whole(f"n{name}", size) * float(np.mean(mu / (1 + dispersion * mu)))

    return 1 / (1 / of_group("1", rate1, n1) + 1 / of_group("2", rate2, n2))


def _mirror(upper: Sequence[float], sides: int) -> tuple[float, ...]:
    return tuple(-bound if sides == 2 else -inf for bound in upper)


def _shape(times: tuple[float, ...], alpha: float, sides: int, delta: float) -> tuple[float, ...]:
    """Bounds of the Wang-Tsiatis shape, with the constant that spends alpha in all."""
    from scipy.optimize import brentq  # noqa: PLC0415  # slow to import

    def bounds(constant: float) -> tuple[float, ...]:
        return tuple(constant * time ** (delta - 0.5) for time in times)

    def excess(constant: float) -> float:
        upper = bounds(constant)
        return log(sides * sum(cross(times, upper, _mirror(upper, sides), 0.0).upper) / alpha)

    # At the least the last look alone spends alpha; at the most each look spends its share of it.
    least = -float(ndtri(alpha / sides))
    most = -float(ndtri(alpha / sides / len(times))) * max(1.0, times[0] ** (0.5 - delta))
    return bounds(float(brentq(excess, 0.99 * least, 1.01 * most, xtol=TOLERANCE)))


def _spend(times: tuple[float, ...], increments: Sequence[float], sides: int) -> tuple[float, ...]:
    """Bounds that spend a given error, on each side, at each look; nothing else stops a trial."""
    found: list[float] = []
    going, fineness = Going.start(), fineness_for(times)
    for time, increment in zip(times, increments, strict=True):
        bound = going.bound(time, increment, 0.0, 1)
        found.append(bound)
        if time < 1:
            going = going.onward(time, _mirror((bound,), sides)[0], bound, 0.0, fineness)
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wedge:
    """Upper and lower bounds that meet at the last look under the right drift.

    `gap` is by how much the type II error of the last look exceeds what it may be.
    """

    upper: tuple[float, ...]
    lower: tuple[float, ...] | None = None
    drift: float | None = None
    gap: float = 0.0


def _wedge(
    times: tuple[float, ...],
    futility: Futility,
    alpha: float,
    *,
    upper: tuple[float, ...] | None = None,
    increments: Sequence[float] = (),
) -> _Wedge:
    """The lower bounds, with the drift that spends all of beta, and the upper ones where none are given."""
    from scipy.optimize import brentq  # noqa: PLC0415  # slow to import

    spent = _spending(futility.family, times, futility.beta, futility.gamma)
    betas = _increments("futility", spent)

    def gap(drift: float) -> float:
        return _wedge_at(drift, times, betas, upper, increments).gap

    # No test of the same errors needs less than the one without looks.
    fixed = _fixed_drift(alpha, futility.beta, 1)
    far = 1.1 * fixed + 0.01
    while gap(far) > 0:
        far *= 1.2
    drift = float(brentq(gap, fixed - 0.01, far, xtol=TOLERANCE))
    return _wedge_at(drift, times, betas, upper, increments)


def _wedge_at(
    drift: float,
    times: tuple[float, ...],
    betas: Sequence[float],
    upper: tuple[float, ...] | None,
    increments: Sequence[float],
) -> _Wedge:
    """The bounds under one drift; the gap is minus beta where it is so large that they meet too early."""
    highs: list[float] = []
    lows: list[float] = []
    null, real, fineness = Going.start(), Going.start(), fineness_for(times)
    for place, time in enumerate(times):
        high = upper[place] if upper else null.bound(time, increments[place], 0.0, 1)
        highs.append(high)
        if time == 1:
            last = exp(real.log_beyond(time, high, drift, -1)) - betas[-1]
            return _Wedge(upper=tuple(highs), lower=(*lows, high), drift=drift, gap=last)
        low = real.bound(time, betas[place], drift, -1)
        if low >= high:
            break
        lows.append(low)
        real = real.onward(time, low, high, drift, fineness)
        if upper is None:
            null = null.onward(time, low, high, 0.0, fineness)
    return _Wedge(upper=tuple(highs), lower=tuple(lows), drift=drift, gap=-sum(betas))


def _spending(family: str, times: Sequence[float], level: float, gamma: float | None) -> tuple[float, ...]:
    """What is spent on one side; nothing for the families that are shapes."""
    if family == "asOF":
        quantile = float(ndtri(level / 2))
        return tuple(2 * float(ndtr(quantile / sqrt(time))) for time in times)
    if family == "asP":
        return tuple(level * log1p(expm1(1) * time) for time in times)
    if family == "asKD" and gamma is not None:
        return tuple(level * time**gamma for time in times)
    if family == "asHSD" and gamma is not None:
        if gamma == 0:
            return tuple(level * time for time in times)
        return tuple(level * expm1(-gamma * time) / expm1(-gamma) for time in times)
    return ()


def _increments(name: str, spent: tuple[float, ...]) -> list[float]:
    increments = [late - early for early, late in pairwise((0.0, *spent))] if spent else []
    if any(increment < _SPENT_MIN for increment in increments):
        place = next(place for place, each in enumerate(increments) if each < _SPENT_MIN)
        given = f"such that look {place + 1} spends {increments[place]:g}"
        raise ArgumentError(name, given, f"such that each look spends at least {_SPENT_MIN:g}")
    return increments


def _fixed_drift(alpha: float, beta: float, sides: int) -> float:
    _check_beta("beta", beta, alpha, sides)
    return -float(ndtri(alpha / sides)) - float(ndtri(beta))


def _shares(information: Sequence[float]) -> tuple[float, ...]:
    try:
        shares = np.asarray(information, dtype=float)
    except (TypeError, ValueError):
        raise ArgumentError("information", information, "a row of numbers") from None
    if shares.ndim != 1 or not 1 <= shares.size <= _LOOKS_MAX:
        raise ArgumentError("information", information, f"a row of 1 to {_LOOKS_MAX} numbers")
    before = 0.0
    for place, share in enumerate(shares):
        if not before * (1 + _STEP_MIN) < share <= 1 + 1e-9:
            allowed = f"{_STEP_MIN:.1%} above the one before it ({before:g}), and at most 1"
            raise ArgumentError(f"information[{place}]", float(share), allowed)
        before = float(share)
    if abs(before - 1) > 1e-9:
        raise ArgumentError(f"information[{shares.size - 1}]", before, "1, as the last one")
    return (*(float(share) for share in shares[:-1]), 1.0)


def _check_level(alpha: float, sides: int) -> None:
    check_probability("alpha", alpha)
    check_one_of("sides", sides, (1, 2))
    if alpha / sides >= 0.5:
        raise ArgumentError("alpha", alpha, f"below {0.5 * sides:g} with sides {sides}")


def _check_beta(name: str, beta: float, alpha: float, sides: int) -> None:
    check_probability(name, beta)
    if 1 - beta <= alpha:
        raise ArgumentError(name, beta, f"below {1 - alpha:g}, or the power would not exceed alpha")


def _check_futility(futility: Futility, family: str, alpha: float, sides: int) -> None:
    _check_beta("futility.beta", futility.beta, alpha, sides)
    if sides != 1:
        raise ArgumentError("futility", "given for a two-sided test", "left out, or the sides 1")
    if futility.binding and family not in SPENDING:
        allowed = "False, or the family one of " + ", ".join(SPENDING)
        raise ArgumentError("futility.binding", True, allowed)


def _check_delta(family: str, delta: float | None) -> None:
    if family != "WT" and delta is not None:
        raise ArgumentError("delta", delta, f"left out for the family {family}")
    if family == "WT" and (delta is None or not _DELTA_MIN <= delta <= _DELTA_MAX):
        raise ArgumentError("delta", delta, f"a number from {_DELTA_MIN:g} to {_DELTA_MAX:g}")


def _check_gamma(name: str, family: str, gamma: float | None) -> None:
    if family not in ("asHSD", "asKD") and gamma is not None:
        raise ArgumentError(name, gamma, f"left out for the family {family}")
    if family == "asHSD" and (gamma is None or not abs(gamma) <= _GAMMA_HSD_MAX):
        raise ArgumentError(name, gamma, f"a number from {-_GAMMA_HSD_MAX:g} to {_GAMMA_HSD_MAX:g}")
    if family == "asKD" and (gamma is None or not 0 < gamma <= _GAMMA_KD_MAX):
        raise ArgumentError(name, gamma, f"a number above 0 and at most {_GAMMA_KD_MAX:g}")


def _check_drift(drift: float) -> float:
    if not isfinite(drift):
        raise ArgumentError("drift", drift, "a finite number")
    return float(drift)
