"""Links where there is a registry: what each of them becomes, and what is counted."""

import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from landing import kinds
from orthanc_share.domain.errors import UpstreamTimeoutError
from orthanc_share.domain.resource import Resource
from orthanc_share.domain.share import Flavour, ShareType
from orthanc_share.registry.links import LinkReason, Opened, Ready, Refused
from orthanc_share.store.errors import StoreUnavailableError
from orthanc_share.store.records import Changes, EventKind
from tests.support.meddream import Fault, MedDreamTokenService
from tests.support.settings import PUBLIC
from tests.unit.services.landing.door import (
    SAME_ORIGIN,
    Browser,
    Door,
    OtherDesk,
    door,
    nonce_of,
)
from tests.unit.services.landing.sample import is_page
from tests.unit.shared.registry.samples import DAY, PASSWORD, STUDY

pytestmark = pytest.mark.anyio

STONE = f"{PUBLIC}/shares/stone-webviewer/index.html?"
READING = [
    ("GET", {}),
    ("HEAD", {}),
    ("GET", {"Purpose": "prefetch"}),
    ("GET", {"Sec-Purpose": "prefetch;prerender"}),
    ("GET", {"User-Agent": "SafeLinks/1.0", "Sec-Fetch-Site": "cross-site"}),
]
"""What scanners of mail, previews and impatient browsers send."""


def token_in(response: httpx.Response) -> str:
    """Return the token of the address to which an answer leads."""
    assert response.status_code == 303, response.text
    return str(httpx.URL(response.headers["Location"]).params["token"])


async def test_an_ordinary_link_leads_on_with_a_viewer_token(
    site: Door, visitor: Browser
) -> None:
    share = await site.site.kept()
    for link in (site.long(share), await site.short(share)):
        response = await visitor.get(link)
        assert response.headers["Location"].startswith(STONE)
        view = site.site.codec.verify(token_in(response), site.clock.now)
        assert (view.id, view.resources) == (share.id, share.resources)
        assert view.view_id
        assert "Set-Cookie" not in response.headers
    assert await site.opened(share) == 0


@pytest.mark.parametrize(("method", "headers"), READING, ids=str)
async def test_reading_a_link_with_a_limit_does_not_use_it_up(
    method: str, headers: dict[str, str], site: Door, visitor: Browser
) -> None:
    share = await site.site.kept(max_openings=1)
    for link in (site.long(share), await site.short(share)):
        for _ in range(3):
            response = await visitor.http.request(method, link, headers=headers)
            assert response.status_code == 200
    assert await site.opened(share) == 0
    page = await visitor.get(site.long(share))
    assert is_page(page, kinds.ASK)
    assert "can still be opened: 1</p>" in page.text


async def test_the_button_opens_and_counts_once(site: Door, visitor: Browser) -> None:
    share = await site.site.kept(max_openings=2)
    response = await visitor.press(site.long(share))
    assert response.headers["Location"].startswith(STONE)
    assert site.site.codec.read(token_in(response)).view_id
    assert response.headers["Cache-Control"] == "no-store"
    assert await site.opened(share) == 1
    (created, opened) = await site.events(share)
    assert (created.kind, opened.kind) == (EventKind.CREATED, EventKind.OPENED)
    assert opened.origin.address == "127.0.0.1"
    assert (opened.origin.user_agent or "").startswith("python-httpx/")


async def test_a_reload_in_the_same_browser_is_not_counted(
    site: Door, visitor: Browser
) -> None:
    share = await site.site.kept(max_openings=1)
    link = site.long(share)
    opened = await visitor.press(link)
    site.clock.move(60 * 29)
    again = await visitor.get(link)
    assert token_in(again) == token_in(opened)
    other = await (await site.browser()).get(link)
    assert is_page(other, kinds.USED_UP)
    assert await site.opened(share) == 1


async def test_a_browser_may_come_back_for_so_long_only(
    site: Door, visitor: Browser
) -> None:
    share = await site.site.kept(max_openings=1)
    opened = await visitor.press(site.long(share))
    site.clock.move(60 * 30)
    # A browser forgets the cookie by then; somebody may have kept it.
    name, _, value = opened.headers["Set-Cookie"].partition(";")[0].partition("=")
    visitor.http.cookies.set(name, value)
    assert is_page(await visitor.get(site.long(share)), kinds.USED_UP)


