"""Endpoints without a framework."""

import asyncio
import base64
import json
from typing import Any

import anyio
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse, Response
from starlette.types import Message, Receive, Scope

from orthanc_share.domain.errors import InvalidTokenError, UpstreamUnavailableError
from orthanc_share.web import plain
from orthanc_share.web.authentication import ANYBODY, Authenticator
from orthanc_share.web.json_body import JSON_LIMIT
from orthanc_share.web.plain import (
    CALLER,
    Answer,
    BodyTooLargeError,
    PlainEndpoint,
    PlainFastAPI,
    header,
    read_body,
)
from orthanc_share.web.problems import RequestError
from tests.support.logs import CollectedLog
from tests.unit.shared.web.asgi import body, client, http_scope, receiving, run

pytestmark = pytest.mark.anyio

LOGIN = ("Authorization", "Basic " + base64.b64encode(b"jane:pw").decode())
USERS = Authenticator({"jane": SecretStr("pw")})
OPEN = Authenticator(None)


async def echo(scope: Scope, given: bytes) -> bytes:
    return json.dumps({"caller": scope[CALLER], "length": len(given)}).encode()


def failing(error: Exception) -> Answer:
    async def answer(_scope: Scope, _body: bytes) -> bytes:
        raise error

    return answer


def json_of(sent: Any) -> Any:
    return json.loads(sent[1]["body"])


def test_the_first_header_of_a_name_counts() -> None:
    scope = http_scope(headers=[("A", "1"), ("B", "2"), ("a", "3")])
    assert header(scope, b"a") == b"1"
    assert header(scope, b"c") is None


async def test_an_answer_is_json_that_nobody_stores() -> None:
    sent = await run(PlainEndpoint(echo, OPEN), http_scope(), body(b"12", b"", b"345"))
    start, told = sent
    assert start["status"] == 200
    assert dict(start["headers"]) == {
        b"content-type": b"application/json",
        b"cache-control": b"no-store",
        b"content-length": str(len(told["body"])).encode(),
    }
    assert json_of(sent) == {"caller": ANYBODY, "length": 5}


async def test_the_caller_is_known_to_the_answer() -> None:
    for _ in range(2):  # checked, then remembered
        scope = http_scope(headers=[LOGIN])
        sent = await run(PlainEndpoint(echo, USERS), scope, body(b""))
        assert json_of(sent)["caller"] == "jane"


async def test_a_stranger_is_refused_before_the_body_is_read() -> None:
    async def unread() -> Message:
        raise AssertionError("the body was read")

    sent = await run(PlainEndpoint(echo, USERS), http_scope(), unread)
    assert sent[0]["status"] == 401
    assert (b"www-authenticate", USERS_CHALLENGE) in sent[0]["headers"]


USERS_CHALLENGE = b'Basic realm="orthanc-share", charset="UTF-8"'


async def test_an_answer_may_be_a_whole_response() -> None:
    async def answer(_scope: Scope, _body: bytes) -> Response:
        return PlainTextResponse("as it is", 201)

    start, told = await run(PlainEndpoint(answer, OPEN), http_scope(), body(b""))
    assert start["status"] == 201
    assert told["body"] == b"as it is"


@pytest.mark.parametrize(
    ("error", "status"),
    [(InvalidTokenError("No."), 403), (UpstreamUnavailableError("No."), 503)],
)
async def test_an_error_of_the_domain_is_a_problem(
    error: Exception, status: int
) -> None:
    sent = await run(PlainEndpoint(failing(error), OPEN), http_scope(), body(b""))
    assert sent[0]["status"] == status
    assert json_of(sent)["detail"] == "No."


async def test_the_reason_of_a_refusal_is_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    refused = failing(InvalidTokenError("Not ours."))
    await run(PlainEndpoint(refused, OPEN), http_scope(), body(b""))
    (record,) = (r for r in caplog.records if r.getMessage() == "refused")
    assert vars(record)["code"] == "invalid_token"
    assert vars(record)["detail"] == "Not ours."


async def test_a_failed_login_is_in_the_log_without_name_or_password(
    caplog: pytest.LogCaptureFixture,
) -> None:
    login = base64.b64encode(b"canary-name:canary-password").decode()
    scope = http_scope(headers=[("Authorization", f"Basic {login}")])
    await run(PlainEndpoint(echo, USERS), scope, body(b""))
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert "canary" not in str(vars(record))
    assert login not in str(vars(record))


