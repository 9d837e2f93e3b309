"""A whole simulated trial, through the write path that the clinic uses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from equipoise.access.actor import SYSTEM
from equipoise.access.command import Entropy
from equipoise.allocation.commands import CommitAllocation, UnblindTrial
from equipoise.allocation.vault import MemoryVault, Vault
from equipoise.coding.commands import AddDictionary
from equipoise.coding.dictionary import Dictionaries
from equipoise.conduct.entropy import SeededEntropy
from equipoise.conduct.trial import Trial
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.rehearsal import Rehearsal
from equipoise.governance.commands import ActivateSite, GrantRole, LockDatabase, OpenTrial
from equipoise.ledger.memory import MemoryLedger
from equipoise.ledger.protocol import Ledger
from equipoise.rehearsal.amending import AmendmentPlan, check_plan, tell_amendment
from equipoise.rehearsal.cast import Cast
from equipoise.rehearsal.coding import code_everything
from equipoise.rehearsal.draws import RehearsalImpossible
from equipoise.rehearsal.story import CourseTeller, recruit
from equipoise.rehearsal.world import SimulatedClock, World, at_hour

Progress = Callable[[int, int, str], None]
"""Called with participants finished, participants wanted, and the simulated day."""

Until = Callable[[Trial], bool]
"""Asked at the end of each simulated day (UTC): whether the rehearsal stops there."""

_STEPS_PER_REPORT = 200
_ACTIVATION_DAYS = 10
_AMENDING_HOUR = 8
_CANDIDATES_PER_PLACE_MAX = 20


@dataclass(frozen=True, slots=True)
class RehearsalResult:
    """A rehearsed trial: locked and, unless that was declined, unblinded; or under way, where it stopped."""

    trial: Trial
    cast: Cast
    scenario: str
    seed: int
    consented: int
    randomised: int


def rehearse(
    definition: StudyDefinition,
    *,
    seed: int,
    scenario: str,
    participants: int | None = None,
    sites: int | None = None,
    ledger: Ledger | None = None,
    vault: Vault | None = None,
    entropy: Entropy | None = None,
    amendment: AmendmentPlan | None = None,
    dictionaries: Dictionaries | None = None,
    added: Sequence[AddDictionary] = (),
    faults: bool = True,
    unblind: bool = True,
    until: Until | None = None,
    before_unblinding: Callable[[Trial, Cast], None] | None = None,
    progress: Progress | None = None,
) -> RehearsalResult:
    """Simulate a trial from its opening to the lock; the same seed gives the same ledger, byte for byte.

    With `until` it stops at the end of the first day on which that says so, and leaves the trial under way:
    its ledger is the first part of the whole rehearsal's.

    With `added`, dictionaries that `dictionaries` keeps are in use from the opening on, and what they can say
    is coded before the lock.

    With `amendment` it goes on under a new version: see `tell_amendment`.

    Raises RehearsalImpossible when the study folder does not describe what is asked for, RehearsalRefused
    when the trial refuses what its definition promises, Refused for an amendment that no trial takes.
    """
    plan = _check(definition, scenario, sites)
    if amendment is not None:
        check_plan(amendment, definition)
    site_ids = tuple(site.id for site in definition.study.sites)[:sites]
    clock = SimulatedClock(at_hour(plan.start, 7))
    trial = Trial(
        definition,
        ledger if ledger is not None else MemoryLedger(),
        vault if vault is not None else MemoryVault(),
        clock,
        entropy or SeededEntropy(seed),
        dictionaries,
    )
    cast = Cast(definition, site_ids)
    wanted = participants if participants is not None else plan.participants
    world = World(definition, plan, trial, cast, clock, scenario, seed, wanted, faults)
    _open(world, site_ids)
    for command in added:
        world.give(None, command)
    teller = CourseTeller(world)
    for site in site_ids:
        world.tell(recruit(world, teller, site), clock.now + timedelta(days=1))
    if amendment is not None:
        day = world.today + timedelta(days=amendment.day)
        world.tell(tell_amendment(world, amendment, site_ids), at_hour(day, _AMENDING_HOUR))
    _run(world, until, progress)
    if until is None:
        code_everything(world)
        world.give(None, LockDatabase())
        if before_unblinding is not None:
            before_unblinding(trial, cast)
        if unblind:
            world.give(None, UnblindTrial())
    return RehearsalResult(trial, cast, scenario, seed, world.consented, world.randomised)


def scenarios(definition: StudyDefinition) -> tuple[str, ...]:
    """Return the names of the scenarios that a study folder describes, in its order."""
    plan = definition.rehearsal
    if plan is None:
        return ()
    named = [name for effect in plan.effects for name in effect.scenarios] + list(plan.truth)
    return tuple(dict.fromkeys(named))


def _check(definition: StudyDefinition, scenario: str, sites: int | None) -> Rehearsal:
    plan = definition.rehearsal
    if plan is None:
        raise RehearsalImpossible(
            "REH-NONE", "The study folder has no rehearsal.yaml. Write one to rehearse."
        )
    known = scenarios(definition)
    if known and scenario not in known:
        raise RehearsalImpossible(
            "REH-SCENARIO", f"There is no scenario '{scenario}'. The study folder has: {', '.join(known)}."
        )
    available = len(definition.study.sites)
    if sites is not None and not 1 <= sites <= available:
        raise RehearsalImpossible(
            "REH-SITES",
            f"{sites} sites cannot take part: the study has {available}. Name from 1 to {available}.",
        )
    return plan


def _open(world: World, sites: tuple[str, ...]) -> None:
    administrator = world.cast.administrator()
    world.act(SYSTEM, OpenTrial(mode="rehearsal", administrator=administrator.account))
    for actor in world.cast.accounts():
        if actor != administrator:
            world.act(administrator, GrantRole(account=actor.account, role=actor.role, site=actor.site))
    world.give(None, CommitAllocation())
    for site in sites:
        approved = world.today - timedelta(days=_ACTIVATION_DAYS)
        world.act(administrator, ActivateSite(site=site, approved_on=approved))


def _run(world: World, until: Until | None, progress: Progress | None) -> None:
    steps, stopped = 0, False
    while (moment := world.next_moment) is not None:
        if until is not None and moment.date() > world.today and until(world.trial):
            stopped = True
            break
        world.step()
        steps += 1
        if progress is not None and steps % _STEPS_PER_REPORT == 0:
            progress(world.finished, world.consented, world.today.isoformat())
        if world.consented > max(world.wanted, 5) * _CANDIDATES_PER_PLACE_MAX:
            raise RehearsalImpossible(
                "REH-INELIGIBLE",
                f"Of {world.consented} candidates only {world.randomised} could be randomised"
                f"{world.ineligibility()}. Let rehearsal.yaml describe people who meet the criteria.",
            )
    if until is not None and not stopped:
        raise RehearsalImpossible(
            "REH-UNTIL",
            f"The rehearsal came to its end, with {world.randomised} randomised, before the day on which it"
            " was to stop. Let it stop earlier.",
        )
    if progress is not None:
        progress(world.finished, world.consented, world.today.isoformat())
