"""Links with a limit or a password, in a real Chromium with the real registry.

The viewer is a stand-in at another origin. The variable `ORTHANC_SHARE_SCREENSHOTS`
names the folder for the screenshots.
"""

import asyncio
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Error,
    Page,
    Response,
    Route,
    expect,
    sync_playwright,
)
from pydantic import SecretStr

from anonymizer.settings import AnonymizerSettings
from landing import kinds
from landing.app import create_app
from landing.cookies import VIEW_COOKIE
from landing.page_kind import PageKind
from landing.settings import LandingSettings
from orthanc_share.store.errors import StoreUnavailableError
from orthanc_share.store.records import Origin, StoredShare
from orthanc_share.store.store import Store, open_store
from suite.app import assemble, combine
from suite.server import bind
from tests.support import axe
from tests.support.browser import ARGUMENTS, screenshot_path
from tests.support.echo import Upstream, echo_upstream
from tests.support.real import require
from tests.support.server import HOST, serve
from tests.support.service import NOW, MovableClock, Service
from tests.support.settings import DEIDENTIFICATION_KEY, SECRET_KEY, USER
from tests.unit.services.landing.door import OtherDesk
from token_service.registry_settings import DATABASE_FILE, LinkStyle
from token_service.settings import TokenServiceSettings

PASSWORD = "Lake side 4711"
SIZES = {"390": (390, 844), "1280": (1280, 900)}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
UID = "1.2.276.0.99.1"
TITLE = "Knee of Mrs Example"
GOOD_CODE = "abcdefghijklmnopqrstuv"
LOOPBACK = ip_network("127.0.0.0/8")
ADDRESSES = ip_network("198.51.100.0/24").hosts()
LOOKS: dict[str, Any] = {
    "site_name": "Lakeside Hospital",
    "site_color": "#0b6e4f",
    "site_contact": "Radiology, +49 30 1234567, images@lakeside.example",
}


@dataclass(frozen=True)
class Site:
    """A running suite with a registry, and the viewer to which its links lead.

    Args:
        address: Of the landing page, with the final slash.
        service: token-service.
        viewer: Stand-in for Orthanc for shares.
        database: Address of the registry's database.
        trouble: Address of a landing page whose registry does not answer.
    """

    address: str
    service: Service
    viewer: Upstream
    database: str
    trouble: str

    def share(self, **members: Any) -> "Made":
        """Make a share."""
        made = self.service.made(title=TITLE, **members)
        return Made(made["url"], f"{self.address}?token={made['token']}", made)

    def stored(self, made: "Made") -> StoredShare:
        """Return what the registry knows of a share."""

        async def get(store: Store) -> StoredShare:
            return await store.shares.get(made.id)

        stored: StoredShare = self._with_store(get)
        return stored

    def revoke(self, made: "Made") -> None:
        """Take a share back, as another process does."""

        async def revoke(store: Store) -> StoredShare:
            origin = Origin("somebody")
            return await store.revoker.revoke(made.id, now=NOW, origin=origin)

        self._with_store(revoke)

    def _with_store(self, work: Callable[[Store], Any]) -> Any:
        async def run() -> Any:
            async with open_store(self.database) as store:
                return await work(store)

        # Playwright has an event loop in this thread.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, run()).result()


@dataclass(frozen=True)
class Made:
    """A share: its short link, its long one, and what the service answered."""

    short: str
    long: str
    answer: dict[str, Any]

    @property
    def id(self) -> str:
        """The id of the share."""
        return str(self.answer["share-id"])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    bound, clock = bind(HOST, 0), MovableClock()
    root = f"http://{HOST}:{bound.getsockname()[1]}/"
    with echo_upstream("viewer") as viewer:
        shared: dict[str, Any] = {
            "secret_key": SECRET_KEY,
            "deidentification_key": DEIDENTIFICATION_KEY,
            "public_orthanc_root": f"http://{viewer.address}/shares/",
            "public_landing_root": f"{root}welcome/",
        }
        tokens = TokenServiceSettings(
            **shared,
            users={USER[0]: SecretStr(USER[1])},
            data_dir=folder,
            link_style=LinkStyle.SHORT,
        )
        services = assemble(
            tokens,
            LandingSettings(**shared, **LOOKS, trusted_proxies=(LOOPBACK,)),
            AnonymizerSettings(**shared),
            clock=clock,
        )
        broken = create_app(
            LandingSettings(**shared, **LOOKS),
            clock=clock,
            desk=OtherDesk(StoreUnavailableError()),
        )
        with serve(combine(*services), bound) as address, serve(broken) as trouble:
            yield Site(
                f"{address}/welcome/",
                Service(address),
                viewer,
                f"sqlite:///{folder / DATABASE_FILE}",
                f"{trouble}/s/{GOOD_CODE}",
            )


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = require("chromium")
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))


