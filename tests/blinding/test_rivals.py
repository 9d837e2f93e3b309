"""How other systems betrayed allocations, and why this one does not: one short test for each lesson."""

from dataclasses import replace

import pytest

from equipoise.access.actor import Actor
from equipoise.access.content import KINDS
from equipoise.access.permissions import PERMITTED
from equipoise.access.visibility import UNMASKING, viewer_of
from equipoise.conduct.versions import Versions
from equipoise.conduct.view import MaskedView
from equipoise.definition.expression import parse_text
from equipoise.definition.lint import lint
from equipoise.definition.model.eligibility import Criterion
from equipoise.enrolment.commands import ConsentParticipant
from equipoise.supply.state import UnitRow
from tests.blinding.reach import make_command, public_names, read_views
from tests.blinding.worlds import World, make_worlds


@pytest.fixture
def world() -> World:
    return make_worlds("betraying")[0]


def data_manager(world: World) -> Actor:
    return next(actor for actor in world.masked if actor.role == "data_manager")


@pytest.mark.requirement("G10", "R1")
def test_the_audit_trail_shows_a_masked_role_no_allocation_redcap_267(world: World) -> None:
    trial = world.at(world.points[-1])
    arms = [arm.id for arm in world.definition.study.arms]
    for actor in world.masked:
        for line in trial.as_seen_by(actor).audit():
            assert KINDS[line.kind].audience not in UNMASKING
            assert not any(arm in repr(line) for arm in arms)


@pytest.mark.requirement("G10", "R2")
def test_the_right_to_randomise_brings_no_right_to_see_redcap(world: World) -> None:
    for role in world.definition.study.roles:
        if role.kind in PERMITTED["RandomiseParticipant"] and role.masked:
            viewer = viewer_of(world.definition, Actor("one", role.id, "SE01"), unblinded=False)
            assert not viewer.audiences & UNMASKING


@pytest.mark.requirement("R3")
def test_an_item_that_a_later_version_marks_as_unmasking_is_hidden_where_it_was_saved_viedoc(
    world: World,
) -> None:
    trial = world.at(world.points[-1])
    form = world.definition.form("vitals")
    assert form is not None
    marked = replace(form, items=tuple(replace(item, unmasking=item.id == "weight") for item in form.items))
    forms = tuple(marked if each.id == "vitals" else each for each in world.definition.forms)
    later = replace(world.definition, forms=forms)
    viewer = viewer_of(later, data_manager(world), unblinded=False)
    view = MaskedView(Versions(later), trial.tables, trial.ledger, trial.trail, viewer, trial.coder)
    records = [line for person in view.participants() for line in view.records(person.participant)]
    assert any(line.form == "vitals" and "systolic" in line.values for line in records)
    assert not any("weight" in line.values or "weight" in line.entered for line in records)
    assert not any(row.values.get("weight") for person in view.cut().participants for row in person.rows)
    shown = [line.content for line in view.audit() if line.content.get("form") == "vitals"]
    assert any("systolic" in content.get("item_values", {}) for content in shown)
    assert not any("weight" in content.get("item_values", {}) for content in shown)
    assert not any(content.get("item") == "weight" and "after" in content for content in shown)


@pytest.mark.requirement("R4")
def test_a_question_that_hangs_on_the_arm_is_found_when_it_is_written_castor(world: World) -> None:
    rule = Criterion(
        id="I9", number=9, category="inclusion", text="Marker low.", when=parse_text("labs.marker < 100")
    )
    eligibility = replace(
        world.definition.eligibility, criteria=(*world.definition.eligibility.criteria, rule)
    )
    codes = {problem.code for problem in lint(replace(world.definition, eligibility=eligibility))}
    assert "LINT-UNMASKING" in codes
    trial = world.at(world.points[-1])
    view = MaskedView(
        Versions(replace(world.definition, eligibility=eligibility)),
        trial.tables,
        trial.ledger,
        trial.trail,
        viewer_of(world.definition, data_manager(world), unblinded=False),
        trial.coder,
    )
    someone = view.participants()[0]
    explained = view.explain_eligibility(
        someone.participant, trial.moment(data_manager(world), None).now.date()
    )
    assert "I1" in explained
    assert "I9" not in explained


@pytest.mark.requirement("R5")
def test_the_order_of_unit_numbers_is_not_the_order_of_preparation_sealed_envelope(world: World) -> None:
    made = [str(entry.content["unit"]) for entry in world.ledger.read() if entry.kind == "UnitPrepared"]
    assert len(set(made)) == len(made) > 3
    assert made not in (sorted(made), sorted(made, reverse=True))


@pytest.mark.requirement("R6")
def test_a_masked_role_sees_no_inventory_medidata(world: World) -> None:
    assert not {"lots", "units"} & set(public_names(MaskedView))
    trial = world.at(world.points[0])
    prepared = {row.unit for row in trial.tables.all(UnitRow) if row.status != "given"}
    for actor in world.masked:
        seen = "".join(text for _, text in read_views(trial, actor))
        assert not any(unit in seen for unit in prepared)


@pytest.mark.requirement("R7")
def test_what_is_added_later_cannot_stay_outside_the_test_cdx_1720(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def label(view: MaskedView, printer: str) -> str:
        return printer

    monkeypatch.setattr(MaskedView, "label", label, raising=False)
    with pytest.raises(AssertionError, match="label"):
        list(read_views(world.at(world.points[0]), data_manager(world)))
    with pytest.raises(AssertionError, match="fields of"):
        make_command(ConsentParticipant, {}, 0)