async def test_without_grace_every_visit_counts(tmp_path: Path) -> None:
    async with door(tmp_path, opening_grace=timedelta(0)) as site:
        share = await site.site.kept(max_openings=1)
        visitor = await site.browser()
        opened = await visitor.press(site.long(share))
        assert opened.status_code == 303
        assert "Set-Cookie" not in opened.headers
        assert is_page(await visitor.get(site.long(share)), kinds.USED_UP)


async def test_the_cookie_is_for_this_page_and_no_script(
    site: Door, visitor: Browser
) -> None:
    share = await site.site.kept(max_openings=1)
    opened = await visitor.press(site.long(share))
    name, _, rest = opened.headers["Set-Cookie"].partition("=")
    value, *attributes = rest.split("; ")
    assert name.startswith("os-view-")
    assert share.id not in name
    assert value == token_in(opened)
    assert attributes == [
        "Path=/welcome/",
        "Max-Age=1800",
        "HttpOnly",
        "SameSite=Lax",
        "Secure",
    ]


async def test_what_another_share_or_nobody_gave_is_no_way_back(
    site: Door, visitor: Browser
) -> None:
    guarded = await site.site.kept(max_openings=1)
    link = site.long(guarded)
    opened = await visitor.press(link)
    name = opened.headers["Set-Cookie"].partition("=")[0]
    plain = token_in(await visitor.get(site.long(await site.site.kept())))
    for value in (plain, site.site.token(guarded), "x", ""):
        browser = await site.browser()
        browser.http.cookies.set(name, value)
        assert is_page(await browser.get(link), kinds.USED_UP)


async def test_a_token_too_long_for_a_cookie_is_not_kept(
    site: Door, visitor: Browser
) -> None:
    studies = tuple(
        Resource(dicom_uid=f"1.2.276.0.99.1.{10**48 + number}") for number in range(50)
    )
    share = await site.site.kept(max_openings=1, resources=studies)
    opened = await visitor.press(await site.short(share))
    assert opened.status_code == 303
    assert "Set-Cookie" not in opened.headers


async def test_the_form_of_another_tab_is_not_counted_again(
    site: Door, visitor: Browser
) -> None:
    share = await site.site.kept(max_openings=1, password=PASSWORD)
    link = await site.short(share)
    nonce = nonce_of(await visitor.get(link))
    first = await visitor.post(link, nonce=nonce, password=PASSWORD)
    second = await visitor.post(link, nonce=nonce, password="not even right")
    assert token_in(second) == token_in(first)
    assert await site.opened(share) == 1


async def test_a_browser_that_was_here_before_opens_nothing_that_was_revoked(
    site: Door, visitor: Browser
) -> None:
    share = await site.site.kept(max_openings=2)
    link = await site.short(share)
    nonce = nonce_of(await visitor.get(link))
    await visitor.post(link, nonce=nonce)
    await site.site.revoke(share)
    assert is_page(await visitor.get(link), kinds.REVOKED)
    late = await site.browser()
    late.http.cookies.update(visitor.http.cookies)
    assert is_page(await late.post(link, nonce=nonce), kinds.REVOKED)


async def test_the_right_password_opens(site: Door, visitor: Browser) -> None:
    share = await site.site.kept(password=PASSWORD)
    link = await site.short(share)
    page = await visitor.get(link)
    assert is_page(page, kinds.ASK_PASSWORD)
    assert "can still be opened" not in page.text
    for left, wrong in ((4, "wrong"), (3, "")):
        nonce = nonce_of(page)
        page = await visitor.post(link, nonce=nonce, password=wrong)
        assert is_page(page, kinds.WRONG_PASSWORD)
        assert f"Tries left before you have to wait: {left}." in page.text
        assert nonce_of(page) == nonce
    opened = await visitor.post(link, nonce=nonce_of(page), password=PASSWORD)
    assert opened.headers["Location"].startswith(STONE)
    assert await site.opened(share) == 1


