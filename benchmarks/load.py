"""Virtual users over HTTP: each sends its next request when the last was answered."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter

_RETRY_SECONDS = 0.2
_BUSY = 503


@dataclass(frozen=True, slots=True)
class Request:
    """One request: what it counts as, and its bytes."""

    kind: str
    content: bytes


@dataclass(slots=True)
class Load:
    """What came of a load: seconds of each answer by kind, statuses by kind, connections that broke."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    broken: int = 0
    duration: float = 0.0

    def rate(self, kind: str) -> float:
        """Answers of a kind per second."""
        return len(self.seconds.get(kind, ())) / self.duration

    def percentile(self, kind: str, share: float) -> float:
        """Seconds that a share of the answers of a kind took at most."""
        times = sorted(self.seconds[kind])
        return times[min(len(times) - 1, int(share * len(times)))]


def make_request(kind: str, method: str, path: str, host: str, cookies: str, body: bytes = b"") -> Request:
    """Write a request out (RFC 9112)."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", f"Cookie: {cookies}"]
    if body:
        lines += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}"]
    return Request(kind, "\r\n".join([*lines, "", ""]).encode() + body)


def run_load(port: int, users: int, seconds: float, next_request: Callable[[int], Request]) -> Load:
    """Let users send requests for a time; a busy server is asked again, with the same request."""
    load = Load()
    asyncio.run(_run(load, port, users, seconds, next_request))
    return load


async def _run(
    load: Load, port: int, users: int, seconds: float, next_request: Callable[[int], Request]
) -> None:
    begun = perf_counter()
    await asyncio.gather(
        *(_user(load, port, number, begun + seconds, next_request) for number in range(users))
    )
    load.duration = perf_counter() - begun


async def _user(
    load: Load, port: int, number: int, end: float, next_request: Callable[[int], Request]
) -> None:
    streams = None
    waiting: Request | None = None
    while waiting is not None or perf_counter() < end:
        request = waiting or next_request(number)
        begun = perf_counter()
        try:
            streams = streams or await asyncio.open_connection("127.0.0.1", port)
            status, keep = await _exchange(streams, request)
        except (OSError, asyncio.IncompleteReadError):
            # The server may close a connection that it kept alive: the same request goes over a new one.
            load.broken += 1
            waiting, streams = request, None
            await asyncio.sleep(_RETRY_SECONDS)
            continue
        load.statuses[request.kind, status] += 1
        waiting = request if status == _BUSY else None
        if status == _BUSY:
            await asyncio.sleep(_RETRY_SECONDS)
        else:
            load.seconds.setdefault(request.kind, []).append(perf_counter() - begun)
        if not keep:
            streams[1].close()
            streams = None
    if streams is not None:
        streams[1].close()


async def _exchange(
    streams: tuple[asyncio.StreamReader, asyncio.StreamWriter], request: Request
) -> tuple[int, bool]:
    reader, writer = streams
    writer.write(request.content)
    await writer.drain()
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = next(line for line in head.split("\r\n") if line.startswith("content-length:"))
    await reader.readexactly(int(length.split(":")[1]))
    return int(head.split(" ", 2)[1]), "connection: close" not in head
