"""Source verification on a page: what is beside each answer, and what its boxes and buttons send."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from equipoise.conduct.view.lines import RecordLine
from equipoise.conduct.view.verification import SourceMark
from equipoise.web.commands.tickets import make_ticket

_WORDS: Mapping[str, tuple[Promise, str]] = {
    "verified": (_("verified"), "done"),
    "changed": (_("changed since it was verified"), "due"),
    "unverified": (_("to compare"), ""),
    "unplanned": (_("not planned"), ""),
}
"""What each mark is called, and how it is drawn."""


@dataclass(frozen=True, slots=True)
class Badge:
    """The mark of an answer in words; one that `waits` is to be compared, one that `opens` can be ticked."""

    text: Promise
    style: str
    waits: bool
    opens: bool


@dataclass(frozen=True, slots=True)
class Sent:
    """What the buttons send that verify a filled form: `ticked` and `rest` are their tickets.

    `waiting` counts the answers that the plan asks for and that are not verified, `open` all these are not.
    """

    participant: str
    form: str
    encounter: str
    row: int
    seen: int
    ticked: str
    rest: str
    waiting: int
    open: int


def badge_of(mark: SourceMark | None) -> Badge | None:
    """Return the mark of an answer as it is drawn; None for what was never answered."""
    if mark is None:
        return None
    unplanned = mark.state == "unverified" and not mark.due
    text, style = _WORDS["unplanned" if unplanned else mark.state]
    return Badge(text, style, waits=mark.waits, opens=mark.state != "verified")


def sent_of(participant: str, record: RecordLine) -> Sent:
    """Return what is sent to verify a filled form as it is shown now."""
    marks = record.source.values()
    return Sent(
        participant=participant,
        form=record.form,
        encounter=record.encounter,
        row=record.row,
        seen=record.position,
        ticked=make_ticket(),
        rest=make_ticket(),
        waiting=sum(mark.waits for mark in marks),
        open=sum(mark.state != "verified" for mark in marks),
    )
