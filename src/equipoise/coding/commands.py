"""What can be asked for about coding."""

from __future__ import annotations

from dataclasses import dataclass

from equipoise.access.command import Command
from equipoise.definition.coded import DictionaryName


@dataclass(frozen=True, slots=True, kw_only=True)
class AddDictionary(Command):
    """Say that the trial codes with a version of a dictionary from now on, whose terms are kept beside it.

    `sha256` is that of the terms.
    """

    dictionary: DictionaryName
    version: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeTerm(Command):
    """Choose the term of the dictionary for the words of a site; another choice than before needs a reason.

    `verbatim` are the words that the coder saw; nothing is coded if they changed meanwhile. `code` is that
    of a term of the lowest level.
    """

    participant: str
    form: str
    item: str
    verbatim: str
    code: str
    encounter: str | None = None
    row: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeMatches(Command):
    """Accept what is proposed for words that are not coded: those in the dictionary, or coded before.

    `shown_hash` is that of the proposals which the coder was shown; nothing else is coded then.
    """

    dictionary: DictionaryName
    shown_hash: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CarryOverCodings(Command):
    """Let codings with earlier versions whose codes and names are unchanged hold in the version in use.

    `shown_hash` is that of the codings which the coder was shown; nothing is carried over where it differs.
    """

    dictionary: DictionaryName
    shown_hash: str | None = None
