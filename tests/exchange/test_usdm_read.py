"""USDM 4.0 as it is read: the published pilot study, this program's own files, and files that are broken."""

import copy
import json
import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from equipoise.definition.load import read_part
from equipoise.definition.model.eligibility import Eligibility
from equipoise.definition.model.forms import Form
from equipoise.definition.model.schedule import Schedule
from equipoise.definition.model.study import Study
from equipoise.definition.source import read_folder
from equipoise.exchange.made import MadeFile, write_folder, yaml_text
from equipoise.exchange.unreadable import FileUnreadable
from equipoise.exchange.usdm import ReadStudy, html, read_usdm, usdm_text, write_usdm
from equipoise.exchange.usdm import tree as usdm_tree
from equipoise.exchange.usdm.html import plain_text
from tests.exchange.losses import compare_parts
from tests.exchange.usdm_files import (
    FOLDERS,
    PILOT,
    definition_of,
    design_of,
    objects,
    text_of,
    tree_of,
    version_of,
    with_external,
)

# What USDM has no place for, in which conditions, models and the conduct of the trial go.
LOST = re.compile(
    r"(allocation|imaging|safety|sample_size|rehearsal|datasets)\.yaml .*"
    r"|study\.yaml (assumptions\[\].*|identifiers\[\]\.note)"
    r"|eligibility\.yaml (variables\..*|(variants\[\]\.)?criteria\[\]\.when.*)"
    r"|forms/\*\.yaml (checks\[\].*|items\[\]\.when.*)"
    r"|analysis\.yaml (variables|baseline\[\]|profiles\[\]|logs\[\]|testing)\..*"
    r"|analysis\.yaml sets\[\]\.(requires|reasons)\..*"
    r"|analysis\.yaml endpoints\[\]\.(analysis|sensitivity)\..*"
    r"|registry\.yaml (outcomes\[\]|contradictions\[\]|dates)\..*"
    r"|registry\.yaml (overall_status|enrolment_count|enrolment_type|publications\[\]\.note)"
    r"|supply\.yaml products\[\]\.(collected_at|\w+_form|manufacture_days_\w+|released_before_randomisation"
    r"|release\[\]\..*|prepared_by\[\]|given_by\[\])"
    # An activity's encounters come back in the order of the schedule.
    r"|schedule\.yaml activities\[\]\.encounters\[\]"
)


@pytest.fixture
def saved(tmp_path: Path):
    def save(content: str | bytes | dict[str, Any]) -> Path:
        path = tmp_path / "study.json"
        if isinstance(content, dict):
            content = json.dumps(content)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return save


@cache
def pilot() -> ReadStudy:
    return read_usdm(PILOT)


def texts_of(study: ReadStudy) -> dict[str, str]:
    return dict(study.not_understood)


@with_external
def test_published_the_pilot_study_gives_study_arms_epochs_and_cells():
    study: Any = pilot().parts["study.yaml"]
    assert (study["id"], study["acronym"], study["version"]) == ("cdisc_pilot_lzzt", "LZZT", "2")
    assert study["official_title"].startswith("Safety and Efficacy of the Xanomeline Transdermal")
    assert (study["type"], study["phases"], study["model"]) == ("interventional", ["phase_2"], "parallel")
    assert study["planned_enrolment"] == 300
    assert study["identifiers"] == [
        {"registry": "Sponsor", "value": "H2Q-MC-LZZT"},
        {"registry": "ClinicalTrials.gov", "value": "NCT12345678"},
    ]
    assert study["sponsor"] == {"name": "Eli Lilly", "kind": "sponsor"}
    assert study["conditions"] == ["Alzheimer's disease"]
    assert [(epoch["id"], epoch["type"]) for epoch in study["epochs"]] == [
        ("screening", "screening"),
        ("treatment_1", "treatment"),
        ("treatment_2", "treatment"),
        ("treatment_3", "treatment"),
        ("follow_up", "follow_up"),
    ]
    assert [arm["type"] for arm in study["arms"]] == [
        "placebo_comparator",
        "active_comparator",
        "active_comparator",
    ]
    assert all(list(arm["cells"]) == [epoch["id"] for epoch in study["epochs"]] for arm in study["arms"])
    assert study["interventions"] == [
        {"id": "xinoniline", "name": "Xinomiline", "type": "drug", "text": "Xinomiline"}
    ]
    assert study["sites"] == [
        {"id": "GB01", "name": "Site One", "city": "city", "country": "GB", "time_zone": "Europe/London"}
    ]


