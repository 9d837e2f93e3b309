"""The data in another system's ODM file: a table for each form, and nothing lost on the way."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from lxml import etree

from equipoise.exchange.odm import OdmFile, read_tables
from equipoise.exchange.odm.names import Version
from equipoise.exchange.odm.read_tables import DataTable
from tests.exchange.odm_files import VERSIONS, read_back, snapshot, written
from tests.rehearsal.folders import load

STUDY = """
<Study OID="S"><GlobalVariables><StudyName>S</StudyName><StudyDescription>S</StudyDescription>
<ProtocolName>S</ProtocolName></GlobalVariables>
<MetaDataVersion OID="V" Name="1">
<Protocol><StudyEventRef StudyEventOID="SE.VISIT" Mandatory="Yes"/></Protocol>
<StudyEventDef OID="SE.VISIT" Name="Visit" Repeating="No" Type="Scheduled">
<FormRef FormOID="F.VITALS" Mandatory="Yes"/></StudyEventDef>
<FormDef OID="F.VITALS" Name="Vitals" Repeating="No"><ItemGroupRef ItemGroupOID="IG.V" Mandatory="Yes"/>
<ItemGroupRef ItemGroupOID="IG.DRUGS" Mandatory="No"/></FormDef>
<ItemGroupDef OID="IG.V" Name="V" Repeating="No"><ItemRef ItemOID="I.PULSE" Mandatory="Yes"/>
<ItemRef ItemOID="I.NOTE" Mandatory="No"/></ItemGroupDef>
<ItemGroupDef OID="IG.DRUGS" Name="Drugs" Repeating="Yes"><ItemRef ItemOID="I.DRUG" Mandatory="Yes"/>
</ItemGroupDef>
<ItemDef OID="I.PULSE" Name="Pulse" DataType="integer"/><ItemDef OID="I.NOTE" Name="Note" DataType="text"/>
<ItemDef OID="I.DRUG" Name="Drug" DataType="text"/>
</MetaDataVersion></Study>
"""
FIRST = """
<SubjectData SubjectKey="01"><SiteRef LocationOID="L.1"/><StudyEventData StudyEventOID="SE.VISIT">
<FormData FormOID="F.VITALS">
<ItemGroupData ItemGroupOID="IG.V"><ItemData ItemOID="I.PULSE" Value="66"><AuditRecord/>
<MeasurementUnitRef MeasurementUnitOID="MU.bpm"/></ItemData>
<ItemDataString ItemOID="I.NOTE">=1+1, "quoted"</ItemDataString></ItemGroupData>
<ItemGroupData ItemGroupOID="IG.DRUGS" ItemGroupRepeatKey="1"><ItemData ItemOID="I.DRUG" Value="A"/>
</ItemGroupData>
<ItemGroupData ItemGroupOID="IG.DRUGS" ItemGroupRepeatKey="2"><ItemData ItemOID="I.DRUG" Value="B"/>
<ItemData ItemOID="I.OTHER" Value="?"/></ItemGroupData>
</FormData></StudyEventData></SubjectData>
"""
LATER = """
<SubjectData SubjectKey="01" TransactionType="Update"><StudyEventData StudyEventOID="SE.VISIT">
<FormData FormOID="F.VITALS"><ItemGroupData ItemGroupOID="IG.V">
<ItemData ItemOID="I.PULSE" Value="67"/><ItemData ItemOID="I.NOTE" TransactionType="Remove"/></ItemGroupData>
<ItemGroupData ItemGroupOID="IG.DRUGS" ItemGroupRepeatKey="1" TransactionType="Remove"/>
</FormData></StudyEventData></SubjectData>
"""


def read(folder: Path, *data: str) -> OdmFile:
    parts = "".join(
        f'<ClinicalData StudyOID="S" MetaDataVersionOID="V">{each}</ClinicalData>' for each in data
    )
    return read_back(f'<ODM xmlns="http://www.cdisc.org/ns/odm/v1.3">{STUDY}{parts}</ODM>'.encode(), folder)


def rows(table: DataTable) -> list[dict[str, str]]:
    """The rows as somebody reads them from the file, without what is empty."""
    text = b"".join(table.csv()).decode()
    found = csv.DictReader(io.StringIO(text, newline=""))
    return [{name: value for name, value in row.items() if value} for row in found]


VISIT = {"SubjectKey": "01", "LocationOID": "L.1", "StudyEventOID": "SE.VISIT", "FormOID": "F.VITALS"}
VITALS, DRUGS = {**VISIT, "ItemGroupOID": "IG.V"}, {**VISIT, "ItemGroupOID": "IG.DRUGS"}


def test_spec_each_form_is_a_table_with_the_items_of_the_draft(tmp_path: Path) -> None:
    file = read(tmp_path, FIRST)
    assert file.participants == 1
    assert [table.name for table in file.tables] == ["vitals", "vitals_drugs"]
    assert all(f"forms/{table.name}.yaml" in file.parts for table in file.tables)
    vitals, drugs = map(rows, file.tables)
    given = {"pulse": "66", "pulse.unit": "MU.bpm", "note": '=1+1, "quoted"'}
    # What the form does not define stays under its identifier, in the table of the form.
    other = {**DRUGS, "ItemGroupRepeatKey": "2", "I.OTHER": "?"}
    assert vitals == [{**VITALS, **given}, other]
    assert drugs == [
        {**DRUGS, "ItemGroupRepeatKey": "1", "drug": "A"},
        {**DRUGS, "ItemGroupRepeatKey": "2", "drug": "B"},
    ]


def test_spec_what_was_changed_later_is_as_it_was_left(tmp_path: Path) -> None:
    file = read(tmp_path, FIRST, LATER)
    vitals, drugs = map(rows, file.tables)
    assert vitals[0] == {**VITALS, "pulse": "67", "pulse.unit": "MU.bpm"}
    assert [row["ItemGroupRepeatKey"] for row in drugs] == ["2"]
    told = {each.text for each in file.not_understood}
    assert {
        "AuditRecord: 1 in the data of participants",
        "Remove: 2 in the data of participants",
        "earlier value: 1 in the data of participants",
    } <= told


@pytest.mark.parametrize("level", ["SubjectData", "StudyEventData", "FormData"])
def test_spec_what_was_removed_as_a_whole_is_gone(level: str, tmp_path: Path) -> None:
    removed = FIRST.replace(f"<{level} ", f'<{level} TransactionType="Remove" ')
    assert read(tmp_path, FIRST, removed).tables == ()


@pytest.mark.parametrize("version", VERSIONS)
def test_law_every_value_of_a_file_is_in_a_table(version: Version, tmp_path: Path) -> None:
    content = written(load("wren"), version, snapshot("wren", "data_manager", history=False))
    foreign = content.replace(b'SourceSystem="Equipoise"', b'SourceSystem="Another"')
    file = read_back(foreign, tmp_path)
    data = [each for each in etree.fromstring(content) if etree.QName(each).localname == "ClinicalData"]
    values = sorted(
        text
        for each in data
        for item in each.iter("{*}ItemData")
        if (text := item.get("Value") or item.findtext("{*}Value"))
    )
    kept = sorted(
        text for table in file.tables for row in table.rows() for text in row[len(read_tables.KEYS) :]
    )
    assert [text for text in kept if text] == values
    assert file.participants == 4


def test_spec_more_values_than_are_read_are_counted_and_none_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_tables, "DATA_VALUES_MAX", 5)
    file = read(tmp_path, FIRST, FIRST)
    assert (file.tables, file.participants) == ((), 2)
    assert "the data of 2 participants: more than 5 values" in {each.text for each in file.not_understood}
    assert "forms/vitals.yaml" in file.parts


def test_spec_a_table_that_would_be_too_sparse_is_told_and_not_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_tables, "CELLS_MAX", 18)
    file = read(tmp_path, FIRST)
    assert [table.name for table in file.tables] == ["vitals_drugs"]
    assert "the table of vitals: more than 18 cells" in {each.text for each in file.not_understood}


def test_spec_names_of_others_are_counted_up_to_a_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_tables, "_NAMES_MAX", 1)
    many = FIRST.replace("<SubjectData ", '<SubjectData a="1" b="2" c="3" ')
    told = {each.text for each in read(tmp_path, many).not_understood}
    assert "others: 3 in the data of participants" in told


def test_spec_a_form_that_the_file_does_not_define_gets_a_table_of_its_own(tmp_path: Path) -> None:
    file = read(tmp_path, FIRST.replace("F.VITALS", "F.Unheard of"))
    (table,) = file.tables
    assert table.name == "unheard_of"
    assert {"I.PULSE", "I.DRUG"} <= set(table.columns)
