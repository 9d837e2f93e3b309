"""The laws of graphical procedures, their special cases, and what they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from equipoise.statistics.arguments import ArgumentError
from equipoise.statistics.graphs import graphical_procedure
from equipoise.statistics.multiplicity import fixed_sequence, holm

p_values = st.lists(
    st.none() | st.sampled_from([0.0, 0.005, 0.0125, 0.025, 1.0]) | st.floats(0, 1), min_size=1, max_size=6
)


def holm_graph(m: int) -> tuple[list[float], list[list[float]]]:
    return [1 / m] * m, [[0.0 if i == j else 1 / (m - 1) for i in range(m)] for j in range(m)]


def chain(m: int) -> tuple[list[float], list[list[float]]]:
    return [1.0] + [0.0] * (m - 1), [[float(i == j + 1) for i in range(m)] for j in range(m)]


@st.composite
def graphs(draw) -> tuple[np.ndarray, np.ndarray, list[float]]:
    """A graph with integer parts: some weights and edges are 0, some rows hand on all and some less."""
    m = draw(st.integers(1, 5))
    parts = np.array(draw(st.lists(st.integers(0, 4), min_size=m, max_size=m)), dtype=float)
    edges = np.array(draw(st.lists(st.integers(0, 3), min_size=m * m, max_size=m * m)), dtype=float).reshape(
        m, m
    )
    np.fill_diagonal(edges, 0)
    spare = draw(st.integers(0, 1))
    weights = parts / max(parts.sum() + spare, 1)
    transitions = edges / np.maximum(edges.sum(axis=1, keepdims=True) + spare, 1)
    return weights, transitions, draw(st.lists(st.floats(0, 0.1), min_size=m, max_size=m))


def in_any_order(weights, transitions, p, alpha, rng) -> set[int]:
    """Algorithm 1 as it is printed, edge by edge, rejecting any hypothesis that may be rejected."""
    w, g, left = list(weights), [list(row) for row in transitions], set(range(len(p)))
    while can := [j for j in left if p[j] <= w[j] * alpha and w[j] > 0]:
        j = can[rng.randrange(len(can))]
        left.remove(j)
        new = [row[:] for row in g]
        for each in left:
            w[each] += w[j] * g[j][each]
            for other in left - {each}:
                loop = g[each][j] * g[j][each]
                new[each][other] = (
                    (g[each][other] + g[each][j] * g[j][other]) / (1 - loop) if loop < 1 - 1e-14 else 0.0
                )
        g = new
    return set(range(len(p))) - left


@given(p=p_values, alpha=st.sampled_from([0.025, 0.05, 0.3]))
def test_equal_shares_and_edges_are_holm_s_procedure(p, alpha) -> None:
    weights, transitions = holm_graph(len(p))
    found = graphical_procedure(weights, transitions, p, alpha)
    known = holm(p, alpha)
    for mine, adjusted, step in zip(found.rejected, found.adjusted, known, strict=True):
        assert adjusted == (None if step.adjusted is None else pytest.approx(step.adjusted, rel=1e-9))
        # Thirds of alpha are met or missed by rounding only.
        assert mine == step.rejected or step.adjusted == pytest.approx(alpha, rel=1e-12)


@given(p=p_values, alpha=st.sampled_from([0.025, 0.05, 0.3]))
def test_a_chain_is_the_fixed_sequence(p, alpha) -> None:
    weights, transitions = chain(len(p))
    found = graphical_procedure(weights, transitions, p, alpha)
    known = fixed_sequence(p, alpha)
    assert found.rejected == tuple(step.rejected for step in known)
    for value, adjusted, step in zip(p, found.adjusted, known, strict=True):
        # Behind a hypothesis without a p-value nothing can be rejected at any level.
        assert adjusted == (None if value is None else 1.0 if step.adjusted is None else step.adjusted)


@given(graph=graphs(), rng=st.randoms(use_true_random=False), alpha=st.sampled_from([0.025, 0.05]))
def test_the_order_of_rejections_does_not_matter(graph, rng, alpha) -> None:
    weights, transitions, p = graph
    found = graphical_procedure(weights, transitions, p, alpha)
    # A level that is met by rounding only may be met in one order and missed in another.
    assume(all(value is None or abs(value - alpha) > 1e-9 for value in found.adjusted))
    assert {j for j, rejected in enumerate(found.rejected) if rejected} == in_any_order(
        weights, transitions, p, alpha, rng
    )


@given(graph=graphs(), rng=st.randoms(use_true_random=False))
def test_the_order_in_which_the_hypotheses_are_given_does_not_matter(graph, rng) -> None:
    weights, transitions, p = graph
    order = list(range(len(p)))
    rng.shuffle(order)
    found = graphical_procedure(weights, transitions, p, 0.025)
    again = graphical_procedure(
        weights[order], transitions[np.ix_(order, order)], [p[j] for j in order], 0.025
    )
    assert again.adjusted == pytest.approx([found.adjusted[j] for j in order], rel=1e-9)


@given(graph=graphs())
def test_what_is_rejected_at_a_level_is_what_has_an_adjusted_p_value_of_at_most_it(graph) -> None:
    weights, transitions, p = graph
    adjusted = graphical_procedure(weights, transitions, p, 0.025).adjusted
    for level in (0.01, 0.04, 0.2):
        found = graphical_procedure(weights, transitions, p, level)
        assert found.adjusted == adjusted
        known = [value for value in adjusted if value is not None]
        assert found.rejected == tuple(value <= level * (1 + 1e-9) for value in known)
        assert all(value >= raw for value, raw in zip(known, p, strict=True))


@given(graph=graphs())
def test_each_step_leaves_a_graph_and_hands_on_no_more_than_there_was(graph) -> None:
    weights, transitions, p = graph
    found = graphical_procedure(weights, transitions, p, 0.05)
    total = sum(weights)
    for step in found.steps:
        assert p[step.hypothesis] <= step.local_alpha * (1 + 1e-8)
        assert step.weights[step.hypothesis] == 0
        assert sum(step.weights) <= total + 1e-9
        assert all(edge >= 0 for row in step.transitions for edge in row)
        assert all(sum(row) <= 1 + 1e-9 for row in step.transitions)
        total = sum(step.weights)


def test_the_smallest_edge_still_hands_alpha_on() -> None:
    """Two hypotheses that hand on to each other, and to a third only what both no longer need."""
    tiny = 1e-6
    edges = ((0, 1 - tiny, tiny), (1 - tiny, 0, tiny), (0, 0, 0))
    found = graphical_procedure((0.5, 0.5, 0), edges, (0.01, 0.02, 0.024), 0.025)
    assert found.rejected == (True, True, True)
    assert found.steps[1].weights[2] == pytest.approx(1)


def test_a_hypothesis_without_a_share_is_not_rejected_however_small_its_p_value() -> None:
    found = graphical_procedure((1, 0), ((0, 1), (0, 0)), (0.5, 0.0), 0.025)
    assert found.rejected == (False, False)
    assert found.adjusted == (0.5, 0.5)
    alone = graphical_procedure((1, 0), ((0, 0), (0, 0)), (0.001, 0.0), 0.025)
    assert alone.adjusted == (0.001, 1.0)


GOOD: dict[str, Any] = {
    "weights": [0.5, 0.5],
    "transitions": [[0, 1], [1, 0]],
    "p_values": [0.01, 0.2],
    "alpha": 0.025,
}


@pytest.mark.parametrize(
    ("change", "argument"),
    [
        ({"weights": [0.6, 0.5]}, "weights"),
        ({"weights": []}, "weights"),
        ({"weights": 0.5}, "weights"),
        ({"weights": ["a", "b"]}, "weights"),
        ({"weights": [0.5, -0.1]}, "weights[1]"),
        ({"weights": [None, 0.5]}, "weights[0]"),
        ({"transitions": [[0, 1]]}, "transitions"),
        ({"transitions": [[0, 1], [1]]}, "transitions"),
        ({"transitions": [[0, 1, 0], [1, 0, 0]]}, "transitions"),
        ({"transitions": [[0, 1], [-1, 0]]}, "transitions[1][0]"),
        ({"transitions": [[0.5, 0.5], [1, 0]]}, "transitions[0][0]"),
        ({"transitions": {"a": 1}}, "transitions"),
        ({"p_values": [0.01]}, "p_values"),
        ({"p_values": "ab"}, "p_values"),
        ({"p_values": 0.01}, "p_values"),
        ({"p_values": [0.01, 1.2]}, "p_values[1]"),
        ({"p_values": [float("nan"), 0.1]}, "p_values[0]"),
        ({"p_values": [[0.1], 0.2]}, "p_values"),
        ({"alpha": 1}, "alpha"),
        ({"alpha": None}, "alpha"),
    ],
)
def test_a_bad_graph_is_refused_by_the_name_of_its_argument(change, argument) -> None:
    with pytest.raises(ArgumentError) as refused:
        graphical_procedure(**{**GOOD, **change})
    assert refused.value.argument == argument
    assert "It must be" in refused.value.sentence


def test_a_row_that_hands_on_more_than_there_is_is_refused() -> None:
    with pytest.raises(ArgumentError) as refused:
        graphical_procedure((1, 0, 0), ((0, 0.7, 0.7), (0, 0, 0), (0, 0, 0)), (0.1, 0.1, 0.1), 0.05)
    assert refused.value.argument == "transitions[0]"
