"""HTTP for patient and impatient clients: a request must arrive in time.

uvicorn waits for ever for the rest of a request. Here a connection is closed when the
server has waited too long for the client: for its first request, or for the rest of
one. A request that arrives in one piece, as nearly all do, costs no timer; nor does a
connection that idles between two requests, which uvicorn itself closes in the end; and
all connections that are waited for share one.

uvicorn takes header fields, trailers and pipelined requests without end, too, and needs
many times their length of memory for them. Here a client that sends more of them than
anybody needs is cut off.
"""

import asyncio
from typing import Any
from weakref import WeakKeyDictionary

from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

REQUEST_TIMEOUT = 15.0
"""Longest time from the first byte of a request to its last, in seconds."""

FIELDS_MAX = 100
"""Most header fields and trailers of a request that does not arrive in one piece."""

OVERHEAD_MAX = 262_144
"""Most bytes of a request besides its body: request line, header, chunks, trailers.

nginx lets 128 KB of them through by default.
"""

PIPELINE_MAX = 100
"""Most requests of a connection that may wait while one is answered."""

PIECE = 65_536
"""Bytes that are parsed at once: between two pieces the limits are looked at."""

_END = b"content-length: 0\r\nconnection: close\r\n\r\n"
_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\n" + _END
_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\n" + _END


class TimeLimitedProtocol(HttpToolsProtocol):
    """uvicorn's protocol with limits on how long and how large a request may be.

    Args:
        request_timeout: The limit in time, in seconds.
        arguments: Those of uvicorn.
    """

    def __init__(
        self, *, request_timeout: float = REQUEST_TIMEOUT, **arguments: Any
    ) -> None:
        super().__init__(**arguments)
        self._deadlines = _deadlines_of(self.server_state, self.loop, request_timeout)
        self._overhead = 0

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in uvicorn
        super().connection_made(transport)
        self._deadlines.add(self)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._deadlines.discard(self)
        super().connection_lost(exc)

    @override
    def data_received(self, data: bytes) -> None:
        if len(data) > PIECE:
            self._receive_in_pieces(data)
            return
        self._overhead += len(data)
        super().data_received(data)
        if len(self.pipeline) > PIPELINE_MAX:
            self.transport.close()
        elif self._is_our_turn():
            self._deadlines.discard(self)
        elif self._is_too_large():
            self._cut_off(_TOO_LARGE)
        else:
            self._deadlines.add(self)

    def _receive_in_pieces(self, data: bytes) -> None:
        for start in range(0, len(data), PIECE):
            if self.transport.is_closing():
                return
            self.data_received(data[start : start + PIECE])

    @override
    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._overhead = 0

    @override
    def on_body(self, body: bytes) -> None:
        self._overhead -= len(body)
        super().on_body(body)

    def _is_our_turn(self) -> bool:
        """Tell whether the newest request has arrived and waits for its answer.

        While its header is on the way, `cycle` still belongs to the one before it.
        """
        cycle = self.cycle
        return (
            cycle is not None
            and cycle.scope is self.scope
            and not cycle.more_body
            and not cycle.response_complete
        )

    def _is_too_large(self) -> bool:
        # Before the first request there is no list yet.
        return self._overhead > OVERHEAD_MAX or len(self.headers or ()) > FIELDS_MAX

    def too_slow(self) -> None:
        """End the connection: the time for its request is over."""
        self._cut_off(_TOO_SLOW)

    def _cut_off(self, answer: bytes) -> None:
        self._deadlines.discard(self)
        if self.transport.is_closing():
            return
        if self._may_answer():
            self.transport.write(answer)
        self.transport.close()

    def _may_answer(self) -> bool:
        """Tell whether the next bytes would be the answer to the slow request."""
        cycle = self.cycle
        if cycle is None:
            return True
        if cycle.scope is self.scope:
            return not (cycle.response_started or self.pipeline)
        return cycle.response_complete


class _Deadlines:
    """The connections of a server that are waited for, with one timer for all.

    All may take equally long, so that the order in which they came is that in which
    their time is over.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, limit: float) -> None:
        self._loop = loop
        self._limit = limit
        self._ends: dict[TimeLimitedProtocol, float] = {}
        self._has_timer = False

    def add(self, connection: TimeLimitedProtocol) -> None:
        """Wait for a connection, unless it is waited for already."""
        if connection in self._ends:
            return
        self._ends[connection] = self._loop.time() + self._limit
        if not self._has_timer:
            self._start_timer(self._limit)

    def discard(self, connection: TimeLimitedProtocol) -> None:
        """Wait for a connection no longer."""
        # The timer goes on: it is cheaper to let it find nothing than to stop it.
        self._ends.pop(connection, None)

    def _start_timer(self, seconds: float) -> None:
        self._has_timer = True
        self._loop.call_later(seconds, self._end_those_due)

    def _end_those_due(self) -> None:
        self._has_timer = False
        now = self._loop.time()
        for connection in [one for one, end in self._ends.items() if end <= now]:
            connection.too_slow()
        for end in self._ends.values():
            self._start_timer(end - now)
            return


_all_deadlines: WeakKeyDictionary[ServerState, _Deadlines] = WeakKeyDictionary()


def _deadlines_of(
    server: ServerState, loop: asyncio.AbstractEventLoop, limit: float
) -> _Deadlines:
    """Return the deadlines of a server, whose connections all have the same limit."""
    found = _all_deadlines.get(server)
    if found is None:
        found = _all_deadlines[server] = _Deadlines(loop, limit)
    return found
