"""What follows in one room from what happened in another, in the same transaction."""

from __future__ import annotations

from equipoise.access.command import Moment
from equipoise.capture.state import RecordRow
from equipoise.definition.recording import RowEvidence
from equipoise.ledger.entry import Draft
from equipoise.safety.decide import derive_event


def derive_reactions(moment: Moment) -> tuple[Draft, ...]:
    """Return what follows from the changes of the tables in this transaction: judgements of adverse
    events.
    """
    safety = moment.definition.safety
    form = moment.definition.form(safety.form) if safety else None
    if form is None:
        return ()
    drafts: list[Draft] = []
    for change in moment.tables.changes():
        row = change.after
        if not isinstance(row, RecordRow) or row.form != form.id:
            continue
        evidence = None
        if not row.removed:
            base = moment.evidence(row.participant, moment.now.date())
            evidence = RowEvidence(
                form, row.item_values, base, encounter=row.encounter or None, row=row.row, dated=row.dated
            )
        drafts += derive_event(moment, row.participant, row.row, evidence)
    return tuple(drafts)
