"""HTTP for patient and impatient clients: a request must arrive in time.

uvicorn waits for ever for the rest of a request. Here a connection is closed when the
server has waited too long for the client: for its first request, or for the rest of
one. A request that arrives in one piece, as nearly all do, costs no timer; nor does a
connection that idles between two requests, which uvicorn itself closes in the end.
"""

import asyncio
from typing import Any

from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

REQUEST_TIMEOUT = 15.0
"""Longest time from the first byte of a request to its last, in seconds."""

_TOO_SLOW = (
    b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
)


class TimeLimitedProtocol(HttpToolsProtocol):
    """uvicorn's protocol with a limit on the time that a request takes to arrive.

    Args:
        request_timeout: The limit, in seconds.
        arguments: Those of uvicorn.
    """

    def __init__(
        self, *, request_timeout: float = REQUEST_TIMEOUT, **arguments: Any
    ) -> None:
        super().__init__(**arguments)
        self._request_timeout = request_timeout
        self._timer: asyncio.TimerHandle | None = None

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
        super().data_received(data)
        if self._is_our_turn():
            if self._timer is not None:
                self._stop_timer()
        elif self._timer is None:
            self._start_timer()

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

    def _start_timer(self) -> None:
        self._timer = self.loop.call_later(self._request_timeout, self._cut_off)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _cut_off(self) -> None:
        self._timer = None
        if self.transport.is_closing():
            return
        if self._may_answer():
            self.transport.write(_TOO_SLOW)
        self.transport.close()

    def _may_answer(self) -> bool:
        """Tell whether the next bytes would be the answer to the slow request."""
        cycle = self.cycle
        if cycle is None:
            return True
        if cycle.scope is self.scope:
            return not (cycle.response_started or self.pipeline)
        return cycle.response_complete
