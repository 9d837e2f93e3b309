"""Dictionaries in a trial's database: beside the ledger, indexed for search, each under its terms' SHA-256.

Words and terms are kept folded and as bytes: UTF-8 keeps the order of characters, so that what begins with
the same bytes stands together in the index of either database, whatever its collation.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from django.db import connections, transaction

from equipoise.coding.dictionary import DictionaryContent, Term, folded, hash_of_terms, rank, words_of
from equipoise.definition.coded import Level
from equipoise.ledger.canonical import canonical_json
from equipoise.store.failures import storage_errors

_AFTER_ALL = b"\xff"
"""No byte of UTF-8: what begins with a text stands before the text with it."""

_COLUMNS = (
    "t.level, t.code, t.text, t.is_current, p.levels FROM dictionary_term t JOIN dictionary_path p"
    " ON p.dictionary = t.dictionary AND p.number = t.path WHERE t.dictionary = %s"
)
_ONE = f"SELECT {_COLUMNS} AND t.code = %s"
_EQUAL = f"SELECT {_COLUMNS} AND t.is_current AND t.folded = %s"
_ORDERED = "ORDER BY t.size, t.folded, t.code LIMIT %s"
_BEGINNING = f"SELECT {_COLUMNS} AND t.is_current AND t.folded >= %s AND t.folded < %s {_ORDERED}"
_WITH_WORD = "SELECT code FROM dictionary_word WHERE dictionary = %s AND word >= %s AND word < %s"
_TABLES = ("dictionary_word", "dictionary_term", "dictionary_path")


class DatabaseDictionaries:
    """The dictionaries of a trial in its database; the same contract as those in memory."""

    def __init__(self, alias: str) -> None:
        self._alias = alias

    def add(self, content: DictionaryContent) -> None:
        """Keep a dictionary, wholly or not at all; one that is there already stays as it is.

        Raises StoreUnavailable when the storage fails; then nothing has changed.
        """
        digest = content.sha256
        with storage_errors(), transaction.atomic(using=self._alias), self._cursor() as cursor:
            if _number(cursor, digest) is not None:
                return
            cursor.execute("SELECT COALESCE(MAX(id), 0) + 1 FROM dictionary_content", [])
            number = cursor.fetchone()[0]
            counts = canonical_json(content.counts).decode()
            cursor.execute(
                "INSERT INTO dictionary_content (id, sha256, counts) VALUES (%s, %s, %s)",
                [number, digest, counts],
            )
            paths: dict[tuple[Level, ...], int] = {}
            for term in content.terms:
                paths.setdefault(term.levels[1:], len(paths) + 1)
            cursor.executemany(
                "INSERT INTO dictionary_path (dictionary, number, levels) VALUES (%s, %s, %s)",
                [(number, path, _written(levels)) for levels, path in paths.items()],
            )
            cursor.executemany(
                "INSERT INTO dictionary_term"
                " (dictionary, code, level, text, folded, size, is_current, path)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
                [_term_row(number, term, paths[term.levels[1:]]) for term in content.terms],
            )
            cursor.executemany(
                "INSERT INTO dictionary_word (dictionary, word, code) VALUES (%s, %s, %s)",
                [
                    (number, word.encode(), term.code)
                    for term in content.terms
                    if term.current
                    for word in words_of(term.text)
                ],
            )

    def remove(self, digest: str) -> None:
        """Keep a dictionary no longer; nothing happens where there is none."""
        with storage_errors(), transaction.atomic(using=self._alias), self._cursor() as cursor:
            number = _number(cursor, digest)
            for table in _TABLES:
                cursor.execute(f"DELETE FROM {table} WHERE dictionary = %s", [number])
            cursor.execute("DELETE FROM dictionary_content WHERE id = %s", [number])

    def counts(self, digest: str) -> dict[str, int] | None:
        """Return how many terms each level has, or None for a dictionary that is not kept."""
        with storage_errors(), self._cursor() as cursor:
            cursor.execute("SELECT counts FROM dictionary_content WHERE sha256 = %s", [digest])
            row = cursor.fetchone()
        return None if row is None else json.loads(row[0])

    def rehash(self, name: str, digest: str) -> str | None:
        """Return the SHA-256 of the terms as they are kept now, or None for a dictionary that is not."""
        with storage_errors(), self._cursor() as cursor:
            number = _number(cursor, digest)
            if number is None:
                return None
            cursor.execute("SELECT number, levels FROM dictionary_path WHERE dictionary = %s", [number])
            paths = dict(cursor.fetchall())
            cursor.execute(
                "SELECT level, code, text, is_current, path FROM dictionary_term WHERE dictionary = %s",
                [number],
            )
            # In the order of the characters, whatever the collation of the database.
            rows = sorted(cursor.fetchall(), key=lambda row: str(row[1]))
        return hash_of_terms(name, _terms((*row, paths.get(path, "[]")) for *row, path in rows))

    def term(self, digest: str, code: str) -> Term | None:
        """Return the term with a code, current or not, or None."""
        return next(iter(self._find(digest, _ONE, code)), None)

    def equal(self, digest: str, words: str) -> tuple[Term, ...]:
        """Return the current terms that say the same without regard to case and spaces, by their codes."""
        found = self._find(digest, _EQUAL, folded(words).encode())
        return tuple(sorted(found, key=lambda term: term.code))

    def search(self, digest: str, words: str, limit: int) -> tuple[Term, ...]:
        """Return the first current terms, in the order of `rank`.

        Each kind of term that `rank` finds is asked for by itself, in its order, up to the limit.
        """
        wanted, beginnings = folded(words).encode(), [word.encode() for word in words_of(words)]
        if not beginnings:
            return ()
        with_words = " INTERSECT ".join([_WITH_WORD] * len(beginnings))
        statement = f"SELECT {_COLUMNS} AND t.is_current AND t.code IN ({with_words}) {_ORDERED}"
        with storage_errors(), self._cursor() as cursor:
            number = _number(cursor, digest)
        asked = [value for word in beginnings for value in (number, word, word + _AFTER_ALL)]
        found = {
            term.code: term
            for terms in (
                self._find(digest, _EQUAL, wanted),
                self._find(digest, _BEGINNING, wanted, wanted + _AFTER_ALL, limit),
                self._find(digest, statement, *asked, limit),
            )
            for term in terms
        }
        ranked = [(rank(term.text, term.code, words), term) for term in found.values()]
        known = [(place, term) for place, term in ranked if place is not None]
        return tuple(term for _place, term in sorted(known, key=lambda each: each[0])[:limit])

    def _find(self, digest: str, statement: str, *parameters: object) -> Iterable[Term]:
        with storage_errors(), self._cursor() as cursor:
            cursor.execute(statement, [_number(cursor, digest), *parameters])
            rows = cursor.fetchall()
        return _terms(rows)

    def _cursor(self) -> Any:
        return connections[self._alias].cursor()


def _number(cursor: Any, digest: str) -> int | None:
    cursor.execute("SELECT id FROM dictionary_content WHERE sha256 = %s", [digest])
    row = cursor.fetchone()
    return None if row is None else int(row[0])


def _written(levels: Iterable[Level]) -> str:
    return canonical_json([[each.level, each.code, each.term] for each in levels]).decode()


def _term_row(number: int, term: Term, path: int) -> tuple[object, ...]:
    own = term.levels[0]
    size = len(words_of(term.text))
    return number, own.code, own.level, own.term, folded(own.term).encode(), size, term.current, path


def _terms(rows: Iterable[tuple[Any, ...]]) -> Iterator[Term]:
    for level, code, text, is_current, above in rows:
        levels = (Level(level, code, text), *(Level(*each) for each in json.loads(above)))
        yield Term(levels, current=bool(is_current))
