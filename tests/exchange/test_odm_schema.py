"""Every file is valid against the schemas, and every reference in it leads somewhere."""

from __future__ import annotations

from collections import Counter

import pytest
from lxml import etree

from equipoise.exchange.odm import snapshot_of, write_odm
from equipoise.exchange.odm.names import NAMESPACES
from tests.analysis.cuts import make_cut
from tests.exchange.odm_files import (
    MADE,
    VERSIONS,
    assert_valid,
    bundled_schema,
    published_schema,
    snapshot,
    written,
)
from tests.exchange.results_trials import MAKERS
from tests.rehearsal.folders import NAMES, load

DEFINES = {
    "StudyOID": ("Study",),
    "MetaDataVersionOID": ("MetaDataVersion",),
    "StudyEventOID": ("StudyEventDef",),
    "StudyEventGroupOID": ("StudyEventGroupDef",),
    "FormOID": ("FormDef",),
    "ItemGroupOID": ("ItemGroupDef",),
    "ItemOID": ("ItemDef",),
    "UnitsItemOID": ("ItemDef",),
    "PredecessorOID": ("ItemDef",),
    "SuccessorOID": ("StudyEventDef",),
    "CodeListOID": ("CodeList",),
    "MeasurementUnitOID": ("MeasurementUnit",),
    "CollectionExceptionConditionOID": ("ConditionDef",),
    "ConditionOID": ("ConditionDef",),
    "EpochOID": ("Epoch",),
    "StudyEndPointOID": ("StudyEndPoint",),
    "StudyTargetPopulationOID": ("StudyTargetPopulation",),
    "UserOID": ("User",),
    "LocationOID": ("Location",),
    "SignatureOID": ("SignatureDef",),
}
"""What each kind of reference refers to; one that is not listed here fails."""


def local(element) -> str:
    return etree.QName(element).localname


def assert_references(content: bytes) -> None:
    root = etree.fromstring(content)
    defined = Counter((local(each), each.get("OID")) for each in root.iter("{*}*") if each.get("OID"))
    assert [key for key, count in defined.items() if count > 1 and key[0] != "Query"] == []
    for element in root.iter("{*}*"):
        for name, value in element.attrib.items():
            if str(name).endswith("OID") and name not in ("OID", "FileOID"):
                kinds = DEFINES[str(name)]
                assert any((kind, value) in defined for kind in kinds), (local(element), name, value)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("study", [*NAMES, "mesems"])
def test_the_metadata_of_a_study_are_valid_and_refer_to_what_is_there(study, version):
    content = written(load(study), version)
    assert_valid(content, bundled_schema(version))
    assert_references(content)


def test_they_are_valid_against_the_published_schema():
    schema = published_schema()
    assert_valid(written(load("wren"), "1.3.2"), schema)
    seen = snapshot("wren", "data_manager", history=True)
    assert_valid(written(load("wren"), "1.3.2", seen), schema)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("study", "role", "history"),
    [
        ("tern", "data_manager", False),
        ("tern", "unblinded_statistician", True),
        ("wren", "data_manager", True),
        ("curlew", "data_manager", True),
    ],
)
def test_a_rehearsed_trial_is_valid_and_refers_to_what_is_there(study, role, history, version):
    content = written(load(study), version, snapshot(study, role, history=history))
    assert_valid(content, bundled_schema(version))
    assert_references(content)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", ["crossover", "parallel", "single"])
def test_an_invented_cut_is_valid(kind, version):
    cut = make_cut(MAKERS[kind](), participants=5, screened_out=2)
    assert_valid(written(cut.definition, version, snapshot_of(cut)), bundled_schema(version))


@pytest.mark.parametrize("version", VERSIONS)
def test_every_filled_form_is_one_that_its_event_lists(version):
    for study in ("tern", "wren"):
        root = etree.fromstring(written(load(study), version, snapshot(study, "data_manager", history=False)))
        listed = {
            event.get("OID"): {ref.get("FormOID") or ref.get("ItemGroupOID") for ref in event}
            for event in root.iter("{*}StudyEventDef")
        }
        filled = {
            (event.get("StudyEventOID"), form.get("FormOID") or form.get("ItemGroupOID"))
            for event in root.iter("{*}StudyEventData")
            for form in event.iter("{*}FormData" if version == "1.3.2" else "{*}ItemGroupData")
            if form.getparent() is event
        }
        assert filled
        assert [pair for pair in filled if pair[1] not in listed[pair[0]]] == []


@pytest.mark.parametrize("version", VERSIONS)
def test_the_same_study_makes_the_same_bytes_and_a_moment_is_needed(version):
    definition = load("tern")
    assert written(definition, version) == written(definition, version)
    root = etree.fromstring(written(definition, version))
    assert root.get("CreationDateTime") == MADE
    assert etree.QName(root).namespace == NAMESPACES[version]
    with pytest.raises(ValueError, match="moment"):
        b"".join(write_odm(definition, version))


@pytest.mark.parametrize("version", VERSIONS)
def test_a_trial_is_written_in_pieces_of_a_participant_each(version):
    seen = snapshot("tern", "data_manager", history=False)
    pieces = list(write_odm(load("tern"), version, seen))
    assert len(pieces) == len(seen.people) + 1
    assert max(map(len, pieces[1:])) < len(b"".join(pieces)) / 3
