"""A way between two services on which answers are lost."""

import select
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum, auto
from socketserver import BaseRequestHandler, ThreadingTCPServer
from urllib.parse import urlsplit

from typing_extensions import override

_NO_LINGER = struct.pack("ii", 1, 0)
_PIECE = 1 << 16


class Loss(Enum):
    """What becomes of an answer that is lost."""

    RESET = auto()
    CLOSED = auto()
    SILENCE = auto()


class Relay(ThreadingTCPServer):
    """Hands on what comes, but not the answers that are to be lost.

    Args:
        address: Of the server that answers.
    """

    daemon_threads = True

    def __init__(self, address: str) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        parts = urlsplit(address)
        self.target = parts.hostname, parts.port
        self.losses: list[Loss] = []
        self.connections = 0

    @property
    def base(self) -> str:
        """Its own address."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Connection(BaseRequestHandler):
    """One connection: handed on until one side has enough."""

    server: Relay
    request: socket.socket

    @override
    def handle(self) -> None:
        self.server.connections += 1
        with socket.create_connection(self.server.target) as upstream:
            while self._hand_on(upstream):
                pass

    def _hand_on(self, upstream: socket.socket) -> bool:
        """Hand on what comes next; tell whether more may come."""
        ready, _, _ = select.select([self.request, upstream], [], [])
        source = ready[0]
        piece = source.recv(_PIECE)
        if source is self.request:
            upstream.sendall(piece)
        elif piece and self.server.losses:
            self._lose(self.server.losses.pop(0))
            return False
        else:
            self.request.sendall(piece)
        return bool(piece)

    def _lose(self, loss: Loss) -> None:
        if loss is Loss.SILENCE:
            # Until who asked gives up.
            self.request.recv(1)
        elif loss is Loss.RESET:
            self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
            self.request.close()


@contextmanager
def relay(address: str) -> Iterator[Relay]:
    """Stand before the server at `address`."""
    with Relay(address) as made:
        thread = threading.Thread(
            target=made.serve_forever, kwargs={"poll_interval": 0.02}
        )
        thread.start()
        try:
            yield made
        finally:
            made.shutdown()
            thread.join()
