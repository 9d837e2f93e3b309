"""The sites: recruitment against plan, and each site's own page."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from equipoise.access.content import Audience
from equipoise.conduct.view.lines import RecruitmentLine, SiteLine, SiteStatusLine
from equipoise.web.listing import Column, make_listing
from equipoise.web.pages.recruitment import BAR_ROW, draw_recruitment, plan_of, site_bars
from equipoise.web.people import names_of
from equipoise.web.protect import Route
from equipoise.web.request import ClinicRequest
from equipoise.web.visible import Sees
from equipoise.web.words_of_values import word_of_state


@dataclass(frozen=True, slots=True)
class _Row:
    """One site of the study: its counts are there once it was activated."""

    site: SiteStatusLine
    counts: SiteLine | None


def _count(row: _Row, name: str) -> int | None:
    return getattr(row.counts, name) if row.counts is not None else None


_COLUMNS: tuple[Column[_Row], ...] = (
    Column(
        "site",
        _("Site"),
        lambda row: row.site.site,
        link=lambda row: reverse("site", args=[row.site.site]),
    ),
    Column("name", _("Name"), lambda row: row.site.name),
    Column("country", _("Country"), lambda row: row.site.country),
    Column("status", _("Status"), lambda row: word_of_state(row.site.status)),
    Column(
        "activated", _("Activated"), lambda row: (row.site.activated_at or "")[:10], mark=lambda row: "nowrap"
    ),
    Column("consented", _("Consented"), lambda row: _count(row, "consented"), mark=lambda row: "number"),
    Column("failed", _("Screening failed"), lambda row: _count(row, "failed"), mark=lambda row: "number"),
    Column("randomised", _("Randomised"), lambda row: _count(row, "randomised"), mark=lambda row: "number"),
    Column("withdrawn", _("Withdrawn"), lambda row: _count(row, "withdrawn"), mark=lambda row: "number"),
    Column("completed", _("Completed"), lambda row: _count(row, "completed"), mark=lambda row: "number"),
)


def list_sites(request: ClinicRequest) -> HttpResponse:
    """Draw recruitment against plan, and list the sites that the reader may see."""
    rows = _rows(request)
    listing = make_listing(request, "sites", _COLUMNS, rows)
    if isinstance(listing, HttpResponse):
        return listing
    counts = [row.counts for row in rows if row.counts is not None]
    return render(
        request,
        "pages/sites.html",
        {"listing": listing} | _drawings(request, request.seen.recruitment(), counts),
    )


def _rows(request: ClinicRequest) -> list[_Row]:
    counts = {each.site: each for each in request.seen.sites()}
    return [_Row(each, counts.get(each.site)) for each in request.seen.all_sites()]


def _drawings(request: ClinicRequest, line: RecruitmentLine, counts: list[SiteLine]) -> dict[str, object]:
    """Return what the drawings need; the plan is that of all sites together, and not drawn for one."""
    of_all = request.seen.viewer.site is None and len(counts) == len(request.seen.sites())
    plan = plan_of(request.definition, line) if of_all else None
    bars = site_bars(counts)
    return {
        "plot": draw_recruitment(line, plan, request.today),
        "plan": plan,
        "bars": bars,
        "bars_height": BAR_ROW * len(bars) + 8,
        "randomised": sum(each.randomised for each in counts),
        "consented": sum(each.consented for each in counts),
        "planned": line.planned_enrolment,
    }


def show_site(request: ClinicRequest, site: str) -> HttpResponse:
    """Draw one site: its approvals and dates, how it recruits, and who holds which role there."""
    row = next((each for each in _rows(request) if each.site.site == site), None)
    if row is None:
        raise Http404
    line = request.seen.recruitment()
    own = RecruitmentLine(
        planned_enrolment=line.planned_enrolment,
        first_activated_at=row.site.activated_at,
        sites=tuple(each for each in line.sites if each.site == site),
    )
    roles = {role.id: role.name for role in request.definition.study.roles}
    staff = [each for each in request.seen.grants() if each.site == site and each.revoked_at is None]
    names = names_of(each.account for each in staff)
    variants = {each.id: each for each in request.definition.eligibility.variants}
    may = request.seen.permitted_commands()
    context = {
        "row": row,
        "plot": draw_recruitment(own, None, request.today),
        "plan": None,
        "site": request.definition.site(site),
        "variant": variants.get(request.definition.variant_of(site) or ""),
        "staff": [(names[each.account], each.account, roles[each.role], each.granted_at) for each in staff],
        "may_activate": "ActivateSite" in may and row.site.status == "planned",
        "may_close": "CloseSite" in may and row.site.status == "active",
        "sees_participants": Audience.CONDUCT in request.seen.viewer.audiences,
    }
    return render(request, "pages/site.html", context)


ROUTES: tuple[Route, ...] = (
    Route("sites/", list_sites, "sites", Sees(Audience.TRIAL)),
    Route("sites/<code:site>/", show_site, "site", Sees(Audience.TRIAL)),
)
