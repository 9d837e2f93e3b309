"""Writes the draft of a study folder with the record that it began as, and with what it does not hold."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Final

from equipoise.exchange.made import MadeFile, write_folder, yaml_text
from equipoise.exchange.registry.draft import draft_parts
from equipoise.exchange.registry.findings import findings_text
from equipoise.exchange.registry.kept import RECORD_NAME, Loss, losses_of
from equipoise.exchange.registry.model import RegistryRecord
from equipoise.exchange.registry.rules import find_contradictions
from equipoise.exchange.registry.tree import is_whole_file, record_tree, text_of
from equipoise.exchange.registry.write_record import write_json

_SHOWN_CHARACTERS: Final = 160


def draft_files(record: RegistryRecord) -> tuple[MadeFile, ...]:
    """Return the files of a draft: those of a study folder, the record itself, and what is to be looked at.

    `record.json` is the record, as it was or, of a copied page, in the form of the API; a page and a file
    that was cut off lie beside it as they were, in `record.txt`. `losses.json` and `losses.md` say what of
    the record no file of the study folder holds, `findings.json` what contradicts itself,
    `not_understood.json` what the reader has no place for. Raises RecordRefused as `losses_of`.
    """
    findings, losses, text = find_contradictions(record), losses_of(record), "\n".join(record.lines)
    files = {name: yaml_text(tree) for name, tree in draft_parts(record, findings).items()}
    files[RECORD_NAME] = text if is_whole_file(record) else write_json(record_tree(record))
    if not is_whole_file(record):
        files["record.txt"] = text
    files["losses.json"] = _json([asdict(loss) for loss in losses])
    files["losses.md"] = "".join(f"{line}\n" for line in _losses_text(losses))
    files["findings.json"] = findings_text(findings)
    files["not_understood.json"] = _json([asdict(passage) for passage in record.not_understood])
    return tuple(MadeFile(name, content.encode()) for name, content in sorted(files.items()))


def write_draft(record: RegistryRecord, out: Path | str) -> tuple[Path, ...]:
    """Write the files of a draft into a new folder, which appears whole or not at all.

    Raises NotWritten (OUT-EXISTS) when the folder is there and holds anything but this very draft. Returns
    the paths written.
    """
    return write_folder(draft_files(record), Path(out))


def _json(content: object) -> str:
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def _losses_text(losses: Sequence[Loss]) -> Iterator[str]:
    """Yield the lines of the report for a reader: module by module, and why."""
    yield "# What the study folder does not hold of the record"
    yield ""
    if not losses:
        yield "Nothing."
    else:
        yield f"It lies in `{RECORD_NAME}`, and comes back when the record is written again."
    for (module, why, returns), group in groupby(
        losses, key=lambda loss: (_module(loss.path), loss.why, loss.returns)
    ):
        yield from ("", f"## {module}", "", why if returns else f"{why} It does not come back.", "")
        for loss in group:
            value = " ".join(text_of(loss.value).split()) or json.dumps(loss.value)
            cut = value if len(value) <= _SHOWN_CHARACTERS else f"{value[:_SHOWN_CHARACTERS]} ..."
            yield f"- `{loss.path}`: {cut}"


def _module(path: str) -> str:
    section, _, below = path.partition(".")
    return ".".join([section, below.partition(".")[0].partition("[")[0]]) if below else section
