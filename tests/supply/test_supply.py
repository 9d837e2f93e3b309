"""Lots, units, and who gets them."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from equipoise.access.content import KINDS, Audience
from equipoise.definition.model.conduct import Product, Supply
from equipoise.supply.commands import (
    AdministerUnit,
    CollectSource,
    DiscardUnit,
    FailLot,
    PrepareUnit,
    RecordManufacture,
    ReleaseLot,
)
from equipoise.supply.decide import DECIDE, content_of_unit
from equipoise.supply.state import APPLY, LotRow, UnitRow
from tests.factory import Bench, item, make_definition

DAY = date(2024, 6, 3)
HARVEST = DAY - timedelta(days=30)
MADE = DAY - timedelta(days=9)
GOOD = {"yield_millions": 90, "sterile": True, "viability": "95.5"}
COLLECT = CollectSource(participant="SE01-001", product="bag", collected_on=HARVEST, values={"volume": 120})
PREPARE = PrepareUnit(participant="SE01-001", product="bag", encounter="week_0", prepared_on=DAY)
SALINE = Product(
    id="saline", name="Saline", kind="prepared", interventions=("vehicle",), dispensed_at=("week_0",)
)


def make_bench(definition=None) -> Bench:
    return Bench((DECIDE, APPLY), definition=definition)


def product(**changes):
    """The small trial with its one product changed."""
    own = make_definition().supply.products[0]
    return make_definition(supply=Supply(products=(replace(own, **changes), SALINE)))


def collect(bench, participant="SE01-001") -> str:
    return str(bench.do(replace(COLLECT, participant=participant))[0].content["lot"])


def manufacture(lot, recorded_on=MADE, **values):
    return RecordManufacture(lot=lot, recorded_on=recorded_on, values=GOOD | values)


def release(bench, participant="SE01-001") -> str:
    lot = collect(bench, participant)
    bench.do(manufacture(lot))
    bench.do(ReleaseLot(lot=lot, released_on=DAY))
    return lot


def prepare(bench, participant="SE01-001", encounter="week_0") -> str:
    return str(bench.do(replace(PREPARE, participant=participant, encounter=encounter))[0].content["unit"])


def give(unit, participant="SE01-001", given_on=DAY, **values):
    return AdministerUnit(
        unit=unit, participant=participant, given_on=given_on, values={"minutes": 30} | values
    )


# -- lots


def test_spec_a_participant_has_one_live_lot_of_a_product():
    bench = make_bench()
    lot = collect(bench)
    assert bench.refused(COLLECT).code == "SUP-LOT"
    bench.do(FailLot(lot=lot, failed_on=DAY, cause="Contaminated"))
    assert collect(bench) != lot
    assert collect(bench, "SE01-002") != lot


def test_collection_is_refused_for_what_cannot_be_collected():
    bench = make_bench(product())
    assert bench.refused(replace(COLLECT, product="nothing")).code == "SUP-PRODUCT"
    assert bench.refused(replace(COLLECT, product="saline")).code == "SUP-KIND"
    assert bench.refused(replace(COLLECT, collected_on=DAY + timedelta(days=1))).code == "SUP-DATE"
    assert bench.refused(replace(COLLECT, values={"volume": 0})).code == "SUP-VALUE"


def test_unmasking_items_of_a_collection_are_of_another_audience_even_if_unanswered():
    forms = tuple(
        replace(form, items=(*form.items, item("cells", "integer", unmasking=True, required=False)))
        if form.id == "harvest"
        else form
        for form in make_definition().forms
    )
    bench = make_bench(make_definition(forms=forms))
    for participant, values in (("SE01-001", {"cells": 7}), ("SE01-002", {})):
        seen, hidden = bench.do(replace(COLLECT, participant=participant, values={"volume": 120} | values))
        assert (KINDS[seen.kind].audience, KINDS[hidden.kind].audience) == (
            Audience.CONDUCT,
            Audience.PRODUCT,
        )
        assert seen.content["item_values"] == {"volume": 120}
        assert hidden.content["item_values"] == values
        lot = bench.tables.require(LotRow, str(seen.content["lot"]))
        assert lot.source_values == {"volume": 120} | values


@pytest.mark.parametrize(("days", "early"), [(9, True), (10, False), (40, False)])
def test_spec_an_early_manufacture_is_marked(days, early):
    bench = make_bench()
    bench.now += timedelta(days=20)
    lot = collect(bench)
    (entry,) = bench.do(manufacture(lot, HARVEST + timedelta(days=days)))
    assert (entry.content["days"], entry.content["early"]) == (days, early)
    assert KINDS[entry.kind].audience is Audience.PRODUCT


def test_spec_a_manufacture_that_took_too_long_is_refused():
    bench = make_bench()
    bench.now += timedelta(days=20)
    lot = collect(bench)
    assert bench.refused(manufacture(lot, HARVEST + timedelta(days=41))).code == "SUP-EXPIRED"


def test_without_limits_any_duration_will_do():
    bench = make_bench(product(manufacture_days_min=None, manufacture_days_max=None))
    bench.now += timedelta(days=400)
    (entry,) = bench.do(manufacture(collect(bench), HARVEST + timedelta(days=300)))
    assert entry.content["early"] is False


def test_manufacture_is_refused_out_of_turn():
    bench = make_bench()
    assert bench.refused(manufacture("L-0")).code == "SUP-LOT-STATE"
    lot = collect(bench)
    assert bench.refused(manufacture(lot, HARVEST - timedelta(days=1))).code == "SUP-DATE"
    assert bench.refused(manufacture(lot, DAY + timedelta(days=1))).code == "SUP-DATE"
    assert bench.refused(manufacture(lot, yield_millions=-1)).code == "SUP-VALUE"
    assert bench.refused(ReleaseLot(lot=lot, released_on=DAY)).code == "SUP-LOT-STATE"


def test_spec_a_laboratory_record_is_changed_with_a_reason_and_before_release_only():
    bench = make_bench()
    lot = collect(bench)
    bench.do(manufacture(lot, yield_millions=9))
    assert bench.refused(manufacture(lot)).code == "SUP-REASON"
    bench.do(manufacture(lot), reason="A digit was missing")
    bench.do(ReleaseLot(lot=lot, released_on=DAY))
    assert bench.tables.require(LotRow, lot).manufacture_values["yield_millions"] == 90
    assert bench.refused(manufacture(lot), reason="Again").code == "SUP-LOT-STATE"


@pytest.mark.parametrize(
    ("values", "criteria"),
    [
        ({"sterile": False}, ("sterile",)),
        ({"sterile": None}, ("sterile",)),
        ({"yield_millions": 49}, ("enough",)),
        ({"sterile": None, "yield_millions": 49}, ("sterile", "enough")),
    ],
)
def test_spec_a_lot_is_released_when_every_criterion_is_known_to_be_met(values, criteria):
    bench = make_bench()
    lot = collect(bench)
    bench.do(manufacture(lot, **values))
    refusal = bench.refused(ReleaseLot(lot=lot, released_on=DAY))
    assert (refusal.code, refusal.details) == ("SUP-RELEASE", criteria)


def test_spec_release_criteria_look_at_this_lot_only():
    bench = make_bench()
    bench.know("culture", sterile=True, yield_millions=90)
    failed, good = collect(bench, "SE01-001"), collect(bench, "SE01-002")
    bench.do(manufacture(failed, sterile=None))
    bench.do(manufacture(good))
    assert bench.refused(ReleaseLot(lot=failed, released_on=DAY)).code == "SUP-RELEASE"
    (entry,) = bench.do(ReleaseLot(lot=good, released_on=DAY))
    assert KINDS[entry.kind].audience is Audience.CONDUCT
    assert entry.content == {"lot": good, "participant": "SE01-002", "released_on": "2024-06-03"}


def test_release_needs_a_day_after_the_record():
    bench = make_bench()
    lot = collect(bench)
    bench.do(manufacture(lot))
    for day in (MADE - timedelta(days=1), DAY + timedelta(days=1)):
        assert bench.refused(ReleaseLot(lot=lot, released_on=day)).code == "SUP-DATE"


def test_a_product_without_forms_is_released_on_no_criteria():
    bench = make_bench(product(source_form=None, manufacture_form=None, administration_form=None, release=()))
    lot = str(bench.do(replace(COLLECT, values={}))[0].content["lot"])
    bench.do(RecordManufacture(lot=lot, recorded_on=MADE, values={}))
    bench.do(ReleaseLot(lot=lot, released_on=DAY))
    (entry,) = bench.do(AdministerUnit(unit=prepare(bench), participant="SE01-001", given_on=DAY, values={}))
    assert entry.content["item_values"] == {}


def test_spec_why_a_lot_failed_is_for_the_laboratory():
    bench = make_bench()
    lot = release(bench)
    assert bench.refused(FailLot(lot=lot, failed_on=DAY, cause="")).code == "SUP-TEXT"
    for day in (HARVEST - timedelta(days=1), DAY + timedelta(days=1)):
        assert bench.refused(FailLot(lot=lot, failed_on=day, cause="Thawed")).code == "SUP-DATE"
    seen, hidden = bench.do(FailLot(lot=lot, failed_on=DAY, cause="Thawed"))
    assert (KINDS[seen.kind].audience, KINDS[hidden.kind].audience) == (Audience.CONDUCT, Audience.PRODUCT)
    assert "cause" not in seen.content
    assert bench.tables.require(LotRow, lot).cause == "Thawed"
    assert bench.refused(FailLot(lot=lot, failed_on=DAY, cause="Again")).code == "SUP-LOT-STATE"


# -- units


def test_spec_a_unit_comes_from_the_participants_own_released_lot():
    bench = make_bench()
    assert bench.refused(PREPARE).code == "SUP-LOT"
    release(bench, "SE01-002")
    assert bench.refused(PREPARE).code == "SUP-LOT"
    collect(bench)
    assert bench.refused(PREPARE).code == "SUP-LOT"


def test_spec_one_live_unit_for_an_encounter():
    bench = make_bench()
    lot = release(bench)
    unit = prepare(bench)
    assert bench.tables.require(UnitRow, unit).lot == lot
    assert bench.refused(PREPARE).code == "SUP-DUPLICATE"
    bench.do(DiscardUnit(unit=unit, cause="Dropped"))
    second = prepare(bench)
    bench.do(give(second))
    assert bench.refused(PREPARE).code == "SUP-DUPLICATE"
    assert prepare(bench, encounter="week_8") not in (unit, second)


def test_a_unit_is_refused_where_the_product_is_not_given():
    bench = make_bench()
    release(bench)
    assert bench.refused(replace(PREPARE, encounter="week_4")).code == "SUP-ENCOUNTER"
    assert bench.refused(replace(PREPARE, product="nothing")).code == "SUP-PRODUCT"
    assert bench.refused(replace(PREPARE, prepared_on=DAY + timedelta(days=1))).code == "SUP-DATE"


def test_a_product_from_the_shelf_needs_no_lot():
    bench = make_bench(product())
    (entry,) = bench.do(replace(PREPARE, product="saline"))
    assert entry.content["lot"] is None
    (given,) = bench.do(
        AdministerUnit(unit=str(entry.content["unit"]), participant="SE01-001", given_on=DAY, values={})
    )
    assert given.content["product"] == "saline"


@pytest.mark.requirement("G9")
def test_spec_the_record_of_a_unit_is_the_same_for_both_arms():
    entries = []
    for arm in ("cells_first", "vehicle_first"):
        bench = make_bench()
        bench.arms = {"SE01-001": arm}
        release(bench)
        bench.do(give(prepare(bench)))
        entries.append([entry.body for entry in bench.entries])
    assert entries[0] == entries[1]


def test_spec_what_a_unit_holds_follows_from_the_arm():
    definition = product()
    found = {
        (arm, encounter): content_of_unit(definition, arm, encounter)
        for arm in ("cells_first", "vehicle_first")
        for encounter in ("week_0", "week_8")
    }
    assert found == {
        ("cells_first", "week_0"): ("cells",),
        ("cells_first", "week_8"): ("vehicle",),
        ("vehicle_first", "week_0"): ("vehicle",),
        ("vehicle_first", "week_8"): ("cells",),
    }
    assert content_of_unit(definition, "cells_first", "week_0", "saline") == ()
    assert content_of_unit(definition, "cells_first", "week_8", "saline") == ("vehicle",)
    for arm, encounter in (("nowhere", "week_0"), ("cells_first", "nowhere")):
        with pytest.raises(LookupError, match="nowhere"):
            content_of_unit(definition, arm, encounter)


@pytest.mark.requirement("P6")
def test_spec_a_unit_made_for_another_participant_is_not_given():
    bench = make_bench()
    release(bench)
    unit = prepare(bench)
    refusal = bench.refused(give(unit, "SE01-002"))
    assert refusal.code == "SUP-IDENTITY"
    assert "SE01-001" not in str(refusal)


def test_a_unit_whose_lot_is_somebody_elses_is_not_given():
    bench = make_bench()
    release(bench)
    other = release(bench, "SE01-002")
    unit = prepare(bench)
    bench.tables.put(replace(bench.tables.require(UnitRow, unit), lot=other))
    assert bench.refused(give(unit)).code == "SUP-IDENTITY"


def test_spec_a_unit_is_given_once():
    bench = make_bench()
    release(bench)
    unit = prepare(bench)
    bench.do(give(unit))
    assert bench.refused(give(unit)).code == "SUP-UNIT"
    assert bench.refused(DiscardUnit(unit=unit, cause="Late")).code == "SUP-UNIT"
    assert bench.refused(give("B-0")).code == "SUP-UNIT"


def test_administration_is_refused_out_of_turn():
    bench = make_bench()
    lot = release(bench)
    unit = prepare(bench)
    for day in (DAY - timedelta(days=1), DAY + timedelta(days=1)):
        assert bench.refused(give(unit, given_on=day)).code == "SUP-DATE"
    assert bench.refused(give(unit, minutes=0)).code == "SUP-VALUE"
    assert bench.refused(DiscardUnit(unit=unit, cause=" ")).code == "SUP-TEXT"
    bench.do(FailLot(lot=lot, failed_on=DAY, cause="Contaminated"))
    assert bench.refused(give(unit)).code == "SUP-LOT-STATE"


def test_spec_what_would_unmask_is_kept_apart_whether_or_not_it_was_answered():
    forms = tuple(
        replace(
            form,
            unmasking=False,
            items=(
                item("minutes", "integer"),
                item("reaction", "boolean", required=False),
                item("colour", "text", required=False, unmasking=True),
            ),
        )
        if form.id == "infusion"
        else form
        for form in make_definition().forms
    )
    bench = make_bench(make_definition(forms=forms))
    release(bench)
    for encounter, values in (("week_0", {"colour": "cloudy"}), ("week_8", {})):
        unit = prepare(bench, encounter=encounter)
        seen, hidden = bench.do(give(unit, **values))
        assert (KINDS[seen.kind].audience, KINDS[hidden.kind].audience) == (
            Audience.CONDUCT,
            Audience.PRODUCT,
        )
        assert seen.content["item_values"] == {"minutes": 30}
        assert hidden.content["item_values"] == values
        assert bench.tables.require(UnitRow, unit).item_values == {"minutes": 30} | values


def test_spec_of_a_form_that_unmasks_nothing_is_seen():
    bench = make_bench()
    release(bench)
    seen, hidden = bench.do(give(prepare(bench)))
    assert (seen.content["item_values"], hidden.content["item_values"]) == ({}, {"minutes": 30})


def test_records_of_a_product_that_left_the_study_are_refused():
    bench = make_bench()
    lot, other = release(bench), collect(bench, "SE01-002")
    unit = prepare(bench)
    made = collect(bench, "SE01-003")
    bench.do(manufacture(made))
    bench.definition = make_definition(supply=Supply())
    for command in (manufacture(other), ReleaseLot(lot=made, released_on=DAY), give(unit), PREPARE):
        assert bench.refused(command).code == "SUP-PRODUCT"
    bench.do(FailLot(lot=lot, failed_on=DAY, cause="The product was given up"))


def test_the_tables_follow_from_the_entries():
    bench = make_bench()
    release(bench)
    bench.do(give(prepare(bench)))
    bench.do(DiscardUnit(unit=prepare(bench, encounter="week_8"), cause="Dropped"))
    bench.do(FailLot(lot=collect(bench, "SE01-002"), failed_on=DAY, cause="Contaminated"))
    assert bench.replayed() == bench.tables.dump()
