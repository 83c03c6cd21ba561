"""Real HTTP servers on free ports, with the suite's own protocol."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from socket import socket

import uvicorn
from starlette.types import ASGIApp
from typing_extensions import override

from suite.protocol import TimeLimitedProtocol
from suite.server import bind

HOST = "127.0.0.1"
"""Servers of tests listen on loopback only."""

STARTED_WITHIN = 20.0
"""Seconds after which a server that has not started is a failure."""


class _Server(uvicorn.Server):
    """uvicorn's server that says when it has started, and stops when it is told to."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up_or_over = threading.Event()
        self._stopping = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    @override
    async def startup(self, sockets: list[socket] | None = None) -> None:
        await super().startup(sockets)
        self._loop = asyncio.get_running_loop()
        self.is_up_or_over.set()

    @override
    async def main_loop(self) -> None:
        # uvicorn's own looks ten times a second whether it should stop.
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), timeout=1)

    def stop(self) -> None:
        """Tell the server to stop, from another thread."""
        self.should_exit = True
        if self._loop is not None:
            with suppress(RuntimeError):  # it has stopped
                self._loop.call_soon_threadsafe(self._stopping.set)

    def run_until_stopped(self, bound: socket) -> None:
        # uvicorn exits when the application does not start.
        with suppress(SystemExit):
            self.run(sockets=[bound])
        self.is_up_or_over.set()


@contextmanager
def serve(app: ASGIApp, bound: socket | None = None) -> Iterator[str]:
    """Serve `app` in a thread; give its address without a final slash.

    The lifespan runs. At the end all connections are closed and the thread is gone.

    Args:
        app: The application.
        bound: A listening socket, for an application that must know its own address.

    Raises:
        RuntimeError: The application did not start.
    """
    config = uvicorn.Config(
        app,
        http=TimeLimitedProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=2,
    )
    server = _Server(config)
    with bound or bind(HOST, 0) as opened:
        thread = threading.Thread(target=server.run_until_stopped, args=(opened,))
        thread.start()
        try:
            server.is_up_or_over.wait(STARTED_WITHIN)
            if not server.started:
                raise RuntimeError("The application did not start.")
            yield f"http://{HOST}:{opened.getsockname()[1]}"
        finally:
            server.stop()
            thread.join()
