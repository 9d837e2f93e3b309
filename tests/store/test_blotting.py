"""What was blotted out is in no byte of a trial's file, and the file says so until it was swept."""

from pathlib import Path

import pytest

from equipoise.ledger import Entry, LedgerCorrupt, Stamp, blot_entry, check_chain, digest_of, find_head, seal
from equipoise.ledger.entry import Draft, Head
from equipoise.ledger.protocol import StoreUnavailable
from equipoise.store import sweeping
from equipoise.store.trial_store import TrialStore
from tests.store.samples import make_store, plain

CANARY = "Zyxwvut Qponmlk"
STAMP = Stamp("d" * 64, "nils", "nurse", "SE01", "2026-01-31T09:30:00.000000Z", None)


def note(head: Head, text: str) -> Entry:
    return seal(head, Draft("Noted", 1, {"text": text}), STAMP)


def blot(store: TrialStore, entry: Entry, now: str | None = None) -> Entry:
    with store.ledger.exclusive() as transaction:
        blotted = blot_entry(entry, "content.text", ())
        content = {"position": entry.position, "path": "content.text", "was": digest_of(entry)}
        draft = Draft("TextBlotted", 1, {**content, "now": now or digest_of(blotted)})
        transaction.append([seal(transaction.head, draft, STAMP)], (), (), [blotted])
    return blotted


def files_with(path: Path, text: str) -> list[str]:
    files = sorted(path.parent.glob(f"{path.name}*"))
    return [file.name for file in files if text.encode() in file.read_bytes()]


@pytest.fixture
def store(tmp_path):
    made = make_store(tmp_path / "trial.sqlite")
    entries: list[Entry] = []
    for number in range(60):
        text = f"{CANARY} came" if number == 7 else f"Note {number} " * 40
        entries.append(note(entries[-1].head if entries else Head.genesis(), text))
    with made.ledger.exclusive() as transaction:
        transaction.append(entries, ())
    yield made
    made.close()


def named(store: TrialStore) -> Entry:
    return next(entry for entry in store.ledger.read() if CANARY in str(entry.content["text"]))


@pytest.mark.requirement("G4", "G13")
def test_spec_what_was_blotted_out_is_in_no_byte_of_the_files(store):
    assert files_with(store.place, CANARY) != []
    blotted = blot(store, named(store))
    assert files_with(store.place, CANARY) == []
    assert next(store.ledger.read(blotted.position - 1)) == blotted
    assert check_chain(store.records()).problems == ()
    assert find_head(store.records()) == store.head()


def test_spec_a_file_whose_process_ended_before_the_sweep_is_swept_by_who_opens_it_next(store, monkeypatch):
    entry = named(store)
    with monkeypatch.context() as patch:
        patch.setattr("equipoise.store.ledger.sweep", lambda alias: False)
        blot(store, entry)
    store.close()
    assert sweeping.is_to_be_swept(store.ledger.alias)
    TrialStore.open(store.place).close()
    assert not sweeping.is_to_be_swept(store.ledger.alias)
    assert files_with(store.place, CANARY) == []


def test_a_sweep_that_fails_leaves_the_file_to_be_swept(store, monkeypatch):
    alias = store.ledger.alias

    def fail():
        raise StoreUnavailable("STORE-BUSY", "")

    with monkeypatch.context() as patch:
        patch.setattr(sweeping, "storage_errors", fail)
        blot(store, named(store))
        assert not sweeping.sweep(alias)
    assert sweeping.is_to_be_swept(alias)
    assert sweeping.sweep(alias)
    assert not sweeping.is_to_be_swept(alias)
    assert files_with(store.place, CANARY) == []


def test_what_is_blotted_out_from_outside_is_found_also_by_who_reads_on(store):
    entry = named(store)
    forged = blot_entry(entry, "content.text", (1,))
    blot(store, entry)
    with plain(store.place) as connection:
        change = "UPDATE ledger SET body = ? WHERE position = ?"
        connection.execute(change, (forged.body.decode(), entry.position))
    with pytest.raises(LedgerCorrupt, match="CHAIN-HASH"):
        list(store.ledger.read())
    assert [each.code for each in check_chain(store.records()).problems] == ["CHAIN-HASH"]


def test_who_reads_while_another_blots_out_goes_on(store):
    reading = store.ledger.read()
    entry = next(each for each in reading if each.position == 3)
    blot(store, entry)
    assert len(list(reading)) == 57
    later = store.ledger.read(2)
    assert next(later).content["text"] != entry.content["text"]
