"""Blotting out from a page: what can be chosen, what goes with it, and what else of the clinic holds it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from equipoise.access.refusal import Refusal
from equipoise.conduct.blotting import ALL_WORDS
from equipoise.conduct.trail import AuditLine
from equipoise.conduct.view.texts import TextLine
from equipoise.governance.commands import BlotText
from equipoise.ledger.blots import MARK
from equipoise.ledger.entry import Entry
from equipoise.ledger.protocol import StoreUnavailable
from equipoise.ledger.receipts import Sending
from equipoise.store.sweeping import write_anew
from equipoise.web.accounts.models import AccessEvent, Draft
from equipoise.web.people import names_of
from equipoise.web.request import ClinicRequest
from equipoise.web.works import remove_made

Given = Mapping[str, str]

_COPIES = ("copy_taken",)


@dataclass(frozen=True, slots=True)
class ChosenText:
    """A text of an entry with what it is called, and its words with their numbers and whether each goes."""

    line: TextLine
    label: str
    words: tuple[tuple[int, str, bool], ...] = ()


def blot_text(
    request: ClinicRequest, command: BlotText, reason: str | None, sending: Sending
) -> tuple[Entry, ...] | Refusal:
    """Blot out the words that were ticked; drafts that have them, and files that were made, go too."""
    ticked = request.POST.getlist("word")
    words = ALL_WORDS if ALL_WORDS in ticked else ",".join(ticked)
    found = _text_at(request, str(command.position), command.path)
    outcome = request.clinic.trial.record(request.actor, replace(command, words=words), reason, sending)
    if isinstance(outcome, Refusal) or found is None:
        return outcome
    chosen = found.words if words == ALL_WORDS else [found.words[int(number) - 1] for number in ticked]
    _drop_drafts(chosen)
    remove_made(request.clinic)
    return outcome


def _drop_drafts(words: Sequence[str]) -> None:
    holding = [
        draft.pk
        for draft in Draft.objects.all()
        if any(all(word in text for word in words) for text in draft.fields.values())
    ]
    if holding:
        Draft.objects.filter(pk__in=holding).delete()
        # It was blotted out all the same: what is left in unused pages goes with the next one.
        with suppress(StoreUnavailable):
            write_anew(Draft.objects.db)


def context_of_blotting(request: ClinicRequest, given: Given) -> Mapping[str, Any]:
    """Return the texts of an entry, the one that is chosen, and where copies of it have gone."""
    position = _position(given)
    line = next(request.seen.audit(after=position - 1, limit=1), None) if position else None
    if line is None or line.position != position:
        return {"texts": (), "chosen": None, "mark": MARK}
    texts = request.seen.texts(position)
    path = given.get("path") or (texts[0].path if len(texts) == 1 else "")
    chosen = next((text for text in texts if text.path == path), None)
    ticked = set(request.POST.getlist("word"))
    return {
        "entry": line,
        "texts": [ChosenText(text, label_of(request, line, text)) for text in texts],
        "chosen": None
        if chosen is None
        else ChosenText(
            chosen,
            label_of(request, line, chosen),
            tuple((at, word, str(at) in ticked) for at, word in enumerate(chosen.words, start=1)),
        ),
        "whole": ALL_WORDS in ticked,
        "all_words": ALL_WORDS,
        "mark": MARK,
        "copies": _copies_since(line),
    }


def label_of(request: ClinicRequest, line: AuditLine, text: TextLine) -> str:
    """Return what a text of an entry is called: the label of its item, or a word for its field."""
    labels = {
        "reason": _("Reason"),
        "cause": _("Cause"),
        "text": _("Text"),
        "before": _("Answer before"),
        "after": _("Answer after"),
        "verbatim": _("Words of the site"),
        "who": _("Who learned it"),
        "how": _("How it happened"),
        "assessment": _("How it was judged"),
        "destination": _("Given to"),
    }
    if ".item_values." not in f".{text.path}":
        return labels[text.field]
    named = line.content.get("form")
    forms = request.definition.forms
    items = (form.item(text.field) for form in forms if named in (None, form.id))
    return next((item.label for item in items if item is not None), text.field)


def _text_at(request: ClinicRequest, position: str, path: str) -> TextLine | None:
    texts = request.seen.texts(int(position))
    return next((text for text in texts if text.path == path), None)


def _position(given: Given) -> int:
    text = given.get("position", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0


def _copies_since(line: AuditLine) -> list[tuple[datetime, str, str]]:
    """List the copies that left since an entry was recorded: when, who took each, what it was."""
    since = datetime.fromisoformat(line.recorded_at)
    events = list(AccessEvent.objects.filter(what__in=_COPIES, happened_at__gte=since)[:50])
    names = names_of(event.account for event in events)
    return [(each.happened_at, names.get(each.account, each.account), each.detail) for each in events]
