"""Whether a service is alive and whether what it needs answers."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

PING_TIMEOUT = 3.0
"""Longest wait for one dependency, in seconds."""

Ping = Callable[[], Awaitable[None]]
"""Returns if a dependency answers, raises otherwise; changes nothing."""

_HEADERS = {"Cache-Control": "no-store"}


async def alive(_request: Request) -> Response:
    """Answer `GET /health`: the process serves requests."""
    return JSONResponse({"status": "ok"}, headers=_HEADERS)


class Readiness:
    """Answers `GET /ready`: 200 if all dependencies answer, else 503.

    Args:
        pings: Name of each dependency and how to reach it.
    """

    def __init__(self, pings: Mapping[str, Ping]) -> None:
        self._pings = pings

    async def answer(self, _request: Request) -> Response:
        """Return the state of each dependency by name, and nothing else about it."""
        states = await asyncio.gather(*map(_state, self._pings.values()))
        is_ready = all(state == "ok" for state in states)
        return JSONResponse(
            {
                "status": "ok" if is_ready else "unavailable",
                "dependencies": dict(zip(self._pings, states, strict=True)),
            },
            HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE,
            headers=_HEADERS,
        )


async def _state(ping: Ping) -> str:
    try:
        async with asyncio.timeout(PING_TIMEOUT):
            await ping()
    except Exception:  # noqa: BLE001 - whatever is wrong, it is not ready
        return "unavailable"
    return "ok"
