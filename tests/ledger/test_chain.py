"""What verification of the chain finds: every change, and where."""

import json
from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.ledger import (
    JSON,
    AppendRefused,
    Draft,
    Entry,
    Head,
    LedgerCorrupt,
    Stamp,
    StoredRecord,
    check_append,
    check_chain,
    check_published_head,
    find_head,
    seal,
    verify_chain,
)


def make_chain(length: int, seconds: list[int] | None = None) -> list[Entry]:
    entries: list[Entry] = []
    head = Head.genesis()
    for number in range(length):
        second = number if seconds is None else seconds[number]
        stamp = Stamp("d" * 64, "nils", "nurse", "SE01", f"2026-01-31T09:30:{second:02}.000000Z", None)
        entries.append(seal(head, Draft("Counted", 1, {"number": number}), stamp))
        head = entries[-1].head
    return entries


ENTRIES = make_chain(6)
RECORDS = [StoredRecord.of(entry) for entry in ENTRIES]
HEAD = ENTRIES[-1].head


def find(records, published=()):
    return [(problem.code, problem.position) for problem in check_chain(records, published).problems]


def forge(record: StoredRecord, body: bytes) -> StoredRecord:
    """Change the body and its hash, as one who owns the database can."""
    return replace(record, body=body, hash=sha256(body).hexdigest())


def test_intact_chain_has_no_problems():
    report = check_chain(RECORDS, [Head.genesis(), ENTRIES[2].head, HEAD])
    assert (report.head, report.entries, report.problems) == (HEAD, 6, ())
    assert report.intact
    assert list(verify_chain(RECORDS)) == ENTRIES


def test_empty_chain_is_intact():
    report = check_chain([])
    assert (report.head, report.entries, report.intact) == (Head.genesis(), 0, True)
    assert list(verify_chain([])) == []


@given(st.integers(0, 5), st.data())
def test_any_changed_byte_is_found(index, data):
    body = RECORDS[index].body
    place = data.draw(st.integers(0, len(body) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda value: value != body[place]))
    changed = body[:place] + bytes([byte]) + body[place + 1 :]
    records = [*RECORDS]
    records[index] = replace(RECORDS[index], body=changed)
    assert ("CHAIN-HASH", index + 1) in find(records)
    # With the hash made to fit, what gives it away is the next entry, the published head, or the body itself.
    records[index] = forge(RECORDS[index], changed)
    assert find(records, [HEAD])


@given(st.permutations(range(6)).filter(lambda order: order != sorted(order)))
def test_any_other_order_is_found(order):
    assert not check_chain([RECORDS[index] for index in order]).intact


@given(st.lists(st.integers(0, 5), max_size=9).filter(lambda chosen: chosen != list(range(6))))
def test_any_choice_of_records_but_the_whole_is_found(chosen):
    assert not check_chain([RECORDS[index] for index in chosen], [HEAD]).intact


def test_missing_entry():
    assert find([*RECORDS[:2], *RECORDS[3:]]) == [("CHAIN-MISSING", 4)]
    assert find(RECORDS[1:]) == [("CHAIN-MISSING", 2)]


def test_duplicated_entry():
    assert find([*RECORDS[:3], *RECORDS[2:]]) == [("CHAIN-DUPLICATE", 3)]


def test_reordered_entries():
    found = find([RECORDS[0], RECORDS[2], RECORDS[1], *RECORDS[3:]])
    assert [each for each in found if each[0] != "CHAIN-TIME"] == [("CHAIN-ORDER", 2), ("CHAIN-MISSING", 3)]


def test_previous_hash_of_another_entry():
    other = seal(
        Head(2, "f" * 64),
        Draft("Counted", 1, {}),
        Stamp("d", "a", "r", None, "2026-01-31T09:30:02.000000Z", None),
    )
    assert find([*RECORDS[:2], StoredRecord.of(other)]) == [("CHAIN-PREVIOUS", 3)]


def test_forged_entry_breaks_the_link_of_the_next():
    forged = forge(RECORDS[2], RECORDS[2].body.replace(b'"number":2', b'"number":9'))
    assert find([*RECORDS[:2], forged, *RECORDS[3:]]) == [("CHAIN-PREVIOUS", 4)]


def test_last_entry_with_its_keys_in_another_order_and_its_hash_made_to_fit():
    fields = json.loads(RECORDS[5].body)
    body = json.dumps(dict(reversed(fields.items())), separators=(",", ":")).encode()
    assert find([*RECORDS[:5], forge(RECORDS[5], body)]) == [("CHAIN-FORM", 6)]


@pytest.mark.parametrize("column", [{"position": 7}, {"previous": "e" * 64}])
def test_column_that_disagrees_with_the_body(column):
    assert ("CHAIN-COLUMN", column.get("position", 6)) in find([*RECORDS[:5], replace(RECORDS[5], **column)])


def test_changed_hash_column():
    assert find([*RECORDS[:5], replace(RECORDS[5], hash="e" * 64)]) == [("CHAIN-HASH", 6)]


def test_unreadable_body_does_not_stop_the_check():
    records = [RECORDS[0], forge(RECORDS[1], b"{}"), RECORDS[2], forge(RECORDS[3], b""), *RECORDS[4:]]
    assert find(records) == [
        ("CHAIN-BODY", 2),
        ("CHAIN-PREVIOUS", 3),
        ("CHAIN-BODY", 4),
        ("CHAIN-PREVIOUS", 5),
    ]


