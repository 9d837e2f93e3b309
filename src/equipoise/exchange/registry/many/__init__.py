"""Many registry records at once: folders, archives and dumps, checked in parallel and in bounded memory."""

from equipoise.exchange.registry.many.run import Progress, Summary, check_many
from equipoise.exchange.registry.many.sources import Raw, files_of, holds_many, records_in
from equipoise.exchange.registry.many.tables import write_parquet

__all__ = [
    "Progress",
    "Raw",
    "Summary",
    "check_many",
    "files_of",
    "holds_many",
    "records_in",
    "write_parquet",
]
