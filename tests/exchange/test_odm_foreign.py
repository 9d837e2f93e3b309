"""What other systems write: their forms are drafted, and what a study folder does not hold is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from equipoise.definition.load import check_study
from equipoise.exchange.made import MadeFile, write_folder, yaml_text
from equipoise.exchange.odm import OdmFile, read_odm
from tests.exchange.odm_files import EXTERNAL, FOREIGN, foreign

FILES = sorted(path.name for path in FOREIGN.iterdir())
MISSING = {"KEY-MISSING", "FILE-MISSING"}


def told(file: OdmFile) -> str:
    return "\n".join(f"{each.path}: {each.text}" for each in file.not_understood)


def form(file: OdmFile, name: str):
    return file.parts[f"forms/{name}.yaml"]


def item(file: OdmFile, name: str, item_name: str):
    return next(each for each in form(file, name)["items"] if each["id"] == item_name)


def faults(file: OdmFile, folder: Path) -> set[str]:
    made = [MadeFile(name, yaml_text(tree).encode()) for name, tree in file.parts.items()]
    write_folder(made, folder)
    return {finding.code for finding in check_study(folder)[1] if finding.severity == "error"}


@pytest.mark.parametrize("name", FILES)
def test_a_draft_lacks_parts_and_has_no_part_that_is_wrong(name, tmp_path):
    assert faults(foreign(name), tmp_path / "draft") <= MISSING


def test_a_published_form_is_read(tmp_path):
    path = EXTERNAL / "examples" / "cv_risk_factors_crf.xml"
    if not path.is_file():
        pytest.skip("the published example of a form is not here")
    file = read_odm(path)
    assert faults(file, tmp_path / "draft") <= MISSING
    name = "hypercholesterolemia_family_risk_factors"
    assert form(file, name)["repeating"] is True
    mother = item(file, name, "mhmother")
    assert (mother["label"], mother["type"]) == ("Mother (Biological)", "choice")
    assert [code["label"] for code in mother["codes"]] == ["Yes", "No", "Unknown"]
    assert file.participants == 1
    assert 'Repeat="Yes"' in told(file)


# -- a file in the manner of REDCap


def test_visits_stand_in_the_order_of_the_protocol():
    schedule = foreign("redcap_style.xml").parts["schedule.yaml"]
    assert [each["name"] for each in schedule["encounters"]] == ["Baseline", "Week 4"]
    diary = next(each for each in schedule["activities"] if each["forms"] == ["diary"])
    assert diary["encounters"] == ["baseline_arm_1", "week_4_arm_1"]


def test_a_common_event_that_repeats_is_a_log():
    file = foreign("redcap_style.xml")
    assert file.parts["schedule.yaml"]["logs"] == ["adverse_event"]
    assert form(file, "adverse_event")["repeating"] is True


def test_soft_ranges_become_queries_with_their_words():
    checks = form(foreign("redcap_style.xml"), "demographics")["checks"]
    assert [(check["holds"], check.get("severity")) for check in checks] == [
        ("demographics.height >= 130", None),
        ("demographics.height <= 215", None),
    ]
    assert checks[0]["message"].startswith("The value is outside")


def test_a_checkbox_with_codes_is_a_choice_and_its_name_a_plain_one():
    pain = item(foreign("redcap_style.xml"), "demographics", "pain_1")
    assert (pain["type"], [code["code"] for code in pain["codes"]]) == ("choice", ["1", "0"])


def test_what_a_vendor_adds_is_told_with_its_place():
    file = foreign("redcap_style.xml")
    (logic,) = [each for each in file.not_understood if "BranchingLogic" in each.text]
    assert logic.text == 'redcap:BranchingLogic="[height] > 0"'
    assert logic.path.endswith("ItemDef[sex]")
    assert logic.line == 59
    assert "redcap:RecordAutonumberingEnabled: 1" in told(file)
    assert "kept as a text" in told(file)
    assert (file.participants, file.tables) == (2, ())
    assert "RecordIdField: 2 in the data of participants" in told(file)


# -- a file in the manner of OpenClinica


def test_the_declared_encoding_is_used():
    assert foreign("openclinica_style.xml").parts["study.yaml"]["title"] == "Hearts and Cafés"


def test_a_group_that_repeats_within_a_form_is_a_form_of_its_own():
    file = foreign("openclinica_style.xml")
    drugs = form(file, "history_v20_histo_drugs")
    assert (drugs["title"], drugs["repeating"]) == ("Drugs", True)
    assert [each["id"] for each in drugs["items"]] == ["start", "drug_name"]
    assert "repeating" not in form(file, "history_v20")


def test_a_group_in_two_forms_is_in_both():
    file = foreign("openclinica_style.xml")
    names = [[each["id"] for each in form(file, name)["items"]] for name in ("vitals_v10", "history_v20")]
    assert names[0] == names[1] == ["visit_date", "sbp", "vital_drug"]
    assert form(file, "history_v20")["checks"][0]["holds"] == "history_v20.sbp < 300"


def test_limits_checks_and_units():
    file = foreign("openclinica_style.xml")
    pressure = item(file, "vitals_v10", "sbp")
    assert (pressure["unit"], pressure["minimum"], pressure["type"]) == ("mmHg", 40, "integer")
    below, rare = form(file, "vitals_v10")["checks"]
    assert (below["severity"], below["message"]) == ("hard", "Systolic pressure: expected below 300.")
    assert rare == {
        "id": "sbp_notin",
        "holds": "not vitals_v10.sbp in (99, 199)",
        "message": "Rarely right",
    }


def test_rules_in_another_language_are_told_and_not_guessed():
    file = foreign("openclinica_style.xml")
    assert "when" not in item(file, "vitals_v10", "sbp")
    assert "the condition COND_REFUSED: The participant refused; ../REFUSED = 1" in told(file)
    assert "the check Odd; . mod 2 = 0" in told(file)
    assert "MethodDef[M_BMI]: BMI; Weight over height squared" in told(file)


def test_the_codes_of_a_dictionary_are_told():
    file = foreign("openclinica_style.xml")
    assert item(file, "vitals_v10", "vital_drug")["type"] == "text"
    assert 'the codes of the dictionary "WHODD 2023-09"' in told(file)


def test_other_languages_go_into_files_of_their_own():
    file = foreign("openclinica_style.xml")
    assert file.parts["study.yaml"]["language"] == "en"
    german = file.parts["languages/de.yaml"]["forms"]["vitals_v10"]["items"]
    assert german == {"visit_date": {"label": "Datum des Besuchs"}}


def test_a_description_is_the_question_where_there_is_none():
    name = "history_v20_histo_drugs"
    assert item(foreign("openclinica_style.xml"), name, "drug_name")["label"] == "Earlier medication"


def test_people_are_no_part_of_a_study_and_sites_are():
    file = foreign("openclinica_style.xml")
    assert file.parts["study.yaml"]["sites"] == [{"name": "Oslo"}]
    assert "AdminData[S_HEARTS]/User/FullName: Eve Outside" in told(file)


# -- ODM 2.0 without a namespace


def test_a_file_without_a_namespace_is_read():
    file = foreign("no_namespace_2.xml")
    study = file.parts["study.yaml"]
    assert (study["id"], study["title"], study["planned_enrolment"]) == ("kelp", "Kelp", 60)
    assert study["phases"] == ["phase_2"]
    assert [arm["name"] for arm in study["arms"]] == ["Kelp", "Placebo"]
    assert [epoch["name"] for epoch in study["epochs"]] == ["Screening", "Treatment"]


def test_the_unit_of_an_item_is_the_preset_value_of_another():
    file = foreign("no_namespace_2.xml")
    assert [each["id"] for each in form(file, "lb")["items"]] == ["tsh", "fasted"]
    assert item(file, "lb", "tsh")["unit"] == "mIU/L"


def test_codes_stand_in_their_order_and_a_code_without_words_is_its_own():
    codes = item(foreign("no_namespace_2.xml"), "lb", "fasted")["codes"]
    assert codes == [{"code": "Y", "label": "Yes"}, {"code": "N", "label": "N"}]


def test_criteria_are_drafted_without_conditions_of_another_language():
    file = foreign("no_namespace_2.xml")
    assert file.parts["eligibility.yaml"]["criteria"] == [
        {"id": "IN1", "number": 1, "category": "inclusion", "text": "18 years or older"}
    ]
    assert "ConditionDef[C.ADULT]: Adult; AgeInYears() >= 18" in told(file)
    assert 'ShortName="LENGTH"' in told(file)
    assert "the check IN 0.1, abc" in told(file)


# -- older versions, and versions within a file

HEAD = '<ODM xmlns="{0}"><Study OID="X"><GlobalVariables><StudyName>X</StudyName></GlobalVariables>'
FORMS = (
    '<ItemGroupDef OID="IG" Name="Group" Repeating="No">'
    '<ItemRef ItemOID="{0}" Mandatory="Yes"/></ItemGroupDef>'
    '<ItemDef OID="{0}" Name="{0}" DataType="text"/>'
)


@pytest.mark.parametrize("namespace", ["1.1", "1.2", "1.3"])
def test_older_namespaces_are_read(namespace, tmp_path):
    path = tmp_path / "old.xml"
    head = HEAD.format(f"http://www.cdisc.org/ns/odm/v{namespace}")
    body = f'<MetaDataVersion OID="1" Name="1">{FORMS.format("weight")}</MetaDataVersion></Study></ODM>'
    path.write_text(head + body)
    assert [each["id"] for each in read_odm(path).parts["forms/ig.yaml"]["items"]] == ["weight"]


def test_the_last_version_is_read_with_what_it_includes(tmp_path):
    path = tmp_path / "versions.xml"
    extra = '<ItemDef OID="weight" Name="mass" DataType="float"/>'
    path.write_text(
        HEAD.format("http://www.cdisc.org/ns/odm/v1.3")
        + f'<MetaDataVersion OID="1" Name="first">{FORMS.format("weight")}</MetaDataVersion>'
        + f'<MetaDataVersion OID="2" Name="second"><Include StudyOID="X" MetaDataVersionOID="1"/>{extra}'
        + "</MetaDataVersion></Study></ODM>"
    )
    file = read_odm(path)
    assert file.parts["study.yaml"]["version"] == "second"
    assert [(each["id"], each["type"]) for each in file.parts["forms/ig.yaml"]["items"]] == [
        ("mass", "decimal")
    ]


@pytest.mark.parametrize(
    ("oid", "name"),
    [
        ("F.VITALS", "vitals"),
        ("Form.my_form", "my_form"),
        ("FO.A-B", "words"),
        ("0b9f-12", "words"),
        ("where", "where_2"),
        ("123", "words"),
        ("é", "words"),
        ("F." + "long" * 30, "words"),
    ],
)
def test_identifiers_become_names(oid, name, tmp_path):
    path = tmp_path / "names.xml"
    body = (
        f'<MetaDataVersion OID="1" Name="1"><FormDef OID="{oid}" Name="Words!" Repeating="No">'
        '<ItemGroupRef ItemGroupOID="IG" Mandatory="Yes"/></FormDef>'
    )
    end = f"{FORMS.format('weight')}</MetaDataVersion></Study></ODM>"
    path.write_text(HEAD.format("") + body + end, encoding="utf-8")
    assert f"forms/{name}.yaml" in read_odm(path).parts


def test_what_means_something_in_expressions_names_no_visit_and_no_form(tmp_path):
    path = tmp_path / "names.xml"
    named = ["PARTICIPANT", "CONSENT", "WHERE"]
    form = '<FormDef OID="F.{0}" Name="{0}" Repeating="No"><ItemGroupRef ItemGroupOID="IG"/></FormDef>'
    event = '<StudyEventDef OID="SE.{0}" Name="{0}" Type="Scheduled" Repeating="No"/>'
    body = "".join(part.format(name) for part in (event, form) for name in named)
    end = f"{FORMS.format('weight')}</MetaDataVersion></Study></ODM>"
    path.write_text(HEAD.format("") + f'<MetaDataVersion OID="1" Name="1">{body}{end}')
    file = read_odm(path)
    encounters = file.parts["schedule.yaml"]["encounters"]
    assert [each["id"] for each in encounters] == ["participant", "consent_2", "where_2"]
    forms = [name for name in file.parts if name.startswith("forms/")]
    assert forms == ["forms/participant_2.yaml", "forms/consent.yaml", "forms/where_2.yaml"]
    assert "LINT-NAME-TAKEN" not in faults(file, tmp_path / "draft")
