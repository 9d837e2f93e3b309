"""Before any test: Django is set up once per process (the clinic's settings hold the store's too), and the
marker for requirements is known.
"""

import os
from pathlib import Path

import pytest

from equipoise.conduct.clock import read_system_clock
from equipoise.web.settings import set_up_clinic
from tests.traceability import MARK_WORDS, Results, find_marked

set_up_clinic(
    secret_key="only for tests, where nothing is secret and nobody comes in",
    hosts=("testserver", "localhost"),
)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker and, where EQUIPOISE_TRACEABILITY names a file, what writes the results there."""
    config.addinivalue_line("markers", MARK_WORDS)
    place = os.environ.get("EQUIPOISE_TRACEABILITY")
    is_worker = hasattr(config, "workerinput")
    if place and not is_worker:
        plugin = Results(Path(place).absolute(), read_system_clock, find_marked())
        config.pluginmanager.register(plugin, "equipoise-traceability")
