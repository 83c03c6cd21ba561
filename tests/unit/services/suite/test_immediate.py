"""Answers that the server gives by itself; no network in between."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from orthanc_share.web.json_body import JSON_LIMIT
from suite.immediate import ResponseHead, posts_at_once
from suite.protocol import TimeLimitedProtocol
from tests.unit.services.suite.test_protocol_pieces import Recorder

AT_ONCE = b'{"at":"once"}'
LATER = b'{"at":"length"}'

pytestmark = pytest.mark.anyio


class App:
    """Answers with `AT_ONCE` what may be answered at once, and else with `LATER`."""

    def __init__(self, answer: Callable[[Scope, bytes], bytes | None]) -> None:
        self.posts_at_once = {b"/ask": answer}
        self.bodies: list[bytes] = []

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        body = b""
        message: Any = {"more_body": True}
        while message.get("more_body"):
            message = await receive()
            body += message.get("body", b"")
        self.bodies.append(body)
        headers = [(b"content-length", str(len(LATER)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": LATER})


class Connection:
    """A connection to an application."""

    def __init__(self, app: ASGIApp) -> None:
        config = uvicorn.Config(
            app, ws="none", lifespan="off", log_config=None, proxy_headers=False
        )
        self.server = ServerState()
        loop = asyncio.get_running_loop()
        self.protocol = TimeLimitedProtocol(config, self.server, {}, loop)
        self.transport = _Recorder()
        self.protocol.connection_made(self.transport)

    async def send(self, *pieces: bytes) -> bytes:
        """Return what is answered to these pieces, which arrive one after the other."""
        before = len(self.transport.written)
        for piece in pieces:
            self.protocol.data_received(piece)
            for _ in range(5):
                await asyncio.sleep(0)
        return self.transport.written[before:]


class _Recorder(Recorder):
    @override
    def pause_reading(self) -> None:
        """Do nothing: all is here."""

    @override
    def resume_reading(self) -> None:
        """Do nothing: all is here."""


def question(
    body: bytes = b"{}",
    *fields: bytes,
    line: bytes = b"POST /ask HTTP/1.1",
    length: bytes | None = None,
) -> bytes:
    """Return a request."""
    announced = b"%d" % len(body) if length is None else length
    lines = (line, b"Host: h", b"Content-Length: " + announced, *fields, b"", body)
    return b"\r\n".join(lines)


def at_once(_scope: Scope, _body: bytes) -> bytes:
    return AT_ONCE


def never(_scope: Scope, _body: bytes) -> None:
    return None


async def test_a_question_is_answered_before_anything_else_happens() -> None:
    connection = Connection(App(at_once))
    connection.protocol.data_received(question())
    assert connection.transport.written == (
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
        b"cache-control: no-store\r\ncontent-length: 13\r\n\r\n" + AT_ONCE
    )
    assert connection.server.total_requests == 1
    assert not connection.transport.closed


async def test_the_answer_is_made_of_headers_and_body() -> None:
    asked: list[tuple[Any, bytes]] = []

    def answer(scope: Scope, body: bytes) -> bytes:
        asked.append((dict(scope["headers"]), body))
        return AT_ONCE

    body = b'{"a":1}'
    request = question(body, b"Token: x")
    connection = Connection(App(answer))
    assert (await connection.send(request[:30], request[30:-3])) == b""
    assert (await connection.send(request[-3:])).endswith(AT_ONCE)
    assert asked == [({b"host": b"h", b"content-length": b"7", b"token": b"x"}, body)]


async def test_many_questions_are_answered_in_their_order() -> None:
    answers = iter([b"1", None, b"3"])
    app = App(lambda _scope, _body: next(answers))
    written = await Connection(app).send(question() + question() + question())
    first, second, third = written.split(b"HTTP/1.1 200 OK")[1:]
    assert first.endswith(b"1")
    assert second.endswith(LATER)
    # It came while the one before it was under way.
    assert third.endswith(LATER)


async def test_the_servers_own_fields_are_part_of_the_answer() -> None:
    connection = Connection(App(at_once))
    connection.server.default_headers = [(b"date", b"today")]
    assert b"\r\ndate: today\r\n" in await connection.send(question())
    connection.server.default_headers = [(b"date", b"tomorrow")]
    assert b"\r\ndate: tomorrow\r\n" in await connection.send(question())


async def test_a_connection_ends_with_the_question_that_says_so() -> None:
    connection = Connection(App(at_once))
    last = question(b"{}", b"Connection: close")
    written = await connection.send(last + question() + question(b"x"))
    assert b"\r\nconnection: close\r\n\r\n" in written
    assert written.count(b"HTTP/1.1") == 1
    assert connection.transport.closed


@pytest.mark.parametrize(
    "request_sent",
    [
        question(line=b"GET /ask HTTP/1.1"),
        question(line=b"POST /ask?a HTTP/1.1"),
        question(line=b"POST /asks HTTP/1.1"),
        question(b"{}", b"Connection: keep-alive", line=b"POST /ask HTTP/1.0"),
        question(b"{}", b"Expect: 100-continue"),
        question(b"{}", b"Connection: upgrade", b"Upgrade: h2c"),
    ],
)
async def test_all_that_is_unusual_goes_the_usual_way(request_sent: bytes) -> None:
    app = App(at_once)
    written = await Connection(app).send(request_sent)
    assert written.endswith(LATER)


async def test_what_cannot_be_answered_at_once_loses_nothing() -> None:
    app = App(never)
    connection = Connection(app)
    body = b"x" * 3000
    request = question(body)
    assert (await connection.send(request[:100], request[100:])).endswith(LATER)
    assert (await connection.send(question())).endswith(LATER)
    assert app.bodies == [body, b"{}"]


async def test_a_body_that_is_too_large_is_the_applications_affair() -> None:
    app = App(at_once)
    body = b"x" * (JSON_LIMIT + 1)
    assert (await Connection(app).send(question(body), b"")).endswith(LATER)
    assert app.bodies == [body]


async def test_a_client_that_does_not_read_is_not_answered_without_end() -> None:
    connection = Connection(App(at_once))
    connection.protocol.pause_writing()
    assert (await connection.send(question())) == b""
    connection.protocol.resume_writing()
    assert (await connection.send(b"")).endswith(LATER)


async def test_a_question_on_the_way_is_answered_when_the_server_stops() -> None:
    app = App(at_once)
    connection = Connection(app)
    request = question(b'{"a":1}')
    await connection.send(request[:-2])
    connection.protocol.shutdown()
    assert not connection.transport.closed
    assert (await connection.send(request[-2:])).endswith(LATER)
    assert app.bodies == [b'{"a":1}']
    assert connection.transport.closed


async def test_a_connection_at_rest_ends_when_the_server_stops() -> None:
    connection = Connection(App(at_once))
    await connection.send(question())
    connection.protocol.shutdown()
    assert connection.transport.closed


async def test_an_application_without_such_answers_has_none() -> None:
    assert not posts_at_once(object())


def test_the_head_is_made_again_for_other_fields() -> None:
    head = ResponseHead()
    fields = [(b"a", b"1")]
    assert head.before_length(fields) is head.before_length(fields)
    assert b"a: 2" in head.before_length([(b"a", b"2")])


@pytest.mark.parametrize("target", [b"/ask", b"/other"])
async def test_a_body_in_chunks_of_one_byte_is_joined_once(
    target: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = App(never)
    connection = Connection(app)
    joined: list[int] = []

    def on_body(protocol: HttpToolsProtocol, body: bytes) -> None:
        joined.append(len(body))
        on_body_of_uvicorn(protocol, body)

    on_body_of_uvicorn = HttpToolsProtocol.on_body
    monkeypatch.setattr(HttpToolsProtocol, "on_body", on_body)
    head = b"POST %b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" % target
    written = await connection.send(head, b"1\r\nx\r\n" * 5000 + b"0\r\n\r\n")
    assert written.endswith(LATER)
    assert app.bodies == [b"x" * 5000]
    assert joined == [5000]
