"""The menu: the pages that somebody starts from, in the order of a day's work."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

MENU: tuple[tuple[str, Promise], ...] = (
    ("home", _("Today")),
    ("participants", _("Participants")),
    ("events", _("Adverse events")),
    ("queries", _("Queries")),
    ("coding", _("Coding")),
    ("reading", _("Reading")),
    ("scans", _("Scans")),
    ("laboratory", _("Laboratory")),
    ("safety", _("Safety")),
    ("data", _("Data")),
    ("monitoring", _("Monitoring")),
    ("board", _("Board")),
    ("statistics", _("Statistics")),
    ("sites", _("Sites")),
    ("people", _("People")),
    ("governance", _("Governance")),
    ("audit", _("Audit trail")),
    ("reviews", _("Reviews")),
    ("exports", _("Exports")),
    ("copies", _("Copies")),
    ("study", _("Study")),
)
"""The name of a route, and its title; a route that the role may not come to is left out."""

OF_THE_TRIAL = frozenset({"sites", "people", "governance", "audit", "reviews", "exports", "copies", "study"})
"""What is about the trial as a whole, and not about a day's work in it."""

TOGETHER = _("The trial")
"""What these are called where they stand together."""

IN_BAR_MAX = 9
"""Of more entries than these, those of the trial stand together: else the bar takes two lines."""
