"""What every ledger must do: a test class to be derived from, with a fixture `ledger_factory`.

    class TestMyLedger(LedgerContract):
        @pytest.fixture
        def ledger_factory(self): ...   # a function that returns a new, empty ledger at each call

`connect` is overridden where each thread needs a handle of its own on the same ledger.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier, Event
from typing import cast

import pytest

from equipoise.ledger import (
    JSON,
    MARK,
    AppendRefused,
    Draft,
    Entry,
    Head,
    Ledger,
    LedgerMisused,
    LedgerTransaction,
    Receipt,
    Sending,
    Stamp,
    blot_entry,
    digest_of,
    seal,
)

STAMP = Stamp("d" * 64, "nils", "nurse", "SE01", "2026-01-31T09:30:00.000000Z", None)
WAIT_SECONDS_MAX = 60


class StoppedError(Exception):
    """Raised by the tests inside a transaction."""


def seal_numbers(head: Head, *numbers: int) -> list[Entry]:
    entries: list[Entry] = []
    for number in numbers:
        entries.append(seal(head, Draft("Counted", 1, {"number": number, "list": ["a"]}), STAMP))
        head = entries[-1].head
    return entries


def receipt_at(position: int, name: str, recorded_at: str = STAMP.recorded_at) -> Receipt:
    return Receipt(Sending.of((name,), ("said",)), position, 1, recorded_at)


def append_numbers(ledger: Ledger, *numbers: int) -> list[Entry]:
    with ledger.exclusive() as transaction:
        entries = seal_numbers(transaction.head, *numbers)
        transaction.append(entries, ())
    return entries


def append_texts(ledger: Ledger, *texts: str) -> list[Entry]:
    with ledger.exclusive() as transaction:
        entries: list[Entry] = []
        for text in texts:
            head = entries[-1].head if entries else transaction.head
            entries.append(seal(head, Draft("Noted", 1, {"text": text}), STAMP))
        transaction.append(entries, ())
    return entries


def blot_first(
    transaction: LedgerTransaction, first: Entry, words: tuple[int, ...] = ()
) -> tuple[Entry, Entry]:
    """Return an entry with its text blotted out, and the entry that says so."""
    blotted = blot_entry(first, "content.text", words)
    content: dict[str, JSON] = {"position": first.position, "path": "content.text"}
    content |= {"was": digest_of(first), "now": digest_of(blotted)}
    return blotted, seal(transaction.head, Draft("TextBlotted", 1, content), STAMP)


def run_threads(*works: Callable[[], None]) -> None:
    """Run the works at once and raise what any of them raised."""
    with ThreadPoolExecutor(len(works)) as pool:
        for future in [pool.submit(work) for work in works]:
            future.result(WAIT_SECONDS_MAX)


class LedgerContract:
    def connect(self, ledger: Ledger) -> Ledger:
        """Return a handle on the same ledger for another thread."""
        return ledger

    @pytest.fixture
    def ledger(self, ledger_factory: Callable[[], Ledger]) -> Ledger:
        return ledger_factory()

    def test_new_ledger_is_empty(self, ledger):
        assert ledger.head() == Head.genesis()
        assert list(ledger.read()) == []

    def test_an_entry_is_blotted_out_with_the_entry_that_says_so(self, ledger):
        first, second = append_texts(ledger, "Anna", "Anna")
        with ledger.exclusive() as transaction:
            blotted, said = blot_first(transaction, first)
            transaction.append([said], (), (), [blotted])
            assert list(transaction.tail(0)) == [blotted, second, said]
        assert list(ledger.read()) == [blotted, second, said]
        assert list(ledger.read(1)) == [second, said]
        assert next(ledger.read()).content["text"] == MARK
        assert ledger.head() == said.head

    def test_what_is_blotted_out_is_rolled_back_with_its_entry(self, ledger):
        first, second = append_texts(ledger, "Anna", "Anna")
        with pytest.raises(StoppedError), ledger.exclusive() as transaction:
            blotted, said = blot_first(transaction, first)
            transaction.append([said], (), (), [blotted])
            raise StoppedError
        assert list(ledger.read()) == [first, second]
        for position in (1, 9):
            with ledger.exclusive() as transaction:
                blotted, said = blot_first(transaction, first)
                wrong = replace(blotted, position=position, hash=second.hash)
                with pytest.raises(AppendRefused, match="APPEND-BLOT"):
                    transaction.append([said], (), (), [wrong])
        assert list(ledger.read()) == [first, second]

    def test_an_entry_is_blotted_out_twice_in_one_transaction(self, ledger):
        first, _ = append_texts(ledger, "Anna Rossi", "Well")
        with ledger.exclusive() as transaction:
            blotted, said = blot_first(transaction, first, (1,))
            transaction.append([said], (), (), [blotted])
            again, said_again = blot_first(transaction, blotted)
            transaction.append([said_again], (), (), [again])
        assert [entry.content.get("text") for entry in ledger.read()] == [MARK, "Well", None, None]

    def test_ledgers_are_apart(self, ledger_factory):
        one, other = ledger_factory(), ledger_factory()
        append_numbers(one, 1)
        assert other.head() == Head.genesis()

    def test_what_is_appended_is_read_back(self, ledger):
        entries = [*append_numbers(ledger, 1, 2), *append_numbers(ledger, 3)]
        again = list(ledger.read())
        assert again == entries
        assert [entry.content for entry in again] == [entry.content for entry in entries]
        assert [entry.position for entry in again] == [1, 2, 3]
        assert ledger.head() == entries[-1].head

    @pytest.mark.parametrize(("after", "positions"), [(0, [1, 2, 3]), (2, [3]), (3, []), (9, [])])
    def test_reading_starts_after_a_position(self, ledger, after, positions):
        append_numbers(ledger, 1, 2, 3)
        assert [entry.position for entry in ledger.read(after)] == positions
        with ledger.exclusive() as transaction:
            assert [entry.position for entry in transaction.tail(after)] == positions

    def test_reading_before_the_beginning_is_an_error(self, ledger):
        append_numbers(ledger, 1)
        with pytest.raises(ValueError, match="position"):
            list(ledger.read(-1))

    def test_transaction_sees_what_it_appended(self, ledger):
        append_numbers(ledger, 1, 2)
        with ledger.exclusive() as transaction:
            third = seal_numbers(transaction.head, 3)
            transaction.append(third, ())
            assert transaction.head == third[-1].head
            fourth = seal_numbers(transaction.head, 4)
            transaction.append(fourth, ())
            for after in range(6):
                assert [entry.position for entry in transaction.tail(after)] == list(range(after + 1, 5))
        assert list(ledger.read(2)) == third + fourth

    def test_transaction_without_entries_changes_nothing(self, ledger):
        entries = append_numbers(ledger, 1)
        with ledger.exclusive() as transaction:
            transaction.append((), ())
            assert transaction.head == entries[-1].head
        assert list(ledger.read()) == entries

    def test_receipts_are_kept_with_their_entries_or_not_at_all(self, ledger):
        first, second, third = receipt_at(1, "a"), receipt_at(2, "b"), receipt_at(1, "c")
        keys = [each.sending.key for each in (first, second, third)]
        with ledger.exclusive() as transaction:
            assert transaction.receipts(keys) == {}
            transaction.append(seal_numbers(transaction.head, 1), (), [first])
            assert transaction.receipts(keys[:2]) == {keys[0]: first}
            transaction.append(seal_numbers(transaction.head, 2), (), [second])
            transaction.append((), (), [third])
            assert transaction.receipts(keys) == dict(zip(keys, (first, second, third), strict=True))
            assert transaction.receipts([]) == {}
        with pytest.raises(StoppedError), ledger.exclusive() as transaction:
            transaction.append(seal_numbers(transaction.head, 3), (), [receipt_at(3, "d")])
            raise StoppedError
        assert ledger.receipts([*keys, receipt_at(3, "d").sending.key]).keys() == set(keys)

    def test_receipts_go_when_they_are_old(self, ledger):
        old, young = receipt_at(1, "a"), receipt_at(2, "b", "2026-02-15T09:30:00.000000Z")
        last = receipt_at(1003, "c", "2026-03-03T09:30:00.000000Z")
        keys = [each.sending.key for each in (old, young, last)]
        for receipt, entries in ((old, 1), (young, 1), (last, 1000)):
            with ledger.exclusive() as transaction:
                transaction.append(seal_numbers(transaction.head, *range(entries)), (), [receipt])
        assert ledger.receipts(keys) == {keys[1]: young, keys[2]: last}

    def test_exception_takes_everything_back(self, ledger):
        entries = append_numbers(ledger, 1)
        with pytest.raises(StoppedError), ledger.exclusive() as transaction:
            transaction.append(seal_numbers(transaction.head, 2, 3), ())
            transaction.append(seal_numbers(transaction.head, 4), ())
            raise StoppedError
        assert list(ledger.read()) == entries
        assert ledger.head() == entries[-1].head
        assert append_numbers(ledger, 5)[0].position == 2

    @pytest.mark.parametrize(
        "head", [Head.genesis(), Head(1, "f" * 64), Head(2, "f" * 64), Head(7, "f" * 64)]
    )
    def test_entries_upon_another_head_are_refused_whole(self, ledger, head):
        entries = append_numbers(ledger, 1, 2)
        with ledger.exclusive() as transaction:
            good = seal_numbers(transaction.head, 3)
            with pytest.raises(AppendRefused):
                transaction.append(seal_numbers(head, 3), ())
            with pytest.raises(AppendRefused):
                transaction.append([*good, *seal_numbers(head, 4)], ())
            assert transaction.head == entries[-1].head
            transaction.append(good, ())
        assert list(ledger.read()) == entries + good

    def test_transaction_that_has_ended_is_of_no_more_use(self, ledger):
        ended: list[LedgerTransaction] = []
        with ledger.exclusive() as transaction:
            ended.append(transaction)
        with pytest.raises(StoppedError), ledger.exclusive() as transaction:
            ended.append(transaction)
            raise StoppedError
        for transaction in ended:
            for use in (
                lambda t: t.head,
                lambda t: list(t.tail(0)),
                lambda t: t.receipts(["a"]),
                lambda t: t.append(seal_numbers(Head.genesis(), 1), ()),
            ):
                with pytest.raises(LedgerMisused):
                    use(transaction)
        assert ledger.head() == Head.genesis()

    def test_others_see_nothing_before_the_commit(self, ledger):
        append_numbers(ledger, 1)
        seen: list[int] = []

        def look() -> None:
            handle = self.connect(ledger)
            seen.extend([handle.head().position, len(list(handle.read()))])

        with ledger.exclusive() as transaction:
            transaction.append(seal_numbers(transaction.head, 2), ())
            run_threads(look)
        assert seen == [1, 1]
        run_threads(look)
        assert seen == [1, 1, 2, 2]

    def test_second_writer_waits_for_the_first(self, ledger):
        entered, intruded = Event(), Event()
        events: list[str] = []

        def first() -> None:
            with self.connect(ledger).exclusive() as transaction:
                entered.set()
                # Time for the other to come in, if nothing kept it out.
                intruded.wait(0.2)
                transaction.append(seal_numbers(transaction.head, 1), ())
                events.append("first")

        def second() -> None:
            assert entered.wait(WAIT_SECONDS_MAX)
            with self.connect(ledger).exclusive() as transaction:
                intruded.set()
                events.append("second")
                transaction.append(seal_numbers(transaction.head, 2), ())

        run_threads(first, second)
        assert events == ["first", "second"]
        assert [entry.content["number"] for entry in ledger.read()] == [1, 2]

    def test_two_threads_lose_nothing(self, ledger):
        """Each reads the highest number and appends the next, 200 times."""
        start = Barrier(2)

        def count() -> None:
            handle = self.connect(ledger)
            start.wait(WAIT_SECONDS_MAX)
            for _ in range(200):
                with handle.exclusive() as transaction:
                    tail = transaction.tail(max(transaction.head.position - 1, 0))
                    number = max((cast(int, entry.content["number"]) for entry in tail), default=0) + 1
                    transaction.append(seal_numbers(transaction.head, number), ())

        run_threads(count, count)
        entries = list(ledger.read())
        assert [entry.content["number"] for entry in entries] == list(range(1, 401))
        assert [entry.position for entry in entries] == list(range(1, 401))
        assert entries == seal_numbers(Head.genesis(), *range(1, 401))
