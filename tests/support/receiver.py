"""A receiver of notices: real HTTP on loopback, as faulty as a test wants it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from typing_extensions import override


@dataclass(frozen=True)
class Received:
    """One notice, as it arrived.

    Attributes:
        path: With its query.
        headers: Names in lower case.
        body: Its bytes.
    """

    path: str
    headers: dict[str, str]
    body: bytes


Rule = Callable[[Received], int | None]
"""The status to answer with; None: never answer."""


@dataclass
class Receiver:
    """The receiver, listening on `url`.

    Attributes:
        url: Where notices may be sent.
        rule: What it answers.
        received: All that came, in order.
        over: Set when the receiver ends; who hangs waits for it.
        at_once_max: The most that were being answered at the same time.
    """

    url: str
    rule: Rule = lambda _received: 204
    received: list[Received] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    came: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    at_once: int = 0
    at_once_max: int = 0

    @property
    def host(self) -> str:
        """Its host and port."""
        return self.url.split("/")[2]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    receiver: Receiver

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        headers = {name.lower(): value for name, value in self.headers.items()}
        received, receiver = Received(self.path, headers, body), self.receiver
        with receiver.lock:
            receiver.received.append(received)
            receiver.at_once += 1
            receiver.at_once_max = max(receiver.at_once_max, receiver.at_once)
        receiver.came.set()
        status = receiver.rule(received)
        with receiver.lock:
            receiver.at_once -= 1
        if status is None:
            receiver.over.wait()
            self.close_connection = True
            return
        self.send_response(status)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"Body")

    do_POST = do_GET = _answer  # noqa: N815

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of senders that went away."""


@contextmanager
def receiver(rule: Rule | None = None) -> Iterator[Receiver]:
    """Run a receiver on a free port of loopback."""
    server = _Server(("127.0.0.1", 0), _Handler)
    made = Receiver(f"http://127.0.0.1:{server.server_port}/hook?key=secret")
    if rule is not None:
        made.rule = rule
    server.RequestHandlerClass = type("Handler", (_Handler,), {"receiver": made})
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.05}
    )
    thread.start()
    try:
        yield made
    finally:
        made.over.set()
        server.shutdown()
        server.server_close()
        thread.join()
