"""Questions to another service of ours."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx
import pytest

from orthanc_share.domain.errors import UpstreamError, UpstreamUnavailableError
from orthanc_share.upstream.calls import ANSWER_BYTES_MAX, Calls
from orthanc_share.upstream.client import create_client

pytestmark = pytest.mark.anyio

Handler = Callable[[httpx.Request], httpx.Response]


@asynccontextmanager
async def asking(
    handler: Handler,
) -> AsyncIterator[Calls]:
    transport = httpx.MockTransport(handler)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://tokens.example/base/"
    ) as client:
        yield Calls(client, "token-service")


async def test_a_question_goes_below_the_address_of_the_server() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, stream=httpx.ByteStream(b"{}"))

    async with asking(answer) as calls:
        assert await calls.get("shares/news", {"cursor": "5"}) == b"{}"
        assert await calls.post("links/look", b'{"code":"x"}') == b"{}"
    get, post = asked
    assert (get.method, str(get.url)) == (
        "GET",
        "http://tokens.example/base/shares/news?cursor=5",
    )
    assert str(post.url) == "http://tokens.example/base/links/look"
    assert (post.method, post.content) == ("POST", b'{"code":"x"}')
    assert post.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (302, UpstreamError),
        (401, UpstreamError),
        (404, UpstreamError),
        (422, UpstreamError),
        (500, UpstreamError),
        (502, UpstreamUnavailableError),
        (503, UpstreamUnavailableError),
        (504, UpstreamUnavailableError),
    ],
)
async def test_another_status_is_no_answer(
    status: int, error: type[UpstreamError]
) -> None:
    def answer(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, stream=httpx.ByteStream(b"canary"))

    async with asking(answer) as calls:
        with pytest.raises(error) as refused:
            await calls.post("links/open", b"{}")
    assert type(refused.value) is error
    assert str(status) in str(refused.value)
    assert "canary" not in str(refused.value)


async def test_an_answer_that_is_too_long_is_no_answer() -> None:
    def answer(_request: httpx.Request) -> httpx.Response:
        long = httpx.ByteStream(b"x" * (ANSWER_BYTES_MAX + 1))
        return httpx.Response(200, stream=long)

    async with asking(answer) as calls:
        with pytest.raises(UpstreamError, match="more than"):
            await calls.get("shares/news")


async def test_a_server_that_is_not_there_is_not_available() -> None:
    address = "http://127.0.0.1:9/"  # the port where nobody listens
    async with create_client(base_url=address) as client:
        with pytest.raises(UpstreamUnavailableError, match="cannot be reached"):
            await Calls(client, "token-service").get("shares/news")


class Listener:
    """A server that counts connections, and answers when `has_words`."""

    def __init__(self, *, has_words: bool) -> None:
        self.has_words = has_words
        self.connections = 0
        self.address = ""

    async def talk(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Answer one question, and wait until the caller has left."""
        self.connections += 1
        if self.has_words:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        await reader.read()
        writer.close()
        await writer.wait_closed()
        self.left.release()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Listen for the block; at the end all callers have left."""
        self.left = asyncio.Semaphore(0)
        server = await asyncio.start_server(self.talk, "127.0.0.1", 0)
        self.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        yield
        server.close()
        for _ in range(self.connections):
            await self.left.acquire()


async def test_a_server_that_says_nothing_is_not_waited_for() -> None:
    silent = Listener(has_words=False)
    async with silent.listening(), create_client(base_url=silent.address) as client:
        calls = Calls(client, "token-service", timedelta(milliseconds=50))
        with pytest.raises(UpstreamUnavailableError, match="in time"):
            await calls.post("links/open", b"{}")


async def test_no_connection_is_used_twice() -> None:
    server = Listener(has_words=True)
    async with (
        server.listening(),
        create_client(base_url=server.address, keep_alive=False) as client,
    ):
        calls = Calls(client, "token-service")
        assert [await calls.get("x") for _ in range(3)] == [b"{}"] * 3
    assert server.connections == 3
