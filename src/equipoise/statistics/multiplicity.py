"""Procedures that test several hypotheses at one family-wise level, executed step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What the procedure did with one hypothesis, in the order in which they were given.

    `local_alpha` is the level at which it was compared, None when the procedure had stopped before it;
    `adjusted` is the smallest family-wise level at which it would be rejected; both are None without a
    p-value.
    """

    p: float | None
    tested: bool
    local_alpha: float | None
    adjusted: float | None
    rejected: bool


def fixed_sequence(p_values: Sequence[float | None], alpha: float) -> tuple[Step, ...]:
    """Each at the full level, in order, until the first that is not rejected (Maurer, Hothorn and Lehmacher
    1995).

    A hypothesis without a p-value stops the sequence.
    """
    steps: list[Step] = []
    going, largest = True, 0.0
    known = True
    for p in p_values:
        known = known and p is not None
        if known and p is not None:
            largest = max(largest, p)
        rejected = going and p is not None and p <= alpha
        steps.append(
            Step(
                p=p,
                tested=going and p is not None,
                local_alpha=alpha if going and p is not None else None,
                adjusted=largest if known else None,
                rejected=rejected,
            )
        )
        going = rejected
    return tuple(steps)


def holm(p_values: Sequence[float | None], alpha: float) -> tuple[Step, ...]:
    """Step down from the smallest p-value (Holm, Scand J Stat 1979;6:65).

    A hypothesis without a p-value stays in the family and is never rejected.
    """
    m = len(p_values)
    order = _ascending(p_values)
    steps = _untested(p_values)
    going, largest = True, 0.0
    for rank, (index, p) in enumerate(order):
        local = alpha / (m - rank)
        largest = max(largest, min(1.0, p * (m - rank)))
        rejected = going and p <= local
        steps[index] = Step(
            p=p, tested=going, local_alpha=local if going else None, adjusted=largest, rejected=rejected
        )
        going = rejected
    return tuple(steps)


def hochberg(p_values: Sequence[float | None], alpha: float) -> tuple[Step, ...]:
    """Step up from the largest p-value (Hochberg, Biometrika 1988;75:800).

    A hypothesis without a p-value stays in the family, as if its p-value were 1.
    """
    m = len(p_values)
    order = _ascending(p_values)
    steps = _untested(p_values)
    smallest, rejecting = 1.0, False
    for rank in reversed(range(len(order))):
        index, p = order[rank]
        local = alpha / (m - rank)
        smallest = min(smallest, p * (m - rank))
        tested = not rejecting
        rejecting = rejecting or p <= local
        steps[index] = Step(
            p=p, tested=tested, local_alpha=local if tested else None, adjusted=smallest, rejected=rejecting
        )
    return tuple(steps)


def _ascending(p_values: Sequence[float | None]) -> list[tuple[int, float]]:
    known = [(index, p) for index, p in enumerate(p_values) if p is not None]
    return sorted(known, key=lambda pair: (pair[1], pair[0]))


def _untested(p_values: Sequence[float | None]) -> list[Step]:
    return [Step(p=p, tested=False, local_alpha=None, adjusted=None, rejected=False) for p in p_values]
