"""How many a second: of a work of ours, and of a program in R."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class CountingRow:
    """A line of the table: rates a second, ratio and aim; None where there is nothing to be held against."""

    what: str
    measured: float
    against: float | None
    aim: str

    @property
    def ratio(self) -> float | None:
        """Measured over against."""
        return None if self.against is None else self.measured / self.against


def rate(work: Callable[[], object], many: int, repetitions: int = 4) -> float:
    """The best of some runs, after one that compiles or warms up."""
    work()
    times = []
    for _ in range(repetitions):
        start = perf_counter()
        work()
        times.append(perf_counter() - start)
    return many / min(times)


def rate_r(text: str, lines: NDArray[np.float64]) -> float | None:
    """What a program in R prints last, given lines of numbers; None without R, or without what it needs."""
    rscript = shutil.which("Rscript")
    if rscript is None:
        return None
    given = "\n".join(",".join(f"{value:.10g}" for value in line) for line in lines)
    program = [rscript, "--vanilla", "-e", text]
    done = subprocess.run(program, input=given, capture_output=True, text=True, check=False)
    return float(done.stdout.split()[-1]) if done.returncode == 0 else None
