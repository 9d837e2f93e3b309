"""Source verification: which answers were compared with their source, and still are as they were then."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Literal

from equipoise.access.command import Moment
from equipoise.access.filling import is_unmasking
from equipoise.access.refusal import Refusal
from equipoise.capture.commands import VerifySource
from equipoise.capture.entries import SourceVerified, UnmaskingSourceVerified
from equipoise.capture.forms import (
    check_items_open_to,
    check_open_to,
    check_record,
    find_record,
    is_masked,
    unknown_form,
)
from equipoise.capture.state import RecordRow, visible_values
from equipoise.definition.model.forms import Form, Item
from equipoise.ledger.entry import Draft

Mark = Literal["verified", "changed", "unverified"]
"""What is known of an answer: changed is what was entered anew, or taken away, after it was verified."""


def mark_of(row: RecordRow, item: str) -> Mark:
    """Return the mark of an item that was answered in a row, now or before."""
    verified = row.verified.get(item)
    if verified is None:
        return "unverified"
    return "verified" if verified > row.entered[item]["position"] else "changed"


def decide_verify_source(command: VerifySource, moment: Moment) -> tuple[Draft, ...] | Refusal:
    """Mark answers as compared with their source; entering one anew takes its mark away, and no other."""
    form = moment.definition.form(command.form)
    if form is None:
        return unknown_form(command.form)
    row = find_record(moment.tables, form, command.participant, command.encounter, command.row)
    refusal = check_open_to(form, None, moment) or check_items_open_to(form, command.items, moment)
    refusal = refusal or check_record(row, form, command.participant)
    if row is None or refusal is not None:
        return refusal or unknown_form(command.form)
    refusal = check_answered(form, row, command.items)
    answered = [item for item in form.items if item.id in _open_items(row, moment)]
    wanted = [item for item in answered if item.id in command.items or not command.items]
    left = [item for item in wanted if mark_of(row, item.id) != "verified"]
    if not command.items:
        left = [item for item in left if form.to_verify(item)]
    refusal = refusal or check_left(form, row, left)
    whole = not command.items and form.source_verification == "all"
    refusal = refusal or check_looked_at(form, row, answered if whole else left, command.seen)
    if refusal is not None:
        return refusal
    return tuple(_draft_whole(form, row, moment) if whole else _draft_items(form, row, left))


def _open_items(row: RecordRow, moment: Moment) -> Collection[str]:
    return visible_values(moment.definition, row.form, row.entered, masked=is_masked(moment))


def _draft_whole(form: Form, row: RecordRow, moment: Moment) -> Iterator[Draft]:
    """An entry for each part of the form that the actor sees, whatever was answered in it."""
    if not form.unmasking:
        yield _draft(SourceVerified, row, ())
    if is_unmasking(form) and not is_masked(moment):
        yield _draft(UnmaskingSourceVerified, row, ())


def _draft_items(form: Form, row: RecordRow, items: Collection[Item]) -> Iterator[Draft]:
    for kind, unmasking in ((SourceVerified, False), (UnmaskingSourceVerified, True)):
        part = tuple(item.id for item in items if (form.unmasking or item.unmasking) == unmasking)
        if part:
            yield _draft(kind, row, part)


def _draft(kind: type[SourceVerified], row: RecordRow, items: tuple[str, ...]) -> Draft:
    return kind(
        participant=row.participant, form=row.form, encounter=row.encounter, row=row.row, items=items
    ).draft()


# -- one check for each rule


def check_answered(form: Form, row: RecordRow, items: Collection[str]) -> Refusal | None:
    """Only what was answered, now or before, is compared with its source."""
    blank = tuple(item.id for item in form.items if item.id in items and item.id not in row.entered)
    if not blank:
        return None
    return Refusal(
        "CAP-UNANSWERED",
        f"The form {form.id} of {row.participant} has no answer to: {', '.join(blank)}.",
        "Ask the site with a query if there should be one.",
        blank,
    )


def check_left(form: Form, row: RecordRow, left: Collection[Item]) -> Refusal | None:
    """Something is there that was not verified as it stands."""
    if left:
        return None
    return Refusal(
        "CAP-VERIFIED",
        f"Of what you would verify in the form {form.id} of {row.participant} nothing is left.",
        "Nothing needs to be done; what the plan does not ask for is verified by the names of its items.",
    )


def check_looked_at(form: Form, row: RecordRow, items: Collection[Item], seen: int | None) -> Refusal | None:
    """Whoever verifies has looked at each of the answers as it stands."""
    newer = tuple(item.id for item in items if seen is not None and row.entered[item.id]["position"] > seen)
    if not newer:
        return None
    return Refusal(
        "CAP-CHANGED",
        f"The form {form.id} of {row.participant} was changed since you looked at it: {', '.join(newer)}.",
        "Look at it again, and compare with the source what was changed.",
        newer,
    )
