"""Reviews of the audit trail, of access and of data: what is on record, and what is overdue."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from equipoise.conduct.view.reviews import ReviewLine
from equipoise.web.listing import Column, show_listing
from equipoise.web.people import names_of
from equipoise.web.protect import Route
from equipoise.web.request import ClinicRequest
from equipoise.web.sentences_of_kinds import TITLES
from equipoise.web.visible import Gives
from equipoise.web.words_of_values import time_at, word_of_state

_WHO = Gives(("RecordReview",))


def link_to_record(request: ClinicRequest, following: str, **given: str | None) -> str:
    """Return where a review of what is shown now is put on record; empty for whoever records none."""
    if not _WHO.admits(request.seen.viewer):
        return ""
    known = {name: text for name, text in given.items() if text}
    latest = next(request.seen.audit(limit=1, newest_first=True))
    known |= {"reviewed_through": str(latest.position), "next": following}
    return f"{reverse('do_RecordReview')}?{urlencode(known)}"


def list_reviews(request: ClinicRequest) -> HttpResponse:
    """List the reviews on record, those first that are overdue, then the latest."""
    lines = request.seen.reviews(request.today)
    names = names_of(line.account for line in lines)
    zone = request.clinic.zone(request.actor.site)
    columns: tuple[Column[ReviewLine], ...] = (
        Column("at", _("When"), lambda line: time_at(line.recorded_at, zone), mark=lambda _line: "nowrap"),
        Column("by", _("By"), lambda line: names[line.account]),
        Column("reviewed", _("Reviewed"), lambda line: word_of_state(line.reviewed), link=_shown),
        Column("of", _("About"), lambda line: line.participant or line.site or gettext("all")),
        Column("narrowed", _("Filter"), lambda line: words_of_filter(line.narrowed)),
        Column(
            "entries", _("Entries"), lambda line: f"{line.first}–{line.last}", mark=lambda _line: "nowrap"
        ),
        Column("findings", _("Findings"), lambda line: line.findings),
        Column("next_due", _("Next due"), lambda line: line.next_due, mark=lambda _line: "nowrap"),
        Column("state", _("Status"), lambda line: word_of_state(line.state)),
    )
    ordered = sorted(lines, key=lambda line: line.state != "overdue")
    overdue = sum(line.state == "overdue" for line in lines)
    record = link_to_record(request, reverse("reviews"))
    return show_listing(
        request, "pages/reviews.html", "reviews", columns, ordered, overdue=overdue, record=record
    )


def words_of_filter(narrowed: str) -> str:
    """Return the filter of the audit trail's page in words."""
    words = []
    for name, text in parse_qsl(narrowed):
        if name == "kind":
            words.append(str(TITLES.get(text, text)))
        elif name == "from":
            words.append(gettext("from %(day)s") % {"day": text})
        elif name == "to":
            words.append(gettext("to %(day)s") % {"day": text})
        else:
            words.append(text)
    return ", ".join(words)


def _shown(line: ReviewLine) -> str | None:
    """Where what was reviewed is shown."""
    if line.reviewed == "access":
        return reverse("delegation")
    if line.reviewed != "audit_trail":
        return None
    trail = reverse("participant_audit", args=[line.participant]) if line.participant else reverse("audit")
    return f"{trail}?{line.narrowed}" if line.narrowed else trail


ROUTES: tuple[Route, ...] = (Route("reviews/", list_reviews, "reviews", _WHO),)
