"""The audit trail, as far as a viewer may see it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any

from equipoise.conduct.trail import AuditLine
from equipoise.conduct.view.scope import Scope
from equipoise.governance.entries import StudyAmended
from equipoise.ledger.blots import BLOT_KINDS, text_at

_WORDS = frozenset({"before", "after", "verbatim", "codes", "terms"})
"""Where an entry about one item tells its value, or what the value is called in a dictionary."""


def list_audit(
    scope: Scope, participant: str | None, after: int | None, limit: int | None, *, newest_first: bool
) -> Iterator[AuditLine]:
    """Iterate over the audit trail, of one participant or of all."""
    page = scope.trail.page(participant, after, newest_first=newest_first)
    lines = (shown_line(scope, line) for line in page if sees(scope, line))
    return islice(lines, limit)


def sees(scope: Scope, line: AuditLine) -> bool:
    """Whether a line is for the viewer; that a text was blotted out is for those who see the text."""
    if line.kind not in BLOT_KINDS:
        return scope.sees_line(line)
    target, path = scope.trail.at(line.content["position"]), line.content["path"]
    if not (scope.sees_line(line) and scope.sees_line(target)):
        return False
    shown = _without_hidden(scope, target)
    return text_at(shown.reason, shown.content, path) is not None


def shown_line(scope: Scope, line: AuditLine) -> AuditLine:
    """Return a line with what the viewer may see of it, and of what was blotted out of it."""
    blots = scope.trail.blots_of(line.position)
    if blots:
        line = replace(line, blotted_by=tuple(each for each in blots if sees(scope, scope.trail.at(each))))
    return _without_hidden(scope, line)


def _without_hidden(scope: Scope, line: AuditLine) -> AuditLine:
    if line.kind == StudyAmended.kind:
        # The whole of a definition is too long for a line; its hash is there.
        content = {name: value for name, value in line.content.items() if name != "canonical"}
        return replace(line, content=content)
    # An item may have been recorded before the definition marked it as unmasking.
    form = line.content.get("form")
    if not scope.hides_unmasking or not isinstance(form, str):
        return line
    return replace(line, content=_shown(scope, form, line.content))


def _shown(scope: Scope, form: str, content: Mapping[str, Any]) -> Mapping[str, Any]:
    values = content.get("item_values")
    if values is not None:
        return {**content, "item_values": scope.shown_values(form, values)}
    if not _WORDS & content.keys() or scope.shown_values(form, {str(content.get("item")): None}):
        return content
    return {name: value for name, value in content.items() if name not in _WORDS}