@with_external
def test_published_the_pilot_study_gives_encounters_with_days_windows_and_activities():
    schedule: Any = pilot().parts["schedule.yaml"]
    encounters = {one["name"]: one for one in schedule["encounters"]}
    assert len(encounters) == 12
    assert encounters["Screening 1"] == {
        "id": "e1",
        "name": "Screening 1",
        "epoch": "screening",
        "anchor": "first_administration",
        "day": -14,
    }
    assert encounters["Baseline"]["day"] == 0
    week_8 = encounters["Week 8"]
    assert (week_8["day"], week_8["early_days"], week_8["late_days"]) == (56, 3, 3)
    assert (encounters["Week 24"]["day"], encounters["Week 24"]["early_days"]) == (168, 4)
    # A window of four hours has no place in whole days: the file keeps it.
    assert "early_days" not in encounters["Screening 2"]
    assert "PT4H" in texts_of(pilot()).values()
    activities = {one["name"]: one for one in schedule["activities"]}
    assert len(activities) == 36
    assert activities["Informed consent"]["encounters"] == ["e1"]
    assert len(activities["Hematology"]["encounters"]) > 3


@with_external
def test_published_the_pilot_study_gives_criteria_endpoints_and_estimands():
    criteria: Any = pilot().parts["eligibility.yaml"]["criteria"]
    assert [one["category"] for one in criteria].count("inclusion") == 8
    assert [one["category"] for one in criteria].count("exclusion") == 23
    assert criteria[0]["text"] == "Males and postmenopausal females at least 50 years of age."
    assert "- Large vessel strokes" in criteria[4]["text"]
    assert len({one["id"] for one in criteria}) == 31
    analysis: Any = pilot().parts["analysis.yaml"]
    roles = [one["role"] for one in analysis["endpoints"]]
    assert (roles.count("primary"), roles.count("secondary")) == (5, 6)
    assert analysis["endpoints"][0]["estimand"] == "est1"
    event = analysis["estimands"][0]["intercurrent_events"][0]
    assert (event["event"], event["strategy"]) == ("Temporary Treatment Interruption", "treatment_policy")


@with_external
def test_published_the_pilot_study_gives_forms_of_its_biomedical_concepts():
    form: Any = pilot().parts["forms/sex.yaml"]
    assert form["items"][0] == {
        "id": "sex",
        "label": "Sex",
        "type": "choice",
        "codes": [{"code": "C20197", "label": "Male"}, {"code": "C16576", "label": "Female"}],
    }
    assert sum(name.startswith("forms/") for name in pilot().parts) == 32


@with_external
def test_published_nothing_of_the_pilot_study_is_dropped_silently():
    """Each text stands in the parts or in what was not understood, but for handles, links and measures."""
    tree = json.loads(PILOT.read_text(encoding="utf-8"))
    handles = {"id", "instanceType", "name", "label", "usdmVersion", "datatype", "tag"}
    measures = {"value", "windowLower", "windowUpper", "valueLabel", "strategy"}
    kept = json.dumps(pilot().parts, ensure_ascii=False)
    left = set(texts_of(pilot()).values())
    for path, node in objects(tree):
        for key, value in node.items() if node.get("instanceType") != "Code" else ():
            if isinstance(value, str) and value and key not in handles | measures and not key.endswith("Id"):
                words = " ".join(re.sub(r"<[^>]*>", " ", value).split())[:20]
                assert value in left or words in kept or "<usdm:" in value, f"{path}.{key}"


@pytest.mark.parametrize("name", FOLDERS)
def test_spec_a_study_comes_back_but_for_what_usdm_has_no_place_for(name, saved):
    study = read_usdm(saved(text_of(name)))
    source, _ = read_folder(FOLDERS[name])
    before = {file: one.data for file, one in source.files.items() if not file.startswith("languages/")}
    kinds = compare_parts(before, study.parts)
    lost = [f"{one.file} {one.pattern}" for one in kinds if one.kept < one.leaves]
    assert [kind for kind in lost if not LOST.fullmatch(kind)] == []
    assert sum(one.kept for one in kinds if one.file == "study.yaml") > 20


