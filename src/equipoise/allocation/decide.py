"""Decisions about the allocation: the one place that opens the vault."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from itertools import product
from typing import Any

from equipoise.access.codes import random_code
from equipoise.access.command import Command, Moment
from equipoise.access.filling import check_day, check_text
from equipoise.access.refusal import Refusal
from equipoise.allocation.commands import (
    CommitAllocation,
    RandomiseParticipant,
    ReportUnblinding,
    UnblindInEmergency,
    UnblindTrial,
)
from equipoise.allocation.entries import (
    AllocationCommitted,
    ParticipantRandomised,
    ParticipantUnblinded,
    TrialUnblinded,
    UnblindingAssessed,
    UnblindingReported,
)
from equipoise.allocation.state import AllocationRow, CommitmentRow
from equipoise.allocation.vault import PLAN, Plan, Vault, VaultMismatch, slot_message
from equipoise.definition.expression import Exact, encode_value, number
from equipoise.definition.model.conduct import Factor
from equipoise.definition.model.definition import StudyDefinition
from equipoise.ledger.entry import Draft
from equipoise.ledger.tables import Tables

Decision = tuple[Draft, ...] | Refusal

ONLY_STRATUM = "all"
"""The stratum of everybody where the definition has none, and under minimisation."""


def stratum_name(levels: Mapping[str, str]) -> str:
    """Return the name of the stratum with these levels, as in site=SE01;sex=female."""
    return ";".join(f"{factor}={level}" for factor, level in levels.items()) or ONLY_STRATUM


def strata_of(definition: StudyDefinition) -> tuple[str, ...]:
    """Return every stratum of a definition: all levels crossed, each site with its own country."""
    factors = definition.allocation.strata
    found: dict[str, None] = {}
    for site in definition.study.sites:
        places = {"site": (site.id,), "country": (site.country,)}
        for levels in product(*(factor.levels or places[factor.id] for factor in factors)):
            found[stratum_name(dict(zip((factor.id for factor in factors), levels, strict=True)))] = None
    return tuple(found)


def _find_level(factor: Factor, value: Exact | None) -> str | None:
    """Return the factor's level that a value stands for, or None for a value that is unknown or no level."""
    if isinstance(value, bool):
        text = "true" if value else "false"
    else:
        text = str(encode_value(value.normalize() if isinstance(value, Decimal) else value))
    return text if text in factor.levels else None


def check_committed(tables: Tables) -> Refusal | None:
    """Refuse what needs the allocation before it is committed to."""
    if any(True for _ in tables.all(CommitmentRow)):
        return None
    return Refusal(
        "ALL-UNCOMMITTED", "The allocation is not committed to yet.", "Give the command CommitAllocation."
    )


def check_not_committed(tables: Tables) -> Refusal | None:
    """Refuse a second commitment: a list is never replaced."""
    if check_committed(tables):
        return None
    return Refusal(
        "ALL-COMMITTED",
        "The allocation was committed to already, and a list is never replaced.",
        "Go on with the one there is.",
    )


def check_not_revealed(tables: Tables) -> Refusal | None:
    """Refuse to hide, break or reveal what was revealed."""
    if all(row.revealed_at is None for row in tables.all(CommitmentRow)):
        return None
    return Refusal(
        "ALL-REVEALED", "Every allocation was revealed.", "Read it in the view of the participant."
    )


def check_not_randomised(participant: str, tables: Tables) -> Refusal | None:
    """Refuse a second randomisation."""
    row = tables.get(AllocationRow, participant)
    if row is None:
        return None
    return Refusal(
        "ALL-RANDOMISED",
        f"The participant {participant} was randomised on {row.randomised_on} under the number {row.number}.",
        "Nobody is randomised twice; go on under this number.",
    )


def check_randomised(participant: str, tables: Tables) -> Refusal | None:
    """Refuse to break a code that does not exist."""
    if tables.get(AllocationRow, participant) is not None:
        return None
    return Refusal(
        "ALL-NOT-RANDOMISED",
        f"The participant {participant} is not randomised.",
        "Check the participant's code.",
    )


def check_may_unblind(definition: StudyDefinition, role: str) -> Refusal | None:
    """Refuse a role that the definition does not let break the code."""
    permitted = definition.allocation.emergency_unblinding.permitted
    if role in permitted:
        return None
    return Refusal(
        "ALL-EMERGENCY",
        f"The role {role} may not break the code.",
        f"Ask somebody in one of the roles: {', '.join(permitted)}.",
    )