async def test_too_many_wrong_passwords_lock_for_a_while(
    site: Door, visitor: Browser
) -> None:
    share = await site.site.kept(password=PASSWORD)
    link = await site.short(share)
    site.clock.move(30)
    for left in (4, 3, 2, 1, 0):
        page = await visitor.press(link, password=f"guess {left}")
        assert is_page(page, kinds.WRONG_PASSWORD)
        assert f"before you have to wait: {left}." in page.text
    locked = await visitor.press(link, password=PASSWORD)
    assert is_page(locked, kinds.LOCKED)
    # A pause of a minute, told as the next whole minute.
    assert locked.headers["Retry-After"] == "90"
    assert "12:02" in locked.text
    site.clock.move(60)
    late = await site.browser()
    assert (await late.press(link, password=PASSWORD)).status_code == 303


async def test_who_gives_no_password_has_a_wrong_one(
    site: Door, visitor: Browser
) -> None:
    share = await site.site.kept(password=PASSWORD)
    page = await visitor.press(site.long(share))
    assert is_page(page, kinds.WRONG_PASSWORD)
    assert await site.opened(share) == 0


@pytest.mark.parametrize("is_short", [True, False])
async def test_a_link_that_is_over_says_why(
    site: Door, visitor: Browser, *, is_short: bool
) -> None:
    now = site.clock.now
    made = {
        kinds.EXPIRED: await site.site.kept(expires_at=now + timedelta(seconds=1)),
        kinds.NOT_YET_VALID: await site.site.kept(
            not_before=now + timedelta(hours=2), max_openings=1
        ),
        kinds.REVOKED: await site.site.kept(password=PASSWORD),
    }
    await site.site.revoke(made[kinds.REVOKED])
    site.clock.move(1)
    for kind, share in made.items():
        link = await site.short(share) if is_short else site.long(share)
        page = await visitor.get(link)
        assert is_page(page, kind)
        assert "Set-Cookie" not in page.headers
        if kind is not kinds.REVOKED:
            assert "November 2, 2026" in page.text


async def test_a_link_that_ends_between_page_and_button_says_why(
    site: Door, visitor: Browser
) -> None:
    share = await site.site.kept(max_openings=1)
    link = site.long(share)
    nonce = nonce_of(await visitor.get(link))
    await site.site.revoke(share)
    assert is_page(await visitor.post(link, nonce=nonce), kinds.REVOKED)


async def test_a_longer_life_counts_at_once(site: Door, visitor: Browser) -> None:
    share = await site.site.kept(expires_at=site.clock.now + timedelta(seconds=5))
    site.clock.move(10)
    assert is_page(await visitor.get(site.long(share)), kinds.EXPIRED)
    changes = Changes(expires_at=site.clock.now + DAY)
    await site.store.shares.change(
        share.id,
        changes,
        now=site.clock.now,
        origin=(await site.events(share))[0].origin,
    )
    assert (await visitor.get(site.long(share))).status_code == 303


async def test_a_link_with_a_limit_that_nobody_knows_is_over(
    site: Door, visitor: Browser
) -> None:
    share = site.site.share(needs_opening=True)
    assert is_page(await visitor.get(site.long(share)), kinds.REVOKED)


async def test_a_share_from_before_the_registry_opens(
    site: Door, visitor: Browser
) -> None:
    share = site.site.share()
    assert (await visitor.get(site.long(share))).status_code == 303


async def test_a_viewer_token_is_no_link(site: Door, visitor: Browser) -> None:
    share = await site.site.kept()
    view = token_in(await visitor.get(site.long(share)))
    assert is_page(await visitor.get(f"?token={view}"), kinds.NOT_ALLOWED)


async def test_a_link_that_is_not_opened_here_gets_403(
    site: Door, visitor: Browser
) -> None:
    share = await site.site.kept(type=ShareType.OHIF_PUBLICATION)
    assert is_page(await visitor.get(site.long(share)), kinds.NOT_ALLOWED)


async def test_an_anonymized_link_names_no_study(
    tmp_path: Path,
) -> None:
    anonymized: dict[str, Any] = {
        "public_anonymized_orthanc_root": f"{PUBLIC}/anon-shares/",
        "server_identifier": "standard",
        "anonymized_server_identifier": "anonymized",
    }
    async with door(tmp_path, **anonymized) as site:
        share = await site.site.kept(flavour=Flavour.ANONYMIZED, max_openings=1)
        visitor = await site.browser()
        opened = await visitor.press(await site.short(share))
    location = opened.headers["Location"]
    assert location.startswith(f"{PUBLIC}/anon-shares/stone-webviewer/")
    assert str(STUDY.dicom_uid) not in location


