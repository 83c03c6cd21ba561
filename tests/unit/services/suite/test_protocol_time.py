"""Clients that keep the server waiting, on real connections."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import anyio
import pytest
from starlette.types import Receive, Scope, Send

from suite.protocol import REQUEST_TIMEOUT, TimeLimitedProtocol
from tests.support.server import serve
from tests.unit.services.suite.test_protocol import answer_early, read_all

SHORT = 0.3  # seconds for which the server of these tests waits
BIG = 32 * 1024 * 1024  # bytes, more than the system keeps for a connection
CUT_OFF = b"HTTP/1.1 408 Request Timeout\r\n"
GET = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n"


class Impatient(TimeLimitedProtocol):
    """The suite's protocol in a hurry."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(request_timeout=SHORT, **arguments)


async def answer_in_two_pieces(scope: Scope, receive: Receive, send: Send) -> None:
    """Begin the answer before the body has arrived, and end it after."""
    if scope["type"] == "lifespan":
        await answer_early(scope, receive, send)
        return
    headers = [(b"content-length", b"10")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"begun", "more_body": True})
    while (message := await receive()).get("more_body"):
        pass
    if message["type"] == "http.request":
        await anyio.sleep(3 * SHORT)
        await send({"type": "http.response.body", "body": b"ended"})


async def answer_at_length(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with more than a client takes at once, and do not read the body."""
    if scope["type"] == "lifespan":
        await answer_early(scope, receive, send)
        return
    headers = [(b"content-length", str(BIG).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"x" * BIG})


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let servers wait for a short time only."""
    monkeypatch.setattr("tests.support.server.TimeLimitedProtocol", Impatient)


pytestmark = pytest.mark.usefixtures("hurried")


@contextmanager
def connected(app: Any) -> Iterator[socket.socket]:
    """Serve `app` and connect to it."""
    with serve(app) as base:
        address = ("127.0.0.1", int(base.rpartition(":")[2]))
        with socket.create_connection(address, timeout=20) as connection:
            yield connection


def rest(connection: socket.socket) -> bytes:
    """Return everything up to the end of the connection."""
    parts = []
    while part := connection.recv(1 << 20):
        parts.append(part)
    return b"".join(parts)


def answer(connection: socket.socket, body: bytes) -> None:
    """Read an answer that ends with `body`."""
    received = b""
    while not received.endswith(body):
        part = connection.recv(4096)
        assert part
        received += part
    assert received.startswith(b"HTTP/1.1 200 OK\r\n")


def test_the_usual_limit_is_longer_than_the_plugin_waits() -> None:
    assert REQUEST_TIMEOUT > 10


@pytest.mark.parametrize(
    "sent",
    [b"", b"\r\n", b"G", b"GET / HTTP/1.1\r\nHost: h\r\n", POST, POST + b"12345678"],
    ids=["nothing", "blank line", "a letter", "half a header", "no body", "most of it"],
)
def test_a_request_that_does_not_arrive_is_408(sent: bytes) -> None:
    with connected(read_all) as connection:
        connection.sendall(sent)
        assert rest(connection).startswith(CUT_OFF)


@pytest.mark.parametrize("sent", [b"G", POST, POST + b"1"])
def test_so_is_a_second_one_on_the_same_connection(sent: bytes) -> None:
    with connected(read_all) as connection:
        connection.sendall(POST + b"123456789")
        answer(connection, b"9")
        connection.sendall(sent)
        assert rest(connection).startswith(CUT_OFF)


def test_blank_lines_between_requests_do_not_keep_a_connection() -> None:
    with connected(read_all) as connection:
        connection.sendall(GET)
        answer(connection, b"0")
        connection.sendall(b"\r\n")
        # Nothing but the end, with or without a word about it.
        assert rest(connection)[: len(CUT_OFF)] in {b"", CUT_OFF}


def test_a_connection_may_idle_longer_between_requests() -> None:
    with connected(read_all) as connection:
        connection.sendall(GET)
        answer(connection, b"0")
        connection.settimeout(3 * SHORT)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        connection.settimeout(20)
        connection.sendall(GET)
        answer(connection, b"0")


def test_an_answer_may_take_longer_than_a_request() -> None:
    with connected(answer_in_two_pieces) as connection:
        connection.sendall(POST + b"123456789")
        answer(connection, b"begunended")


def test_an_answer_that_has_begun_gets_no_second_one() -> None:
    with connected(answer_in_two_pieces) as connection:
        connection.sendall(POST + b"1")
        received = rest(connection)
    assert received.endswith(b"\r\n\r\nbegun")
    assert CUT_OFF not in received


def test_nor_does_one_that_is_under_way_when_the_next_request_is_slow() -> None:
    with connected(answer_in_two_pieces) as connection:
        connection.sendall(POST + b"123456789" + b"G")
        received = rest(connection)
    assert received.startswith(b"HTTP/1.1 200 OK\r\n")
    assert CUT_OFF not in received


def test_a_connection_that_is_closing_is_left_alone() -> None:
    with connected(answer_at_length) as connection:
        head = POST.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        connection.sendall(head + b"1")
        time.sleep(3 * SHORT)  # the limit passes while the answer waits
        received = rest(connection)
    assert received.endswith(b"x" * 1000)
    assert received.partition(b"\r\n\r\n")[2] == b"x" * BIG