class Allocator:
    """Decides about the allocation of one trial, with its vault.

    Two of them over one vault agree. Requests at the same time are kept apart by the ledger's exclusive
    transaction, within which every decision is made.
    """

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._opened: Plan | None = None
        self._arms: dict[tuple[str, str, str, int, str], int] = {}
        self.decide: dict[type[Command], Callable[[Any, Moment], Decision]] = {
            CommitAllocation: self.decide_commitment,
            RandomiseParticipant: self.decide_randomisation,
            UnblindInEmergency: self.decide_emergency,
            ReportUnblinding: self.decide_report,
            UnblindTrial: self.decide_unblinding,
        }

    def arm_of(self, tables: Tables, participant: str) -> str:
        """Return the arm of a randomised participant.

        Raises MissingRow for anybody else, VaultMissing and VaultMismatch when the vault is not the one
        of this ledger: a wrong arm is worse than none.
        """
        row = tables.require(AllocationRow, participant)
        plan = self._plan(tables)
        return plan.arms[self._arm(plan, row)]

    def decide_commitment(self, command: CommitAllocation, moment: Moment) -> Decision:
        """Draw and seal the plan, and commit to it."""
        refusal = check_not_committed(moment.tables)
        if refusal:
            return refusal
        study, allocation = moment.definition.study.id, moment.definition.allocation
        if PLAN in self._vault.names():
            # An earlier attempt was cut off between the vault and the ledger. Nobody has seen this plan,
            # and taking it leaves no way to draw again until a list pleases.
            plan = Plan.read(self._vault.open(PLAN))
            if not plan.fits(study, allocation):
                return Refusal(
                    "ALL-VAULT",
                    "The vault holds the plan of another design.",
                    "Connect an empty vault to this trial.",
                )
        else:
            plan = Plan.draw(study, allocation, strata_of(moment.definition), moment.entropy.token(32))
            self._vault.seal(PLAN, plan.write())
        commitment = self._vault.commitment(plan.plan_salt(), plan.write())
        return (AllocationCommitted(method=plan.method, commitment=commitment).draft(),)

    def decide_randomisation(self, command: RandomiseParticipant, moment: Moment) -> Decision:
        """Give the next slot of the participant's stratum."""
        tables, participant = moment.tables, command.participant
        refusal = (
            check_committed(tables)
            or check_not_revealed(tables)
            or check_not_randomised(participant, tables)
            or check_day(moment, participant, command.randomised_on, "ALL")
        )
        if refusal:
            return refusal
        plan = self._plan(tables)
        if not plan.fits(moment.definition.study.id, moment.definition.allocation):
            return Refusal(
                "ALL-DESIGN",
                "The definition's allocation is not the one that was committed to.",
                "Take the amendment of the allocation back; only strata may be added to a trial under way.",
            )
        levels = self._read_levels(command, moment)
        if isinstance(levels, Refusal):
            return levels
        stratum = ONLY_STRATUM if plan.method == "minimisation" else stratum_name(levels)
        rows = tables.where(AllocationRow, stratum=stratum)
        slot = 1 + max((row.slot for row in rows), default=0)
        code = random_code(moment.entropy, "R", lambda code: bool(tables.where(AllocationRow, number=code)))
        arm: int | None
        if plan.method == "minimisation":
            history = [(row.levels, self._arm(plan, row)) for row in rows]
            arm = taken = plan.arm_by_minimisation(slot, levels, history)
            # Under the number, which is new in every attempt: one that is cut off leaves something that
            # no entry names, and stands in nobody's way.
            self._vault.seal(f"arm/{code}", b"%d" % taken)
        else:
            arm = plan.arm_at(stratum, slot)
        if arm is None:
            return Refusal(
                "ALL-EXHAUSTED",
                f"The list has no slot left for {participant} in the stratum {stratum}.",
                "Ask the trial's statistician: the list was planned for fewer participants.",
            )
        entry = ParticipantRandomised(
            participant=participant,
            number=code,
            stratum=stratum,
            slot=slot,
            levels=levels,
            randomised_on=command.randomised_on.isoformat(),
            commitment=self._commit(plan, participant, code, stratum, slot, arm),
        )
        return (entry.draft(clinical_time=entry.randomised_on),)

    def decide_emergency(self, command: UnblindInEmergency, moment: Moment) -> Decision:
        """Put on record that the code is broken; who asked may then read it."""
        participant, role = command.participant, moment.actor.role
        refusal = (
            check_may_unblind(moment.definition, role)
            or check_randomised(participant, moment.tables)
            or check_not_revealed(moment.tables)
            or check_text(command.cause, "cause", "ALL")
        )
        if refusal:
            return refusal
        masked = (each.id for each in moment.definition.study.roles if each.masked and each.id != role)
        entry = ParticipantUnblinded(
            participant=participant,
            account=moment.actor.account,
            role=role,
            cause=command.cause,
            informed=moment.definition.allocation.emergency_unblinding.informed,
            remains_masked=tuple(masked),
        )
        return (entry.draft(),)

    def decide_report(self, command: ReportUnblinding, moment: Moment) -> Decision:
        """Put an accident on record: that it happened, and, for unmasked roles, how."""
        refusal = (
            check_randomised(command.participant, moment.tables)
            or check_text(command.who, "who", "ALL")
            or check_text(command.how, "how", "ALL")
            or check_text(command.assessment, "assessment", "ALL")
        )
        if refusal:
            return refusal
        reported = UnblindingReported(participant=command.participant, who=command.who)
        assessed = UnblindingAssessed(
            participant=command.participant, how=command.how, assessment=command.assessment
        )
        return (reported.draft(), assessed.draft())

    def decide_unblinding(self, command: UnblindTrial, moment: Moment) -> Decision:
        """Reveal every allocation with its salt, and the plan with its own."""
        tables = moment.tables
        refusal = check_committed(tables) or check_not_revealed(tables)
        if refusal:
            return refusal
        plan = self._plan(tables)
        openings = tuple(
            {
                "participant": row.participant,
                "arm": plan.arms[self._arm(plan, row)],
                "salt": plan.slot_salt(row.stratum, row.slot).hex(),
            }
            for row in tables.all(AllocationRow)
        )
        entry = TrialUnblinded(plan=plan.write().decode(), salt=plan.plan_salt().hex(), openings=openings)
        return (entry.draft(),)

    def _plan(self, tables: Tables) -> Plan:
        """Open the plan, once, and hold it against the commitment in the ledger."""
        if self._opened is None:
            plan = Plan.read(self._vault.open(PLAN))
            commitment = self._vault.commitment(plan.plan_salt(), plan.write())
            if any(row.commitment != commitment for row in tables.all(CommitmentRow)):
                raise VaultMismatch("the plan of the allocation")
            self._opened = plan
        return self._opened

    def _arm(self, plan: Plan, row: AllocationRow) -> int:
        """Return the arm of a slot that was given, held against its commitment in the ledger, once."""
        key = (row.participant, row.number, row.stratum, row.slot, row.commitment)
        if key not in self._arms:
            if plan.method == "minimisation":
                arm: int | None = int(self._vault.open(f"arm/{row.number}"))
            else:
                arm = plan.arm_at(row.stratum, row.slot)
            if arm is None or self._commit(plan, *key[:4], arm) != row.commitment:
                raise VaultMismatch(f"the participant {row.participant}")
            self._arms[key] = arm
        return self._arms[key]

    def _commit(self, plan: Plan, participant: str, number: str, stratum: str, slot: int, arm: int) -> str:
        message = slot_message(participant, number, stratum, slot, plan.arms[arm])
        return self._vault.commitment(plan.slot_salt(stratum, slot), message)

    def _read_levels(self, command: RandomiseParticipant, moment: Moment) -> dict[str, str] | Refusal:
        allocation = moment.definition.allocation
        factors = allocation.factors if allocation.method == "minimisation" else allocation.strata
        site = moment.definition.site(command.participant.split("-")[0])
        places = {"site": site.id, "country": site.country} if site else {}
        levels = {}
        for factor in factors:
            if factor.value is None:
                level = places.get(factor.id)
            else:
                found = number(factor.value, moment.evidence(command.participant, command.randomised_on))
                level = _find_level(factor, found)
            if level is None:
                return Refusal(
                    "ALL-FACTOR",
                    f"For {command.participant}, the level of the factor {factor.id} is not known.",
                    "Record what it depends on; no slot was used.",
                    (factor.id,),
                )
            levels[factor.id] = level
        return levels
