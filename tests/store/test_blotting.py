"""What was blotted out is in no byte of a trial's file, nor in any table, and verification finds nothing."""

from dataclasses import replace
from pathlib import Path

import pytest
from django.db import connections
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.capture.commands import CorrectForm, RecordForm, StartEncounter
from equipoise.conduct.verify import verify_trial
from equipoise.definition.lock import canonical_json
from equipoise.governance.commands import BlotText
from equipoise.ledger import (
    JSON,
    MARK,
    Entry,
    LedgerCorrupt,
    Stamp,
    blot_entry,
    check_chain,
    digest_of,
    find_head,
    seal,
)
from equipoise.ledger.entry import Draft, Head, rewritten
from equipoise.ledger.protocol import StoreUnavailable
from equipoise.store import sweeping
from equipoise.store.trial_store import TrialStore
from tests.conduct.clinic import DANA, DAY, PRIYA, Clinic, open_definition
from tests.store.samples import make_store, plain

REMARK = "content.item_values.remark"
CANARY = "Zyxwvut Qponmlk"
STAMP = Stamp("d" * 64, "nils", "nurse", "SE01", "2026-01-31T09:30:00.000000Z", None)


def note(head: Head, text: str) -> Entry:
    return seal(head, Draft("Noted", 1, {"text": text}), STAMP)


def blot(store: TrialStore, entry: Entry, now: str | None = None) -> Entry:
    with store.ledger.exclusive() as transaction:
        blotted = blot_entry(entry, "content.text", ())
        content: dict[str, JSON] = {"position": entry.position, "path": "content.text"}
        content |= {"was": digest_of(entry), "now": now or digest_of(blotted)}
        draft = Draft("TextBlotted", 1, content)
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


def clinic_on(store: TrialStore) -> Clinic:
    definition = open_definition()
    with connections[store.ledger.alias].cursor() as cursor:
        canonical = canonical_json(definition).decode()
        cursor.execute("UPDATE study_definition SET hash = %s, canonical = %s", [definition.hash, canonical])
    return Clinic(ledger=store.ledger, definition=definition)


def remark_on(clinic: Clinic, text: str) -> Entry:
    code = clinic.consent()
    clinic.do(PRIYA, StartEncounter(participant=code, encounter="screening", took_place_on=DAY))
    values = {"taken_on": DAY.isoformat(), "weight": "70", "systolic": 120, "diastolic": 80, "remark": text}
    command = RecordForm(participant=code, form="vitals", encounter="screening", values=values)
    (entry, *_) = clinic.do(PRIYA, command)
    values = {"remark": "Came alone"}
    clinic.do(
        PRIYA, CorrectForm(participant=code, form="vitals", encounter="screening", values=values), "So."
    )
    clinic.do(
        PRIYA,
        CorrectForm(participant=code, form="vitals", encounter="screening", values={"remark": text}),
        "No.",
    )
    return entry


@pytest.mark.requirement("G4", "G13", "P7")
def test_spec_a_trial_on_either_back_end_verifies_after_a_blot(trials):
    store = trials.make()
    clinic = clinic_on(store)
    entry = remark_on(clinic, f"Came with {CANARY}")
    head = clinic.trial.head
    assert verify_trial(store, [head]).problems == ()
    said = clinic.do(DANA, BlotText(position=entry.position, path=REMARK, words="3,4"), "It names somebody.")
    report = verify_trial(store, [head, clinic.trial.head])
    assert (report.problems, report.blotted) == ((), tuple(each.content["position"] for each in said))
    assert len(said) == 3
    if isinstance(store.place, Path):
        assert files_with(store.place, CANARY) == []
    else:
        assert CANARY not in dump_of(store)
    again = clinic.another("again")
    assert again.tables.digest() == clinic.trial.tables.digest()


def dump_of(store: TrialStore) -> str:
    lines: list[str] = []
    with connections[store.ledger.alias].cursor() as cursor:
        for table in connections[store.ledger.alias].introspection.table_names():
            cursor.execute(f'SELECT * FROM "{table}"')
            lines += map(str, cursor.fetchall())
    return "\n".join(lines)


FIRST, LAST = CANARY.split()


@settings(max_examples=8, deadline=None)
@given(st.sampled_from([("3", [FIRST]), ("4", [LAST]), ("3,4", [FIRST, LAST]), ("all", [FIRST, LAST])]))
def test_law_no_byte_of_the_file_has_what_was_blotted_out(tmp_path_factory, chosen):
    words, gone = chosen
    path = tmp_path_factory.mktemp("law") / "trial.sqlite"
    store = make_store(path)
    try:
        clinic = clinic_on(store)
        entry = remark_on(clinic, f"Came with {CANARY}")
        clinic.do(DANA, BlotText(position=entry.position, path=REMARK, words=words), "It names somebody.")
        assert [text for text in gone if files_with(path, text)] == []
        if words != "all":
            clinic.do(DANA, BlotText(position=entry.position, path=REMARK, words="all"), "All of it.")
        assert [text for text in (FIRST, LAST) if files_with(path, text)] == []
        assert verify_trial(store).problems == ()
    finally:
        store.close()


def test_a_blot_of_what_is_no_free_text_is_found_by_verification(store_of_a_clinic):
    store, entry = store_of_a_clinic
    forged = rewritten(entry, entry.reason, {**entry.content, "approved_on": MARK})
    content = {"position": entry.position, "path": "content.approved_on", "participant": None}
    digests = {"was": digest_of(entry), "now": digest_of(forged)}
    with store.ledger.exclusive() as transaction:
        draft = Draft("TextBlotted", 1, content | digests)
        stamp = replace(STAMP, recorded_at="2030-01-31T09:30:00.000000Z", definition=entry.definition)
        transaction.append([seal(transaction.head, draft, stamp)], (), (), [forged])
    assert check_chain(store.records()).problems == ()
    assert "VERIFY-BLOT" in {problem.code for problem in verify_trial(store).problems}


@pytest.fixture
def store_of_a_clinic(tmp_path):
    store = make_store(tmp_path / "trial.sqlite")
    clinic = clinic_on(store)
    clinic.consent()
    entry = next(each for each in store.ledger.read() if each.kind == "SiteActivated")
    yield store, entry
    store.close()
