"""The broker gets MedDream's tokens, and nothing else (defects A42-A44, S14, S23)."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import httpx
import pytest

from orthanc_share.domain.errors import (
    ConfigurationError,
    InvalidResourceError,
    UpstreamError,
    UpstreamUnavailableError,
)
from orthanc_share.upstream.client import create_client
from orthanc_share.upstream.meddream import MedDreamBroker
from tests.support.meddream import Fault, MedDreamTokenService

pytestmark = pytest.mark.anyio

STUDIES = ["1.2.276.0.99.1", "1.2.276.0.99.2"]


@pytest.fixture
def service() -> Iterator[MedDreamTokenService]:
    with MedDreamTokenService() as service:
        yield service


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with create_client() as client:
        yield client


@pytest.fixture
async def broker(
    client: httpx.AsyncClient, service: MedDreamTokenService
) -> AsyncIterator[MedDreamBroker]:
    broker = MedDreamBroker(client, service.url)
    yield broker
    await broker.aclose()


async def test_a_token_is_asked_for_as_the_protocol_says(
    broker: MedDreamBroker, service: MedDreamTokenService
) -> None:
    assert await broker.issue(STUDIES) == service.tokens[0]
    assert service.calls == [
        {
            "items": [
                {"studies": {"study": "1.2.276.0.99.1", "storage": "Orthanc"}},
                {"studies": {"study": "1.2.276.0.99.2", "storage": "Orthanc"}},
            ]
        }
    ]


@pytest.mark.parametrize(
    "url",
    ["http://xn--/generate", pytest.param("http://x/" + "a" * 70_000, id="long")],
)
async def test_an_address_that_cannot_be_used_stops_the_start(
    client: httpx.AsyncClient, url: str
) -> None:
    with pytest.raises(ConfigurationError, match="MEDDREAM_TOKEN_SERVICE_URL"):
        MedDreamBroker(client, url)


async def test_the_storage_is_the_sites(
    client: httpx.AsyncClient, service: MedDreamTokenService
) -> None:
    await MedDreamBroker(client, service.url, storage="Archive").issue(STUDIES[:1])
    assert service.calls[0]["items"][0]["studies"]["storage"] == "Archive"


async def test_no_token_is_made_for_no_study(
    broker: MedDreamBroker, service: MedDreamTokenService
) -> None:
    with pytest.raises(InvalidResourceError):
        await broker.issue([])
    assert service.calls == []


@pytest.mark.parametrize(
    "fault",
    [
        Fault.ERROR,
        Fault.REDIRECT,
        Fault.HTML,
        Fault.JSON,
        Fault.EMPTY,
        Fault.WHITE_SPACE,
        Fault.TWO_WORDS,
        Fault.LONG,
        Fault.HUGE,
        Fault.COMPRESSED,
        Fault.CLOSE,
        Fault.NO_HTTP,
    ],
)
async def test_what_is_no_token_is_refused(
    fault: Fault, broker: MedDreamBroker, service: MedDreamTokenService
) -> None:
    service.fault = fault
    with pytest.raises(UpstreamError) as raised:
        await broker.issue(STUDIES)
    assert "secret-of-meddream" not in str(raised.value)
    assert "1.2.276" not in str(raised.value)
    service.fault = Fault.NONE
    assert await broker.issue(STUDIES) == service.tokens[0]


async def test_an_overloaded_service_is_unavailable(
    broker: MedDreamBroker, service: MedDreamTokenService
) -> None:
    service.fault = Fault.OVERLOADED
    with pytest.raises(UpstreamUnavailableError):
        await broker.issue(STUDIES)


async def test_a_redirect_is_not_followed(
    broker: MedDreamBroker, service: MedDreamTokenService
) -> None:
    service.fault = Fault.REDIRECT
    with pytest.raises(UpstreamError):
        await broker.issue(STUDIES)
    assert len(service.calls) == 1


async def test_a_connection_that_breaks_once_is_no_trouble(
    broker: MedDreamBroker, service: MedDreamTokenService
) -> None:
    await broker.issue(STUDIES)
    service.fault = Fault.CLOSE_ONCE
    assert await broker.issue(STUDIES) == service.tokens[1]
    assert len(service.calls) == 3


@pytest.mark.parametrize("fault", [Fault.DRIP, Fault.NONE])
async def test_a_service_that_is_too_slow_is_unavailable(
    fault: Fault, client: httpx.AsyncClient, service: MedDreamTokenService
) -> None:
    broker = MedDreamBroker(client, service.url, timeout=timedelta(seconds=0.2))
    service.fault = fault
    if fault is Fault.NONE:
        service.hold()
    with pytest.raises(UpstreamUnavailableError, match="in time"):
        await broker.issue(STUDIES)


async def test_a_service_that_is_not_there_is_unavailable(
    client: httpx.AsyncClient,
) -> None:
    broker = MedDreamBroker(client, f"http://127.0.0.1:{_free_port()}/v3/generate")
    with pytest.raises(UpstreamUnavailableError, match="reached"):
        await broker.issue(STUDIES)
    with pytest.raises(UpstreamUnavailableError, match="reached"):
        await broker.ping()


async def test_a_share_has_one_token_for_its_short_life(
    client: httpx.AsyncClient, service: MedDreamTokenService
) -> None:
    now = 0.0
    broker = MedDreamBroker(client, service.url, monotonic=lambda: now)
    first = await broker.token_for("share-1", STUDIES)
    now = 119
    assert await broker.token_for("share-1", STUDIES) == first
    now = 120
    assert await broker.token_for("share-1", STUDIES) != first
    assert len(service.calls) == 2


async def test_other_shares_and_other_studies_have_other_tokens(
    broker: MedDreamBroker,
) -> None:
    tokens = {
        await broker.token_for("share-1", STUDIES),
        await broker.token_for("share-2", STUDIES),
        await broker.token_for("share-1", STUDIES[:1]),
    }
    assert len(tokens) == 3


async def test_a_crowd_with_one_link_causes_one_request(
    broker: MedDreamBroker, service: MedDreamTokenService
) -> None:
    service.hold()
    crowd = [asyncio.create_task(broker.token_for("s", STUDIES)) for _ in range(200)]
    await service.wait_for_calls(1)
    service.release()
    assert set(await asyncio.gather(*crowd)) == {service.tokens[0]}
    assert len(service.calls) == 1


async def test_a_failing_service_is_not_hammered(
    client: httpx.AsyncClient, service: MedDreamTokenService
) -> None:
    now = 0.0
    broker = MedDreamBroker(client, service.url, monotonic=lambda: now)
    service.fault = Fault.ERROR
    for _ in range(20):
        with pytest.raises(UpstreamError):
            await broker.token_for("share-1", STUDIES)
    assert len(service.calls) == 1
    now, service.fault = 2, Fault.NONE
    assert await broker.token_for("share-1", STUDIES) == service.tokens[0]


async def test_a_ping_only_connects(
    broker: MedDreamBroker, service: MedDreamTokenService
) -> None:
    await broker.ping()
    await service.wait_for_connections(1)
    assert service.calls == []


async def test_a_ping_knows_the_port_of_https(client: httpx.AsyncClient) -> None:
    broker = MedDreamBroker(client, "https://meddream.invalid/v3/generate")
    assert broker.port == 443
    broker = MedDreamBroker(client, "http://meddream.invalid/v3/generate")
    assert broker.port == 80


async def test_a_token_is_nowhere_but_in_the_answer(
    broker: MedDreamBroker,
    service: MedDreamTokenService,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    token = await broker.token_for("share-1", STUDIES)
    assert token == service.tokens[0]
    assert token not in caplog.text
    assert token not in repr(broker) + repr(vars(broker)) + repr(vars(broker._tokens))


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v3/generate", b"{}", 400),
        ("/v3/generate", b"[", 400),
        ("/v3/generate", b'{"items": []}', 400),
        ("/v3/generate", b'{"items": [{"studies": {"study": "1"}}]}', 400),
        (
            "/v3/generate",
            b'{"items": [{"studies": {"study": "1", "storage": 1}}]}',
            400,
        ),
        ("/v1/other", b"{}", 404),
    ],
)
async def test_the_stand_in_refuses_what_the_real_service_would(
    path: str,
    body: bytes,
    status: int,
    client: httpx.AsyncClient,
    service: MedDreamTokenService,
) -> None:
    url = httpx.URL(service.url).copy_with(path=path)
    headers = {"Content-Type": "application/json"}
    response = await client.post(url, content=body, headers=headers)
    assert response.status_code == status
    assert service.tokens == []


def _free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as unused:
        return int(unused.getsockname()[1])
