"""Every command that a person gives: its class, its address, its words, and what its fields are called."""

from __future__ import annotations

import re
from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

import equipoise.allocation.commands
import equipoise.coding.commands
import equipoise.conduct.rooms  # noqa: F401  # brings the commands of all other rooms
from equipoise.access.command import Command
from equipoise.access.permissions import PERMITTED
from equipoise.web.commands.texts import TEXTS, CommandText

_NOT_ON_PAGES = frozenset({"OpenTrial", "AmendStudy", "AddDictionary"})
"""A trial is opened before there is a clinic; what amends it, and dictionaries, are files beside it."""


def _slug(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


_classes = {each.__name__: each for each in Command.__subclasses__()}

COMMANDS: Mapping[str, type[Command]] = {
    name: _classes[name] for name in PERMITTED if name not in _NOT_ON_PAGES
}
"""Every command that a person gives, by its name."""

SLUGS: Mapping[str, str] = {name: _slug(name) for name in COMMANDS}
"""What each is called in addresses."""

CATALOGUE: Mapping[str, CommandText] = {name: TEXTS[name] for name in COMMANDS}
"""The words of each."""

FIELD_LABELS: Mapping[str, Promise] = {
    "account": _("Account"),
    "acquired_on": _("Day of the scan"),
    "approved_on": _("Approved on"),
    "assessed_on": _("Day that the criteria are assessed for"),
    "assessment": _("How it was judged"),
    "cause": _("Cause"),
    "clock": _("Report"),
    "code": _("Code"),
    "collected_on": _("Day of collection"),
    "completed_on": _("Last day in the trial"),
    "consent_version": _("Version of the consent form"),
    "consented_on": _("Day of consent"),
    "contact": _("How to reach them"),
    "destination": _("Given to"),
    "dictionary": _("Dictionary"),
    "encounter": _("Encounter"),
    "expected": _("Expected, by the reference safety information"),
    "findings": _("Findings"),
    "failed_on": _("Day of the failure"),
    "form": _("Form"),
    "given_on": _("Day of administration"),
    "how": _("How it happened"),
    "item": _("Item"),
    "items": _("Items"),
    "lot": _("Lot"),
    "meaning": _("Meaning of the signature"),
    "name": _("Name"),
    "narrowed": _("Filter"),
    "next_due": _("Next due"),
    "participant": _("Participant"),
    "path": _("Text"),
    "position": _("Entry"),
    "prepared_on": _("Day of preparation"),
    "product": _("Product"),
    "query": _("Query"),
    "randomised_on": _("Day of randomisation"),
    "recorded_on": _("Day of the record"),
    "related": _("Related to what was given"),
    "released_on": _("Day of release"),
    "rescreened_on": _("First day of the new screening"),
    "reviewed": _("Reviewed"),
    "reviewed_through": _("Up to entry"),
    "role": _("Role"),
    "row": _("Row"),
    "scan": _("Scan"),
    "scope": _("Scope"),
    "site": _("Site"),
    "study_version": _("Version of the study"),
    "submitted_at": _("Sent at"),
    "task": _("Task"),
    "text": _("Text"),
    "through": _("Complete up to"),
    "took_place_on": _("Day of the encounter"),
    "unit": _("Unit"),
    "values": _("Answers"),
    "verbatim": _("Words of the site"),
    "who": _("Who learned it"),
    "withdrawn_on": _("Day of the withdrawal"),
    "seen": _("Seen up to"),
}
"""What a command's fields are called."""
