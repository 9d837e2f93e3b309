"""Define-XML 2.1: valid against CDISC's schema, read back equal, and clear about what is broken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from lxml import etree

from equipoise.exchange.datasets.content import complete_length, complete_package
from equipoise.exchange.datasets.dataset_json import header_of
from equipoise.exchange.datasets.define import define_xml, tag
from equipoise.exchange.datasets.define_page import define_page
from equipoise.exchange.datasets.define_read import FoundPackage, read_define
from equipoise.exchange.datasets.model import Cell, CodeList, Package, Term, ValueLevel
from equipoise.exchange.made import NotWritten
from equipoise.exchange.unreadable import FileUnreadable
from tests.exchange.packages import FULL, SEX, dataset, package, packages, variable


@cache
def schema() -> etree.XMLSchema:
    """CDISC's schema, as odmlib brings it."""
    spec = find_spec("odmlib")
    assert spec is not None and spec.origin is not None
    folder = Path(spec.origin).parent / "schemas" / "define" / "2.1"
    return etree.XMLSchema(etree.parse(folder / "define2-1-0.xsd"))


def read(content: bytes, folder: Path) -> FoundPackage:
    (folder / "define.xml").write_bytes(content)
    return read_define(folder / "define.xml")


def without_rows(whole: Package) -> Package:
    return replace(whole, datasets=tuple(replace(each, rows=()) for each in whole.datasets))


@settings(max_examples=30)
@given(packages())
def test_spec_what_is_written_is_valid_and_read_back(
    tmp_path_factory: pytest.TempPathFactory, whole: Package
) -> None:
    content = define_xml(whole)
    schema().assertValid(etree.fromstring(content))
    found = read(content, tmp_path_factory.getbasetemp())
    assert found.not_understood == ()
    assert found.package == as_define_holds(complete_package(whole))
    assert complete_package(found.package) == found.package


def as_define_holds(whole: Package) -> Package:
    """The package without rows, and without the date of a terminology that no code list is from."""
    lists = [
        each.codelist
        for part in whole.datasets
        for upper in part.variables
        for each in (upper, *(level.variable for level in upper.values))
        if each.codelist is not None
    ]
    used = any(each.ncit is not None for each in lists)
    return replace(without_rows(whole), controlled_terms=whole.controlled_terms if used else None)


def test_spec_identifiers_are_those_of_dataset_json() -> None:
    root = etree.fromstring(define_xml(FULL, "json"))
    (study,), (metadata,) = root.iter(tag("Study")), root.iter(tag("MetaDataVersion"))
    for part in FULL.datasets:
        header = header_of(FULL, part)
        (group,) = (each for each in root.iter(tag("ItemGroupDef")) if each.get("Name") == part.name)
        assert group.get("OID") == header.item_group_oid
        assert tuple(each.get("ItemOID") for each in group.findall(tag("ItemRef"))) == header.item_oids
        assert (study.get("OID"), metadata.get("OID")) == (header.study_oid, header.metadata_version_oid)
        assert header.file_oid == f"{root.get('FileOID')}/{part.name}"
        (leaf,) = group.iter(tag("def:leaf"))
        assert leaf.get(tag("xlink:href")) == f"{part.name.lower()}.json"
        assert header.metadata_ref == "define.xml"


def test_spec_lengths_and_decimals_are_those_of_the_data(tmp_path: Path) -> None:
    found = read(define_xml(FULL), tmp_path).package
    told = {each.name: (each.length, each.significant_digits) for each in found.datasets[0].variables}
    assert told["STUDYID"] == (12, None)
    assert told["USUBJID"] == (len('Ærø "x", <&>'.encode()), None)
    assert told["AGE"] == (2, None)
    assert told["BMI"] == (5, 2)
    assert told["RFICDTC"] == told["TRTSDT"] == (None, None)
    pressure, temperature = (level.variable for level in found.datasets[1].variables[1].values)
    assert (pressure.length, temperature.length, temperature.significant_digits) == (3, 5, 2)


def test_spec_numeric_dates_are_whole_numbers_in_a_format_of_dates() -> None:
    root = etree.fromstring(define_xml(FULL))
    items = {each.get("Name"): each for each in root.iter(tag("ItemDef"))}
    shown = {name: each.get(tag("def:DisplayFormat")) for name, each in items.items()}
    assert {items[name].get("DataType") for name in ("TRTSDT", "TRTSDTM", "TRTSTM")} == {"integer"}
    assert (shown["TRTSDT"], shown["TRTSDTM"], shown["TRTSTM"]) == ("DATE9.", "E8601DT19.", "TIME8.")
    assert items["RFICDTC"].get("DataType") == "date"