GOOD_CODE = "abcdefghijklmnopqrstuv"
BAD_CODES = [
    "",
    "abc",
    "x" * 65,
    GOOD_CODE + "/",
    GOOD_CODE + "/extra",
    GOOD_CODE + "%20",
    GOOD_CODE + "%00",
    GOOD_CODE + "%0a",
    GOOD_CODE[:-1] + "é",
    GOOD_CODE[:-1] + ".",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
]


@pytest.mark.parametrize("code", BAD_CODES)
async def test_a_damaged_code_is_refused_before_anybody_is_asked(
    code: str, tmp_path: Path
) -> None:
    desk = OtherDesk(Refused(LinkReason.INVALID))
    async with door(tmp_path, desk=desk) as site:
        visitor = await site.browser()
        for method in ("GET", "POST"):
            page = await visitor.http.request(method, f"s/{code}")
            assert is_page(page, kinds.INVALID)
    assert desk.asked == 0


@pytest.mark.parametrize("query", ["?token=x", "?token=a.b.c", "?token=", "?token"])
async def test_a_damaged_token_is_refused_before_anybody_is_asked(
    query: str, tmp_path: Path
) -> None:
    desk = OtherDesk(Refused(LinkReason.INVALID))
    async with door(tmp_path, desk=desk) as site:
        page = await (await site.browser()).get(query)
        both = await (await site.browser()).get(query + "&token=y")
        none = await (await site.browser()).get("")
    assert is_page(page, kinds.INVALID)
    assert is_page(both, kinds.INVALID)
    assert is_page(none, kinds.MISSING)
    assert desk.asked == 0


async def test_a_code_that_nobody_has_is_not_found(visitor: Browser) -> None:
    page = await visitor.get(f"s/{GOOD_CODE}")
    assert is_page(page, kinds.INVALID)
    assert GOOD_CODE not in page.text
    assert 'href="?lang=de"' in page.text


async def test_another_language_is_the_same_page(site: Door, visitor: Browser) -> None:
    share = await site.site.kept(max_openings=1)
    token = site.site.token(share)
    assert (
        f'href="?token={token}&amp;lang=de"'
        in (await visitor.get(f"?token={token}")).text
    )
    short = await site.short(share)
    page = await visitor.get(f"{short}?lang=de")
    assert 'lang="de"' in page.text
    assert "Bilder öffnen</button>" in page.text
    assert 'href="?lang=de"' in page.text


async def test_every_link_asks_first_if_the_site_wants_it(tmp_path: Path) -> None:
    async with door(tmp_path, landing_ask_before_open=True) as site:
        share = await site.site.kept()
        visitor = await site.browser()
        link = await site.short(share)
        page = await visitor.get(link)
        assert is_page(page, kinds.ASK)
        assert "can still be opened" not in page.text
        opened = await visitor.post(link, nonce=nonce_of(page))
        assert opened.headers["Location"].startswith(STONE)
        assert await site.opened(share) == 1
        assert token_in(await visitor.get(link)) == token_in(opened)
        assert is_page(await (await site.browser()).get(link), kinds.ASK)


@pytest.mark.parametrize(
    "error", [StoreUnavailableError(), UpstreamTimeoutError("It does not answer.")]
)
@pytest.mark.parametrize("is_short", [True, False])
async def test_trouble_with_the_registry_gets_503_and_a_way_back(
    error: Exception,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    *,
    is_short: bool,
) -> None:
    desk = OtherDesk(Ready("an-id", needs_password=False, left=1))
    with caplog.at_level(logging.INFO):
        async with door(tmp_path, desk=desk) as site:
            visitor = await site.browser()
            link = f"s/{GOOD_CODE}" if is_short else site.long(site.site.share())
            nonce = nonce_of(await visitor.get(link))
            desk.answer = error
            for page in (
                await visitor.get(link),
                await visitor.post(link, nonce=nonce),
                await visitor.post(link, nonce=nonce),
            ):
                assert is_page(page, kinds.UNCHECKED)
                assert page.headers["Retry-After"] == "30"
                assert '<a class="button" href="">Try again</a>' in page.text
            desk.answer = Refused(LinkReason.USED_UP, "an-id")
            late = await visitor.post(link, nonce=nonce)
    assert is_page(late, kinds.USED_UP)
    found = [r.__dict__ for r in caplog.records if r.name == "landing.routes"]
    assert {"unchecked", "used-up"} <= {one["outcome"] for one in found}


