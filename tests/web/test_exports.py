"""Exports: every format and form as the role sees the trial, of one state, and on record."""

import io
import json
import sys
from dataclasses import replace
from hashlib import sha256
from typing import Any, get_args
from zipfile import ZipFile

import pytest
from django.conf import settings

from equipoise.access.actor import Actor
from equipoise.conduct.view import UnmaskedView
from equipoise.exchange.formats import FORMATS, FormatName, FormName
from equipoise.web.accounts.models import AccessEvent, Job
from equipoise.web.clinic import Clinic
from equipoise.web.commands.tickets import make_ticket
from equipoise.web.exporting import EXPLANATIONS, formats_for, takes_closed, title_of, words_of_export
from equipoise.web.pages.standards import EXPLANATIONS as OF_STUDIES
from equipoise.web.pages.standards import files_of_study
from equipoise.web.protect import role_token
from tests.web.clinics import actor_of, browser_of
from tests.web.test_jobs import begin, works_end

__all__ = ["works_end"]

TAKERS = ("data_manager", "statistician", "unblinded_statistician", "safety_board")


def export(actor: Actor, name: FormatName, form: FormName) -> tuple[str, bytes]:
    """Take the trial in a form, and return the file's name and content."""
    browser = browser_of(actor)
    address = begin(browser, actor, "export", format=name, form=form)
    answer = browser.get(address + "file/")
    assert answer.status_code == 200, browser.get(address).content.decode()
    return answer["Content-Disposition"].split('"')[1], answer.content


def ask(actor: Actor, name: str, form: str) -> Any:
    given = {"kind": "export", "format": name, "form": form, "ticket": make_ticket()}
    return browser_of(actor).post("/jobs/start/", given | {"acting_as": role_token(actor)})


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("odm132", "xml"),
        ("odm2", "xml"),
        ("sdtm", "xpt"),
        ("adam", "csv"),
        ("fhir", "ndjson"),
        ("report", "html"),
    ],
)
def test_a_trial_leaves_in_a_format_named_by_its_state(clinic: Clinic, name: FormatName, form: FormName):
    called, content = export(actor_of(clinic, "data_manager"), name, form)
    at = f"masked-{clinic.trial.head.position}"
    # However many files it makes, it says how far it is.
    job = Job.objects.latest("started_at")
    assert job.total > 0 and job.done == job.total
    study = clinic.definition.study.id
    wanted = f"{study}-{name}-{at}.{form}" if FORMATS[name].single else f"{study}-{name}-{form}-{at}.zip"
    assert called == wanted
    assert len(content) > 1000


@pytest.mark.requirement("G8", "P7")
def test_spec_several_files_come_with_a_manifest_of_the_state_and_every_hash(clinic: Clinic):
    actor = actor_of(clinic, "statistician")
    _, content = export(actor, "sdtm", "json")
    archive = ZipFile(io.BytesIO(content))
    manifest = json.loads(archive.read("manifest.json"))
    assert set(manifest["files"]) == set(archive.namelist()) - {"manifest.json"}
    assert {"dm.json", "ae.json", "define.xml"} <= manifest["files"].keys()
    for name, said in manifest["files"].items():
        assert said["sha256"] == sha256(archive.read(name)).hexdigest()
    assert manifest["ledger"] == {"position": clinic.trial.head.position, "hash": clinic.trial.head.hash}
    assert manifest["definition"] == clinic.definition.hash
    assert (manifest["seen_by_role"], manifest["closed"]) == (actor.role, False)
    assert (manifest["format"], manifest["form"]) == ("sdtm", "json")


@pytest.mark.requirement("G1", "P7")
def test_spec_a_file_is_shown_with_its_hash_and_state_and_taking_it_is_on_record(clinic: Clinic):
    actor = actor_of(clinic, "data_manager")
    browser = browser_of(actor)
    address = begin(browser, actor, "export", format="odm2", form="xml")
    page = browser.get(address).content.decode()
    assert not AccessEvent.objects.filter(what="copy_taken").exists()
    content = browser.get(f"{address}file/").content
    assert sha256(content).hexdigest() in page
    assert clinic.trial.head.hash in page
    taken = AccessEvent.objects.get(what="copy_taken")
    assert (taken.account, taken.detail) == (actor.account, f"{Job.objects.get().file} as {actor.role}")
    assert "CDISC ODM 2.0" in browser.get("/jobs/").content.decode()
    assert Job.objects.get().file in browser.get("/exports/").content.decode()
    other = browser_of(actor_of(clinic, "statistician"))
    assert [other.get(each).status_code for each in (address, f"{address}file/")] == [404, 404]


@pytest.mark.requirement("P7")
def test_spec_the_same_state_gives_the_same_bytes(clinic: Clinic):
    actor = actor_of(clinic, "data_manager")
    assert export(actor, "adam", "xpt") == export(actor, "adam", "xpt")


@pytest.mark.requirement("G9", "G10")
def test_spec_who_is_masked_takes_no_arm_and_who_is_not_takes_it_marked_as_closed(clinic: Clinic):
    planned = ("TRT01P", "TRTSEQP")
    titles = {}
    for kind in ("statistician", "unblinded_statistician"):
        called, content = export(actor_of(clinic, kind), "adam", "csv")
        archive = ZipFile(io.BytesIO(content))
        titles[kind] = archive.read("adsl.csv").decode().splitlines()[0]
        closed = json.loads(archive.read("manifest.json"))["closed"]
        assert (f"closed-{clinic.trial.head.position}" in called, closed) == (kind != "statistician",) * 2
    assert not any(name in titles["statistician"] for name in planned)
    assert any(name in titles["unblinded_statistician"] for name in planned)
    page = browser_of(actor_of(clinic, "unblinded_statistician")).get("/exports/").content.decode()
    assert "Closed: what you take tells the arms" in page
    assert "Closed:" not in browser_of(actor_of(clinic, "statistician")).get("/exports/").content.decode()


