"""Answers before they are recorded: what stands in their way, what would open a query, what is not asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from equipoise.conduct.view.lines import CheckedForm, RecordLine
from equipoise.definition.expression import Aggregate, Name, Node, walk
from equipoise.definition.expression import Item as ItemNode
from equipoise.definition.model.forms import Form
from equipoise.web.items import PREFIX, problem_words, read_items
from equipoise.web.pages.places import FormPlace, find_place, find_record
from equipoise.web.protect import Route
from equipoise.web.request import ClinicRequest
from equipoise.web.visible import Gives

_NOTHING = CheckedForm(problems=(), findings=(), asked={})


@dataclass(frozen=True, slots=True)
class Judged:
    """What is wrong with answers, by item and as a whole; `hard` says that they cannot be recorded so.

    `unasked` are the questions that a page need not show.
    """

    problems: Mapping[str, str]
    warnings: Mapping[str, str]
    contradictions: tuple[str, ...]
    doubts: tuple[str, ...]
    unasked: tuple[str, ...]

    @property
    def hard(self) -> bool:
        """Whether anything stands in the way of recording."""
        return bool(self.problems or self.contradictions)


def judge(
    request: ClinicRequest, place: FormPlace, answers: Mapping[str, Any], record: RecordLine | None = None
) -> Judged:
    """Check answers as recording them would; of a recorded form, only what its correction would bring up."""
    checked = _check(request, place, answers)
    before = _check(request, place, record.values) if record else _NOTHING
    known = {each.check for each in before.findings}
    old = {(each.item, each.code) for each in before.problems}
    problems: dict[str, str] = {}
    warnings: dict[str, str] = {}
    for trouble in checked.problems:
        item = place.form.item(trouble.item)
        if item is None or (trouble.item, trouble.code) in old:
            continue
        if record and trouble.code == "ITEM-MISSING" and trouble.item not in record.values:
            warnings[trouble.item] = _("With the other answers this is asked. Left open, it opens a query.")
        else:
            problems[trouble.item] = problem_words(item, trouble)
    messages = {check.id: check.message for check in place.form.checks}
    contradictions: list[str] = []
    doubts: list[str] = []
    for each in checked.findings:
        if each.check in known:
            continue
        message = messages.get(each.check, each.text)
        soft = _("%(message)s Recorded like this, it opens a query.") % {"message": message}
        if each.item is None:
            (contradictions if each.hard else doubts).append(message if each.hard else soft)
        elif each.hard:
            problems.setdefault(each.item, message)
        else:
            warnings[each.item] = soft
    unasked = tuple(
        name
        for name in _unasked(place.form, checked.asked)
        if not (record and name in record.values and before.asked.get(name) == "not met")
    )
    return Judged(problems, warnings, tuple(contradictions), tuple(doubts), unasked)


def _check(request: ClinicRequest, place: FormPlace, answers: Mapping[str, Any]) -> CheckedForm:
    return request.seen.check_answers(
        place.participant, place.form.id, answers, request.today, place.encounter_id, place.row
    )


def _unasked(form: Form, asked: Mapping[str, str]) -> list[str]:
    """The questions whose condition does not hold, or waits for another answer of this form."""
    return [
        item.id
        for item in form.items
        if item.when is not None
        and (
            asked.get(item.id) == "not met"
            or (asked.get(item.id) == "unknown" and _looks_only_at(form, item.when))
        )
    ]


def _looks_only_at(form: Form, condition: Node) -> bool:
    parts = list(walk(condition))
    if any(isinstance(part, Name) for part in parts):
        return False
    return all(part.form == form.id for part in parts if isinstance(part, ItemNode | Aggregate))


def check_typed(request: ClinicRequest) -> HttpResponse:
    """Answer, as one types, what is wrong with a form so far: pieces of the page to put in place (htmx)."""
    given = request.POST
    row = given.get("row", "")
    place = find_place(
        request,
        given.get("participant", ""),
        given.get("form", ""),
        given.get("encounter") or None,
        int(row) if row.isascii() and row.isdigit() and len(row) < 7 else None,
    )
    answers = read_items(place.form, given, place.zone)
    judged = judge(request, place, answers, find_record(request, place))
    # What is not answered yet is not wrong yet, unless it was tried to record the form so.
    refused = "refused" in given
    typed = {item: words for item, words in judged.problems.items() if refused or item in answers}
    items = [item.id for item in place.form.items if item.id not in place.hidden]
    pieces = [
        (PREFIX + item, typed.get(item, ""), "" if item in typed else judged.warnings.get(item, ""))
        for item in items
    ]
    return render(request, "parts/judged.html", {"pieces": pieces, "judged": judged})


ROUTES: tuple[Route, ...] = (
    Route("forms/check/", check_typed, "check_form", Gives(("RecordForm", "CorrectForm")), posts=True),
)
