"""Verification finds whatever was done to a trial that is kept, and nothing in one that was left alone."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from hashlib import sha256
from typing import Any

import pytest

from equipoise.allocation.entries import ParticipantRandomised, TrialUnblinded
from equipoise.allocation.state import AllocationRow
from equipoise.conduct.rooms import APPLY, apply_entry
from equipoise.conduct.verify import verify_trial
from equipoise.definition.lock import canonical_json
from equipoise.definition.model.definition import StudyDefinition
from equipoise.enrolment.state import ParticipantRow
from equipoise.ledger import Entry, Head, Row, StoredRecord, Tables
from equipoise.rehearsal.rehearse import rehearse
from tests.blinding.worlds import study_of


@dataclass
class FakeKept:
    """A trial as a store would hand it out, in lists that a test can tamper with."""

    kept_records: list[StoredRecord]
    kept_head: Head
    kept_definitions: dict[str, bytes]
    rows: dict[type[Row], dict[tuple[object, ...], Row]]
    problems: list[str] = field(default_factory=list)

    def records(self) -> Iterator[StoredRecord]:
        return iter(self.kept_records)

    def head(self) -> Head:
        return self.kept_head

    def definitions(self) -> Mapping[str, bytes]:
        return self.kept_definitions

    def dictionary_hash(self, name: str, digest: str) -> str | None:
        return digest

    def row_types(self) -> Sequence[type[Row]]:
        return list(self.rows)

    def differing_rows(self, row_type: type[Row], expected: list[Any]) -> list[str]:
        wanted = {_key(row): row for row in expected}
        found = self.rows[row_type]
        keys = sorted(key for key in wanted.keys() | found.keys() if wanted.get(key) != found.get(key))
        return [f"{'/'.join(map(str, key))} differs" for key in keys]

    def structure_problems(self) -> list[str]:
        return self.problems


def _key(row: Row) -> tuple[object, ...]:
    return tuple(getattr(row, name) for name in row.key)


@cache
def _rehearsed() -> tuple[StudyDefinition, tuple[Entry, ...]]:
    definition = study_of("betraying")
    trial = rehearse(definition, seed=5, scenario="null", participants=3, sites=2).trial
    return definition, tuple(trial.ledger.read())


@pytest.fixture
def kept() -> FakeKept:
    definition, entries = _rehearsed()
    return keep(definition, entries)


def keep(definition: StudyDefinition, entries: Sequence[Entry]) -> FakeKept:
    tables = Tables()
    touched: dict[type[Row], dict[tuple[object, ...], Row]] = {}
    tables.begin()
    for entry in entries:
        apply_entry(tables, entry)
    for change in tables.changes():
        if change.after is not None:
            touched.setdefault(change.row_type, {})[change.key] = change.after
    return FakeKept(
        [StoredRecord.of(entry) for entry in entries],
        entries[-1].head,
        {definition.hash: canonical_json(definition)},
        touched,
    )


def found(kept: FakeKept, *published: Head) -> set[str]:
    report = verify_trial(kept, published)
    assert report.intact is (not report.problems)
    return {problem.code for problem in report.problems}


def at(kept: FakeKept, kind: str) -> int:
    """The index of the first entry of a kind."""
    return next(i for i, each in enumerate(kept.kept_records) if f'"kind":"{kind}"'.encode() in each.body)


def reseal(kept: FakeKept, start: int, change: Callable[[dict[str, Any]], None]) -> None:
    """What somebody does who owns the storage: change an entry, and give all that follow new hashes."""
    previous = kept.kept_records[start].previous
    for index in range(start, len(kept.kept_records)):
        body = json.loads(kept.kept_records[index].body)
        if index == start:
            change(body)
        body["previous"] = previous
        raw = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        previous_hash, previous = previous, sha256(raw).hexdigest()
        kept.kept_records[index] = StoredRecord(index + 1, previous_hash, previous, raw)
    kept.kept_head = Head(len(kept.kept_records), previous)


def test_a_trial_that_was_left_alone_is_intact(kept: FakeKept) -> None:
    report = verify_trial(kept, [kept.kept_head, Head.genesis()])
    assert report.problems == () == report.warnings
    assert report.intact
    assert report.head == kept.kept_head
    assert report.entries == len(kept.kept_records)


def test_a_register_of_identities_that_does_not_agree_is_a_warning(kept: FakeKept) -> None:
    assert verify_trial(kept, identities=()).warnings == ()
    report = verify_trial(kept, identities=["SE01-001"])
    assert report.intact
    assert [warning.code for warning in report.warnings] == ["VERIFY-IDENTITY"]
    assert report.warnings[0].sentence.startswith("An identity is kept for SE01-001 that is not")
    assert report.rows == sum(len(rows) for rows in kept.rows.values()) > 50
    assert report.tables == len(kept.rows)
    assert report.openings == 3


@pytest.mark.requirement("G4", "P7")
def test_a_changed_byte_of_a_body_is_found(kept: FakeKept) -> None:
    index = at(kept, "ParticipantRandomised")
    record = kept.kept_records[index]
    kept.kept_records[index] = replace(record, body=record.body.replace(b'"slot":1', b'"slot":2'))
    assert found(kept) == {"CHAIN-HASH"}


def test_a_missing_entry_is_found(kept: FakeKept) -> None:
    del kept.kept_records[20]
    assert "CHAIN-MISSING" in found(kept)


def test_reordered_entries_are_found(kept: FakeKept) -> None:
    kept.kept_records[10:12] = reversed(kept.kept_records[10:12])
    assert "CHAIN-ORDER" in found(kept)


def test_a_repeated_entry_is_found(kept: FakeKept) -> None:
    kept.kept_records.insert(10, kept.kept_records[9])
    assert "CHAIN-DUPLICATE" in found(kept)


@pytest.mark.requirement("P7", "R19")
def test_an_edited_row_a_missing_row_and_one_too_many_are_found(kept: FakeKept) -> None:
    rows = kept.rows[ParticipantRow]
    edited, missing, *_ = rows
    row = rows[edited]
    assert isinstance(row, ParticipantRow)
    rows[edited] = replace(row, status="failed" if row.status != "failed" else "completed")
    del rows[missing]
    rows["SE01-999",] = replace(row, participant="SE01-999")
    report = verify_trial(kept)
    assert [problem.code for problem in report.problems] == ["VERIFY-TABLE"] * 3
    assert all("In the table participant the row" in problem.sentence for problem in report.problems)


def test_a_wrong_head_is_found(kept: FakeKept) -> None:
    kept.kept_head = Head(kept.kept_head.position, "0" * 64)
    assert found(kept) == {"VERIFY-HEAD"}


def test_a_ledger_that_was_cut_short_is_found_by_a_published_head(kept: FakeKept) -> None:
    published = kept.kept_head
    _, entries = _rehearsed()
    shorter = keep(study_of("betraying"), entries[:-2])
    assert found(shorter) == set()
    assert found(shorter, published) == {"CHAIN-TRUNCATED"}


@pytest.mark.requirement("G4", "E2")
def test_a_ledger_that_was_rewritten_and_resealed_is_found_by_a_published_head(kept: FakeKept) -> None:
    published = Head(at(kept, "ParticipantRandomised") + 2, kept.kept_records[-1].hash)
    published = Head(published.position, kept.kept_records[published.position - 1].hash)

    def change(body: dict[str, Any]) -> None:
        body["reason"] = "Another reason"

    reseal(kept, at(kept, "ParticipantRandomised"), change)
    assert found(kept) == set()
    assert found(kept, published) == {"CHAIN-REWRITTEN"}


def test_a_changed_definition_and_a_missing_one_are_found(kept: FakeKept) -> None:
    (digest, canonical) = next(iter(kept.kept_definitions.items()))
    kept.kept_definitions = {digest: canonical.replace(b'"ratio":', b'"Ratio":')}
    assert found(kept) == {"VERIFY-DEFINITION"}
    kept.kept_definitions = {}
    assert found(kept) == {"VERIFY-DEFINITION"}


def test_a_forged_opening_is_found(kept: FakeKept) -> None:
    def exchange(body: dict[str, Any]) -> None:
        arms = {"cells_first": "vehicle_first", "vehicle_first": "cells_first"}
        opening = body["content"]["openings"][0]
        opening["arm"] = arms[opening["arm"]]

    reseal(kept, at(kept, "TrialUnblinded"), exchange)
    assert found(kept) == {"OPENING-SLOT", "VERIFY-TABLE"}


def test_a_list_that_was_drawn_again_is_found(kept: FakeKept) -> None:
    def redraw(body: dict[str, Any]) -> None:
        plan = json.loads(body["content"]["plan"])
        plan["seed"] = "00" * 32
        body["content"]["plan"] = json.dumps(plan, sort_keys=True, separators=(",", ":"))

    reseal(kept, at(kept, "TrialUnblinded"), redraw)
    assert found(kept) == {"OPENING-PLAN"}


def test_an_allocation_that_was_changed_after_the_fact_is_found(kept: FakeKept) -> None:
    def give_another_slot(body: dict[str, Any]) -> None:
        body["content"]["slot"] += 7

    reseal(kept, at(kept, ParticipantRandomised.kind), give_another_slot)
    assert found(kept) == {"OPENING-SLOT", "VERIFY-TABLE"}


def test_an_entry_that_was_taken_out_before_resealing_is_found_by_what_follows(kept: FakeKept) -> None:
    index = at(kept, "SourceCollected")
    del kept.kept_records[index]
    before = kept.kept_records[index - 1].hash
    kept.kept_records[index] = replace(kept.kept_records[index], previous=before)

    def renumber(body: dict[str, Any]) -> None:
        body["position"] = index + 1

    for place in range(index, len(kept.kept_records)):
        body = json.loads(kept.kept_records[place].body) | {"position": place + 1}
        raw = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        kept.kept_records[place] = replace(kept.kept_records[place], body=raw)
    reseal(kept, index, renumber)
    assert "VERIFY-REPLAY" in found(kept)


def test_openings_that_cannot_be_read_are_found(kept: FakeKept) -> None:
    def garble(body: dict[str, Any]) -> None:
        body["content"]["openings"][0]["salt"] = "no number"

    reseal(kept, at(kept, "TrialUnblinded"), garble)
    assert found(kept) == {"VERIFY-OPENINGS"}


def test_a_kind_of_entry_that_this_release_does_not_know_is_named(
    kept: FakeKept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(APPLY, TrialUnblinded.kind)
    report = verify_trial(kept)
    assert [problem.code for problem in report.problems if problem.code == "VERIFY-KIND"] == ["VERIFY-KIND"]
    assert not report.intact


def test_a_clock_that_went_back_is_a_warning_and_no_error(kept: FakeKept) -> None:
    def earlier(body: dict[str, Any]) -> None:
        body["recorded_at"] = "2001-01-01T00:00:00.000000Z"

    reseal(kept, at(kept, "DatabaseLocked"), earlier)
    report = verify_trial(kept)
    assert [warning.code for warning in report.warnings] == ["CHAIN-TIME"]
    assert {problem.code for problem in report.problems} == {"VERIFY-TABLE"}


def test_a_damaged_storage_is_named_and_one_that_cannot_be_read_ends_the_verification(kept: FakeKept) -> None:
    kept.problems = ["an unexpected trigger quiet"]
    assert found(kept) == {"VERIFY-STORE"}
    kept.problems = ["a database that cannot be read (STORE-DAMAGED)"]
    report = verify_trial(kept)
    assert not report.intact
    assert (report.entries, report.head) == (0, Head.genesis())


def test_verification_goes_on_when_there_is_very_much_to_report(kept: FakeKept) -> None:
    kept.rows[AllocationRow] = {}
    kept.rows[ParticipantRow] = {
        (f"SE01-{number}",): row
        for number in range(900)
        for row in [replace(_any(kept), participant=f"SE01-{number}")]
    }
    report = verify_trial(kept)
    assert len(report.problems) == 50


def _any(kept: FakeKept) -> ParticipantRow:
    row = next(iter(kept.rows[ParticipantRow].values()))
    assert isinstance(row, ParticipantRow)
    return row
