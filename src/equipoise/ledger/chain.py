"""The hash chain: what may be appended to it, and what its verification finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal, cast

from equipoise.ledger.blots import BLOT_KINDS, Blot, BlotWalk, digest_of, may_be_blot, read_blot
from equipoise.ledger.entry import GENESIS, Entry, Head, LedgerCorrupt

PROBLEMS_LISTED_MAX = 20

Severity = Literal["error", "warning"]


class AppendRefused(Exception):
    """Entries do not continue the chain that they were to be appended to."""

    def __init__(self, code: str, sentence: str) -> None:
        self.code = code
        self.sentence = sentence
        super().__init__(f"{code}: {sentence}")


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """An entry as storage holds it: the columns beside the body may disagree with it."""

    position: int
    previous: str
    hash: str
    body: bytes

    @classmethod
    def of(cls, entry: Entry) -> StoredRecord:
        """Return how an entry is to be stored."""
        return cls(entry.position, entry.previous, entry.hash, entry.body)


@dataclass(frozen=True, slots=True)
class ChainProblem:
    """One finding: stable code, position of the record, sentence; a warning leaves the chain intact."""

    code: str
    position: int
    sentence: str
    severity: Severity = "error"


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What verification found.

    `head` is that of the record with the highest position, `entries` the number of records read. All problems
    are counted; `problems` lists the first PROBLEMS_LISTED_MAX of each severity, so that warnings hide no
    error.
    """

    head: Head
    entries: int
    problems: tuple[ChainProblem, ...]
    errors: int
    warnings: int

    @property
    def intact(self) -> bool:
        """Tell whether the chain is free of errors."""
        return self.errors == 0


def check_append(head: Head, entries: Iterable[Entry]) -> Head:
    """Return the head after appending; raise AppendRefused when an entry does not continue the chain."""
    for entry in entries:
        if entry.position != head.position + 1:
            raise AppendRefused(
                "APPEND-POSITION",
                f"The entry for position {entry.position} does not follow position {head.position}. "
                "Read the ledger again and repeat the command.",
            )
        if entry.previous != head.hash:
            raise AppendRefused(
                "APPEND-PREVIOUS",
                f"The entry for position {entry.position} was sealed upon another chain. "
                "Read the ledger again and repeat the command.",
            )
        if sha256(entry.body).hexdigest() != entry.hash:
            raise AppendRefused(
                "APPEND-HASH",
                f"The body of the entry for position {entry.position} does not have its hash. "
                "Seal the entry again.",
            )
        head = entry.head
    return head


def check_blotted(
    entries: Iterable[Entry], blotted: Sequence[Entry], stood: Callable[[int], Entry | None]
) -> None:
    """Raise AppendRefused unless the entries to be appended say exactly what is blotted out of earlier ones.

    `stood` returns the entry that stands at a position, or None where there is none.
    """
    said: dict[int, list[Blot]] = {}
    for each in entries:
        blot = read_blot(each)
        if blot is not None:
            said.setdefault(blot.target, []).append(blot)
    agreed = said.keys() == {each.position for each in blotted} and len(said) == len(blotted)
    for entry in blotted if agreed else ():
        before = stood(entry.position)
        reached = digest_of(before) if before is not None and before.hash == entry.hash else ""
        for blot in said[entry.position]:
            agreed = agreed and blot.was == reached
            reached = blot.now
        agreed = agreed and reached == digest_of(entry)
    if not agreed:
        raise AppendRefused(
            "APPEND-BLOT",
            "What is to be blotted out is not what the entries say. Read the ledger again and repeat the"
            " command.",
        )


def verify_chain(records: Iterable[StoredRecord]) -> Iterator[Entry]:
    """Yield the entries of a chain as they prove intact; raise LedgerCorrupt at the first error.

    An entry of which a passage was blotted out is proved by a later one: where it is not, the error comes at
    the end.
    """
    walk = _Walk()
    for record in records:
        entry, problems = walk.examine(record)
        _raise_first(problems)
        # A body that is no entry is an error, which was raised above.
        yield cast(Entry, entry)
    _raise_first(walk.finish())


def _raise_first(problems: Iterable[ChainProblem]) -> None:
    for problem in problems:
        if problem.severity == "error":
            raise LedgerCorrupt(problem.code, problem.position, problem.sentence)


def find_head(records: Iterable[StoredRecord]) -> Head | None:
    """Return the head of a chain whose every link holds, or None when one does not; `check_chain` says which.

    The quick check: every body has its hash and names its own position and the hash before it. No body is
    parsed but those that have to do with blotting out, so that it costs little more than the hashes.
    """
    position, previous = 0, GENESIS
    blots = BlotWalk()
    for record in records:
        body = record.body
        position += 1
        # Keys stand in alphabetical order and quotes within texts are escaped, so that the last place where
        # this key is written out is the entry's own and not one within its content.
        place = body.rfind(b',"position":')
        if (
            record.position != position
            or record.previous != previous
            or not body.startswith(b',"position":%d,"previous":"%s",' % (position, previous.encode()), place)
        ):
            return None
        if sha256(body).hexdigest() != record.hash:
            blots.note_changed(position, body, record.hash)
        elif may_be_blot(body, place) and not blots.learn_body(body, record.hash):
            return None
        previous = record.hash
    sound = not any(blots.unexplained()) and not any(blots.undone())
    return Head(position, previous) if sound else None


