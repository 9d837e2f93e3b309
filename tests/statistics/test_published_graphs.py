"""A graphical procedure that others have published."""

from __future__ import annotations

import pytest

from equipoise.statistics.graphs import graphical_procedure


def test_published_parallel_gatekeeping_graph_of_two_families() -> None:
    """The procedure of Bretz, Maurer, Brannath and Posch, Stat Med 2009;28:586, for two families of two."""
    found = graphical_procedure(
        weights=(0.5, 0.5, 0, 0),
        transitions=((0, 0.5, 0.5, 0), (0.5, 0, 0, 0.5), (0, 1, 0, 0), (1, 0, 0, 0)),
        p_values=(0.018, 0.01, 0.105, 0.006),
        alpha=0.025,
    )
    assert found.rejected == (True, True, False, True)
    assert found.adjusted == pytest.approx((0.024, 0.020, 0.105, 0.024))
    assert [step.hypothesis for step in found.steps] == [1, 0, 3]
    # H2 hands a half of its share to H1 and to H4 each; what went from H1 to H2 now goes on to H4.
    assert found.steps[0].weights == pytest.approx((0.75, 0, 0, 0.25))
    assert found.steps[0].transitions[0] == pytest.approx((0, 0, 2 / 3, 1 / 3))
