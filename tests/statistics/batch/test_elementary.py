"""Exponential and logarithm against those of the C library, over all of the range that is used."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from equipoise.statistics.batch.elementary import exponential, log_1p, logarithm

_NEAR = 4e-16


@given(st.floats(-700, 700))
def test_exponential(x: float) -> None:
    assert abs(exponential(x) / math.exp(x) - 1) < _NEAR


@given(st.floats(700, allow_nan=False), st.floats(max_value=-700, allow_nan=False))
def test_exponential_is_held_at_its_ends(above: float, below: float) -> None:
    assert exponential(above) == exponential(700.0)
    assert exponential(below) == exponential(-700.0) > 0


@given(st.floats(1e-300, 1e300))
def test_logarithm(x: float) -> None:
    assert abs(logarithm(x) - math.log(x)) <= _NEAR * abs(math.log(x))


@given(st.floats(0.5, 2))
def test_logarithm_near_one(x: float) -> None:
    assert abs(logarithm(x) - math.log(x)) <= _NEAR * abs(math.log(x))


@given(st.floats(0, 1e12))
def test_log_1p(v: float) -> None:
    assert abs(log_1p(v, 1 / (1 + v)) - math.log1p(v)) <= 2 * _NEAR * math.log1p(v)


def test_exact_values() -> None:
    assert exponential(0.0) == 1.0
    assert logarithm(1.0) == 0.0
