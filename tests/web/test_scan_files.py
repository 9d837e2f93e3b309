"""The files of scans: sent by the site, kept with their entry or not at all, read by the blinded reader."""

import stat
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from equipoise.access.actor import Actor
from equipoise.access.refusal import Refusal, Refused
from equipoise.capture.commands import StartEncounter
from equipoise.conduct.trial import Trial
from equipoise.imaging.commands import AcceptScan, RecordRead, RefuseScan
from equipoise.imaging.state import ScanRow, TaskRow
from equipoise.ledger.protocol import StoreUnavailable
from equipoise.web.accounts.models import AccessEvent
from equipoise.web.api.shapes import body_model
from equipoise.web.clinic import Clinic, opened_clinic
from equipoise.web.commands.catalogue import COMMANDS
from equipoise.web.settings import POST_BYTES_MAX
from tests.web.clinics import actor_of, browser_of, form_of
from tests.web.scan_bytes import compressed, dicom, element, nifti, zipped
from tests.web.test_imaging import _READING, disputed_task, readers, record

Place = tuple[Actor, str, str]


@pytest.fixture
def place(clinic: Clinic) -> Place:
    """A nurse, a participant and an encounter that took place today and whose scan is not there yet."""
    imaging, schedule = clinic.definition.imaging, clinic.definition.schedule
    assert imaging is not None
    for site in ("SE01", "IT01", "IT02"):
        nurse = actor_of(clinic, "nurse", site)
        for person in clinic.trial.as_seen_by(nurse).participants():
            for planned in schedule.encounters:
                if imaging.acquisition_form not in schedule.forms_at(planned.id):
                    continue
                command = StartEncounter(
                    participant=person.participant, encounter=planned.id, took_place_on=clinic.today(site)
                )
                if not isinstance(clinic.trial.record(nurse, command), Refusal):
                    return nurse, person.participant, planned.id
    raise AssertionError("every encounter with a scan took place")


def send(place: Place, content: bytes | None, name: str = "anna_20250102.dcm", **changed: str) -> Any:
    nurse, participant, encounter = place
    browser = browser_of(nurse)
    address = f"/do/receive-scan/?participant={participant}&encounter={encounter}&next=/scans/"
    fields: dict[str, object] = {**form_of(browser, address), **changed}
    if content is not None:
        fields["file"] = SimpleUploadedFile(name, content)
    return browser.post("/do/receive-scan/", fields)


def kept(clinic: Clinic) -> list[str]:
    """What lies in the folder of scans, but for its lock."""
    folder = clinic.scans.folder
    return sorted(path.name for path in folder.iterdir() if path.name != ".lock") if folder.exists() else []


def received(clinic: Clinic) -> ScanRow:
    line = list(clinic.trial.trail.of_kind("ScanReceived"))[-1]
    return clinic.trial.tables.require(ScanRow, str(line.content["scan"]))


def to_read(clinic: Clinic) -> list[str]:
    """Accept the scan that arrived last; its tasks."""
    scan = received(clinic).scan
    record(clinic, actor_of(clinic, "data_manager"), AcceptScan(scan=scan))
    return sorted(row.task for row in clinic.trial.tables.where(TaskRow, scan=scan))


def body(answer: Any) -> bytes:
    return b"".join(answer) if answer.streaming else bytes(answer.content)


# -- sending


def test_spec_a_file_is_kept_under_its_hash_and_the_entry_names_it(clinic: Clinic, place: Place):
    content = dicom()
    answer = send(place, content)
    assert (answer.status_code, answer["Location"]) == (302, "/scans/")
    entry = list(clinic.trial.ledger.read())[-1]
    assert (entry.kind, entry.content["file_hash"]) == ("ScanReceived", sha256(content).hexdigest())
    assert kept(clinic) == [sha256(content).hexdigest()]
    folder = clinic.scans.folder
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / kept(clinic)[0]).stat().st_mode) == 0o600


