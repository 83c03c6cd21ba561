"""Which endpoint answers."""

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from orthanc_share.web.routing import PlainRoutes
from tests.unit.shared.web.asgi import body, http_scope, receiving, run

pytestmark = pytest.mark.anyio


def named(name: str) -> PlainTextResponse:
    return PlainTextResponse(name)


ROUTES = PlainRoutes(
    named("behind"),
    routes={
        "/exact": {"POST": named("exact")},
        "/below/both": {"GET": named("both")},
        "/below/{what}": {"PUT": named("below"), "GET": named("one")},
        "/below/{what}/part": {"GET": named("part")},
    },
)


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("POST", "/exact", "exact"),
        ("POST", "/exact/", "behind"),
        ("POST", "/Exact", "behind"),
        ("POST", "/exac", "behind"),
        ("POST", "//exact", "behind"),
        ("PUT", "/below/anything", "below"),
        ("PUT", "/below/", "below"),
        ("PUT", "/below", "behind"),
        ("GET", "/below/both", "both"),
        ("GET", "/below/both/", "one"),
        ("GET", "/below/x/part", "part"),
        ("GET", "/below//part", "part"),
        ("GET", "/below/part", "one"),
        ("GET", "/below/x/y/part", "part"),
        ("PUT", "/below/x/part/", "below"),
        ("GET", "/elsewhere", "behind"),
    ],
)
async def test_paths_go_where_they_should(
    method: str, path: str, expected: str
) -> None:
    sent = await run(ROUTES, http_scope(path, method), body(b""))
    assert sent[0]["status"] == 200
    assert sent[1]["body"].decode() == expected


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/below/abc", "abc"),
        ("/below/", ""),
        ("/below/a/b", "a/b"),
        ("/below/abc/part", "abc"),
        ("/below//part", ""),
        ("/below/part", "part"),
    ],
)
async def test_the_text_that_stands_for_the_name_is_told(path: str, text: str) -> None:
    scope = http_scope(path)
    await run(ROUTES, scope, body(b""))
    assert scope["path_params"] == {"what": text}


async def test_head_is_answered_like_get() -> None:
    start, _ = await run(ROUTES, http_scope("/below/both", "HEAD"), body(b""))
    assert start["status"] == 200


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/exact", b"POST"),
        ("HEAD", "/exact", b"POST"),
        ("DELETE", "/exact", b"POST"),
        ("POST", "/below/anything", b"GET, PUT"),
        ("PUT", "/below/both", b"GET"),
        ("PUT", "/below/x/part", b"GET"),
    ],
)
async def test_another_method_is_405_with_those_that_are_allowed(
    method: str, path: str, allow: bytes
) -> None:
    start, _ = await run(ROUTES, http_scope(path, method), body(b""))
    assert start["status"] == 405
    assert dict(start["headers"])[b"allow"] == allow


async def test_what_is_no_http_goes_on() -> None:
    seen: list[str] = []

    async def behind(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope["type"])

    routes = PlainRoutes(behind, routes={})
    await run(routes, {"type": "websocket"}, receiving())
    assert seen == ["websocket"]
