"""What the rooms other than capture share: forms that a command fills in, and days that are over."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from equipoise.access.command import Moment
from equipoise.access.refusal import Refusal
from equipoise.definition.expression import Evidence, PartialDate
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.forms import Form
from equipoise.definition.recording import failing_checks, local_date, read_values, retired_problems


def fill_form(
    definition: StudyDefinition,
    form_id: str | None,
    values: Mapping[str, Any],
    evidence: Evidence | None,
    room: str,
) -> dict[str, Any] | Refusal:
    """Return the stored values of a filled form, or refuse it as a whole.

    Refuses with ROOM-VALUE what cannot be read and with ROOM-CHECK what fails a hard edit check; `room`
    is the prefix of the codes. Without a form there is nothing to fill in.
    """
    form = definition.form(form_id) if form_id else None
    if form is None:
        if not values:
            return {}
        return Refusal(
            f"{room}-VALUE", "The study definition has no form for this step.", "Send no values with it."
        )
    read = read_values(form, values, evidence)
    problems = (*read.problems, *retired_problems(form, read.stored))
    if problems:
        return Refusal(
            f"{room}-VALUE",
            f'The form "{form.title}" cannot be recorded with these answers.',
            "Correct the items that are listed.",
            tuple(problem.sentence for problem in problems),
        )
    hard = [check for check in failing_checks(form, read.stored, evidence) if check.severity == "hard"]
    if hard:
        return Refusal(
            f"{room}-CHECK",
            f'The answers of the form "{form.title}" contradict each other.',
            "Correct the items that the messages name.",
            tuple(check.message for check in hard),
        )
    return dict(read.stored)


def split_unmasking(form: Form | None, stored: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Divide stored values into what masked roles may see and what would betray the allocation."""
    hidden = {item.id for item in form.items if form.unmasking or item.unmasking} if form else set()
    safe = {item: value for item, value in stored.items() if item not in hidden}
    return safe, {item: value for item, value in stored.items() if item in hidden}


def is_unmasking(form: Form | None) -> bool:
    """Tell whether a form has anything that would betray the allocation, whatever was answered."""
    return form is not None and (form.unmasking or any(item.unmasking for item in form.items))


def check_day(moment: Moment, participant: str, day: date, room: str) -> Refusal | None:
    """Refuse, with ROOM-DATE, what is said to have happened on a day that has not begun at the site."""
    if day <= local_date(moment.definition, participant.split("-", maxsplit=1)[0], moment.now):
        return None
    return Refusal(
        f"{room}-DATE", f"The date {day} given for {participant} is in the future.", "Correct the date."
    )


def check_moment(moment: Moment, participant: str, said: str, room: str) -> Refusal | None:
    """Refuse, with ROOM-DATE, a date or date-time, as it is kept, that has not come."""
    if len(said) <= len("2024-05-17"):
        return check_day(moment, participant, PartialDate.parse(said).first, room)
    if datetime.fromisoformat(said) <= moment.now:
        return None
    return Refusal(
        f"{room}-DATE", f"The time {said} given for {participant} is in the future.", "Correct the time."
    )


def check_text(text: str, name: str, room: str) -> Refusal | None:
    """Refuse, with ROOM-TEXT, an explanation that says nothing."""
    if text.strip():
        return None
    return Refusal(f"{room}-TEXT", f"The field {name} is empty.", "Say it in a few words.")
