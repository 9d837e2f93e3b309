"""The versions of a trial's study definition, and which of them holds where.

Who acts for a site works under the version that its approvals cover (ICH E6(R3) 4.3.5); who acts across the
trial, under the latest, in which everything that was ever asked can be read.
"""

from __future__ import annotations

from equipoise.definition.lock import definition_from_json
from equipoise.definition.model.definition import StudyDefinition
from equipoise.governance.entries import StudyAmended
from equipoise.governance.state import SiteRow, trial_of
from equipoise.ledger.entry import Entry
from equipoise.ledger.tables import Tables


class Versions:
    """The definition that a trial was opened under, and those that its ledger brought in."""

    def __init__(self, first: StudyDefinition) -> None:
        self._first = first
        self._known = {first.hash: first}

    def learn(self, entry: Entry) -> None:
        """Take in the definition that an entry brings, if it brings one."""
        if entry.kind == StudyAmended.kind and entry.content["definition"] not in self._known:
            definition = definition_from_json(StudyAmended.of(entry).canonical.encode())
            self._known[definition.hash] = definition

    def latest(self, tables: Tables) -> StudyDefinition:
        """Return the version that the trial has now; before it is opened, the first."""
        trial = trial_of(tables)
        return self._first if trial is None else self._known.get(trial.definition, self._first)

    def at(self, tables: Tables, site: str | None) -> StudyDefinition:
        """Return the version that holds at a site; the latest where there is none, or it is not activated."""
        row = tables.get(SiteRow, site) if site else None
        found = self._known.get(row.definition) if row else None
        return found or self.latest(tables)

    def of(self, digest: str) -> StudyDefinition | None:
        """Return the version with a hash, or None."""
        return self._known.get(digest)
