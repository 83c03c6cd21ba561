"""Much that arrives at once, as a fast client sends it; no network in between."""

import asyncio
from typing import Any

import pytest
import uvicorn
from typing_extensions import override
from uvicorn.server import ServerState

from suite.protocol import PIECE, TimeLimitedProtocol
from tests.unit.services.suite.test_protocol import answer_early


class Recorder(asyncio.Transport):
    """A connection that keeps what the server writes."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False

    @override
    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    @override
    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    @override
    def is_closing(self) -> bool:
        return self.closed

    @override
    def close(self) -> None:
        self.closed = True


@pytest.mark.anyio
async def test_nothing_is_parsed_after_the_connection_was_cut_off() -> None:
    config = uvicorn.Config(answer_early, ws="none", lifespan="off", log_config=None)
    loop = asyncio.get_running_loop()
    protocol = TimeLimitedProtocol(config, ServerState(), {}, loop)
    connection = Recorder()
    protocol.connection_made(connection)
    protocol.data_received(b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * PIECE)
    protocol.connection_lost(None)
    assert connection.closed
    assert connection.written.startswith(b"HTTP/1.1 431 ")
    assert connection.written.count(b"HTTP/1.1") == 1
