"""A stand-in for an upstream: answers with what it was asked."""

import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

from typing_extensions import override

TIMEOUT = 20.0
"""Seconds that a request of these helpers may take."""

_EXTRA_HEADERS = {
    "Cache-Control": "public, max-age=1",
    "Referrer-Policy": "unsafe-url",
    "Strict-Transport-Security": "max-age=1",
    "X-Frame-Options": "ALLOWALL",
}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        asked = {
            "method": self.command,
            "target": self.path,
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "body": self.rfile.read(length).decode("latin-1"),
        }
        server = cast("_Server", self.server)
        server.asked.append(asked)
        body = json.dumps({"upstream": server.name, **asked}).encode()
        self.send_response(200)
        for name, value in _EXTRA_HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


for _method in ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
    setattr(_Handler, f"do_{_method}", _Handler._answer)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, name: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.name = name
        self.asked: list[dict[str, Any]] = []


@dataclass(frozen=True)
class Upstream:
    """A running stand-in.

    Args:
        name: Comes back in its answers as `upstream`.
        address: `host:port`.
        asked: What arrived, oldest first.
    """

    name: str
    address: str
    asked: list[dict[str, Any]]


@contextmanager
def echo_upstream(name: str) -> Iterator[Upstream]:
    """Run a stand-in for the upstream `name`."""
    with _Server(name) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield Upstream(name, f"127.0.0.1:{server.server_address[1]}", server.asked)
        finally:
            server.shutdown()
            thread.join()


@dataclass(frozen=True)
class Answer:
    """What came back from a request.

    Args:
        status: Status code.
        headers: Header fields with lower-case names; fields that came more than once
            are joined by a comma.
        body: The body.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)


def ask(
    port: int,
    method: str,
    target: str | bytes,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    connection: socket.socket | None = None,
) -> Answer:
    """Send one request as it stands, without the checks of an HTTP library.

    Args:
        port: Port on loopback.
        method: Method.
        target: Path and query, sent byte for byte.
        headers: More header fields.
        body: Body; sent with its length unless empty.
        connection: An open connection, for example one with TLS; closed afterwards.
    """
    raw = target if isinstance(target, bytes) else target.encode("latin-1")
    fields = {"Host": "client.invalid", "Connection": "close", **(headers or {})}
    if body:
        fields["Content-Length"] = str(len(body))
    lines = [f"{name}: {value}" for name, value in fields.items()]
    head = "\r\n".join(["", *lines, "", ""]).encode("latin-1")
    link = connection or socket.create_connection(("127.0.0.1", port), TIMEOUT)
    with link:
        link.sendall(method.encode() + b" " + raw + b" HTTP/1.1" + head + body)
        with HTTPResponse(link, method=method) as response:
            response.begin()
            received = response.read()
            names = {name.lower() for name in response.headers}
            joined = {n: ", ".join(response.headers.get_all(n) or ()) for n in names}
            return Answer(response.status, joined, received)
