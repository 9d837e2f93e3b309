"""Breaking the code in an emergency, in two steps; and who learned an allocation early, never what it was."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from equipoise.access.content import Audience
from equipoise.allocation.state import UnblindingRow
from equipoise.web.accounts.events import note_access
from equipoise.web.commands.give import draw_command, give_command
from equipoise.web.listing import Column, make_listing
from equipoise.web.people import names_of
from equipoise.web.protect import Route
from equipoise.web.request import ClinicRequest
from equipoise.web.visible import AnyRole, Gives, Sees
from equipoise.web.words_of_values import time_at

_COMMAND = "UnblindInEmergency"
_CAUSE_LENGTH_MAX = 4000


def list_unblindings(request: ClinicRequest) -> HttpResponse:
    """List who learned an allocation early, when and why."""
    rows = request.seen.unblindings()
    names = names_of(row.account for row in rows if row.kind == "emergency")
    zone = request.clinic.zone(request.actor.site)
    columns: tuple[Column[UnblindingRow], ...] = (
        Column("happened_at", gettext_lazy("When"), lambda row: time_at(row.happened_at, zone)),
        Column("participant", gettext_lazy("Participant"), lambda row: row.participant),
        Column(
            "kind",
            gettext_lazy("How"),
            lambda row: _("code broken in an emergency") if row.kind == "emergency" else _("by accident"),
        ),
        Column("account", gettext_lazy("Who learned it"), lambda row: names.get(row.account, row.account)),
        Column("cause", gettext_lazy("Why"), lambda row: row.cause),
    )
    listing = make_listing(request, "unblindings", columns, rows)
    if isinstance(listing, HttpResponse):
        return listing
    own = sorted(
        {row.participant for row in rows if row.kind == "emergency" and row.account == request.actor.account}
    )
    may = request.seen.permitted_commands()
    context = {"listing": listing, "own": own, "may_break": _COMMAND in may, "may": may}
    return render(request, "pages/unblindings.html", context)


def break_code(request: ClinicRequest) -> HttpResponse:
    """Take somebody through the two steps: what it means, for whom and why; then their proof."""
    if request.method == "POST" and "ticket" in request.POST:
        return give_command(request, _COMMAND)
    given = {name: request.POST.get(name, "").strip() for name in ("participant", "cause")}
    given["participant"] = given["participant"] or request.GET.get("participant", "")
    codes = [line.participant for line in request.seen.participants() if line.randomised_on]
    problems: dict[str, str] = {}
    if request.method == "POST":
        problems = _problems(given, codes)
        if not problems:
            return _ask_for_proof(request, given)
    definition = request.definition
    told = definition.allocation.emergency_unblinding
    context = {
        "given": given,
        "codes": codes,
        "problems": problems,
        "informed": [role.name for role in definition.study.roles if role.id in told.informed],
        "may_role": request.actor.role in told.permitted,
        "permitted": [role.name for role in definition.study.roles if role.id in told.permitted],
        "stay_masked": [
            role.name for role in definition.study.roles if role.masked and role.id != request.actor.role
        ],
    }
    return render(request, "pages/break_code.html", context, status=422 if problems else 200)


def _problems(given: dict[str, str], codes: list[str]) -> dict[str, str]:
    problems = {}
    if given["participant"] not in codes:
        problems["participant"] = _("Choose a randomised participant.")
    if not given["cause"]:
        problems["cause"] = _("Say why their care needs it.")
    elif len(given["cause"]) > _CAUSE_LENGTH_MAX:
        problems["cause"] = _("This is too long.")
    return problems


def _ask_for_proof(request: ClinicRequest, given: dict[str, str]) -> HttpResponse:
    following = reverse("emergency_allocation", args=[given["participant"]])
    return draw_command(request, _COMMAND, given | {"fixed": "participant,cause", "next": following})


def show_allocation(request: ClinicRequest, participant: str) -> HttpResponse:
    """Show an allocation to whoever broke its code, once they ask for it; each time is on the access log."""
    broken = [
        row
        for row in request.seen.unblindings()
        if (row.participant, row.kind, row.account) == (participant, "emergency", request.actor.account)
    ]
    if not broken:
        raise Http404
    context: dict[str, object] = {
        "participant": participant,
        "row": broken[-1],
        "zone": request.clinic.zone(request.actor.site),
    }
    if request.method == "POST":
        arm_id = request.clinic.trial.emergency_allocation(request.actor, participant)
        note_access(request, "allocation_read", request.actor.account, detail=participant)
        arm = request.definition.arm(arm_id)
        interventions = {each.id: each.name for each in request.definition.study.interventions}
        epochs = {each.id: each.name for each in request.definition.study.epochs}
        context["arm"] = arm
        context["given"] = [
            (epochs.get(epoch, epoch), [interventions.get(each, each) for each in cell])
            for epoch, cell in (arm.cells.items() if arm else ())
            if cell
        ]
    return render(request, "pages/emergency_allocation.html", context)


def show_paper(request: ClinicRequest) -> HttpResponse:
    """Draw the sheet for the binder: how a code is broken while the system is down."""
    told = request.definition.allocation.emergency_unblinding
    roles = request.definition.study.roles
    context = {
        "study": request.definition.study,
        "permitted": [role.name for role in roles if role.id in told.permitted],
        "informed": [role.name for role in roles if role.id in told.informed],
        "keepers": [role.name for role in roles if not role.masked],
    }
    return render(request, "pages/code_break_sheet.html", context)


ROUTES: tuple[Route, ...] = (
    Route("unblindings/", list_unblindings, "unblindings", Sees(Audience.CONDUCT)),
    Route("unblindings/break/", break_code, "break_code", Gives((_COMMAND,)), posts=True),
    Route("unblindings/paper/", show_paper, "code_break_sheet", AnyRole()),
    Route(
        "unblindings/of/<code:participant>/",
        show_allocation,
        "emergency_allocation",
        Gives((_COMMAND,)),
        posts=True,
    ),
)
