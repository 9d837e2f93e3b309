"""Sample size and power programmed twice: against statsmodels, scipy and, where it is there, R."""

from __future__ import annotations

import shutil
import subprocess
from math import sqrt

import pytest
from scipy.stats import binom, fisher_exact
from statsmodels.stats.power import TTestIndPower

from equipoise.statistics.sample_size_means import power_means
from equipoise.statistics.sample_size_proportions import power_fisher, power_proportions

RSCRIPT = shutil.which("Rscript")

needs_r = pytest.mark.skipif(RSCRIPT is None, reason="R is not on this machine")


def run_r(program: str) -> list[float]:
    assert RSCRIPT is not None
    done = subprocess.run([RSCRIPT, "--vanilla", "-e", program], capture_output=True, text=True, check=True)
    return [float(line) for line in done.stdout.split()]


@pytest.mark.parametrize(("sides", "alternative"), [(1, "larger"), (2, "two-sided")])
@pytest.mark.parametrize(("n1", "n2"), [(2, 3), (20, 20), (35, 90), (4000, 2000)])
def test_double_two_means_as_in_statsmodels(n1: int, n2: int, sides: int, alternative: str) -> None:
    for shift in (0.3, 2.0, 4.5):
        effect = shift * sqrt(1 / n1 + 1 / n2)
        other = TTestIndPower().power(
            effect_size=effect, nobs1=n1, alpha=0.04, ratio=n2 / n1, alternative=alternative
        )
        mine = power_means(difference=effect, sd=1.0, n1=n1, n2=n2, alpha=0.04, sides=sides)
        assert mine == pytest.approx(float(other), abs=1e-9)


@pytest.mark.parametrize(("sides", "alternative"), [(1, "greater"), (2, "two-sided")])
@pytest.mark.parametrize(("n1", "n2", "p1", "p2"), [(7, 12, 0.1, 0.7), (15, 15, 0.35, 0.6)])
def test_double_fisher_as_the_sum_over_all_tables(
    n1: int, n2: int, p1: float, p2: float, sides: int, alternative: str
) -> None:
    power = sum(
        binom.pmf(x1, n1, p1) * binom.pmf(x2, n2, p2)
        for x1 in range(n1 + 1)
        for x2 in range(n2 + 1)
        if fisher_exact([[x2, n2 - x2], [x1, n1 - x1]], alternative=alternative)[1] <= 0.05
    )
    assert power_fisher(proportion1=p1, proportion2=p2, n1=n1, n2=n2, sides=sides) == pytest.approx(
        float(power), abs=1e-10
    )


@needs_r
def test_double_means_and_proportions_as_in_r() -> None:
    found = run_r("""
    for (n in c(3, 20, 150)) {
      cat(sprintf("%.12f", power.t.test(n = n, delta = 0.7, sd = 1.1, strict = TRUE)$power), "\\n")
      cat(sprintf("%.12f", power.prop.test(n = n, p1 = 0.2, p2 = 0.45)$power), "\\n")
      one <- power.prop.test(n = n, p1 = 0.2, p2 = 0.45, alternative = "one.sided")
      cat(sprintf("%.12f", one$power), "\\n")
    }
    """)
    mine = [
        power
        for n in (3, 20, 150)
        for power in (
            power_means(difference=0.7, sd=1.1, n1=n, n2=n),
            power_proportions(proportion1=0.2, proportion2=0.45, n1=n, n2=n),
            power_proportions(proportion1=0.2, proportion2=0.45, n1=n, n2=n, sides=1),
        )
    ]
    assert mine == pytest.approx(found, abs=1e-8)


@needs_r
def test_double_fisher_as_in_r() -> None:
    found = run_r("""
    n1 <- 11; n2 <- 14
    for (side in c("two.sided", "greater")) {
      power <- 0
      for (x1 in 0:n1) for (x2 in 0:n2) {
        p <- fisher.test(matrix(c(x2, x1, n2 - x2, n1 - x1), 2), alternative = side, conf.int = FALSE)$p.value
        if (p <= 0.05) power <- power + dbinom(x1, n1, 0.2) * dbinom(x2, n2, 0.65)
      }
      cat(sprintf("%.12f", power), "\\n")
    }
    """)
    mine = [power_fisher(proportion1=0.2, proportion2=0.65, n1=11, n2=14, sides=sides) for sides in (2, 1)]
    assert mine == pytest.approx(found, abs=1e-10)