@contextmanager
def person(browser: Browser, **options: Any) -> Iterator[Page]:
    """Open a page in a fresh profile, at an address of its own: tries are counted."""
    headers = {"X-Forwarded-For": str(next(ADDRESSES))}
    with browser.new_context(
        reduced_motion="reduce", extra_http_headers=headers, **options
    ) as context:
        yield context.new_page()


def press(page: Page, password: str | None = None) -> Response:
    """Fill in the form, and press its button; return the last answer."""
    if password is not None:
        page.locator("input[type=password]").fill(password)
    with page.expect_navigation() as arrived:
        page.locator("button[type=submit]").click()
    return arrived.value


def goto(page: Page, link: str) -> Response:
    """Open a link; return the last answer."""
    answer = page.goto(link)
    assert answer is not None
    return answer


# --- how the pages look


def _revoked(site: Site, page: Page) -> None:
    made = site.share()
    site.revoke(made)
    page.goto(made.short)


def _used_up(site: Site, page: Page) -> None:
    made = site.share(max_openings=1)
    page.goto(made.short)
    press(page)
    page.context.clear_cookies()
    page.goto(made.short)


def _ask(site: Site, page: Page) -> None:
    page.goto(site.share(max_openings=3).short)


def _ask_password(site: Site, page: Page) -> None:
    page.goto(site.share(password=PASSWORD).short)


def _wrong_password(site: Site, page: Page) -> None:
    _ask_password(site, page)
    press(page, "wrong")


def _locked(site: Site, page: Page) -> None:
    made = site.share(password=PASSWORD)
    page.goto(made.short)
    for guess in range(5):
        press(page, f"guess {guess}")
    press(page, PASSWORD)


def _stale_form(site: Site, page: Page) -> None:
    _ask(site, page)
    page.context.clear_cookies()
    press(page)


def _unchecked(site: Site, page: Page) -> None:
    page.goto(site.trouble)


WAYS: dict[PageKind, Callable[[Site, Page], None]] = {
    kinds.REVOKED: _revoked,
    kinds.USED_UP: _used_up,
    kinds.ASK: _ask,
    kinds.ASK_PASSWORD: _ask_password,
    kinds.WRONG_PASSWORD: _wrong_password,
    kinds.LOCKED: _locked,
    kinds.STALE_FORM: _stale_form,
    kinds.UNCHECKED: _unchecked,
}
"""Each page, and how a person gets there."""


@pytest.mark.parametrize("lang", ["en", "ar"])
@pytest.mark.parametrize("kind", WAYS, ids=lambda kind: kind.name)
def test_a_page_is_for_everybody(
    kind: PageKind, lang: str, site: Site, browser: Browser, tmp_path: Path
) -> None:
    with person(browser, locale=lang, bypass_csp=True) as page:
        WAYS[kind](site, page)
        for width, (across, down) in SIZES.items():
            page.set_viewport_size({"width": across, "height": down})
            for scheme in SCHEMES:
                page.emulate_media(color_scheme=scheme)
                name = f"landing-{kind.name}-{lang}-{width}-{scheme}"
                picture = page.screenshot(full_page=True)
                screenshot_path(name, tmp_path).write_bytes(picture)
                assert axe.violations(page) == []
                assert page.evaluate(
                    "document.documentElement.scrollWidth <= window.innerWidth"
                )


@pytest.mark.parametrize("kind", WAYS, ids=lambda kind: kind.name)
def test_a_page_obeys_its_own_policy_and_names_nobody(
    kind: PageKind, site: Site, browser: Browser
) -> None:
    complaints: list[str] = []
    with person(browser, locale="en") as page:
        page.on("console", lambda message: complaints.append(message.text))
        WAYS[kind](site, page)
        expect(page.locator("h1")).to_have_text(kind.title)
        content = page.content()
    assert UID not in content
    assert TITLE not in content
    # Chromium notes that a status is an error, and who was faster than autofocus.
    expected = ("status of", "Autofocus processing")
    assert [c for c in complaints if not any(part in c for part in expected)] == []


