"""Simulated trials that are looked at early: where each stops, and with what.

A participant's random numbers depend on their place in the trial only, so that a trial of the first
participants of a longer one is a shorter trial of the same seed. Each look is simulated as such.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from ..arguments import ArgumentError
from ..boundaries import Boundaries
from .engine import CountDesign
from .passes import Floats, Wholes


@dataclass(frozen=True, slots=True)
class Look:
    """An analysis: how many participants it has, and for what values of Z it stops (none for None)."""

    participants: int
    critical: float
    futile_below: float | None = None


@dataclass(frozen=True, slots=True)
class Stops:
    """Of each trial the place of the look at which it ended, and whether with a rejection or for futility."""

    look: Wholes
    rejected: NDArray[np.bool_]
    futile: NDArray[np.bool_]


def looks_of(design: CountDesign, alpha: float, sides: int, bounds: Boundaries | None) -> tuple[Look, ...]:
    """Return the analyses of a design, the last of them with all participants.

    A look takes place when its share of the participants, rounded up, has been followed to the end. Raises
    ArgumentError for boundaries of another level, and for looks too near to differ by a participant or too
    early to have both arms.
    """
    if bounds is None:
        return (Look(design.participants, float(ndtri(1 - alpha / sides))),)
    if (bounds.alpha, bounds.sides) != (float(alpha), sides):
        given = f"of alpha {bounds.alpha:g} with sides {bounds.sides}"
        raise ArgumentError("bounds", given, f"of alpha {alpha:g} with sides {sides}")
    # As exact as a count is: 0.7 times 110 is 77.
    sizes = [ceil(share * design.participants - 1e-9) for share in bounds.information]
    if len(set(sizes)) < len(sizes) or sizes[0] < sum(design.block):
        raise ArgumentError(
            "bounds",
            f"with looks at {', '.join(map(str, sizes))} participants",
            f"with looks that differ, the first at {sum(design.block)} participants or more",
        )
    lower = bounds.lower or (None,) * len(sizes)
    return tuple(Look(*each) for each in zip(sizes, bounds.critical, lower, strict=True))


def cut_off(design: CountDesign, look: Look) -> CountDesign:
    """Return the design of the trial as it stands at a look."""
    return replace(design, participants=look.participants)


def stops_of(looks: tuple[Look, ...], statistics: Floats) -> Stops:
    """Return where trials end.

    statistics: looks by trials, such that large values reject; NaN goes on, and at the end rejects nothing.
    """
    above = statistics >= np.array([[look.critical] for look in looks])
    floor = [[-np.inf if look.futile_below is None else look.futile_below] for look in looks]
    # At the last look what does not reject has merely failed.
    below = (statistics < np.array(floor)) & (np.arange(len(looks)) < len(looks) - 1)[:, None]
    ends = above | below
    ends[-1] = True
    look = ends.argmax(axis=0)
    there = np.arange(statistics.shape[1])
    return Stops(look, above[look, there], below[look, there])


def at_stop(columns: Mapping[str, list[Floats]], stops: Stops) -> dict[str, Floats]:
    """Return what each trial has where it ends, of columns with an array of the trials for each look."""
    there = np.arange(len(stops.look))
    return {name: np.stack(values)[stops.look, there] for name, values in columns.items()}
