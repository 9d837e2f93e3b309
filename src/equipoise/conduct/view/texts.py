"""The free texts of an entry, as far as a viewer may see them: what can be blotted out of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from equipoise.access.content import KINDS
from equipoise.conduct.trail import AuditLine
from equipoise.conduct.view.audit import sees, shown_line
from equipoise.conduct.view.scope import Scope
from equipoise.definition.model.definition import StudyDefinition
from equipoise.ledger.blots import BLOT_KINDS, MARK, REASON, content_path, words_of
from equipoise.ledger.entry import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class TextLine:
    """A free text of an entry; `field` is what it is called there, the item where it answers one.

    `copies` are the other entries about the same participant in which the same text stands.
    """

    position: int
    path: str
    field: str
    text: str
    words: tuple[str, ...]
    copies: tuple[int, ...]


def list_texts(scope: Scope, position: int) -> tuple[TextLine, ...]:
    """List the free texts of an entry that the viewer sees and that can be blotted out of it."""
    line = _find_line(scope, position)
    if line is None:
        return ()
    return tuple(
        TextLine(
            position=position,
            path=path,
            field=path.rpartition(".")[2],
            text=text,
            words=words_of(text),
            copies=tuple(sorted({at for at, _ in copies_of(scope, line, text)} - {position})),
        )
        for path, text in texts_of(scope.definition, line)
    )


def find_text(scope: Scope, position: int, path: str) -> tuple[AuditLine, str] | None:
    """Return a free text with the line that it stands in, or None where the viewer sees no such thing."""
    line = _find_line(scope, position)
    text = dict(texts_of(scope.definition, line)).get(path) if line is not None else None
    return None if line is None or text is None else (line, text)


def copies_of(scope: Scope, line: AuditLine, text: str) -> Iterator[tuple[int, str]]:
    """Iterate over where the viewer sees the same text, that of the line included: positions and paths.

    They are the entries about the same participant or scan, and those of the same moment: a correction
    keeps what stood before it, and a coding the words that it is for.
    """
    subject = _subject(line)
    for other in scope.trail.page(None, None, newest_first=False):
        if other.recorded_at != line.recorded_at and (subject is None or _subject(other) != subject):
            continue
        if sees(scope, other):
            found = texts_of(scope.definition, shown_line(scope, other))
            yield from ((other.position, path) for path, same in found if same == text)


def has_text(definition: StudyDefinition, line: AuditLine) -> bool:
    """Whether there is anything in a line that can be blotted out."""
    return next(texts_of(definition, line), None) is not None


def is_free_text(definition: StudyDefinition, entry: Entry, path: str) -> bool:
    """Whether there is free text at a path of an entry, or was before it was blotted out."""
    return path in dict(_free_texts(definition, entry))


def texts_of(definition: StudyDefinition, line: AuditLine) -> Iterator[tuple[str, str]]:
    """Iterate over the paths and texts of what people wrote freely in an entry, and nothing else of it."""
    return ((path, text) for path, text in _free_texts(definition, line) if text != MARK)


def _free_texts(definition: StudyDefinition, line: AuditLine | Entry) -> Iterator[tuple[str, str]]:
    if line.kind in BLOT_KINDS:
        return
    kind, said = KINDS[line.kind], line.content
    found: list[tuple[str, Any]] = [(REASON, line.reason)]
    found += [(content_path(name), said.get(name)) for name in kind.texts]
    for name in kind.answers:
        answers = said.get(name)
        if isinstance(answers, Mapping):
            free = (item for item in answers if _is_free(definition, said, item))
            found += [(content_path(name, item), answers[item]) for item in free]
        elif _is_free(definition, said, str(said.get("item"))):
            found.append((content_path(name), answers))
    yield from ((path, text) for path, text in found if isinstance(text, str) and text)


def _is_free(definition: StudyDefinition, said: Mapping[str, Any], item_id: str) -> bool:
    """Whether an item is answered with free text; where an entry names no form, in every form that has it."""
    named = definition.form(str(said["form"])) if "form" in said else None
    forms = definition.forms if "form" not in said else (named,)
    found = [form.item(item_id) for form in forms if form is not None]
    types = {item.type for item in found if item is not None}
    return types == {"text"}


def _find_line(scope: Scope, position: int) -> AuditLine | None:
    if not 0 < position <= scope.trail.position or not sees(scope, scope.trail.at(position)):
        return None
    return shown_line(scope, scope.trail.at(position))


def _subject(line: AuditLine) -> object:
    return line.content.get("participant") or line.content.get("scan")