def test_text_may_be_twice_as_large(
    site: Site, browser: Browser, tmp_path: Path
) -> None:
    with person(browser, bypass_csp=True) as page:
        _wrong_password(site, page)
        page.set_viewport_size({"width": 320, "height": 640})
        page.add_style_tag(content="html { font-size: 200% }")
        path = screenshot_path("landing-wrong-password-large", tmp_path)
        path.write_bytes(page.screenshot(full_page=True))
        assert page.evaluate(
            "document.documentElement.scrollWidth <= window.innerWidth"
        )


# --- what the links do


@pytest.mark.parametrize("javascript", [True, False])
def test_a_link_for_one_opening_opens_once_for_one_browser(
    site: Site, browser: Browser, *, javascript: bool
) -> None:
    made = site.share(max_openings=1)
    with person(browser, java_script_enabled=javascript) as page:
        assert goto(page, made.short).status == 200
        assert press(page).status == 200
        viewer = page.url
        assert viewer.startswith(f"http://{site.viewer.address}/shares/stone-webviewer")
        # The same link again, from the message, and a reload.
        goto(page, made.short)
        page.reload()
        assert page.url == viewer
        page.go_back()
    assert site.stored(made).opened == 1
    with person(browser, java_script_enabled=javascript) as page:
        assert goto(page, made.short).status == 410
        expect(page.locator("h1")).to_have_text(kinds.USED_UP.title)
        assert goto(page, made.long).status == 410
    assert site.stored(made).opened == 1


def test_what_the_viewer_gets_opens_the_images_and_no_link(
    site: Site, browser: Browser
) -> None:
    made = site.share(max_openings=1)
    assert not site.service.is_granted(made.answer["token"])
    with person(browser) as page:
        goto(page, made.short)
        press(page)
        view = page.url.rpartition("token=")[2]
        assert goto(page, f"{site.address}?token={view}").status == 403
    assert site.service.is_granted(view)
    site.revoke(made)


def test_a_password_opens_after_wrong_ones(site: Site, browser: Browser) -> None:
    made = site.share(password=PASSWORD)
    with person(browser) as page:
        goto(page, made.short)
        for left in (4, 3):
            assert press(page, f"wrong {left}").status == 403
            expect(page.locator("#message")).to_contain_text(f"wait: {left}.")
        field = page.locator("input[type=password]")
        expect(field).to_be_focused()
        expect(field).to_have_value("")
        expect(field).to_have_accessible_description(
            "Check it, and enter it once more. Tries left before you have to wait: 3."
        )
        # By keyboard alone: the field has the focus.
        page.keyboard.type(PASSWORD)
        with page.expect_navigation():
            page.keyboard.press("Enter")
        assert page.url.startswith(f"http://{site.viewer.address}/")
    assert site.stored(made).opened == 1


def test_the_form_can_be_used_by_keyboard(site: Site, browser: Browser) -> None:
    made = site.share(password=PASSWORD)
    with person(browser) as page:
        goto(page, made.long)
        for key in ("Tab", "Tab"):
            page.keyboard.press(key)
        expect(page.get_by_label("Password")).to_be_focused()
        outline = "getComputedStyle(document.activeElement).outlineStyle"
        assert page.evaluate(outline) == "solid"
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Tab")
        expect(page.get_by_role("button", name="Open the images")).to_be_focused()
        with page.expect_navigation():
            page.keyboard.press("Space")
        assert page.url.startswith(f"http://{site.viewer.address}/")


def test_an_empty_password_is_no_try(site: Site, browser: Browser) -> None:
    made = site.share(password=PASSWORD)
    with person(browser) as page:
        goto(page, made.short)
        page.locator("button[type=submit]").click()
        expect(page.locator("h1")).to_have_text(kinds.ASK_PASSWORD.title)
        assert page.locator("input:invalid").count() == 1
        press(page, "wrong")
        expect(page.locator("#message")).to_contain_text("wait: 4.")


def test_a_revoked_link_says_so_at_once(site: Site, browser: Browser) -> None:
    made = site.share(max_openings=5)
    with person(browser) as page:
        goto(page, made.short)
        press(page)
        site.revoke(made)
        for link in (made.short, made.long):
            assert goto(page, link).status == 410
            expect(page.locator("h1")).to_have_text(kinds.REVOKED.title)


def test_an_ordinary_short_link_needs_no_button(site: Site, browser: Browser) -> None:
    made = site.share()
    with person(browser) as page:
        goto(page, made.short)
        assert page.url.startswith(f"http://{site.viewer.address}/")
        assert made.answer["token"] not in page.url
    assert UID not in made.short
    assert len(made.short) < len(site.address) + 30


