"""Sealing an entry and reading it back."""

import json
from dataclasses import FrozenInstanceError, replace
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256

import pytest
from hypothesis import given

from equipoise.ledger import (
    GENESIS,
    CanonicalError,
    Draft,
    Entry,
    EntryInvalid,
    Head,
    LedgerCorrupt,
    Stamp,
    canonical_json,
    is_utc_time,
    seal,
    utc_text,
)
from tests.ledger.test_canonical import VALUES

STAMP = Stamp("d" * 64, "priya", "investigator", "SE01", "2026-01-31T09:30:00.000000Z", None)
DRAFT = Draft("ItemRecorded", 2, {"item": "pulse", "values": [61, 63]}, clinical_time="2026-01-30")


@pytest.mark.requirement("G2", "G3", "R15")
def test_spec_entry_stores_all_that_the_audit_trail_needs():
    entry = seal(Head.genesis(), DRAFT, replace(STAMP, reason="The nurse misread the dial."))
    assert json.loads(entry.body) == {
        "position": 1,
        "previous": "0" * 64,
        "kind": "ItemRecorded",
        "version": 2,
        "definition": "d" * 64,
        "actor": "priya",
        "role": "investigator",
        "site": "SE01",
        "recorded_at": "2026-01-31T09:30:00.000000Z",
        "clinical_time": "2026-01-30",
        "reason": "The nurse misread the dial.",
        "content": {"item": "pulse", "values": [61, 63]},
    }


def test_hash_is_that_of_the_canonical_body():
    entry = seal(Head.genesis(), DRAFT, STAMP)
    assert entry.body == canonical_json(json.loads(entry.body))
    assert entry.hash == sha256(entry.body).hexdigest()


def test_stored_form_does_not_drift():
    """A change of the stored form would break every ledger that exists and every published hash."""
    entry = seal(Head.genesis(), DRAFT, STAMP)
    assert entry.body == (
        b'{"actor":"priya","clinical_time":"2026-01-30","content":{"item":"pulse","values":[61,63]},'
        b'"definition":"'
        + b"d" * 64
        + b'","kind":"ItemRecorded","position":1,"previous":"'
        + b"0" * 64
        + b'","reason":null,"recorded_at":"2026-01-31T09:30:00.000000Z","role":"investigator","site":"SE01",'
        b'"version":2}'
    )


def test_entries_follow_the_head():
    first = seal(Head.genesis(), DRAFT, STAMP)
    second = seal(first.head, DRAFT, STAMP)
    assert (first.position, first.previous) == (1, GENESIS)
    assert (second.position, second.previous) == (2, first.hash)
    assert second.hash != first.hash


@given(VALUES)
def test_reading_back_gives_the_same_entry(value):
    entry = seal(Head(7, "a" * 64), Draft("Kind", 1, {"value": value}), STAMP)
    again = Entry.from_body(entry.body, entry.hash)
    assert again == entry
    assert again.content == entry.content
    assert hash(again) == hash(entry)


def test_entry_shares_nothing_with_the_draft():
    values = [61]
    content = {"values": values}
    entry = seal(Head.genesis(), Draft("Kind", 1, content), STAMP)
    values.append(99)
    content["more"] = []
    assert entry.content == {"values": (61,)}


def test_entry_is_frozen_and_shows_no_values():
    entry = seal(Head.genesis(), DRAFT, STAMP)
    with pytest.raises(FrozenInstanceError):
        entry.actor = "eve"  # type: ignore[misc]
    assert "pulse" not in repr(entry)


@pytest.mark.parametrize(
    ("draft", "stamp", "word"),
    [
        ({"kind": ""}, {}, "kind"),
        ({"version": 0}, {}, "version"),
        ({"version": True}, {}, "version"),
        ({"content": ["x"]}, {}, "content"),
        ({"clinical_time": ""}, {}, "clinical_time"),
        ({}, {"definition": ""}, "definition"),
        ({}, {"actor": 7}, "actor"),
        ({}, {"role": None}, "role"),
        ({}, {"site": 1}, "site"),
        ({}, {"reason": ""}, "reason"),
        ({}, {"recorded_at": "2026-01-31T09:30:00Z"}, "time of recording"),
    ],
)
def test_incomplete_entry_is_not_sealed(draft, stamp, word):
    with pytest.raises(EntryInvalid, match=word) as caught:
        seal(Head.genesis(), replace(DRAFT, **draft), replace(STAMP, **stamp))
    assert caught.value.sentence.endswith("Correct the field and record again.")


