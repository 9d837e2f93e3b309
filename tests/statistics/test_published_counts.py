"""Count regression against published fits."""

import numpy as np
import pytest

from equipoise.statistics.counts import fit_negative_binomial
from tests.statistics.quine import NAMES, read_quine


def test_venables_and_ripley_absence_from_school() -> None:
    # Venables and Ripley, Modern Applied Statistics with S, 4th ed., 7.4: glm.nb(Days ~ Eth + Sex + Age +
    # Lrn).
    fit = fit_negative_binomial(*read_quine(), names=NAMES)
    ethnic = fit.coefficients.contrast("EthN")
    assert ethnic is not None and fit.theta is not None
    assert fit.status == "fitted"
    assert fit.theta == pytest.approx(1.2748926, abs=2e-6)
    assert ethnic.estimate == pytest.approx(-0.5693717, abs=1e-5)
    assert ethnic.se == pytest.approx(0.1533334, abs=1e-6)


def test_venables_and_ripley_absence_within_sex() -> None:
    # The same: glm.nb(Days ~ Sex/(Age + Eth*Lrn)), with which the section begins.
    days, rows = read_quine()
    table = np.array(rows)
    ethnic, male, ages, slow = table[:, 1], table[:, 2], table[:, 3:6], table[:, 6]
    within = np.column_stack([ages, ethnic, slow, ethnic * slow])
    X = np.column_stack([np.ones(len(days)), male, within * (1 - male)[:, None], within * male[:, None]])
    fit = fit_negative_binomial(days, X, names=[f"column {index}" for index in range(14)])
    assert fit.status == "fitted" and fit.aliased == ()
    assert fit.theta == pytest.approx(1.5979907, abs=2e-7)


def test_two_groups_of_69_and_75_have_the_standard_error_of_the_published_rate_ratio() -> None:
    # Lancet Neurol 2021;20:917: 0.94 (0.58-1.50), hence SE(log RR) = log(1.50 / 0.58) / 3.92 = 0.2424. The SE
    # of a group's log mean is sqrt((1 / mean + dispersion) / n), which mean 3.57 and dispersion 1.8 bring to
    # 0.241.
    expected = ((1 / 3.57 + 1.8) / 69 + (1 / 3.57 + 1.8) / 75) ** 0.5
    assert expected == pytest.approx(0.241, abs=5e-4)
    rng = np.random.default_rng(3)
    arm = np.repeat([1.0, 0.0], [69, 75])
    X = np.column_stack([np.ones(144), arm])
    errors = []
    for _ in range(200):
        y = rng.poisson(3.57 * rng.gamma(1 / 1.8, 1.8, 144))
        contrast = fit_negative_binomial(y, X, names=("intercept", "arm")).coefficients.contrast("arm")
        assert contrast is not None
        errors.append(contrast.se)
    assert np.mean(errors) == pytest.approx(expected, rel=0.02)