@pytest.mark.parametrize("name", FOLDERS)
def test_spec_the_draft_of_an_own_file_is_in_the_form_of_a_study_folder(name, saved, tmp_path):
    study = read_usdm(saved(text_of(name)))
    files = [MadeFile(file, yaml_text(part).encode()) for file, part in study.parts.items()]
    write_folder(files, tmp_path / "draft")
    source, _ = read_folder(tmp_path / "draft")
    owners = {"study.yaml": Study, "eligibility.yaml": Eligibility, "schedule.yaml": Schedule}
    for file, part in source.files.items():
        owner = owners.get(file, Form if file.startswith("forms/") else None)
        if owner is not None:
            read, problems = read_part(part, owner)
            assert problems == []
            assert read is not None
    written = definition_of(name)
    study_read, _ = read_part(source.files["study.yaml"], Study)
    empty = dict.fromkeys((epoch.id for epoch in written.study.epochs), ())
    arms = tuple(replace(arm, cells=empty | arm.cells) for arm in written.study.arms)
    noteless = tuple(replace(number, note=None) for number in written.study.identifiers)
    assert study_read == replace(written.study, assumptions=(), identifiers=noteless, arms=arms)


def test_spec_of_an_own_file_only_rules_in_words_have_no_place(saved):
    left = {re.sub(r"\[\d+\]", "", path) for path in texts_of(read_usdm(saved(text_of("mesems"))))}
    version = "$.study.versions"
    assert left == {
        f"{version}.eligibilityCriterionItems.description",
        f"{version}.studyDesigns.analysisPopulations.text",
        *(f"{version}.dictionaries.{key}" for key in ("name", "label")),
        *(f"{version}.dictionaries.parameterMaps.{key}" for key in ("tag", "reference")),
    }


def test_spec_an_unmasking_form_and_item_stay_so(saved):
    parts = read_usdm(saved(text_of("mesems"))).parts
    for form in definition_of("mesems").forms:
        read: Any = parts[f"forms/{form.id}.yaml"]
        assert bool(read.get("unmasking")) == form.unmasking
        assert [bool(one.get("unmasking")) for one in read["items"]] == [one.unmasking for one in form.items]


@given(
    st.sampled_from(("consent", "randomisation", "first_administration")),
    st.lists(st.integers(-400, 400), min_size=1, max_size=5, unique=True),
    st.integers(0, 30),
    st.integers(0, 30),
)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_law_days_windows_and_anchors_come_back(saved, anchor, days, early, late):
    base = definition_of("crossover")
    first = base.schedule.encounters[0]
    encounters = tuple(
        replace(first, id=f"e{place}", day=day, early_days=early, late_days=late, anchor=anchor)
        for place, day in enumerate(sorted(days))
    )
    activities = tuple(replace(one, encounters=("e0",)) for one in base.schedule.activities)
    product = tuple(replace(one, dispensed_at=("e0",)) for one in base.supply.products)
    definition = replace(
        base,
        schedule=replace(base.schedule, encounters=encounters, activities=activities),
        supply=replace(base.supply, products=product),
    )
    schedule: Any = read_usdm(saved(usdm_text(write_usdm(definition)))).parts["schedule.yaml"]
    assert [
        (one["day"], one["anchor"], one.get("early_days", 0), one.get("late_days", 0))
        for one in schedule["encounters"]
    ] == [(day, anchor, early, late) for day in sorted(days)]


def test_spec_what_means_something_in_expressions_names_no_visit_and_no_form(saved):
    tree = tree_of("crossover")
    for node, name in zip(design_of(tree)["encounters"], ("Randomisation", "Where"), strict=False):
        node["name"] = name
    for node, name in zip(version_of(tree)["biomedicalConcepts"], ("participant", "at"), strict=False):
        node["name"] = name
    tree["systemName"] = "Another system"
    parts: Any = read_usdm(saved(tree)).parts
    names = [one["id"] for one in parts["schedule.yaml"]["encounters"]]
    assert names[:2] == ["randomisation_2", "where_2"]
    assert {"forms/participant_2.yaml", "forms/at_2.yaml"} <= parts.keys()


def test_spec_words_of_the_language_of_expressions_stay_the_names_of_own_items(saved):
    base = definition_of("crossover")
    form = base.forms[0]
    first, *others = form.items
    named = replace(form, items=(replace(first, id="from"), *others), checks=(), dated_by=None)
    definition = replace(base, forms=(named, *base.forms[1:]))
    read: Any = read_usdm(saved(usdm_text(write_usdm(definition)))).parts[f"forms/{form.id}.yaml"]
    assert read["items"][0]["id"] == "from"


