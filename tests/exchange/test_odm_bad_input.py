"""Bad input: each has its code, its sentence and its line; memory is bounded."""

from __future__ import annotations

import re
from copy import deepcopy
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from equipoise.exchange.markup import DEPTH_MAX
from equipoise.exchange.odm import read, read_odm, stream, to_parts
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
    takers: list[stream.Taker] = []

    class Kept(stream.Taker):
        def __init__(self, *given) -> None:
            super().__init__(*given)
            takers.append(self)

    monkeypatch.setattr(read, "Taker", Kept)
    assert read_odm(path).snapshot == seen
    held = {stream.name_of(element) for take in takers for element in take._oids}
    assert "ItemDef" in held
    assert not held & {"SubjectData", "SiteRef", "UserRef", "StudyEventData"}


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


# -- groups within groups

ITEM_DEF = '<ItemDef OID="i" Name="i" DataType="text"/>'


def group(oid: str, *refs: str, kind: str = "Section") -> str:
    inside = "".join(
        f'<Item{"" if ref == "i" else "Group"}Ref Item{"" if ref == "i" else "Group"}OID="{ref}"/>'
        for ref in refs
    )
    return f'<ItemGroupDef OID="{oid}" Name="{oid}" Type="{kind}" Repeating="No">{inside}</ItemGroupDef>'


@pytest.fixture
def of_groups(tmp_path):
    def read_groups(*groups: str):
        path = tmp_path / "groups.xml"
        study = f'{HEAD}<Study OID="S"><MetaDataVersion OID="1" Name="1">'
        path.write_text(f"{study}{''.join(groups)}{ITEM_DEF}</MetaDataVersion></Study></ODM>")
        return read_odm(path)

    return read_groups


def test_a_group_that_is_mentioned_again_stands_once_in_a_form_and_is_told(of_groups):
    twice = [group(f"G{place}", f"G{place + 1}", f"G{place + 1}") for place in range(1, 14)]
    file = of_groups(group("F", "G1", kind="Form"), *twice, group("G14", "i"), group("E", "G14", kind="Form"))
    assert [each["id"] for each in file.parts["forms/f.yaml"]["items"]] == ["i"]
    assert [each["id"] for each in file.parts["forms/e.yaml"]["items"]] == ["i"]
    again = [each for each in file.not_understood if "once more" in each.text]
    assert [each.path for each in again] == [f"ItemGroupRef[G{place + 1}]" for place in range(13, 0, -1)]


def test_groups_nest_as_deeply_as_elements_may_and_no_deeper(of_groups):
    def chain(length: int) -> list[str]:
        links = [group(f"G{place}", f"G{place + 1}") for place in range(1, length)]
        return [group("F", "G1", kind="Form"), *links, group(f"G{length}", "i")]

    assert len(of_groups(*chain(DEPTH_MAX)).parts["forms/f.yaml"]["items"]) == 1
    for length in (DEPTH_MAX + 1, 1500):
        with pytest.raises(FileUnreadable) as caught:
            of_groups(*chain(length))
        assert (caught.value.code, caught.value.place) == ("ODM-TOO-MANY", "line 1")
        assert "groups.xml" in caught.value.sentence


def test_more_items_than_are_read_are_refused_where_many_forms_share_them(of_groups, monkeypatch):
    shared = group("G", *["i"] * 30)
    forms = [group(f"F{place}", "G", kind="Form") for place in range(10)]
    assert len(of_groups(shared, *forms).parts["forms/f9.yaml"]["items"]) == 30
    monkeypatch.setattr(to_parts, "ELEMENTS_MAX", 300)
    with pytest.raises(FileUnreadable) as caught:
        of_groups(shared, *forms)
    assert caught.value.code == "ODM-TOO-MANY"


@pytest.mark.parametrize("number", ["--1", "9" * 5000, "1-", "", "first", "\u0661"])
@pytest.mark.parametrize("kind", ["ItemRef", "CodeListItem"])
def test_order_numbers_that_are_none_leave_the_order_of_the_file(kind, number, tmp_path):
    def placed(first: str, second: str) -> list[str]:
        numbers = dict.fromkeys(("ItemRef", "CodeListItem"), ("1", "2")) | {kind: (first, second)}
        (a, b), (c, d) = numbers["ItemRef"], numbers["CodeListItem"]
        path = tmp_path / "order.xml"
        path.write_text(
            f'{HEAD}<Study OID="S"><MetaDataVersion OID="1" Name="1">'
            f'<ItemGroupDef OID="F" Name="F" Repeating="No"><ItemRef ItemOID="x" OrderNumber="{a}"/>'
            f'<ItemRef ItemOID="y" OrderNumber="{b}"/></ItemGroupDef><ItemDef OID="y" Name="y"'
            ' DataType="text"/><ItemDef OID="x" Name="x" DataType="text"><CodeListRef CodeListOID="C"/>'
            '</ItemDef><CodeList OID="C" Name="C" DataType="text">'
            f'<CodeListItem CodedValue="x" OrderNumber="{c}"/>'
            f'<CodeListItem CodedValue="y" OrderNumber="{d}"/>'
            "</CodeList></MetaDataVersion></Study></ODM>",
            encoding="utf-8",
        )
        items = read_odm(path).parts["forms/f.yaml"]["items"]
        asked = next(each for each in items if each["id"] == "x")
        return [each["id"] for each in items] if kind == "ItemRef" else [c["code"] for c in asked["codes"]]

    assert placed(number, "1") == ["x", "y"]
    assert placed("-1" if kind == "ItemRef" else "3", "-2" if kind == "ItemRef" else "2") == ["y", "x"]


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
