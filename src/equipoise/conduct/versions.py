"""The versions of a trial's study definition, and which of them holds where.

Who acts for a site works under the version that its approvals cover (ICH E6(R3) 4.3.5); who acts across the
trial, under the latest, in which everything that was ever asked can be read. What the latest hides from
masked roles is hidden under every version: that waits for no approval.
"""

from __future__ import annotations

from dataclasses import replace

from equipoise.definition.amendments import Change, compare_versions
from equipoise.definition.lock import definition_from_json
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.forms import Form
from equipoise.governance.entries import StudyAmended
from equipoise.governance.state import SiteRow, trial_of
from equipoise.ledger.entry import Entry
from equipoise.ledger.tables import Tables


class Versions:
    """The definition that a trial was opened under, and those that its ledger brought in."""

    def __init__(self, first: StudyDefinition) -> None:
        self._first = first
        self._known = {first.hash: first}
        self._hiding: dict[tuple[str, str], StudyDefinition] = {}
        self._changes: dict[tuple[str, str], tuple[Change, ...]] = {}

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
        """Return the version that holds at a site, with what the latest hides hidden, under its own hash.

        Where there is no site, or it is not activated, it is the latest.
        """
        latest = self.latest(tables)
        row = tables.get(SiteRow, site) if site else None
        held = self._known.get(row.definition, latest) if row else latest
        if held is latest:
            return latest
        pair = held.hash, latest.hash
        if pair not in self._hiding:
            self._hiding[pair] = _hide_as(held, latest)
        return self._hiding[pair]

    def of(self, digest: str) -> StudyDefinition | None:
        """Return the version with a hash as it was brought in, or None."""
        return self._known.get(digest)

    def changes(self, before: str, after: str) -> tuple[Change, ...]:
        """List what differs between two versions, by their hashes; nothing where one is not known."""
        old, new = self.of(before), self.of(after)
        if old is None or new is None:
            return ()
        if (before, after) not in self._changes:
            self._changes[before, after] = compare_versions(old, new)
        return self._changes[before, after]


def _hide_as(held: StudyDefinition, latest: StudyDefinition) -> StudyDefinition:
    """Return a version in which everything would unmask that would under the latest."""
    forms = tuple(_hide_form(form, latest.form(form.id) or form) for form in held.forms)
    return held if forms == held.forms else replace(held, forms=forms)


def _hide_form(form: Form, latest: Form) -> Form:
    hidden = {item.id for item in latest.items if item.unmasking}
    items = tuple(
        replace(item, unmasking=True) if item.id in hidden and not item.unmasking else item
        for item in form.items
    )
    return replace(form, items=items, unmasking=form.unmasking or latest.unmasking)
