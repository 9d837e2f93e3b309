"""The rules as tables for the documentation, so that no rule goes untold."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator

from equipoise.exchange.registry import rules as contradictions
from equipoise.exchange.registry.findings import ADVISORY_COMMENT, MAJOR_COMMENT, NOTE
from equipoise.exchange.registry.quality import RULES
from equipoise.exchange.registry.quality.lengths import LIMITS


def _asks(find: Callable[..., object]) -> str:
    """Return the first paragraph of a rule's docstring."""
    told = inspect.getdoc(find) or ""
    return " ".join(told.partition("\n\n")[0].split())


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    for row in (heads, tuple("---" for _ in heads), *rows):
        yield "| " + " | ".join(row) + " |"


def contradictions_table() -> str:
    """Return what the rules of contradiction ask, by code, in Markdown."""
    rows = ((f"`{code}`", _asks(rule)) for code, rule in contradictions.RULES.items())
    return "\n".join(_table(("code", "asks"), rows))


def quality_table() -> str:
    """Return what the rules of quality control ask, by code, with comment and source, in Markdown."""
    rows = (
        (
            f"`{rule.code}`",
            ADVISORY_COMMENT if rule.severity == NOTE else MAJOR_COMMENT,
            _asks(rule.find),
            rule.source,
        )
        for rule in RULES
    )
    return "\n".join(_table(("code", "comment", "asks", "source"), rows))


def limits_table() -> str:
    """Return the limits of lengths, in Markdown."""
    rows = ((limit.element, f"{limit.characters:,}") for limit in LIMITS)
    return "\n".join(_table(("element", "characters"), rows))