def test_a_scanner_with_a_browser_uses_nothing_up(site: Site, browser: Browser) -> None:
    made = site.share(max_openings=1)
    for _ in range(3):
        with person(browser) as page:
            page.goto(made.short, wait_until="networkidle")
            page.goto(made.long, wait_until="networkidle")
            page.reload(wait_until="networkidle")
            # Scanners follow links, too; the button is none.
            for link in page.locator("main a[href]").all():
                assert link.get_attribute("href") is not None
    stored = site.stored(made)
    assert (stored.opened, stored.denied) == (0, 0)
    with person(browser) as page:
        goto(page, made.short)
        press(page)
        assert page.url.startswith(f"http://{site.viewer.address}/")


def test_a_double_click_opens_once(site: Site, browser: Browser) -> None:
    made = site.share(max_openings=1)
    with person(browser) as page:
        goto(page, made.short)
        page.locator("button[type=submit]").dblclick(no_wait_after=True)
        # The second click aborts what the first one began, which would end a wait for
        # the navigation.
        expect(page).to_have_url(
            re.compile(f"^http://{re.escape(site.viewer.address)}/")
        )
    assert site.stored(made).opened == 1


def test_two_tabs_of_one_link_are_one_opening(site: Site, browser: Browser) -> None:
    made = site.share(max_openings=1)
    with browser.new_context() as context:
        tabs = [_tab(context, made.short) for _ in range(2)]
        for tab in tabs:
            press(tab)
            assert tab.url.startswith(f"http://{site.viewer.address}/")
    assert site.stored(made).opened == 1


def _tab(context: BrowserContext, link: str) -> Page:
    tab = context.new_page()
    tab.goto(link)
    return tab


def test_another_site_cannot_press_the_button(site: Site, browser: Browser) -> None:
    made = site.share(max_openings=1)
    form = f'<form method="post" action="{made.short}"><button>x</button></form>'
    with person(browser) as page:
        goto(page, made.short)
        nonce = page.locator("input[name=nonce]").get_attribute("value")
        page.goto(f"http://{site.viewer.address}/elsewhere")
        page.set_content(
            form.replace("<button>", f"<input name=nonce value={nonce}><button>")
        )
        with page.expect_navigation() as arrived:
            page.get_by_role("button").click()
        assert arrived.value.status == 403
        expect(page.locator("h1")).to_have_text(kinds.STALE_FORM.title)
        with page.expect_navigation():
            page.get_by_role("link", name="Try again").click()
        press(page)
        assert page.url.startswith(f"http://{site.viewer.address}/")
    assert site.stored(made).opened == 1


def test_an_answer_that_was_lost_uses_nothing_up_even_from_the_message(
    site: Site, browser: Browser
) -> None:
    made = site.share(max_openings=1)

    def lose(route: Route) -> None:
        if route.request.method == "POST":
            route.fetch(max_redirects=0)
            route.abort("connectionreset")
        else:
            route.continue_()

    with person(browser) as page:
        goto(page, made.short)
        page.route("**", lose)
        with pytest.raises(Error, match="ERR_CONNECTION_RESET"):
            press(page)
        page.unroute("**", lose)
        assert site.stored(made).opened == 1
        # What the lost answer set does not exist for the browser.
        page.context.clear_cookies(name=re.compile(f"{VIEW_COOKIE}.*"))
        # To a browser, another name is another site.
        elsewhere = site.viewer.address.replace(HOST, "localhost")
        page.goto(f"http://{elsewhere}/elsewhere")
        page.set_content(f'<a href="{made.short}">The images</a>')
        with page.expect_navigation() as arrived:
            page.get_by_role("link").click()
        assert arrived.value.status == 200
        press(page)
        assert page.url.startswith(f"http://{site.viewer.address}/")
    assert site.stored(made).opened == 1


def test_a_browser_without_cookies_is_told(site: Site, browser: Browser) -> None:
    made = site.share(max_openings=1)
    with person(browser) as page:
        goto(page, made.short)
        page.context.clear_cookies()
        assert press(page).status == 403
        expect(page.locator("main")).to_contain_text("allow cookies")
    assert site.stored(made).opened == 0


def test_another_language_keeps_the_link(site: Site, browser: Browser) -> None:
    made = site.share(max_openings=1)
    with person(browser, locale="en") as page:
        goto(page, made.short)
        page.locator("summary").click()
        with page.expect_navigation():
            page.get_by_role("link", name="Deutsch").click()
        expect(page.locator("h1")).to_have_text("Die Bilder sind bereit")
        press(page)
        assert page.url.startswith(f"http://{site.viewer.address}/")
