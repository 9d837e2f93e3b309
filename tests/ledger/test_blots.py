"""Blotting out: what the chain still proves afterwards, and what it finds."""

from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.ledger import (
    JSON,
    MARK,
    AppendRefused,
    Draft,
    Entry,
    Head,
    LedgerCorrupt,
    NothingToBlot,
    Stamp,
    StoredRecord,
    blot_entry,
    check_blotted,
    check_chain,
    digest_of,
    find_head,
    seal,
    verify_chain,
    words_of,
)
from equipoise.ledger.blots import BLOT_KINDS, blot_text, content_path, read_blot, text_at
from equipoise.ledger.entry import rewritten

STAMP = Stamp("d" * 64, "nils", "nurse", "SE01", "2026-01-31T09:30:00.000000Z", "Anna Rossi asked for it")
TEXT = "Seen with Anna Rossi, at noon"
VALUES = content_path("item_values", "comment")


def noted(head: Head, text: str = TEXT) -> Entry:
    values: JSON = {"comment": text, "pulse": 60}
    content: dict[str, JSON] = {"item_values": values, "nonce": "ab", "other": {"x": "y"}}
    return seal(head, Draft("Noted", 1, content), STAMP)


def blot_of(head: Head, old: Entry, new: Entry, at: str, kind: str = BLOT_KINDS[0], **said) -> Entry:
    content = {"position": old.position, "path": at, "was": digest_of(old), "now": digest_of(new), **said}
    return seal(head, Draft(kind, 1, content), replace(STAMP, reason="A name."))


def chain_with_blots(*passages: tuple[str, tuple[int, ...]]) -> list[Entry]:
    """Three entries, and blots of the second as it stands after all of them."""
    entries: list[Entry] = []
    for _ in range(3):
        entries.append(noted(entries[-1].head if entries else Head.genesis()))
    for path, words in passages:
        new = blot_entry(entries[1], path, words)
        entries.append(blot_of(entries[-1].head, entries[1], new, path))
        entries[1] = new
    return entries


def stored(entries: list[Entry]) -> list[StoredRecord]:
    return [StoredRecord.of(entry) for entry in entries]


def find(records: list[StoredRecord]) -> list[tuple[str, int]]:
    report = check_chain(records)
    found = [(problem.code, problem.position) for problem in report.problems]
    assert (find_head(records) is None) == bool(found)
    try:
        list(verify_chain(records))
    except LedgerCorrupt as corruption:
        assert (corruption.code, corruption.position) in found
    else:
        assert not found
    return found


# -- the text


@pytest.mark.parametrize(
    ("text", "words", "blotted"),
    [
        (TEXT, (3, 4), f"Seen with {MARK} at noon"),
        (TEXT, (3,), f"Seen with {MARK} Rossi, at noon"),
        (TEXT, (4, 1), f"{MARK} with Anna {MARK} at noon"),
        (TEXT, (), MARK),
        (f"by {MARK}  Rossi\n", (3,), f"by {MARK}\n"),
        (" Anna ", (1,), f" {MARK} "),
    ],
)
def test_words_are_blotted_and_neither_their_number_nor_length_is_left(text, words, blotted):
    assert blot_text(text, words) == blotted


@pytest.mark.parametrize(
    ("text", "words"), [(TEXT, (7,)), (TEXT, (0,)), (MARK, ()), (MARK, (1,)), ("", (1,))]
)
def test_what_is_not_there_cannot_be_blotted(text, words):
    with pytest.raises(NothingToBlot):
        blot_text(text, words)


@given(st.text(max_size=40), st.sets(st.integers(1, 6), min_size=1))
def test_law_only_the_words_named_go_and_all_others_stay(text, words):
    before = words_of(text)
    if max(words) > len(before):
        with pytest.raises(NothingToBlot):
            blot_text(text, words)
        return
    after = words_of(blot_text(text, words))
    kept = [word for number, word in enumerate(before, start=1) if number not in words]
    assert [word for word in after if word != MARK] == [word for word in kept if word != MARK]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("reason", "Anna Rossi asked for it"),
        (VALUES, TEXT),
        (content_path("item_values", "pulse"), None),
        (content_path("item_values"), None),
        (content_path("item_values", "comment", "x"), None),
        ("item_values.comment", None),
        ("", None),
    ],
)
def test_a_path_leads_to_a_text_or_nowhere(path, text):
    entry = noted(Head.genesis())
    assert text_at(entry.reason, entry.content, path) == text


# -- the entry


@pytest.mark.parametrize("path", ["reason", VALUES])
def test_spec_an_entry_keeps_its_hash_and_all_that_it_says_but_the_passage(path):
    old = noted(Head.genesis())
    new = blot_entry(old, path, ())
    assert (new.hash, new.head) == (old.hash, old.head)
    assert digest_of(new) != old.hash
    assert Entry.from_body(new.body, new.hash, digest_of(new)) == new
    content = {name: value for name, value in old.content.items() if name != "nonce"}
    if path == "reason":
        assert (new.reason, dict(new.content)) == (MARK, content)
    else:
        assert new.reason == old.reason
        assert dict(new.content) == {**content, "item_values": {"comment": MARK, "pulse": 60}}
    same = ("position", "previous", "kind", "version", "definition", "actor", "role", "site", "recorded_at")
    assert all(getattr(new, name) == getattr(old, name) for name in same)


