"""Giving a command from a page: one view draws the form, reads it, records, and says what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from equipoise.access.refusal import Refusal
from equipoise.definition.model.forms import Form
from equipoise.enrolment.commands import ConsentParticipant
from equipoise.web.commands.catalogue import CATALOGUE, COMMANDS, SLUGS
from equipoise.web.commands.choices import narrowed
from equipoise.web.commands.context import context_of
from equipoise.web.commands.fields import Field, Unreadable, draw_field, field_types, read_field, read_names
from equipoise.web.commands.once import record_once
from equipoise.web.commands.perform import EXTRA_FIELDS
from equipoise.web.commands.proof import check_proof, proof_fields
from equipoise.web.commands.tickets import ticket_of
from equipoise.web.commands.values import form_of_values
from equipoise.web.errors import status_of
from equipoise.web.items import draw_items, read_items
from equipoise.web.protect import Route
from equipoise.web.request import ClinicRequest
from equipoise.web.visible import Gives


def command_routes() -> tuple[Route, ...]:
    """Return the address of every command, open to the roles that may give it."""
    return tuple(
        Route(
            f"do/{SLUGS[name]}/", partial(give_command, name=name), f"do_{name}", Gives((name,)), posts=True
        )
        for name in COMMANDS
    )


@dataclass(frozen=True, slots=True)
class Answers:
    """What was read of a posted form: the command's arguments, and what is wrong, by field."""

    arguments: dict[str, Any]
    problems: dict[str, str]
    reason: str | None


def give_command(request: ClinicRequest, name: str) -> HttpResponse:
    """Draw a command's form, or give the command and go on to where the form says."""
    if request.method != "POST":
        return draw_command(request, name, request.GET.dict())
    answers = read_answers(request, name)
    if answers.problems:
        return draw_command(request, name, request.POST.dict(), problems=answers.problems, status=422)
    refusal = check_proof(request) if CATALOGUE[name].signed else None
    if refusal is not None:
        return draw_command(request, name, request.POST.dict(), refusal=refusal)
    outcome = record_once(request, COMMANDS[name](**answers.arguments), answers.reason)
    if isinstance(outcome, Refusal):
        return draw_command(request, name, request.POST.dict(), refusal=outcome)
    if outcome:
        messages.success(request, str(CATALOGUE[name].done))
    else:
        messages.info(request, _("This was recorded already; nothing was recorded twice."))
    if outcome and name == ConsentParticipant.__name__:
        # Whoever recorded it is told the new code, and goes on there.
        return redirect("participant", outcome[0].content["participant"])
    return redirect(following_page(request, answers.arguments))


def read_answers(request: ClinicRequest, name: str) -> Answers:
    """Read a posted form into the arguments of a command."""
    arguments: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for each in field_types(COMMANDS[name]):
        if each.kind == "values":
            form = form_of_values(request, name, request.POST)
            arguments["values"] = _answers(request, form) if form else {}
            continue
        try:
            if each.kind == "items":
                read: Any = read_names(request, each)
            else:
                read = read_field(request, each, request.POST.get(each.name, "").strip())
        except Unreadable as trouble:
            problems[each.name] = trouble.sentence
            continue
        if read is not None or each.required:
            arguments[each.name] = read
    reason = request.POST.get("reason", "").strip() or None
    if CATALOGUE[name].reason and reason is None:
        problems["reason"] = _("Say why.")
    for extra in EXTRA_FIELDS.get(name, ()):
        if not request.POST.get(extra.name, "").strip():
            problems[extra.name] = _("This must be answered.")
    return Answers(arguments, problems, reason)


def _answers(request: ClinicRequest, form: Form) -> dict[str, Any]:
    return read_items(form, request.POST, request.clinic.zone(request.actor.site))


def draw_command(
    request: ClinicRequest,
    name: str,
    given: Mapping[str, str],
    *,
    problems: Mapping[str, str] | None = None,
    refusal: Refusal | None = None,
    status: int | None = None,
) -> HttpResponse:
    """Draw a command's form with what was answered so far, and what is wrong with it."""
    found = problems or {}
    fixed = set(given.get("fixed", "").split(","))
    if request.method != "POST":
        fixed |= {key for key in given if key not in ("next", "fixed")}
    text = CATALOGUE[name]
    form = form_of_values(request, name, given)
    number = status or (status_of(refusal.code) if refusal else 200)
    context = {
        "name": name,
        "text": text,
        "fields": _fields(request, name, given, fixed, found),
        "fixed": ",".join(sorted(fixed - {""})),
        "items": draw_items(request, form, given, refusal) if form else None,
        "proof": proof_fields(request) if text.signed else (),
        "reason": given.get("reason", ""),
        "problems": found,
        "refusal": refusal,
        "ticket": ticket_of(given),
        "next": given.get("next", ""),
        "back": following_page(request, dict(given)),
        **context_of(request, name, given),
    }
    templates = [f"commands/{name}.html", "commands/command.html"]
    return render(request, templates, context, status=number)


def _fields(
    request: ClinicRequest, name: str, given: Mapping[str, str], fixed: set[str], problems: Mapping[str, str]
) -> list[Field]:
    types = [each for each in field_types(COMMANDS[name]) if each.kind != "values"]
    drawn = (
        draw_field(request, each, given, fixed=each.name in fixed, problem=problems.get(each.name, ""))
        for each in (*types, *EXTRA_FIELDS.get(name, ()))
    )
    return [narrowed(request, name, field, given) for field in drawn]


def following_page(request: ClinicRequest, arguments: Mapping[str, Any]) -> str:
    """Return where to go on: where the form says, within the clinic, else to the participant, else home."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    if url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) and wanted.startswith("/"):
        return wanted
    participant = arguments.get("participant")
    if participant and Gives(("RecordForm",)).admits(request.seen.viewer):
        # What was typed need not be a code, and then has no page.
        with suppress(NoReverseMatch):
            return reverse("participant", args=[participant])
    return reverse("home")