def test_spec_a_scan_may_come_without_a_file_and_its_entry_is_as_it_ever_was(clinic: Clinic, place: Place):
    assert send(place, None).status_code == 302
    entry = list(clinic.trial.ledger.read())[-1]
    assert set(entry.content) == {"scan", "participant", "encounter", "acquired_on"}
    (task, _other) = to_read(clinic)
    reader = readers(clinic)[0]
    assert clinic.trial.as_seen_by(reader).scan_file(task) is None
    assert browser_of(reader).get(f"/reading/{task}/file/").status_code == 404


def test_spec_the_page_takes_files_and_asks_for_no_hash(clinic: Clinic, place: Place):
    page = browser_of(place[0]).get("/do/receive-scan/").content.decode()
    assert 'enctype="multipart/form-data"' in page
    assert '<input id="field-file" name="file" type="file"' in page
    assert "file_hash" not in page
    assert "file_hash" not in body_model(COMMANDS["ReceiveScan"]).model_fields


def test_a_hash_that_somebody_sends_is_not_recorded(clinic: Clinic, place: Place):
    assert send(place, None, file_hash="ab" * 32).status_code == 302
    assert "file_hash" not in list(clinic.trial.ledger.read())[-1].content


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"A letter." * 100, "WEB-FILE-TYPE"),
        (zipped({"letter.txt": b"Dear Anna" * 50}), "WEB-FILE-TYPE"),
        (dicom(element(0x00100010, "PN", b"Anna^Andersson")), "WEB-FILE-PARTICIPANT"),
        (dicom(element(0x00100020, "LO", b"SE01-999")), "WEB-FILE-PARTICIPANT"),
        (dicom(element(0x00100030, "DA", b"19700101")), "WEB-FILE-DATES"),
        (dicom(element(0x00080080, "LO", b"The hospital")), "WEB-FILE-IDENTITY"),
        (nifti(text=b"Anna 2025"), "WEB-FILE-TEXT"),
    ],
)
def test_spec_what_is_refused_leaves_nothing_behind(clinic: Clinic, place: Place, content: bytes, code: str):
    before = clinic.trial.head
    answer = send(place, content)
    page = answer.content.decode()
    assert (answer.status_code, code in page) == (422, True)
    assert "choose the file again" in page
    assert "Anna" not in page
    assert "The hospital" not in page
    assert clinic.trial.head == before
    assert kept(clinic) == []


def test_spec_the_participants_code_in_a_file_is_checked_and_taken_out(clinic: Clinic, place: Place):
    code = place[1].encode()
    assert send(place, dicom(element(0x00100020, "LO", code))).status_code == 302
    assert code not in (clinic.scans.folder / kept(clinic)[0]).read_bytes()


def test_spec_a_file_whose_command_is_refused_is_removed(clinic: Clinic, place: Place):
    assert send(place, None).status_code == 302
    answer = send(place, dicom())
    assert "IMG-DUPLICATE" in answer.content.decode()
    assert kept(clinic) == []


def test_a_missing_answer_keeps_no_file(clinic: Clinic, place: Place):
    answer = send(place, dicom(), encounter="")
    assert answer.status_code == 422
    assert "choose the file again" in answer.content.decode()
    assert kept(clinic) == []


def test_the_same_bytes_sent_again_are_one_file_that_a_refusal_does_not_take_away(
    clinic: Clinic, place: Place
):
    assert send(place, dicom()).status_code == 302
    assert "IMG-DUPLICATE" in send(place, dicom()).content.decode()
    assert kept(clinic) == [sha256(dicom()).hexdigest()]
    reason = clinic.definition.imaging.quality_reasons[0] if clinic.definition.imaging else ""
    record(clinic, actor_of(clinic, "data_manager"), RefuseScan(scan=received(clinic).scan, cause=reason))
    assert send(place, dicom()).status_code == 302
    assert kept(clinic) == [sha256(dicom()).hexdigest()]


