"""Request id, log line, safe headers, bounded body."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from fastapi import FastAPI, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from orthanc_share.web.metrics import Metrics
from orthanc_share.web.middleware import (
    PATH_LOGGED_MAX,
    SAFE_HEADERS,
    BodyLimitMiddleware,
    RequestLogMiddleware,
    SafeHeadersMiddleware,
    install_middleware,
)
from orthanc_share.web.plain import BodyTooLargeError
from orthanc_share.web.problems import install_problems
from tests.support.logs import CollectedLog
from tests.unit.shared.web.asgi import (
    answer_ok,
    body,
    client,
    http_scope,
    receiving,
    run,
)

pytestmark = pytest.mark.anyio


def entries(log: CollectedLog) -> list[dict[str, Any]]:
    lines = (json.loads(line) for line in log.text.splitlines())
    return [entry for entry in lines if entry["logger"] == "orthanc_share.access"]


@pytest.mark.parametrize("layer", ["log", "headers", "limit"])
async def test_what_is_no_http_passes_through(layer: str) -> None:
    seen: list[str] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope["type"])

    layers: dict[str, ASGIApp] = {
        "log": RequestLogMiddleware(app, Metrics()),
        "headers": SafeHeadersMiddleware(app),
        "limit": BodyLimitMiddleware(app),
    }
    await run(layers[layer], {"type": "lifespan"}, receiving())
    assert seen == ["lifespan"]


async def test_every_request_gets_an_id_and_one_line_without_its_query(
    json_log: CollectedLog,
) -> None:
    app = RequestLogMiddleware(answer_ok, Metrics())
    async with client(app) as http:
        answer = await http.post("/welcome/?token=canary", content=b"canary")
    (entry,) = entries(json_log)
    assert entry["message"] == "request"
    assert entry["method"] == "POST"
    assert entry["path"] == "/welcome/"
    assert entry["status"] == 200
    assert entry["milliseconds"] >= 0
    assert entry["request_id"] == answer.headers["X-Request-ID"]
    assert len(entry["request_id"]) == 16
    assert "canary" not in json_log.text


async def test_invented_methods_make_no_metrics_of_their_own() -> None:
    metrics = Metrics()
    for method in ("BREW", "WHEN", "GET"):
        scope = {**http_scope(), "method": method}
        await run(RequestLogMiddleware(answer_ok, metrics), scope, receiving())
    shown = bytes((await metrics.expose(Request(http_scope()))).body).decode()
    assert 'method="other",status="200"} 2.0' in shown
    assert 'method="GET",status="200"} 1.0' in shown
    assert "BREW" not in shown


async def test_a_long_path_is_cut_in_the_log(json_log: CollectedLog) -> None:
    app = RequestLogMiddleware(answer_ok, Metrics())
    await run(app, http_scope("/" + "x" * 60_000), receiving())
    (entry,) = entries(json_log)
    assert len(entry["path"]) == PATH_LOGGED_MAX


@pytest.mark.parametrize(
    ("given", "is_taken"),
    [
        ("0123456789abcdef", True),
        ("a" * 64, True),
        ("short", False),
        ("a" * 65, False),
        ('0123456789"}', False),
        ("0123 456789", False),
        ("0123456789\xfc", False),
    ],
)
async def test_the_proxy_s_request_id_is_taken_over_if_it_is_one(
    given: str,
    is_taken: bool,  # noqa: FBT001 - a column of the table
) -> None:
    scope = http_scope("/", headers=[("X-Request-ID", given)])
    app = RequestLogMiddleware(answer_ok, Metrics())
    start, _ = await run(app, scope, body(b""))
    ids = [
        value.decode() for name, value in start["headers"] if name == b"x-request-id"
    ]
    assert ids == [scope["state"]["request_id"]]
    assert (ids == [given]) is is_taken


async def test_an_unexpected_error_is_500_and_told_without_its_text(
    json_log: CollectedLog,
) -> None:
    async def app(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise ValueError("canary")

    metrics = Metrics()
    async with client(RequestLogMiddleware(app, metrics)) as http:
        answer = await http.get("/")
    assert answer.status_code == 500
    assert answer.json()["detail"] == "Something went wrong here."
    assert "canary" not in answer.text
    failure, request = entries(json_log)
    assert failure["exception"].endswith("builtins.ValueError")
    assert failure["request_id"] == request["request_id"]
    assert request["request_id"] == answer.headers["X-Request-ID"]
    assert request["status"] == 500
    assert "canary" not in json_log.text


async def test_an_error_after_the_answer_began_cuts_the_connection(
    json_log: CollectedLog,
) -> None:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ValueError("canary")

    with pytest.raises(ValueError, match="canary"):
        await run(RequestLogMiddleware(app, Metrics()), http_scope(), body(b""))
    failure, request = entries(json_log)
    assert failure["level"] == "error"
    assert request["status"] == 200


async def test_the_time_of_each_answer_is_measured() -> None:
    metrics = Metrics()
    async with client(RequestLogMiddleware(answer_ok, metrics)) as http:
        await http.get("/")
    exposed = await metrics.expose(Request(http_scope()))
    assert b'request_seconds_count{method="GET",status="200"} 1.0' in exposed.body


async def test_every_answer_has_safe_headers_unless_the_endpoint_says_else() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        own = {"Cache-Control": "max-age=60"} if scope["path"] == "/own" else {}
        await Response("x", headers=own)(scope, receive, send)

    async with client(SafeHeadersMiddleware(app)) as http:
        plain, own = await http.get("/"), await http.get("/own")
    for name, value in SAFE_HEADERS.items():
        assert plain.headers[name] == value
    assert own.headers.get_list("Cache-Control") == ["max-age=60"]
    assert own.headers["Referrer-Policy"] == "no-referrer"


async def test_a_body_up_to_the_limit_passes() -> None:
    app = BodyLimitMiddleware(answer_ok, limit=10)
    async with client(app) as http:
        assert (await http.post("/", content=b"x" * 10)).text == "10"
    _, told = await run(app, http_scope("/", "POST"), body(b"x" * 5, b"x" * 5))
    assert told["body"] == b"10"


async def test_an_announced_body_beyond_it_is_not_even_read() -> None:
    async def unused() -> AsyncIterator[bytes]:
        yield b""

    async with client(BodyLimitMiddleware(answer_ok, limit=10)) as http:
        answer = await http.post(
            "/", content=unused(), headers={"Content-Length": "11"}
        )
    assert answer.status_code == 413
    assert answer.json()["detail"] == "The body is too large."


async def test_a_body_that_turns_out_too_long_is_refused() -> None:
    app = BodyLimitMiddleware(answer_ok, limit=10)
    with pytest.raises(BodyTooLargeError):
        await run(app, http_scope("/", "POST"), body(b"x" * 10, b"x"))


async def test_all_of_it_stands_in_front_of_an_application(
    json_log: CollectedLog,
) -> None:
    app = FastAPI()
    install_problems(app)

    @app.post("/length")
    async def length(request: Request) -> int:
        return len(await request.body())

    install_middleware(app, Metrics())

    async def too_much() -> AsyncIterator[bytes]:
        for _ in range(17):
            yield b"x" * 65_536

    async with client(app) as http:
        good = await http.post("/length", content=b"x")
        announced = await http.post("/length", content=b"x" * 17 * 65_536)
        chunked = await http.post("/length", content=too_much())
    assert good.json() == 1
    assert [announced.status_code, chunked.status_code] == [413, 413]
    for answer in (good, announced, chunked):
        assert answer.headers["X-Request-ID"]
        assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert [entry["status"] for entry in entries(json_log)] == [200, 413, 413]
