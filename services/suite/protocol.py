"""HTTP for patient and impatient clients: a request must arrive in time.

uvicorn waits for ever for the rest of a request. Here a connection on which a request
has begun, or never begins, is closed when its time is over, at the cost of one timer
a request and of nothing for a connection that idles between two requests.
"""

import asyncio

from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

REQUEST_TIMEOUT = 15.0
"""Longest time from the first byte of a request to its last, in seconds."""

_TOO_SLOW = (
    b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
)


class TimeLimitedProtocol(HttpToolsProtocol):
    """uvicorn's protocol with a limit on the time that a request takes to arrive."""

    _timer: asyncio.TimerHandle | None = None

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
        # Blank lines between two requests end uvicorn's wait and begin no request.
        if self._timer is None and self._waits_without_end():
            self._start_timer()

    @override
    def on_message_begin(self) -> None:
        if self._timer is None:
            self._start_timer()
        super().on_message_begin()

    @override
    def on_message_complete(self) -> None:
        self._stop_timer()
        super().on_message_complete()

    def _waits_without_end(self) -> bool:
        is_idle = bool(self.cycle) and self.cycle.response_complete
        return is_idle and self.timeout_keep_alive_task is None

    def _start_timer(self) -> None:
        self._timer = self.loop.call_later(REQUEST_TIMEOUT, self._cut_off)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _cut_off(self) -> None:
        self._timer = None
        has_answered = bool(self.cycle) and self.cycle.response_started
        if not (has_answered or self.transport.is_closing()):
            self.transport.write(_TOO_SLOW)
        self.transport.close()
