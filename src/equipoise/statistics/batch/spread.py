"""Where many tasks are worked on: here, in processes of this machine, or on a cluster of Ray or Dask.

What a task returns depends on the task alone, and results come in the order of the tasks. Whoever adds them
up in that order has the same bits from every backend, on machines whose processors are alike.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, TypeVar

from ..arguments import ArgumentError, check_one_of, check_whole

Backend = Literal["local", "ray", "dask"]
BACKENDS = ("local", "ray", "dask")

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")

_LOOPBACK = "127.0.0.1"
_REACH_SECONDS = 10
_RAY_FINDS_IT = "auto"
# Ray's pool gives no result before all that were handed to it are done: it gets a few for each process.
_WAVE = 4
# The least that Ray takes is 75 MiB; results are small.
_RAY_STORE_BYTES = 100 * 1024**2


class BackendError(Exception):
    """A backend that is not installed, or a cluster that cannot be reached."""

    code = "DESIGN-BACKEND"

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence
        super().__init__(f"{self.code}: {sentence}")


@dataclass(frozen=True, slots=True)
class Workers:
    """What works on tasks: `jobs` processes of a backend of joblib, -1 for all that Dask has."""

    backend: Backend = "local"
    jobs: int = 1
    options: Mapping[str, Any] = field(default_factory=dict)

    def run(self, work: Callable[[_Task], _Result], tasks: Sequence[_Task]) -> Iterator[_Result]:
        """Yield the result of each task, in the order of the tasks; `work` must be found by its name."""
        if self.backend == "local" and self.jobs == 1:
            yield from map(work, tasks)
            return
        import joblib  # noqa: PLC0415  # slow to import

        delayed, waves = joblib.delayed(work), self.backend == "ray"
        with joblib.parallel_config(
            backend="loky" if self.backend == "local" else self.backend, n_jobs=self.jobs, **self.options
        ):
            parallel = joblib.Parallel(return_as="list" if waves else "generator")
        if not waves:
            yield from parallel(map(delayed, tasks))
            return
        with parallel:
            size = _WAVE * self.jobs
            for first in range(0, len(tasks), size):
                yield from parallel(map(delayed, tasks[first : first + size]))


@contextmanager
def open_workers(
    backend: Backend = "local", jobs: int | None = None, address: str | None = None
) -> Iterator[Workers]:
    """Give workers, and let them go at the end, however it comes.

    jobs: processes; not given: one here, and as many as there are processors on a cluster. address: of a
    cluster that runs already, all of which is used; without one a cluster is started on this machine, where
    only this machine reaches it. Raises ArgumentError, and BackendError where Ray or Dask is not installed,
    or the cluster not reached.
    """
    check_one_of("backend", backend, BACKENDS)
    if jobs is not None:
        check_whole("jobs", jobs)
    if address is not None and backend == "local":
        raise ArgumentError("address", address, "given for the backends ray and dask only")
    if address is not None and jobs is not None:
        raise ArgumentError("jobs", jobs, "left out where an address is given: the cluster has its own")
    if backend == "local":
        yield Workers("local", jobs or 1)
    else:
        with (_open_ray if backend == "ray" else _open_dask)(jobs or os.cpu_count() or 1, address) as workers:
            yield workers


@contextmanager
def _open_ray(jobs: int, address: str | None) -> Iterator[Workers]:
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    if address is None:
        # Ray takes a loopback address for the address of the machine, unless there is to be no cluster of
        # several; on Windows and macOS that is so without being said.
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    ray = _find("ray")
    start = partial(ray.init, logging_level="ERROR", log_to_driver=False)
    import_module("ray.util.joblib").register_ray()
    if ray.is_initialized():
        yield Workers("ray", int(ray.cluster_resources()["CPU"]))
    elif address is not None:
        try:
            _reach("ray", address, partial(start, address=address))
            yield Workers("ray", int(ray.cluster_resources()["CPU"]))
        finally:
            ray.shutdown()
    else:
        # Paths of sockets must be short.
        short = "/tmp" if Path("/tmp").is_dir() else None
        with TemporaryDirectory(prefix="ray-", dir=short, ignore_cleanup_errors=True) as folder:
            try:
                start(
                    address="local",
                    num_cpus=jobs,
                    include_dashboard=False,
                    object_store_memory=_RAY_STORE_BYTES,
                    _node_ip_address=_LOOPBACK,
                    _temp_dir=folder,
                )
                yield Workers("ray", jobs)
            finally:
                ray.shutdown()


@contextmanager
def _open_dask(jobs: int, address: str | None) -> Iterator[Workers]:
    distributed = _find("dask")
    client = partial(distributed.Client, set_as_default=False)
    if address is not None:
        with _reach("dask", address, partial(client, address, timeout=_REACH_SECONDS)) as reached:
            yield Workers("dask", -1, {"client": reached})
        return
    with (
        _hushed("tornado.application"),
        distributed.LocalCluster(
            silence_logs=logging.CRITICAL,
            n_workers=jobs,
            threads_per_worker=1,
            processes=True,
            host=_LOOPBACK,
            protocol="tls://",
            security=True,
            # None would take a fixed port for what little is left without a dashboard.
            dashboard_address=f"{_LOOPBACK}:0",
            scheduler_kwargs={"dashboard": False},
        ) as cluster,
        client(cluster) as reached,
    ):
        # A terminal sends Ctrl-C to all of them, but it is meant for this process, which then ends the rest.
        reached.run(_ignore_interrupts)
        yield Workers("dask", -1, {"client": reached})


@contextmanager
def _hushed(name: str) -> Iterator[None]:
    """Keep a logger from telling what breaks off when a cluster is stopped in the middle of its work."""
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)


def _ignore_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _find(backend: str) -> Any:
    try:
        return import_module({"dask": "distributed"}.get(backend, backend))
    except ImportError:
        raise BackendError(
            f"The backend {backend} is not installed. Install it with: pip install 'equipoise[{backend}]'."
        ) from None


def _reach(backend: str, address: str, connect: Callable[[], Any]) -> Any:
    instead = "Name one that runs as HOST:PORT, or none to have one started."
    if address != _RAY_FINDS_IT:
        host, _, port = address.rpartition("://")[2].rpartition(":")
        try:
            # Asked for a cluster where there is nothing, Ray tries for minutes.
            socket.create_connection((host.strip("[]"), int(port)), _REACH_SECONDS).close()
        except (OSError, OverflowError, ValueError) as error:
            raise BackendError(f"There is no cluster at {address}. {instead}") from error
    try:
        return connect()
    except (OSError, RuntimeError, ValueError) as error:
        raise BackendError(
            f"There is no {backend} cluster at {address} that lets this program in: it has another version,"
            f" or asks for a token. {instead}"
        ) from error