def test_a_form_sent_twice_is_recorded_once(clinic: Clinic, place: Place):
    ticket = "t" * 32
    assert send(place, dicom(), ticket=ticket).status_code == 302
    before = clinic.trial.head
    assert send(place, nifti(), ticket=ticket).status_code == 302
    assert clinic.trial.head == before
    assert kept(clinic) == [sha256(dicom()).hexdigest()]


@pytest.mark.parametrize("name", ["../../etc/passwd", "a\\b.nii", "å" * 300, "x.exe"])
def test_the_name_of_a_file_is_nowhere_used(clinic: Clinic, place: Place, name: str):
    assert send(place, nifti(), name).status_code == 302
    assert kept(clinic) == [sha256(nifti()).hexdigest()]
    assert "passwd" not in str(list(clinic.trial.ledger.read())[-1].content)


# -- how much


def large(browser: Client, address: str, fields: dict[str, str], size: int) -> Any:
    return browser.post(address, {**fields, "file": SimpleUploadedFile("a.nii", bytes(size))})


def test_spec_more_than_a_form_is_taken_on_this_page_only_and_from_those_who_may(
    clinic: Clinic, place: Place
):
    size = POST_BYTES_MAX + 1000
    nurse = browser_of(place[0])
    fields = form_of(nurse, f"/do/receive-scan/?participant={place[1]}&encounter={place[2]}")
    assert "WEB-FILE-TYPE" in large(nurse, "/do/receive-scan/", fields, size).content.decode()
    assert large(nurse, "/do/consent-participant/", fields, size).status_code == 413
    for browser in (
        Client(),
        browser_of(actor_of(clinic, "reader")),
        browser_of(actor_of(clinic, "monitor")),
    ):
        assert large(browser, "/do/receive-scan/", fields, size).status_code == 413
    assert kept(clinic) == []


def test_more_than_a_scan_is_taken_nowhere(clinic: Clinic, place: Place):
    browser = browser_of(place[0])
    answer = browser.post("/do/receive-scan/", {}, CONTENT_LENGTH=str(600 * 1024 * 1024))
    assert answer.status_code == 413


# -- when it goes wrong


class Crashed(BaseException):
    """The process ends."""


def failing(monkeypatch: pytest.MonkeyPatch, failure: BaseException) -> None:
    def fail(*_arguments: object) -> None:
        raise failure

    monkeypatch.setattr(Trial, "record", fail)


def test_spec_a_file_whose_entry_fails_is_removed(
    clinic: Clinic, place: Place, monkeypatch: pytest.MonkeyPatch
):
    before = clinic.trial.head
    failing(monkeypatch, StoreUnavailable("STORE-BUSY", "The store is busy."))
    assert send(place, dicom()).status_code == 503
    assert kept(clinic) == []
    assert clinic.trial.head == before


def test_spec_what_may_be_recorded_after_all_keeps_its_file_until_it_is_known(
    clinic: Clinic, place: Place, monkeypatch: pytest.MonkeyPatch
):
    file_hash = sha256(dicom()).hexdigest()
    failing(monkeypatch, StoreUnavailable("STORE-UNCERTAIN", "Nobody knows."))
    assert send(place, dicom()).status_code == 503
    assert file_hash in kept(clinic)
    clinic.scans.sweep(lambda: {file_hash})
    assert kept(clinic) == [file_hash]


def prepared(clinic: Clinic, tmp_path: Path, content: bytes) -> str:
    """A file that was kept when the process ended, before its entry; its hash."""
    clinic.scans.make()
    (tmp_path / "sent").write_bytes(content)
    with (tmp_path / "sent").open("rb") as sent:
        found = clinic.scans.prepare(sent, len(content))
    with pytest.raises(Crashed), clinic.scans.kept(found):
        raise Crashed
    return found.hash


