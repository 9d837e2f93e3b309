"""Refusals: they change nothing, and their wording is part of the interface.

Every command is given by an account of every role, in several variants, at every stage of a trial. What is
refused is compared with `refusals.txt`; set EQUIPOISE_WRITE_SNAPSHOTS=1 to write it anew.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import product

import pytest

from equipoise.access.actor import SYSTEM, Actor
from equipoise.access.refusal import Refusal
from equipoise.allocation.commands import UnblindTrial
from equipoise.allocation.vault import MemoryVault
from equipoise.conduct.entropy import SystemEntropy
from equipoise.conduct.trial import Trial
from equipoise.definition.model.study import Role
from equipoise.ledger import MemoryLedger
from tests.blinding.reach import VARIANTS, command_types, field_values, make_command
from tests.blinding.worlds import World, make_worlds
from tests.conduct import test_spec_policies
from tests.conduct.refusals import Wording, compare_snapshot

STAGES = ("unopened", "opened", "recruiting", "late", "locked", "unblinded")


def at_stage(stage: str) -> tuple[World, Trial]:
    world, _ = make_worlds("betraying")
    end = world.ledger.head().position
    if stage == "unopened":
        trial = world.at(end)
        return world, Trial(world.definition, MemoryLedger(), MemoryVault(), trial._clock, SystemEntropy())
    places = {"opened": 5, "recruiting": end // 3, "late": end * 2 // 3}
    trial = world.at(places.get(stage, end))
    if stage == "unblinded":
        assert isinstance(trial.record(_one_of(world, "list_statistician"), UnblindTrial()), tuple)
    return world, trial


def _one_of(world: World, role: str) -> Actor:
    return next(actor for actor in world.cast.accounts() if actor.role == role)


def one_of_each_role(world: World) -> Iterator[Actor]:
    seen: set[str] = set()
    for actor in world.cast.accounts():
        if actor.role not in seen:
            seen.add(actor.role)
            yield actor


def ask(trial: Trial, values: Trial, actors: Iterable[Actor]) -> Iterator[tuple[str, Refusal]]:
    """Give everything as everybody; yield what is refused, and fail when a refusal changed something."""
    possible = field_values(values)
    for actor, kind, variant in product(actors, command_types(), range(VARIANTS)):
        before = trial.head
        outcome = trial.record(actor, make_command(kind, possible, variant), "Why" if variant % 2 else None)
        if isinstance(outcome, Refusal):
            assert trial.head == before
            yield f"{actor.role} {kind.__name__}", outcome
    fresh = Trial(trial.definition, trial.ledger, MemoryVault(), trial._clock, SystemEntropy())
    assert trial.tables.digest() == fresh.tables.digest()


@cache
def refused_at(stage: str) -> tuple[Refusal, ...]:
    world, trial = at_stage(stage)
    return tuple(refusal for _, refusal in ask(trial, world.at(world.points[0]), one_of_each_role(world)))


@pytest.mark.parametrize("stage", STAGES)
def test_a_refusal_at_any_stage_changes_nothing_and_says_what_next(stage: str) -> None:
    for refusal in refused_at(stage):
        assert refusal.code.count("-") >= 1
        assert refusal.code == refusal.code.upper()
        for text in (refusal.sentence, refusal.remedy):
            assert text.endswith("."), refusal
            assert text[0].isupper(), refusal


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.requirement("G14", "P6")
def test_whom_nobody_granted_a_role_can_do_nothing_at_any_stage(stage: str) -> None:
    world, trial = at_stage(stage)
    before = trial.tables.digest(), trial.head
    strangers = [Actor("eve", role.id, "SE01" if role.scope == "site" else None) for role in _roles(world)]
    strangers += [Actor("eve", "system"), Actor("system", "system", "SE01"), Actor("eve", "")]
    refused = list(ask(trial, world.at(world.points[0]), strangers))
    assert len(refused) == len(strangers) * len(command_types()) * VARIANTS
    assert (trial.tables.digest(), trial.head) == before
    assert {refusal.code for _, refusal in refused} <= {
        *("ACC-ROLE", "ACC-COMMAND", "ACC-GRANT", "CON-NOT-OPEN", "CON-LOCKED"),
    }


def test_the_system_opens_a_trial_once_and_does_nothing_else() -> None:
    world, trial = at_stage("recruiting")
    refused = list(ask(trial, world.at(world.points[0]), [SYSTEM]))
    assert len(refused) == len(command_types()) * VARIANTS


def test_no_refusal_names_an_arm_or_shows_a_recorded_value() -> None:
    world, _ = make_worlds("betraying")
    arms = {arm.id for arm in world.definition.study.arms} | {arm.name for arm in world.definition.study.arms}
    for refusal in (each for stage in STAGES[:-1] for each in refused_at(stage)):
        text = " ".join((refusal.sentence, refusal.remedy, *refusal.details))
        assert not [arm for arm in arms if arm in text], text


def test_the_wording_of_every_refusal_is_as_it_was_read() -> None:
    for name, test in vars(test_spec_policies).items():
        if name.startswith("test_spec_"):
            test()
    found = [*test_spec_policies.REFUSED, *(each for stage in STAGES for each in refused_at(stage))]
    compare_snapshot(Wording(make_worlds("betraying")[0].definition).write(found))


def _roles(world: World) -> tuple[Role, ...]:
    return world.definition.study.roles
