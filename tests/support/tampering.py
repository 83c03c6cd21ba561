"""Something between the anonymizer and Orthanc that changes answers."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from demo.calls import Reply, call
from tests.support.deidentified import LOGIN
from tests.support.server import serve

Change = Callable[[Reply], Reply]
"""Makes another answer of Orthanc's."""


@dataclass
class Tampering:
    """What is changed.

    Args:
        orthanc: Address of Orthanc, with a final slash.
        changes: Expression, which a path must match in full, to change.
        tells_length: Whether answers have a `Content-Length`.
    """

    orthanc: str
    changes: Mapping[str, Change]
    tells_length: bool = True

    async def answer(self, request: Request) -> Response:
        """Ask Orthanc, and answer with what becomes of its answer."""
        path = request.url.path[1:]
        query = f"?{request.url.query}" if request.url.query else ""
        accept = request.headers.get("accept", "*/*")
        body = await request.body() or None
        reply = await asyncio.to_thread(
            call,
            request.method,
            f"{self.orthanc}{path}{query}",
            body,
            headers={"Accept": accept},
            login=LOGIN,
        )
        for expression, change in self.changes.items():
            if re.fullmatch(expression, path):
                reply = change(reply)
        kind = reply.headers.get("content-type", "text/plain")
        headers = {"Content-Type": kind}
        if self.tells_length:
            return Response(reply.body, reply.status, headers)
        return StreamingResponse(_pieces(reply.body), reply.status, headers)


async def _pieces(body: bytes) -> AsyncIterator[bytes]:
    yield body


@contextmanager
def tampering(
    orthanc: str, changes: Mapping[str, Change], *, tells_length: bool = True
) -> Iterator[str]:
    """Run it; yield its address, with a final slash."""
    tamperer = Tampering(orthanc, changes, tells_length)
    routes = [Route("/{path:path}", tamperer.answer, methods=["GET", "POST"])]
    with serve(Starlette(routes=routes)) as url:
        yield f"{url}/"


def lost(reply: Reply) -> Reply:
    """Return the answer of an Orthanc that does not have it any more."""
    return replace(reply, status=404, body=b"{}")


def with_body(body: bytes) -> Change:
    """Return a change to another body."""
    return lambda reply: replace(reply, body=body)


def as_kind(kind: str) -> Change:
    """Return a change to another media type."""
    return lambda reply: replace(reply, headers={"content-type": kind})