def test_clock_that_runs_backwards_is_a_warning():
    entries = make_chain(4, seconds=[1, 1, 0, 2])
    records = [StoredRecord.of(entry) for entry in entries]
    report = check_chain(records)
    found = [(each.code, each.position, each.severity) for each in report.problems]
    assert found == [("CHAIN-TIME", 3, "warning")]
    assert (report.intact, report.warnings) == (True, 1)
    assert list(verify_chain(records)) == entries


def test_all_problems_are_counted_and_warnings_hide_no_error():
    backwards = make_chain(50, seconds=list(range(59, 9, -1)))
    records = [StoredRecord.of(entry) for entry in backwards]
    records = [*records[:25], *(replace(record, hash="e" * 64) for record in records[25:])]
    report = check_chain(records)
    severities = [problem.severity for problem in report.problems]
    assert (report.warnings, severities.count("warning")) == (49, 20)
    # Each changed hash is found twice but for the last: in its entry, and as the previous hash of the next.
    assert (report.errors, severities.count("error")) == (49, 20)


def test_truncation_is_found_by_the_published_head():
    assert find(RECORDS[:4]) == []
    assert find(RECORDS[:4], [HEAD]) == [("CHAIN-TRUNCATED", 6)]


def test_rewritten_end_is_found_by_the_published_head():
    rewritten = make_chain(8, seconds=[0, 1, 2, 3, 5, 5, 6, 7])
    records = [StoredRecord.of(entry) for entry in rewritten]
    assert find(records) == []
    assert find(records, [ENTRIES[3].head, HEAD]) == [("CHAIN-REWRITTEN", 6)]


def test_published_head_that_is_missing_amid_the_chain():
    assert ("CHAIN-REWRITTEN", 3) in find([*RECORDS[:2], *RECORDS[3:]], [ENTRIES[2].head])


def test_published_head_against_the_head_alone():
    assert check_published_head(HEAD, HEAD) is None
    truncated = check_published_head(ENTRIES[3].head, HEAD)
    assert truncated is not None
    assert truncated.sentence == (
        "The ledger ends at position 4, but position 6 was published. "
        "Restore the missing entries from a backup."
    )


def test_verifying_stops_at_the_first_error():
    walk = verify_chain([*RECORDS[:2], *RECORDS[3:]])
    assert [next(walk), next(walk)] == ENTRIES[:2]
    with pytest.raises(LedgerCorrupt) as caught:
        next(walk)
    assert (caught.value.code, caught.value.position) == ("CHAIN-MISSING", 4)
    assert caught.value.sentence == (
        "Entry 4 breaks the chain: it follows position 2, and entries between them are missing. "
        "Compare it with a backup."
    )


def test_append_moves_the_head():
    assert check_append(ENTRIES[1].head, ENTRIES[2:]) == HEAD
    assert check_append(HEAD, []) == HEAD


@pytest.mark.parametrize(
    ("head", "entry", "code"),
    [
        (ENTRIES[1].head, ENTRIES[3], "APPEND-POSITION"),
        (ENTRIES[1].head, ENTRIES[1], "APPEND-POSITION"),
        (Head(2, "f" * 64), ENTRIES[2], "APPEND-PREVIOUS"),
        (ENTRIES[1].head, replace(ENTRIES[2], hash="e" * 64), "APPEND-HASH"),
    ],
)
def test_append_that_does_not_continue_the_chain_is_refused(head, entry, code):
    with pytest.raises(AppendRefused) as caught:
        check_append(head, [entry])
    assert caught.value.code == code
    assert caught.value.sentence in str(caught.value)


def test_links_of_an_intact_chain_lead_to_its_head():
    assert find_head(RECORDS) == HEAD
    assert find_head([]) == Head.genesis()


@given(st.integers(0, 5), st.data())
def test_links_do_not_hold_when_any_byte_is_changed(index, data):
    body = RECORDS[index].body
    place = data.draw(st.integers(0, len(body) - 1))
    changed = body[:place] + bytes([body[place] ^ data.draw(st.integers(1, 255))]) + body[place + 1 :]
    assert find_head([*RECORDS[:index], replace(RECORDS[index], body=changed), *RECORDS[index + 1 :]]) is None


@given(st.permutations(range(6)))
def test_links_hold_in_no_other_order(order):
    assert (find_head([RECORDS[index] for index in order]) is not None) == (order == list(range(6)))


@pytest.mark.parametrize("column", ["position", "previous", "hash"])
def test_links_do_not_hold_beside_a_column_that_disagrees(column):
    wrong = {
        "position": replace(RECORDS[3], position=3),
        "previous": replace(RECORDS[3], previous="0" * 64),
        "hash": replace(RECORDS[3], hash="f" * 64),
    }
    assert find_head([*RECORDS[:3], wrong[column], *RECORDS[4:]]) is None


def test_links_are_read_from_the_entry_and_not_from_its_content():
    stamp = Stamp(
        "d" * 64, "nils", "nurse", "SE01", "2026-01-31T09:30:00.000000Z", ',"position":1,"previous":"x"'
    )
    content: dict[str, JSON] = {"nested": {"position": 7, "previous": "f" * 64, "reason": None}}
    first = seal(Head.genesis(), Draft("Counted", 1, content), stamp)
    assert find_head([StoredRecord.of(first)]) == first.head
    forged = first.body.replace(b'"position":1,', b'"position":2,')
    assert find_head([forge(StoredRecord.of(first), forged)]) is None


def test_entries_that_can_be_read_are_kept():
    kept: list[Entry] = []
    spoiled = [*RECORDS[:2], forge(RECORDS[2], b"{}"), *RECORDS[3:]]
    check_chain(spoiled, keep=kept.append)
    assert kept == [*ENTRIES[:2], *ENTRIES[3:]]
