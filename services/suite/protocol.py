"""HTTP for patient and impatient clients: a request must arrive in time.

uvicorn waits for ever for the rest of a request. Here a connection is closed when the
server has waited too long for the client: for its first request, or for the rest of
one. All connections of a server share the timers for that, and those that close them
when they idle between two requests: uvicorn's own timers, one for each answer, cost
more than the decision that the answer holds.

uvicorn takes header fields, trailers and pipelined requests without end, too, and needs
many times their length of memory for them. Here a client that sends more of them than
anybody needs is cut off.

What the application can answer without waiting for anything is answered here, as soon
as the request has arrived (`suite.immediate`).
"""

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple, cast
from weakref import WeakKeyDictionary

from starlette.types import Scope
from typing_extensions import override
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import (
    HttpToolsProtocol,
    RequestResponseCycle,
)
from uvicorn.server import ServerState

from orthanc_share.web.json_body import JSON_LIMIT
from suite.deadlines import Deadlines
from suite.immediate import ResponseHead, posts_at_once
from suite.pieces import offer_pieces

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
        config: As in uvicorn.
        server_state: As in uvicorn.
        app_state: As in uvicorn.
        _loop: As in uvicorn.
        request_timeout: The limit in time, in seconds.
    """

    cycle: RequestResponseCycle | None  # type: ignore[assignment] # None at first

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        request_timeout: float = REQUEST_TIMEOUT,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._waits = _waits_of(
            server_state, self.loop, request_timeout, self.timeout_keep_alive
        )
        self._overhead = 0
        self._posts_at_once = posts_at_once(self.app)
        self._answer: Callable[[Scope, bytes], bytes | None] | None = None
        self._body: list[bytes] = []
        self._body_length = 0
        self._is_at_rest = False

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in uvicorn
        super().connection_made(transport)
        self._waits.requests.add(self)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._waits.requests.discard(self)
        self._waits.idle.discard(self)
        super().connection_lost(exc)

    @override
    def data_received(self, data: bytes) -> None:
        if len(data) > PIECE:
            self._receive_in_pieces(data)
            return
        self._waits.idle.discard(self)
        self._overhead += len(data)
        super().data_received(data)
        if self._body_length > JSON_LIMIT:
            self._go_the_usual_way()
        self._hand_on_body()
        if len(self.pipeline) > PIPELINE_MAX:
            self.transport.close()
        elif self._is_at_rest or self._is_our_turn():
            self._waits.requests.discard(self)
        elif self._is_too_large():
            self._cut_off(_TOO_LARGE)
        else:
            self._waits.requests.add(self)

    @override
    def on_response_complete(self) -> None:
        if self.pipeline or self.transport.is_closing():
            super().on_response_complete()
            return
        # As in uvicorn, but without a timer for each answer.
        self.server_state.total_requests += 1
        self.flow.resume_reading()
        self._waits.idle.add(self)

    def _receive_in_pieces(self, data: bytes) -> None:
        for start in range(0, len(data), PIECE):
            if self.transport.is_closing():
                return
            self.data_received(data[start : start + PIECE])

    @override
    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._overhead = 0
        self._is_at_rest = False

    @override
    def on_headers_complete(self) -> None:
        answer = self._posts_at_once.get(self.url)
        if answer is None or not self._may_answer_at_once():
            self._begin_cycle()
            return
        self._answer = answer

    @override
    def on_body(self, body: bytes) -> None:
        self._overhead -= len(body)
        # Joined later: uvicorn copies the whole body for each chunk of one byte.
        self._body.append(body)
        self._body_length += len(body)

    @override
    def on_message_complete(self) -> None:
        if self._answered_at_once():
            return
        self._go_the_usual_way()
        self._hand_on_body()
        super().on_message_complete()

    @override
    def shutdown(self) -> None:
        # uvicorn waits for requests that it knows.
        self._go_the_usual_way()
        super().shutdown()

    def _may_answer_at_once(self) -> bool:
        parser, cycle = self.parser, self.cycle
        return (
            (cycle is None or cycle.response_complete)
            and parser.get_method() == b"POST"
            and parser.get_http_version() == "1.1"
            and not self.expect_100_continue
            and not self.flow.write_paused
            and not parser.should_upgrade()
        )

    def _answered_at_once(self) -> bool:
        if self._answer is None or self._body_length > JSON_LIMIT:
            return False
        question = b"".join(self._body)
        content = self._answer(self.scope, question)  # type: ignore[arg-type] # a typed dictionary
        if content is None:
            return False
        self._answer = None
        self._forget_body()
        head = self._waits.head.before_length(self.server_state.default_headers)
        keep_alive = self.parser.should_keep_alive()
        end = b"\r\n\r\n" if keep_alive else b"\r\nconnection: close\r\n\r\n"
        length = b"%d" % len(content)
        self.transport.write(b"".join((head, length, end, content)))
        self.server_state.total_requests += 1
        if keep_alive:
            self._is_at_rest = True
            self._waits.idle.add(self)
        else:
            # The parser passes over requests behind the last one of a connection.
            self.transport.close()
        return True

    def _go_the_usual_way(self) -> None:
        """Let the application answer a question, if it is not doing so already."""
        if self._answer is not None:
            self._answer = None
            self._begin_cycle()

    def _begin_cycle(self) -> None:
        super().on_headers_complete()
        # There is one now: requests for WebSockets, which get none, are not taken.
        offer_pieces(cast("RequestResponseCycle", self.cycle))

    def _hand_on_body(self) -> None:
        """Give the application what has arrived of a body."""
        if self._body and self._answer is None:
            super().on_body(b"".join(self._body))
            self._forget_body()

    def _forget_body(self) -> None:
        self._body, self._body_length = [], 0

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

    def request_timeout_handler(self) -> None:
        """End the connection: the time for its request is over."""
        self._cut_off(_TOO_SLOW)

    def _cut_off(self, answer: bytes) -> None:
        self._waits.requests.discard(self)
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


class _Waits(NamedTuple):
    """Whom a server waits for.

    Args:
        requests: Connections that owe a request, or the rest of one.
        idle: Connections between two requests.
        head: The beginning of the answers at once.
    """

    requests: Deadlines[TimeLimitedProtocol]
    idle: Deadlines[TimeLimitedProtocol]
    head: ResponseHead


_waits: WeakKeyDictionary[ServerState, _Waits] = WeakKeyDictionary()


def _waits_of(
    server: ServerState,
    loop: asyncio.AbstractEventLoop,
    request_timeout: float,
    idle_timeout: float,
) -> _Waits:
    """Return the waits of a server, whose connections all have the same limits."""
    found = _waits.get(server)
    if found is None:
        protocol = TimeLimitedProtocol
        found = _waits[server] = _Waits(
            Deadlines(loop, request_timeout, protocol.request_timeout_handler),
            Deadlines(loop, idle_timeout, protocol.timeout_keep_alive_handler),
            ResponseHead(),
        )
    return found
