"""A finding, its places, and the file of findings."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from equipoise.exchange.registry.model import Passage, RegistryRecord
from equipoise.exchange.registry.texts import Claim

# The severities of all findings. What the registry's reviewers call a major issue, which is to be corrected
# before a record is posted, is an error (it is so) or a warning (a reader must judge); an advisory is a note.
ERROR, WARNING, NOTE = "error", "warning", "note"
MAJOR_COMMENT, ADVISORY_COMMENT = "major", "advisory"
_QUOTE_CHARACTERS_MAX: Final = 160
_BASIC_PLANE_END: Final = 0x10000
_ESCAPES: Final = {
    '"': r'\\"',
    "\\": r"\\\\",
    "/": r"\\?/",
    "\n": r"\\n",
    "\r": r"\\r",
    "\t": r"\\t",
    "\b": r"\\b",
    "\f": r"\\f",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a finding stands: the `quote` is an exact piece of the file's text at that 1-based line."""

    section: str
    line: int
    quote: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong in a record: its stable code, its severity (error, warning or note), a message that ends
    with what to do, and all the places it quotes.
    """

    code: str
    severity: str
    message: str
    places: tuple[Place, ...]

    @property
    def comment(self) -> str:
        """What a reviewer of the registry would call it: major or advisory."""
        return ADVISORY_COMMENT if self.severity == NOTE else MAJOR_COMMENT

    @property
    def sentence(self) -> str:
        """The message without its last sentence: what is wrong."""
        return self.message.rpartition(". ")[0] + "."

    @property
    def remedy(self) -> str:
        """The last sentence of the message: what to do."""
        return self.message.rpartition(". ")[2]


def write_findings(findings: Sequence[Finding], path: Path | str) -> None:
    """Write findings as a JSON list of code, severity, message and places."""
    Path(path).write_text(findings_text(findings), encoding="utf-8")


def findings_text(findings: Sequence[Finding]) -> str:
    """Return findings as the text of a file: a JSON list of code, severity, message and places."""
    return json.dumps([asdict(finding) for finding in findings], ensure_ascii=False, indent=2) + "\n"


def place_of(record: RegistryRecord, what: Passage | Claim) -> Place:
    """Quote a passage, or the span of a claim, as the file writes it."""
    passage = what if isinstance(what, Passage) else what.passage
    words = passage.text if isinstance(what, Passage) else passage.text[what.start : what.end]
    words = words.strip()[:_QUOTE_CHARACTERS_MAX]
    line = record.lines[passage.line - 1]
    if words in line:
        return Place(passage.section, passage.line, words)
    # The API's files write some characters as escapes; the quotation is what stands in the file.
    found = re.search("".join(_as_written(character) for character in words), line)
    return Place(passage.section, passage.line, found[0] if found else line.strip()[:_QUOTE_CHARACTERS_MAX])


def _as_written(character: str) -> str:
    code = ord(character)
    if code >= _BASIC_PLANE_END:
        high, low = divmod(code - _BASIC_PLANE_END, 0x400)
        unicode = rf"\\u(?i:{0xD800 + high:04x})\\u(?i:{0xDC00 + low:04x})"
    else:
        unicode = rf"\\u(?i:{code:04x})"
    plain = _ESCAPES.get(character) or re.escape(character)
    return f"(?:{plain}|{unicode})"


def places_of(record: RegistryRecord, items: Iterable[Passage | Claim | None]) -> tuple[Place, ...]:
    """Quote several, each place once, in the order given."""
    return tuple(dict.fromkeys(place_of(record, item) for item in items if item is not None))
