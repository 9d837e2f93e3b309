"""A trial with amendments in ODM: each version has its metadata, its sites, and the data of its time."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from lxml import etree

from equipoise.exchange.odm import cut_of, take_snapshot, write_odm
from equipoise.exchange.odm.names import Version
from tests.exchange.amended_trial import amended_clinic, amended_view
from tests.exchange.odm_files import VERSIONS, assert_valid, bundled_schema, published_schema, read_back

FORM = {"1.3.2": "FormData", "2.0": "ItemGroupData"}


@cache
def content(version: Version, *, history: bool = True) -> bytes:
    seen = amended_view()
    *earlier, latest = seen.definitions()
    return b"".join(write_odm(latest, version, take_snapshot(seen, history=history), earlier=earlier))


def root(version: Version) -> etree._Element:
    found: etree._Element = etree.fromstring(content(version))
    return found


def under(version: Version) -> dict[str, list[tuple[str, str]]]:
    """The forms of participants, by the version of the metadata that they are of."""
    forms: dict[str, list[tuple[str, str]]] = {}
    for data in root(version).iter("{*}ClinicalData"):
        held = forms.setdefault(data.get("MetaDataVersionOID", ""), [])
        for subject in data.iter("{*}SubjectData"):
            for event in subject.iter("{*}StudyEventData"):
                for form in event.findall(f"{{*}}{FORM[version]}"):
                    name = form.get("FormOID") or form.get("ItemGroupOID") or ""
                    if not name.startswith("F.EQ.") and form.get("TransactionType") == "Insert":
                        held.append((subject.get("SubjectKey", ""), name))
    return forms


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("history", [False, True])
@pytest.mark.requirement("P7")
def test_spec_a_trial_with_amendments_comes_back_equal(
    version: Version, history: bool, tmp_path: Any
) -> None:
    seen = take_snapshot(amended_view(), history=history)
    back = read_back(content(version, history=history), tmp_path)
    assert back.snapshot == seen
    assert back.not_understood == ()
    assert len(seen.versions) == 3 and len({each.definition for each in seen.people[1].records}) == 2


@pytest.mark.parametrize("version", VERSIONS)
def test_spec_the_cut_that_comes_back_has_its_amendments_and_what_was_not_asked(
    version: Version, tmp_path: Any
) -> None:
    cut = amended_view().cut()
    back = read_back(content(version), tmp_path).snapshot
    assert back is not None
    again = cut_of(back, cut.definition)
    assert again.amendments == cut.amendments != ()
    assert [each.encounters for each in again.participants] == [each.encounters for each in cut.participants]
    assert [len(person.renewals) for person in again.participants] == [0, 1, 0]
    assert any(met.not_asked for person in again.participants for met in person.encounters)


@pytest.mark.parametrize("version", VERSIONS)
def test_spec_it_is_valid(version: Version) -> None:
    assert_valid(content(version), bundled_schema(version))
    assert_valid(content(version, history=False), bundled_schema(version))


def test_spec_it_is_valid_against_the_published_schema() -> None:
    assert_valid(content("1.3.2"), published_schema())


@pytest.mark.parametrize("version", VERSIONS)
def test_spec_data_are_of_the_version_that_they_were_recorded_under_last(version: Version) -> None:
    there, here, later = (each.participant for each in amended_view().participants())
    assert {oid: set(forms) for oid, forms in under(version).items()} == {
        "MDV.1.0": {(here, "F.labs"), (there, "F.vitals")},
        "MDV.2.0": {(here, "F.vitals"), (later, "F.vitals")},
        "MDV.2.1": {(later, "F.labs")},
    }


@pytest.mark.parametrize("version", VERSIONS)
def test_spec_every_item_of_the_data_is_defined_in_the_version_that_they_are_of(version: Version) -> None:
    defined = {
        each.get("OID"): {item.get("OID") for item in each.iter("{*}ItemDef")}
        for each in root(version).iter("{*}MetaDataVersion")
    }
    assert list(defined) == ["MDV.1.0", "MDV.2.0", "MDV.2.1"]
    for data in root(version).iter("{*}ClinicalData"):
        items = {each.get("ItemOID") for each in data.iter("{*}ItemData")}
        assert items <= defined[data.get("MetaDataVersionOID")]


@pytest.mark.parametrize("version", VERSIONS)
def test_spec_each_site_says_from_which_day_on_each_version_holds(version: Version) -> None:
    held = {
        each.get("OID"): [
            (ref.get("MetaDataVersionOID"), ref.get("EffectiveDate"))
            for ref in each.iter("{*}MetaDataVersionRef")
        ]
        for each in root(version).iter("{*}Location")
    }
    day = "2024-06-03"
    every = [("MDV.1.0", day), ("MDV.2.0", day), ("MDV.2.1", day)]
    assert (held["LOC.trial"], held["LOC.SE01"], held["LOC.CA01"]) == (every, every, every[:1])


@pytest.mark.parametrize("version", VERSIONS)
def test_spec_what_is_told_of_a_participant_twice_is_new_once(version: Version) -> None:
    told: dict[tuple[str, ...], list[str]] = {}
    for subject in root(version).iter("{*}SubjectData"):
        code = subject.get("SubjectKey", "")
        told.setdefault((code,), []).append(subject.get("TransactionType", ""))
        for event in subject.iter("{*}StudyEventData"):
            keys = (code, event.get("StudyEventOID", ""), event.get("StudyEventRepeatKey", ""))
            told.setdefault(keys, []).append(event.get("TransactionType", ""))
    assert all(kinds == ["Insert"] + ["Context"] * (len(kinds) - 1) for kinds in told.values())
    assert any(len(kinds) > 1 for kinds in told.values())


@pytest.mark.parametrize("version", VERSIONS)
def test_spec_what_is_retired_says_so_and_stays_defined(version: Version, tmp_path: Any) -> None:
    base = amended_clinic().trial.definition
    vitals = next(form for form in base.forms if form.id == "vitals")
    assert next(item for item in vitals.items if item.id == "remark").retired
    parts = read_back(content(version), tmp_path).parts
    items = {item["id"]: item.get("retired") for item in parts["forms/vitals.yaml"]["items"]}
    assert items["remark"] is True and items["pulse"] is None
    assert parts["forms/scan.yaml"]["retired"] is True
    visits = {each["id"]: each.get("retired") for each in parts["schedule.yaml"]["encounters"]}
    assert visits["call"] is True and visits["week_0"] is None


@pytest.mark.parametrize("version", VERSIONS)
def test_spec_a_code_that_is_retired_says_so(version: Version, tmp_path: Any) -> None:
    base = amended_clinic().trial.definition
    forms = []
    for form in base.forms:
        items = tuple(
            replace(item, codes=(replace(item.codes[0], retired=True), *item.codes[1:]))
            if item.codes
            else item
            for item in form.items
        )
        forms.append(replace(form, items=items))
    chosen = replace(base, forms=tuple(forms))
    written = b"".join(write_odm(chosen, version, created="2024-05-17T09:30:00Z"))
    assert_valid(written, bundled_schema(version))
    parts = read_back(written, tmp_path).parts
    codes = [
        [code.get("retired") for code in item["codes"]]
        for name, part in parts.items()
        if name.startswith("forms/")
        for item in part["items"]
        if "codes" in item
    ]
    assert codes and all(first is True and not any(others) for first, *others in codes)


def test_spec_without_the_earlier_versions_all_is_of_the_latest() -> None:
    seen = amended_view()
    written = b"".join(write_odm(seen.definitions()[-1], "2.0", take_snapshot(seen)))
    assert_valid(written, bundled_schema("2.0"))
    oids = {each.get("MetaDataVersionOID") for each in etree.fromstring(written).iter("{*}ClinicalData")}
    assert oids == {"MDV.2.1"}
