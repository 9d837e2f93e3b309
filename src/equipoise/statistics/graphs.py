"""Graphical procedures: hypotheses as nodes that hold shares of alpha, and hand them on when rejected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .arguments import ArgumentError, check_probability
from .design import Array

# Sums of weights may exceed 1, and a p-value the level that it meets, by rounding.
_ROUNDING = 1e-9
# Tiny transitions have a purpose, to hand on what no one else can take: they are no rounding.
_CLOSED = 1 - 1e-14


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphStep:
    """A rejection: of which hypothesis (counted from 0), at which level, and the graph that it leaves.

    The rejected hypotheses have weight and transitions of 0 in it.
    """

    hypothesis: int
    local_alpha: float
    weights: tuple[float, ...]
    transitions: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphResult:
    """What a graphical procedure decides, in the order in which the hypotheses were given.

    `adjusted` is the smallest family-wise level at which a hypothesis would be rejected, None without a
    p-value; `steps` are the rejections in the order of their adjusted p-values.
    """

    rejected: tuple[bool, ...]
    adjusted: tuple[float | None, ...]
    steps: tuple[GraphStep, ...]


def graphical_procedure(
    weights: Sequence[float],
    transitions: Sequence[Sequence[float]],
    p_values: Sequence[float | None],
    alpha: float,
) -> GraphResult:
    """Reject as long as a p-value is at most its share of alpha, and hand that share on (Bretz, Maurer,
    Brannath and Posch, Stat Med 2009;28:586, algorithms 1 and 2).

    `weights`: m shares of alpha of sum 1 at most; `transitions`: m by m, of which row j says which parts of
    its share hypothesis j hands on to the others, of sum 1 at most, with a diagonal of 0; `p_values`: m, of
    which a missing one (None) is never rejected and hands nothing on.
    """
    w = _numbers("weights", weights, 1)
    m = len(w)
    G = _numbers("transitions", transitions, 2)
    _check_graph(w, G)
    p = _check_p_values(p_values, m)
    check_probability("alpha", alpha)

    rejected, steps = [False] * m, []
    adjusted = [None if value is None else 1.0 for value in p]
    left, largest = {j: value for j, value in enumerate(p) if value is not None}, 0.0
    while candidates := [j for j in left if w[j] > 0]:
        j = min(candidates, key=lambda each: (left[each] / w[each], each))
        largest = min(1.0, max(largest, left.pop(j) / float(w[j])))
        adjusted[j] = largest
        rejected[j] = largest <= alpha * (1 + _ROUNDING)
        local = alpha * float(w[j])
        w, G = _without(j, w, G)
        if rejected[j]:
            rows = tuple(tuple(row) for row in G.tolist())
            steps.append(
                GraphStep(hypothesis=j, local_alpha=local, weights=tuple(w.tolist()), transitions=rows)
            )
    return GraphResult(rejected=tuple(rejected), adjusted=tuple(adjusted), steps=tuple(steps))


def _without(j: int, w: Array, G: Array) -> tuple[Array, Array]:
    """The graph without hypothesis j: its weight and its edges go on along its transitions."""
    weights = w + w[j] * G[j]
    through = G + np.outer(G[:, j], G[j])
    loops = G[:, j] * G[j]
    # A hypothesis that hands all on to j and gets all back has no one left to hand it on to.
    open_ = loops < _CLOSED
    graph = np.where(open_[:, None], through / np.where(open_, 1 - loops, 1.0)[:, None], 0.0)
    np.fill_diagonal(graph, 0.0)
    weights[j] = 0.0
    graph[j, :] = 0.0
    graph[:, j] = 0.0
    return weights, graph


def _numbers(name: str, values: object, dimensions: int) -> Array:
    shape = "a row" if dimensions == 1 else "rows of equal length"
    allowed = f"{shape} of numbers from 0 to 1"
    try:
        array = np.array(values, dtype=float)
    except (TypeError, ValueError):
        raise ArgumentError(name, values, allowed) from None
    if array.ndim != dimensions or not array.size:
        raise ArgumentError(name, values, allowed)
    for place in np.argwhere(~((array >= 0) & (array <= 1))):
        at = "".join(f"[{index}]" for index in place)
        raise ArgumentError(f"{name}{at}", float(array[tuple(place)]), "a number from 0 to 1")
    return array


def _check_graph(w: Array, G: Array) -> None:
    m = len(w)
    if w.sum() > 1 + _ROUNDING:
        raise ArgumentError("weights", f"of the sum {w.sum():g}", "of a sum of 1 at most")
    if G.shape != (m, m):
        given = f"of the shape {G.shape[0]} by {G.shape[1]}"
        raise ArgumentError("transitions", given, f"{m} by {m}, as there are {m} weights")
    for j in range(m):
        if G[j, j] != 0:
            raise ArgumentError(f"transitions[{j}][{j}]", float(G[j, j]), "0")
        if G[j].sum() > 1 + _ROUNDING:
            raise ArgumentError(f"transitions[{j}]", f"of the sum {G[j].sum():g}", "of a sum of 1 at most")


def _check_p_values(p_values: Sequence[float | None], m: int) -> list[float | None]:
    if not isinstance(p_values, (Sequence, np.ndarray)) or isinstance(p_values, str) or len(p_values) != m:
        raise ArgumentError("p_values", p_values, f"a row of {m}, as there are {m} weights")
    numbers = _numbers("p_values", [0.0 if p is None else p for p in p_values], 1)
    return [None if p is None else float(numbers[j]) for j, p in enumerate(p_values)]
