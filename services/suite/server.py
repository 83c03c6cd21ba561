"""Servers: one for each application, all in one process, all stopped by one signal."""

import asyncio
import contextlib
import gc
import signal
import socket
from collections.abc import Iterator, Sequence
from functools import partial
from typing import cast

import uvicorn
import uvloop
from starlette.types import ASGIApp
from typing_extensions import override

from suite.protocol import REQUEST_TIMEOUT, TimeLimitedProtocol

KEEP_ALIVE = 75
"""Seconds for which a connection may idle; longer than nginx keeps its own (60 s)."""

BACKLOG = 2048
"""Connections that may wait to be accepted."""

SHUTDOWN_GRACE = 10
"""Seconds for which requests under way may finish after a signal."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class _Server(uvicorn.Server):
    """uvicorn's server without its own signal handlers, of which only one can win."""

    @override
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 lets the system choose.

    Raises:
        OSError: The address is taken or unknown.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=BACKLOG)


def run(
    apps: Sequence[tuple[ASGIApp, socket.socket]],
    request_timeout: float = REQUEST_TIMEOUT,
) -> None:
    """Serve each application on its socket until SIGINT or SIGTERM.

    Args:
        apps: The applications.
        request_timeout: Longest time for which a request may arrive, in seconds.

    Raises:
        SystemExit: An application did not start; the log says why.
    """
    # What the start has made lives to the end: nobody need look at it as garbage.
    gc.collect()
    gc.freeze()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve_all(apps, request_timeout))


async def _serve_all(
    apps: Sequence[tuple[ASGIApp, socket.socket]], request_timeout: float
) -> None:
    servers = [_server(app, request_timeout) for app, _ in apps]

    def stop() -> None:
        for server in servers:
            server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, stop)
    async with asyncio.TaskGroup() as group:
        for server, (_, bound) in zip(servers, apps, strict=True):
            group.create_task(_serve(server, bound))


async def _serve(server: uvicorn.Server, bound: socket.socket) -> None:
    with bound:
        await server.serve(sockets=[bound])


def _server(app: ASGIApp, request_timeout: float) -> uvicorn.Server:
    return _Server(
        uvicorn.Config(
            app,
            http=_protocol(request_timeout),
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=True,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE,
            timeout_graceful_shutdown=SHUTDOWN_GRACE,
        )
    )


def _protocol(request_timeout: float) -> type[asyncio.Protocol]:
    # uvicorn only calls it, and hands it to other processes.
    limited = partial(TimeLimitedProtocol, request_timeout=request_timeout)
    return cast("type[asyncio.Protocol]", limited)


def run_workers(
    factory: str,
    host: str,
    port: int,
    workers: int,
    request_timeout: float = REQUEST_TIMEOUT,
) -> None:
    """Serve the application that `factory` makes in several processes on one port.

    Args:
        factory: `module:function`.
        host: Address to listen on.
        port: Port to listen on.
        workers: Number of processes; they share nothing.
        request_timeout: Longest time for which a request may arrive, in seconds.
    """
    uvicorn.run(
        factory,
        factory=True,
        host=host,
        port=port,
        workers=workers,
        http=_protocol(request_timeout),
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=SHUTDOWN_GRACE,
    )
