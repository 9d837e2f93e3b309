"""How often each test of the treatment in a crossover of counts rejects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.special import chdtri, ndtri

from ..arguments import ArgumentError, check_one_of, check_probability, check_whole
from ..counts import fit_poisson_gee
from ..crossover import fit_conditional_counts
from ..design import Coefficients
from .crossover import CrossoverDesign, CrossoverTests, simulate_crossovers
from .crossover_generate import draw_counts, draw_patients
from .engine import check_seed
from .operating import Share
from .passes import Floats
from .spread import Workers

# Those of the model with a random patient effect, and those that are done trial by trial.
_AT_ONCE = ("wald", "likelihood_ratio")
CROSSOVER_TESTS = (*_AT_ONCE, "conditional", "conditional_robust", "poisson_robust")

_FEW = 64
_NAMES = ("intercept", "period", "treatment")
_HERE = Workers()


@dataclass(frozen=True, slots=True)
class _Task:
    first: int
    number: int


def crossover_rejections(
    design: CrossoverDesign,
    *,
    trials: int,
    seed: int,
    alpha: float = 0.05,
    tests: Sequence[str] = CROSSOVER_TESTS,
    workers: Workers = _HERE,
) -> dict[str, Share]:
    """Simulate a crossover, and return by test of the treatment the share of trials in which it rejects.

    alpha: of both sides together. tests: `wald` and `likelihood_ratio` of the model with a random patient
    effect, `conditional` on each patient's total by the information of Poisson counts, `conditional_robust`
    by the sandwich over patients, and `poisson_robust`, Poisson regression with patients as clusters. A test
    for which a trial's data give no statistic does not reject. workers: as `spread.open_workers` gives them.
    With `ratio` 1 it is the type I error, else the power. Raises ArgumentError.
    """
    check_whole("trials", trials)
    check_seed(seed)
    check_probability("alpha", alpha)
    if not tests:
        raise ArgumentError("tests", "empty", "some of " + ", ".join(CROSSOVER_TESTS))
    for test in tests:
        check_one_of("tests", test, CROSSOVER_TESTS)
    tasks = [_Task(first, min(_FEW, trials - first)) for first in range(0, trials, _FEW)]
    work = partial(_work, design=design, seed=seed, alpha=alpha, tests=tuple(tests))
    counts: Counter[str] = Counter()
    for part in workers.run(work, tasks):
        counts.update(part)
    return {test: Share.of(counts[test], trials) for test in CROSSOVER_TESTS if test in tests}


def _work(
    task: _Task, *, design: CrossoverDesign, seed: int, alpha: float, tests: Sequence[str]
) -> dict[str, int]:
    rejected = dict.fromkeys(tests, 0)
    at_once = [test for test in tests if test in _AT_ONCE]
    if at_once:
        extent: CrossoverTests = "all" if "likelihood_ratio" in tests else "wald"
        found = simulate_crossovers(design, task.number, seed, first=task.first, tests=extent)
        decisions = {
            "wald": np.abs(found.wald_z) > float(ndtri(1 - alpha / 2)),
            "likelihood_ratio": found.likelihood_ratio > float(chdtri(1, alpha)),
        }
        rejected |= {test: int(np.sum(decisions[test])) for test in at_once}
    if len(at_once) < len(tests):
        for trial in range(task.first, task.first + task.number):
            for test, coefficients in _fit_one(design, seed, trial, tests).items():
                contrast = None if coefficients is None else coefficients.contrast("treatment")
                rejected[test] += contrast is not None and contrast.p <= alpha
    return rejected


def _fit_one(
    design: CrossoverDesign, seed: int, trial: int, tests: Sequence[str]
) -> dict[str, Coefficients | None]:
    y, sequence = _draw(design, seed, trial)
    patients = len(sequence)
    patient = np.repeat(np.arange(patients), 2)
    period = np.tile([0.0, 1.0], patients)
    treatment = np.column_stack([sequence, 1 - sequence]).ravel().astype(float)
    X = np.column_stack([np.ones(2 * patients), period, treatment])
    offset = np.tile(np.log(np.array(design.exposure)), patients)
    fits: dict[str, Coefficients | None] = {}
    if {"conditional", "conditional_robust"} & set(tests):
        conditional = fit_conditional_counts(y, X, patient, offset, _NAMES)
        fits |= {"conditional": conditional.coefficients, "conditional_robust": conditional.robust}
    if "poisson_robust" in tests:
        fit = fit_poisson_gee(y, X, offset, _NAMES, [str(each) for each in patient])
        fits["poisson_robust"] = fit.coefficients
    return {test: coefficients for test, coefficients in fits.items() if test in tests}


def _draw(design: CrossoverDesign, seed: int, trial: int) -> tuple[Floats, Floats]:
    """Return a trial's counts, period by period of each patient, and 1 for patients treated first, else 0."""
    sequence, chances = np.zeros((1, design.patients), np.int64), np.zeros((1, design.patients, 3))
    draw_patients(design.block, seed, trial, sequence, chances)
    y = np.zeros((1, design.patients, 2))
    effects = design.sigma * ndtri(chances[:, :, 0])
    draw_counts(sequence, chances, effects, design.means.ravel(), design.dispersion, y)
    return y.ravel(), sequence[0].astype(float)
