"""The statistician's desk: masked until the lock, with the analysis that was fixed beforehand."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render

from equipoise.definition.names import DefinitionNames
from equipoise.definition.synopsis_conduct import analysis_section
from equipoise.web.offers import offers
from equipoise.web.protect import Route
from equipoise.web.request import ClinicRequest
from equipoise.web.visible import Gives, Kinds


def show_statistics(request: ClinicRequest) -> HttpResponse:
    """Draw what may be analysed now, and the plan of the analysis with the day on which it was fixed."""
    seen, definition = request.seen, request.definition
    steps = seen.milestones()
    fixed = [step for step in steps if step.kind in ("TrialOpened", "StudyAmended")]
    recruitment = seen.sites()
    context = {
        "state": seen.trial(),
        "offers": offers(request, "report", "datasets", "closed_report", "closed_datasets"),
        "plan": _blocks(request),
        "fixed": fixed[-1] if fixed else None,
        "amended": len(fixed) > 1,
        "same": bool(fixed) and fixed[-1].detail == definition.hash,
        "hash": definition.hash,
        "planned": definition.study.planned_enrolment,
        "randomised": sum(line.randomised for line in recruitment),
        "may_unblind": Gives(("UnblindTrial",)).admits(seen.viewer),
        "committed": next((step for step in steps if step.kind == "AllocationCommitted"), None),
    }
    return render(request, "pages/statistics.html", context)


def _blocks(request: ClinicRequest) -> list[tuple[str, object]]:
    """Return the plan's blocks, each with the kind of thing that it is."""
    section = analysis_section(request.definition, DefinitionNames(request.definition))
    return [(type(block).__name__, block) for block in section.blocks]


ROUTES: tuple[Route, ...] = (
    Route("statistics/", show_statistics, "statistics", Kinds(("statistician", "unblinded_statistician"))),
)
