"""Clients that send a byte a second, and clients that send nothing."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from benchmarks.servers import Server

PAUSE = 1.0
"""Seconds between two bytes of a slow client."""

EXPECTED = b"HTTP/1.1 408 "
"""How the answer to a slow client begins, if it gets one."""


@dataclass
class SlowClients:
    """What became of clients that send a request byte by byte.

    Args:
        count: How many there are.
        seconds: For each that was cut off: after how long.
        answered: How many of these were told so with 408.
        wrong: How many got another answer.
    """

    count: int
    seconds: list[float] = field(default_factory=list)
    answered: int = 0
    wrong: int = 0

    @property
    def cut_off(self) -> int:
        """How many were cut off."""
        return len(self.seconds)


async def _dribble(server: Server, request: bytes, at_once: int) -> tuple[float, bytes]:
    """Send a request slowly until the server has enough; return when, and its answer.

    Args:
        server: The server.
        request: The request.
        at_once: How many bytes of it are sent at once before the slow ones.
    """
    loop = asyncio.get_running_loop()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    began = loop.time()
    reading = asyncio.ensure_future(reader.read())
    writer.write(request[:at_once])
    for number in range(at_once, len(request)):
        done, _ = await asyncio.wait([reading], timeout=PAUSE)
        if done:
            break
        writer.write(request[number : number + 1])
    try:
        return loop.time() - began, await reading
    except ConnectionError:
        return loop.time() - began, b""
    finally:
        writer.close()


async def _all(server: Server, requests: Sequence[bytes], clients: SlowClients) -> None:
    async def one(number: int) -> None:
        request = requests[number % len(requests)]
        # Every other client is slow from the first byte, the rest only in the body.
        at_once = request.index(b"\r\n\r\n") + 8 if number // len(requests) % 2 else 0
        seconds, answer = await _dribble(server, request, at_once)
        clients.seconds.append(seconds)
        if answer.startswith(EXPECTED):
            clients.answered += 1
        elif answer:
            clients.wrong += 1

    async with asyncio.TaskGroup() as group:
        for number in range(clients.count):
            group.create_task(one(number))


@contextmanager
def slow_clients(
    server: Server, requests: Sequence[bytes], count: int
) -> Iterator[SlowClients]:
    """Let clients begin slow requests; wait at the end until all were cut off.

    Args:
        server: The server.
        requests: What they begin to send, in turn.
        count: How many there are.
    """
    clients = SlowClients(count)
    thread = threading.Thread(
        target=asyncio.run, args=(_all(server, requests, clients),)
    )
    thread.start()
    try:
        yield clients
    finally:
        thread.join()


async def _hold(
    server: Server,
    request: bytes,
    count: int,
    held: threading.Event,
    stop: asyncio.Event,
) -> None:
    writers = []
    for _ in range(count):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(request)
        await reader.readuntil(b"}")
        writers.append(writer)
    held.set()
    await stop.wait()
    for writer in writers:
        writer.close()


@contextmanager
def idle_connections(server: Server, request: bytes, count: int) -> Iterator[None]:
    """Hold connections that have had one answer each and say nothing more.

    Args:
        server: The server.
        request: What each asks first; the answer ends with the first `}`.
        count: How many there are.
    """
    held, stop, loops = threading.Event(), asyncio.Event(), []

    async def run() -> None:
        loops.append(asyncio.get_running_loop())
        await _hold(server, request, count, held, stop)

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    held.wait(60)
    try:
        yield
    finally:
        loops[0].call_soon_threadsafe(stop.set)
        thread.join()
