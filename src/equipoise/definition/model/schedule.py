"""schedule.yaml: the encounters with their windows, and what is done at each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from equipoise.definition.model.fields import Identifier, Text

Anchor = Literal["consent", "randomisation", "first_administration"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Encounter:
    """A planned visit (USDM Encounter).

    `day` is the target in days from the anchor (the anchor's own day is 0); the window reaches `early_days`
    before
    it and `late_days` after it, both ends included. One that is `retired` is no longer planned.
    """

    id: Identifier
    name: Text
    epoch: Identifier
    day: int
    early_days: int = 0
    late_days: int = 0
    anchor: Anchor = "randomisation"
    retired: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """Something done at encounters, with the forms that record it (USDM Activity)."""

    id: Identifier
    name: Text
    forms: tuple[Identifier, ...] = ()
    encounters: tuple[Identifier, ...] = ()
    note: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The whole of schedule.yaml; forms of `logs` may be filled at any time, at an encounter or between."""

    encounters: tuple[Encounter, ...]
    activities: tuple[Activity, ...]
    logs: tuple[Identifier, ...] = ()
    unscheduled: tuple[Identifier, ...] = ()

    def encounter(self, encounter_id: str) -> Encounter | None:
        """Return the planned encounter of this name, or None."""
        return next((e for e in self.encounters if e.id == encounter_id), None)

    def forms_at(self, encounter_id: str) -> tuple[str, ...]:
        """Return the forms planned at an encounter, in the order of the activities, each once."""
        found = (f for a in self.activities if encounter_id in a.encounters for f in a.forms)
        return tuple(dict.fromkeys(found))
