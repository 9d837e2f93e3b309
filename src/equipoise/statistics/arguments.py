"""What may be asked: arguments are checked where they come in, and the error names them."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


class ArgumentError(ValueError):
    """An argument that no design or dataset can have: which, what it is, and what is allowed."""

    code = "STAT-ARGUMENT"

    def __init__(self, argument: str, value: object, allowed: str) -> None:
        self.argument = argument
        self.value = value
        self.allowed = allowed
        self.sentence = f"{argument} is {_short(value)}. It must be {allowed}."
        super().__init__(f"{self.code}: {self.sentence}")


def check_probability(name: str, value: float) -> float:
    """Return a number between 0 and 1, both excluded."""
    return _check(name, value, 0 < _number(value) < 1, "a number above 0 and below 1")


def check_positive(name: str, value: float) -> float:
    """Return a finite number above 0."""
    return _check(name, value, 0 < _number(value) < np.inf, "a finite number above 0")


def check_not_negative(name: str, value: float) -> float:
    """Return a finite number of 0 or more."""
    return _check(name, value, 0 <= _number(value) < np.inf, "a finite number of 0 or more")


def check_whole(name: str, value: float, least: int = 1) -> int:
    """Return a whole number of `least` or more."""
    number = _number(value)
    whole = isfinite(number) and number == int(number) and number >= least
    return int(_check(name, value, whole, f"a whole number of {least} or more"))


def check_one_of(name: str, value: Any, options: Sequence[Any]) -> Any:
    """Return one of the options."""
    if value not in options:
        raise ArgumentError(name, value, "one of " + ", ".join(map(str, options)))
    return value


def check_counts(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """Return counts as floats: one dimension, not empty, each a whole number of 0 or more."""
    array = np.asarray(values, dtype=float)
    if array.ndim != 1 or not array.size:
        raise ArgumentError(name, f"an array of the shape {array.shape}", "a row of at least one count")
    bad = np.flatnonzero(~(np.isfinite(array) & (array >= 0) & (array == np.floor(array))))
    if bad.size:
        place = int(bad[0])
        raise ArgumentError(f"{name}[{place}]", array[place], "a whole number of 0 or more")
    return array


def _check(name: str, value: float, good: bool, allowed: str) -> float:
    if not good:
        raise ArgumentError(name, value, allowed)
    return float(value)


def _number(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]  # whatever is no number is refused below
    except (TypeError, ValueError, OverflowError):
        return float("nan")


def _short(value: object, most: int = 60) -> str:
    if value is None:
        return "not given"
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= most else text[: most - 1] + "…"
