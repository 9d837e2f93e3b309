"""A dictionary: its terms with their hierarchies, how they are looked for, and who keeps them."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol
from unicodedata import normalize

from equipoise.definition.coded import DictionaryName, Level
from equipoise.definition.coding import LEVELS

_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Term:
    """A term in which one codes. `levels` begin with the term itself and end with the highest.

    A term that is not `current` is read in old data and not coded with any more.
    """

    levels: tuple[Level, ...]
    current: bool = True

    @property
    def code(self) -> str:
        """The code of the term itself."""
        return self.levels[0].code

    @property
    def text(self) -> str:
        """The term itself."""
        return self.levels[0].term


def hash_of_terms(name: str, terms: Iterable[Term]) -> str:
    """Return the SHA-256, in hexadecimal, of a dictionary's terms in the order of their codes."""
    digest = sha256(name.encode())
    for term in terms:
        levels = [[each.level, each.code, each.term] for each in term.levels]
        line = json.dumps([term.current, levels], ensure_ascii=False, separators=(",", ":"))
        digest.update(b"\n" + line.encode())
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class DictionaryContent:
    """All terms of one version of a dictionary, in the order of their codes, as a distribution holds them."""

    name: DictionaryName
    terms: tuple[Term, ...]

    @property
    def sha256(self) -> str:
        """The SHA-256, in hexadecimal, of the terms: equal for equal terms, however they were written."""
        return hash_of_terms(self.name, self.terms)

    @property
    def counts(self) -> dict[str, int]:
        """How many terms each level has."""
        found = {(each.level, each.code) for term in self.terms for each in term.levels}
        by_level = Counter(level for level, _code in found)
        return {level: by_level[level] for level in LEVELS[self.name] if by_level[level]}


class Dictionaries(Protocol):
    """The dictionaries that are kept beside a trial, each under the SHA-256 of its terms."""

    def add(self, content: DictionaryContent) -> None:
        """Keep a dictionary, wholly or not at all; one that is there already stays as it is."""
        ...

    def remove(self, digest: str) -> None:
        """Keep a dictionary no longer; nothing happens where there is none."""
        ...

    def counts(self, digest: str) -> dict[str, int] | None:
        """Return how many terms each level has, or None for a dictionary that is not kept."""
        ...

    def rehash(self, name: str, digest: str) -> str | None:
        """Return the SHA-256 of the terms as they are kept now, or None for a dictionary that is not."""
        ...

    def term(self, digest: str, code: str) -> Term | None:
        """Return the term with a code, current or not, or None."""
        ...

    def equal(self, digest: str, words: str) -> tuple[Term, ...]:
        """Return the current terms that say the same without regard to case and spaces, by their codes."""
        ...

    def search(self, digest: str, words: str, limit: int) -> tuple[Term, ...]:
        """Return the first current terms that `rank` finds for some words, in its order."""
        ...


def folded(text: str) -> str:
    """Return a text without regard to case, spaces and how its characters are composed."""
    return " ".join(normalize("NFKC", text).casefold().split())


def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a text, folded, each once."""
    return tuple(dict.fromkeys(_WORD.findall(folded(text))))


def rank(text: str, code: str, words: str) -> tuple[int, int, str, str] | None:
    """Return where a term stands among what is found for some words, or None where it is not found.

    First the term that says the same, then those that begin so, then those with words that begin with all
    of these; the shorter before the longer, by words.
    """
    wanted, own = folded(words), folded(text)
    beginnings, found = words_of(words), words_of(text)
    if not beginnings:
        return None
    if own.startswith(wanted):
        return 0 if own == wanted else 1, len(found), own, code
    if all(any(word.startswith(each) for word in found) for each in beginnings):
        return 2, len(found), own, code
    return None


class MemoryDictionaries:
    """Dictionaries in memory: for trials in memory, and what the store's are compared with."""

    def __init__(self, contents: Iterable[DictionaryContent] = ()) -> None:
        self._kept: dict[str, Mapping[str, Term]] = {}
        self._counts: dict[str, dict[str, int]] = {}
        for content in contents:
            self.add(content)

    def add(self, content: DictionaryContent) -> None:
        """Keep a dictionary; one that is there already stays as it is."""
        self._kept[content.sha256] = {term.code: term for term in content.terms}
        self._counts[content.sha256] = content.counts

    def remove(self, digest: str) -> None:
        """Keep a dictionary no longer."""
        self._kept.pop(digest, None)
        self._counts.pop(digest, None)

    def counts(self, digest: str) -> dict[str, int] | None:
        """Return how many terms each level has, or None for a dictionary that is not kept."""
        return self._counts.get(digest)

    def rehash(self, name: str, digest: str) -> str | None:
        """Return the SHA-256 of the terms as they are kept now, or None for a dictionary that is not."""
        kept = self._kept.get(digest)
        return None if kept is None else hash_of_terms(name, (kept[code] for code in sorted(kept)))

    def term(self, digest: str, code: str) -> Term | None:
        """Return the term with a code, current or not, or None."""
        return self._kept.get(digest, {}).get(code)

    def equal(self, digest: str, words: str) -> tuple[Term, ...]:
        """Return the current terms that say the same without regard to case and spaces, by their codes."""
        same = (term for term in self._current(digest) if folded(term.text) == folded(words))
        return tuple(sorted(same, key=lambda term: term.code))

    def search(self, digest: str, words: str, limit: int) -> tuple[Term, ...]:
        """Return the first current terms, in the order of `rank`."""
        ranked = ((rank(term.text, term.code, words), term) for term in self._current(digest))
        found = [(place, term) for place, term in ranked if place is not None]
        return tuple(term for _place, term in sorted(found, key=lambda each: each[0])[:limit])

    def _current(self, digest: str) -> Iterable[Term]:
        return (term for term in self._kept.get(digest, {}).values() if term.current)
