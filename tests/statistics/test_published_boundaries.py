"""Group-sequential designs that others have published, and what their programs print."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from equipoise.statistics.boundaries import (
    Futility,
    boundaries,
    count_information,
    crossing_probabilities,
    drift_for,
    equal_looks,
    expected_information,
    information_for,
    spending,
)

# rpact's own tests, file tests/testthat/test-f_design_group_sequential.R of github.com/rpact-com/rpact, give
# seven to eight digits.
SEVEN = 2e-7


@pytest.mark.parametrize(
    ("family", "looks", "delta", "expected"),
    [
        # rpact (LGPL-3), getDesignInverseNormal with its defaults.
        ("OF", 3, None, (3.4710914, 2.4544323, 2.0040356)),
        # Jennison and Turnbull 2000, chapter 2, have 2.040 for two sides at 0.05.
        ("OF", 5, None, (4.561742, None, None, None, 2.040073)),
        # Jennison and Turnbull 2000, chapter 2, have 2.289 for two sides at 0.05.
        ("P", 3, None, (2.289478, 2.289478, 2.289478)),
        ("WT", 3, 0.25, (2.741137, 2.305012, 2.082813)),
        # gsDesign with sfLDOF prints 3.710303 2.511427 1.993048.
        ("asOF", 3, None, (3.710303, 2.511427, 1.993047)),
    ],
)
def test_published_one_sided_bounds_at_the_level_of_a_fortieth(family, looks, delta, expected) -> None:
    found = boundaries(family, information=equal_looks(looks), alpha=0.025, delta=delta).critical
    for bound, known in zip(found, expected, strict=True):
        assert known is None or bound == pytest.approx(known, abs=1e-6)


def test_published_o_brien_fleming_by_rpact_spends_these_levels() -> None:
    found = boundaries("OF", information=equal_looks(3), alpha=0.025)
    assert found.critical == pytest.approx((3.4710914, 2.4544323, 2.0040356), abs=1e-7)
    assert found.spent == pytest.approx((0.00025917372, 0.0071600594, 0.025), abs=2e-8)
    assert found.nominal_p == pytest.approx((0.00025917372, 0.0070553616, 0.022533125), abs=2e-8)


def test_published_hwang_shih_decani_of_gamma_0_by_rpact() -> None:
    found = boundaries("asHSD", information=(0.2, 0.4, 1), alpha=0.03, gamma=0)
    assert found.spent == pytest.approx((0.006, 0.012, 0.03))
    assert found.critical == pytest.approx((2.5121443, 2.4228747, 2.0280392), abs=SEVEN)
    drift = drift_for(found, 0.14)
    assert drift**2 == pytest.approx(9.4594101, rel=SEVEN)
    assert crossing_probabilities(found, drift).upper == pytest.approx(
        (0.12783451, 0.21271713, 0.51944835), abs=SEVEN
    )
    inflation = information_for(1, alpha=0.03, beta=0.14, design=found) / information_for(
        1, alpha=0.03, beta=0.14
    )
    assert inflation == pytest.approx(1.0788327, rel=SEVEN)
    assert inflation * expected_information(found, drift) == pytest.approx(0.83081135, abs=SEVEN)
    assert inflation * expected_information(found, 0) == pytest.approx(1.0697705, abs=SEVEN)


def test_published_two_sided_spending_by_rpact_halves_the_level() -> None:
    """rpact's test-f_design_group_sequential_beta_spending.R; its second bound is 1e-4 off what it spends."""
    found = boundaries("asOF", information=(0.15, 0.25, 0.8, 1), alpha=0.025, sides=2)
    assert found.spent == pytest.approx((2.2511015e-10, 1.1742122e-06, 0.01045986, 0.025), rel=1e-6)
    assert found.critical[0] == pytest.approx(6.3431527, abs=SEVEN)
    assert found.critical[2:] == pytest.approx((2.560259, 2.292451), abs=1e-6)


def test_published_futility_that_does_not_bind_by_rpact() -> None:
    rule = Futility(family="asHSD", beta=0.14, gamma=-2)
    found = boundaries("asHSD", information=(0.2, 0.4, 1), alpha=0.07, gamma=-1, futility=rule)
    assert found.critical == pytest.approx((2.364813, 2.1928805, 1.5660474), abs=SEVEN)
    assert found.lower == pytest.approx((-1.1063623, -0.35992439, 1.5660474), abs=SEVEN)
    assert found.spent_beta == pytest.approx((0.010777094, 0.026854629, 0.14), abs=SEVEN)
    assert found.drift is not None
    assert found.drift**2 == pytest.approx(7.1015942, rel=SEVEN)
    real = crossing_probabilities(found, found.drift)
    assert real.upper == pytest.approx((0.12038953, 0.20856311, 0.53104735), abs=SEVEN)
    assert real.lower[:2] == pytest.approx((0.010777094, 0.016077535), abs=SEVEN)
    assert 1.0869177 * expected_information(found, found.drift) == pytest.approx(0.82636428, abs=SEVEN)
    assert 1.0869177 * expected_information(found, 0) == pytest.approx(0.79471657, abs=SEVEN)


