"""The outgoing client sends nothing that it was not told, and trusts no answer."""

import logging
import ssl
from collections.abc import AsyncIterator
from datetime import timedelta

import anyio
import httpx
import pytest
from typing_extensions import override

from orthanc_share.domain.errors import UpstreamError, UpstreamUnavailableError
from orthanc_share.upstream.client import (
    USER_AGENT,
    Timeouts,
    check_status,
    create_client,
    read_bounded,
    upstream_errors,
)

pytestmark = pytest.mark.anyio

ANSWER = (
    b"HTTP/1.1 302 Found\r\nSet-Cookie: visitor=1; Path=/\r\n"
    b"Location: /elsewhere\r\nContent-Length: 0\r\n\r\n"
)


class Recorder:
    """A server that keeps what it got and always gives the same answer."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.requests: list[bytes] = []
        self.url = ""

    async def talk(self, stream: anyio.abc.SocketStream) -> None:
        """Answer one request after the other."""
        async with stream:
            with anyio.move_on_after(10):
                try:
                    while True:
                        self.requests.append(await stream.receive())
                        await stream.send(self.answer)
                except (anyio.EndOfStream, anyio.BrokenResourceError):
                    return


@pytest.fixture
async def server() -> AsyncIterator[Recorder]:
    recorder = Recorder(ANSWER)
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = listener.extra(  # noqa: S610 -- not the one of Django
        anyio.abc.SocketAttribute.local_port
    )
    recorder.url = f"http://127.0.0.1:{port}/page?token=secret-token"
    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, recorder.talk)
        yield recorder
        group.cancel_scope.cancel()


async def test_a_redirect_is_not_followed(server: Recorder) -> None:
    async with create_client() as client:
        response = await client.get(server.url)
    assert response.status_code == 302
    assert len(server.requests) == 1


async def test_a_cookie_of_one_visitor_is_not_sent_for_the_next(
    server: Recorder,
) -> None:
    async with create_client() as client:
        await client.get(server.url)
        await client.get(server.url)
    assert b"cookie" not in server.requests[1].lower()


async def test_the_environment_has_no_say(
    server: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    async with create_client() as client:
        assert (await client.get(server.url)).status_code == 302


async def test_requests_name_us_and_ask_for_nothing_compressed(
    server: Recorder,
) -> None:
    async with create_client(auth=("user", "password")) as client:
        await client.get(server.url)
    sent = server.requests[0].lower()
    assert f"user-agent: {USER_AGENT}\r\n".encode() in sent
    assert b"accept-encoding: identity\r\n" in sent
    assert b"authorization: basic dxnlcjpwyxnzd29yza==\r\n" in sent


async def test_no_address_reaches_the_log_whatever_its_level(
    server: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with create_client() as client:
        await client.get(server.url)
    assert "secret-token" not in caplog.text


async def test_time_outs_are_those_given() -> None:
    timeouts = Timeouts(
        connect=timedelta(seconds=1),
        read=timedelta(seconds=2),
        write=timedelta(seconds=3),
        pool=timedelta(seconds=4),
    )
    async with create_client(timeouts=timeouts) as client:
        assert client.timeout == httpx.Timeout(connect=1, read=2, write=3, pool=4)


async def test_a_private_authority_can_be_given() -> None:
    context = ssl.create_default_context()
    async with create_client(base_url="https://127.0.0.1/", tls=context) as client:
        assert client.base_url == "https://127.0.0.1/"


@pytest.mark.parametrize(
    ("cause", "error"),
    [
        (httpx.ReadTimeout("secret"), UpstreamUnavailableError),
        (httpx.PoolTimeout("secret"), UpstreamUnavailableError),
        (TimeoutError("secret"), UpstreamUnavailableError),
        (httpx.ConnectError("secret"), UpstreamUnavailableError),
        (httpx.ReadError("secret"), UpstreamUnavailableError),
        (httpx.RemoteProtocolError("secret"), UpstreamError),
        (httpx.UnsupportedProtocol("secret"), UpstreamError),
    ],
)
async def test_a_failure_is_told_in_our_words(
    cause: Exception, error: type[UpstreamError]
) -> None:
    with pytest.raises(UpstreamError) as raised, upstream_errors("Orthanc"):
        raise cause
    assert type(raised.value) is error
    assert "secret" not in str(raised.value)
    assert str(raised.value).startswith("Orthanc ")
    assert raised.value.__suppress_context__


async def test_a_block_without_failure_passes() -> None:
    with upstream_errors("Orthanc"):
        pass


@pytest.mark.parametrize("status", [200, 201, 204, 299])
async def test_every_success_is_accepted(status: int) -> None:
    check_status(httpx.Response(status), "Orthanc")


@pytest.mark.parametrize("status", [199, 302, 307, 400, 401, 404, 500, 501])
async def test_any_other_status_is_nonsense(status: int) -> None:
    with pytest.raises(UpstreamError) as raised:
        check_status(httpx.Response(status), "Orthanc")
    assert type(raised.value) is UpstreamError


@pytest.mark.parametrize("status", [429, 502, 503, 504])
async def test_an_overloaded_server_is_unavailable(status: int) -> None:
    with pytest.raises(UpstreamUnavailableError, match=str(status)):
        check_status(httpx.Response(status), "Orthanc")


async def test_a_body_is_read_up_to_its_limit() -> None:
    response = httpx.Response(200, stream=_Pieces())
    assert await read_bounded(response, 10, "Orthanc") == b"1234567890"


async def test_a_longer_body_is_refused() -> None:
    response = httpx.Response(200, stream=_Pieces())
    with pytest.raises(UpstreamError, match="more than 9 bytes"):
        await read_bounded(response, 9, "Orthanc")


async def test_a_compressed_body_is_refused_unread() -> None:
    headers = {"Content-Encoding": "gzip"}
    with pytest.raises(UpstreamError, match="compressed"):
        await read_bounded(httpx.Response(200, headers=headers), 9, "Orthanc")


class _Pieces(httpx.AsyncByteStream):
    @override
    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"12345"
        yield b"67890"