def test_spec_terminology_and_annotated_forms(tmp_path: Path) -> None:
    whole = replace(FULL, annotated_crf="acrf.pdf")
    content = define_xml(whole)
    root = etree.fromstring(content)
    (sex,) = (each for each in root.iter(tag("CodeList")) if each.get("OID") == SEX.id)
    assert sex.get(tag("def:StandardOID")) == "STD.CT.SDTM"
    assert [each.get(tag("def:ExtendedValue")) for each in sex.findall(tag("CodeListItem"))] == [
        None,
        None,
        "Yes",
    ]
    pages = [dict(each.attrib) for each in root.iter(tag("def:PDFPageRef"))]
    assert pages == [
        {"PageRefs": "3 7", "Type": "PhysicalRef"},
        {"PageRefs": "Demographics", "Type": "NamedDestination"},
    ]
    schema().assertValid(root)
    assert read(content, tmp_path).package == without_rows(complete_package(whole))


def test_spec_a_dataset_without_data_is_told_beside_one_with() -> None:
    root = etree.fromstring(define_xml(package(dataset(variable("A")), replace(FULL.datasets[1], name="VS"))))
    flags = {each.get("Name"): each.get(tag("def:HasNoData")) for each in root.iter(tag("ItemGroupDef"))}
    assert flags == {"DM": "Yes", "VS": None}


LEVEL = ValueLevel(where=(("B", "x"),), variable=variable("A"))


@pytest.mark.parametrize(
    ("whole", "code"),
    [
        (package(dataset(variable("A", values=(LEVEL,)))), "DEFINE-WHERE"),
        (package(dataset(variable("A", values=(replace(LEVEL, where=()),)))), "DEFINE-WHERE"),
        (package(dataset(variable("A", label="\x07"))), "DEFINE-TEXT"),
        (package(dataset(variable("A")), study_name="\x00"), "DEFINE-TEXT"),
        (package(dataset(variable("A", codelist=CodeList(id="C", name="C", terms=())))), "DEFINE-CODELIST"),
        (
            package(
                dataset(
                    variable("A", codelist=SEX),
                    variable("B", codelist=replace(SEX, terms=(Term("U"),))),
                )
            ),
            "DEFINE-CODELIST",
        ),
    ],
)
def test_what_define_cannot_hold_is_not_written(whole: Package, code: str) -> None:
    with pytest.raises(NotWritten) as refused:
        define_xml(whole)
    assert refused.value.code == code


FOREIGN = b"""<ODM xmlns="http://www.cdisc.org/ns/odm/v1.3" xmlns:def="http://www.cdisc.org/ns/def/v2.1"
 xmlns:xlink="http://www.w3.org/1999/xlink" FileOID="elsewhere" CreationDateTime="2021-01-24T17:47:32"
 def:Context="Other">
<Study OID="cdisc.com/PILOT"><GlobalVariables><StudyName>P</StudyName></GlobalVariables>
<MetaDataVersion OID="MDV.1" Name="n" def:DefineVersion="2.1.7" def:CommentOID="COM.X">
 <def:Standards><def:Standard OID="STD.1" Name="SENDIG" Type="IG" Version="3.1" Status="Final"/>
 </def:Standards>
 <def:ValueListDef OID="VL.1">
  <ItemRef ItemOID="IT.1" Mandatory="No"><def:WhereClauseRef WhereClauseOID="WC.1"/></ItemRef>
  <ItemRef ItemOID="IT.1" Mandatory="No"><def:WhereClauseRef WhereClauseOID="WC.2"/></ItemRef>
 </def:ValueListDef>
 <def:WhereClauseDef OID="WC.1"><RangeCheck Comparator="IN" SoftHard="Soft" def:ItemOID="IT.CODE">
  <CheckValue>X</CheckValue><CheckValue>Y</CheckValue></RangeCheck></def:WhereClauseDef>
 <def:WhereClauseDef OID="WC.2"><RangeCheck Comparator="NE" SoftHard="Soft" def:ItemOID="IT.CODE">
  <CheckValue>X</CheckValue></RangeCheck></def:WhereClauseDef>
 <ItemGroupDef OID="IG.A" Name="A" Repeating="Yes" def:Structure="s">
  <ItemRef ItemOID="IT.CODE" Mandatory="Yes"/>
  <ItemRef ItemOID="IT.V" Mandatory="No" MethodOID="MT.1"/><def:Class Name="NEW CLASS"/></ItemGroupDef>
 <ItemDef OID="IT.CODE" Name="CODE" DataType="string"><def:Origin Type="Collected">
  <def:DocumentRef leafID="LF.CRF">
  <def:PDFPageRef FirstPage="3" LastPage="5" Type="PhysicalRef"/></def:DocumentRef></def:Origin></ItemDef>
 <ItemDef OID="IT.V" Name="V" DataType="float" def:DisplayFormat="8.2"><def:Origin Type="Assigned"/>
  <def:Origin Type="Derived"/><def:ValueListRef ValueListOID="VL.1"/></ItemDef>
 <ItemDef OID="IT.1" Name="V" DataType="integer"/>
 <MethodDef OID="MT.1" Name="m" Type="Imputation"><Description>
  <TranslatedText xml:lang="fr">moyenne</TranslatedText>
  <TranslatedText xml:lang="en-GB">the mean</TranslatedText></Description></MethodDef>
 <def:leaf ID="LF.CRF" xlink:href="crf.pdf"><def:title>CRF</def:title></def:leaf>
 <vendor xmlns="urn:vendor"><inner/></vendor>
</MetaDataVersion></Study></ODM>"""


