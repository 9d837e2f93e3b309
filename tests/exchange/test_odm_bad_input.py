"""Bad input: each has its code, its sentence and its line; memory is bounded."""

from __future__ import annotations

import re
from copy import deepcopy
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from equipoise.exchange.odm import read_odm, stream
from equipoise.exchange.unreadable import FileUnreadable
from tests.exchange.odm_files import FOREIGN, snapshot, written
from tests.rehearsal.folders import load

GOOD = written(load("tern"), "1.3.2").decode()
HEAD = '<ODM xmlns="http://www.cdisc.org/ns/odm/v1.3">'
LAUGHS = (
    '<!DOCTYPE ODM [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;">]>'
)
EXTERNAL_ENTITY = '<!DOCTYPE ODM [<!ENTITY x SYSTEM "file:///etc/hostname">]>'

TWICE = re.sub(r"(<ItemDef .*?</ItemDef>)", r"\1\1", GOOD, count=1, flags=re.DOTALL)


def without(pattern: str) -> str:
    changed, count = re.subn(pattern, "", GOOD, count=1, flags=re.DOTALL)
    assert count == 1
    return changed


BAD = {
    "empty": ("", "FILE-EMPTY", ""),
    "no xml": ("Dear Nils,\nhere it is", "XML-INVALID", "line 1"),
    "cut off": (GOOD[: len(GOOD) // 2], "XML-INVALID", None),
    "other kind": ("<html><body/></html>", "ODM-ROOT", "line 1"),
    "foreign root": ('<x:ODM xmlns:x="urn:x"/>', "ODM-ROOT", "line 1"),
    "laughs": (f"{LAUGHS}{HEAD}&c;</ODM>", "XML-DOCTYPE", "line 1"),
    "laughs in an attribute": (f'{LAUGHS}{HEAD}<Study OID="&c;"/></ODM>', "XML-DOCTYPE", "line 1"),
    "file": (f"{EXTERNAL_ENTITY}{HEAD}&x;</ODM>", "XML-DOCTYPE", "line 1"),
    "deep": (HEAD + "<a>" * 150 + "</a>" * 150 + "</ODM>", "XML-TOO-DEEP", "line 1"),
    "very deep": (HEAD + "<a>" * 100_000, "XML-TOO-DEEP", "line 1"),
    "no study": (f"{HEAD}</ODM>", "ODM-STUDY", "line 1"),
    "data alone": (f'{HEAD}<ClinicalData><SubjectData/></ClinicalData></ODM>', "ODM-STUDY", None),
    "no identifier": (GOOD.replace(' OID="I.', ' Other="I.', 1), "ODM-MISSING", None),
    "defined twice": (TWICE, "ODM-DUPLICATE", None),
    "no such item": (without(r"<ItemDef .*?</ItemDef>"), "ODM-REFERENCE", None),
    "no such group": (without(r"<ItemGroupDef .*?</ItemGroupDef>"), "ODM-REFERENCE", None),
    "no such form": (without(r"<FormDef .*?</FormDef>"), "ODM-REFERENCE", None),
    "no such codes": (without(r"<CodeList .*?</CodeList>"), "ODM-REFERENCE", None),
    "no such unit": (without(r"<MeasurementUnit .*?</MeasurementUnit>"), "ODM-REFERENCE", None),
    "no such event": (without(r"<StudyEventDef .*?</StudyEventDef>"), "ODM-REFERENCE", None),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_it_is_refused_with_code_sentence_and_line(name, tmp_path):
    text, code, place = BAD[name]
    path = tmp_path / "bad.xml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FileUnreadable) as caught:
        read_odm(path)
    assert caught.value.code == code
    assert caught.value.sentence.endswith(".")
    assert "bad.xml" in caught.value.sentence
    if place is None:
        assert re.fullmatch(r"line [0-9]+", caught.value.place)
    else:
        assert caught.value.place == place


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileUnreadable) as caught:
        read_odm(tmp_path / "none.xml")
    assert caught.value.code == "FILE-MISSING"


def test_a_wrongly_declared_encoding_is_refused(tmp_path):
    path = tmp_path / "bad.xml"
    path.write_bytes(
        '<?xml version="1.0" encoding="UTF-8"?><ODM><Study OID="Malmö"/></ODM>'.encode("latin-1")
    )
    with pytest.raises(FileUnreadable) as caught:
        read_odm(path)
    assert caught.value.code == "XML-INVALID"


def test_more_elements_than_are_read_are_refused_early(tmp_path, monkeypatch):
    monkeypatch.setattr(stream, "ELEMENTS_MAX", 500)
    path = tmp_path / "bad.xml"
    path.write_text(f'{HEAD}<Study OID="S">' + '<ItemDef OID="I"/>' * 1000)
    with pytest.raises(FileUnreadable) as caught:
        read_odm(path)
    assert caught.value.code == "ODM-TOO-MANY"


def test_any_number_of_participants_is_read_within_the_limit(tmp_path, monkeypatch):
    seen = snapshot("tern", "data_manager", history=False)
    path = tmp_path / "trial.xml"
    path.write_bytes(written(load("tern"), "1.3.2", seen))
    elements = path.read_text().count("</ItemData>")
    monkeypatch.setattr(stream, "ELEMENTS_MAX", elements + 1500)
    assert read_odm(path).snapshot == seen


@pytest.mark.parametrize(
    ("pattern", "instead"),
    [
        (r'(I\.EQ\.CONSENT\.consented_on" Value=")[^"]*', r"\1soon"),
        (r'<ItemData ItemOID="I\.EQ\.CONSENT\.status".*?(</ItemData>|/>)', ""),
        (r"<SourceID>[0-9]+", "<SourceID>first"),
        (r'(UserOID="USR\.)[^"]*', r"\1nobody"),
        (r'(ItemGroupOID="IG\.EQ\.)CRITERION"( ItemGroupRepeatKey)', r'\1OTHER"\2'),
        (r'(I\.EQ\.TRIAL\.position" Value=")[^"]*', r"\1"),
        (r"<ReferenceData .*?</ReferenceData>", ""),
        (r"<SiteRef [^>]*/>", ""),
        (r' StudyEventOID="SE\.EQ\.CONSENT" *>', ">"),
    ],
)
def test_a_trial_that_was_changed_is_refused_with_a_line(pattern, instead, tmp_path):
    content = written(load("tern"), "1.3.2", snapshot("tern", "data_manager", history=False)).decode()
    start = content.index("<ReferenceData")
    changed, count = re.subn(pattern, instead, content[start:], count=1, flags=re.DOTALL)
    assert count == 1
    path = tmp_path / "bad.xml"
    path.write_text(content[:start] + changed)
    with pytest.raises(FileUnreadable) as caught:
        read_odm(path)
    assert caught.value.code in ("ODM-DATA", "ODM-MISSING")
    assert caught.value.place.startswith("line ")


@cache
def whole_files() -> list[bytes]:
    past = snapshot("dipper", "data_manager", history=True, participants=1)
    now = snapshot("dipper", "data_manager", history=False, participants=1)
    own = [written(load("dipper"), "1.3.2", past), written(load("dipper"), "2.0", now)]
    return [*own, *(path.read_bytes() for path in sorted(FOREIGN.iterdir()))]


ODD_VALUES = ["", "x", "-1", "9" * 30, "1e400", "NaN", "../..", "\u00e9", "EQ.X", "2024-13-45"]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_damage_is_refused_with_a_code_or_read(tmp_path, data):
    root = etree.fromstring(data.draw(st.sampled_from(whole_files())))
    elements = list(root.iter("{*}*"))
    for _ in range(data.draw(st.integers(1, 3))):
        element = elements[data.draw(st.integers(0, len(elements) - 1))]
        parent = element.getparent()
        kind = data.draw(st.sampled_from(["drop", "change", "twice", "rename", "text"]))
        if kind == "drop" and parent is not None:
            parent.remove(element)
        elif kind == "twice" and parent is not None:
            parent.append(deepcopy(element))
        elif kind == "change" and element.attrib:
            key = sorted(map(str, element.attrib))[0]
            element.set(key, data.draw(st.sampled_from(ODD_VALUES)))
        elif kind == "rename":
            element.tag = etree.QName(etree.QName(element).namespace, "ItemDef").text
        else:
            element.text = data.draw(st.sampled_from(ODD_VALUES))
    path = tmp_path / "bad.xml"
    path.write_bytes(etree.tostring(root))
    try:
        parts = read_odm(path).parts
    except FileUnreadable as error:
        assert error.code.startswith(("ODM-", "XML-"))
    else:
        assert all(
            re.fullmatch(r"[a-z_]+\.yaml|forms/[a-z0-9_]+\.yaml|languages/[\w-]+\.yaml", name)
            for name in parts
        )


def test_a_group_within_itself_ends(tmp_path):
    path = tmp_path / "ring.xml"
    path.write_text(
        f'{HEAD}<Study OID="S"><MetaDataVersion OID="1" Name="1">'
        '<ItemGroupDef OID="F" Name="F" Type="Form" Repeating="No"><ItemGroupRef ItemGroupOID="G"/>'
        '<ItemRef ItemOID="i"/></ItemGroupDef>'
        '<ItemGroupDef OID="G" Name="G" Repeating="No"><ItemGroupRef ItemGroupOID="F"/>'
        '<ItemGroupRef ItemGroupOID="G"/><ItemRef ItemOID="i"/></ItemGroupDef>'
        '<ItemDef OID="i" Name="i" DataType="text"/></MetaDataVersion></Study></ODM>'
    )
    assert len(read_odm(path).parts["forms/f.yaml"]["items"]) == 2


def test_metadata_included_from_another_file_are_missed_by_their_line(tmp_path):
    path = tmp_path / "later.xml"
    path.write_text(
        f'{HEAD}<Study OID="S"><MetaDataVersion OID="2" Name="2">\n'
        '<Include StudyOID="S" MetaDataVersionOID="1"/><FormDef OID="F" Name="F" Repeating="No">\n'
        '<ItemGroupRef ItemGroupOID="IG" Mandatory="No"/></FormDef></MetaDataVersion></Study></ODM>'
    )
    with pytest.raises(FileUnreadable) as caught:
        read_odm(path)
    assert (caught.value.code, caught.value.place) == ("ODM-REFERENCE", "line 3")
