"""ASGI by hand: scopes, and what an application does with one."""

from collections.abc import Iterable, Sequence
from typing import Any

import httpx
from starlette.types import ASGIApp, Message, Receive, Scope, Send


def http_scope(
    path: str = "/", method: str = "GET", headers: Iterable[tuple[str, str]] = ()
) -> Scope:
    """Return the scope of a request as uvicorn makes it."""
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(n.lower().encode(), v.encode("latin-1")) for n, v in headers],
    }


def receiving(*messages: Message) -> Receive:
    """Return a `receive` that gives `messages`, then says that the caller has left."""
    waiting = [*messages, {"type": "http.disconnect"}]

    async def receive() -> Message:
        return waiting.pop(0) if len(waiting) > 1 else waiting[0]

    return receive


def body(*parts: bytes) -> Receive:
    """Return a `receive` that gives a body in `parts`."""
    last = len(parts) - 1
    return receiving(
        *(
            {"type": "http.request", "body": part, "more_body": number < last}
            for number, part in enumerate(parts)
        )
    )


async def run(app: ASGIApp, scope: Scope, receive: Receive) -> Sequence[Message]:
    """Return everything that `app` sends."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent


def client(app: ASGIApp, **options: Any) -> httpx.AsyncClient:
    """Return a client of an application that needs no lifespan."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(
        transport=transport, base_url="http://test.example", **options
    )


async def answer_ok(_scope: Scope, receive: Receive, send: Send) -> None:
    """Read the body, then answer 200 with its length."""
    length, more = 0, True
    while more:
        message = await receive()
        length += len(message.get("body", b""))
        more = message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(length).encode()})