def check_chain(
    records: Iterable[StoredRecord],
    published: Sequence[Head] = (),
    keep: Callable[[Entry], None] | None = None,
) -> ChainReport:
    """Verify a whole chain, also against heads that were published outside, and report every problem.

    `keep` is given every entry whose body can be read, so that nobody has to parse it again.
    A chain alone proves that it is consistent; only a published head proves that it was not cut short or
    rewritten from some position on by someone who owns the storage.
    """
    walk = _Walk()
    count = 0
    listed: dict[Severity, list[ChainProblem]] = {"error": [], "warning": []}
    totals: dict[Severity, int] = {"error": 0, "warning": 0}
    wanted = {head.position for head in published}
    found = {0: Head.genesis()}

    def note(problem: ChainProblem) -> None:
        totals[problem.severity] += 1
        if totals[problem.severity] <= PROBLEMS_LISTED_MAX:
            listed[problem.severity].append(problem)

    for record in records:
        count += 1
        entry, problems_here = walk.examine(record)
        for problem in problems_here:
            note(problem)
        if keep is not None and entry is not None:
            keep(entry)
        if record.position in wanted:
            found.setdefault(record.position, Head(record.position, record.hash))
    for problem in walk.finish():
        note(problem)
    for head in published:
        finding = check_published_head(found.get(head.position, walk.head), head)
        if finding is not None:
            note(finding)
    problems = sorted(listed["error"] + listed["warning"], key=lambda problem: problem.position)
    return ChainReport(walk.head, count, tuple(problems), totals["error"], totals["warning"])


def check_published_head(head: Head, published: Head) -> ChainProblem | None:
    """Compare a ledger with a head that was published outside.

    `head` is the ledger's head as it stood at the published position, or its last one when it ends before
    that; `check_chain` finds it. Returns None when they agree.
    """
    if head.position < published.position:
        return ChainProblem(
            "CHAIN-TRUNCATED",
            published.position,
            f"The ledger ends at position {head.position}, but position {published.position} was published. "
            "Restore the missing entries from a backup.",
        )
    if head != published:
        return ChainProblem(
            "CHAIN-REWRITTEN",
            published.position,
            f"The ledger does not have at position {published.position} the hash that was published. "
            "Compare it with a backup from that time.",
        )
    return None


class _Walk:
    """What verification remembers from one record to the next."""

    def __init__(self) -> None:
        self.head = Head.genesis()
        self._seen: set[int] = set()
        self._recorded_at = ""
        self._blots = BlotWalk()

    def examine(self, record: StoredRecord) -> tuple[Entry | None, list[ChainProblem]]:
        """Check one record against those before it; the entry is None when the body cannot be trusted."""
        problems = self._check_place(record)
        digest = sha256(record.body).hexdigest()
        if digest != record.hash:
            self._blots.note_changed(record.position, record.body, record.hash)
        try:
            entry = Entry.from_body(record.body, record.hash, digest)
        except LedgerCorrupt as corruption:
            problems.append(ChainProblem(corruption.code, record.position, corruption.sentence))
            return None, problems
        if (entry.position, entry.previous) != (record.position, record.previous):
            problems.append(
                _error(
                    "CHAIN-COLUMN",
                    record.position,
                    "the position or previous hash stored beside its body differs",
                )
            )
        if entry.recorded_at < self._recorded_at:
            problems.append(
                ChainProblem(
                    "CHAIN-TIME",
                    record.position,
                    f"Entry {record.position} was recorded at an earlier time than the entry before it. "
                    "Check the clock of the server.",
                    "warning",
                )
            )
        self._recorded_at = entry.recorded_at
        if entry.kind in BLOT_KINDS and digest == record.hash and not self._blots.learn(entry):
            problems.append(_error("CHAIN-BLOT", record.position, "it does not say what it blotted out"))
        return entry, problems

    def finish(self) -> Iterator[ChainProblem]:
        """Iterate over what can be told at the end of the chain only: changed bodies, blots undone."""
        for position in self._blots.unexplained():
            what = "its body was changed: it does not have the stored hash"
            yield _error("CHAIN-HASH", position, what)
        for blot in self._blots.undone():
            what = f"what it blotted out of entry {blot.target} stands there"
            yield _error("CHAIN-BLOT", blot.position, what)

    def _check_place(self, record: StoredRecord) -> list[ChainProblem]:
        position, head = record.position, self.head
        problems: list[ChainProblem] = []
        if position in self._seen:
            problems.append(_error("CHAIN-DUPLICATE", record.position, "its position occurs more than once"))
        elif position <= head.position:
            problems.append(
                _error("CHAIN-ORDER", record.position, f"it stands after position {head.position}")
            )
        elif position > head.position + 1:
            what = f"it follows position {head.position}, and entries between them are missing"
            problems.append(_error("CHAIN-MISSING", record.position, what))
        elif record.previous != head.hash:
            problems.append(
                _error("CHAIN-PREVIOUS", record.position, "it does not name the hash of the one before")
            )
        self._seen.add(position)
        if position > head.position:
            self.head = Head(position, record.hash)
        return problems


def _error(code: str, position: int, what: str) -> ChainProblem:
    return ChainProblem(
        code, position, f"Entry {position} breaks the chain: {what}. Compare it with a backup."
    )