def test_spec_sites_without_an_id_are_numbered_past_those_that_have_one(saved):
    tree = tree_of("mesems")
    sites = [
        place
        for organisation in version_of(tree)["organizations"]
        for place in organisation.get("managedSites") or ()
    ]
    country = sites[0]["name"][:2]
    sites[0]["name"] = "the first"
    for place in sites[1:3]:
        place["country"] |= {key: sites[0]["country"][key] for key in ("code", "decode")}
    sites[1]["name"], sites[2]["name"] = f"{country}01", "another"
    study: Any = read_usdm(saved(tree)).parts["study.yaml"]
    ids = [site["id"] for site in study["sites"]]
    assert ids[1] == f"{country}01"
    assert len(set(ids)) == len(ids)
    assert {ids[0], ids[2]}.isdisjoint(place["name"] for place in sites)


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<table><tr><th>A</th><td>B</td></tr><tr><td>C</td></tr></table>", "A B\nC"),
        ("<table><tr><td>A<td>B</table>", "A B"),
        ("<dl><dt>Term</dt><dd>What it is</dd><dt>Other</dt></dl>after", "Term\nWhat it is\nOther\nafter"),
        ("<p>H<sub>2</sub>O</p>", "H2O"),
    ],
)
def test_spec_cells_and_definitions_do_not_run_together(markup, text):
    assert plain_text(markup) == text


def test_spec_only_the_terms_that_a_text_has_are_looked_up(saved, monkeypatch):
    tree = tree_of("single")
    version = version_of(tree)
    item = version["eligibilityCriterionItems"][0]
    item["text"] = '<p>Older than <usdm:tag name="age"></usdm:tag> years</p>'
    item["dictionaryId"] = "terms"
    terms = [("age", "18"), *((f"term_{number}", "unused") for number in range(50))]
    version["dictionaries"] = [
        {
            "id": "terms",
            "name": "terms",
            "instanceType": "SyntaxTemplateDictionary",
            "parameterMaps": [
                {"id": f"of {tag}", "tag": tag, "reference": reference, "instanceType": "ParameterMap"}
                for tag, reference in terms
            ],
        }
    ]
    for other in version["eligibilityCriterionItems"][1:]:
        other["dictionaryId"] = "terms"
    looked_up: list[str | None] = []

    def value_of(entry) -> str | None:
        looked_up.append(entry.peek("tag"))
        return entry.peek("reference")

    monkeypatch.setattr(html, "_value_of", value_of)
    criteria: Any = read_usdm(saved(tree)).parts["eligibility.yaml"]["criteria"]
    assert criteria[0]["text"] == "Older than 18 years"
    assert looked_up == ["age"]


def test_spec_what_the_schema_does_not_name_is_listed_with_its_path(saved):
    tree = tree_of("single")
    design_of(tree)["arms"][0]["colour"] = "green"
    tree["study"]["versions"][0]["more"] = [{"deep": {"er": 3, "no": False, "nothing": None}}]
    left = texts_of(read_usdm(saved(tree)))
    assert left["$.study.versions[0].studyDesigns[0].arms[0].colour"] == "green"
    assert left["$.study.versions[0].more[0].deep.er"] == "3"
    assert left["$.study.versions[0].more[0].deep.no"] == "false"
    assert not any(path.endswith("nothing") for path in left)


def test_spec_optional_parts_may_be_missing(saved):
    tree = tree_of("single")
    version, design = version_of(tree), design_of(tree)
    for part in (version, design):
        for key in [key for key in part if key not in ("id", "instanceType", "studyDesigns")]:
            del part[key]
    del tree["study"]["documentedBy"]
    study = read_usdm(saved(tree))
    assert study.parts["study.yaml"]["id"] == definition_of("single").study.id
    assert "schedule.yaml" not in study.parts


def spoilt(change) -> dict[str, Any]:
    tree = copy.deepcopy(tree_of("single"))
    change(tree)
    return tree


def circle(tree: dict[str, Any]) -> None:
    timeline = design_of(tree)["scheduleTimelines"][0]
    timeline["instances"][-1]["defaultConditionId"] = timeline["entryId"]


def timing_circle(tree: dict[str, Any]) -> None:
    timings = design_of(tree)["scheduleTimelines"][0]["timings"]
    first, second = (one for one in timings if one["type"]["decode"] != "Fixed Reference")
    first["relativeToScheduledInstanceId"] = second["relativeFromScheduledInstanceId"]
    second["relativeToScheduledInstanceId"] = first["relativeFromScheduledInstanceId"]


def with_two_encounters(change):
    def spoil(tree: dict[str, Any]) -> None:
        timeline = design_of(tree)["scheduleTimelines"][0]
        timed = [one for one in timeline["timings"] if one["type"]["decode"] != "Fixed Reference"]
        fixed = [one for one in timeline["timings"] if one["type"]["decode"] == "Fixed Reference"]
        timeline["timings"] = [*fixed, *timed[:2]]
        change(tree)

    return spoil


