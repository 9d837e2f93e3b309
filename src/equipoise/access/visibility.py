"""Who sees what: which audiences each role kind belongs to, default deny."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from equipoise.access.actor import Actor
from equipoise.access.content import Audience
from equipoise.access.refusal import Refusal, Refused
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.study import Role

_TRIAL, _CONDUCT, _READING = Audience.TRIAL, Audience.CONDUCT, Audience.READING
UNMASKING = frozenset({Audience.PRODUCT, Audience.UNMASKED})
"""The audiences to which no masked role belongs before the trial is unblinded."""

AUDIENCES: Mapping[str, frozenset[Audience]] = {
    "investigator": frozenset({_TRIAL, _CONDUCT}),
    "nurse": frozenset({_TRIAL, _CONDUCT}),
    "laboratory": frozenset({_TRIAL, Audience.PRODUCT, Audience.UNMASKED}),
    "infuser": frozenset({_TRIAL, _CONDUCT, Audience.PRODUCT, Audience.UNMASKED}),
    "reader": frozenset(),
    "adjudicator": frozenset(),
    "safety_desk": frozenset({_TRIAL, _CONDUCT}),
    "safety_board": frozenset({_TRIAL, _CONDUCT, _READING, Audience.UNMASKED}),
    "data_manager": frozenset({_TRIAL, _CONDUCT, _READING}),
    "monitor": frozenset({_TRIAL, _CONDUCT}),
    "statistician": frozenset({_TRIAL, _CONDUCT, _READING}),
    "unblinded_statistician": frozenset({_TRIAL, _CONDUCT, _READING, Audience.PRODUCT, Audience.UNMASKED}),
    "administrator": frozenset({_TRIAL}),
}
"""The audiences of each role kind. Readers have none: their queue alone shows them a task under a random
code.
"""


@dataclass(frozen=True, slots=True)
class Viewer:
    """An actor together with what the study lets them see.

    `site` limits what is seen to one site.
    """

    actor: Actor
    role: Role
    audiences: frozenset[Audience]
    site: str | None

    @property
    def masked(self) -> bool:
        """Whether the viewer must not learn an allocation."""
        return self.role.masked

    def sees_participant(self, participant: str) -> bool:
        """Tell whether a participant's site is within the viewer's scope."""
        return self.site is None or participant.split("-", maxsplit=1)[0] == self.site


def viewer_of(definition: StudyDefinition, actor: Actor, *, unblinded: bool) -> Viewer:
    """Derive what an actor sees; a masked role never gets an unmasking audience before the trial is
    unblinded.

    Raises Refused when the study has no such role or a site-bound role comes without a site.
    """
    role = definition.role(actor.role)
    if role is None:
        known = ", ".join(r.id for r in definition.study.roles)
        raise Refused(Refusal("ACC-ROLE", f"This study has no role '{actor.role}'.", f"Use one of: {known}."))
    if role.scope == "site" and actor.site is None:
        raise Refused(
            Refusal(
                "ACC-SITE", f"The role {role.id} belongs to a site, and none was named.", "Name the site."
            )
        )
    audiences = AUDIENCES.get(role.kind, frozenset())
    if role.masked and not unblinded:
        audiences -= UNMASKING
    elif Audience.CONDUCT in audiences:
        audiences |= UNMASKING
    if role.scope == "site" and not (definition.imaging and definition.imaging.visible_to_sites):
        audiences -= {_READING}
    elif role.scope == "site" and Audience.CONDUCT in audiences:
        audiences |= {_READING}
    return Viewer(actor, role, audiences, actor.site if role.scope == "site" else None)