async def test_trouble_with_meddream_after_an_opening_uses_nothing_up(
    tmp_path: Path,
) -> None:
    desk = OtherDesk(Ready("an-id", needs_password=False, left=1))
    with MedDreamTokenService() as service:
        service.fault = Fault.ERROR
        async with door(
            tmp_path,
            desk=desk,
            public_meddream_root=f"{PUBLIC}/meddream/",
            meddream_token_service_url=service.url,
        ) as site:
            share = site.site.share(type=ShareType.MEDDREAM_PUBLICATION)
            view = site.site.codec.sign_view(share, "a-view", site.clock.now, DAY)
            visitor, link = await site.browser(), site.long(share)
            nonce = nonce_of(await visitor.get(link))
            desk.answer = Opened(share.id, view)
            page = await visitor.post(link, nonce=nonce)
            kept = dict(visitor.http.cookies)
    assert is_page(page, kinds.UNAVAILABLE)
    assert view in kept.values()


async def test_an_unexpected_error_gets_a_friendly_500(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    desk = OtherDesk(RuntimeError(GOOD_CODE))
    async with door(tmp_path, desk=desk) as site:
        page = await (await site.browser()).get(f"s/{GOOD_CODE}")
    assert is_page(page, kinds.ERROR)
    assert any(record.exc_info for record in caplog.records)


async def test_no_page_names_the_study_or_the_title(
    site: Door, visitor: Browser
) -> None:
    share = await site.site.kept(max_openings=1, password=PASSWORD)
    link = await site.short(share)
    pages = [
        await visitor.get(link),
        await visitor.press(link, password="wrong"),
        await visitor.post(link, nonce="stale"),
    ]
    await site.site.revoke(share)
    pages.append(await visitor.get(link))
    for page in pages:
        told = page.text + repr(page.headers)
        assert str(STUDY.dicom_uid) not in told
        assert str(STUDY.orthanc_id) not in told
        assert share.id not in told


async def test_neither_link_nor_password_reaches_the_log(
    site: Door, visitor: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    share = await site.site.kept(max_openings=1, password=PASSWORD)
    link = await site.short(share)
    code = link.removeprefix("s/")
    with caplog.at_level(logging.DEBUG):
        nonce = nonce_of(await visitor.get(link))
        await visitor.post(link, nonce=nonce, password="a wrong password")
        opened = await visitor.post(link, nonce=nonce, password=PASSWORD)
        await (await site.browser()).get(link)
        await visitor.http.put(link)
        await visitor.get(f"s/{code}/x")
        await visitor.get(f"share-landing/s/{code}")
        await visitor.get(f"S/{code}")
    ours = [r for r in caplog.records if not r.name.startswith(("http", "aiosqlite"))]
    told = repr([r.__dict__ for r in ours])
    for secret in (code, nonce, PASSWORD, "a wrong password", token_in(opened)):
        assert secret not in told
    outcomes = [r.__dict__ for r in ours if r.name == "landing.routes"]
    assert {(one["outcome"], one["share"]) for one in outcomes} >= {
        ("ask-password", share.id),
        ("wrong-password", share.id),
        ("used-up", share.id),
    }


async def test_links_take_a_form_and_nothing_else_does(
    site: Door, visitor: Browser
) -> None:
    link = site.long(await site.site.kept(max_openings=1))
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS"):
        response = await visitor.http.request(method, link)
        assert is_page(response, kinds.UNSUPPORTED)
        assert response.headers["Allow"] == "GET, HEAD, POST"
    other = await visitor.http.post("robots.txt", headers=SAME_ORIGIN)
    assert is_page(other, kinds.UNSUPPORTED)
    assert other.headers["Allow"] == "GET, HEAD"