def test_what_is_passed_on_is_not_offered_while_the_arms_are_closed(clinic: Clinic):
    closed = actor_of(clinic, "unblinded_statistician")
    assert isinstance(clinic.trial.as_seen_by(closed), UnmaskedView)
    for kind in TAKERS:
        actor = actor_of(clinic, kind)
        names = formats_for(clinic, clinic.trial.as_seen_by(actor))
        assert "ctgov" not in names, "there are no results yet"
        assert ("package" in names) == (
            actor != closed and not isinstance(clinic.trial.as_seen_by(actor), UnmaskedView)
        )
    answer = ask(closed, "package", "zip")
    assert (answer.status_code, Job.objects.count()) == (403, 0)
    assert "ACC-EXPORT" in answer.content.decode()


def test_once_the_trial_is_unblinded_there_is_a_record_with_results_and_nothing_is_closed(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
):
    row = replace(clinic.row, locked_at="2015-01-01T00:00:00Z", unblinded_at="2015-01-02T00:00:00Z")
    monkeypatch.setattr(Clinic, "row", property(lambda _clinic: row))
    for kind in ("data_manager", "unblinded_statistician"):
        seen = clinic.trial.as_seen_by(actor_of(clinic, kind))
        assert {"ctgov", "package"} <= set(formats_for(clinic, seen))
        assert not takes_closed(clinic, seen)


def test_every_format_of_a_trial_has_its_words_and_every_form(clinic: Clinic):
    assert EXPLANATIONS.keys() == {name for name, each in FORMATS.items() if "trial" in each.of}
    assert OF_STUDIES.keys() == {name for name, each in FORMATS.items() if "study" in each.of}
    words = {words_of_export(name, form) for name, each in FORMATS.items() for form in each.forms}
    assert len(words) == sum(len(each.forms) for each in FORMATS.values())
    assert {"CDISC SDTM, Dataset-NDJSON", "HL7 FHIR R5, JSON", "CDISC USDM 4.0"} <= words
    assert FORMATS.keys() == set(get_args(FormatName))
    assert len({title_of(name) for name in FORMATS}) == len(FORMATS)


@pytest.mark.requirement("G14")
def test_spec_who_may_not_take_the_trial_cannot_ask_for_it(clinic: Clinic):
    for kind in ("investigator", "nurse", "monitor", "administrator", "reader", "safety_desk", "laboratory"):
        actor = actor_of(clinic, kind)
        assert browser_of(actor).get("/exports/").status_code == 403, kind
        assert ask(actor, "sdtm", "xpt").status_code == 403, kind
    board = ask(actor_of(clinic, "safety_board"), "sdtm", "xpt")
    assert (board.status_code, "ACC-EXPORT" in board.content.decode()) == (403, True)
    assert Job.objects.count() == 0


@pytest.mark.parametrize(("name", "form"), [("sdtm", "pdf"), ("unheard_of", "xml"), ("", ""), ("☃", "☃")])
def test_a_format_or_form_that_is_none_is_refused(clinic: Clinic, name: str, form: str):
    answer = ask(actor_of(clinic, "data_manager"), name, form)
    assert (answer.status_code, Job.objects.count()) == (422, 0)
    assert "EXPORT-FORM" in answer.content.decode()


def test_what_cannot_be_written_is_said_on_the_page_of_the_work(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "polars", None)
    actor = actor_of(clinic, "data_manager")
    browser = browser_of(actor)
    page = browser.get(begin(browser, actor, "export", format="sdtm", form="parquet")).content.decode()
    assert "EXTRA-MISSING" in page
    assert "equipoise[tables]" in page
    browser.cookies[settings.LANGUAGE_COOKIE_NAME] = "sv"
    assert '<div lang="en">' in browser.get(f"/jobs/{Job.objects.get().job}/").content.decode()
    assert not list(clinic.jobs.iterdir())


# -- the study without data


@pytest.mark.requirement("G1")
def test_spec_everybody_who_reads_the_study_takes_it_in_every_standard_and_that_is_on_record(clinic: Clinic):
    for kind in ("reader", "nurse", "safety_desk"):
        actor = actor_of(clinic, kind)
        browser = browser_of(actor)
        page = browser.get("/study/standards/").content.decode()
        for file in files_of_study():
            assert f"/study/standards/{file}/" in page
            answer = browser.get(f"/study/standards/{file}/")
            assert answer.status_code == 200
            assert clinic.definition.study.title[:20] in answer.content.decode()
            taken = AccessEvent.objects.filter(what="copy_taken").first()
            assert taken is not None
            assert taken.detail == f"{clinic.definition.study.id}-{file} as {actor.role}"


def test_a_standard_that_is_none_is_not_there(clinic: Clinic):
    browser = browser_of(actor_of(clinic, "nurse"))
    for file in ("sdtm.xpt", "e2b.xml", "usdm.xml", "usdm"):
        assert browser.get(f"/study/standards/{file}/").status_code == 404
