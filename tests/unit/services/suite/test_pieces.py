"""Bodies in pieces, on real connections: what arrives is what was sent."""

import socket
from collections.abc import Iterator, Sequence
from http.client import HTTPConnection, IncompleteRead

import pytest
from starlette.types import Receive, Scope, Send

from orthanc_share.domain.octets import Octets
from orthanc_share.web.pieces import PIECES, pieces_sender
from tests.support.server import serve
from tests.unit.services.suite.test_protocol import answer_early

BLOCK = memoryview(bytes(range(256)) * 4096)
PIECES_SENT: Sequence[Sequence[Octets]] = [
    (b"first ", memoryview(b"a view")[2:]),
    (b"",),
    (),
    (b" more", b""),
    *[(BLOCK[:100_001], BLOCK[7:])] * 20,  # more than any socket takes at once
]
SENT = b"".join(b"".join(pieces) for pieces in PIECES_SENT)
SENT_AFTER: list[bool] = []


async def _pieces(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer in pieces: with a length, cut off, or too late, as the path says."""
    if scope["type"] == "lifespan":
        await answer_early(scope, receive, send)
        return
    path = scope["path"]
    length = [(b"content-length", b"%d" % len(SENT))] if path == "/length" else []
    await send({"type": "http.response.start", "status": 200, "headers": length})
    put = pieces_sender(scope, send)
    assert PIECES in scope["extensions"]
    for pieces in PIECES_SENT:
        await put(pieces)
    if path == "/cut":
        return
    await send({"type": "http.response.body"})
    if path == "/late":
        with pytest.raises(RuntimeError):
            await put([b"late"])
        SENT_AFTER.append(True)


async def _endless(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer without end, until the client has left."""
    if scope["type"] == "lifespan":
        await answer_early(scope, receive, send)
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    put = pieces_sender(scope, send)
    for _ in range(100):
        await put([BLOCK])
    SENT_AFTER.append(True)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Run a server that answers in pieces."""
    with serve(_pieces) as base:
        yield base


def _get(server: str, path: str, method: str = "GET") -> tuple[bytes, str | None]:
    connection = HTTPConnection(server.removeprefix("http://"), timeout=20)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.read(), answer.getheader("Transfer-Encoding")
    finally:
        connection.close()


def test_pieces_arrive_in_chunks(server: str) -> None:
    assert _get(server, "/") == (SENT, "chunked")


def test_pieces_of_a_known_length_arrive_without_chunks(server: str) -> None:
    assert _get(server, "/length") == (SENT, None)


def test_nothing_of_the_body_answers_head(server: str) -> None:
    assert _get(server, "/", "HEAD")[0] == b""


def test_a_body_that_breaks_off_is_not_whole(server: str) -> None:
    with pytest.raises(IncompleteRead) as error:
        _get(server, "/cut")
    assert SENT.startswith(error.value.partial)


def test_pieces_after_the_end_are_an_error_as_messages_are(server: str) -> None:
    SENT_AFTER.clear()
    assert _get(server, "/late")[0] == SENT
    _get(server, "/")  # the same connection handler has run to its end
    assert SENT_AFTER == [True]


def test_pieces_for_a_client_that_has_left_are_dropped() -> None:
    SENT_AFTER.clear()
    with serve(_endless) as base:
        address = ("127.0.0.1", int(base.rpartition(":")[2]))
        with socket.create_connection(address, timeout=10) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            assert connection.recv(10) == b"HTTP/1.1 2"
    assert SENT_AFTER == [True]
