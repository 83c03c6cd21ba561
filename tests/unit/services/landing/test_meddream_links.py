"""Links to MedDream, whose viewer wants a token of its own."""

from typing import Any

import anyio
import httpx
import pytest

from landing import kinds
from landing.app import create_app
from landing.settings import LandingSettings
from orthanc_share.domain.share import ShareType
from tests.support.meddream import Fault, MedDreamTokenService
from tests.unit.services.landing.sample import (
    NOW,
    PUBLIC,
    UID,
    client,
    is_page,
    landing_settings,
    now,
    sign,
)

pytestmark = pytest.mark.anyio


def meddream(service: MedDreamTokenService, **changes: Any) -> LandingSettings:
    return landing_settings(
        public_meddream_root=f"{PUBLIC}/meddream/",
        meddream_token_service_url=service.url,
        **changes,
    )


async def test_a_meddream_link_leads_to_meddream_with_its_own_token() -> None:
    with MedDreamTokenService() as service:
        settings = meddream(service)
        token = sign(settings, type=ShareType.MEDDREAM_PUBLICATION)
        async with client(settings) as http:
            response = await http.get("/", params={"token": token})
        made = httpx.QueryParams({"token": service.tokens[0]})
    assert response.status_code == 303
    location = httpx.URL(response.headers["Location"])
    assert str(location).startswith(f"{PUBLIC}/meddream/?study={UID}&token=")
    assert location.params["token"] == made["token"]
    assert token not in str(location)


async def test_visitors_of_one_meddream_link_share_one_question() -> None:
    with MedDreamTokenService() as service:
        settings = meddream(service)
        token = sign(settings, type=ShareType.MEDDREAM_PUBLICATION)
        async with client(settings) as http, anyio.create_task_group() as visits:
            for method in ["GET", "HEAD"] * 5:
                visits.start_soon(visit, http, method, token)
    assert len(service.calls) == 1


async def visit(http: httpx.AsyncClient, method: str, token: str) -> None:
    response = await http.request(method, "/", params={"token": token})
    assert response.status_code == 303


@pytest.mark.parametrize("fault", [Fault.ERROR, Fault.OVERLOADED, Fault.HTML])
async def test_trouble_with_meddream_gets_503_and_a_way_back(fault: Fault) -> None:
    with MedDreamTokenService() as service:
        service.fault = fault
        settings = meddream(service)
        token = sign(settings, type=ShareType.MEDDREAM_PUBLICATION)
        async with client(settings) as http:
            response = await http.get("/", params={"token": token})
    assert is_page(response, kinds.UNAVAILABLE)
    assert int(response.headers["Retry-After"]) > 0
    assert '<a class="button" href="">Try again</a>' in response.text


async def test_a_meddream_link_that_has_expired_asks_nobody() -> None:
    with MedDreamTokenService() as service:
        settings = meddream(service)
        token = sign(settings, type=ShareType.MEDDREAM_PUBLICATION, expires_at=NOW)
        async with client(settings) as http:
            response = await http.get("/", params={"token": token})
    assert is_page(response, kinds.EXPIRED)
    assert service.calls == []


async def test_the_lifespan_gives_up_what_was_asked_of_meddream() -> None:
    with MedDreamTokenService() as service:
        service.hold()
        settings = meddream(service)
        app = create_app(settings, clock=now)
        token = sign(settings, type=ShareType.MEDDREAM_PUBLICATION)
        transport = httpx.ASGITransport(app=app)
        async with (
            httpx.AsyncClient(transport=transport, base_url="http://a.test") as http,
            anyio.create_task_group() as visits,
            app.router.lifespan_context(app),
        ):
            visits.start_soon(http.get, f"/?token={token}")
            await service.wait_for_calls(1)
            visits.cancel_scope.cancel()
    assert len(service.calls) == 1
