"""Who acts in a rehearsal: an account for every role of the study, at every site where the role has one."""

from __future__ import annotations

from collections.abc import Collection

from equipoise.access.actor import Actor
from equipoise.access.content import Audience
from equipoise.access.permissions import PERMITTED
from equipoise.access.visibility import AUDIENCES
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.study import Role
from equipoise.rehearsal.draws import RehearsalImpossible


class Cast:
    """The accounts of a rehearsal. They are named after role and site: nobody is invented."""

    def __init__(self, definition: StudyDefinition, sites: tuple[str, ...]) -> None:
        self._roles = definition.study.roles
        self._sites = sites
        self._readers = definition.imaging.readers if definition.imaging else 0
        self._found: dict[tuple[str, str | None, tuple[str, ...], bool], Actor] = {}

    def accounts(self) -> list[Actor]:
        """Return every actor of the rehearsal, in the order of the study's roles."""
        return [actor for role in self._roles for actor in self._accounts_of(role)]

    def administrator(self) -> Actor:
        """Return the account that the opening of the trial makes administrator."""
        return self.who("GrantRole", None)

    def who(
        self, command: str, site: str | None, *, among: Collection[str] = (), unmasked: bool = False
    ) -> Actor:
        """Return the first actor whose role may give a command at a site.

        `among` names roles or kinds that are preferred; with `unmasked`, so are then those that may know
        allocations. Raises RehearsalImpossible when the study has no role that may give it.
        """
        key = (command, site, tuple(among), unmasked)
        if key not in self._found:
            self._found[key] = self._find(command, site, among, unmasked)
        return self._found[key]

    def reader(self, number: int) -> Actor:
        """Return one of the independent readers, counted from 0."""
        first = self.who("RecordRead", None)
        return Actor(f"{first.role}.{number + 1}", first.role)

    def unmasked(self, site: str) -> Actor:
        """Return somebody who may learn the allocations of a site: the simulation asks them what was given.

        Raises RehearsalImpossible when everybody is masked.
        """
        for role in self._roles:
            if not role.masked and AUDIENCES.get(role.kind, frozenset()) & {
                Audience.UNMASKED,
                Audience.CONDUCT,
            }:
                return self._account(role, site)
        raise RehearsalImpossible(
            "REH-UNMASKED",
            "Every role in study.yaml is masked, so nobody could prepare a treatment. Unmask one.",
        )

    def _find(self, command: str, site: str | None, among: Collection[str], unmasked: bool) -> Actor:
        permitted = PERMITTED[command]
        roles = [role for role in self._roles if role.kind in permitted]
        if not roles:
            raise RehearsalImpossible(
                "REH-ROLE",
                f"Nobody in study.yaml may give the command {command}. Add a role of one of the kinds:"
                f" {', '.join(sorted(permitted))}.",
            )
        role = min(
            roles,
            key=lambda role: (
                bool(among) and role.id not in among and role.kind not in among,
                unmasked and role.masked,
                site is None and role.scope == "site",
            ),
        )
        return self._account(role, site or self._sites[0])

    def _account(self, role: Role, site: str) -> Actor:
        if role.scope == "trial":
            return self._accounts_of(role)[0]
        return Actor(f"{role.id}.{site.lower()}", role.id, site)

    def _accounts_of(self, role: Role) -> list[Actor]:
        if role.kind == "reader":
            return [Actor(f"{role.id}.{number + 1}", role.id) for number in range(max(self._readers, 1))]
        if role.scope == "trial":
            return [Actor(role.id, role.id)]
        return [Actor(f"{role.id}.{site.lower()}", role.id, site) for site in self._sites]
