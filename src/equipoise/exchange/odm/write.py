"""Writes a study, alone or with a trial of it, as one ODM file, piece by piece."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence

from lxml import etree

from equipoise.definition.model.definition import StudyDefinition
from equipoise.exchange.odm.from_definition import metadata_of
from equipoise.exchange.odm.names import NAMESPACES, SYSTEM, Version, escaped
from equipoise.exchange.odm.snapshot import Progress, Snapshot
from equipoise.exchange.odm.write_data import SubjectWriter, admin_element, reference_element
from equipoise.exchange.odm.write_metadata import study_element


def write_odm(
    definition: StudyDefinition,
    version: Version,
    snapshot: Snapshot | None = None,
    *,
    created: str | None = None,
    earlier: Sequence[StudyDefinition] = (),
    progress: Progress = lambda done, planned: None,
) -> Iterator[bytes]:
    """Yield the pieces of an ODM file, UTF-8: a study's metadata, and with a snapshot all data of the trial.

    `earlier` are the versions of the study before this one, the first of them first; each has its own
    metadata, and the data that were recorded under it. What is of a version that is not there is of this one.
    `created` is the moment that the file names as that of its making, ISO 8601 in UTC; with a snapshot it is
    that of the last entry, unless given. The same study and snapshot make the same bytes. Raises ValueError
    without either. `progress` is told of each participant that is written, in each version.
    """
    moment = created or (None if snapshot is None else snapshot.recorded_at)
    if moment is None:
        raise ValueError("the metadata of a study alone need the moment of the file's making")
    data = snapshot is not None
    definitions = (*earlier, definition)
    days_only = snapshot is not None and snapshot.days_only
    versions = [metadata_of(each, with_data=data, days_only=days_only) for each in definitions]
    metadata = versions[-1]
    position = "" if snapshot is None else f".{snapshot.position}"
    attributes = {
        "FileType": "Transactional" if snapshot is not None and snapshot.history else "Snapshot",
        "Granularity": "All" if data else "Metadata",
        "FileOID": f"{definition.study.id}.{definition.study.version}{position}",
        "CreationDateTime": moment,
        "AsOfDateTime": moment if snapshot is None else snapshot.recorded_at,
        "ODMVersion": version,
        "SourceSystem": SYSTEM,
        "SourceSystemVersion": definition.hash or "unlocked",
    }
    sink = io.BytesIO()
    with etree.xmlfile(sink, encoding="UTF-8") as file:
        file.write_declaration()
        namespace = NAMESPACES[version]
        with file.element(f"{{{namespace}}}ODM", attributes, nsmap={None: namespace}):
            file.write(study_element(definitions, versions, version), pretty_print=True)
            admin = admin_element(definition, snapshot, versions, version, moment[:10])
            file.write(admin, pretty_print=True)
            if snapshot is not None:
                file.write(reference_element(snapshot, metadata, version), pretty_print=True)
                hashes = [each.hash for each in earlier]
                writer = SubjectWriter(definition, snapshot, metadata, version, hashes)
                for at, (held, each) in enumerate(zip(definitions, versions, strict=True)):
                    keys = {"StudyOID": escaped(each.study), "MetaDataVersionOID": escaped(each.oid)}
                    with file.element(f"{{{namespace}}}ClinicalData", keys):
                        for number, person in enumerate(snapshot.people, start=at * len(snapshot.people) + 1):
                            latest = held is definition
                            subject = writer.element(person) if latest else writer.earlier(person, held.hash)
                            progress(number, len(versions) * len(snapshot.people))
                            if subject is not None:
                                file.write(subject, pretty_print=True)
                                file.flush()
                                yield sink.getvalue()
                                sink.seek(0)
                                sink.truncate()
    yield sink.getvalue()
