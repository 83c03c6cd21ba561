"""What becomes of a link: the viewer, or a page that says why not."""

import base64
import json
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NoReturn

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from starlette.types import ASGIApp, Receive, Scope, Send

from landing import kinds
from landing.app import create_app
from landing.opening import Refusal
from landing.page_kind import PageKind
from orthanc_share.domain.resource import Level, Resource
from orthanc_share.domain.share import Flavour, ShareType
from tests.unit.services.landing.sample import (
    NOW,
    ORTHANC_ID,
    PUBLIC,
    SECRET_KEY,
    UID,
    client,
    everything,
    is_page,
    landing_settings,
    now,
    sign,
)

pytestmark = pytest.mark.anyio

SITE = landing_settings()
TOKEN = sign(SITE)
STONE = (
    f"{PUBLIC}/shares/stone-webviewer/index.html?study={UID}&selectedStudies={UID}"
    f"&token={TOKEN}"
)
LINK_PATHS = ["/", "/share-landing", "/share-landing/"]


@pytest.mark.parametrize("path", LINK_PATHS)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_valid_link_leads_to_the_viewer(path: str, method: str) -> None:
    async with client(SITE) as http:
        response = await http.request(method, path, params={"token": TOKEN})
    assert response.status_code == 303
    assert response.headers["Location"] == STONE
    assert response.content == b""


async def test_a_redirect_is_neither_kept_nor_told_to_others() -> None:
    async with client(SITE) as http:
        response = await http.get("/", params={"token": TOKEN})
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("kind", "target"),
    [
        (ShareType.STONE_PUBLICATION, "shares/stone-webviewer/index.html?study="),
        (ShareType.OSIMIS_PUBLICATION, "shares/osimis-viewer/app/index.html?"),
        (ShareType.VOLVIEW_PUBLICATION, "shares/volview/index.html?"),
        (ShareType.OHIF_PUBLICATION, "ohif/viewer?StudyInstanceUIDs="),
    ],
)
async def test_every_publication_has_its_viewer(kind: ShareType, target: str) -> None:
    settings = everything()
    async with client(settings) as http:
        response = await http.get("/", params={"token": sign(settings, type=kind)})
    assert response.status_code == 303
    assert response.headers["Location"].startswith(f"{PUBLIC}/{target}")


async def test_an_anonymized_link_does_not_name_the_study() -> None:
    settings = everything()
    token = sign(settings, flavour=Flavour.ANONYMIZED)
    async with client(settings) as http:
        response = await http.get("/", params={"token": token})
    location = response.headers["Location"]
    assert location.startswith(f"{PUBLIC}/anon-shares/stone-webviewer/")
    assert UID not in location
    assert ORTHANC_ID not in location


async def test_public_keys_alone_open_links() -> None:
    """The services that face the public check links, but cannot make any (design 4)."""
    private = ed25519.Ed25519PrivateKey.generate()
    private_pem = private.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    ).decode()
    public_pem = private.public_key().public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    )
    token = sign(landing_settings(secret_key=None, signing_key=private_pem))
    settings = landing_settings(secret_key=None, verification_keys=public_pem.decode())
    async with client(settings) as http:
        response = await http.get("/", params={"token": token})
    assert response.status_code == 303


@pytest.mark.parametrize("days", [1, -1])
async def test_links_of_the_predecessors_open_until_they_expire(days: int) -> None:
    claims = {
        "id": "a study for Mrs Example",
        "type": "stone-viewer-publication",
        "anonymized": False,
        "studies": [{"dicom_uid": UID, "orthanc_id": ""}],
        "expiration_date": (NOW + timedelta(days=days)).isoformat(),
    }
    token = jwt.encode(claims, SECRET_KEY, algorithm="HS256")
    async with client(SITE) as http:
        response = await http.get("/share-landing/", params={"token": token})
    assert response.status_code == (303 if days > 0 else 410)
    assert "Example" not in response.text


async def test_nothing_of_the_request_builds_the_target() -> None:
    query = f"token={TOKEN}&lang=de&next=https://evil.example&url=//evil.example"
    headers = {
        "Host": "evil.example",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "gopher",
        "Forwarded": "host=evil.example",
        "X-Original-URL": "//evil.example",
    }
    async with client(SITE) as http:
        response = await http.get(f"/?{query}", headers=headers)
    assert response.headers["Location"] == STONE


