"""The rules in their order, and the one function that runs them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from equipoise.exchange.registry.facts import Facts
from equipoise.exchange.registry.findings import WARNING, Finding
from equipoise.exchange.registry.model import RegistryRecord
from equipoise.exchange.registry.rules_design import (
    rule_allocation,
    rule_arm_count,
    rule_arm_links,
    rule_arm_type,
    rule_decimals,
    rule_masking,
    rule_model,
    rule_phase,
    rule_placebo,
    rule_ratio,
    rule_sites,
)
from equipoise.exchange.registry.rules_people import (
    rule_age,
    rule_disease_duration,
    rule_enrolment,
    rule_healthy_volunteers,
    rule_score,
    rule_sex,
)
from equipoise.exchange.registry.rules_time import (
    rule_date_order,
    rule_follow_up,
    rule_outcome_time_frame,
    rule_results,
    rule_status,
    rule_study_length,
    rule_treatment_length,
)


def rule_complete(facts: Facts) -> Iterator[Finding]:
    """The record was not cut off."""
    end = facts.record.incomplete
    if end is not None:
        yield facts.finding(
            "REC-INCOMPLETE",
            WARNING,
            "The record ends before its last section, and is read as far as it goes. Copy or download it "
            "again.",
            [end],
        )


RULES: Final[tuple[Callable[[Facts], Iterator[Finding]], ...]] = (
    rule_complete,
    rule_age,
    rule_sex,
    rule_healthy_volunteers,
    rule_disease_duration,
    rule_score,
    rule_sites,
    rule_enrolment,
    rule_phase,
    rule_allocation,
    rule_ratio,
    rule_masking,
    rule_model,
    rule_arm_count,
    rule_arm_type,
    rule_arm_links,
    rule_placebo,
    rule_outcome_time_frame,
    rule_follow_up,
    rule_treatment_length,
    rule_study_length,
    rule_date_order,
    rule_status,
    rule_results,
    rule_decimals,
)


def find_contradictions(record: RegistryRecord) -> list[Finding]:
    """Return what the record says in more than one way: one finding for each quantity, in the order of the
    rules.
    """
    facts = Facts(record)
    return [finding for rule in RULES for finding in rule(facts)]
