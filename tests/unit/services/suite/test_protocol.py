"""Clients that send without end, slowly or fast, on real connections."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from starlette.types import Receive, Scope, Send

from suite.protocol import FIELDS_MAX, OVERHEAD_MAX, PIECE, PIPELINE_MAX
from tests.support.server import serve

PIECE_SENT = 16_384
ENDLESS = 64 * OVERHEAD_MAX


async def answer_early(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer 200 without a look at the body, as for callers who are not known."""
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    headers = [(b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"ok"})


async def read_all(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the length of the body."""
    if scope["type"] == "lifespan":
        await answer_early(scope, receive, send)
        return
    length = 0
    message = await receive()
    while message.get("more_body"):
        length += len(message["body"])
        message = await receive()
    length += len(message.get("body", b""))
    body = str(length).encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture(scope="module")
def early() -> Iterator[str]:
    """Run a server that answers before the body has arrived."""
    with serve(answer_early) as base:
        yield base


@pytest.fixture(scope="module")
def patient() -> Iterator[str]:
    """Run a server that reads every body."""
    with serve(read_all) as base:
        yield base


@contextmanager
def connected(base: str) -> Iterator[socket.socket]:
    """Connect to a server."""
    address = ("127.0.0.1", int(base.rpartition(":")[2]))
    with socket.create_connection(address, timeout=10) as connection:
        yield connection


def taken(connection: socket.socket, piece: bytes) -> int:
    """Return how many bytes a server takes of an endless repetition of `piece`."""
    sent = 0
    while sent < ENDLESS:
        try:
            connection.sendall(piece)
        except OSError:
            break
        sent += len(piece)
    return sent


def received(connection: socket.socket) -> bytes:
    """Return all that a server sends until it closes the connection."""
    answer = b""
    try:
        while piece := connection.recv(65_536):
            answer += piece
    except ConnectionError:
        pass
    return answer


BEGINNINGS = {
    "request line": (b"GET /", b"a" * PIECE_SENT),
    "field": (b"GET / HTTP/1.1\r\nX-Long: ", b"a" * PIECE_SENT),
    "fields": (b"GET / HTTP/1.1\r\n", b"a: b\r\n" * 2000),
    "trailer": (
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Long: ",
        b"a" * PIECE_SENT,
    ),
    "trailers": (
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
        b"a: b\r\n" * 2000,
    ),
    "chunk extension": (
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;a=",
        b"a" * PIECE_SENT,
    ),
}


@pytest.mark.parametrize("what", BEGINNINGS)
def test_what_has_no_end_is_cut_off(early: str, what: str) -> None:
    beginning, piece = BEGINNINGS[what]
    with connected(early) as connection:
        connection.sendall(beginning)
        assert taken(connection, piece) < ENDLESS


@pytest.mark.parametrize("what", BEGINNINGS)
def test_what_has_no_end_is_cut_off_while_the_body_is_read(
    patient: str, what: str
) -> None:
    beginning, piece = BEGINNINGS[what]
    with connected(patient) as connection:
        connection.sendall(beginning)
        assert taken(connection, piece) < ENDLESS


def test_too_many_fields_get_431(patient: str) -> None:
    with connected(patient) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * (FIELDS_MAX + 2))
        assert received(connection).startswith(b"HTTP/1.1 431 ")


def test_many_fields_are_taken(patient: str) -> None:
    with connected(patient) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * (FIELDS_MAX - 1))
        connection.sendall(b"Connection: close\r\n\r\n")
        assert received(connection).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("chunk", [100, PIECE + 1, 8 * PIECE])
def test_a_long_body_is_no_overhead(patient: str, chunk: int) -> None:
    number = 8 * OVERHEAD_MAX // chunk
    body = (b"%x\r\n" % chunk + b"x" * chunk + b"\r\n") * number
    with connected(patient) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nConnection: close\r\n")
        connection.sendall(b"Transfer-Encoding: chunked\r\n\r\n")
        connection.sendall(body + b"0\r\n\r\n")
        answer = received(connection)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"\r\n\r\n%d" % (number * chunk))


def test_a_client_may_send_a_few_requests_at_once(patient: str) -> None:
    one = b"GET / HTTP/1.1\r\n\r\n"
    last = b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n"
    with connected(patient) as connection:
        connection.sendall(one * (PIPELINE_MAX - 1) + last)
        answer = received(connection)
    assert answer.count(b"HTTP/1.1 200 ") == PIPELINE_MAX


def test_a_client_that_sends_requests_without_end_is_cut_off(patient: str) -> None:
    with connected(patient) as connection:
        # Its answers are taken away, so that it is not they that stop it.
        reader = threading.Thread(target=received, args=(connection,))
        reader.start()
        sent = taken(connection, b"GET / HTTP/1.1\r\n\r\n" * 4000)
        reader.join()
    assert sent < ENDLESS


def test_a_connection_serves_many_requests_that_are_answered_early(early: str) -> None:
    long = b"a" * 8000
    head = b"POST / HTTP/1.1\r\nContent-Length: 2\r\nX-Long: " + long + b"\r\n\r\n"
    with connected(early) as connection:
        for _ in range(2 * OVERHEAD_MAX // len(head)):
            connection.sendall(head)
            assert connection.recv(65_536).endswith(b"ok")
            connection.sendall(b"{}")
