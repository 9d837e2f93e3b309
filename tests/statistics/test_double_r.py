"""The count model against R's MASS::glm.nb, where R is on the machine (`.ci/run` installs it)."""

from __future__ import annotations

import json
import shutil
import subprocess

import numpy as np
import pytest

from equipoise.statistics.counts import fit_negative_binomial
from tests.statistics.quine import read_quine

RSCRIPT = shutil.which("Rscript")

pytestmark = pytest.mark.skipif(RSCRIPT is None, reason="R with MASS is not on this machine")

_FIT = """
suppressMessages(library(MASS))
d <- read.csv(file("stdin"))
f <- glm.nb(y ~ . - y - o - 1 + offset(o), data = d, control = glm.control(epsilon = 1e-10, maxit = 100))
s <- summary(f)$coefficients
cat(sprintf("%.10f", c(f$theta, s[, 1], s[, 2])), sep = "\\n")
"""
_QUINE = """
suppressMessages(library(MASS))
cat(with(quine, paste(Eth, Sex, Age, Lrn, Days)), sep = "\\n")
"""


def run_r(program: str, given: str = "") -> list[str]:
    assert RSCRIPT is not None
    done = subprocess.run(
        [RSCRIPT, "--vanilla", "-e", program], input=given, capture_output=True, text=True, check=True
    )
    return done.stdout.split("\n")[:-1]


def test_double_quine_rows_are_those_of_mass() -> None:
    days, rows = read_quine()
    mine = []
    for count, (_, eth, sex, f1, f2, f3, slow) in zip(days, rows, strict=True):
        age = "F1" if f1 else "F2" if f2 else "F3" if f3 else "F0"
        mine.append(f"{'N' if eth else 'A'} {'M' if sex else 'F'} {age} {'SL' if slow else 'AL'} {count}")
    assert sorted(mine) == sorted(run_r(_QUINE))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_double_glm_nb_has_the_same_estimates_and_expected_information(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 144
    X = np.column_stack([np.ones(n), rng.integers(0, 2, n), np.log1p(rng.poisson(1.2, n))])
    offset = np.log(rng.integers(1, 4, n))
    y = rng.poisson(np.exp(X @ [0.1, -0.3, 0.4] + offset) * rng.gamma(1 / 1.2, 1.2, n))
    names = ("intercept", "arm", "baseline")
    fit = fit_negative_binomial(y, X, offset, names)
    lines = [",".join(["y", *names, "o"])]
    lines += [
        ",".join(map(json.dumps, [int(count), *row.tolist(), float(shift)]))
        for count, row, shift in zip(y, X, offset, strict=True)
    ]
    theta, *others = map(float, run_r(_FIT, "\n".join(lines) + "\n"))
    contrasts = [fit.coefficients.contrast(name) for name in names]
    assert fit.theta == pytest.approx(theta, rel=1e-5)
    assert [each.estimate for each in contrasts if each] == pytest.approx(others[:3], rel=1e-5, abs=1e-6)
    assert [each.se for each in contrasts if each] == pytest.approx(others[3:], rel=1e-4)
