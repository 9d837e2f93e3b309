"""Studies that differ from the written ones in one respect each rehearse as they are, to the unblinding."""

from dataclasses import replace
from decimal import Decimal

import pytest

from equipoise.definition.lock import hashed
from equipoise.definition.model.conduct import Supply
from equipoise.enrolment.state import ParticipantRow
from equipoise.rehearsal.rehearse import rehearse
from tests.rehearsal.folders import load


def with_product(study, **changes):
    product = replace(study.supply.products[0], **changes)
    return replace(study, supply=replace(study.supply, products=(product,)))


def with_faults(study, **changes):
    plan = study.rehearsal
    return replace(study, rehearsal=replace(plan, faults=replace(plan.faults, **changes)))


def with_roles(study, changed):
    return replace(
        study, study=replace(study.study, roles=tuple(filter(None, map(changed, study.study.roles))))
    )


def with_form(study, name, **changes):
    forms = tuple(replace(form, **changes) if form.id == name else form for form in study.forms)
    return replace(study, forms=forms)


def lots_fail_after_randomisation():
    study = with_product(load("mesems"), released_before_randomisation=False)
    return with_faults(study, lot_failure=Decimal("0.5"))


def material_is_collected_after_randomisation():
    changes = {"collected_at": "week_0", "dispensed_at": ("week_8", "week_24")}
    return with_product(load("mesems"), released_before_randomisation=False, **changes)


def with_readers(number):
    study = load("mesems")
    assert study.imaging is not None
    return replace(study, imaging=replace(study.imaging, readers=number))


def one_reader():
    return with_readers(1)


def three_readers():
    return with_readers(3)


def one_laboratory_for_all_sites():
    makers = ("laboratory", "infuser")
    return with_roles(
        load("mesems"), lambda role: replace(role, scope="trial") if role.kind in makers else role
    )


def only_the_roles_that_must_be_there():
    spared = ("nurse", "monitor", "safety_desk", "safety_board", "unblinded_statistician")
    return with_roles(load("mesems"), lambda role: None if role.kind in spared else role)


def nobody_is_masked():
    return with_roles(load("tern"), lambda role: replace(role, masked=False))


def the_schedule_is_written_backwards():
    study = load("tern")
    encounters = tuple(reversed(study.schedule.encounters))
    return replace(study, schedule=replace(study.schedule, encounters=encounters))


def an_item_is_hidden_from_those_who_fill_in_its_form():
    study = load("tern")
    pain = study.form("pain")
    assert pain is not None
    items = tuple(replace(item, unmasking=item.id == "tablets") for item in pain.items)
    return with_form(study, "pain", items=items)


def an_unmasking_form_is_filled_in_by_those_who_may_see_it():
    study = with_form(load("tern"), "walking", unmasking=True, filled_by=("infuser",))
    return with_faults(study, entry_error=Decimal("0.5"))


def safety_is_not_described():
    return replace(load("tern"), safety=None)


def nothing_is_given_from_which_visits_count():
    return replace(load("wren"), supply=Supply())


SHAPES = (
    lots_fail_after_randomisation,
    material_is_collected_after_randomisation,
    one_reader,
    three_readers,
    one_laboratory_for_all_sites,
    only_the_roles_that_must_be_there,
    nobody_is_masked,
    the_schedule_is_written_backwards,
    an_item_is_hidden_from_those_who_fill_in_its_form,
    an_unmasking_form_is_filled_in_by_those_who_may_see_it,
    safety_is_not_described,
    nothing_is_given_from_which_visits_count,
)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_a_study_of_another_shape_rehearses(shape):
    result = rehearse(hashed(shape()), seed=2, scenario="hoped", participants=4)
    assert result.randomised == 4
    assert result.trial.unblinded
    ended = [row.status for row in result.trial.tables.all(ParticipantRow)]
    assert set(ended) <= {"completed", "withdrawn", "failed"}
