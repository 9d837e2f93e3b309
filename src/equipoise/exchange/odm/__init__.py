"""ODM-XML of CDISC, versions 1.3.2 and 2.0: studies and trials both ways, foreign forms read in."""

from equipoise.exchange.odm.read import NotUnderstood, OdmFile, read_odm
from equipoise.exchange.odm.snapshot import Snapshot, cut_of, snapshot_of
from equipoise.exchange.odm.take import take_snapshot
from equipoise.exchange.odm.write import write_odm

__all__ = [
    "NotUnderstood",
    "OdmFile",
    "Snapshot",
    "cut_of",
    "read_odm",
    "snapshot_of",
    "take_snapshot",
    "write_odm",
]
