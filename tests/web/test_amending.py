"""An amendment that is sent in the clinic: it is shown, place by place, and what was shown is recorded."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from equipoise.access.actor import Actor
from equipoise.definition.load import check_study
from equipoise.governance.state import VersionRow
from equipoise.web.accounts.models import Account
from equipoise.web.clinic import Clinic
from equipoise.web.protect import role_token
from equipoise.web.zips import zip_of
from tests.web.clinics import PASSWORD, actor_of, browser_of, form_of

PAGE, RECORD, FOLDER = (f"/governance/versions/{each}/" for each in ("amend", "amend/record", "folder"))
ANSWERS = {
    "title": "Amendment 2",
    "substantial": "true",
    "reconsent": "false",
    "reason": "The authority asked for it.",
    "proof_password": PASSWORD,
}
RAISED = ("study.yaml", "version: '1.0'", "version: '2.0'")
RENAMED = ("study.yaml", "title: Mesenchymal Stem Cells", "title: Stem Cells")


@pytest.fixture
def administrator(clinic: Clinic) -> Actor:
    return actor_of(clinic, "administrator")


@pytest.fixture
def browser(administrator: Actor, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setattr(Account, "check_password", lambda _, raw: raw == PASSWORD)
    return browser_of(administrator)


@pytest.fixture
def unchanged(clinic: Clinic) -> Iterator[None]:
    before = clinic.trial.head
    yield
    assert clinic.trial.head == before, "something was recorded"


def taken(browser: Client) -> dict[str, bytes]:
    """The study folder as the clinic gives it, with the folder around it."""
    answer = browser.get(FOLDER)
    assert answer.status_code == 200 and "attachment" in answer["Content-Disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def changed(files: Mapping[str, bytes], *changes: tuple[str, str, str]) -> dict[str, bytes]:
    """The files with texts in them exchanged."""
    found = dict(files)
    for end, old, new in changes:
        (name,) = (each for each in files if each.endswith(f"/{end}"))
        text = found[name].decode()
        assert old in text, text[:400]
        found[name] = text.replace(old, new, 1).encode()
    return found


def send(browser: Client, who: Actor, content: bytes) -> Any:
    """Send a zip, and return the page that it leads to."""
    file = SimpleUploadedFile("study.zip", content)
    return browser.post(PAGE, {"acting_as": role_token(who), "file": file}, follow=True)


def versions(clinic: Clinic) -> list[str]:
    return sorted(row.study_version for row in clinic.trial.tables.all(VersionRow))


@pytest.mark.requirement("G17")
def test_spec_a_folder_is_taken_changed_shown_and_confirmed(
    clinic: Clinic, browser: Client, administrator: Actor
) -> None:
    page = browser.get("/governance/versions/").content.decode()
    assert PAGE in page and FOLDER in page
    shown = send(browser, administrator, zip_of(changed(taken(browser), RAISED, RENAMED)))
    assert shown.status_code == 200 and "Stem Cells for Multiple Sclerosis</td>" in shown.content.decode()
    fields = form_of(browser, PAGE)
    wrong = browser.post(RECORD, fields | ANSWERS | {"proof_password": "a guess"})
    assert wrong.status_code == 422 and "WEB-PROOF" in wrong.content.decode()
    assert versions(clinic) == ["1.0"]
    assert browser.post(RECORD, fields | ANSWERS)["Location"] == "/governance/versions/"
    assert versions(clinic) == ["1.0", "2.0"]
    entry = list(clinic.trial.ledger.read())[-1]
    assert (entry.kind, entry.reason) == ("StudyAmended", ANSWERS["reason"])
    assert entry.content["definition"] == fields["shown_hash"] == clinic.definition.hash
    assert (entry.content["title"], entry.content["reconsent"]) == ("Amendment 2", False)
    again = browser.post(RECORD, fields | ANSWERS, follow=True)
    assert "nothing was recorded twice" in again.content.decode() and versions(clinic) == ["1.0", "2.0"]
    assert list((clinic.folder / "amendments").iterdir()) == []


def test_spec_a_folder_that_changed_since_it_was_shown_is_refused(
    clinic: Clinic, browser: Client, administrator: Actor, unchanged: None
) -> None:
    files = changed(taken(browser), RAISED)
    send(browser, administrator, zip_of(changed(files, RENAMED)))
    fields = form_of(browser, PAGE)
    other = ("study.yaml", "title: Mesenchymal Stem Cells", "title: Cells")
    send(browser, administrator, zip_of(changed(files, other)))
    answer = browser.post(RECORD, fields | ANSWERS)
    assert answer.status_code == 409 and "WEB-AMEND-CHANGED" in answer.content.decode()
    clinic.amendments.forget(administrator)
    answer = browser.post(RECORD, fields | ANSWERS)
    assert answer.status_code == 409 and "WEB-AMEND-CHANGED" in answer.content.decode()


def test_spec_what_the_trial_cannot_take_is_said_with_its_remedy_and_cannot_be_confirmed(
    browser: Client, administrator: Actor, unchanged: None
) -> None:
    files = taken(browser)
    crossed = ("study.yaml", "model: crossover", "model: sequential")
    page = send(browser, administrator, zip_of(changed(files, RAISED, crossed))).content.decode()
    assert "AMEND-DESIGN" in page and "Take this change back" in page and "shown_hash" not in page
    page = send(browser, administrator, zip_of(changed(files, RENAMED))).content.decode()
    assert "GOV-AMEND-VERSION" in page and "Raise version in study.yaml." in page
    stale = {**changed(files, RAISED, RENAMED), "mesems-1.0/study.lock": b"{}"}
    assert "LOCK-STALE" in send(browser, administrator, zip_of(stale)).content.decode()


def test_spec_the_errors_of_a_folder_are_shown_with_file_and_line(
    browser: Client, administrator: Actor, unchanged: None
) -> None:
    broken = changed(taken(browser), ("study.yaml", "model: crossover", "model: circular"))
    page = send(browser, administrator, zip_of(broken)).content.decode()
    assert "study.yaml:" in page and "The study folder has 1 error." in page and "shown_hash" not in page


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"no zip", "FOLDER-NO-ZIP"),
        (zip_of({"../study.yaml": b"id: x"}), "FOLDER-PATH"),
        (zip_of({"study.yaml": bytes(7_000_000)}), "FOLDER-TOO-LARGE"),
    ],
)
def test_hostile_files_are_refused_and_not_kept(
    content: bytes, code: str, clinic: Clinic, browser: Client, administrator: Actor, unchanged: None
) -> None:
    answer = send(browser, administrator, content)
    assert answer.status_code == 422 and code in answer.content.decode()
    assert clinic.amendments.read(administrator) is None


def test_a_form_without_a_file_says_so(browser: Client, administrator: Actor, unchanged: None) -> None:
    answer = browser.post(PAGE, {"acting_as": role_token(administrator)})
    assert answer.status_code == 422 and "Choose a file." in answer.content.decode()


def test_what_was_sent_is_for_its_owner_alone(clinic: Clinic, browser: Client, administrator: Actor) -> None:
    send(browser, administrator, zip_of({"study.yaml": b"id: x"}))
    assert clinic.amendments.read(Actor("somebody", administrator.role)) is None
    (kept,) = (clinic.folder / "amendments").iterdir()
    assert kept.stat().st_mode & 0o077 == 0 and (clinic.folder / "amendments").stat().st_mode & 0o077 == 0


def test_the_folder_compiles_to_the_version_that_holds(clinic: Clinic, tmp_path: Any) -> None:
    files = taken(browser_of(actor_of(clinic, "data_manager")))
    for name, content in files.items():
        path = tmp_path / "taken" / name.partition("/")[2]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    definition, _findings = check_study(tmp_path / "taken")
    assert definition is not None and definition.hash == clinic.definition.hash
