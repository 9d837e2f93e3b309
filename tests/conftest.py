"""Before any test: Django is set up once per process (the clinic's settings hold the store's too), and the
marker for requirements is known.
"""

import gc
import os
import sys
import threading
from collections.abc import Callable, Generator
from functools import cache
from pathlib import Path

import pytest
import typer.testing

from equipoise.conduct.clock import read_system_clock
from equipoise.definition import source
from equipoise.definition.findings import Finding
from equipoise.store.sqlite_backend import base as sqlite
from equipoise.web.settings import set_up_clinic
from tests.traceability import MARK_WORDS, Results, find_marked

set_up_clinic(
    secret_key="only for tests, where nothing is secret and nobody comes in",
    hosts=("testserver", "localhost"),
)

# The runner builds all commands anew for each that it runs, which takes longer than most of them do.
typer.testing._get_command = cache(typer.testing._get_command)  # type: ignore[attr-defined]

DURABLE = sqlite._PRAGMAS
# Processes are killed in the tests, and no machine is: what is lost with the power need not be on the disk.
sqlite._PRAGMAS = tuple(each.replace("FULL", "OFF") for each in DURABLE)  # type: ignore[assignment]


def _composed_once(
    compose: Callable[[source._Reader, str], source._Tree],
) -> Callable[[source._Reader, str], source._Tree]:
    """Keep what a file of a study folder holds, by its name and its text; what cannot be read is read anew.

    The folders that the tests read are a few, or differ from one of those in a file: nearly all that is
    parsed was parsed before, and to parse takes longer than all else that loading does.
    """
    known: dict[tuple[str, str], tuple[source._Tree, tuple[Finding, ...]]] = {}

    def composed(reader: source._Reader, text: str) -> source._Tree:
        place = reader.name, text
        if place not in known:
            tree = compose(reader, text)
            known[place] = tree, tuple(reader.findings)
            return tree
        tree, findings = known[place]
        reader.findings += findings
        return tree

    return composed


source._Reader.compose = _composed_once(source._Reader.compose)  # type: ignore[method-assign,assignment]


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


FIRST = (
    "statistics/batch/test_simulation.py",
    "browser/test_accessibility.py",
    "web/blinding/test_arm_swap_web.py",
    "browser/test_story.py",
    "blinding/test_arm_swap.py",
    "web/test_routes.py",
    "web/test_headers.py",
    "web/test_api_schema.py",
    "statistics/test_double_r.py",
)
"""What compiles, before all that uses what is compiled; and the longest, or one process would wait for it."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long; everything else stays in its order."""
    places = {Path(__file__).parent / name: place for place, name in enumerate(FIRST)}
    items.sort(key=lambda item: places.get(item.path, len(FIRST)))


def pytest_collection_finish() -> None:
    """Have the garbage collector leave alone what stays: modules, and some thousands of tests."""
    gc.collect()
    gc.freeze()


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
