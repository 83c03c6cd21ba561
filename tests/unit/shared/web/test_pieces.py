"""Pieces for servers that know nothing of them."""

import pytest
from starlette.types import Message

from orthanc_share.web.pieces import PIECES, pieces_sender
from tests.unit.shared.web.asgi import http_scope

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("extensions", [None, {}, {"tls": {}}, {PIECES: {}}])
async def test_pieces_are_joined_for_servers_that_cannot_take_them(
    extensions: dict[str, object] | None,
) -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    scope = http_scope()
    if extensions is not None:
        scope["extensions"] = extensions
    await pieces_sender(scope, send)([b"one", memoryview(b"and two")[3:]])
    (message,) = sent
    assert message == {
        "type": "http.response.body",
        "body": b"one two",
        "more_body": True,
    }
    assert type(message["body"]) is bytes
