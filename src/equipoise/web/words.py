"""The study's own texts in the reader's language, as far as the definition gives them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from equipoise.conduct.view.lines import DueLine
from equipoise.definition.languages import in_language
from equipoise.definition.model.definition import StudyDefinition
from equipoise.web.request import ClinicRequest

_translated: dict[tuple[str, str], tuple[StudyDefinition, StudyDefinition]] = {}


def in_words_of(definition: StudyDefinition, language: str | None) -> StudyDefinition:
    """Return the definition with its texts in a language, else in the folder's own; made once per process.

    It is for reading only: entries are made under the definition itself.
    """
    key = definition.hash, language or definition.study.language
    found = _translated.get(key)
    # Under one hash a version may hide more than it did.
    if found is None or found[0] is not definition:
        found = _translated[key] = definition, in_language(definition, key[1])
    return found[1]


def due_by(request: ClinicRequest, day: date) -> tuple[DueLine, ...]:
    """Return the encounters that are due on a day or overdue, under the names that the reader knows."""
    names = {each.id: each.name for each in request.definition.schedule.encounters}
    return tuple(replace(each, name=names.get(each.encounter, each.name)) for each in request.seen.due(day))
