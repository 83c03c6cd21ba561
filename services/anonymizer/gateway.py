"""The way in: route, token, share, answer; whatever is not foreseen is 404."""

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocketClose

from anonymizer.access import Doorkeeper, token_of
from anonymizer.context import Contexts, ShareContext
from anonymizer.route import Handler, RouteSpec, RouteTable
from orthanc_share.domain.errors import (
    OrthancShareError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from orthanc_share.web.middleware import PATH_LOGGED
from orthanc_share.web.problems import RETRY_AFTER, RequestError, problem, problem_of

UNKNOWN_PATH: Final = "(unknown)"
"""What the log shows of a path that is in no route: it may name a patient."""

_log = logging.getLogger(__name__)


class BusyError(RequestError):
    """As many requests as the site wants read from Orthanc already."""

    code = "busy"

    def __init__(self) -> None:
        super().__init__(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "Too many images are read at the moment.",
            {"Retry-After": str(RETRY_AFTER)},
        )


class Slots:
    """Limits how many requests are served at once.

    Args:
        number: The limit.
        patience: Longest wait for a slot, in seconds.
    """

    def __init__(self, number: int, patience: float) -> None:
        self._free = asyncio.Semaphore(number)
        self._patience = patience

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """Hold a slot for the block.

        Raises:
            BusyError: None became free in time.
        """
        try:
            async with asyncio.timeout(self._patience):
                await self._free.acquire()
        except TimeoutError:
            raise BusyError from None
        try:
            yield
        finally:
            self._free.release()


class Gateway:
    """The service, as an ASGI application that knows nothing but its routes.

    Args:
        routes: All routes there are.
        doorkeeper: Judges tokens.
        contexts: The shares in use.
        slots: Limit of requests.
    """

    def __init__(
        self,
        routes: Iterable[RouteSpec],
        doorkeeper: Doorkeeper,
        contexts: Contexts,
        slots: Slots,
    ) -> None:
        self._table = RouteTable(routes)
        self._doorkeeper = doorkeeper
        self._contexts = contexts
        self._slots = slots

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "websocket":
            await WebSocketClose()(scope, receive, send)
            return
        found = self._table.find(scope["method"], _path(scope))
        # The access log names routes, never ids.
        state = scope.setdefault("state", {})
        state[PATH_LOGGED] = UNKNOWN_PATH if found is None else found[0].template
        if found is None:
            await not_found(scope, receive, send)
            return
        route, scope["path_params"] = found
        await self._serve(route.handler, Request(scope, receive), send)

    async def _serve(self, handler: Handler, request: Request, send: Send) -> None:
        try:
            token = token_of(request)
            context = self._contexts.of(self._doorkeeper.admit(token), token)
            async with self._slots.one():
                work = self._work(handler, context, request, send)
                # The body of a POST is for its handler, and its answer is short.
                if request.method == "GET":
                    await while_connected(request.receive, work)
                else:
                    await work
        except OrthancShareError as error:
            await _refusal(error)(request.scope, request.receive, send)

    async def _work(
        self, handler: Handler, context: ShareContext, request: Request, send: Send
    ) -> None:
        try:
            answer = await handler(context, request)
        except OrthancShareError as error:
            answer = _refusal(error)
        await answer(request.scope, request.receive, send)


async def while_connected(receive: Receive, work: Coroutine[Any, Any, None]) -> None:
    """Do the work; give it up, and all it asked of Orthanc, when the client leaves."""
    working = asyncio.create_task(work)
    leaving = asyncio.create_task(_has_left(receive))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
    finally:
        tasks = [task for task in (working, leaving) if task.cancel()]
        await asyncio.gather(*tasks, return_exceptions=True)
    if not working.cancelled():
        working.result()


async def _has_left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _refusal(error: OrthancShareError) -> Response:
    # Our errors' texts quote no token, no id and nothing that Orthanc said.
    _log.info("refused", extra={"code": error.code, "detail": str(error)})
    is_late = isinstance(error, UpstreamTimeoutError)
    if isinstance(error, UpstreamUnavailableError) and not is_late:
        # This gateway is there, what is behind it is not (RFC 9110 15.6.3).
        status, again = HTTPStatus.BAD_GATEWAY, {"Retry-After": str(RETRY_AFTER)}
        return problem(status, str(error), code=error.code, headers=again)
    return problem_of(error)


async def not_found(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer that there is no such thing; the same for all paths and methods."""
    if scope["type"] == "websocket":
        await WebSocketClose()(scope, receive, send)
        return
    status = HTTPStatus.NOT_FOUND
    answer = problem(status, "There is no such address.", code="not_found")
    await answer(scope, receive, send)


def _path(scope: Scope) -> str:
    """Return the path below the prefix at which the service is mounted.

    No path of ours needs percent-encoding, but for the commas between the numbers of
    frames, so nothing can look like one path here and like another one elsewhere.
    """
    path: str = scope["path"]
    raw: bytes = scope.get("raw_path") or path.encode()
    if b"%" in raw.replace(b"%2C", b",").replace(b"%2c", b","):
        return UNKNOWN_PATH
    return path.removeprefix(scope.get("root_path", ""))
