"""The audit trail of a trial in memory: every entry as a line, found by participant or by kind.

A page asks for one participant's lines. To read and parse the whole ledger for each page would take seconds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from sys import intern
from typing import Any

from equipoise.ledger.blots import BLOT_KINDS
from equipoise.ledger.entry import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLine:
    """One line of the audit trail.

    `definition` is the hash of the version under which it was recorded, `blotted_by` are the positions of the
    entries that blotted it out.
    """

    position: int
    recorded_at: str
    account: str
    role: str
    site: str | None
    kind: str
    clinical_time: str | None
    reason: str | None
    definition: str
    content: Mapping[str, Any]
    blotted_by: tuple[int, ...] = ()


class Trail:
    """The lines of all entries that a trial has applied, in their order, with what a rollback needs.

    It shows everything: what a viewer may see of it, the view decides.
    """

    def __init__(self) -> None:
        self._lines: list[AuditLine] = []
        self._participants: defaultdict[str, list[int]] = defaultdict(list)
        self._kinds: defaultdict[str, list[int]] = defaultdict(list)
        self._blots: defaultdict[int, list[int]] = defaultdict(list)

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Trail:
        """Return the trail of entries from the first on."""
        trail = cls()
        for entry in entries:
            trail.append(entry)
        return trail

    @property
    def position(self) -> int:
        """The position of the last line."""
        return len(self._lines)

    def append(self, entry: Entry) -> None:
        """Add the entry at the next position."""
        participant = entry.content.get("participant")
        line = _line_of(entry)
        self._lines.append(line)
        self._kinds[line.kind].append(line.position)
        if line.kind in BLOT_KINDS:
            self._blots[line.content["position"]].append(line.position)
        if isinstance(participant, str):
            self._participants[participant].append(line.position)

    def cut(self, position: int) -> None:
        """Forget what stands after a position: it was not recorded after all."""
        for line in reversed(self._lines[position:]):
            self._kinds[line.kind].pop()
            if line.kind in BLOT_KINDS:
                self._blots[line.content["position"]].pop()
            participant = line.content.get("participant")
            if isinstance(participant, str):
                self._participants[participant].pop()
        del self._lines[position:]

    def replace(self, entry: Entry) -> None:
        """Have the line of an entry say what the entry says since something was blotted out of it."""
        self._lines[entry.position - 1] = _line_of(entry)

    def at(self, position: int) -> AuditLine:
        """Return the line at a position."""
        return self._lines[position - 1]

    def blots_of(self, position: int) -> tuple[int, ...]:
        """Return the positions of the entries that blotted something out of the one at a position."""
        return tuple(self._blots.get(position, ()))

    def of_kind(self, *kinds: str) -> Iterator[AuditLine]:
        """Iterate over the lines of some kinds, in their order."""
        return self._at(sorted(each for kind in kinds for each in self._kinds.get(kind, ())))

    def of_participant(self, participant: str, *kinds: str) -> Iterator[AuditLine]:
        """Iterate over a participant's lines (only those of some kinds, where any are named), in order."""
        lines = self._at(self._participants.get(participant, ()))
        return (line for line in lines if not kinds or line.kind in kinds)

    def page(self, participant: str | None, after: int | None, *, newest_first: bool) -> Iterator[AuditLine]:
        """Iterate over a participant's lines, or over all, from after a position on in either direction."""
        places: Sequence[int] = range(1, len(self._lines) + 1)
        if participant is not None:
            places = self._participants.get(participant, ())
        if newest_first:
            return self._at(each for each in reversed(places) if after is None or each < after)
        return self._at(each for each in places if after is None or each > after)

    def _at(self, positions: Iterable[int]) -> Iterator[AuditLine]:
        return (self._lines[each - 1] for each in positions)


def _line_of(entry: Entry) -> AuditLine:
    # The same few words come again in every entry, each time as another string.
    return AuditLine(
        position=entry.position,
        recorded_at=entry.recorded_at,
        account=intern(entry.actor),
        role=intern(entry.role),
        site=None if entry.site is None else intern(entry.site),
        kind=intern(entry.kind),
        clinical_time=entry.clinical_time,
        reason=entry.reason,
        definition=intern(entry.definition),
        content=entry.content,
    )
