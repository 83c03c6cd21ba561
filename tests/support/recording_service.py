"""A stand-in for the token-service that records what Orthanc's plugin asks it.

It decides by a plain rule, so that tests of the plugin do not depend on our own
token-service; the names of the tokens say what they open.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any

from typing_extensions import override

Answer = tuple[int, Any]
Rule = Callable[["Call"], Answer]


@dataclass(frozen=True)
class Call:
    """One question, as it arrived.

    Attributes:
        method: HTTP method.
        path: Path.
        headers: Names as spelled on the wire, to values.
        raw: The body with its chunk framing.
        body: The JSON in it.
        connection: Client address and port: one for each TCP connection.
    """

    method: str
    path: str
    headers: dict[str, str]
    raw: bytes
    body: Any
    connection: tuple[str, int]


@dataclass
class RecordingService:
    """The stand-in, listening on `url`.

    Attributes:
        url: With a final slash.
        rule: Answers each call with a status and a JSON document, or a text.
        calls: All calls since `calls.clear()`.
    """

    url: str
    rule: Rule
    calls: list[Call] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def asked(self, path: str) -> list[Any]:
        """Return the bodies of the calls to `path`."""
        with self.lock:
            return [call.body for call in self.calls if call.path == path]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    service: RecordingService

    def _answer(self) -> None:
        raw = b"".join(iter(self.rfile.readline, b"\r\n"))
        lines = raw.split(b"\r\n")
        call = Call(
            self.command,
            self.path,
            dict(self.headers.items()),
            raw + b"\r\n",
            json.loads(lines[1]),
            self.client_address,
        )
        with self.service.lock:
            self.service.calls.append(call)
        status, document = self.service.rule(call)
        text = document if isinstance(document, str) else json.dumps(document)
        self.send_response(status)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    do_POST = do_PUT = _answer  # noqa: N815

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: tokens are in the headers."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # Orthanc asks from many threads at once


@contextmanager
def recording_service(rule: Rule) -> Iterator[RecordingService]:
    """Run the stand-in on a free port of loopback."""
    server = _Server(("127.0.0.1", 0), _Handler)
    service = RecordingService(f"http://127.0.0.1:{server.server_port}/", rule)
    server.RequestHandlerClass = type("Handler", (_Handler,), {"service": service})
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
