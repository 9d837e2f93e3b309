"""ODM files for the tests: written from studies and rehearsed trials, and as other systems write theirs."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest
from lxml import etree

from equipoise.access.actor import Actor
from equipoise.definition.model.definition import StudyDefinition
from equipoise.exchange.odm import OdmFile, Snapshot, read_odm, take_snapshot, write_odm
from equipoise.exchange.odm.names import Version
from equipoise.governance.state import GrantRow
from equipoise.rehearsal.rehearse import rehearse
from tests.rehearsal.folders import SCENARIO, load

VERSIONS: tuple[Version, ...] = ("1.3.2", "2.0")
MADE = "2024-05-17T09:30:00Z"
FOREIGN = Path(__file__).with_name("odm_foreign")
EXTERNAL = Path(__file__).resolve().parents[3] / "shared" / "external" / "odm132"


@cache
def bundled_schema(version: str) -> etree.XMLSchema:
    """The schema that odmlib ships; only the files are used: its models of two versions do not mix."""
    spec = find_spec("odmlib")
    assert spec is not None and spec.origin is not None
    name = "ODM1-3-2.xsd" if version == "1.3.2" else "ODM.xsd"
    return etree.XMLSchema(etree.parse(Path(spec.origin).parent / "schemas" / "odm" / version / name))


@cache
def published_schema() -> etree.XMLSchema:
    """The schema of ODM 1.3.2 as its authors publish it."""
    path = EXTERNAL / "ODM1-3-2.xsd"
    if not path.is_file():
        pytest.skip("the published schemas of ODM 1.3.2 are not here")
    return etree.XMLSchema(etree.parse(path))


def assert_valid(content: bytes, *schemas: etree.XMLSchema) -> None:
    tree = etree.fromstring(content)
    for schema in schemas:
        assert schema.validate(tree), [str(error) for error in schema.error_log][:5]


def written(definition: StudyDefinition, version: Version, snapshot: Snapshot | None = None) -> bytes:
    return b"".join(write_odm(definition, version, snapshot, created=None if snapshot else MADE))


def read_back(content: bytes, folder: Path) -> OdmFile:
    path = folder / "file.xml"
    path.write_bytes(content)
    return read_odm(path)


@cache
def snapshot(study: str, role_kind: str, *, history: bool, participants: int = 4) -> Snapshot:
    """A rehearsed trial before it is unblinded, as a role sees it."""
    definition = load(study)
    scenario = SCENARIO.get(study, "hoped")
    trial = rehearse(definition, seed=3, scenario=scenario, participants=participants, unblind=False).trial
    role = next(role.id for role in definition.study.roles if role.kind == role_kind)
    grant = next(row for row in trial.tables.all(GrantRow) if row.role == role)
    return take_snapshot(trial.as_seen_by(Actor(grant.account, role, grant.site or None)), history=history)


def foreign(name: str) -> OdmFile:
    return read_odm(FOREIGN / name)
