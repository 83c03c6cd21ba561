"""One look at an address."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest

from orthanc_share.domain.clock import utc_now
from orthanc_share.upstream.client import create_client
from orthanc_share.upstream.probe import (
    READ_MAX,
    Answered,
    Failure,
    Silent,
    look,
)
from tests.support.orthanc_double import Reply, orthanc_double
from tests.support.site import certificate

pytestmark = pytest.mark.anyio
__all__ = ["certificate"]

NOW = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)


async def seen(url: str, **options: Any) -> Answered | Silent:
    async with create_client() as client:
        return await look(client, "GET", url, **{"clock": lambda: NOW, **options})


async def answered(reply: Reply, **options: Any) -> Answered:
    with orthanc_double({"x": reply}) as double:
        found = await seen(f"{double.url}x", **options)
    assert isinstance(found, Answered)
    return found


async def test_an_answer_is_looked_at() -> None:
    fields = (("X-Thing", "y"),)
    found = await answered(Reply(b'{"a": [1]}', fields=fields, status=403))
    assert (found.status, found.headers["x-thing"]) == (403, "y")
    assert (found.json(), found.member("a"), found.member("b")) == (
        {"a": [1]},
        [1],
        None,
    )


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff"])
async def test_what_is_no_document_is_none(body: bytes) -> None:
    found = await answered(Reply(body))
    assert (found.json(), found.member("a")) == (None, None)


async def test_a_list_has_no_members() -> None:
    assert (await answered(Reply(b"[1]"))).member("a") is None


async def test_of_a_long_answer_the_beginning_is_read() -> None:
    found = await answered(Reply(b"x" * (READ_MAX * 4)))
    assert len(found.body) == READ_MAX


async def test_a_redirect_is_an_answer() -> None:
    found = await answered(Reply(status=301, fields=(("Location", "https://x/"),)))
    assert found.headers["location"] == "https://x/"


async def test_login_and_question_are_sent() -> None:
    with orthanc_double({"x": Reply(b"{}")}) as double:
        async with create_client() as client:
            await look(
                client,
                "POST",
                f"{double.url}x",
                clock=utc_now,
                auth=("jane", "pässword"),
                body={"q": 1},
            )
    (asked,) = double.asked
    assert asked.method == "POST"
    assert asked.fields["authorization"].startswith("Basic ")
    assert asked.body == b'{"q":1}'


@pytest.mark.parametrize("seconds", [-86_400, -31, 0, 31, 86_400])
async def test_a_clock_that_differs_is_measured(seconds: int) -> None:
    date = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)
    found = await answered(Reply(fields=(("Date", date),)))
    assert found.ahead == timedelta(seconds=seconds)


async def test_the_time_an_answer_takes_is_no_difference() -> None:
    instants = iter([NOW, NOW + timedelta(seconds=40)])
    date = format_datetime(NOW + timedelta(seconds=20), usegmt=True)
    reply = Reply(fields=(("Date", date),))
    found = await answered(reply, clock=lambda: next(instants))
    assert found.ahead == timedelta(0)


@pytest.mark.parametrize("date", ["yesterday", ""])
async def test_a_date_that_is_none_says_nothing(date: str) -> None:
    assert (await answered(Reply(fields=(("Date", date),)))).ahead is None


async def test_an_answer_without_a_date_says_nothing_of_the_time() -> None:
    with listening(answer_in_short) as address:
        found = await seen(f"http://{address}/")
    assert isinstance(found, Answered)
    assert (found.status, found.ahead) == (204, None)


Talk = Callable[[socket.socket], None]


@contextmanager
def listening(talk: Talk) -> Iterator[str]:
    """Listen for one connection, and treat it so."""

    def serve() -> None:
        try:
            accepted, _ = listener.accept()
        except OSError:
            return
        with accepted:
            talk(accepted)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def greet(connection: socket.socket) -> None:
    connection.recv(4096)
    connection.sendall(b"220 mail.example.org ESMTP\r\n")


def answer_in_short(connection: socket.socket) -> None:
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")


def say_nothing(connection: socket.socket) -> None:
    while connection.recv(4096):
        pass


async def test_what_speaks_no_http_says_so() -> None:
    with listening(greet) as address:
        assert await seen(f"http://{address}/") == Silent(Failure.NO_HTTP)


async def test_what_speaks_no_tls_says_so() -> None:
    with listening(greet) as address:
        assert await seen(f"https://{address}/") == Silent(Failure.NO_TLS)


async def test_what_says_nothing_is_given_up() -> None:
    with listening(say_nothing) as address:
        found = await seen(f"http://{address}/", within=0.2)
    assert found == Silent(Failure.TIMEOUT)


async def test_a_port_where_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    found = await seen(f"http://127.0.0.1:{port}/")
    assert found == Silent(Failure.REFUSED)


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        ([OSError(113, "IPv6"), ConnectionRefusedError("IPv4")], Failure.REFUSED),
        ([OSError(113, "IPv6"), OSError(113, "IPv4")], Failure.UNREACHABLE),
    ],
)
async def test_a_name_with_several_addresses_of_which_none_answers(
    errors: list[OSError], expected: Failure
) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        failed = OSError("as anyio puts it")
        failed.__cause__ = ExceptionGroup("each address", errors)
        raise httpx.ConnectError(str(failed), request=request) from failed

    async with httpx.AsyncClient(transport=httpx.MockTransport(fail)) as client:
        found = await look(client, "GET", "http://localhost/", clock=utc_now)
    assert found == Silent(expected)


async def test_a_name_that_nobody_knows() -> None:
    assert await seen("http://nobody.invalid/") == Silent(Failure.NAME)


async def test_an_address_that_leads_nowhere() -> None:
    found = await seen("http://255.255.255.255/")
    assert found == Silent(Failure.UNREACHABLE)


async def test_a_certificate_that_nobody_signed(certificate: tuple[str, str]) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)

    def talk(connection: socket.socket) -> None:
        try:
            context.wrap_socket(connection, server_side=True).close()
        except ssl.SSLError:
            return

    with listening(talk) as address:
        found = await seen(f"https://{address}/")
    assert isinstance(found, Silent)
    assert found.failure is Failure.CERTIFICATE
    assert found.to_text() == (
        "its certificate is not to be trusted (self-signed certificate)"
    )


def test_why_there_is_no_answer_is_told() -> None:
    assert Silent(Failure.REFUSED).to_text() == "nothing listens there"
