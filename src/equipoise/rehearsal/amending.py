"""An amendment in a rehearsal: brought in on a day, approved site by site, consented to at the next visit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from equipoise.access.refusal import Refused
from equipoise.definition.lock import canonical_json
from equipoise.definition.model.definition import StudyDefinition
from equipoise.governance.commands import ActivateVersion, AmendStudy
from equipoise.governance.decide import check_amendment
from equipoise.rehearsal.draws import Dice, RehearsalImpossible
from equipoise.rehearsal.world import Story, Terms, World, at_hour

# An assumption of the story: how long ethics committee and authority of a site take.
_DAYS_TO_APPROVAL = (20, 90)
_APPROVAL_HOUR = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendmentPlan:
    """The version that a rehearsal goes on under, and how: `day` counts from the opening.

    People and forms are as the rehearsal.yaml of its folder says, where there is one.
    """

    definition: StudyDefinition
    day: int
    title: str
    substantial: bool = True
    reconsent: bool = False


def check_plan(amendment: AmendmentPlan, definition: StudyDefinition) -> None:
    """Raise Refused for an amendment that a trial under a definition would not take."""
    refusal = check_amendment(amendment.definition, definition, [definition.study.version])
    if refusal is not None:
        raise Refused(refusal)


def tell_amendment(world: World, amendment: AmendmentPlan, sites: Iterable[str]) -> Story:
    """Tell how the study is amended; where that needs approvals, each site gets its own after a drawn time.

    Raises RehearsalImpossible when nothing is left to happen under it.
    """
    if world.next_moment is None:
        raise RehearsalImpossible(
            "REH-AMEND-DAY",
            f"The rehearsal came to its end before day {amendment.day}, on which the study was to be amended."
            " Amend it earlier.",
        )
    amended = amendment.definition
    command = AmendStudy(
        title=amendment.title,
        canonical=canonical_json(amended).decode(),
        substantial=amendment.substantial,
        reconsent=amendment.reconsent,
    )
    world.act(world.cast.who("AmendStudy", None), command)
    world.amend(Terms(amended, amended.rehearsal or world.plan, amendment.reconsent))
    for site in sites if amendment.substantial else ():
        days = Dice(world.seed, "approval", site).between(*_DAYS_TO_APPROVAL)
        start = at_hour(world.today + timedelta(days=days), _APPROVAL_HOUR)
        world.tell(_tell_approval(world, site, amended.study.version), start)
    yield from ()


def _tell_approval(world: World, site: str, version: str) -> Story:
    approved = ActivateVersion(site=site, study_version=version, approved_on=world.today)
    world.act(world.cast.who("ActivateVersion", None), approved)
    yield from ()
