"""A stand-in of Orthanc on a real socket, which can misbehave as no Orthanc would."""

import socket
import struct
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from typing_extensions import override

BOUNDARY = "a-boundary-of-the-double"
"""Boundary of all multipart bodies here."""


@dataclass(frozen=True)
class Reply:
    """What is answered at one path.

    Args:
        body: The body.
        content_type: The field `Content-Type`.
        status: The status.
        fields: Further header fields.
        length: Announced length; None: that of the body; -1: none is announced.
        resets: Whether the connection is reset after the body, not closed.
        hangs: Whether nothing happens after the body, until the double ends.
        drips: Whether the body comes byte by byte, with pauses.
    """

    body: bytes = field(default=b"", repr=False)
    content_type: str = "application/json"
    status: int = 200
    fields: tuple[tuple[str, str], ...] = ()
    length: int | None = None
    resets: bool = False
    hangs: bool = False
    drips: bool = False


Answer = Reply | Callable[[bytes], Reply]
"""A reply, or what makes one of a request's body."""


@dataclass(frozen=True)
class Asked:
    """A request that came.

    Args:
        method: Its method.
        path: Its path with its query.
        fields: Its header fields, names in lower case.
        body: Its body.
    """

    method: str
    path: str
    fields: Mapping[str, str]
    body: bytes = field(default=b"", repr=False)


@dataclass
class OrthancDouble:
    """The stand-in.

    Args:
        url: Its address, with a final slash.
        answers: Path below it, without its query, to the answer there.
        asked: All requests that came.
    """

    url: str
    answers: dict[str, Answer]
    asked: list[Asked] = field(default_factory=list)
    left: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)

    def paths(self) -> list[str]:
        """Return the paths that were asked for, without their queries."""
        return [one.path.partition("?")[0].lstrip("/") for one in self.asked]


class _Server(ThreadingHTTPServer):
    """A server in whose handlers the stand-in can be found."""

    daemon_threads = False
    double: OrthancDouble

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of connections that broke."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        """Answer."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fields = {name.lower(): value for name, value in self.headers.items()}
        double = self.server.double
        double.asked.append(Asked(self.command, self.path, fields, body))
        path = self.path.partition("?")[0].lstrip("/")
        answer = double.answers.get(path, _NOT_FOUND)
        reply = answer if isinstance(answer, Reply) else answer(body)
        with suppress(OSError):
            self._send(reply)

    do_POST = do_GET  # noqa: N815 - the names that the library wants
    do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815

    def _send(self, reply: Reply) -> None:
        self.send_response_only(reply.status)
        if "Date" not in dict(reply.fields):
            self.send_header("Date", self.date_time_string())
        self.send_header("Content-Type", reply.content_type)
        for name, value in reply.fields:
            self.send_header(name, value)
        if reply.length != -1:
            length = len(reply.body) if reply.length is None else reply.length
            self.send_header("Content-Length", str(length))
        self.end_headers()
        if reply.drips:
            self._drip(reply.body)
        else:
            self.wfile.write(reply.body)
        if reply.hangs:
            self._wait_until_left()
        self.close_connection = reply.length is not None
        if reply.resets:
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.close_connection = True

    def _drip(self, body: bytes) -> None:
        for number in range(len(body)):
            self.wfile.write(body[number : number + 1])
            if self.server.double.over.wait(0.02):
                return

    def _wait_until_left(self) -> None:
        self.connection.settimeout(0.05)
        while not self.server.double.over.is_set():
            try:
                has_left = not self.connection.recv(1)
            except TimeoutError:
                continue
            except OSError:
                has_left = True
            if has_left:
                self.server.double.left.set()
                return

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def orthanc_double(answers: Mapping[str, Answer]) -> Iterator[OrthancDouble]:
    """Run a stand-in that answers so; all else is 404."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        url = f"http://127.0.0.1:{server.server_address[1]}/"
        server.double = OrthancDouble(url, dict(answers))
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server.double
        finally:
            server.double.over.set()
            server.shutdown()
            thread.join()


_NOT_FOUND = Reply(b'{"HttpStatus": 404}', status=404)


def multipart(
    parts: Iterable[bytes],
    kind: str = "application/dicom",
    *,
    part_kind: str | None = None,
) -> Reply:
    """Return a multipart body as Orthanc writes it."""
    mark = f"--{BOUNDARY}".encode()
    body = b"".join(
        b"%b\r\nContent-Type: %b\r\nContent-Length: %d\r\nMIME-Version: 1.0\r\n\r\n"
        b"%b\r\n" % (mark, (part_kind or kind).encode(), len(part), part)
        for part in parts
    )
    return Reply(
        body + mark + b"--\r\n",
        f'multipart/related; type="{kind}"; boundary={BOUNDARY}',
    )