def test_what_has_no_text_and_a_blot_itself_cannot_be_blotted():
    entries = chain_with_blots((VALUES, ()))
    for entry, path in ((entries[0], content_path("kind")), (entries[3], "reason")):
        with pytest.raises(NothingToBlot):
            blot_entry(entry, path, ())


@pytest.mark.parametrize(
    "said",
    [
        {"position": "2"},
        {"position": 0},
        {"position": 4},
        {"path": None},
        {"was": None},
        {"now": "0"},
    ],
)
def test_a_blot_that_says_no_such_thing_is_found(said):
    entries = chain_with_blots((VALUES, ()))
    old = noted(entries[0].head)
    entries[3] = blot_of(entries[2].head, old, entries[1], VALUES, **said)
    assert read_blot(entries[3]) is None
    assert find(stored(entries)) == [("CHAIN-HASH", 2), ("CHAIN-BLOT", 4)]


# -- the chain


PASSAGES = st.lists(
    st.sampled_from([(VALUES, (3,)), (VALUES, (4,)), (VALUES, ()), ("reason", (1, 2))]),
    unique=True,
    max_size=3,
)


@given(PASSAGES)
def test_law_whatever_is_blotted_every_link_and_every_published_head_holds(passages):
    original = chain_with_blots()
    try:
        entries = chain_with_blots(*passages)
    except NothingToBlot:
        return
    report = check_chain(stored(entries), [original[1].head, original[2].head, entries[-1].head])
    assert (report.head, report.problems) == (entries[-1].head, ())
    assert find_head(stored(entries)) == entries[-1].head
    assert list(verify_chain(stored(entries))) == entries


@pytest.mark.parametrize("kind", BLOT_KINDS)
def test_spec_both_kinds_of_blots_explain_a_body(kind):
    entries = chain_with_blots()
    new = blot_entry(entries[1], VALUES, (3, 4))
    entries.append(blot_of(entries[-1].head, entries[1], new, VALUES, kind))
    entries[1] = new
    assert find(stored(entries)) == []


@given(st.integers(0, 4), st.data())
def test_law_a_body_changed_in_any_other_way_is_found(index, data):
    records = stored(chain_with_blots((VALUES, (3,)), ("reason", ())))
    body = bytearray(records[index].body)
    place = data.draw(st.integers(0, len(body) - 1))
    body[place] = data.draw(st.integers(0, 255).filter(lambda byte: byte != records[index].body[place]))
    records[index] = replace(records[index], body=bytes(body))
    assert ("CHAIN-HASH", index + 1) in find(records)


def test_a_body_put_back_as_it_was_is_found():
    entries = chain_with_blots((VALUES, (3,)), (VALUES, ()))
    entries[1] = noted(entries[0].head)
    assert find(stored(entries)) == [("CHAIN-BLOT", 4), ("CHAIN-BLOT", 5)]


def test_a_forged_blot_that_names_another_digest_is_found():
    entries = chain_with_blots((VALUES, ()))
    for said in ({"now": "0" * 64}, {"was": "0" * 64}, {"position": 1}):
        old = noted(entries[0].head)
        forged = [*entries[:3], blot_of(entries[2].head, old, entries[1], VALUES, **said)]
        assert ("CHAIN-HASH", 2) in find(stored(forged))


def test_a_forged_blot_of_a_body_without_the_mark_is_found():
    entries = chain_with_blots()
    old = entries[1]
    entries[1] = rewritten(old, old.reason, {**old.content, "item_values": {"comment": "Well", "pulse": 61}})
    entries.append(blot_of(entries[2].head, old, entries[1], VALUES))
    assert find(stored(entries)) == [("CHAIN-HASH", 2)]


def test_a_blot_that_was_changed_explains_nothing_even_where_another_blots_it():
    entries = chain_with_blots((VALUES, ()))
    old = entries[3]
    entries[3] = rewritten(old, MARK, old.content)
    entries.append(blot_of(entries[3].head, old, entries[3], "reason"))
    assert find(stored(entries)) == [("CHAIN-HASH", 2), ("CHAIN-HASH", 4)]


def test_a_blot_whose_body_has_its_hash_and_is_no_entry_is_found():
    entries = chain_with_blots((VALUES, ()))
    body = b" " + entries[3].body
    records = stored(entries)
    records[3] = replace(records[3], body=body, hash=sha256(body).hexdigest())
    assert ("CHAIN-FORM", 4) in find(records)


# -- the append


def test_an_append_says_exactly_what_it_blots_out():
    entries = chain_with_blots()
    old = entries[1]
    middle = blot_entry(old, VALUES, (3,))
    new = blot_entry(middle, "reason", ())
    first = blot_of(entries[2].head, old, middle, VALUES)
    second = blot_of(first.head, middle, new, "reason")
    stood = {each.position: each for each in entries}.get
    check_blotted([], [], stood)
    check_blotted([first, second], [new], stood)
    wrong = [
        ([first, second], []),
        ([], [new]),
        ([first], [new]),
        ([second], [new]),
        ([second, first], [new]),
        ([first, second], [new, new]),
        ([first, second], [replace(new, hash="0" * 64)]),
    ]
    for said, blotted in wrong:
        with pytest.raises(AppendRefused, match="APPEND-BLOT"):
            check_blotted(said, blotted, stood)
    with pytest.raises(AppendRefused, match="APPEND-BLOT"):
        check_blotted([first, second], [new], lambda position: None)
