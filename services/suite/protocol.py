"""HTTP for patient and impatient clients: a request must arrive in time.

uvicorn waits for ever for the rest of a request. Here a connection is closed when the
server has waited too long for the client: for its first request, or for the rest of
one. A request that arrives in one piece, as nearly all do, costs no timer; nor does a
connection that idles between two requests, which uvicorn itself closes in the end.

uvicorn takes header fields, trailers and pipelined requests without end, too, and needs
many times their length of memory for them. Here a client that sends more of them than
anybody needs is cut off.
"""

import asyncio
from typing import Any

from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

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
        self._request_timeout = request_timeout
        self._timer: asyncio.TimerHandle | None = None
        self._overhead = 0

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in uvicorn
        super().connection_made(transport)
        self._start_timer()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
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
            if self._timer is not None:
                self._stop_timer()
        elif self._is_too_large():
            self._cut_off(_TOO_LARGE)
        elif self._timer is None:
            self._start_timer()

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

    def _start_timer(self) -> None:
        self._timer = self.loop.call_later(
            self._request_timeout, self._cut_off, _TOO_SLOW
        )

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _cut_off(self, answer: bytes) -> None:
        self._stop_timer()
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
