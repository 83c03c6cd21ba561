"""A site for the tests of the landing service, and links to it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx

from landing.app import create_app
from landing.page_kind import PageKind
from landing.settings import LandingSettings
from orthanc_share.domain.resource import Resource
from orthanc_share.domain.share import Share, ShareType
from orthanc_share.web.sharing import build_sharing

NOW = datetime(2026, 3, 3, 14, 0, tzinfo=UTC)
"""The present instant of the tests."""

UID = "1.2.276.0.99.1"
ORTHANC_ID = "11111111-22222222-33333333-44444444-55555555"
STUDY = Resource(dicom_uid=UID, orthanc_id=ORTHANC_ID)

SECRET_KEY = "nL4wRz8sQv2Xk7Tj0Gm5Yb9Hd3Fc6PeW"  # made up, for tests only
DEIDENTIFICATION_KEY = "Ck5tUo8yZa1Me4rGp7JnVx0Ls3Bd6FhW"  # made up too
PUBLIC = "https://share.example.org"


def now() -> datetime:
    return NOW


def landing_settings(**changes: Any) -> LandingSettings:
    """Return settings of a site with Stone, Osimis and VolView, and `changes`."""
    values: dict[str, Any] = {
        "secret_key": SECRET_KEY,
        "registry": False,
        "public_orthanc_root": f"{PUBLIC}/shares/",
        "public_landing_root": f"{PUBLIC}/welcome/",
    }
    return LandingSettings(**values | changes)


def everything(**changes: Any) -> LandingSettings:
    """Return settings of a site that offers all there is but MedDream."""
    values: dict[str, Any] = {
        "server_identifier": "standard",
        "public_ohif_root": f"{PUBLIC}/ohif/",
        "public_anonymized_orthanc_root": f"{PUBLIC}/anon-shares/",
        "anonymized_server_identifier": "anonymized",
        "deidentification_key": DEIDENTIFICATION_KEY,
    }
    return landing_settings(**values | changes)


def sign(settings: LandingSettings, **changes: Any) -> str:
    """Return the token of a share, Stone's of one study unless `changes` says else."""
    values: dict[str, Any] = {
        "id": "a-share-of-the-tests",
        "type": ShareType.STONE_PUBLICATION,
        "resources": (STUDY,),
    }
    return build_sharing(settings, clock=now).codec.sign(Share(**values | changes))


@asynccontextmanager
async def client(
    settings: LandingSettings, **options: Any
) -> AsyncIterator[httpx.AsyncClient]:
    """Run a landing service with `settings`, and yield a client of it."""
    app = create_app(settings, **{"clock": now} | options)
    transport = httpx.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://landing.test") as http,
    ):
        yield http


def is_page(response: httpx.Response, kind: PageKind) -> bool:
    """Tell whether `response` is the page `kind`, with its status."""
    return (
        response.status_code == kind.status
        and response.headers["Content-Type"] == "text/html; charset=utf-8"
        and f">{kind.title}</h1>" in response.text
        and "Location" not in response.headers
    )
