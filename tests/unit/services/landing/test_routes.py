"""The routes that are not about links, and what every page carries."""

import re
from pathlib import Path
from typing import Any, cast

import anyio
import httpx
import pytest
from starlette.types import Receive

from landing import kinds
from landing.app import create_app
from orthanc_share.domain.errors import ConfigurationError
from tests.support.meddream import MedDreamTokenService
from tests.unit.services.landing.sample import (
    NOW,
    client,
    is_page,
    landing_settings,
    sign,
)

pytestmark = pytest.mark.anyio

SITE = landing_settings()


async def test_the_service_says_that_it_lives() -> None:
    async with client(SITE) as http:
        response = await http.get("/health")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


async def test_without_meddream_the_service_is_always_ready() -> None:
    async with client(SITE) as http:
        response = await http.get("/ready")
    assert response.json() == {"status": "ok", "dependencies": {}}


async def test_the_service_is_ready_while_meddream_answers() -> None:
    with MedDreamTokenService() as service:
        settings = landing_settings(
            public_meddream_root="https://share.example.org/meddream/",
            meddream_token_service_url=service.url,
        )
        async with client(settings) as http:
            there = await http.get("/ready")
    async with client(settings) as http:
        gone = await http.get("/ready")
    assert (there.status_code, gone.status_code) == (200, 503)
    assert gone.json()["dependencies"] == {"meddream": "unavailable"}


async def test_search_engines_are_turned_away() -> None:
    async with client(SITE) as http:
        robots = await http.get("/robots.txt")
        page = await http.get("/")
    assert robots.text == "User-agent: *\nDisallow: /\n"
    assert page.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert '<meta name="robots" content="noindex, nofollow">' in page.text


async def test_metrics_count_what_became_of_links() -> None:
    settings = landing_settings(metrics=True)
    async with client(settings) as http:
        await http.get("/", params={"token": sign(settings)})
        await http.get("/", params={"token": sign(settings, expires_at=NOW)})
        await http.get("/", params={"token": "x"})
        text = (await http.get("/metrics")).text
    counted = re.findall(r'links_opened_total\{outcome="([\w-]+)"\} ([\d.]+)', text)
    expected = {kind.name: "0.0" for kind in kinds.ALL}
    expected |= {"opened": "1.0", "expired": "1.0", "invalid": "1.0"}
    assert dict(counted) == expected


async def test_there_are_no_metrics_unless_they_are_wanted() -> None:
    async with client(SITE) as http:
        response = await http.get("/metrics")
    assert response.status_code == 404


async def test_a_page_is_private_and_shuts_everything_else_out() -> None:
    async with client(SITE) as http:
        headers = (await http.get("/")).headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Content-Language"] == "en"
    assert headers["Vary"] == "Accept-Language"
    policy = dict(part.split(" ", 1) for part in policy_of(headers))
    style = policy.pop("style-src")
    assert re.fullmatch(r"'sha256-[\w+/]{43}='", style)
    assert policy == {
        "default-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "img-src": "data:",
    }


def policy_of(headers: httpx.Headers) -> list[str]:
    return str(headers["Content-Security-Policy"]).split("; ")


async def test_the_language_is_the_readers() -> None:
    async with client(SITE) as http:
        asked = await http.get("/", headers={"Accept-Language": "de-CH, fr;q=0.5"})
        chosen = await http.get("/?lang=ar", headers={"Accept-Language": "de"})
    assert asked.headers["Content-Language"] == "de"
    assert '<html lang="ar" dir="rtl">' in chosen.text


async def test_a_whole_page_of_the_site_keeps_its_status(tmp_path: Path) -> None:
    (tmp_path / "invalid-token.html").write_text("<h1>Ungültig</h1>", "utf-8")
    settings = landing_settings(landing_templates_dir=tmp_path)
    async with client(settings) as http:
        response = await http.get("/?token=x")
    assert (response.status_code, response.text) == (404, "<h1>Ungültig</h1>")
    assert "Content-Language" not in response.headers
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]


async def test_a_web_socket_is_refused() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "websocket", "path": "/", "headers": [], "query_string": b""}
    # The service answers before it would wait for anything.
    await create_app(SITE)(scope, cast("Receive", anyio.sleep_forever), send)
    assert [message["type"] for message in sent] == ["websocket.close"]


def test_the_settings_come_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SECRET_KEY", "nL4wRz8sQv2Xk7Tj0Gm5Yb9Hd3Fc6PeW")
    monkeypatch.setenv("SITE_LANGUAGE", "tlh")
    with pytest.raises(ConfigurationError, match="SITE_LANGUAGE"):
        create_app()


async def test_the_lifespan_starts_and_ends_without_meddream() -> None:
    app = create_app(SITE)
    async with app.router.lifespan_context(app):
        pass


def test_a_site_with_a_registry_must_say_where_it_is() -> None:
    with pytest.raises(ConfigurationError, match="TOKEN_SERVICE_URL is missing"):
        create_app(landing_settings(registry=True))


async def test_without_an_answer_from_the_registry_no_link_opens() -> None:
    settings = landing_settings(registry=True, token_service_url="http://127.0.0.1:9/")
    async with client(settings) as http:
        link = await http.get("/", params={"token": sign(settings)})
        ready = await http.get("/ready")
    assert is_page(link, kinds.UNCHECKED)
    assert (ready.status_code, ready.json()["dependencies"]) == (
        503,
        {"registry": "unavailable"},
    )
