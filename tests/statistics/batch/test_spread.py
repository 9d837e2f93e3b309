"""Tasks on backends: what is refused, and results in the order of the tasks. Clusters: tests/cli."""

from __future__ import annotations

import socket
import sys
from types import SimpleNamespace

import pytest

from equipoise.statistics.arguments import ArgumentError
from equipoise.statistics.batch.spread import BackendError, Workers, open_workers

NOWHERE = "127.0.0.1:9"


def test_here_a_task_is_done_when_its_result_is_asked_for() -> None:
    done: list[int] = []

    def work(task: int) -> int:
        done.append(task)
        return -task

    with open_workers() as workers:
        assert workers == Workers("local", 1)
        results = workers.run(work, [3, 1, 2])
        assert next(results) == -3
        assert done == [3]
        assert list(results) == [-1, -2]


@pytest.mark.parametrize(("backend", "module"), [("ray", "ray"), ("dask", "distributed")])
def test_a_backend_that_is_not_installed_is_named_with_what_to_install(
    backend: str, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with (
        pytest.raises(BackendError, match=rf"Install it with: pip install 'equipoise\[{backend}\]'"),
        open_workers(backend),  # type: ignore[arg-type]  # both are allowed
    ):
        pass


@pytest.mark.parametrize("address", [NOWHERE, f"tcp://{NOWHERE}", "[::1]:9", "nowhere", "127.0.0.1:99999"])
def test_a_cluster_that_is_not_there_is_named(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", SimpleNamespace(Client=dict))
    with pytest.raises(BackendError) as refused, open_workers("dask", address=address):
        pass
    assert refused.value.code == "DESIGN-BACKEND"
    assert address in refused.value.sentence


def test_something_else_at_the_address_is_no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(address: str, **_: object) -> None:
        raise OSError(address)

    monkeypatch.setitem(sys.modules, "distributed", SimpleNamespace(Client=connect))
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        with (
            pytest.raises(BackendError, match=f"There is no dask cluster at {address} that lets this"),
            open_workers("dask", address=address),
        ):
            pass


@pytest.mark.parametrize(
    ("given", "argument"),
    [
        ({"backend": "spark"}, "backend"),
        ({"jobs": 0}, "jobs"),
        ({"address": NOWHERE}, "address"),
        ({"backend": "dask", "address": NOWHERE, "jobs": 2}, "jobs"),
    ],
)
def test_impossible_workers_are_named(given: dict[str, object], argument: str) -> None:
    with pytest.raises(ArgumentError) as refused, open_workers(**given):  # type: ignore[arg-type]
        pass
    assert refused.value.argument == argument
