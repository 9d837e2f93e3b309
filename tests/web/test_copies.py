"""The copy of a site's data: complete, of this site only, to read and for a machine, with its audit trail."""

import csv
import io
import json
from hashlib import sha256
from zipfile import ZipFile

import pytest

from equipoise.access.actor import Actor
from equipoise.web.clinic import Clinic
from equipoise.web.pages.copies import ROUTES
from equipoise.web.visible import Kinds
from tests.web.clinics import actor_of, browser_of
from tests.web.test_jobs import begin, works_end

__all__ = ["works_end"]


def copy_of(actor: Actor, site: str = "") -> tuple[str, ZipFile, bytes]:
    browser = browser_of(actor)
    answer = browser.get(begin(browser, actor, "copy", site=site) + "file/")
    assert answer.status_code == 200
    name = answer["Content-Disposition"].split('"')[1]
    return name, ZipFile(io.BytesIO(answer.content)), answer.content


def rows_of(archive: ZipFile, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(archive.read(name).decode())))


@pytest.mark.requirement("G5", "G12", "P7")
def test_spec_an_investigator_takes_a_complete_copy_of_their_site_with_its_audit_trail(clinic: Clinic):
    actor = actor_of(clinic, "investigator", "SE01")
    name, archive, _ = copy_of(actor)
    seen = clinic.trial.as_seen_by(actor)
    codes = [line.participant for line in seen.participants()]
    assert name == f"{clinic.definition.study.id}-SE01-{clinic.trial.head.position}.zip"
    assert [row["participant"] for row in rows_of(archive, "data/participants.csv")] == codes
    records = [record for code in codes for record in seen.records(code)]
    assert len(rows_of(archive, "data/values.csv")) == sum(len(record.values) for record in records)
    assert len(rows_of(archive, "data/audit_trail.csv")) == len(list(seen.audit()))
    for code in codes:
        page = archive.read(f"casebooks/{code}.html").decode()
        assert code in page
        assert "Audit trail" in page
        for account in {line.account for line in seen.audit(code)} - {"system"}:
            assert f"The {account.replace('.', ' at ')} ({account})" in page


@pytest.mark.requirement("G8", "G12", "P7")
def test_the_manifest_names_every_file_with_its_hash_and_the_state_it_is_of(clinic: Clinic):
    _, archive, _ = copy_of(actor_of(clinic, "investigator", "SE01"))
    manifest = json.loads(archive.read("manifest.json"))
    assert set(manifest["files"]) == set(archive.namelist()) - {"manifest.json"}
    for name, said in manifest["files"].items():
        assert said["sha256"] == sha256(archive.read(name)).hexdigest()
    assert manifest["ledger"] == {"position": clinic.trial.head.position, "hash": clinic.trial.head.hash}
    assert manifest["definition"] == clinic.definition.hash


@pytest.mark.requirement("G8", "P7")
def test_the_same_state_gives_the_same_bytes(clinic: Clinic):
    actor = actor_of(clinic, "investigator", "SE01")
    assert copy_of(actor)[2] == copy_of(actor)[2]


@pytest.mark.requirement("G12")
def test_spec_a_copy_holds_nothing_of_another_site_whatever_is_asked_for(clinic: Clinic):
    _, archive, _ = copy_of(actor_of(clinic, "investigator", "SE01"), site="IT01")
    text = "".join(archive.read(name).decode() for name in archive.namelist() if name != "definition.json")
    assert "SE01-001" in text
    assert "IT01-0" not in text
    assert "IT02-0" not in text


@pytest.mark.requirement("G9", "G10", "G12")
def test_spec_a_masked_copy_has_no_arm_and_no_item_that_unmasks(clinic: Clinic):
    _, archive, _ = copy_of(actor_of(clinic, "data_manager"))
    assert "data/arms.csv" not in archive.namelist()
    unmasking = {(f.id, i.id) for f in clinic.definition.forms for i in f.items if f.unmasking or i.unmasking}
    assert unmasking
    held = {(row["form"], row["item"]) for row in rows_of(archive, "data/values.csv")}
    assert held
    assert not held & unmasking


def test_a_data_manager_copies_one_site_or_all(clinic: Clinic):
    actor = actor_of(clinic, "data_manager")
    sites = {row["site"] for row in rows_of(copy_of(actor)[1], "data/participants.csv")}
    assert sites == {"SE01", "IT01", "IT02"}
    one = {row["site"] for row in rows_of(copy_of(actor, "IT01")[1], "data/participants.csv")}
    assert one == {"IT01"}


def test_an_unheard_of_site_is_refused(clinic: Clinic):
    actor = actor_of(clinic, "data_manager")
    browser = browser_of(actor)
    page = browser.get("/copies/").content.decode()
    assert "all sites" in page
    ticket = "t" * 32
    answer = browser.post(
        "/jobs/start/", {"kind": "copy", "site": "XX99", "ticket": ticket, "acting_as": "data_manager@"}
    )
    assert answer.status_code == 422
    assert "WEB-SITE" in answer.content.decode()


def test_copies_are_for_investigators_and_data_managers(clinic: Clinic):
    assert {route.visible for route in ROUTES} == {Kinds(("investigator", "data_manager"))}
    for kind in ("nurse", "monitor", "administrator", "reader", "safety_board"):
        assert browser_of(actor_of(clinic, kind)).get("/copies/").status_code == 403
