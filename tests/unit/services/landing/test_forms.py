"""The form that opens a link: from our page only, by the browser that got it, once."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
from starlette.types import Message, Scope

from landing import asking, kinds
from landing.answering import FORM_LIMIT, FormLinks
from landing.asking import DOUBLE_CLICK, Form, LinkAsker
from landing.cookies import CookieMaker, view_cookie
from landing.opening import Destinations, Refusal
from orthanc_share.domain.share import Share
from orthanc_share.registry.links import Link, Opened
from orthanc_share.store.records import Origin
from orthanc_share.web.sharing import build_sharing
from tests.support.service import NOW, MovableClock
from tests.unit.services.landing.door import (
    PAGE,
    SAME_ORIGIN,
    Browser,
    Door,
    OtherDesk,
    door,
    nonce_of,
)
from tests.unit.services.landing.sample import (
    client,
    is_page,
    landing_settings,
    now,
    sign,
)
from tests.unit.shared.registry.samples import PASSWORD

pytestmark = pytest.mark.anyio

FORM = "application/x-www-form-urlencoded"
NONCE = "abcdefghijklmnopqrstuv"


@dataclass(frozen=True)
class Guarded:
    """A share with a limit, a browser with its page, and the nonce in it."""

    site: Door
    visitor: Browser
    share: Share
    link: str
    nonce: str

    async def send(
        self, content: bytes | AsyncIterator[bytes], headers: dict[str, str]
    ) -> httpx.Response:
        """Send whatever it is."""
        sent = {"Content-Type": FORM, **headers}
        return await self.visitor.http.post(self.link, content=content, headers=sent)


@pytest.fixture
async def guarded(site: Door, visitor: Browser) -> Guarded:
    """Return a share with a limit of one, of which a browser has the page."""
    share = await site.site.kept(max_openings=1)
    link = await site.short(share)
    return Guarded(site, visitor, share, link, nonce_of(await visitor.get(link)))


@pytest.mark.parametrize(
    "headers",
    [
        SAME_ORIGIN,
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://inside.example"},
        {"Origin": "https://share.example.org"},
        {"Origin": "null"},
        {},
        {"Content-Type": f"{FORM.upper()} ; charset=UTF-8"},
    ],
    ids=str,
)
async def test_our_own_form_is_taken_from_new_browsers_and_old(
    headers: dict[str, str], guarded: Guarded
) -> None:
    response = await guarded.send(f"nonce={guarded.nonce}".encode(), headers)
    assert response.status_code == 303
    assert await guarded.site.opened(guarded.share) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": ""},
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://share.example.org"},
        {"Origin": "https://evil.example"},
        {"Origin": "https://share.example.org.evil.example"},
        {"Origin": "http://share.example.org"},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/json"},
        {"Content-Type": ""},
    ],
    ids=str,
)
async def test_the_form_of_another_site_is_refused(
    headers: dict[str, str], guarded: Guarded
) -> None:
    page = await guarded.send(f"nonce={guarded.nonce}".encode(), headers)
    await assert_refused(page, guarded)


BODIES = [
    b"",
    b"nonce",
    b"nonce=",
    b"nonce=NONCE&nonce=NONCE",
    b"nonce=NONCEx",
    b"nonce=" + NONCE.encode(),
    b"password=NONCE",
    b"nonce=NONCE&a=1&b=2&c=3&d=4",
    b"nonce=NONCE&password=%ff",
    b"nonce=NONCE&password=\xc3\xa9",
    b"nonce=NONCE&password=" + b"x" * FORM_LIMIT,
    b'{"nonce": "NONCE"}',
    b"\x00\x01",
]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: repr(body[:40]))
async def test_what_is_not_our_form_is_refused(body: bytes, guarded: Guarded) -> None:
    sent = body.replace(b"NONCE", guarded.nonce.encode())
    page = await guarded.send(sent, SAME_ORIGIN)
    await assert_refused(page, guarded)


async def test_a_form_in_pieces_is_no_longer_than_one_in_a_piece(
    guarded: Guarded,
) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(FORM_LIMIT):
            yield b"x"
        yield f"&nonce={guarded.nonce}".encode()

    await assert_refused(await guarded.send(pieces(), SAME_ORIGIN), guarded)


async def test_the_form_of_another_browser_is_refused(guarded: Guarded) -> None:
    other = await guarded.site.browser()
    page = await other.post(guarded.link, nonce=guarded.nonce)
    await assert_refused(page, guarded)
    other.http.cookies.set("os-form", NONCE)
    page = await other.post(guarded.link, nonce=guarded.nonce)
    await assert_refused(page, guarded)


async def assert_refused(page: httpx.Response, guarded: Guarded) -> None:
    """Check that a page asks to open the link again, and that nothing was counted."""
    assert is_page(page, kinds.STALE_FORM)
    assert '<a class="button" href="">Try again</a>' in page.text
    assert await guarded.site.opened(guarded.share) == 0
    assert len(await guarded.site.events(guarded.share)) == 1


async def test_who_goes_away_while_sending_opens_nothing(guarded: Guarded) -> None:
    messages: list[Message] = [
        {"type": "http.request", "body": b"nonce=", "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent: list[Message] = []

    async def receive() -> Message:
        return messages.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {
        "type": "http",
        "method": "POST",
        "path": f"/{guarded.link}",
        "query_string": b"",
        "headers": [(b"content-type", FORM.encode())],
    }
    await guarded.site.app(scope, receive, send)
    assert sent[0]["status"] == 403
    assert await guarded.site.opened(guarded.share) == 0


async def test_the_nonce_is_random_and_stays_with_the_browser(
    guarded: Guarded,
) -> None:
    again = await guarded.visitor.get(guarded.link)
    assert nonce_of(again) == guarded.nonce
    other = await (await guarded.site.browser()).get(guarded.link)
    assert nonce_of(other) != guarded.nonce
    cookie = again.headers["Set-Cookie"]
    assert cookie == (
        f"os-form={guarded.nonce}; Path=/welcome/; Max-Age=86400; HttpOnly;"
        " SameSite=Lax; Secure"
    )


async def test_a_nonce_that_somebody_made_up_is_replaced(guarded: Guarded) -> None:
    other = await guarded.site.browser()
    other.http.cookies.set("os-form", '"><script>')
    page = await other.get(guarded.link)
    assert "<script>" not in page.text
    assert nonce_of(page)


async def test_a_double_click_is_one_opening(guarded: Guarded) -> None:
    async def click() -> httpx.Response:
        # A browser that sends both before it has an answer, and so no new cookie.
        other = await guarded.site.browser()
        other.http.cookies.set("os-form", guarded.nonce)
        return await other.post(guarded.link, nonce=guarded.nonce)

    answers = await asyncio.gather(*(click() for _ in range(5)))
    assert {one.status_code for one in answers} == {303}
    assert len({one.headers["Location"] for one in answers}) == 1
    assert len({one.headers["Set-Cookie"] for one in answers}) == 1
    assert await guarded.site.opened(guarded.share) == 1


async def test_who_never_got_the_page_may_press_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So that nothing but the opening itself is remembered.
    monkeypatch.setattr(asking, "DOUBLE_CLICK", timedelta(0))
    async with door(tmp_path) as site:
        share, visitor = await site.site.kept(max_openings=1), await site.browser()
        link = await site.short(share)
        nonce = nonce_of(await visitor.get(link))
        answers: list[httpx.Response] = []
        for seconds in (0, 20 * 60, 9 * 60):
            site.clock.move(seconds)
            # No answer has arrived yet, and so no cookie.
            kept = await site.browser()
            kept.http.cookies.set("os-form", nonce)
            page = await kept.get(link)
            assert is_page(page, kinds.ASK)
            assert ("can still be opened" in page.text) == (not answers)
            answers.append(await kept.post(link, nonce=nonce))
        assert len({one.headers["Location"] for one in answers}) == 1
        assert await site.opened(share) == 1
        other = await site.browser()
        assert is_page(await other.get(link), kinds.USED_UP)
        other.http.cookies.set("os-form", NONCE)
        assert is_page(await other.post(link, nonce=NONCE), kinds.USED_UP)
        site.clock.move(60)
        late = await site.browser()
        late.http.cookies.set("os-form", nonce)
        assert is_page(await late.post(link, nonce=nonce), kinds.USED_UP)


async def test_an_opening_has_the_same_id_in_one_browser_and_link_only() -> None:
    sharing = build_sharing(landing_settings(), clock=now)

    def asker(grace: timedelta) -> LinkAsker:
        desk = OtherDesk(RuntimeError())
        return LinkAsker(desk, sharing.codec, Destinations(sharing), now, grace=grace)

    patient, hasty = asker(timedelta(minutes=30)), asker(timedelta(seconds=59))
    asked = [(Link("a"), NONCE), (Link(code="a"), NONCE), (Link("a"), NONCE[::-1])]
    ids = {patient._opening(*one).id for one in asked * 2}
    assert len(ids) == 3
    assert all(re.fullmatch("[0-9a-f]{32}", one) for one in ids)
    # Without grace only our own question may be asked again.
    assert len({hasty._opening(*one).id for one in asked * 2}) == 6
    assert hasty._opening(*asked[0]).grace == asking.LOST_ANSWER


async def test_a_double_click_is_one_wrong_password(
    site: Door, visitor: Browser
) -> None:
    link = await site.short(await site.site.kept(password=PASSWORD))
    nonce = nonce_of(await visitor.get(link))
    for _ in range(3):
        page = await visitor.post(link, nonce=nonce, password="wrong")
        assert "before you have to wait: 4." in page.text
    page = await visitor.post(link, nonce=nonce, password="wrong too")
    assert "before you have to wait: 3." in page.text


async def test_the_same_form_later_is_another_opening() -> None:
    sharing = build_sharing(landing_settings(), clock=now)
    share = sharing.codec.read(sign(landing_settings()))
    view = sharing.codec.sign_view(share, "a-view", now(), timedelta(hours=1))
    desk, clock = OtherDesk(Opened(share.id, view)), MovableClock()

    def seconds_passed() -> float:
        return (clock.now - NOW).total_seconds()

    asker = LinkAsker(
        desk,
        sharing.codec,
        Destinations(sharing),
        now,
        grace=timedelta(0),
        monotonic=seconds_passed,
    )
    for seconds, asked in ((0, 1), (1, 1), (DOUBLE_CLICK.total_seconds(), 2)):
        clock.move(seconds)
        await asker.open(Link(code=NONCE), Form(NONCE), None, Origin())
        assert desk.opened == asked
    await asker.open(Link(code=NONCE[::-1]), Form(NONCE), None, Origin())
    await asker.open(Link(code=NONCE), Form(NONCE[::-1]), None, Origin())
    assert desk.opened == 4
    await asker.aclose()


async def test_who_opens_a_link_is_who_the_proxy_says(tmp_path: Path) -> None:
    trusted = (ip_network("127.0.0.0/8"),)
    async with door(tmp_path, trusted_proxies=trusted) as site:
        share = await site.site.kept(max_openings=1)
        link, visitor = site.long(share), await site.browser()
        nonce = nonce_of(await visitor.get(link))
        visitor.http.headers["X-Forwarded-For"] = "192.0.2.66, 198.51.100.7"
        visitor.http.headers["User-Agent"] = "x" * 1000
        await visitor.post(link, nonce=nonce)
        origin = (await site.events(share))[-1].origin
    assert origin == Origin(None, "198.51.100.7", "x" * 255)


async def test_a_browser_needs_no_name(site: Door) -> None:
    share = await site.site.kept(max_openings=1)
    visitor = await site.browser()
    nonce = nonce_of(await visitor.get(site.long(share)))
    request = visitor.http.build_request(
        "POST", site.long(share), data={"nonce": nonce}, headers=SAME_ORIGIN
    )
    del request.headers["User-Agent"]
    assert (await visitor.http.send(request)).status_code == 303
    assert (await site.events(share))[-1].origin.user_agent is None


async def test_without_a_public_address_only_forms_without_origin_are_taken(
    tmp_path: Path,
) -> None:
    desk = OtherDesk(RuntimeError())
    async with door(tmp_path, desk=desk, public_landing_root=None) as site:
        visitor = await site.browser()
        visitor.http.cookies.set("os-form", NONCE)
        page = await visitor.http.post(
            f"s/{NONCE}",
            data={"nonce": NONCE},
            headers={"Origin": "https://share.example.org"},
        )
    assert is_page(page, kinds.STALE_FORM)
    assert desk.asked == 0


async def test_a_stale_form_leads_back_to_its_link(site: Door) -> None:
    token = site.site.token(await site.site.kept(max_openings=1))
    page = await (await site.browser()).post(f"?token={token}", nonce=NONCE)
    assert is_page(page, kinds.STALE_FORM)
    assert f'href="?token={token}&amp;lang=de"' in page.text


@pytest.mark.parametrize("changes", [{"needs_opening": True}, {"view_id": "a-view"}])
async def test_without_registry_what_needs_one_is_not_opened(
    changes: dict[str, object],
) -> None:
    settings = landing_settings()
    async with client(settings) as http:
        token = sign(settings, **changes)
        response = await http.get("/", params={"token": token})
        short = await http.get(f"/s/{NONCE}")
    assert is_page(response, kinds.NOT_ALLOWED)
    assert is_page(short, kinds.MISSING)


@pytest.mark.parametrize(
    ("root", "path", "is_secure"),
    [
        (PAGE, "/welcome/", True),
        ("http://a.example/", "/", False),
        ("https://a.example/welcome/landing.html", "/welcome/", True),
        (None, "/", False),
    ],
)
def test_cookies_are_for_the_page_as_browsers_see_it(
    root: str | None, path: str, *, is_secure: bool
) -> None:
    maker = CookieMaker.for_page(root)
    assert maker == CookieMaker(path, is_secure)
    cookie = maker.make("a", "b", timedelta(minutes=2, milliseconds=5))
    secure = "; Secure" if is_secure else ""
    assert cookie == f"a=b; Path={path}; Max-Age=120; HttpOnly; SameSite=Lax{secure}"


def test_cookies_of_two_links_have_two_names() -> None:
    names = [view_cookie(link) for link in (Link("a"), Link("b"), Link(code="c"))]
    assert len(set(names)) == 3
    assert all(len(name) == len("os-view-") + 16 for name in names)


def test_neither_nonce_nor_password_is_shown() -> None:
    shown = repr((Form(NONCE, PASSWORD), Refusal(kinds.ASK, nonce=NONCE)))
    assert NONCE not in shown
    assert PASSWORD not in shown


def test_forms_are_short_but_hold_the_longest_password() -> None:
    longest = urlencode({"nonce": NONCE, "password": "\U0001f600" * 128})
    assert len(longest) < FORM_LIMIT
    assert FormLinks.methods == ("GET", "HEAD", "POST")
