"""The entrance: tells a page from a file of the API and reads either."""

from __future__ import annotations

from pathlib import Path

from equipoise.exchange.registry.model import RegistryRecord
from equipoise.exchange.registry.read_json import read_json
from equipoise.exchange.registry.read_page import read_page
from equipoise.exchange.registry.source import Source, read_source


def read_record(path: Path | str) -> RegistryRecord:
    """Read a registry record: the text of a copied study page, or a study of ClinicalTrials.gov's API v2 as
    JSON.

    Raises RecordUnreadable with a stable code: REC-MISSING, REC-EMPTY, REC-TOO-LARGE, REC-BINARY, REC-
    ENCODING, REC-JSON, REC-TOO-DEEP or REC-NOT-A-RECORD. A record that was cut off is read as far as it goes.
    """
    return read_text(read_source(Path(path)))


def read_text(source: Source) -> RegistryRecord:
    """Read a registry record from its decoded text; raises RecordUnreadable as `read_record` does."""
    if source.text.lstrip().startswith(("{", "[")):
        return read_json(source)
    return read_page(source)
