"""A participant's casebook: all that was filled in, and who answers for it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from equipoise.access.content import Audience
from equipoise.capture.state import QueryRow
from equipoise.conduct.view.lines import RecordLine, SignatureLine
from equipoise.web.items import shown
from equipoise.web.pages import correcting, drafts, filling, judging, logs, recorded
from equipoise.web.pages.places import FormPlace, find_place
from equipoise.web.people import names_of
from equipoise.web.protect import Route
from equipoise.web.request import ClinicRequest
from equipoise.web.visible import Gives, Sees


@dataclass(frozen=True, slots=True)
class FilledForm:
    """A filled form as it is read in a casebook."""

    title: str
    name: str
    link: str
    record: RecordLine
    answers: tuple[tuple[str, str], ...]
    queries: int


@dataclass(frozen=True, slots=True)
class Chapter:
    """What belongs to one encounter, or is kept between them."""

    name: str
    took_place_on: str | None
    status: str
    forms: tuple[FilledForm, ...]
    due: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Signed:
    """A signature as 21 CFR 11.50 has it shown: printed name, time, meaning."""

    line: SignatureLine
    name: str
    role: str


def show_casebook(request: ClinicRequest, participant: str) -> HttpResponse:
    """Draw a casebook as the reader sees it."""
    signs = Gives(("SignCasebook",)).admits(request.seen.viewer)
    here = reverse("casebook", args=[participant])
    given = urlencode({"participant": participant, "next": here})
    context = casebook_of(request, participant) | {
        "sign": f"{reverse('do_SignCasebook')}?{given}" if signs else "",
    }
    return render(request, "pages/casebook.html", context)


def casebook_of(request: ClinicRequest, participant: str) -> dict[str, object]:
    """Return what a casebook holds for the reader, for a template."""
    return {
        "participant": participant,
        "chapters": read_chapters(request, participant),
        "signatures": read_signatures(request, participant),
        "hash": request.seen.casebook_hash(participant),
        "reviews": [
            (form.title if (form := request.definition.form(line.form)) else line.form, line.through)
            for line in request.seen.log_reviews(participant)
        ],
        "zone": request.clinic.zone(participant.split("-", maxsplit=1)[0]),
    }


def read_chapters(request: ClinicRequest, participant: str) -> list[Chapter]:
    """Return all filled forms by encounter, those between encounters last."""
    timeline = request.seen.timeline(participant, request.today)
    records = request.seen.records(participant)
    queries = [q for q in request.seen.queries() if q.participant == participant and q.status != "closed"]
    places: dict[tuple[str, str], FormPlace] = {}
    filled: dict[str, list[FilledForm]] = {}
    for record in sorted(records, key=lambda record: (record.form, record.row)):
        key = (record.form, record.encounter)
        if key not in places:
            places[key] = find_place(request, participant, record.form, record.encounter or None)
        filled.setdefault(record.encounter, []).append(_filled(places[key], record, queries))
    titles = {form.id: form.title for form in request.definition.forms}
    chapters = [
        Chapter(
            name=line.name,
            took_place_on=line.took_place_on,
            status=line.status,
            forms=tuple(filled.pop(line.encounter, ())),
            due=tuple(
                (titles[form], reverse("form", args=[participant, form, line.encounter]))
                for form in line.forms_due
            ),
        )
        for line in timeline
        if line.took_place_on is not None or line.status == "missed" or line.encounter in filled
    ]
    between = filled.pop("", [])
    return [*chapters, Chapter("", None, "", tuple(between), ())] if between else chapters


def _filled(place: FormPlace, record: RecordLine, queries: list[QueryRow]) -> FilledForm:
    repeating = place.form.repeating
    link = place.address
    if repeating:
        link = reverse("log_row", args=[place.participant, place.form.id, record.row])
    return FilledForm(
        title=place.form.title,
        name=str(record.row) if repeating else "",
        link=link,
        record=record,
        answers=tuple(
            (item.label, shown(item, record.values[item.id], place.zone))
            for item in place.form.items
            if item.id in record.values
        ),
        queries=sum(
            (each.form, each.encounter, each.row) == (record.form, record.encounter, record.row)
            for each in queries
        ),
    )


def read_signatures(request: ClinicRequest, participant: str) -> list[Signed]:
    """Return the signatures on a casebook, the latest first."""
    lines = request.seen.signature_lines(participant)
    names = names_of(line.account for line in lines)
    roles = {role.id: role.name for role in request.definition.study.roles}
    return [Signed(line, names[line.account], roles.get(line.role, line.role)) for line in reversed(lines)]


ROUTES: tuple[Route, ...] = (
    Route("participants/<code:participant>/casebook/", show_casebook, "casebook", Sees(Audience.CONDUCT)),
    *filling.ROUTES,
    *correcting.ROUTES,
    *logs.ROUTES,
    *recorded.ROUTES,
    *judging.ROUTES,
    *drafts.ROUTES,
)