def below(prefix: str, app: ASGIApp) -> ASGIApp:
    async def mounted(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "root_path": prefix}, receive, send)

    return mounted


@pytest.mark.parametrize("path", ["/welcome", "/welcome/", "/welcome/share-landing/"])
async def test_links_open_below_a_prefix(path: str) -> None:
    transport = httpx.ASGITransport(app=below("/welcome", create_app(SITE, clock=now)))
    async with httpx.AsyncClient(transport=transport, base_url="http://a.test") as http:
        response = await http.get(path, params={"token": TOKEN})
    assert response.headers["Location"] == STONE


async def test_an_expired_link_gets_410() -> None:
    token = sign(SITE, expires_at=NOW)
    async with client(SITE) as http:
        response = await http.get("/", params={"token": token})
    assert is_page(response, kinds.EXPIRED)
    assert "It could be used until March 3, 2026" in response.text


async def test_a_link_opens_until_its_last_second() -> None:
    token = sign(SITE, expires_at=NOW + timedelta(seconds=1))
    async with client(SITE) as http:
        response = await http.get("/", params={"token": token})
    assert response.status_code == 303


async def test_a_link_that_starts_later_gets_403_and_the_time() -> None:
    token = sign(SITE, not_before=NOW + timedelta(days=1))
    async with client(SITE) as http:
        response = await http.get("/", params={"token": token})
    assert is_page(response, kinds.NOT_YET_VALID)
    assert "You can use it from March 4, 2026" in response.text


