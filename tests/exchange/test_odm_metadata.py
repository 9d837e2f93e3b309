"""What ODM says of a study, and what of it comes back: nothing that the standard holds is lost."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from lxml import etree
from ruamel.yaml import YAML

from equipoise.definition.expression import parse_condition, parse_text, unparse
from equipoise.studies import study_folder
from tests.exchange.losses import Parts, compare_parts
from tests.exchange.odm_files import VERSIONS, read_back, written
from tests.rehearsal.folders import INVENTED, NAMES, load

KEPT_BY_BOTH = {
    "forms/*.yaml",
    "schedule.yaml encounters",
    "schedule.yaml logs",
    "schedule.yaml unscheduled",
    "study.yaml id",
    "study.yaml version",
    "study.yaml title",
    "study.yaml official_title",
    "study.yaml acronym",
    "eligibility.yaml variables",
    "analysis.yaml variables",
    "study.yaml sites[].id",
    "study.yaml sites[].name",
    "study.yaml epochs[].id",
    "study.yaml epochs[].name",
}
KEPT_BY_2 = {
    "study.yaml type",
    "study.yaml model",
    "study.yaml purpose",
    "study.yaml phases",
    "study.yaml randomised",
    "study.yaml planned_enrolment",
    "study.yaml conditions",
    "study.yaml sponsor.name",
    "study.yaml arms[].id",
    "study.yaml arms[].name",
    "study.yaml arms[].text",
    "study.yaml interventions[].id",
    "study.yaml interventions[].name",
    "study.yaml sites[].city",
    "study.yaml sites[].country",
    "eligibility.yaml age_minimum_years",
    "eligibility.yaml age_maximum_years",
    "eligibility.yaml sex",
    "eligibility.yaml criteria",
    "analysis.yaml endpoints[].title",
    "analysis.yaml endpoints[].time_frame",
    "analysis.yaml estimands[].title",
    "analysis.yaml estimands[].variable",
    "analysis.yaml estimands[].summary",
}


def folder_of(study: str) -> Path:
    return INVENTED / study if study in NAMES else study_folder(study)


@cache
def parts_of(study: str) -> Parts:
    folder = folder_of(study)
    reader = YAML(typ="safe")
    files = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*.yaml"))}
    held = {each.split(" ")[0] for each in KEPT_BY_BOTH | KEPT_BY_2} - {"forms/*.yaml"}
    return {
        name: canonical(reader.load(path))
        for name, path in files.items()
        if name in held or name.startswith("forms/")
    }


def canonical(node: object) -> object:
    """A tree in which each condition is its canonical text, however it was written."""
    if isinstance(node, list):
        return [canonical(below) for below in node]
    if not isinstance(node, dict):
        return node
    found = {key: canonical(below) for key, below in node.items()}
    found |= {key: unparse(parse_condition(node[key])) for key in ("when", "holds") if key in node}
    if isinstance(node.get("variables"), dict):
        found["variables"] = {
            name: unparse(parse_text(str(text))) for name, text in node["variables"].items()
        }
    return found


def _is_of(leaf: str, wanted: str) -> bool:
    return leaf == wanted or leaf.startswith((f"{wanted}.", f"{wanted}[", f"{wanted} "))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("study", [*NAMES, "mesems"])
def test_what_the_standard_holds_comes_back(study, version, tmp_path):
    back = read_back(written(load(study), version), tmp_path)
    after = {name: canonical(tree) for name, tree in back.parts.items()}
    wanted = KEPT_BY_BOTH | (KEPT_BY_2 if version == "2.0" else set())
    lost = [
        kind
        for kind in compare_parts(parts_of(study), after)
        if kind.kept < kind.leaves and any(_is_of(f"{kind.file} {kind.pattern}", each) for each in wanted)
    ]
    assert lost == []
    assert back.not_understood == ()
    assert back.snapshot is None


@pytest.mark.parametrize("version", VERSIONS)
def test_translations_of_forms_come_back(version, tmp_path):
    definition = load("mesems")
    back = read_back(written(definition, version), tmp_path)
    for tag, language in definition.languages.items():
        tree = back.parts[f"languages/{tag}.yaml"]
        for form, texts in language.forms.items():
            assert tree["forms"][form]["title"] == texts.title
            for item, said in texts.items.items():
                assert tree["forms"][form]["items"][item]["label"] == said.label
                assert tree["forms"][form]["items"][item].get("codes", {}) == said.codes
            assert tree["forms"][form].get("checks", {}) == texts.checks
        assert tree["encounters"] == language.encounters


def test_an_item_is_excepted_where_its_condition_does_not_hold():
    root = etree.fromstring(written(load("mesems"), "1.3.2"))
    (reference,) = [
        each for each in root.iter("{*}ItemRef") if each.get("ItemOID") == "I.adverse_event.resolved_on"
    ]
    oid = reference.get("CollectionExceptionConditionOID")
    (condition,) = [each for each in root.iter("{*}ConditionDef") if each.get("OID") == oid]
    assert condition.findtext("{*}FormalExpression") == (
        "not adverse_event.outcome in ('recovered', 'sequelae', 'fatal')"
    )
    assert reference.get("Mandatory") == "Yes"


def test_limits_units_and_codes_are_those_of_the_item():
    root = etree.fromstring(written(load("tern"), "1.3.2"))
    form = next(form for form in load("tern").forms if any(item.unit for item in form.items))
    item = next(item for item in form.items if item.unit)
    (element,) = [each for each in root.iter("{*}ItemDef") if each.get("OID") == f"I.{form.id}.{item.id}"]
    unit = element.find("{*}MeasurementUnitRef")
    assert unit is not None
    (defined,) = [
        each for each in root.iter("{*}MeasurementUnit") if each.get("OID") == unit.get("MeasurementUnitOID")
    ]
    assert defined.findtext("{*}Symbol/{*}TranslatedText") == item.unit
    limits = {
        check.get("Comparator"): (check.get("SoftHard"), check.findtext("{*}CheckValue"))
        for check in element.iter("{*}RangeCheck")
        if check.get("Comparator")
    }
    bounds = {"GE": item.minimum, "LE": item.maximum}
    assert limits == {
        sign: ("Hard", format(bound, "f")) for sign, bound in bounds.items() if bound is not None
    }


def test_windows_are_relative_timings_in_version_2():
    root = etree.fromstring(written(load("mesems"), "2.0"))
    timings = {each.get("SuccessorOID"): each for each in root.iter("{*}RelativeTimingConstraint")}
    for encounter in load("mesems").schedule.encounters:
        timing = timings[f"SE.{encounter.id}"]
        assert timing.get("TimepointRelativeTarget") == f"P{encounter.day}D"
        assert timing.get("TimepointPreWindow") == f"P{encounter.early_days}D"
        assert timing.get("TimepointPostWindow") == f"P{encounter.late_days}D"
