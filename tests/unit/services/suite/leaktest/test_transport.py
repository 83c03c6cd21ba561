"""Requests go out as they are written, and answers are read as far as they come."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from suite.leaktest import transport
from suite.leaktest.transport import Site, site


@contextmanager
def server(*answers: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """Serve one raw answer for each connection; give the address and the requests."""
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def run() -> None:
            for answer in answers:
                connection, _peer = listening.accept()
                with connection:
                    asked.append(connection.recv(65_536))
                    connection.sendall(answer)

        thread = threading.Thread(target=run)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/root/", asked
        thread.join()


GOOD = b"HTTP/1.1 200 Fine\r\nContent-Length: 2\r\nX-A: b\r\n\r\nok"
CLOSING = b"HTTP/1.1 200 Fine\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 Fine\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nonly this"
SHORT = b"HTTP/1.1 200 Fine\r\nContent-Length: 99\r\n\r\nonly this"


def test_a_request_goes_out_as_it_is_written() -> None:
    with server(GOOD) as (url, asked), site(url, {"token": "t"}) as opened:
        headers = {"Host": "evil.example"}
        answer = opened.ask("POST", "/a/../%2f?x=1", headers, b"body")
    assert (answer.status, answer.reason, answer.body) == (200, "Fine", b"ok")
    assert answer.header("x-a") == "b"
    head, _, body = asked[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /root/a/../%2f?x=1 HTTP/1.1\r\n")
    assert head.count(b"Host:") == 1
    assert b"token: t" in head
    assert b"Host: evil.example" in head
    assert body in {b"", b"body"}


@pytest.mark.parametrize("broken", [SHORT, CHUNKED])
def test_an_answer_that_breaks_off_is_kept_as_far_as_it_came(broken: bytes) -> None:
    with server(broken) as (url, _asked), site(url) as opened:
        answer = opened.ask("GET", "/")
    assert (answer.status, answer.reason, answer.body) == (200, "cut off", b"only this")


def test_a_closed_connection_is_opened_again() -> None:
    with server(CLOSING, b"", GOOD) as (url, asked), site(url) as opened:
        assert opened.ask("GET", "/1").body == b"ok"
        assert opened.ask("GET", "/2").body == b"ok"
    assert len(asked) == 3


def test_a_server_that_says_nothing_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transport, "TIMEOUT", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        with site(url) as opened:
            answer = opened.ask("GET", "/")
    assert (answer.status, answer.reason) == (0, "cut off")


def test_an_https_site_is_asked_with_tls() -> None:
    with server(b"no TLS") as (url, asked):
        opened = Site(url.replace("http:", "https:"))
        with pytest.raises(OSError, match=r"SSL"):
            opened.ask("GET", "/")
        opened.close()
    assert asked[0].startswith(b"\x16\x03")