def segment(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


UNSIGNED = f"{segment({'alg': 'none'})}.{TOKEN.split('.')[1]}."
FOREIGN = sign(landing_settings(secret_key="Zr7pMc2xKv9Tj4Wq8Bn3Ld6Hs1Fg5YeU"))


@pytest.mark.parametrize(
    "query",
    [
        "token=",
        "token",
        "token=" + TOKEN[:-1],
        "token=" + TOKEN[:40],
        "token=" + TOKEN[1:],
        "token=" + TOKEN.upper(),
        "token=" + TOKEN + "x",
        "token=" + TOKEN + "%20",
        "token=" + TOKEN + "%0d%0aX-Evil:%201",
        "token=" + TOKEN.replace(".", "%00."),
        "token=" + UNSIGNED,
        "token=" + FOREIGN,
        "token=%ff%fe",
        "token=\u00e4\u00f6",
        "token=<script>alert(1)</script>",
        "token=" + "a.b.c" * 4000,
        f"token={TOKEN}&token={TOKEN}",
        f"token={TOKEN}&token=",
        "&".join(["a=b"] * 30),
    ],
)
async def test_a_damaged_link_gets_404_and_is_not_repeated(query: str) -> None:
    async with client(SITE) as http:
        response = await http.get(f"/?{query}", params=None)
    assert is_page(response, kinds.INVALID)
    assert "E-mail programs sometimes break a long link" in response.text
    assert 'href="?token=&amp;lang=de"' in response.text
    assert TOKEN[40:60] not in response.text
    assert "alert" not in response.text


@pytest.mark.parametrize("path", ["/", "/share-landing/", "/studies", "/index.php"])
async def test_a_visit_without_link_gets_404(path: str) -> None:
    async with client(SITE) as http:
        response = await http.get(path)
    assert is_page(response, kinds.MISSING)
    assert 'href="?lang=de"' in response.text


async def test_a_link_to_another_path_does_not_open() -> None:
    async with client(SITE) as http:
        response = await http.get("/shares", params={"token": TOKEN})
    assert is_page(response, kinds.MISSING)
    assert TOKEN not in response.text


@pytest.mark.parametrize(
    "changes",
    [
        {"type": ShareType.VIEWER_INSTANT_LINK},
        {"type": ShareType.DOWNLOAD_INSTANT_LINK},
        {"type": ShareType.MEDDREAM_INSTANT_LINK},
        {"type": ShareType.MEDDREAM_PUBLICATION},
        {"type": ShareType.OHIF_PUBLICATION},
        {"resources": (Resource(Level.SERIES, dicom_uid="1.2.3"),)},
        {"resources": (Resource(orthanc_id=ORTHANC_ID),)},
    ],
    ids=str,
)
async def test_a_link_that_is_not_opened_here_gets_403(changes: dict[str, Any]) -> None:
    async with client(SITE) as http:
        response = await http.get("/", params={"token": sign(SITE, **changes)})
    assert is_page(response, kinds.NOT_ALLOWED)
    assert UID not in response.text


async def test_a_link_of_a_flavour_that_is_not_set_up_gets_403() -> None:
    settings = landing_settings(deidentification_key=everything().deidentification_key)
    token = sign(everything(), flavour=Flavour.ANONYMIZED)
    async with client(settings) as http:
        response = await http.get("/", params={"token": token})
    assert is_page(response, kinds.NOT_ALLOWED)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_other_methods_get_405(method: str) -> None:
    async with client(SITE) as http:
        response = await http.request(method, "/", params={"token": TOKEN})
    assert is_page(response, kinds.UNSUPPORTED)
    assert response.headers["Allow"] == "GET, HEAD"


async def test_head_tells_the_length_of_the_page_it_leaves_out() -> None:
    async with client(SITE) as http:
        head = await http.head("/")
        get = await http.get("/")
    assert head.status_code == 404
    assert head.content == b""
    assert head.headers["Content-Length"] == get.headers["Content-Length"]
    assert head.headers["Content-Length"] == str(len(get.content))


def broken() -> NoReturn:
    raise RuntimeError("the clock is broken: " + TOKEN)


async def test_an_unexpected_error_gets_a_friendly_500(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with client(SITE, clock=broken) as http:
        response = await http.get("/", params={"token": TOKEN})
    assert is_page(response, kinds.ERROR)
    assert '<a class="button" href="">Try again</a>' in response.text
    assert "RuntimeError" not in response.text
    record = next(r for r in caplog.records if r.name == "landing.routes")
    assert record.exc_info is not None
    assert record.__dict__["request_id"] == response.headers["X-Request-ID"]


async def test_support_finds_a_page_by_its_reference(
    caplog: pytest.LogCaptureFixture,
) -> None:
    token = sign(SITE, expires_at=NOW - timedelta(days=1))
    with caplog.at_level(logging.INFO):
        async with client(SITE) as http:
            response = await http.get(
                "/", params={"token": token}, headers={"X-Request-ID": "abc-123-def"}
            )
    assert ">abc-123-def</code>" in response.text
    found = [r.__dict__ for r in caplog.records if r.name == "landing.routes"]
    assert [(r["request_id"], r["outcome"], r["code"], r["share"]) for r in found] == [
        ("abc-123-def", "expired", "expired_token", "a-share-of-the-tests")
    ]


async def test_no_token_reaches_the_log(caplog: pytest.LogCaptureFixture) -> None:
    expired = sign(SITE, expires_at=NOW)
    with caplog.at_level(logging.DEBUG):
        async with client(SITE) as http:
            for token in (TOKEN, expired, FOREIGN, UNSIGNED, TOKEN[:-3]):
                await http.get("/", params={"token": token})
    ours = [r for r in caplog.records if not r.name.startswith("http")]
    told = repr([r.__dict__ for r in ours])
    assert ours
    assert "eyJ" not in told
    assert UID not in told


@pytest.mark.parametrize(
    ("kind", "is_the_same"),
    [(kinds.EXPIRED, True), (kinds.NOT_ALLOWED, True), (kinds.INVALID, False)],
)
async def test_another_language_is_the_same_page(
    kind: PageKind, *, is_the_same: bool
) -> None:
    made: dict[PageKind, Callable[[], str]] = {
        kinds.EXPIRED: lambda: sign(SITE, expires_at=NOW),
        kinds.NOT_ALLOWED: lambda: sign(SITE, type=ShareType.VIEWER_INSTANT_LINK),
        kinds.INVALID: lambda: TOKEN[:-1],
    }
    token = made[kind]()
    async with client(SITE) as http:
        first = await http.get("/", params={"token": token})
        repeated = token if is_the_same else ""
        href = f"?token={repeated}&lang=en"
        assert href.replace("&", "&amp;") in first.text
        second = await http.get("/" + href)
    assert is_page(first, kind)
    assert is_page(second, kind)
    assert (token in second.text) is is_the_same


def test_a_refusal_does_not_show_its_token() -> None:
    assert TOKEN not in repr(Refusal(kinds.EXPIRED, TOKEN))
