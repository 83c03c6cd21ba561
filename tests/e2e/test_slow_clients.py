"""Slow and idle clients next to quick ones, with the server that users start."""

import http.client
import os
import re
import resource
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.support.settings import SECRET_KEY

REQUEST_TIMEOUT = 2  # seconds that a request may take here
PAUSE = 0.1  # seconds between two bytes of a slow client
PATIENCE = 60  # seconds after which a test gives up
LOGIN = ("user", "Wq4-zTn8s")
HEAD = (
    b"POST /tokens/validate HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
)
CREDENTIALS = b"Authorization: Basic dXNlcjpXcTQtelRuOHM=\r\n"
CHUNKED = HEAD + CREDENTIALS + b"Transfer-Encoding: chunked\r\n\r\n"
SIZED = HEAD + CREDENTIALS + b"Content-Length: 400\r\n\r\n"


@contextmanager
def serving(*options: str) -> Iterator[int]:
    """Run `orthanc-share serve token-service` on a free port; give the port."""
    program = Path(sys.executable).with_name("orthanc-share")
    settings = {
        "SECRET_KEY": SECRET_KEY,
        "USERS": f'{{"{LOGIN[0]}": "{LOGIN[1]}"}}',
        "PUBLIC_ORTHANC_ROOT": "https://share.example.org/shares/",
        "LOG_LEVEL": "warning",
    }
    command = [str(program), "serve", "token-service", "--port", "0", *options]
    with subprocess.Popen(
        command, env=os.environ | settings, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield _port(process)
        finally:
            process.terminate()
            process.communicate(timeout=PATIENCE)


def _port(process: subprocess.Popen[str]) -> int:
    assert process.stderr is not None
    for line in process.stderr:
        found = re.search(r"listens on http://127\.0\.0\.1:(\d+)/", line)
        if found:
            return int(found[1])
    pytest.fail("The server did not start.")


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Run a server that gives a request two seconds."""
    with serving("--request-timeout", str(REQUEST_TIMEOUT)) as number:
        yield number


def is_alive(port: int) -> bool:
    """Tell whether a new client gets its answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.request("GET", "/health")
    status = connection.getresponse().status
    connection.close()
    return status == 200


def ask(link: socket.socket) -> None:
    """Get an answer, after which the connection stays open."""
    link.sendall(b"GET /health HTTP/1.1\r\nHost: h\r\n\r\n")
    with http.client.HTTPResponse(link) as response:
        response.begin()
        assert response.read() == b'{"status":"ok"}'


def dribble(link: socket.socket, text: bytes) -> bytes:
    """Send `text` byte by byte, over and over, until the server has enough.

    Returns:
        What the server said before it closed the connection.
    """
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        readable, _, _ = select.select([link], [], [], PAUSE)
        if readable:
            return received(link)
        link.send(text[:1])
        text = text[1:] + text[:1]
    pytest.fail("The slow client was not cut off.")


def received(link: socket.socket) -> bytes:
    """Return what is left to read of a connection that the server closes."""
    parts = []
    try:
        while part := link.recv(65_536):
            parts.append(part)
    except ConnectionResetError:
        pass  # bytes of ours were still under way
    return b"".join(parts)


@pytest.mark.parametrize(
    ("at_once", "slowly"),
    [
        pytest.param(b"", b"POST /tokens/validate", id="first line"),
        pytest.param(HEAD, b"X-Slow: a\r\n", id="header"),
        pytest.param(SIZED, b" ", id="body"),
        pytest.param(CHUNKED, b"1\r\n \r\n", id="chunks"),
        pytest.param(CHUNKED + b"fff\r\n", b" ", id="one chunk"),
        pytest.param(SIZED.replace(CREDENTIALS, b""), b" ", id="body without login"),
    ],
)
def test_a_slow_client_is_cut_off_while_another_is_served(
    port: int, at_once: bytes, slowly: bytes
) -> None:
    address = ("127.0.0.1", port)
    with socket.create_connection(address, PATIENCE) as link:
        link.sendall(at_once)
        assert is_alive(port)
        answer = dribble(link, slowly)
    assert is_alive(port)
    assert answer[:13] in {b"", b"HTTP/1.1 408 ", b"HTTP/1.1 401 "}


def test_a_client_that_says_nothing_is_told_so(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as link:
        assert received(link).startswith(b"HTTP/1.1 408 ")


def test_a_client_whose_second_request_is_slow_is_cut_off(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as link:
        ask(link)
        link.sendall(HEAD)
        assert dribble(link, b"X-Slow: a\r\n").startswith(b"HTTP/1.1 408 ")


def test_three_hundred_slow_clients_are_all_cut_off(port: int) -> None:
    with ExitStack() as stack:
        links = [
            stack.enter_context(socket.create_connection(("127.0.0.1", port), PATIENCE))
            for _ in range(300)
        ]
        for number, link in enumerate(links):
            link.sendall((b"P", HEAD, SIZED, CHUNKED)[number % 4])
        assert is_alive(port)
        assert all(received(link).startswith(b"HTTP/1.1 408 ") for link in links)
    assert is_alive(port)


def test_a_thousand_idle_connections_keep_nobody_out(port: int) -> None:
    wanted = 1_000
    spare = 100
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < wanted + spare:
        pytest.skip("Fewer than 1,100 files may be open here.")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        with ExitStack() as stack:
            for _ in range(wanted):
                link = socket.create_connection(("127.0.0.1", port), PATIENCE)
                stack.enter_context(link)
                ask(link)
            assert is_alive(port)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
