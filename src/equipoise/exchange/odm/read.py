"""Reads an ODM file: the study as the trees of a study folder, and a trial that was written here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lxml import etree

from equipoise.exchange.odm.draft import Draft, Tree
from equipoise.exchange.odm.names import FORM, GENERATED, NAMESPACES, Version
from equipoise.exchange.odm.read_data import DataReader
from equipoise.exchange.odm.read_metadata import read_metadata
from equipoise.exchange.odm.read_protocol import ProtocolReader, add_sites
from equipoise.exchange.odm.read_tables import DataTable, TableReader
from equipoise.exchange.odm.snapshot import Snapshot
from equipoise.exchange.odm.stream import NotUnderstood, Taker, children, parse
from equipoise.exchange.odm.to_parts import draft_of

_ENVELOPE: Final = frozenset(
    {
        *("Archival", "AsOfDateTime", "Context", "CreationDateTime", "Description", "FileOID", "FileType"),
        *(
            "Granularity",
            "ID",
            "ODMVersion",
            "Originator",
            "PriorFileOID",
            "SourceSystem",
            "SourceSystemVersion",
        ),
    }
)

__all__ = ["NotUnderstood", "OdmFile", "read_odm"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OdmFile:
    """What an ODM file says.

    `parts` are the files of a study folder by name, as drafts; `not_understood` is what they do not hold.
    `snapshot` is the trial of a file that was written by this system, None of any other; `tables` are the
    data of `participants` of any other, one for each form.
    """

    version: Version
    parts: Mapping[str, Tree]
    not_understood: tuple[NotUnderstood, ...]
    snapshot: Snapshot | None
    tables: tuple[DataTable, ...] = ()
    participants: int = 0


def read_odm(path: Path) -> OdmFile:
    """Read an ODM file of version 1.1 to 1.3.2 or 2.0.

    Raises FileUnreadable, with the line: XML-... for what is no XML that can be read safely; ODM-ROOT,
    ODM-STUDY, ODM-MISSING, ODM-DUPLICATE, ODM-REFERENCE and ODM-TOO-MANY for metadata that cannot be used;
    ODM-DATA for a trial that is not as it was written.
    """
    reading = _Reading(path)
    root = parse(path, reading.on_subject)
    draft = reading.draft(root)
    trial = reading.data.snapshot(root) if reading.data is not None else None
    tables = reading.tables.tables(draft)
    take = reading.take(root)
    if take.own:
        for data in children(root, "AdminData", "ReferenceData", "ClinicalData"):
            root.remove(data)
        for study in children(root, "Study"):
            # The draft is of the latest version; under the others data were recorded, which are read.
            for version in children(study, "MetaDataVersion")[:-1]:
                study.remove(version)
    _forget_envelope(take, root)
    left = [*dict.fromkeys(draft.notes), *take.left(root), *reading.tables.left()]
    return OdmFile(
        version="2.0" if etree.QName(root).namespace == NAMESPACES["2.0"] else "1.3.2",
        parts=draft.parts,
        not_understood=tuple(sorted(left, key=lambda each: each.line)),
        snapshot=trial,
        tables=tables,
        participants=reading.tables.participants,
    )


def _forget_envelope(take: Taker, root: etree._Element) -> None:
    """Take what a file says of itself, and to which study its data belong."""
    for name in list(root.attrib):
        if str(name) in _ENVELOPE:
            take.attribute(root, str(name))
    for data in root.iter("{*}AdminData", "{*}ReferenceData", "{*}ClinicalData"):
        for name in ("StudyOID", "MetaDataVersionOID"):
            take.attribute(data, name)


class _Reading:
    """The metadata of a file are read when its first participant is met, or else at its end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.data: DataReader | None = None
        self._take: Taker | None = None
        self._draft: Draft | None = None
        self.tables = TableReader()

    def take(self, root: etree._Element) -> Taker:
        if self._take is None:
            self._take = Taker(self.path, root)
        return self._take

    def draft(self, root: etree._Element) -> Draft:
        if self._draft is None:
            take = self.take(root)
            metadata, version = read_metadata(take, root)
            self._draft = draft_of(metadata, file=take.file, own=take.own)
            ProtocolReader(take, version, self._draft).read()
            add_sites(take, root, self._draft)
            self._draft.note_unused()
            if take.own and f"{FORM}{GENERATED}CONSENT" in metadata.groups:
                self.data = DataReader(Taker(self.path, root), metadata)
        return self._draft

    def on_subject(self, subject: etree._Element, root: etree._Element) -> None:
        if self.take(root).own:
            self.draft(root)
        if self.data is not None:
            self.data.add_subject(subject)
            return
        self.tables.add_subject(subject)
