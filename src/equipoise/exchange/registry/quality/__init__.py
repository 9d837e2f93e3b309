"""Quality control of registry records, as the registry's reviewers do it: rules as data, run in their order.

The severities are those of all findings: see `findings`.
"""

from __future__ import annotations

from typing import Final

from equipoise.exchange.registry.facts import Facts
from equipoise.exchange.registry.findings import Finding
from equipoise.exchange.registry.model import RegistryRecord
from equipoise.exchange.registry.quality import (
    design,
    events,
    flow,
    lengths,
    measures,
    outcomes,
    prose,
    status,
)
from equipoise.exchange.registry.quality.subject import Rule, Subject
from equipoise.exchange.registry.rules import find_in

__all__ = ["RULES", "Rule", "check_quality", "review"]

RULES: Final[tuple[Rule, ...]] = (
    *design.RULES,
    *outcomes.RULES,
    *status.RULES,
    *prose.RULES,
    *lengths.RULES,
    *flow.RULES,
    *measures.RULES,
    *events.RULES,
)


def _check(facts: Facts) -> list[Finding]:
    subject, is_page = Subject(facts), facts.record.kind == "page"
    # What a record that was cut off lacks may stand in what was lost.
    rules = [rule for rule in RULES if rule.of_pages or not (is_page or facts.record.incomplete)]
    return [finding for rule in rules for finding in rule.findings(subject)]


def check_quality(record: RegistryRecord) -> list[Finding]:
    """Return what a reviewer would send back, one finding for each rule, in the order of the rules."""
    return _check(Facts(record))


def review(record: RegistryRecord) -> list[Finding]:
    """Return where a record contradicts itself, and then what a reviewer would send back besides."""
    facts = Facts(record)
    return [*find_in(facts), *_check(facts)]