def test_spec_a_file_from_elsewhere_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    found = read(FOREIGN, tmp_path)
    (part,) = found.package.datasets
    code, value = part.variables
    assert (found.package.standard, found.package.study, found.package.definition_hash) == (
        "SDTMIG",
        "cdisc.com/PILOT",
        "",
    )
    assert (code.type, code.page, found.package.annotated_crf) == ("text", "3-5", "crf.pdf")
    assert (value.type, value.numeric_date, value.display_format) == ("float", False, "8.2")
    assert (value.method, value.origin) == ("the mean", "Assigned")
    assert [level.where for level in value.values] == [(("CODE", "X"),), (("CODE", "Y"),)]
    assert part.dataset_class is None
    assert {text for _, text in found.not_understood} == {
        "FileOID elsewhere",
        "Name NEW CLASS",
        "a further origin, Derived",
        "a method of the type Imputation",
        "attribute def:CommentOID COM.X",
        "data type string, which is taken for text",
        "element vendor",
        "IT.CODE NE X",
        "the standard SENDIG, which is taken for SDTMIG",
        "value level IT.1, whose condition has no place",
    }
    schema().assertValid(etree.fromstring(define_xml(found.package)))


LOOP = FOREIGN.replace(
    b'<ItemDef OID="IT.1" Name="V" DataType="integer"/>',
    b'<ItemDef OID="IT.1" Name="V" DataType="integer"><def:ValueListRef ValueListOID="VL.1"/></ItemDef>',
)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"<a/>", "DEFINE-ROOT"),
        (FOREIGN.replace(b"def/v2.1", b"def/v2.0"), "DEFINE-VERSION"),
        (b'<ODM xmlns="http://www.cdisc.org/ns/odm/v1.3"/>', "DEFINE-VERSION"),
        (FOREIGN.replace(b'ItemOID="IT.V"', b'ItemOID="IT.NONE"'), "DEFINE-REFERENCE"),
        (FOREIGN.replace(b'MethodOID="MT.1"', b'MethodOID="MT.2"'), "DEFINE-REFERENCE"),
        (FOREIGN.replace(b'leafID="LF.CRF"', b'leafID="LF.X"'), "DEFINE-REFERENCE"),
        (FOREIGN.replace(b'DataType="float"', b'DataType="colour"'), "DEFINE-VALUE"),
        (FOREIGN.replace(b'DataType="float"', b'DataType="text" Length="-1"'), "DEFINE-VALUE"),
        (FOREIGN.replace(b'DataType="float"', b""), "DEFINE-VALUE"),
        (FOREIGN.replace(b'Type="IG"', b'Type="CT"'), "DEFINE-VALUE"),
        (LOOP, "DEFINE-VALUE"),
        (FOREIGN[:-40], "XML-INVALID"),
        (b'<!DOCTYPE ODM [<!ENTITY a "b">]>' + FOREIGN, "XML-DOCTYPE"),
    ],
)
def test_bad_files_are_refused(tmp_path: Path, content: bytes, code: str) -> None:
    with pytest.raises(FileUnreadable) as refused:
        read(content, tmp_path)
    assert refused.value.code == code


def test_the_page_says_what_the_file_says() -> None:
    page = define_page(replace(FULL, masked=True)).decode()
    for words in (
        "Data definitions: TRIAL-1",
        "Unique Subject Identifier",
        "Years from birth to consent",
        "VSTESTCD = SYSBP",
        "Non-binary",
        "Masked: no dataset holds it",
        "dm.xpt",
    ):
        assert words in page
    assert "<script" not in page and "http" not in page.replace("http-equiv", "")


def test_spec_a_variable_that_is_complete_is_not_measured_again() -> None:
    class Unread(Sequence[Cell]):
        def __getitem__(self, place: object) -> Any:
            raise AssertionError("a value was read")

        def __len__(self) -> int:
            raise AssertionError("the values were counted")

    for whole in (
        variable("A", length=3),
        variable("B", "integer", length=2),
        variable("C", "float", length=4, significant_digits=1),
    ):
        assert complete_length(whole, Unread()) == whole
    assert complete_length(variable("C", "float", length=4), [1.25]).significant_digits == 2
