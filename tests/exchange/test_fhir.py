"""FHIR R5: valid by a second reader, complete, free of allocations, and what comes back from it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, get_args

import pytest
from fhir.resources import get_fhir_model_class
from fhir.resources.bundle import Bundle

from equipoise.access.refusal import Refused
from equipoise.analysis.cut import DataCut
from equipoise.analysis.derive import mask_cut
from equipoise.definition.model.study import ArmType, Phase
from equipoise.exchange.fhir import check_bundle, fhir_ndjson, fhir_text, write_fhir
from equipoise.exchange.fhir.check import REQUIRED_CODES
from equipoise.exchange.fhir.codes import ARM_TYPES, PHASES, SUBJECT_STATE, VISIT_WINDOW
from equipoise.exchange.fhir.tree import Tree
from tests.analysis.cuts import swap_arms
from tests.blinding.worlds import World, make_worlds
from tests.exchange.e2b_cases import rehearsed
from tests.exchange.fhir_bundles import bundle, objects, resources, shipped, study_of

# -- against a second reader


def plain(value: object) -> object:
    """A value as JSON has it, numbers by what they are worth."""
    if isinstance(value, dict):
        return {key: plain(below) for key, below in value.items()}
    if isinstance(value, list):
        return [plain(below) for below in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    return value


@pytest.mark.parametrize("kind", ["shipped", "full", "crossover"])
def test_double_fhir_resources_reads_what_is_written_and_writes_the_same(kind: str) -> None:
    model = Bundle.model_validate(bundle(kind))
    assert plain(json.loads(model.model_dump_json())) == plain(bundle(kind))


@pytest.mark.parametrize("kind", ["shipped", "full", "crossover", "parallel", "single"])
def test_spec_required_codes_references_and_links_hold(kind: str) -> None:
    assert check_bundle(bundle(kind)) == ()


def test_double_the_codes_of_an_element_are_those_that_fhir_resources_lists() -> None:
    checked = 0
    for path, codes in REQUIRED_CODES.items():
        kind, *steps = path.split(".")
        owner = get_fhir_model_class("".join([kind, *(step[0].upper() + step[1:] for step in steps[:-1])]))
        schema = owner.model_fields[steps[-1]].json_schema_extra
        listed = schema.get("enum_values") if isinstance(schema, dict) else None
        assert isinstance(listed, list)
        if "+" not in listed:
            checked += 1
            assert codes <= set(listed) or path == "Bundle.type", path
    assert checked > 12


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda each: each.update(status="ready"), "ResearchStudy.status: ready"),
        (lambda each: each.update(id="no id"), "no id is not an id"),
        (
            lambda each: each["protocol"].append({"reference": "urn:uuid:0"}),
            "ResearchStudy.protocol.reference: urn:uuid:0 is not in the bundle",
        ),
        (
            lambda each: each["associatedParty"][0].update(role={"text": "Sponsor"}),
            "ResearchStudy.associatedParty.role: no code",
        ),
        (
            lambda each: each["comparisonGroup"].append(each["comparisonGroup"][0]),
            "stands twice",
        ),
    ],
)
def test_spec_the_check_finds(spoil: Any, problem: str) -> None:
    tree = json.loads(json.dumps(bundle("crossover")))
    spoil(study_of(tree))
    assert any(problem in each for each in check_bundle(tree))


def test_spec_the_check_finds_links_that_go_nowhere_and_entries_that_stand_twice() -> None:
    tree = json.loads(json.dumps(bundle("shipped")))
    form = next(each for each in resources(tree, "Questionnaire") if "enableWhen" in json.dumps(each))
    item = next(each for each in objects(form) if "enableWhen" in each)
    item["enableWhen"][0] |= {"question": "nowhere", "operator": "like"}
    tree["entry"].append(tree["entry"][0])
    problems = " ".join(check_bundle(tree))
    assert "question: there is no nowhere" in problems
    assert "Questionnaire.item.enableWhen.operator: like" in problems
    assert "stands for two resources" in problems


# -- what is written


def test_spec_the_study_says_what_the_definition_says() -> None:
    study, definition = study_of(bundle("shipped")), shipped()
    assert study["title"] == definition.study.title
    assert study["recruitment"]["targetNumber"] == definition.study.planned_enrolment
    assert [each["name"] for each in study["comparisonGroup"]] == [a.name for a in definition.study.arms]
    assert len(study["site"]) == len(definition.study.sites) == len(resources(bundle("shipped"), "Location"))
    outcomes = definition.registry.outcomes if definition.registry else ()
    assert [each["name"] for each in study["outcomeMeasure"]] == [each.measure for each in outcomes]
    designs = {code["code"] for each in study["studyDesign"] for code in each.get("coding", [])}
    assert {"SEVCO:01001", "SEVCO:01012", "SEVCO:01003", "SEVCO:01060"} <= designs
    subs = [each for each in resources(bundle("shipped"), "ResearchStudy") if "partOf" in each]
    assert {each["name"] for each in subs} == {each.id for each in definition.study.sub_trials}


def test_spec_every_phase_and_every_type_of_arm_has_a_code() -> None:
    assert set(ARM_TYPES) == set(get_args(ArmType))
    assert {phase for phases in PHASES for phase in phases} == set(get_args(Phase))


def test_spec_a_visit_has_its_day_and_its_window() -> None:
    (plan,) = resources(bundle("shipped"), "PlanDefinition")
    for planned in shipped().schedule.encounters:
        link = f"encounter.{planned.id.replace('_', '-')}"
        (action,) = [each for each in objects(plan) if each.get("linkId") == link]
        (timing,) = action["relatedAction"]
        assert timing["targetId"] == f"anchor.{planned.anchor.replace('_', '-')}"
        assert timing["offsetDuration"]["value"] == abs(planned.day)
        (window,) = [each["valueRange"] for each in timing["extension"] if each["url"] == VISIT_WINDOW]
        assert window["low"]["value"] == planned.day - planned.early_days
        assert window["high"]["value"] == planned.day + planned.late_days
        forms = {each["definitionCanonical"] for each in objects(action) if "definitionCanonical" in each}
        urls = {each["name"]: each["url"] for each in resources(bundle("shipped"), "Questionnaire")}
        assert {urls[form] for form in shipped().schedule.forms_at(planned.id)} <= forms


def test_spec_every_item_is_asked_with_its_answers_and_limits() -> None:
    for form in shipped().forms:
        (found,) = [each for each in resources(bundle("shipped"), "Questionnaire") if each["name"] == form.id]
        items = {each["linkId"]: each for each in found["item"][0]["item"]}
        assert list(items) == [f"{form.id}.{item.id}" for item in form.items]
        for item in form.items:
            asked = items[f"{form.id}.{item.id}"]
            options = [each["valueCoding"]["code"] for each in asked.get("answerOption", [])]
            assert options == [code.code for code in item.codes]
            limits = {
                each["url"].rpartition("/")[2]: each.get("valueInteger", each.get("valueDecimal"))
                for each in asked.get("extension", [])
            }
            for name, limit in (("minValue", item.minimum), ("maxValue", item.maximum)):
                assert limits.get(name) == (None if limit is None else pytest.approx(Decimal(limit)))
            conditional = "enableWhen" in asked or "sdc-questionnaire-enableWhenExpression" in limits
            assert conditional == (item.when is not None)


def test_spec_every_criterion_stands_with_its_text_and_its_direction() -> None:
    rules = {
        each["name"]: each for each in resources(bundle("shipped"), "EvidenceVariable") if "name" in each
    }
    eligibility = shipped().eligibility
    wanted = {"eligibility": eligibility.criteria} | {
        each.id: eligibility.rules_for(each.id, each.approved_from) for each in eligibility.variants
    }
    for name, criteria in wanted.items():
        found = [each for each in rules[name]["characteristic"] if "description" in each]
        assert [(each["description"], each.get("exclude", False)) for each in found] == [
            (each.text, each.category == "exclusion") for each in criteria
        ]


def test_spec_an_event_is_told_with_everything_that_was_recorded() -> None:
    (event,) = resources(bundle("full"), "AdverseEvent")
    assert event["code"]["text"] == "Fever, with a rash & < 3 °C"
    assert event["occurrencePeriod"] == {"start": "2024-02-03", "end": "2024-02-09"}
    assert event["detected"] == "2024-02-05"
    assert event["recordedDate"] == "2024-02-06T10:11:12Z"
    assert event["seriousness"]["coding"][0]["code"] == "serious"
    assert event["outcome"][0]["coding"][0]["code"] == "fatal"
    assert event["expectedInResearchStudy"] is False
    assert event["status"] == "completed"
    (suspect,) = event["suspectEntity"]
    assert suspect["causality"]["entityRelatedness"]["coding"][0]["code"] == "possible"
    (patient,) = resources(bundle("full"), "Patient")
    assert patient["deceasedBoolean"] is True
    assert "name" not in patient


def states(subject: Mapping[str, Any]) -> list[str]:
    found = [each.get("subjectState", {}).get("coding", []) for each in subject["progress"]]
    return [code["code"] for codes in found for code in codes if code["system"] == SUBJECT_STATE]


def test_spec_a_subject_goes_through_the_states_of_the_trial() -> None:
    cut = rehearsed("crossover")
    subjects = {
        each["identifier"][0]["value"]: each for each in resources(bundle("crossover"), "ResearchSubject")
    }
    assert set(subjects) == {each.participant for each in cut.participants}
    ends = {"completed": "off-study", "withdrawn": "withdrawn"}
    for person in cut.participants:
        subject = subjects[person.participant]
        assert states(subject)[0] == "screening"
        if person.status == "failed":
            assert states(subject)[-1] in ("ineligible", "not-registered")
        else:
            assert states(subject)[-1] == ends[person.status]
            assert "on-study" in states(subject)
        assert subject["period"]["start"] == person.consented_on.isoformat()


# -- what nobody may learn from it


def test_spec_the_arm_of_a_subject_is_a_group_of_the_study_where_it_may_be_told() -> None:
    groups = {each["linkId"] for each in study_of(bundle("crossover"))["comparisonGroup"]}
    subjects = resources(bundle("crossover"), "ResearchSubject")
    assigned = {each["assignedComparisonGroup"] for each in subjects if "assignedComparisonGroup" in each}
    assert assigned == groups


@pytest.mark.parametrize("kind", ["crossover", "parallel"])
def test_law_a_masked_bundle_is_the_same_whichever_arm_is_which(kind: str) -> None:
    cut = rehearsed(kind)
    masked = fhir_text(write_fhir(cut.definition, mask_cut(cut)))
    assert masked == fhir_text(write_fhir(cut.definition, mask_cut(swap_arms(cut))))
    assert "ComparisonGroup" not in masked.replace("comparisonGroup", "")
    unmasked, swapped = (fhir_text(write_fhir(cut.definition, each)) for each in (cut, swap_arms(cut)))
    assert unmasked != swapped


def test_law_no_masked_role_can_tell_an_arm_from_a_bundle() -> None:
    """The arm-swap test: every bundle that any masked account can have made, in both worlds."""
    plain_world, swapped = make_worlds("betraying")
    made = [list(_bundles(world)) for world in (plain_world, swapped)]
    assert made[0]
    assert made[0] == made[1]


def _bundles(world: World) -> Iterator[str]:
    for point in world.points:
        for actor in world.masked:
            try:
                cut: DataCut = world.at(point).as_seen_by(actor).cut()
            except Refused:
                continue
            written: Tree = write_fhir(cut.definition, cut)
            yield fhir_text(written)
            yield fhir_ndjson(written)


# -- form of the files


def test_spec_the_same_cut_makes_the_same_bytes_and_an_id_stays_in_every_version() -> None:
    cut = rehearsed("parallel")
    again = fhir_text(write_fhir(cut.definition, replace(cut)))
    assert again == fhir_text(write_fhir(cut.definition, cut))
    before = {each["fullUrl"] for each in write_fhir(cut.definition)["entry"]}  # type: ignore[attr-defined]
    assert before <= {each["fullUrl"] for each in json.loads(again)["entry"]}


def test_spec_of_lines_each_is_a_resource_and_references_go_to_kind_and_id() -> None:
    tree = bundle("crossover")
    lines = [json.loads(line) for line in fhir_ndjson(tree).splitlines()]
    assert len(lines) == len(tree["entry"])
    known = {f"{each['resourceType']}/{each['id']}" for each in lines}
    references = {
        each["reference"]
        for line in lines
        for each in objects(line)
        if isinstance(each.get("reference"), str)
    }
    assert references
    assert references <= known
    for line in lines:
        get_fhir_model_class(line["resourceType"]).model_validate(line)