@pytest.mark.parametrize("head", [Head(-1, GENESIS), Head(0, "0" * 63), Head(0, "A" * 64), Head(0, None)])  # type: ignore[arg-type]
def test_entry_is_not_sealed_upon_an_impossible_head(head):
    with pytest.raises(EntryInvalid):
        seal(head, DRAFT, STAMP)


def test_content_that_is_not_plain_is_not_sealed():
    with pytest.raises(CanonicalError):
        seal(Head.genesis(), replace(DRAFT, content={"dose": 0.5}), STAMP)  # type: ignore[dict-item]
    with pytest.raises(CanonicalError):
        seal(Head.genesis(), DRAFT, replace(STAMP, actor="\ud800"))


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("2024-02-29T23:59:59.999999Z", True),
        ("2025-02-29T00:00:00.000000Z", False),
        ("2026-01-31T24:00:00.000000Z", False),
        ("2026-01-31 09:30:00.000000Z", False),
        ("2026-01-31T09:30:00.000000+00:00", False),
        ("2026-01-31T09:30:00.000000Z\n", False),
        ("٢٠٢٦-01-31T09:30:00.000000Z", False),
        (20260131, False),
    ],
)
@pytest.mark.requirement("G6")
def test_spec_time_of_recording_is_utc_to_the_microsecond(text, good):
    assert is_utc_time(text) is good


def test_time_of_any_zone_is_written_in_utc():
    stockholm = timezone(timedelta(hours=2))
    assert utc_text(datetime(2026, 7, 1, 1, 30, tzinfo=stockholm)) == "2026-06-30T23:30:00.000000Z"
    assert is_utc_time(utc_text(datetime(2026, 7, 1, 1, 30, 5, 42, tzinfo=UTC)))


def read(body: bytes) -> Entry:
    return Entry.from_body(body, sha256(body).hexdigest())


SEALED = seal(Head.genesis(), DRAFT, STAMP).body


@pytest.mark.parametrize(
    ("body", "code", "position"),
    [
        (b"", "CHAIN-BODY", None),
        (b"\xff" + SEALED, "CHAIN-BODY", None),
        (b"\xef\xbb\xbf" + SEALED, "CHAIN-BODY", None),
        (b"[" * 100_000, "CHAIN-BODY", None),
        (b"[]", "CHAIN-BODY", None),
        (SEALED.replace(b'"version":2', b'"version":2,"more":1'), "CHAIN-BODY", None),
        (SEALED.replace(b'"version":2', b'"edition":2'), "CHAIN-BODY", None),
        (SEALED.replace(b'"position":1', b'"position":0'), "CHAIN-BODY", None),
        (SEALED.replace(b"61", b"61.0"), "CHAIN-BODY", None),
        (SEALED.replace(b"61", b"1" * 5000), "CHAIN-BODY", None),
        (SEALED.replace(b"pulse", b"\\ud800"), "CHAIN-BODY", 1),
        (SEALED.replace(b"pulse", b"\\u0070ulse"), "CHAIN-FORM", 1),
        (SEALED.replace(b"61", b"-0"), "CHAIN-FORM", 1),
        (SEALED.replace(b'"version":2', b'"version":1,"version":2'), "CHAIN-FORM", 1),
        (SEALED + b"\n", "CHAIN-FORM", 1),
    ],
)
def test_body_that_was_not_sealed_so_is_corrupt(body, code, position):
    with pytest.raises(LedgerCorrupt) as caught:
        read(body)
    assert (caught.value.code, caught.value.position) == (code, position)
    assert str(caught.value) == f"{code}: {caught.value.sentence}"


def test_body_with_another_hash_is_corrupt():
    with pytest.raises(LedgerCorrupt, match="CHAIN-HASH"):
        Entry.from_body(SEALED, GENESIS)
