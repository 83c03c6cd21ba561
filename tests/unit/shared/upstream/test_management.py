"""The shares of a running token-service, over HTTP."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from orthanc_share.domain.errors import UpstreamError, UpstreamUnavailableError
from orthanc_share.upstream.management import (
    DETAIL_LENGTH_MAX,
    ManagementClient,
    ServiceRefusedError,
)

pytestmark = pytest.mark.anyio

Respond = Callable[[httpx.Request], httpx.Response]
PROBLEM = {"Content-Type": "application/problem+json"}


@asynccontextmanager
async def service(respond: Respond) -> AsyncIterator[ManagementClient]:
    def unread(request: httpx.Request) -> httpx.Response:
        made = respond(request)
        stream = httpx.ByteStream(made.content)
        return httpx.Response(made.status_code, headers=made.headers, stream=stream)

    transport = httpx.MockTransport(unread)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://service/below/"
    ) as client:
        yield ManagementClient(client)


def always(answer: httpx.Response) -> Respond:
    return lambda _request: answer


def problem(status: int, detail: str = "No.", code: str | None = "no") -> Respond:
    body: dict[str, Any] = {"detail": detail} | ({} if code is None else {"code": code})
    return always(httpx.Response(status, json=body, headers=PROBLEM))


async def test_each_question_goes_to_its_own_route() -> None:
    asked: list[tuple[str, str, Any]] = []

    def respond(request: httpx.Request) -> httpx.Response:
        content = json.loads(request.content) if request.content else None
        asked.append((request.method, request.url.raw_path.decode(), content))
        return httpx.Response(200, json={"revoked": 3, "id": "x"})

    async with service(respond) as client:
        await client.create({"type": "t"})
        await client.get("a/b")
        await client.change("id", {"title": None})
        await client.revoke("id", None)
        await client.revoke("id", "lost")
        assert await client.revoke_many({"creator": "jane"}) == 3
    assert asked == [
        ("PUT", "/below/shares", {"type": "t"}),
        ("GET", "/below/shares/a%2Fb", None),
        ("PATCH", "/below/shares/id", {"title": None}),
        ("DELETE", "/below/shares/id", None),
        ("DELETE", "/below/shares/id", {"reason": "lost"}),
        ("POST", "/below/shares/revoke", {"creator": "jane"}),
    ]


async def test_a_list_goes_on_to_its_last_page() -> None:
    pages = {None: ([1, 2], "b"), "b": ([3], "c"), "c": ([], None)}

    def respond(request: httpx.Request) -> httpx.Response:
        assert request.url.params["status"] == "active"
        found, cursor = pages[request.url.params.get("cursor")]
        body = {"shares": [{"n": n} for n in found], "next": cursor}
        return httpx.Response(200, json=body)

    async with service(respond) as client:
        found = [share["n"] async for share in client.shares({"status": "active"})]
    assert found == [1, 2, 3]


async def test_events_have_pages_too() -> None:
    def respond(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/below/shares/id/events"
        return httpx.Response(200, json={"events": [{"event": "x"}], "next": None})

    async with service(respond) as client:
        assert [event async for event in client.events("id")] == [{"event": "x"}]


async def test_a_page_that_leads_to_itself_is_an_error_and_no_loop() -> None:
    body = {"shares": [{}], "next": "again"}
    async with service(always(httpx.Response(200, json=body))) as client:
        with pytest.raises(UpstreamError, match="the same page again"):
            [share async for share in client.shares({})]


@pytest.mark.parametrize("body", [{}, {"shares": 1, "revoked": "x"}])
async def test_an_answer_without_what_was_asked_for_is_an_error(body: Any) -> None:
    async with service(always(httpx.Response(200, json=body))) as client:
        with pytest.raises(UpstreamError, match="no token-service of this version"):
            [share async for share in client.shares({})]
        with pytest.raises(UpstreamError, match="no token-service of this version"):
            await client.revoke_many({})


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"\xff"])
async def test_what_is_no_object_is_no_answer(body: bytes) -> None:
    async with service(always(httpx.Response(200, content=body))) as client:
        with pytest.raises(UpstreamError, match=r"no token-service .* \(status 200\)"):
            await client.get("id")


async def test_a_refusal_has_the_words_and_the_code_of_the_service() -> None:
    async with service(problem(404, "There is no share.", "share_not_found")) as client:
        with pytest.raises(
            ServiceRefusedError, match=r"^There is no share\.$"
        ) as caught:
            await client.get("id")
    assert (caught.value.status, caught.value.problem) == (404, "share_not_found")
    assert caught.value.is_final


async def test_a_refusal_cannot_command_a_terminal() -> None:
    long = "\x1b[2J" + "x" * 10_000
    async with service(problem(422, long)) as client:
        with pytest.raises(ServiceRefusedError) as caught:
            await client.get("id")
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) <= DETAIL_LENGTH_MAX


async def test_a_refused_login_is_not_a_matter_of_the_share() -> None:
    async with service(problem(401, "Not authenticated.", "request")) as client:
        with pytest.raises(ServiceRefusedError, match="user and password") as caught:
            await client.get("id")
    assert not caught.value.is_final


@pytest.mark.parametrize("status", [404, 405])
@pytest.mark.parametrize("headers", [PROBLEM, {"Content-Type": "text/html"}])
async def test_a_route_that_is_not_there_says_so(
    status: int, headers: dict[str, str]
) -> None:
    answer = httpx.Response(status, json={"detail": "Not Found"}, headers=headers)
    async with service(always(answer)) as client:
        with pytest.raises(ServiceRefusedError, match="has no registry") as caught:
            await client.get("id")
    assert not caught.value.is_final


async def test_a_service_without_database_says_what_is_away() -> None:
    async with service(problem(503, "The database is away.", "store")) as client:
        with pytest.raises(UpstreamUnavailableError, match=r"^The database is away"):
            await client.get("id")


async def test_a_proxy_without_service_is_told_by_its_status() -> None:
    async with service(always(httpx.Response(502, text="<html>secret"))) as client:
        with pytest.raises(UpstreamUnavailableError, match=r"is not ready: 502\.$"):
            await client.get("id")


@pytest.mark.parametrize("status", [301, 400, 500])
async def test_any_other_status_is_an_error_without_its_text(status: int) -> None:
    async with service(always(httpx.Response(status, text="secret"))) as client:
        with pytest.raises(UpstreamError, match=rf"\(status {status}\)\.$"):
            await client.get("id")
