"""Draws have the distributions that they are named after."""

import math
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from equipoise.definition.expression import EvidenceTable, parse_text
from equipoise.definition.model.forms import Item
from equipoise.definition.model.rehearsal import Draw
from equipoise.rehearsal.draws import COUNT_MEAN_MAX, Dice, RehearsalImpossible, derive_value, fit_number

NOTHING = EvidenceTable(date(2024, 1, 1))
SHARES = st.floats(min_value=0.001, max_value=0.999)


def draw(kind, decimals=0, **parameters):
    exact: dict[str, Any] = {name: parse_text(str(value)) for name, value in parameters.items()}
    return Draw(draw=kind, decimals=decimals, **exact)


@given(SHARES, st.floats(min_value=0.05, max_value=500))
def test_law_poisson_is_the_quantile(share, mean):
    mean = round(mean, 3)
    assert derive_value(draw("poisson", mean=mean), share, NOTHING) == stats.poisson.ppf(share, mean)


@given(SHARES, st.floats(min_value=0.05, max_value=200), st.floats(min_value=0.01, max_value=4))
def test_law_negative_binomial_is_the_quantile(share, mean, dispersion):
    mean, dispersion = round(mean, 3), round(dispersion, 3)
    drawn = derive_value(draw("negative_binomial", mean=mean, dispersion=dispersion), share, NOTHING)
    size = 1 / dispersion
    law = stats.nbinom(size, size / (size + mean))
    # Where the share lies on a step, rounding may fall to either side of it.
    assert law.cdf(int(str(drawn)) - 1) <= share + 1e-9
    assert law.cdf(int(str(drawn))) >= share - 1e-9


def test_the_gamma_frailty_has_its_mean_and_variance():
    dice = Dice(1, "gamma")
    gamma = draw("gamma", mean=2, dispersion=1.8, decimals=6)
    values = [float(str(dice.draw(gamma, NOTHING))) for _ in range(20_000)]
    mean = sum(values) / len(values)
    assert mean == pytest.approx(2, rel=0.04)
    assert sum((v - mean) ** 2 for v in values) / len(values) == pytest.approx(1.8 * 4, rel=0.1)


@given(SHARES)
def test_law_normal_and_lognormal_are_quantiles(share):
    normal = derive_value(draw("normal", mean=-2, sd=3, decimals=6), share, NOTHING)
    assert float(str(normal)) == pytest.approx(stats.norm.ppf(share, -2, 3), abs=2e-6)
    log = derive_value(draw("lognormal", mean=1, sd=0.5, decimals=6), share, NOTHING)
    assert math.log(float(str(log))) == pytest.approx(stats.norm.ppf(share, 1, 0.5), abs=1e-5)


def test_a_choice_has_its_weights_and_never_one_of_weight_0():
    dice = Dice(2, "choice")
    weights = {"a": parse_text("0"), "b": parse_text("3"), "c": parse_text("1"), "d": parse_text("0")}
    values = [dice.draw(Draw(draw="choice", weights=weights), NOTHING) for _ in range(8000)]
    assert set(values) == {"b", "c"}
    assert values.count("b") / 8000 == pytest.approx(0.75, abs=0.02)


def test_a_date_lies_between_both_ends_and_reaches_them():
    dice = Dice(3, "date")
    within = draw("date", low=-2, high=1)
    assert {dice.draw(within, NOTHING) for _ in range(200)} == {
        date(2023, 12, 30),
        date(2023, 12, 31),
        date(2024, 1, 1),
        date(2024, 1, 2),
    }


def test_dice_are_uniform_and_named():
    values = [Dice(7, "a", n).random() for n in range(5000)]
    assert stats.kstest(values, "uniform").pvalue > 0.001
    assert all(0 < value < 1 for value in values)
    stream = Dice(7, "a", 0)
    assert [stream.random(), stream.random()] == [(again := Dice(7, "a", 0)).random(), again.random()]
    assert Dice(7, "a", "1").random() != Dice(7, "a1").random()


@pytest.mark.parametrize(
    ("made", "code"),
    [
        (Draw(draw="normal"), "REH-PARAMETER"),
        (draw("poisson", mean="'many'"), "REH-PARAMETER"),
        (draw("poisson", mean=COUNT_MEAN_MAX + 1), "REH-COUNT"),
        (Draw(draw="choice", weights={"a": parse_text("0")}), "REH-WEIGHTS"),
    ],
)
def test_a_draw_that_cannot_be_made_is_named(made, code):
    with pytest.raises(RehearsalImpossible) as caught:
        derive_value(made, 0.5, NOTHING)
    assert caught.value.code == code


@given(st.decimals(min_value=-1000, max_value=1000, places=4))
def test_law_a_fitted_number_is_on_the_grid_and_in_range(value):
    item = Item(
        id="x",
        label="x",
        type="decimal",
        minimum=Decimal("0.5"),
        maximum=Decimal("9.9"),
        step=Decimal("0.25"),
    )
    fitted = Decimal(str(fit_number(value, item)))
    assert Decimal("0.5") <= fitted <= Decimal("9.9")
    assert (fitted - Decimal("0.5")) % Decimal("0.25") == 0
