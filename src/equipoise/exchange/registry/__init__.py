"""Registry records: read, searched for contradictions, drafted into a study folder, and written.

What writes results is in `write_results` alone: it loads the whole analysis.
"""

from equipoise.exchange.registry.draft import DraftRefused, write_draft
from equipoise.exchange.registry.draft_values import draft_values
from equipoise.exchange.registry.findings import Finding, Place, write_findings
from equipoise.exchange.registry.model import Passage, RegistryRecord, placed_passages
from equipoise.exchange.registry.read import read_record
from equipoise.exchange.registry.rules import find_contradictions
from equipoise.exchange.registry.source import RecordUnreadable
from equipoise.exchange.registry.write_page import registry_page
from equipoise.exchange.registry.write_record import registry_record, write_json

__all__ = [
    "DraftRefused",
    "Finding",
    "Passage",
    "Place",
    "RecordUnreadable",
    "RegistryRecord",
    "draft_values",
    "find_contradictions",
    "placed_passages",
    "read_record",
    "registry_page",
    "registry_record",
    "write_draft",
    "write_findings",
    "write_json",
]
