"""The streaming client: nothing is sent or trusted that need not be."""

from datetime import timedelta

import pytest

from orthanc_share.domain.errors import (
    UpstreamError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from orthanc_share.upstream.bulk import BulkClient, BulkSettings
from tests.support.orthanc_double import Reply, orthanc_double

pytestmark = pytest.mark.anyio


async def _read(url: str, reply: Reply | None = None, limit: int = 1000) -> bytes:
    settings = BulkSettings(root=url, name="It", read=timedelta(seconds=0.3))
    client = BulkClient(settings)
    try:
        async with client.request("GET", "page?a=b") as answer:
            if reply is not None:
                assert answer.status == reply.status
                assert answer.content_type == reply.content_type
            return await answer.read(limit)
    finally:
        await client.aclose()


async def test_an_answer_is_read_whole() -> None:
    reply = Reply(b"body", "text/plain", 404, fields=(("Set-Cookie", "visitor=1"),))
    with orthanc_double({"page": reply}) as server:
        client = BulkClient(BulkSettings(root=server.url, name="It", auth=("a", "ü")))
        for _ in range(2):
            async with client.request("GET", "page", headers={"X-A": "1"}) as answer:
                assert answer.length == 4
                assert await answer.read(4) == b"body"
        await client.aclose()
        await client.aclose()
    for asked in server.asked:
        assert asked.fields["accept-encoding"] == "identity"
        assert asked.fields["user-agent"] == "orthanc-share"
        assert asked.fields["authorization"].startswith("Basic ")
        assert asked.fields["x-a"] == "1"
        assert "cookie" not in asked.fields


async def test_an_answer_without_length_is_read_to_its_end() -> None:
    reply = Reply(b"body", "text/plain", length=-1)
    with orthanc_double({"page": reply}) as server:
        assert await _read(server.url, reply) == b"body"


async def test_an_answer_in_chunks_is_read_to_its_end() -> None:
    chunks = b"3\r\nbod\r\n1\r\ny\r\n0\r\n\r\n"
    fields = (("Transfer-Encoding", "chunked"),)
    reply = Reply(chunks, "text/plain", fields=fields, length=-1)
    with orthanc_double({"page": reply}) as server:
        assert await _read(server.url, reply) == b"body"


async def test_environment_and_redirects_are_not_followed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1/")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1/")
    reply = Reply(b"there", "text/plain", 302, fields=(("Location", "/elsewhere"),))
    with orthanc_double({"page": reply}) as server:
        assert await _read(server.url, reply) == b"there"
        assert server.paths() == ["page"]


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(b"x" * 1001), UpstreamError),
        (Reply(b"x", fields=(("Content-Encoding", "gzip"),)), UpstreamError),
        (Reply(b"x", length=100), UpstreamError),
        (Reply(b"x", length=100, resets=True), UpstreamError),
        (Reply(b"x", length=100, hangs=True), UpstreamTimeoutError),
        (Reply(b"x" * 500, drips=True), UpstreamTimeoutError),
    ],
)
async def test_what_goes_wrong_is_an_error_without_a_word_of_it(
    reply: Reply, error: type[UpstreamError]
) -> None:
    with (
        orthanc_double({"page": reply}) as server,
        pytest.raises(error) as raised,
    ):
        await _read(server.url)
    assert type(raised.value) is error
    assert "127.0.0.1" not in str(raised.value)
    assert raised.value.__cause__ is None


async def test_nobody_there_is_an_error() -> None:
    with orthanc_double({}) as server:
        url = server.url
    with pytest.raises(UpstreamUnavailableError, match="It cannot be reached"):
        await _read(url)


async def test_what_is_no_http_is_an_error() -> None:
    reply = Reply(b"x", fields=(("Content-Length", "some"),), length=-1)
    with orthanc_double({"page": reply}) as server, pytest.raises(UpstreamError):
        await _read(server.url)


async def test_the_pace_is_looked_at_again_and_again() -> None:
    reply = Reply(b"x" * 2_000_000, "text/plain")
    with orthanc_double({"page": reply}) as server:
        # A period of no length is over with each piece.
        settings = BulkSettings(root=server.url, name="It", read=timedelta(0))
        client = BulkClient(settings)
        async with client.request("GET", "page") as answer:
            assert len(await answer.read(2_000_000)) == 2_000_000
        await client.aclose()
