"""Blotting out: a passage of free text is replaced by a mark, and a later entry says so.

The entry keeps the hash under which it was sealed, so that every link and every published head still holds.
Its body no longer has that hash: it is as it should be exactly when the blots that name it lead, one after
the other, from its hash to the digest of the body as it is.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from equipoise.ledger.canonical import JSON
from equipoise.ledger.entry import Entry, LedgerCorrupt, rewritten

MARK = "█████"
"""What stands where something was blotted out, always as long: what it was, and how long, is not told."""

BLOT_KINDS = ("TextBlotted", "UnmaskingTextBlotted")
"""The kinds of entries that blot something out; they cannot be blotted themselves."""

NONCE = "nonce"
"""What makes an entry's hash unpredictable; it goes with the passage, so that no guess can be checked."""

REASON = "reason"
"""The path of an entry's reason; that of a text in its content begins with `content.`"""

_CONTENT = "content."
_HASH = re.compile(r"[0-9a-f]{64}")
_WORD = re.compile(r"\S+")
# As the encoder writes it: the key that follows on `kind` is `position`.
_ENDINGS = tuple(f'"kind":"{kind}"'.encode() for kind in BLOT_KINDS)


class NothingToBlot(ValueError):
    """There is no text at the path, or none of its words has the number asked for."""


@dataclass(frozen=True, slots=True)
class Blot:
    """The entry at `position` blotted the text at `path` of the entry `target`.

    `was` and `now` are the digests of the target's body before and after.
    """

    position: int
    target: int
    path: str
    was: str
    now: str


def digest_of(entry: Entry) -> str:
    """Return the SHA-256 of an entry's body, which is its hash unless something was blotted out of it."""
    return sha256(entry.body).hexdigest()


def read_blot(entry: Entry) -> Blot | None:
    """Return what an entry blotted out, or None where it is of another kind, or says no such thing."""
    if entry.kind not in BLOT_KINDS:
        return None
    said = entry.content
    target, path, was, now = (said.get(name) for name in ("position", "path", "was", "now"))
    if type(target) is not int or not 0 < target < entry.position or not isinstance(path, str):
        return None
    if not all(isinstance(each, str) and _HASH.fullmatch(each) for each in (was, now)):
        return None
    return Blot(entry.position, target, path, str(was), str(now))


def may_be_blot(body: bytes, place: int) -> bool:
    """Tell whether a body is of one of the BLOT_KINDS; `place` is where its key `position` is written out."""
    return body.endswith(_ENDINGS, 0, place)


def content_path(*steps: str) -> str:
    """Return the path of a text in the content of an entry."""
    return _CONTENT + ".".join(steps)


def text_at(reason: str | None, content: Mapping[str, Any], path: str) -> str | None:
    """Return the text at a path of an entry with this reason and content, or None where there is none."""
    if path == REASON:
        return reason
    found: Any = content if path.startswith(_CONTENT) else None
    for step in path.removeprefix(_CONTENT).split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    return found if isinstance(found, str) else None


def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a text, which are numbered from 1: what stands between white space."""
    return tuple(_WORD.findall(text))


def blot_text(text: str, words: Collection[int]) -> str:
    """Return a text with some of its words blotted out, or all where none is named.

    Words that stand side by side become one mark. Raises NothingToBlot when a number is no word's, or when
    nothing would change.
    """
    places = list(_WORD.finditer(text))
    if not all(0 < number <= len(places) for number in words):
        raise NothingToBlot
    blotted = MARK if not words else _blot_words(text, places, words)
    if blotted == text:
        raise NothingToBlot
    return blotted


def _blot_words(text: str, places: list[re.Match[str]], words: Collection[int]) -> str:
    parts: list[str] = []
    end, after_mark = 0, False
    for number, place in enumerate(places, start=1):
        is_mark = number in words or place.group() == MARK
        if not (is_mark and after_mark):
            parts += (text[end : place.start()], MARK if is_mark else place.group())
        end, after_mark = place.end(), is_mark
    return "".join((*parts, text[end:]))


def blot_entry(entry: Entry, path: str, words: Collection[int]) -> Entry:
    """Return an entry with a passage blotted out, under its own hash; raises NothingToBlot."""
    text = text_at(entry.reason, entry.content, path)
    if text is None or entry.kind in BLOT_KINDS:
        raise NothingToBlot
    blotted = blot_text(text, words)
    content = {name: value for name, value in entry.content.items() if name != NONCE}
    if path == REASON:
        return rewritten(entry, blotted, content)
    return rewritten(entry, entry.reason, _with_text(content, path, blotted))


def _with_text(content: Mapping[str, JSON], path: str, text: str) -> dict[str, JSON]:
    whole = dict(content)
    inner: Any = whole
    *steps, last = path.removeprefix(_CONTENT).split(".")
    for step in steps:
        inner[step] = dict(inner[step])
        inner = inner[step]
    inner[last] = text
    return whole


def explained(body: bytes, hash: str, blots: Sequence[Blot]) -> Entry | None:
    """Return the entry of a body that does not have its hash, or None where its blots do not explain that.

    They lead from the hash to the digest of the body, each going on from the one before, and what they name
    is marked. That nothing else of the entry was changed only a copy from before the first of them can show.
    """
    reached = hash
    for blot in blots:
        if blot.was != reached:
            return None
        reached = blot.now
    try:
        entry = Entry.from_body(body, hash, reached)
    except LedgerCorrupt:
        return None
    marked = all(MARK in (text_at(entry.reason, entry.content, blot.path) or "") for blot in blots)
    return entry if marked and entry.kind not in BLOT_KINDS else None


class BlotWalk:
    """What is known along a chain of bodies that do not have their hash, and of the blots that name them."""

    def __init__(self) -> None:
        self._changed: dict[int, tuple[bytes, str]] = {}
        self._blots: dict[int, list[Blot]] = {}

    def note_changed(self, position: int, body: bytes, hash: str) -> None:
        """Keep in mind a body that does not have its hash."""
        self._changed[position] = body, hash

    def learn(self, entry: Entry) -> bool:
        """Take in an entry of one of the BLOT_KINDS; False when it names no entry before it."""
        blot = read_blot(entry)
        if blot is not None:
            self._blots.setdefault(blot.target, []).append(blot)
        return blot is not None

    def learn_body(self, body: bytes, hash: str) -> bool:
        """Take in the body of such an entry; False also when it is no entry."""
        try:
            return self.learn(Entry.from_body(body, hash))
        except LedgerCorrupt:
            return False

    def of(self, position: int) -> Sequence[Blot]:
        """Return the blots of the entry at a position, in their order."""
        return self._blots.get(position, ())

    def unexplained(self) -> Iterator[int]:
        """Iterate over the positions whose bodies are not what their hashes and their blots lead to."""
        for position, (body, hash) in self._changed.items():
            if explained(body, hash, self.of(position)) is None:
                yield position

    def undone(self) -> Iterator[Blot]:
        """Iterate over the blots of bodies that have their hash: what was blotted out stands there again."""
        for target, blots in self._blots.items():
            if target not in self._changed:
                yield from blots
