"""The words of the forms that are to be coded, and what of it is open: where capture and coding meet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from equipoise.capture.state import RecordRow
from equipoise.coding.state import CodingStatus, Verbatim, coding_of, dictionary_in_use, status_of
from equipoise.definition.coded import Coding, Level
from equipoise.definition.coding import coded_items
from equipoise.definition.expression import FormRow
from equipoise.definition.model.definition import StudyDefinition
from equipoise.governance.state import TrialRow
from equipoise.ledger.tables import Tables


def read_verbatims(
    definition: StudyDefinition, tables: Tables, participant: str | None = None
) -> Iterator[Verbatim]:
    """Iterate over the words that are to be coded, of one participant or of all, by participant and place.

    What was struck out, or not answered, is not there.
    """
    coded = [(form.id, item.id, name) for form, item, name in coded_items(definition)]
    if not coded:
        return
    rows = tables.all(RecordRow) if participant is None else tables.where(RecordRow, participant=participant)
    for row in rows:
        if row.removed:
            continue
        for form, item, name in coded:
            words = row.item_values.get(item) if row.form == form else None
            if isinstance(words, str) and words.strip():
                yield Verbatim(
                    participant=row.participant,
                    form=row.form,
                    encounter=row.encounter,
                    row=row.row,
                    item=item,
                    dictionary=name,
                    text=words,
                )


def uncoded(definition: StudyDefinition, tables: Tables) -> Iterator[tuple[Verbatim, CodingStatus]]:
    """Iterate over the words that are not coded as they stand, although they could be.

    A rehearsal has no licence for a dictionary and goes without, as long as none is added.
    """
    trial = next(tables.all(TrialRow), None)
    is_live = trial is not None and trial.mode == "live"
    for verbatim in read_verbatims(definition, tables):
        if is_live or dictionary_in_use(tables, verbatim.dictionary) is not None:
            status = status_of(verbatim, coding_of(tables, verbatim))
            if status != "coded":
                yield verbatim, status


def with_codings(tables: Tables, definition: StudyDefinition, participant: str, row: FormRow) -> FormRow:
    """Return a row of a participant with what its words are called in a dictionary, where that holds."""
    form = definition.form(row.form)
    found = {}
    for item in form.items if form else ():
        seen = row.values.get(item.id)
        if item.coded_with is None or seen is None or not isinstance(seen.value, str):
            continue
        words = Verbatim(
            participant=participant,
            form=row.form,
            encounter=row.encounter or "",
            row=row.row or 0,
            item=item.id,
            dictionary=item.coded_with,
            text=seen.value,
        )
        coding = coding_of(tables, words)
        if coding is not None and status_of(words, coding) == "coded":
            steps = zip(coding.levels, coding.codes, coding.terms, strict=True)
            found[item.id] = Coding(coding.dictionary, coding.version, tuple(Level(*each) for each in steps))
    return replace(row, codings=found) if found else row
