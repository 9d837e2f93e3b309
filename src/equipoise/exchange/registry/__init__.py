"""Registry records: read, searched for contradictions, drafted into a study folder, and written.

What writes results is in `write_results` alone: it loads the whole analysis.
"""

from equipoise.exchange.registry.compare import Change, compare_records, comparison_json, comparison_text
from equipoise.exchange.registry.draft import draft_parts
from equipoise.exchange.registry.draft_values import draft_values
from equipoise.exchange.registry.findings import Finding, Place, write_findings
from equipoise.exchange.registry.kept import (
    Loss,
    RecordRefused,
    folder_record,
    holds_record,
    losses_of,
    written_again,
)
from equipoise.exchange.registry.model import Passage, RegistryRecord, placed_passages
from equipoise.exchange.registry.page_html import record_html
from equipoise.exchange.registry.read import read_record
from equipoise.exchange.registry.rules import find_contradictions
from equipoise.exchange.registry.source import RecordUnreadable
from equipoise.exchange.registry.tree import record_tree
from equipoise.exchange.registry.write_draft import draft_files, write_draft
from equipoise.exchange.registry.write_page import registry_page
from equipoise.exchange.registry.write_record import registry_record, write_json

__all__ = [
    "Change",
    "Finding",
    "Loss",
    "Passage",
    "Place",
    "RecordRefused",
    "RecordUnreadable",
    "RegistryRecord",
    "compare_records",
    "comparison_json",
    "comparison_text",
    "draft_files",
    "draft_parts",
    "draft_values",
    "find_contradictions",
    "folder_record",
    "holds_record",
    "losses_of",
    "placed_passages",
    "read_record",
    "record_html",
    "record_tree",
    "registry_page",
    "registry_record",
    "write_draft",
    "write_findings",
    "write_json",
    "written_again",
]
