"""The study, drawn from its definition: synopsis, registry page, schedule, assumptions, and every form."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from equipoise.definition.document import Block, Document, Section
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.forms import Form
from equipoise.definition.names import DefinitionNames
from equipoise.definition.synopsis import assumptions_section, schedule_section, synopsis_of
from equipoise.definition.synopsis_words import rule_of
from equipoise.exchange.registry import registry_page
from equipoise.web.items import draw_items
from equipoise.web.listing import Column, show_listing
from equipoise.web.protect import Route
from equipoise.web.request import ClinicRequest
from equipoise.web.visible import AnyRole
from equipoise.web.words_of_values import word_of_state

PARTS: tuple[tuple[str, Promise], ...] = (
    ("study", _("Synopsis")),
    ("study_registry", _("Registry page")),
    ("study_schedule", _("Schedule of activities")),
    ("study_forms", _("Forms")),
    ("study_assumptions", _("Assumptions")),
    ("study_standards", _("In standards")),
)
"""The pages of the study: their names, and what they are called.

What is drawn from the definition is a document in the study folder's own language, the same for every reader.
"""


@dataclass(frozen=True, slots=True)
class DrawnSection:
    """A section with its blocks, each beside the name of its kind, by which the template draws it."""

    title: str
    blocks: tuple[tuple[str, Block], ...]


def draw_section(section: Section) -> DrawnSection:
    """Return a section as the template draws it."""
    return DrawnSection(section.title, tuple((type(block).__name__, block) for block in section.blocks))


def _show(request: ClinicRequest, here: str, title: str | Promise, document: Document) -> HttpResponse:
    context = {
        "title": title,
        "document": document,
        "sections": [draw_section(section) for section in document.sections],
        "contents": len(document.sections) > 1,
        "parts": [(reverse(name), words, name == here) for name, words in PARTS],
    }
    return render(request, "pages/study.html", context)


def show_synopsis(request: ClinicRequest) -> HttpResponse:
    """Draw the synopsis."""
    document = synopsis_of(request.version)
    return _show(request, "study", document.title, document)


def show_registry(request: ClinicRequest) -> HttpResponse:
    """Draw the study as a registry would show it."""
    document = registry_page(request.version)
    return _show(request, "study_registry", document.title, document)


def show_schedule(request: ClinicRequest) -> HttpResponse:
    """Draw what is done at which encounter."""
    definition = request.version
    section = schedule_section(definition)
    return _show(request, "study_schedule", _("Schedule of activities"), _one(definition, section))


def show_assumptions(request: ClinicRequest) -> HttpResponse:
    """Draw what the definition takes for granted."""
    definition = request.version
    section = assumptions_section(definition)
    return _show(request, "study_assumptions", _("Assumptions"), _one(definition, section))


def _one(definition: StudyDefinition, section: Section) -> Document:
    return Document(
        title=section.title,
        subtitle="",
        language=definition.study.language,
        sections=(section,) if section.blocks else (),
        footer=definition.hash,
    )


# -- the forms


@dataclass(frozen=True, slots=True)
class _FormRow:
    form: Form
    encounters: str
    filled_by: str


_COLUMNS: tuple[Column[_FormRow], ...] = (
    Column(
        "title",
        _("Form"),
        lambda row: row.form.title,
        link=lambda row: reverse("study_form", args=[row.form.id]),
    ),
    Column("items", _("Questions"), lambda row: len(row.form.items), mark=lambda row: "number"),
    Column("encounters", _("At"), lambda row: row.encounters),
    Column("filled_by", _("Filled in by"), lambda row: row.filled_by),
    Column("repeating", _("Repeats"), lambda row: row.form.repeating),
    Column("unmasking", _("Would unmask"), lambda row: row.form.unmasking),
)


def list_forms(request: ClinicRequest) -> HttpResponse:
    """List the forms of the study."""
    rows = [_form_row(request.definition, form) for form in request.definition.forms]
    parts = [(reverse(name), words, name == "study_forms") for name, words in PARTS]
    return show_listing(request, "pages/study_forms.html", "forms", _COLUMNS, rows, parts=parts)


def _form_row(definition: StudyDefinition, form: Form) -> _FormRow:
    schedule = definition.schedule
    at = [each.name for each in schedule.encounters if form.id in schedule.forms_at(each.id)]
    where = ", ".join(at) or (str(_("at any time")) if form.id in schedule.logs else "")
    by = ", ".join(map(word_of_state, form.filled_by)) or str(_("site staff"))
    return _FormRow(form, where, by)


def show_form(request: ClinicRequest, form: str) -> HttpResponse:
    """Draw one form as it is asked, with its checks; nothing can be filled in here."""
    found = request.definition.form(form)
    if found is None:
        raise Http404
    names = DefinitionNames(request.definition)
    rules = [(item.label, rule_of(item.when, names)) for item in found.items if item.when is not None]
    context = {
        "form": found,
        "row": _form_row(request.definition, found),
        "items": draw_items(request, found, {}, None),
        "checks": [(check, rule_of(check.holds, names)) for check in found.checks],
        "conditions": rules,
        "no_longer": [item.label for item in found.items if item.retired],
    }
    return render(request, "pages/study_form.html", context)


ROUTES: tuple[Route, ...] = (
    Route("study/", show_synopsis, "study", AnyRole()),
    Route("study/registry/", show_registry, "study_registry", AnyRole()),
    Route("study/schedule/", show_schedule, "study_schedule", AnyRole()),
    Route("study/assumptions/", show_assumptions, "study_assumptions", AnyRole()),
    Route("study/forms/", list_forms, "study_forms", AnyRole()),
    Route("study/forms/<id:form>/", show_form, "study_form", AnyRole()),
)