BROKEN = {
    "USDM-DANGLING": lambda tree: design_of(tree)["studyCells"][0].update(armId="StudyArm_99"),
    "USDM-DUPLICATE-ID": lambda tree: design_of(tree)["arms"][0].update(id="StudyVersion_1"),
    "USDM-TYPE": lambda tree: design_of(tree)["arms"][0].update(label=["a", "list"]),
    "USDM-LOOP": circle,
    "USDM-VERSION": lambda tree: tree.update(usdmVersion="3.0.0"),
    "USDM-NO-VERSION": lambda tree: tree["study"].update(versions=[]),
    "USDM-NO-DESIGN": lambda tree: version_of(tree).update(studyDesigns=[]),
    "USDM-NOT-USDM": lambda tree: tree.pop("study"),
}


@pytest.mark.parametrize("code", BROKEN)
def test_spec_a_tree_that_does_not_hold_is_refused(code, saved):
    with pytest.raises(FileUnreadable) as refused:
        read_usdm(saved(spoilt(BROKEN[code])))
    assert refused.value.code == code
    assert refused.value.place.startswith("$") or code == "USDM-NOT-USDM"


def test_spec_timings_in_a_circle_are_refused(saved):
    with pytest.raises(FileUnreadable, match="USDM-LOOP"):
        read_usdm(saved(spoilt(with_two_encounters(timing_circle))))


FILES = {
    "JSON-INVALID": '{"study": {"id": "1", "versions": [',
    "JSON-ENCODING": b'{"study": {"name": "\xff"}}',
    "JSON-DUPLICATE": '{"study": {"name": "a", "name": "b"}}',
    "JSON-TOO-DEEP": '{"study": ' + "[" * 100_000 + "]" * 100_000 + "}",
    "JSON-NUMBER": '{"study": {"name": ' + "9" * 5_000 + "}}",
    "USDM-NOT-USDM": "[1, 2]",
    "FILE-EMPTY": "  \n",
}


@pytest.mark.parametrize("code", FILES)
def test_spec_a_file_that_is_no_tree_is_refused(code, saved):
    with pytest.raises(FileUnreadable) as refused:
        read_usdm(saved(FILES[code]))
    assert refused.value.code == code


def test_spec_a_number_that_json_does_not_have_and_half_a_character_are_refused(saved):
    for content, code in (
        (b'{"study": NaN}', "JSON-NUMBER"),
        (b'{"study": {"a": "\\ud800"}}', "JSON-ENCODING"),
    ):
        with pytest.raises(FileUnreadable, match=code):
            read_usdm(saved(content))


def test_spec_a_file_beyond_the_limits_is_refused_before_it_is_built(saved, monkeypatch):
    with pytest.raises(FileUnreadable, match="JSON-TOO-MANY"):
        read_usdm(saved('{"study": {"versions": [' + "0," * usdm_tree.VALUES_MAX + "0]}}"))
    monkeypatch.setattr(usdm_tree, "BYTES_MAX", 1_000)
    with pytest.raises(FileUnreadable, match="FILE-TOO-LARGE"):
        read_usdm(saved(" " * 2_000))


@given(st.integers(min_value=1))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_law_a_file_that_was_cut_off_is_refused(saved, place):
    content = text_of("single").encode().rstrip()
    with pytest.raises(FileUnreadable):
        read_usdm(saved(content[: place % len(content)]))


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=8), st.just([]), st.just({}), st.just([{}, 3])
)


@given(st.data())
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_law_a_value_of_another_kind_is_read_or_refused(saved, data):
    tree = tree_of("single")
    del tree["study"]["documentedBy"], version_of(tree)["narrativeContentItems"]
    version_of(tree)["biomedicalConcepts"] = version_of(tree)["biomedicalConcepts"][:2]
    for activity in design_of(tree)["activities"]:
        activity["biomedicalConceptIds"] = []
    spots = [(node, key) for _, node in objects(tree) for key in node]
    node, key = spots[data.draw(st.integers(0, len(spots) - 1))]
    node[key] = data.draw(VALUES)
    try:
        study = read_usdm(saved(tree))
    except FileUnreadable as refused:
        assert refused.code.startswith(("USDM-", "FILE-"))
    else:
        assert isinstance(study, ReadStudy)
        for part in study.parts.values():
            yaml_text(part)
