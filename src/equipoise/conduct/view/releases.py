"""Which version of the study held where from when on, and what each of them says."""

from __future__ import annotations

from dataclasses import dataclass

from equipoise.access.content import Audience
from equipoise.conduct.view.scope import Scope
from equipoise.definition.model.definition import StudyDefinition
from equipoise.governance.state import SiteVersionRow, versions_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseLine:
    """A version that holds, or held, at a site from `recorded_at` on.

    Without `approved_on` it needed no approval there.
    """

    site: str
    number: int
    approved_on: str | None
    recorded_at: str


def list_releases(scope: Scope) -> tuple[ReleaseLine, ...]:
    """List which version held from when on at each site in the scope, by site and number."""
    scope.need(Audience.TRIAL)
    rows = sorted(scope.tables.all(SiteVersionRow), key=lambda row: (row.site, row.number))
    return tuple(
        ReleaseLine(
            site=row.site, number=row.number, approved_on=row.approved_on, recorded_at=row.recorded_at
        )
        for row in rows
        if scope.sees_site(row.site)
    )


def list_definitions(scope: Scope) -> tuple[StudyDefinition, ...]:
    """List the definitions of the versions, the first of them first."""
    scope.need(Audience.TRIAL)
    found = (scope.versions.of(row.definition) for row in versions_of(scope.tables))
    return tuple(each for each in found if each is not None)
