"""E2B(R3): the products of a trial that gives an open medicine beside a blinded one."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from equipoise.analysis.cut import CutAdministration, DataCut
from equipoise.analysis.derive import mask_cut
from equipoise.definition.expression import PartialDate
from equipoise.definition.model.conduct import Product
from equipoise.definition.model.study import Intervention
from tests.analysis.cuts import swap_arms
from tests.exchange.e2b_cases import elements, full_cut, write

BLINDED = "Cells or Vehicle (blinded)"
TABLETS = Product(
    id="tablets",
    name="Tablets",
    kind="prepared",
    interventions=("steroid",),
    dispensed_at=("week_0", "week_12"),
    dose="Two tablets",
)


def with_background(onset: PartialDate) -> DataCut:
    """The trial of one event, in which everybody takes tablets from the day before the first bag on."""
    cut = full_cut(onset=onset)
    definition = cut.definition
    arms = tuple(
        replace(arm, cells={epoch: (*own, "steroid") if own else () for epoch, own in arm.cells.items()})
        for arm in definition.study.arms
    )
    steroid = Intervention(id="steroid", name="Steroid", type="drug")
    study = replace(definition.study, interventions=(*definition.study.interventions, steroid), arms=arms)
    supply = replace(definition.supply, products=(*definition.supply.products, TABLETS))
    given = CutAdministration(
        product="tablets", encounter="week_0", epoch="first", given_on=date(2024, 1, 20)
    )
    (person,) = cut.participants
    return replace(
        cut,
        definition=replace(definition, study=study, supply=supply),
        participants=(replace(person, administrations=(given, *person.administrations)),),
    )


def test_spec_of_two_products_each_has_its_own_dose_and_dates(tmp_path: Path) -> None:
    found = elements(write(with_background(PartialDate(2024, 2, 3))), tmp_path)
    assert found["G.k.2.2"] == ("Steroid", BLINDED, "Aspirin")
    assert found["G.k.4.r.4"] == ("20240120", "20240121", "202401")
    assert found["G.k.4.r.5"] == ("20240120", "20240121", "202403")
    assert found["G.k.4.r.8"] == ("Two tablets", "One bag")


def test_spec_what_was_not_given_yet_is_no_suspect_beside_what_was(tmp_path: Path) -> None:
    found = elements(write(with_background(PartialDate(2024, 1, 20))), tmp_path)
    assert found["G.k.2.2"][:2] == ("Steroid", BLINDED)
    assert found["G.k.1"][:2] == ("1", "4")
    assert found["G.k.4.r.8"] == ("Two tablets",)


def test_spec_unblinded_the_product_of_the_arm_has_its_own_dose_and_dates(tmp_path: Path) -> None:
    cut = with_background(PartialDate(2024, 2, 3))
    found = elements(write(cut, unblinded=True), tmp_path)
    assert found["G.k.2.2"][1:] == ("Steroid", "Aspirin")
    assert found["G.k.4.r.4"][:2] == ("20240121", "20240120")
    assert found["G.k.4.r.8"] == ("One bag", "Two tablets")


@pytest.mark.parametrize("day", [PartialDate(2024, 1, 20), PartialDate(2024, 2, 3), PartialDate(2024, 5, 1)])
def test_law_with_two_products_the_blinded_version_is_the_same_from_any_data(day: PartialDate) -> None:
    cut = with_background(day)
    assert write(cut) == write(mask_cut(cut)) == write(swap_arms(cut))
    assert write(cut, unblinded=True) != write(swap_arms(cut), unblinded=True)
