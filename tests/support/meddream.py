"""A stand-in of MedDream's token service that can be told to misbehave.

It speaks real HTTP on a free port of this machine, makes tokens as protocol D.1 says,
refuses requests that the real one would not understand, and counts what it was asked.
"""

import contextlib
import json
import threading
from collections.abc import Callable
from enum import StrEnum
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self, cast

import anyio.to_thread
from typing_extensions import override

PATIENCE = 20
"""Seconds after which a waiting test gives up."""


class Fault(StrEnum):
    """What is wrong with the token service."""

    NONE = "none"
    ERROR = "status 500"
    OVERLOADED = "status 503"
    REDIRECT = "redirect to the same route"
    HTML = "status 200 with a page"
    JSON = "status 200 with JSON"
    EMPTY = "status 200 without content"
    WHITE_SPACE = "status 200 with white space"
    TWO_WORDS = "status 200 with two words"
    LONG = "status 200 with a token that is too long"
    HUGE = "status 200 with more than anybody would read"
    COMPRESSED = "status 200 with a compressed token"
    DRIP = "one byte now and then, for ever"
    CLOSE = "closes the connection instead of an answer"
    CLOSE_ONCE = "closes the connection, but only the next time"
    NO_HTTP = "answers in another protocol"


class MedDreamTokenService:
    """The stand-in; use as context manager.

    Args:
        port: 0 takes a free one.

    Attributes:
        fault: What is wrong with it; change it at any time.
        calls: Bodies of the requests to its generate route, in their order.
        tokens: Tokens that it has made, in their order.
    """

    def __init__(self, port: int = 0) -> None:
        self.fault = Fault.NONE
        self.calls: list[Any] = []
        self.tokens: list[str] = []
        self.connections = 0
        self._changed = threading.Condition()
        self._open = threading.Event()
        self._open.set()
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.service = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """Address of the generate route, for `MEDDREAM_TOKEN_SERVICE_URL`."""
        return f"http://127.0.0.1:{self.port}/v3/generate"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.fault = Fault.NONE
        self.release()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def hold(self) -> None:
        """Let requests wait for their answer from now on."""
        self._open.clear()

    def release(self) -> None:
        """Answer the requests that wait."""
        self._open.set()

    async def wait_for_calls(self, number: int) -> None:
        """Return when that many requests have arrived."""
        await self._wait(lambda: len(self.calls) >= number)

    async def wait_for_connections(self, number: int) -> None:
        """Return when that many connections were accepted."""
        await self._wait(lambda: self.connections >= number)

    async def _wait(self, is_so: Callable[[], bool]) -> None:
        def wait() -> bool:
            with self._changed:
                return self._changed.wait_for(is_so, PATIENCE)

        assert await anyio.to_thread.run_sync(wait)

    def note_connection(self) -> None:
        """Count an accepted connection."""
        with self._changed:
            self.connections += 1
            self._changed.notify_all()

    def take(self, body: Any) -> Fault:
        """Count a request, wait if it shall wait, and return what goes wrong."""
        with self._changed:
            self.calls.append(body)
            self._changed.notify_all()
        self._open.wait(PATIENCE)
        fault = self.fault
        if fault is Fault.CLOSE_ONCE:
            self.fault = Fault.NONE
        return fault

    def make_token(self) -> str:
        """Return a new token; like the real ones it may hold an equals sign."""
        with self._changed:
            self.tokens.append(f"meddream+{len(self.tokens) + 1}/x==")
            return self.tokens[-1]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    service: MedDreamTokenService

    @override
    def get_request(self) -> tuple[Any, Any]:
        accepted = super().get_request()
        self.service.note_connection()
        return accepted

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that go away are part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def _service(self) -> MedDreamTokenService:
        return cast(_Server, self.server).service

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        """Make a token, or do what is wrong today."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path not in {"/v2/generate", "/v3/generate"}:
            return self._answer(b"", HTTPStatus.NOT_FOUND)
        items = _items(body, self.headers.get_content_type())
        fault = self._service.take(items)
        if fault is Fault.NONE and items is None:
            return self._answer(b"", HTTPStatus.BAD_REQUEST)
        return _ANSWERS[fault](self)

    def _answer(self, body: bytes, status: int = HTTPStatus.OK, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "text/plain", **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _token(self) -> None:
        self._answer(self._service.make_token().encode())

    def _redirect(self) -> None:
        self._answer(b"", HTTPStatus.TEMPORARY_REDIRECT, Location=self._service.url)

    def _huge(self) -> None:
        self._answer(b"x" * 20_000_000)

    def _drip(self) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        pause = threading.Event()
        with contextlib.suppress(OSError):
            while self._service.fault is Fault.DRIP:
                self.wfile.write(b"x")
                pause.wait(0.02)
        self.close_connection = True

    def _close(self) -> None:
        self.close_connection = True

    def _no_http(self) -> None:
        self.wfile.write(b"220 mail.example.org ESMTP\r\n")
        self.close_connection = True


_ANSWERS: dict[Fault, Callable[[_Handler], None]] = {
    Fault.NONE: _Handler._token,
    Fault.ERROR: lambda h: h._answer(b"secret-of-meddream", 500),
    Fault.OVERLOADED: lambda h: h._answer(b"secret-of-meddream", 503),
    Fault.REDIRECT: _Handler._redirect,
    Fault.HTML: lambda h: h._answer(b"<html>secret-of-meddream</html>"),
    Fault.JSON: lambda h: h._answer(b'{"token":"secret-of-meddream"}'),
    Fault.EMPTY: lambda h: h._answer(b""),
    Fault.WHITE_SPACE: lambda h: h._answer(b" \r\n\t "),
    Fault.TWO_WORDS: lambda h: h._answer(b"secret of-meddream"),
    Fault.LONG: lambda h: h._answer(b"x" * 4097),
    Fault.HUGE: _Handler._huge,
    Fault.COMPRESSED: lambda h: h._answer(b"\x1f\x8b", Content_Encoding="gzip"),
    Fault.DRIP: _Handler._drip,
    Fault.CLOSE: _Handler._close,
    Fault.CLOSE_ONCE: _Handler._close,
    Fault.NO_HTTP: _Handler._no_http,
}


def _items(body: bytes, content_type: str) -> Any:
    """Return the body of a request if it is one of protocol D.1, else None."""
    try:
        document = json.loads(body)
        studies = [item["studies"] for item in document["items"]]
        is_right = all(
            isinstance(study["study"], str) and isinstance(study["storage"], str)
            for study in studies
        )
    except (ValueError, TypeError, LookupError):
        return None
    is_json = content_type == "application/json"
    return document if studies and is_right and is_json else None
