"""How long a new process takes to its first answer."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

_FIRST_TRIALS = """
from equipoise.statistics.batch.engine import CountDesign, simulate_trials
simulate_trials(CountDesign(participants=144, rate0=2.84, ratio=0.6, dispersion=1.7), 100, 1)
"""


@dataclass(frozen=True, slots=True)
class Starting:
    """Seconds, each the best of some processes: Python alone, `equipoise --help`, the first simulated trials.

    What the trials need was compiled by an earlier process.
    """

    bare: float
    help: float
    trials: float


def measure_starting(repetitions: int = 7) -> Starting:
    """Measure it."""
    equipoise = [str(Path(sys.executable).with_name("equipoise")), "--help"]
    trials = [sys.executable, "-c", _FIRST_TRIALS]
    _seconds(trials)
    return Starting(
        bare=min(_seconds([sys.executable, "-c", ""]) for _ in range(repetitions)),
        help=min(_seconds(equipoise) for _ in range(repetitions)),
        trials=min(_seconds(trials) for _ in range(repetitions)),
    )


def _seconds(command: list[str]) -> float:
    start = perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return perf_counter() - start
