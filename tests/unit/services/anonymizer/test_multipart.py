"""Multipart bodies: however they are cut into pieces, they say the same."""

from collections.abc import AsyncIterator
from typing import cast

import pytest

from anonymizer.multipart import MultipartWriter, parts
from orthanc_share.domain.errors import UpstreamError
from orthanc_share.upstream.bulk import BulkAnswer
from tests.support.orthanc_double import Reply, multipart

pytestmark = pytest.mark.anyio
BODIES = [b"first", b"", b"--a-boundary-of-the-double\r\n in a body"]
REPLY = multipart(BODIES)


class Answer:
    """An answer whose body comes in pieces of one size."""

    def __init__(self, reply: Reply, size: int) -> None:
        self.content_type = reply.content_type
        self._body = reply.body
        self._size = size

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield the body."""
        for start in range(0, len(self._body), self._size):
            yield self._body[start : start + self._size]


async def read(reply: Reply, size: int, limit: int = 100) -> list[tuple[str, bytes]]:
    answer = cast("BulkAnswer", Answer(reply, size))
    return [(one.content_type, await one.read(limit)) async for one in parts(answer)]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50, 10_000])
async def test_pieces_of_any_size_make_the_same_parts(size: int) -> None:
    expected = [("application/dicom", body) for body in BODIES]
    assert await read(REPLY, size) == expected
    empty_line = Reply(b"\r\n" + REPLY.body, REPLY.content_type)
    assert await read(empty_line, size) == expected


@pytest.mark.parametrize("size", [1, 50, 10_000])
async def test_a_body_that_ends_anywhere_is_broken(size: int) -> None:
    for end in range(len(REPLY.body) - 2):
        cut = Reply(REPLY.body[:end], REPLY.content_type)
        with pytest.raises(UpstreamError):
            await read(cut, size)


async def test_parts_that_nobody_reads_are_passed_over() -> None:
    answer = cast("BulkAnswer", Answer(REPLY, 5))
    assert [one.length async for one in parts(answer)] == [5, 0, len(BODIES[2])]


async def test_a_part_that_is_too_long_is_not_read() -> None:
    with pytest.raises(UpstreamError):
        await read(REPLY, 100, limit=4)


async def test_what_is_written_can_be_read() -> None:
    writer = MultipartWriter("application/dicom")
    assert writer.end().startswith(b"--")
    pieces = [
        piece for body in (b"one", b"two") for piece in (writer.head("a/b"), body)
    ]
    written = b"".join([*pieces, writer.end()])
    boundary = writer.content_type.rpartition("boundary=")[2].encode()
    assert written.split(b"--" + boundary) == [
        b"",
        b"\r\nContent-Type: a/b\r\n\r\none\r\n",
        b"\r\nContent-Type: a/b\r\n\r\ntwo\r\n",
        b"--\r\n",
    ]
