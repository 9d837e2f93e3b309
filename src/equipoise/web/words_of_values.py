"""Values as people read them, in their language: dates, times, numbers, yes and no, the words of states."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import formats
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

STATES: dict[str, Promise] = {
    "screening": gettext_lazy("in screening"),
    "failed": gettext_lazy("screening failed"),
    "randomised": gettext_lazy("randomised"),
    "withdrawn": gettext_lazy("withdrawn"),
    "completed": gettext_lazy("completed"),
    "planned": gettext_lazy("planned"),
    "due": gettext_lazy("due"),
    "overdue": gettext_lazy("overdue"),
    "missed": gettext_lazy("missed"),
    "done": gettext_lazy("done"),
    "in_window": gettext_lazy("in its window"),
    "early": gettext_lazy("early"),
    "late": gettext_lazy("late"),
    "open": gettext_lazy("open"),
    "answered": gettext_lazy("answered"),
    "closed": gettext_lazy("closed"),
    "active": gettext_lazy("active"),
    "locked": gettext_lazy("locked"),
    "unblinded": gettext_lazy("unblinded"),
    "eligible": gettext_lazy("eligible"),
    "ineligible": gettext_lazy("not eligible"),
    "not_eligible": gettext_lazy("not eligible"),
    "unknown": gettext_lazy("unknown"),
    "received": gettext_lazy("received"),
    "accepted": gettext_lazy("accepted"),
    "refused": gettext_lazy("refused"),
    "disputed": gettext_lazy("readings disagree"),
    "read": gettext_lazy("read"),
    "running": gettext_lazy("running"),
    "submitted": gettext_lazy("sent"),
    "submitted_late": gettext_lazy("sent late"),
    "stopped": gettext_lazy("stopped"),
    "prepared": gettext_lazy("prepared"),
    "given": gettext_lazy("given"),
    "discarded": gettext_lazy("discarded"),
    "collected": gettext_lazy("collected"),
    "made": gettext_lazy("made"),
    "released": gettext_lazy("released"),
    "meddra": gettext_lazy("MedDRA"),
    "whodrug": gettext_lazy("WHODrug"),
    "uncoded": gettext_lazy("not coded"),
    "lapsed": gettext_lazy("changed after it was coded"),
    "coded": gettext_lazy("coded"),
    "same_words": gettext_lazy("the dictionary has the same words"),
    "coded_before": gettext_lazy("the same words were coded so before"),
    "met": gettext_lazy("met"),
    "not_met": gettext_lazy("not met"),
    "recorded": gettext_lazy("recorded"),
    "not_expected": gettext_lazy("not expected"),
    "unscheduled": gettext_lazy("unscheduled"),
    "added": gettext_lazy("added"),
    "removed": gettext_lazy("removed"),
    "changed": gettext_lazy("changed"),
    "retired": gettext_lazy("retired"),
    "treatment": gettext_lazy("treatment"),
    "study": gettext_lazy("study"),
    "consent": gettext_lazy("consent"),
    "audit_trail": gettext_lazy("the audit trail"),
    "access": gettext_lazy("who may come in"),
    "data": gettext_lazy("the data"),
}
"""What a state is called; one that is not here is shown with its underscores as spaces."""


def word_of_state(state: str) -> str:
    """Return the word for a state."""
    return str(STATES.get(state, state.replace("_", " ")))


def text_of(value: Any) -> str:
    """Return a value as a reader sees it; what is not there is an empty text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal | float):
        return formats.localize(value)
    return str(value)


def time_at(text: str | None, zone: ZoneInfo) -> str:
    """Return a recorded time (UTC, ISO 8601) as it was at a place, with its distance from UTC.

    ICH E6(R3) 4.2.2(d): a time must be unambiguous.
    """
    if not text:
        return ""
    local = datetime.fromisoformat(text).astimezone(zone)
    offset = f"{local:%z}"
    distance = "" if offset == "+0000" else f"{offset[:3]}:{offset[3:]}"
    return f"{local:%Y-%m-%d %H:%M} UTC{distance}"
