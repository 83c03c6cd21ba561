"""Answers that are made while they are sent, no faster than they are read."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from http import HTTPStatus
from types import TracebackType
from typing import Final, Self

from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from typing_extensions import override

from anonymizer.context import ShareCounters
from orthanc_share.domain.errors import OrthancShareError
from orthanc_share.domain.octets import Octets
from orthanc_share.web.pieces import SendPieces, pieces_sender

PIECE_MIN: Final = 262_144
"""Least bytes that are sent at once, except at the end: each time the client wakes up,
and has the processor where Orthanc may have work to do."""

PIECES_MAX: Final = 16
"""Most pieces that are sent at once without joining them."""

STALL_MAX: Final = 60.0
"""Longest time for which a client may take nothing, in seconds."""

HEADERS: Final[Mapping[str, str]] = {
    "Cache-Control": "private, no-store",
    "X-Content-Type-Options": "nosniff",
}
"""Header fields of all answers with images or metadata."""

_log = logging.getLogger(__name__)


class StreamedResponse(Response):
    """An answer in pieces. Where a piece cannot be made, the connection is cut.

    Args:
        first: The first piece.
        rest: The others.
        media_type: The field `Content-Type`.
        counters: Of the share; count what was sent.
    """

    def __init__(
        self,
        first: Octets,
        rest: AsyncGenerator[Octets, None],
        media_type: str,
        counters: ShareCounters,
    ) -> None:
        self.status_code = HTTPStatus.OK
        self.background = None
        self.init_headers({**HEADERS, "Content-Type": media_type})
        self._first = first
        self._rest = rest
        self._counters = counters

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send all of it, or as much as there is."""
        start = {
            "type": "http.response.start",
            "status": self.status_code,
            "headers": self.raw_headers,
        }
        await send(start)
        async with aclosing(self._rest):
            try:
                async with _Patience(STALL_MAX) as patience:
                    await self._all(pieces_sender(scope, send), patience)
            except (OrthancShareError, TimeoutError) as error:
                # Without a last piece the server cuts the connection: the client must
                # not take what it has got for the whole.
                code = getattr(error, "code", "client_stalled")
                _log.warning("answer broken off", extra={"code": code})
                return
        await send({"type": "http.response.body"})

    async def _all(self, send: SendPieces, patience: "_Patience") -> None:
        waiting, length = [self._first], len(self._first)
        async for piece in self._rest:
            waiting.append(piece)
            length += len(piece)
            if length >= PIECE_MIN:
                await self._send(send, patience, waiting, length)
                waiting, length = [], 0
        if waiting:
            await self._send(send, patience, waiting, length)

    async def _send(
        self,
        send: SendPieces,
        patience: "_Patience",
        pieces: Sequence[Octets],
        length: int,
    ) -> None:
        if len(pieces) > PIECES_MAX:
            pieces = [b"".join(pieces)]
        patience.begin()
        await send(pieces)
        patience.end()
        # While both sides have room nothing waits, and no other answer had its turn.
        await asyncio.sleep(0)
        self._counters.sent(length)


class _Patience:
    """Gives a block up when one of its steps takes too long.

    There is one timer for all steps; one for each costs as much as sending a piece.

    Args:
        limit: Longest time for a step, in seconds.
    """

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._loop = asyncio.get_running_loop()
        self._timeout = asyncio.timeout(None)
        self._since: float | None = None

    async def __aenter__(self) -> Self:
        await self._timeout.__aenter__()
        self._look()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        await self._timeout.__aexit__(kind, error, trace)

    def begin(self) -> None:
        """Begin a step."""
        self._since = self._loop.time()

    def end(self) -> None:
        """End it."""
        self._since = None

    def _look(self) -> None:
        """Look at the step under way, and again when it can have become too long."""
        now = self._loop.time()
        until = (now if self._since is None else self._since) + self._limit
        if until <= now:
            self._timeout.reschedule(now)
        else:
            self._timer = self._loop.call_at(until, self._look)


async def streamed(
    pieces: AsyncGenerator[Octets, None], media_type: str, counters: ShareCounters
) -> Response:
    """Return an answer once its first piece is there; until then errors are told.

    Args:
        pieces: The body.
        media_type: The field `Content-Type`.
        counters: Of the share.

    Raises:
        OrthancShareError: The first piece could not be made.
    """
    try:
        first = await anext(pieces, b"")
    except BaseException:
        await pieces.aclose()
        raise
    return StreamedResponse(first, pieces, media_type, counters)


def whole(
    body: bytes, media_type: str, counters: ShareCounters, status: int = HTTPStatus.OK
) -> Response:
    """Return an answer whose body is there already."""
    counters.sent(len(body))
    headers = {**HEADERS, "Content-Type": media_type}
    return Response(body, status, headers)
