"""The rules in their order, and the one function that runs them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
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


RULES: Final[Mapping[str, Callable[[Facts], Iterator[Finding]]]] = {
    "REC-INCOMPLETE": rule_complete,
    "REC-AGE": rule_age,
    "REC-SEX": rule_sex,
    "REC-HEALTHY": rule_healthy_volunteers,
    "REC-DURATION": rule_disease_duration,
    "REC-SCORE": rule_score,
    "REC-SITES": rule_sites,
    "REC-ENROLMENT": rule_enrolment,
    "REC-PHASE": rule_phase,
    "REC-ALLOCATION": rule_allocation,
    "REC-RATIO": rule_ratio,
    "REC-MASKING": rule_masking,
    "REC-MODEL": rule_model,
    "REC-ARMS": rule_arm_count,
    "REC-ARM-TYPE": rule_arm_type,
    "REC-ARM-LINK": rule_arm_links,
    "REC-PLACEBO": rule_placebo,
    "REC-OUTCOME-TIME": rule_outcome_time_frame,
    "REC-FOLLOW-UP": rule_follow_up,
    "REC-TREATMENT-LENGTH": rule_treatment_length,
    "REC-STUDY-LENGTH": rule_study_length,
    "REC-DATES": rule_date_order,
    "REC-STATUS": rule_status,
    "REC-RESULTS": rule_results,
    "REC-DECIMALS": rule_decimals,
}
"""The rules by the code of what they find, in their order."""


def find_contradictions(record: RegistryRecord) -> list[Finding]:
    """Return what the record says in more than one way: one finding for each quantity, in the order of the
    rules.
    """
    return find_in(Facts(record))


def find_in(facts: Facts) -> list[Finding]:
    """Return the contradictions of a record whose facts are at hand."""
    return [finding for rule in RULES.values() for finding in rule(facts)]