async def test_any_other_error_is_500_without_its_text(json_log: CollectedLog) -> None:
    endpoint = PlainEndpoint(failing(ValueError("canary")), OPEN)
    sent = await run(endpoint, http_scope(), body(b""))
    assert sent[0]["status"] == 500
    assert b"canary" not in sent[1]["body"]
    assert "builtins.ValueError" in json_log.text
    assert "canary" not in json_log.text


@pytest.mark.parametrize(
    "receive",
    [
        receiving(),
        receiving({"type": "http.request", "body": b"x", "more_body": True}),
    ],
    ids=["at once", "in the middle"],
)
async def test_a_caller_who_leaves_gets_no_answer(receive: Receive) -> None:
    assert await run(PlainEndpoint(echo, OPEN), http_scope(), receive) == []


@pytest.mark.parametrize("chunks", [1, 3])
async def test_a_body_up_to_the_limit_is_read(chunks: int) -> None:
    part = b"x" * (9 // chunks)
    assert await read_body(body(*[part] * chunks), limit=9) == b"x" * 9


@pytest.mark.parametrize("parts", [[b"x" * 10], [b"x" * 9, b"x"], [b"x" * 10, b""]])
async def test_a_longer_one_is_refused(parts: list[bytes]) -> None:
    with pytest.raises(BodyTooLargeError):
        await read_body(body(*parts), limit=9)


async def test_a_caller_who_leaves_while_sending_is_noticed() -> None:
    with pytest.raises(ClientDisconnect):
        await read_body(receiving())


async def test_a_body_that_comes_too_slowly_is_408(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(plain, "BODY_TIMEOUT", 0.01)
    first = asyncio.Event()

    async def slow() -> Message:
        if first.is_set():
            await anyio.sleep_forever()
        first.set()
        return {"type": "http.request", "body": b"{", "more_body": True}

    with pytest.raises(RequestError) as caught:
        await read_body(slow)
    assert caught.value.status == 408
    assert caught.value.headers == {"Connection": "close"}


async def test_a_question_of_any_length_gets_an_answer() -> None:
    long = body(b"x" * JSON_LIMIT, b"x")
    asked = PlainEndpoint(echo, OPEN, reads_anything=True)
    assert json_of(await run(asked, http_scope(), long))["length"] == 0
    long = body(b"x" * JSON_LIMIT, b"x")
    sent = await run(PlainEndpoint(echo, OPEN), http_scope(), long)
    assert sent[0]["status"] == 413


def named(name: str) -> PlainTextResponse:
    return PlainTextResponse(name)


async def test_the_busiest_paths_are_answered_before_fastapi() -> None:
    app = PlainFastAPI()
    app.first = {"/first": {"POST": named("first")}}

    @app.get("/first")
    async def usual() -> str:
        return "usual"

    async with client(app) as http:
        assert (await http.post("/first")).text == "first"
        assert (await http.get("/first")).json() == "usual"
        assert (await http.get("/elsewhere")).status_code == 404
    async with app.router.lifespan_context(app):
        pass
    events = receiving({"type": "lifespan.startup"}, {"type": "lifespan.shutdown"})
    scope: Scope = {"type": "lifespan", "app": app, "state": {}}
    kinds = [message["type"] for message in await run(app, scope, events)]
    assert kinds == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert FastAPI().router is not app.router


def refuse(_scope: Scope, _body: bytes) -> bytes:
    raise InvalidTokenError("what went wrong")


def measure(_scope: Scope, given: bytes) -> bytes:
    return str(len(given)).encode()


async def test_who_is_known_may_be_answered_at_once() -> None:
    users = Authenticator({"jane": SecretStr("pw")})
    endpoint = PlainEndpoint(echo, users, answer_at_once=measure)
    scope = http_scope(headers=[LOGIN])
    assert endpoint.at_once(scope, b"abc") is None
    await run(endpoint, scope, body(b""))
    assert endpoint.at_once(scope, b"abc") == b"3"
    assert endpoint.at_once(http_scope(), b"abc") is None


def test_what_needs_time_or_fails_is_left_to_the_endpoint() -> None:
    scope = http_scope()
    assert PlainEndpoint(echo, OPEN).at_once(scope, b"") is None
    failed = PlainEndpoint(echo, OPEN, answer_at_once=refuse).at_once(scope, b"")
    assert failed is None
