"""Large bodies handed to the server in pieces, which it need not join.

ASGI knows one piece of bytes a message, and uvicorn copies it behind the length of its
chunk: twice the body for nothing. Where the server offers the extension `PIECES` (ours
does, `suite.pieces`), it takes the pieces as they are.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from starlette.types import Scope, Send

from orthanc_share.domain.octets import Octets

PIECES: Final = "orthanc_share.pieces"
"""Name of the extension in the scope of a request."""

SEND: Final = "send"
"""Its member, a `SendPieces`."""

SendPieces = Callable[[Sequence[Octets]], Awaitable[None]]
"""Sends pieces of a body that has begun and does not end with them; waits, like `send`,
while the client has not taken the ones before."""


def pieces_sender(scope: Scope, send: Send) -> SendPieces:
    """Return what sends the pieces of an answer: the server's own way, or messages."""
    extension = scope.get("extensions", {}).get(PIECES, {})
    offered: SendPieces | None = extension.get(SEND)
    if offered is not None:
        return offered

    async def send_joined(pieces: Sequence[Octets]) -> None:
        body = b"".join(pieces)
        await send({"type": "http.response.body", "body": body, "more_body": True})

    return send_joined