@pytest.mark.parametrize(
    ("family", "information", "alpha", "gamma", "rule", "critical", "lower"),
    [
        (
            "asKD",
            (0.3, 0.7, 1),
            0.03,
            2.2,
            Futility(family="asKD", beta=0.34, gamma=3.2),
            (2.8594012, 2.2435708, 1.9735737),
            (-1.1558435, 0.72836893),
        ),
        (
            "asP",
            (0.4, 0.65, 1),
            0.05,
            None,
            Futility(family="asP", beta=0.1),
            (1.9405431, 2.0327662, 1.9734104),
            (0.5448398, 1.0899149),
        ),
        (
            "asOF",
            (0.4, 0.65, 1),
            0.05,
            None,
            Futility(family="asOF", beta=0.1, binding=True),
            (2.8874465, 2.1853011, 1.6575593),
            (-0.46043472, 0.64445014),
        ),
    ],
)
def test_published_futility_of_each_family_by_rpact(
    family, information, alpha, gamma, rule, critical, lower
) -> None:
    found = boundaries(family, information=information, alpha=alpha, gamma=gamma, futility=rule)
    assert found.critical == pytest.approx(critical, abs=SEVEN)
    assert found.lower == pytest.approx((*lower, found.critical[-1]), abs=SEVEN)


def test_published_default_design_of_gsdesign() -> None:
    """gsDesign() as its reference page prints it: k = 3, HSD with gamma -4 and -2, futility not binding."""
    rule = Futility(family="asHSD", beta=0.1, gamma=-2)
    found = boundaries("asHSD", information=equal_looks(3), alpha=0.025, gamma=-4, futility=rule)
    assert found.lower is not None
    assert found.drift is not None
    assert np.round(found.critical, 2).tolist() == [3.01, 2.55, 2.0]
    assert np.round(found.lower, 2).tolist() == [-0.24, 0.94, 2.0]
    real, null = (crossing_probabilities(found, drift) for drift in (found.drift, 0.0))
    assert np.round(real.upper, 4).tolist() == [0.1412, 0.4403, 0.3185]
    assert np.round(null.upper, 4).tolist() == [0.0013, 0.0049, 0.0171]
    assert np.round(null.lower, 4).tolist() == [0.4057, 0.4290, 0.1420]
    fixed = information_for(1, alpha=0.025, beta=0.1)
    inflation = information_for(1, alpha=0.025, beta=0.1, design=found) / fixed
    assert round(inflation, 3) == 1.070
    assert round(inflation * expected_information(found, 0), 4) == 0.6249
    assert round(inflation * expected_information(found, found.drift), 4) == 0.7913


def test_published_spending_of_gsdesign_at_each_look() -> None:
    """The increments that gsDesign() prints for gamma -4 at 0.025 and gamma -2 at 0.1."""
    upper = np.diff(spending("asHSD", equal_looks(3), alpha=0.025, gamma=-4), prepend=0)
    lower = np.diff(spending("asHSD", equal_looks(3), alpha=0.1, gamma=-2), prepend=0)
    assert np.round(upper, 4).tolist() == [0.0013, 0.0049, 0.0188]
    assert np.round(lower, 4).tolist() == [0.0148, 0.0289, 0.0563]


def test_published_information_for_counts_by_rpact() -> None:
    """Alpha .01, beta .05, theta .7, over-dispersion .71, exposure 1 and the mean rate .234: 2540 in all."""
    needed = information_for(np.log(0.7), alpha=0.01, beta=0.05)
    assert needed == pytest.approx(123.96487, abs=1e-5)
    rate = 2 * 0.234 / 1.7
    rates = {"rate1": rate, "rate2": 0.7 * rate, "dispersion": 0.71}
    assert count_information(1269, 1269, **rates) < needed <= count_information(1270, 1270, **rates)


def test_published_information_for_counts_with_accrual_by_gscounts() -> None:
    """Rates 0.0875 and 0.125, k 5, power 0.8, four years with accrual over 1.25: 975 an arm, 61.71."""
    needed = information_for(np.log(0.0875 / 0.125), alpha=0.025, beta=0.2)
    assert needed == pytest.approx(61.7, abs=0.05)
    exposure = 4 - 1.25 * (np.arange(500) + 0.5) / 500
    rates: dict[str, Any] = {"rate1": 0.125, "rate2": 0.0875, "dispersion": 5, "exposure": exposure}
    found = count_information(975, 975, **rates)
    assert round(found, 2) == 61.71
    assert count_information(974, 974, **rates) < needed <= found
