"""The look-ups of the model, and the rules that hold at a site on a day."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from equipoise.definition.expression import parse_text
from equipoise.definition.lint_study import draft_criteria
from equipoise.definition.load import load_study
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.fields import Condition, Quantity
from tests.definition.folders import write_study


@pytest.fixture(scope="module")
def definition(tmp_path_factory: pytest.TempPathFactory) -> StudyDefinition:
    folder: Path = write_study(tmp_path_factory.mktemp("study"))
    return load_study(folder).definition


def test_parts_are_found_by_name(definition: StudyDefinition) -> None:
    arm, role, form = definition.arm("magnesium_first"), definition.role("nurse"), definition.form("reading")
    assert arm is not None and arm.name == "Magnesium first"
    assert role is not None and role.kind == "nurse"
    assert form is not None and form.title == "Reading of a night recording"
    assert definition.analysis.endpoint("wakes") is definition.analysis.endpoints[0]
    assert definition.analysis.analysis_set("full") is definition.analysis.sets[0]
    assert definition.supply.product("capsules") is definition.supply.products[0]
    assert definition.schedule.encounter("week_4") is definition.schedule.encounters[2]
    assert definition.schedule.forms_at("screening") == ("demography", "baseline")
    assert definition.study.masking.level == "quadruple"


def test_an_arm_is_shown_under_its_short_name_where_it_has_one(definition: StudyDefinition) -> None:
    arm = replace(definition.study.arms[0], name="Active then placebo", short_name=None)
    assert arm.label == "Active then placebo"
    assert replace(arm, short_name="AP").label == "AP"


def test_a_site_follows_its_own_variant_or_that_of_its_sub_trial(definition: StudyDefinition) -> None:
    assert [definition.variant_of(site) for site in ("SE01", "DK01", "NO01")] == [None, "denmark", None]


def test_a_variant_holds_from_its_approval_on(definition: StudyDefinition) -> None:
    rules = definition.eligibility.rules_for
    common = definition.eligibility.criteria
    assert rules(None, date(2024, 3, 1)) == common
    assert rules("denmark", date(2024, 2, 29)) == common
    danish = rules("denmark", date(2024, 3, 1))
    assert [criterion.id for criterion in danish] == ["I1", "I2", "E1"]
    assert danish[0].text == "Age 18 to 65 years"


def test_an_expression_that_was_read_is_taken_as_it_is() -> None:
    node = parse_text("a + 1")
    for kind in (Condition, Quantity):
        assert TypeAdapter(kind).validate_python(node) is node


def test_a_plan_compares_all_answers_with_their_source_or_those_to_critical_items_or_none(
    definition: StudyDefinition,
) -> None:
    form = definition.form("reading")
    assert form is not None
    plain, critical = (replace(form.items[0], critical=each) for each in (False, True))
    asked = {
        plan: [replace(form, source_verification=plan).to_verify(item) for item in (plain, critical)]
        for plan in ("all", "critical", "none")
    }
    assert asked == {"all": [True, True], "critical": [False, True], "none": [False, False]}


def test_draft_criteria_are_those_without_a_condition_each_once(definition: StudyDefinition) -> None:
    eligibility = definition.eligibility
    assert draft_criteria(eligibility) == ()
    draft = replace(eligibility.criteria[0], when=None)
    variant = replace(eligibility.variants[0], criteria=(draft, replace(draft, id="D1")))
    changed = replace(
        eligibility,
        criteria=(draft, *eligibility.criteria[1:]),
        variants=(variant, *eligibility.variants[1:]),
    )
    assert draft_criteria(changed) == (draft.id, "D1")
