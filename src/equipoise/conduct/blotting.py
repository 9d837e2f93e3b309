"""Blotting a passage out of free text: where the ledger, the audit trail and what viewers see meet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from string import punctuation
from typing import Any

from equipoise.access.command import Command, Moment
from equipoise.access.content import KINDS
from equipoise.access.refusal import Refusal
from equipoise.access.visibility import UNMASKING, viewer_of
from equipoise.coding.decide import Coder
from equipoise.conduct.rooms import apply_entry
from equipoise.conduct.trail import AuditLine, Trail
from equipoise.conduct.versions import Versions
from equipoise.conduct.view.audit import shown_line
from equipoise.conduct.view.scope import Scope
from equipoise.conduct.view.texts import copies_of, find_text
from equipoise.governance.commands import BlotText
from equipoise.governance.entries import TextBlotted, UnmaskingTextBlotted
from equipoise.governance.state import is_unblinded
from equipoise.ledger.blots import NothingToBlot, blot_entry, blot_text, digest_of, text_at, words_of
from equipoise.ledger.entry import Draft, Entry
from equipoise.ledger.protocol import Ledger
from equipoise.ledger.tables import Tables

Decision = tuple[Draft, ...] | Refusal

# Shorter ones come again by chance.
_WORD_LENGTH_MIN = 3

ALL_WORDS = "all"
"""What stands for the whole text in place of the numbers of its words."""


@dataclass(slots=True)
class Blotter:
    """Decides on what is to be blotted out, and keeps the entries as they are to stand until they do."""

    ledger: Ledger
    trail: Trail
    versions: Versions
    coder: Coder
    _blotted: Mapping[int, Entry] = field(default_factory=dict, init=False)

    @property
    def decide(self) -> dict[type[Command], Callable[[Any, Moment], Decision]]:
        """The decision on the one command."""
        return {BlotText: self.decide_blot_text}

    def take(self) -> Mapping[int, Entry]:
        """Return what the last decision blots out, by position; once."""
        blotted, self._blotted = self._blotted, {}
        return blotted

    def decide_blot_text(self, command: BlotText, moment: Moment) -> Decision:
        """Blot out a text that the actor sees, and its copies, in as many entries as there are."""
        if not (moment.reason or "").strip():
            return Refusal(
                "GOV-BLOT-REASON",
                "To blot something out needs a reason.",
                "Say why in a few words, without what is to be blotted out.",
            )
        scope = self._scope(moment)
        found = find_text(scope, command.position, command.path.strip())
        if found is None:
            return Refusal(
                "GOV-BLOT-PLACE",
                f"Entry {command.position} has no free text there that the role {moment.actor.role} sees.",
                "Choose the text from the audit trail. Numbers, codes and dates cannot be blotted out.",
            )
        line, text = found
        words = _read_words(command.words)
        try:
            blotted_text = None if words is None else blot_text(text, words)
        except NothingToBlot:
            blotted_text = None
        if words is None or blotted_text is None:
            return Refusal(
                "GOV-BLOT-WORDS",
                f"Which of the {len(words_of(text))} words of the text are to go was not said.",
                "Mark the words, or the whole text.",
            )
        if _repeats(moment.reason or "", text, words):
            return Refusal(
                "GOV-BLOT-REPEATED",
                "The reason repeats what is to be blotted out, and would keep it.",
                "Say why without it.",
            )
        return self._blot(scope, line, text, words)

    def _scope(self, moment: Moment) -> Scope:
        viewer = viewer_of(moment.definition, moment.actor, unblinded=is_unblinded(moment.tables))
        return Scope(
            definition=moment.definition,
            versions=self.versions,
            tables=moment.tables,
            trail=self.trail,
            viewer=viewer,
            coder=self.coder,
        )

    def _blot(self, scope: Scope, line: AuditLine, text: str, words: Sequence[int]) -> Decision:
        blotted: dict[int, Entry] = {}
        drafts = []
        for position, path in copies_of(scope, line, text):
            old = blotted.get(position) or next(self.ledger.read(position - 1))
            new = blot_entry(old, path, words)
            participant = old.content.get("participant")
            kind = UnmaskingTextBlotted if _is_hidden(scope, self.trail.at(position), path) else TextBlotted
            drafts.append(
                kind(
                    position=position,
                    path=path,
                    participant=participant if isinstance(participant, str) else None,
                    was=digest_of(old),
                    now=digest_of(new),
                ).draft()
            )
            blotted[position] = new
        self._blotted = blotted
        return tuple(drafts)


def tables_of(entries: Iterable[Entry]) -> Tables:
    """Return the tables to which entries lead, from the first on."""
    tables = Tables()
    for entry in entries:
        apply_entry(tables, entry)
    return tables


def _read_words(given: str | None) -> tuple[int, ...] | None:
    """Read the numbers of words; none of them stands for all."""
    if given == ALL_WORDS:
        return ()
    parts = [part.strip() for part in (given or "").split(",")]
    if not all(part.isascii() and part.isdigit() and len(part) < 6 for part in parts):
        return None
    return tuple(int(part) for part in parts)


def _repeats(reason: str, text: str, words: Sequence[int]) -> bool:
    """Whether a reason has one of the words that are to go, or all of them where the whole text goes."""
    said, there = _bare_words(reason), _bare_words(text)
    if not words:
        return any(said[start : start + len(there)] == there for start in range(len(said)))
    gone = {there[number - 1] for number in words}
    return any(len(word) >= _WORD_LENGTH_MIN and word in gone for word in said)


def _bare_words(text: str) -> list[str]:
    return [word.strip(punctuation).casefold() for word in words_of(text)]


def _is_hidden(scope: Scope, line: AuditLine, path: str) -> bool:
    """Whether a text is kept from masked roles."""
    if KINDS[line.kind].audience in UNMASKING:
        return True
    masked = replace(scope, viewer=replace(scope.viewer, audiences=scope.viewer.audiences - UNMASKING))
    shown = shown_line(masked, line)
    return text_at(shown.reason, shown.content, path) is None
