"""The audit trail: a sentence for every kind of entry, filters, pages, and the file that is taken away."""

import csv
import io
import re
import time
from collections.abc import Iterator

import pytest

import equipoise.conduct.rooms  # noqa: F401  # registers every kind of entry
from equipoise.access.content import FIELD_NAMES, KINDS, Audience
from equipoise.web.clinic import Clinic
from equipoise.web.sentences_of_kinds import SENTENCES, TITLES
from tests.web.clinics import actor_of, browser_of, form_of
from tests.web.filled import address_of, recorded_form

MADE = {"who", "place", "item_or_form", "at_site", "learned_by", "path", "compared", "of_whom"}
"""What `sentences` makes itself."""


@pytest.mark.requirement("G5")
def test_spec_every_kind_of_entry_has_a_title_and_a_sentence():
    assert KINDS.keys() == SENTENCES.keys() == TITLES.keys()


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_sentence_names_only_what_its_entry_holds(kind: str):
    named = set(re.findall(r"%\((\w+)\)s", str(SENTENCES[kind])))
    assert named - MADE <= set(FIELD_NAMES[kind])


@pytest.mark.requirement("G2", "G5")
def test_spec_a_correction_reads_as_a_sentence_with_labels_units_and_the_reason(clinic: Clinic):
    record = recorded_form(clinic)
    nurse = actor_of(clinic, "nurse", "SE01")
    browser = browser_of(nurse)
    correct = f"{address_of(record)}correct/"
    browser.post(correct, form_of(browser, correct) | {"item-weight": "99.5", "reason": "Wrong column"})
    page = browser.get(f"/participants/{record.participant}/audit/").content.decode()
    name = f"The {nurse.account.replace('.', ' at ')}"
    sentence = rf"{name} \(Study nurse\) changed Body weight from [0-9.]+ kg to 99.5 kg in Vital signs"
    assert re.search(sentence, page)
    assert "<td>Wrong column</td>" in page


@pytest.mark.requirement("G5")
def test_spec_the_whole_trail_can_be_read_in_sentences_by_who_sees_most(clinic: Clinic):
    browser = browser_of(actor_of(clinic, "unblinded_statistician"))
    rows = rows_of(browser.get("/audit/?as=csv").content.decode("utf-8-sig"))
    assert len(rows) == clinic.trial.head.position
    assert [int(row["Entry"]) for row in rows] == list(range(len(rows), 0, -1))
    for row in rows:
        assert row["What was done"]
        assert "%(" not in row["What was done"]
        assert "not shown" not in row["What was done"]
        assert "{" not in row["What was done"]


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.requirement("G10", "R1")
def test_spec_a_masked_role_reads_no_entry_that_is_not_for_it(clinic: Clinic):
    rows = rows_of(
        browser_of(actor_of(clinic, "nurse", "SE01")).get("/audit/?as=csv").content.decode("utf-8-sig")
    )
    assert rows
    audiences = {KINDS[row["Kind"]].audience for row in rows}
    assert audiences <= {Audience.TRIAL, Audience.CONDUCT}
    assert {row["Participant"][:4] for row in rows} <= {"", "SE01"}


def pages_of(clinic: Clinic, address: str) -> Iterator[list[int]]:
    browser = browser_of(actor_of(clinic, "data_manager"))
    while address:
        page = browser.get(address).content.decode()
        yield [int(number) for number in re.findall(r'<td class="number">(\d+)</td>', page)]
        found = re.search(r'<a href="(\?[^"]*)" rel="next">', page)
        address = f"/audit/{found[1].replace('&amp;', '&')}" if found else ""


def test_the_pages_hold_every_entry_once_and_keep_the_filter(clinic: Clinic):
    viewer = clinic.trial.as_seen_by(actor_of(clinic, "data_manager"))
    recorded = [line.position for line in viewer.audit(newest_first=True) if line.kind == "FormRecorded"]
    read = [position for page in pages_of(clinic, "/audit/?kind=FormRecorded") for position in page]
    assert read == recorded
    assert len(recorded) > 100


@pytest.mark.requirement("G5")
def test_the_trail_is_filtered_by_account_and_day(clinic: Clinic):
    browser = browser_of(actor_of(clinic, "data_manager"))
    line = next(each for each in clinic.trial.ledger.read() if each.kind == "FormRecorded")
    someone = line.actor
    day = line.recorded_at[:10]
    answer = browser.get(f"/audit/?account={someone}&from={day}&to={day}&as=csv")
    rows = rows_of(answer.content.decode("utf-8-sig"))
    assert str(line.position) in {row["Entry"] for row in rows}
    assert {row["Account"] for row in rows} == {someone}
    assert {row["Time (UTC)"][:10] for row in rows} == {day}


def test_a_filter_that_is_none_does_no_harm(clinic: Clinic):
    browser = browser_of(actor_of(clinic, "data_manager"))
    for asked in (
        "?from=yesterday",
        "?to=0001-01-01",
        "?from=9999-12-31",
        "?before=x",
        "?before=0",
        "?kind=No",
    ):
        assert browser.get(f"/audit/{asked}").status_code == 200, asked
    assert browser.get("/participants/SE01-999/audit/").status_code == 404
    assert browser_of(actor_of(clinic, "reader")).get("/audit/").status_code == 403


def test_a_page_of_a_long_trail_is_drawn_fast(clinic: Clinic):
    browser = browser_of(actor_of(clinic, "data_manager"))
    browser.get("/audit/")
    trail = clinic.trial.trail
    lines = [trail.at(position) for position in range(1, clinic.trial.head.position + 1)]
    kept = len(trail._lines)
    trail._lines.extend(lines * (30_000 // len(lines)))
    try:
        begun = time.perf_counter()
        assert browser.get("/audit/?kind=TrialOpened&account=nobody").status_code == 200
        assert time.perf_counter() - begun < 2
    finally:
        del trail._lines[kept:]


def test_spec_who_sees_all_sites_reads_each_time_in_utc_beside_that_of_the_site(clinic: Clinic):
    recorded_form(clinic)
    (manager, nurse) = (
        browser_of(actor_of(clinic, kind, site)).get("/audit/").content.decode()
        for kind, site in (("data_manager", None), ("nurse", "SE01"))
    )
    both = re.findall(r"(\d\d:\d\d) UTC\+0(\d):00<br><span class=\"hint\">\S+ (\d\d:\d\d) UTC<", manager)
    assert both
    for local, ahead, utc in both:
        assert (int(local[:2]) - int(ahead)) % 24 == int(utc[:2])
    assert "UTC+" in nurse and ">UTC" not in nurse and " UTC<" not in nurse
