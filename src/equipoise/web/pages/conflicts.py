"""Two people on one form: both versions side by side, and nothing overwritten unseen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from equipoise.access.refusal import Refusal
from equipoise.conduct.view.lines import RecordLine
from equipoise.definition.model.forms import Item
from equipoise.definition.recording import read_value
from equipoise.web.commands.tickets import make_ticket
from equipoise.web.errors import CONFLICT
from equipoise.web.items import PREFIX, read_items, shown, unit_words, written
from equipoise.web.pages.places import FormPlace, find_record, may_fill, why_closed
from equipoise.web.people import names_of
from equipoise.web.request import ClinicRequest

TAKE = "take-"
"""Before an item: whose answer is taken, theirs or mine."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One item of which there are two answers; `taken` is theirs, mine, or empty where it must be chosen."""

    item: str
    label: str
    theirs: str
    mine: str
    typed: str
    who: str
    at: str
    taken: str


def show_conflict(
    request: ClinicRequest, place: FormPlace, *, refusal: Refusal | None = None, problem: str = ""
) -> HttpResponse:
    """Draw both versions of a form, side by side, for the later person to choose from."""
    record = find_record(request, place)
    if record is None:
        raise Http404
    base = _base(request, place, record)
    closed = why_closed(request, place)
    differences = find_differences(request, place, record, base)
    context = {
        "place": place,
        "record": record,
        "differences": differences,
        "same": [item.label for item in _items(place) if not _differs(item, place, record, request.POST)],
        "kept": [(PREFIX + item.id, _typed(item, request.POST, record, place)) for item in _items(place)],
        "may_correct": may_fill(request, place.form) and not closed and not record.removed,
        "closed": closed,
        "reason": request.POST.get("reason", ""),
        "ticket": make_ticket(),
        "refusal": refusal,
        "problem": problem,
    }
    return render(request, "pages/conflict.html", context, status=CONFLICT)


def find_differences(
    request: ClinicRequest, place: FormPlace, record: RecordLine, base: Mapping[str, Any]
) -> list[Difference]:
    """Return the items whose posted answer is not the recorded one; `base` is what the sender had seen."""
    lines = {line.position: line for line in request.seen.audit(place.participant)}
    names = names_of(line.account for line in lines.values())
    found = []
    for item in _items(place):
        if not _differs(item, place, record, request.POST):
            continue
        entered = record.entered.get(item.id, {})
        line = lines.get(entered.get("position", 0))
        typed = _typed(item, request.POST, record, place)
        found.append(
            Difference(
                item=item.id,
                label=item.label,
                theirs=shown(item, record.values.get(item.id), place.zone) or _("no answer"),
                mine=_readable(item, typed, place) or _("no answer"),
                typed=typed,
                who=names[line.account] if line else "",
                at=entered.get("at", ""),
                taken=_taken(item, typed, record, base, place, request.POST),
            )
        )
    return found


def _taken(
    item: Item,
    typed: str,
    record: RecordLine,
    base: Mapping[str, Any],
    place: FormPlace,
    posted: Mapping[str, str],
) -> str:
    """Whose answer is taken: as was chosen, else of the one who alone changed it, else nobody's yet."""
    if posted.get(TAKE + item.id) in ("mine", "theirs"):
        return posted[TAKE + item.id]
    seen = written(item, base.get(item.id), place.zone)
    if typed == seen:
        return "theirs"
    return "mine" if record.values.get(item.id) == base.get(item.id) else ""


def _base(request: ClinicRequest, place: FormPlace, record: RecordLine) -> dict[str, Any]:
    """Return what was recorded when the sender opened the form; nothing if they were to fill it in."""
    seen = read_seen(request.POST)
    if seen is None:
        return {}
    if seen >= record.position:
        return dict(record.values)
    base: dict[str, Any] = {}
    for item in _items(place):
        lines = request.seen.item_history(
            place.participant, place.form.id, item.id, place.encounter_id, place.row
        )
        earlier = [line.value for line in lines if line.position <= seen]
        if earlier and earlier[-1] is not None:
            base[item.id] = earlier[-1]
    return base


def read_seen(posted: Mapping[str, str]) -> int | None:
    """Return up to which position of the ledger a form was seen, None where it does not say."""
    text = posted.get("seen", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def changed_items(place: FormPlace, record: RecordLine, posted: Mapping[str, str]) -> dict[str, Any]:
    """Return what a posted form would change of a record: the new answers by item, None for one taken away.

    An item that was not touched is left out, whatever its stored form. A question that is no longer asked is
    not sent by the page, and its answer goes.
    """
    answers = read_items(place.form, posted, place.zone)
    return {item.id: answers.get(item.id) for item in _items(place) if _differs(item, place, record, posted)}


def _items(place: FormPlace) -> list[Item]:
    return [item for item in place.form.items if item.id not in place.hidden]


def _typed(item: Item, posted: Mapping[str, str], record: RecordLine, place: FormPlace) -> str:
    text = posted.get(PREFIX + item.id)
    if text is None:
        return "" if item.when is not None else written(item, record.values.get(item.id), place.zone)
    return text.replace("\r\n", "\n").strip()


def _differs(item: Item, place: FormPlace, record: RecordLine, posted: Mapping[str, str]) -> bool:
    stored = record.values.get(item.id)
    typed = _typed(item, posted, record, place)
    if typed == written(item, stored, place.zone):
        return False
    # 36,7 and 36.7 are the same answer, written by two people.
    answer = read_items(place.form, {PREFIX + item.id: typed}, place.zone).get(item.id)
    return read_value(place.form, item, answer) != stored


def _readable(item: Item, typed: str, place: FormPlace) -> str:
    if item.type in ("choice", "boolean"):
        return shown(item, {"true": True, "false": False}.get(typed, typed), place.zone)
    return f"{typed} {unit_words(item)}" if typed and item.unit else typed