def test_spec_a_file_that_a_crash_left_behind_is_removed_when_the_clinic_opens(
    clinic: Clinic, tmp_path: Path
):
    assert prepared(clinic, tmp_path, dicom()) in kept(clinic)
    with opened_clinic(clinic.folder):
        assert kept(clinic) == []


def test_a_file_whose_entry_is_there_stays_when_the_clinic_opens(
    clinic: Clinic, place: Place, tmp_path: Path
):
    assert send(place, dicom()).status_code == 302
    clinic.scans._mark(sha256(dicom()).hexdigest()).touch()
    with opened_clinic(clinic.folder):
        assert kept(clinic) == [sha256(dicom()).hexdigest()]


def test_a_ledger_from_an_older_backup_takes_no_file_away(clinic: Clinic, place: Place):
    assert send(place, dicom()).status_code == 302
    clinic.scans.sweep(set)
    assert kept(clinic) == [sha256(dicom()).hexdigest()]


def test_what_is_being_received_is_not_swept_away(clinic: Clinic):
    clinic.scans.make()
    (clinic.scans.folder / "incoming-now").write_bytes(b"half")
    clinic.scans.sweep(set)
    assert kept(clinic) == ["incoming-now"]


# -- reading


@pytest.mark.parametrize(
    ("content", "ending"),
    [(dicom(), "dcm"), (nifti(), "nii"), (zipped({"a": dicom()}), "zip"), (compressed(nifti(2)), "nii.gz")],
)
def test_spec_a_reader_gets_the_bytes_that_are_kept_and_no_word_of_whose_they_are(
    clinic: Clinic, place: Place, content: bytes, ending: str
):
    send(place, content)
    task, _other = to_read(clinic)
    row, reader = received(clinic), readers(clinic)[0]
    browser = browser_of(reader)
    page = (
        browser.get("/reading/").content.decode()
        + browser.get(f"/do/record-read/?task={task}").content.decode()
    )
    assert page.count(f'href="/reading/{task}/file/"') == 2
    answer = browser.get(f"/reading/{task}/file/")
    stored = (clinic.scans.folder / kept(clinic)[0]).read_bytes()
    assert (answer.status_code, body(answer)) == (200, stored)
    assert answer["Content-Disposition"] == f'attachment; filename="{task}.{ending}"'
    assert answer["Content-Length"] == str(len(stored))
    assert answer["Content-Type"] == "application/octet-stream"
    assert {"Last-Modified", "ETag"} & set(answer.headers) == set()
    told = f"{sorted(answer.items())} {stored!r}"
    for word in (row.participant, row.scan, row.encounter, row.acquired_on, row.acquired_on.replace("-", "")):
        assert word not in told
    event = AccessEvent.objects.get(what="scan_taken")
    assert (event.account, event.detail) == (reader.account, f"{task} as reader")


def test_a_head_request_takes_nothing(clinic: Clinic, place: Place):
    send(place, dicom())
    task, _other = to_read(clinic)
    answer = browser_of(readers(clinic)[0]).head(f"/reading/{task}/file/")
    assert (answer.status_code, answer["Content-Length"], answer.content) == (200, str(len(dicom())), b"")
    assert not AccessEvent.objects.filter(what="scan_taken").exists()


def test_spec_a_reader_gets_the_files_of_their_own_tasks_only(clinic: Clinic, place: Place):
    send(place, dicom())
    first, second = to_read(clinic)
    one, other = readers(clinic)
    record(clinic, one, RecordRead(task=first, values=_READING))
    assert body(browser_of(one).get(f"/reading/{first}/file/")) == dicom()
    assert f'href="/reading/{first}/file/"' in browser_of(one).get("/reading/").content.decode()
    for actor, task in ((one, second), (other, first), (one, "T-00000000")):
        answer = browser_of(actor).get(f"/reading/{task}/file/")
        assert (answer.status_code, "ACC-UNSEEN" in answer.content.decode()) == (403, True)
        with pytest.raises(Refused, match="ACC-UNSEEN"):
            clinic.trial.as_seen_by(actor).scan_file(task)
    assert body(browser_of(other).get(f"/reading/{second}/file/")) == dicom()


