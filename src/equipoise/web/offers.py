"""The long works that a page offers to its reader."""

from __future__ import annotations

from dataclasses import dataclass

from equipoise.definition.model.study import Site
from equipoise.web.commands.tickets import make_ticket
from equipoise.web.request import ClinicRequest
from equipoise.web.work_kinds import WORK_KINDS
from equipoise.web.works import WorkKind


@dataclass(frozen=True, slots=True)
class Offer:
    """A work that may be begun from a page; `sites` are those to choose from, if any."""

    kind: WorkKind
    ticket: str
    sites: tuple[Site, ...] = ()


def offers(request: ClinicRequest, *names: str) -> list[Offer]:
    """Return those of some kinds of work that the reader may begin now."""
    found = []
    for name in names:
        kind = WORK_KINDS[name]
        if kind.visible.admits(request.seen.viewer) and kind.needs(request.seen) is None:
            several = name == "copy" and request.seen.viewer.site is None
            sites = request.definition.study.sites if several else ()
            found.append(Offer(kind, make_ticket(), sites))
    return found
