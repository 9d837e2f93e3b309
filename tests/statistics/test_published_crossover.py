"""Crossover analyses against published ones."""

import pytest

from equipoise.statistics.crossover import fit_crossover_means

# Senn, Cross-over Trials in Clinical Research, 2nd ed., ch. 3: peak expiratory flow (l/min) of 13 children,
# of whom 7 had formoterol first and 6 salbutamol first; period 1 and period 2.
FORMOTEROL_FIRST = [(310, 270), (310, 260), (370, 300), (410, 390), (250, 210), (380, 350), (330, 365)]
SALBUTAMOL_FIRST = [(370, 385), (310, 400), (380, 410), (290, 320), (260, 340), (90, 220)]


def test_senn_formoterol_and_salbutamol() -> None:
    # ch. 3: formoterol less salbutamol 46.60714 l/min, 95% interval 22.88810 to 70.32619, 11 df.
    found = fit_crossover_means(FORMOTEROL_FIRST, SALBUTAMOL_FIRST).treatment
    assert found.n == (7, 6) and found.contrast is not None and found.contrast.df == 11
    assert found.contrast.estimate == pytest.approx(46.60714, abs=5e-6)
    assert (found.contrast.low, found.contrast.high) == pytest.approx((22.88810, 70.32619), abs=1e-5)