@pytest.mark.parametrize(
    "kind", ["nurse", "data_manager", "statistician", "monitor", "laboratory", "adjudicator"]
)
def test_spec_nobody_else_comes_to_a_readers_file(clinic: Clinic, place: Place, kind: str):
    send(place, dicom())
    task, _other = to_read(clinic)
    actor = actor_of(clinic, kind)
    assert browser_of(actor).get(f"/reading/{task}/file/").status_code == 403
    with pytest.raises(Refused, match="ACC-UNSEEN"):
        clinic.trial.as_seen_by(actor).scan_file(task)


def test_spec_an_adjudicator_gets_the_file_of_a_dispute(clinic: Clinic, place: Place):
    send(place, dicom())
    for reader, task, count in zip(readers(clinic), to_read(clinic), (2, 3), strict=True):
        record(clinic, reader, RecordRead(task=task, values=_READING | {"combined_unique_active": count}))
    adjudicator = actor_of(clinic, "adjudicator")
    row = next(r for r in clinic.trial.tables.where(TaskRow, scan=received(clinic).scan) if r.slot == 0)
    browser = browser_of(adjudicator)
    assert body(browser.get(f"/reading/{row.task}/file/")) == dicom()
    page = browser.get(f"/do/record-adjudication/?task={row.task}").content.decode()
    assert f'href="/reading/{row.task}/file/"' in page
    assert browser_of(readers(clinic)[0]).get(f"/reading/{row.task}/file/").status_code == 403


def test_a_dispute_without_a_file_offers_none(clinic: Clinic):
    task = disputed_task(clinic)
    page = browser_of(actor_of(clinic, "adjudicator")).get(f"/do/record-adjudication/?task={task}")
    assert "/file/" not in page.content.decode()


def test_spec_a_data_manager_gets_a_file_to_judge_its_quality_and_the_site_does_not(
    clinic: Clinic, place: Place
):
    send(place, nifti())
    scan = received(clinic).scan
    manager = browser_of(actor_of(clinic, "data_manager"))
    assert f'href="/scans/{scan}/file/"' in manager.get("/scans/").content.decode()
    answer = manager.get(f"/scans/{scan}/file/")
    assert body(answer) == nifti()
    assert answer["Content-Disposition"] == f'attachment; filename="{scan}.nii"'
    assert manager.get("/scans/S-00000000/file/").status_code == 403
    for kind in ("nurse", "investigator", "reader", "adjudicator", "statistician", "monitor"):
        actor = actor_of(clinic, kind)
        assert browser_of(actor).get(f"/scans/{scan}/file/").status_code == 403, kind
    with pytest.raises(Refused, match="ACC-UNSEEN"):
        clinic.trial.as_seen_by(place[0]).received_file(scan)
    assert f'href="/scans/{scan}/file/"' not in browser_of(place[0]).get("/scans/").content.decode()


def changes(path: Path) -> Iterator[None]:
    path.write_bytes(dicom(element(0x00180081, "DS", b"12")))
    yield
    path.unlink()
    yield


def test_spec_a_file_that_was_changed_or_is_gone_is_not_sent(clinic: Clinic, place: Place):
    send(place, dicom())
    task, _other = to_read(clinic)
    browser = browser_of(readers(clinic)[0])
    for _change in changes(clinic.scans.folder / kept(clinic)[0]):
        answer = browser.get(f"/reading/{task}/file/")
        assert (answer.status_code, "WEB-FILE-CHANGED" in answer.content.decode()) == (409, True)
    assert not AccessEvent.objects.filter(what="scan_taken").exists()
