"""The rooms put together: every command's decision and every entry kind's effect on the tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import equipoise.allocation.state
import equipoise.capture.decide
import equipoise.capture.state
import equipoise.coding.state
import equipoise.enrolment.decide
import equipoise.enrolment.state
import equipoise.governance.decide
import equipoise.governance.state
import equipoise.imaging.decide
import equipoise.imaging.state
import equipoise.safety.decide
import equipoise.safety.state
import equipoise.supply.decide
import equipoise.supply.state
from equipoise.access.command import Command, Moment
from equipoise.access.refusal import Refusal
from equipoise.ledger.entry import Draft, Entry
from equipoise.ledger.tables import Tables

Decision = Callable[[Any, Moment], tuple[Draft, ...] | Refusal]
Application = Callable[[Tables, Entry], None]

DECIDE: Mapping[type[Command], Decision] = {
    **equipoise.governance.decide.DECIDE,
    **equipoise.enrolment.decide.DECIDE,
    **equipoise.capture.decide.DECIDE,
    **equipoise.safety.decide.DECIDE,
    **equipoise.imaging.decide.DECIDE,
    **equipoise.supply.decide.DECIDE,
}
"""The decision on each command, but those of the rooms that need more: a vault, dictionaries."""


def _collect() -> Mapping[str, Sequence[Application]]:
    applications: dict[str, list[Application]] = defaultdict(list)
    for room in (
        equipoise.governance.state,
        equipoise.enrolment.state,
        equipoise.allocation.state,
        equipoise.capture.state,
        equipoise.coding.state,
        equipoise.safety.state,
        equipoise.imaging.state,
        equipoise.supply.state,
    ):
        for kind, application in room.APPLY.items():
            applications[kind].append(application)
    return dict(applications)


APPLY: Mapping[str, Sequence[Application]] = _collect()
"""What an entry does to the tables; an entry may concern several rooms, in a fixed order."""


def apply_entry(tables: Tables, entry: Entry) -> None:
    """Bring the current-state tables forward by one entry."""
    for change_tables in APPLY[entry.kind]:
        change_tables(tables, entry)
