"""Before any test: Django is set up once per process (the clinic's settings hold the store's too), and the
marker for requirements is known.
"""

import os
import sys
import threading
from collections.abc import Generator
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


MEASURED = frozenset(("access", "allocation", "definition", "ledger"))
"""The folders of tests whose coverage is measured: what is gated is covered by the tests that are about it.

To measure it elsewhere would double the time that the tests take.
"""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Measure no coverage, where any is measured, while a test of another folder is set up and run."""
    folder = item.path.relative_to(Path(__file__).parent).parts[0]
    if folder in MEASURED or not item.config.pluginmanager.has_plugin("_cov"):
        return (yield)
    # Not by pytest-cov's own means: in a process of pytest-xdist it starts two measurements and stops one.
    measure, measure_threads = sys.gettrace(), threading.gettrace()
    sys.settrace(None)
    threading.settrace(None)
    try:
        return (yield)
    finally:
        threading.settrace(measure_threads)
        sys.settrace(measure)
