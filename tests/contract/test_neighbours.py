"""Landing and anonymizer, each on its own, ask a real token-service."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

import anonymizer.app
import landing.app
from landing.settings import LandingSettings
from orthanc_share.domain.errors import ConfigurationError
from tests.support.anonymized import (
    ROOT,
    Names,
    Source,
    anonymizer_settings,
    leaks,
)
from tests.support.managed import Managed, managed
from tests.support.orthanc_double import orthanc_double
from tests.support.relay import Loss, relay
from tests.support.server import serve
from tests.support.service import NOW, STUDY, resource
from tests.support.settings import DEIDENTIFICATION_KEY, PUBLIC, SECRET_KEY, USER
from tests.support.tokens import codec, parts, share_token

NOBODY_LISTENS = "http://127.0.0.1:9/"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Managed]:
    """Run a token-service that shares anonymized studies too."""
    with managed(
        tmp_path,
        deidentification_key=DEIDENTIFICATION_KEY,
        server_identifier="std",
        public_anonymized_orthanc_root=ROOT,
        anonymized_server_identifier="anon",
    ) as started:
        yield started


def until(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds."""
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


def asking(address: str) -> dict[str, Any]:
    """Return the settings by which token-service is asked."""
    return {
        "registry": True,
        "token_service_url": f"{address.rstrip('/')}/",
        "token_service_user": USER[0],
        "token_service_password": USER[1],
    }


def landing_settings(address: str) -> LandingSettings:
    return LandingSettings(
        secret_key=SecretStr(SECRET_KEY),
        public_orthanc_root=f"{PUBLIC}/shares/",
        public_landing_root=f"{PUBLIC}/welcome/",
        **asking(address),
    )


def test_the_landing_page_asks_token_service(site: Managed) -> None:
    made = site.service.made()
    app = landing.app.create_app(landing_settings(site.service.base), clock=lambda: NOW)
    with serve(app) as base, httpx.Client(base_url=base, trust_env=False) as http:
        assert http.get("/ready").json()["dependencies"] == {"registry": "ok"}
        link = {"token": made["token"]}
        opened = http.get("/", params=link)
        assert opened.status_code == 303
        assert made["token"] not in opened.headers["location"]
        site.good("DELETE", f"/shares/{made['share-id']}")
        assert http.head("/", params=link).status_code == 410
        assert "denied" not in {one["event"] for one in site.events(made["share-id"])}
        assert http.get("/", params=link).status_code == 410
    denied = site.events(made["share-id"])[0]
    assert (denied["event"], denied["reason"]) == ("denied", "revoked")
    assert denied["address"] == "127.0.0.1"
    assert denied["user-agent"].startswith("python-httpx/")


@pytest.mark.parametrize("loss", [Loss.RESET, Loss.CLOSED])
def test_a_lost_answer_does_not_use_a_link_up(loss: Loss, site: Managed) -> None:
    made = site.service.made(max_openings=1)
    headers = {"Sec-Fetch-Site": "same-origin"}
    with relay(site.service.base) as way:
        app = landing.app.create_app(landing_settings(way.base), clock=lambda: NOW)
        with serve(app) as base, httpx.Client(base_url=base, trust_env=False) as http:
            link = {"token": made["token"]}
            page = http.get("/", params=link)
            nonce = page.text.partition('name="nonce" value="')[2][:22]
            http.cookies.set("os-form", nonce)
            way.losses.append(loss)
            form = {"nonce": nonce}
            opened = http.post("/", params=link, data=form, headers=headers)
            assert opened.status_code == 303
        assert not way.losses
    assert site.shown(made["share-id"])["opened"] == 1


@pytest.mark.parametrize(
    "opening",
    [
        {"opening": "o" * 21},
        {"opening": "o" * 65},
        {"opening": 1},
        {"opening": "o" * 32, "opening-grace": -1},
        {"opening": "o" * 32, "opening-grace": 86_401},
        {"opening": "o" * 32, "opening-grace": "1"},
    ],
    ids=str,
)
def test_what_names_no_opening_is_refused(
    opening: dict[str, Any], site: Managed
) -> None:
    asked = {"token": site.service.token(max_openings=1), **opening}
    for path in ("/links/look", "/links/open"):
        assert site.service.call("POST", path, asked).status == 422


def test_the_landing_page_says_so_where_token_service_is_away() -> None:
    token = share_token(STUDY)
    app = landing.app.create_app(landing_settings(NOBODY_LISTENS), clock=lambda: NOW)
    with serve(app) as base, httpx.Client(base_url=base, trust_env=False) as http:
        assert http.get("/", params={"token": token}).status_code == 503
        assert http.get("/ready").status_code == 503


