"""Sample size and power of a comparison of two hazards, by the number of events."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from scipy.special import ndtr

from .arguments import ArgumentError, check_positive, check_whole
from .planning import (
    ClosedSize,
    Exposure,
    as_exposure,
    check_share_lost,
    critical_z,
    power_z,
    ratio_effect,
    round_up,
    settle,
    whole_above,
)

# Hazards times time beyond which events are out of reach, or over at once.
_LEAST, _MOST = 1e-9, 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSize(ClosedSize):
    """The participants that a comparison of hazards needs; `events` of them must have an event."""

    events: int


def size_events(
    *,
    ratio: float,
    power: float,
    alpha: float = 0.05,
    sides: int = 2,
    allocation: float = 1.0,
    null_ratio: float = 1.0,
) -> int:
    """The events, of both groups together, that the log-rank test needs.

    ratio: hazard of group 2 over that of group 1; allocation: n2 / n1; null_ratio: the ratio that is tested,
    for non-inferiority the margin. Source: Schoenfeld, Biometrika 1981;68:316 and Biometrics 1983;39:499.
    ArgumentError names what no design can have.
    """
    exact = _events(ratio, null_ratio, critical_z(alpha, sides) + power_z(power, alpha), allocation)
    n1, _ = round_up(exact, 1.0, argument="ratio", value=ratio)
    return n1


def power_events(
    *,
    ratio: float,
    events: int,
    alpha: float = 0.05,
    sides: int = 2,
    allocation: float = 1.0,
    null_ratio: float = 1.0,
) -> float:
    """The power of the log-rank test with a number of events, without rejections in the wrong direction."""
    effect = ratio_effect(ratio, null_ratio)
    check_positive("allocation", allocation)
    return _power(effect, check_whole("events", events), allocation, critical_z(alpha, sides))


def size_survival(
    *,
    hazard0: float,
    ratio: float,
    exposure: float | Exposure,
    power: float,
    alpha: float = 0.05,
    sides: int = 2,
    allocation: float = 1.0,
    null_ratio: float = 1.0,
    dropout: float = 0.0,
) -> EventSize:
    """The participants of whom enough will have an event, when survival is exponential.

    hazard0: of group 1; exposure: the same for all, or an `Exposure` with accrual and drop-out, in the unit
    of the hazard; dropout: the share of participants that contribute no data at all; the rest as in
    `size_events`.
    """
    z = critical_z(alpha, sides) + power_z(power, alpha)
    exact_events = _events(ratio, null_ratio, z, allocation)
    chance1, chance2 = _chances(hazard0, ratio, as_exposure(exposure))
    present = 1 - check_share_lost(dropout)
    exact1 = exact_events / (chance1 + allocation * chance2) / present
    n1, n2 = round_up(exact1, allocation, argument="ratio", value=ratio)
    effect, z_alpha = ratio_effect(ratio, null_ratio), critical_z(alpha, sides)

    def attained(m1: int, m2: int) -> float:
        return _power(effect, (m1 * chance1 + m2 * chance2) * present, m2 / m1, z_alpha)

    n1, n2, reached = settle(n1, n2, allocation, power, attained)
    return EventSize(n1=n1, n2=n2, exact1=exact1, events=whole_above(exact_events), power=reached)


def power_survival(
    *,
    hazard0: float,
    ratio: float,
    exposure: float | Exposure,
    n1: int,
    n2: int,
    alpha: float = 0.05,
    sides: int = 2,
    null_ratio: float = 1.0,
    dropout: float = 0.0,
) -> float:
    """The power of the log-rank test with n1 and n2 participants; see `size_survival`."""
    effect = ratio_effect(ratio, null_ratio)
    chance1, chance2 = _chances(hazard0, ratio, as_exposure(exposure))
    first, second = check_whole("n1", n1), check_whole("n2", n2)
    events = (first * chance1 + second * chance2) * (1 - check_share_lost(dropout))
    return _power(effect, events, second / first, critical_z(alpha, sides))


def _events(ratio: float, null_ratio: float, z: float, allocation: float) -> float:
    effect = ratio_effect(ratio, null_ratio)
    check_positive("allocation", allocation)
    return (z / effect) ** 2 * (1 + allocation) ** 2 / allocation


def _power(effect: float, events: float, allocation: float, z_alpha: float) -> float:
    return float(ndtr(effect * sqrt(events * allocation) / (1 + allocation) - z_alpha))


def _chances(hazard0: float, ratio: float, exposure: Exposure) -> tuple[float, float]:
    check_positive("hazard0", hazard0)
    for hazard in (hazard0, hazard0 * ratio):
        if not _LEAST < hazard * exposure.longest < _MOST:
            raise ArgumentError(
                "hazard0", hazard0, f"a hazard that times the exposure is {_LEAST:g} to {_MOST:g}"
            )
    return exposure.chance_of_event(hazard0), exposure.chance_of_event(hazard0 * ratio)