def test_the_anonymizer_knows_what_was_revoked(site: Managed) -> None:
    made = site.service.made(anonymized=True)
    settings = anonymizer_settings(NOBODY_LISTENS, **asking(site.service.base))
    app = anonymizer.app.create_app(settings, clock=lambda: NOW)
    with serve(app) as base, httpx.Client(base_url=base, trust_env=False) as http:
        ready = http.get("/ready").json()["dependencies"]
        assert ready["registry"] == "ok"
        headers = {"token": made["token"]}
        # It may be used: the next thing that fails is Orthanc.
        assert http.get("/dicom-web/studies", headers=headers).status_code == 502
        site.good("DELETE", f"/shares/{made['share-id']}")
        until(
            lambda: (
                http.get("/dicom-web/studies", headers=headers).status_code
                == httpx.codes.FORBIDDEN
            )
        )


@pytest.fixture
def anonymized(site: Managed) -> Iterator[tuple[httpx.Client, dict[str, Any]]]:
    """Run an anonymizer by the site's clock; give a share of what Orthanc holds."""
    source = Source.sample(2)
    made = site.service.made(resources=[resource(source.study)], anonymized=True)
    with orthanc_double(source.answers()) as orthanc:
        asked = asking(site.service.base)
        settings = anonymizer_settings(orthanc.url, **asked)
        app = anonymizer.app.create_app(settings, clock=site.clock)
        with (
            serve(app) as base,
            httpx.Client(base_url=base, trust_env=False) as http,
        ):
            yield http, made


def a_view(token: str, duration: timedelta) -> str:
    """Return a viewer token of the share of a link, as landing makes them."""
    return codec().sign_view(codec().read(token), "a-view-of-a-test", NOW, duration)


def metadata(http: httpx.Client, share: str, token: str) -> httpx.Response:
    """Return the answer that tells all UIDs of the study, asked as viewers do."""
    path = f"{Names(Source.sample(2), share).study_path}/metadata"
    return http.get(path, headers={"Authorization": f"Bearer {token}"})


def test_a_viewer_token_shows_at_the_anonymizer_what_its_link_shows(
    site: Managed, anonymized: tuple[httpx.Client, dict[str, Any]]
) -> None:
    http, made = anonymized
    share, link = made["share-id"], made["token"]
    view = a_view(link, timedelta(hours=1))
    of_link, of_view = (json.loads(parts(one)[1]) for one in (link, view))
    assert (of_link["jti"], "sid" in of_link) == (share, False)
    assert (of_view["jti"], of_view["sid"]) == ("a-view-of-a-test", share)
    by_link, by_view = (metadata(http, share, one) for one in (link, view))
    assert by_link.status_code == by_view.status_code == 200
    assert not leaks(by_view, Source.sample(2))
    # The same names, or the images would be others than those of the link.
    assert len(by_view.json()) == 2
    assert by_view.json() == by_link.json()
    site.clock.move(timedelta(hours=1).total_seconds() - 1)
    assert metadata(http, share, view).status_code == 200
    site.clock.move(1)
    assert metadata(http, share, view).status_code == 403
    assert metadata(http, share, link).status_code == 200


def test_a_viewer_token_dies_at_the_anonymizer_with_its_share(
    site: Managed, anonymized: tuple[httpx.Client, dict[str, Any]]
) -> None:
    http, made = anonymized
    share = made["share-id"]
    view = a_view(made["token"], timedelta(hours=1))
    assert metadata(http, share, view).status_code == 200
    site.good("DELETE", f"/shares/{share}")
    until(lambda: metadata(http, share, view).status_code == httpx.codes.FORBIDDEN)


def test_without_token_service_the_anonymizer_opens_nothing(site: Managed) -> None:
    made = site.service.made(anonymized=True)
    settings = anonymizer_settings(NOBODY_LISTENS, **asking(NOBODY_LISTENS))
    app = anonymizer.app.create_app(settings, clock=lambda: NOW)
    with serve(app) as base, httpx.Client(base_url=base, trust_env=False) as http:
        headers = {"token": made["token"]}
        assert http.get("/dicom-web/studies", headers=headers).status_code == 403
        assert http.get("/ready").json()["dependencies"]["registry"] == "unavailable"


def test_a_registry_that_nobody_can_ask_stops_the_start() -> None:
    settings = anonymizer_settings(NOBODY_LISTENS, registry=True)
    with pytest.raises(ConfigurationError, match="TOKEN_SERVICE_URL is missing"):
        anonymizer.app.create_app(settings)
    pages = LandingSettings(
        secret_key=SecretStr(SECRET_KEY), public_orthanc_root=f"{PUBLIC}/shares/"
    )
    with pytest.raises(ConfigurationError, match="TOKEN_SERVICE_URL is missing"):
        landing.app.create_app(pages)
