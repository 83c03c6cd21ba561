"""The page for people in a real Chromium: how it looks, and whether all can use it.

The variable `ORTHANC_SHARE_SCREENSHOTS` names the folder for the screenshots.
"""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from pydantic import SecretStr

from orthanc_share.upstream.notices import sign
from orthanc_share.web.qr_code import QrFormat, qr_code
from tests.support import axe
from tests.support.browser import ARGUMENTS, screenshot_path
from tests.support.manage import ANNA, STUDY, fill, managed
from tests.support.postgres import running_postgres
from tests.support.real import require
from tests.support.receiver import receiver
from tests.support.service import NOW, MovableClock, basic

EVIL = "<img src=x onerror='window.hacked=1'>\"'><script>window.hacked=1</script>"

KEY = "hT5wQz8LkP2vRx9JmN4cYb7GdS1fAe6U"  # made up, for tests only
TOLD_WITHIN = 60.0
"""Seconds after which a notice that did not come is a failure."""

SIZES = {"390": (390, 844), "1280": (1280, 900)}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


@dataclass(frozen=True)
class Site:
    """A running site with shares that have a past.

    Args:
        base: Its address.
        ids: Of its shares, by what they stand for.
    """

    base: str
    ids: dict[str, str]

    def url(self, path: str = "") -> str:
        """Return the address of a page."""
        return f"{self.base}/manage/{path}"

    def share(self, name: str, action: str = "") -> str:
        """Return the address of the page of a share."""
        return self.url(f"shares/{self.ids[name]}{action}")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("manage")
    ids = fill(folder, NOW)
    with managed(
        folder,
        MovableClock(NOW),
        notify_key=SecretStr(KEY),
        notify_allowed_hosts=("ris.example.org", "hooks.example.net:8443"),
    ) as base:
        yield Site(base, ids)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = require("chromium")
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))


@contextmanager
def signed_in(browser: Browser, site: Site, **options: Any) -> Iterator[Page]:
    """Give a fresh profile that is logged in, at the list."""
    usual = {"locale": "en", "reduced_motion": "reduce"}
    with browser.new_context(**usual | options) as context:
        page = context.new_page()
        page.goto(site.url())
        page.get_by_label("User").fill(ANNA[0])
        page.get_by_label("Password").fill(ANNA[1])
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="Shares", level=1)).to_be_visible()
        yield page


def at(path: str) -> Callable[[Page, Site], None]:
    return lambda page, site: (page.goto(site.url(path)), None)[1]


def of(name: str, action: str = "") -> Callable[[Page, Site], None]:
    return lambda page, site: (page.goto(site.share(name, action)), None)[1]


def link(page: Page, site: Site) -> None:
    page.goto(site.share("endless"))
    page.get_by_role("button", name="Get a link").click()
    # The script has run, which also changes the address.
    expect(page.get_by_role("button", name="Copy the link")).to_be_visible()


def wrong(page: Page, site: Site) -> None:
    page.goto(site.url("create"))
    page.get_by_label("Studies").fill("not a study")
    page.get_by_label("Password").fill("short")
    page.get_by_role("button", name="Create").click()


def notify_wrong(page: Page, site: Site) -> None:
    page.goto(site.url("create"))
    page.get_by_label("Studies").fill(STUDY)
    page.get_by_label("Tell each opening to").fill("https://elsewhere.example/")
    page.get_by_role("button", name="Create").click()
    wrong_field = page.locator("#notify-error")
    expect(wrong_field).to_have_text("Notices to this host are not allowed here.")


def table(page: Page, site: Site) -> None:
    page.goto(site.share("used"))
    page.get_by_text("The same as a table").click()


PAGES: dict[str, Callable[[Page, Site], None]] = {
    "list": at(""),
    "list-empty": at("?text=nothing-like-this"),
    "details": of("used"),
    "details-table": table,
    "details-revoked": of("revoked"),
    "create": at("create"),
    "create-wrong": wrong,
    "create-notify-wrong": notify_wrong,
    "change": of("used", "/change"),
    "revoke": of("used", "/revoke"),
    "link": link,
    "missing": at("nothing"),
}
"""The pages for who is logged in."""


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_for_everybody(
    name: str, site: Site, browser: Browser, tmp_path: Path
) -> None:
    with signed_in(browser, site, bypass_csp=True) as page:
        PAGES[name](page, site)
        check_looks(page, name, tmp_path)


def test_the_login_is_for_everybody(
    site: Site, browser: Browser, tmp_path: Path
) -> None:
    with browser.new_context(locale="en", bypass_csp=True) as context:
        page = context.new_page()
        page.goto(site.url())
        check_looks(page, "login", tmp_path)


def check_looks(page: Page, name: str, folder: Path) -> None:
    for width, (wide, high) in SIZES.items():
        page.set_viewport_size({"width": wide, "height": high})
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            picture = page.screenshot(full_page=True)
            path = screenshot_path(f"manage-{name}-{width}-{scheme}", folder)
            path.write_bytes(picture)
            assert axe.violations(page) == []
            assert page.evaluate(
                "document.documentElement.scrollWidth <= window.innerWidth"
            )


def test_a_page_asks_nobody_else_and_obeys_its_own_policy(
    site: Site, browser: Browser
) -> None:
    asked: set[str] = set()
    complaints: list[str] = []
    with signed_in(browser, site) as page:
        page.on("request", lambda request: asked.add(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        for name, open_page in PAGES.items():
            if name not in {"missing", "create-wrong", "create-notify-wrong"}:
                open_page(page, site)
        page.wait_for_load_state("networkidle")
        style = "getComputedStyle(document.querySelector('.site svg')).color"
        assert page.evaluate(style) == "rgb(31, 96, 145)"
    assert complaints == []
    others = {url for url in asked if not url.startswith((site.base, "data:"))}
    assert others == set()


def test_a_link_is_copied_with_one_click(site: Site, browser: Browser) -> None:
    with signed_in(browser, site) as page:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        link(page, site)
        shown = page.get_by_label("Link").input_value()
        page.get_by_role("button", name="Copy the link").click()
        expect(page.get_by_role("status")).to_have_text("Copied")
        assert page.evaluate("navigator.clipboard.readText()") == shown
        # A reload makes no further link.
        page.reload()
        expect(page.get_by_role("heading", level=1)).to_have_text("ris-2026-004711")


def test_the_ways_from_a_link_lead_where_they_should(
    site: Site, browser: Browser
) -> None:
    """Although the address was changed, so that a reload makes no further link."""
    for name in ("To the share", "New share", "Shares"):
        with signed_in(browser, site) as page:
            link(page, site)
            with page.expect_navigation() as waiting:
                page.get_by_role("link", name=name, exact=True).click()
            assert waiting.value.status == 200
    with signed_in(browser, site) as page:
        link(page, site)
        page.get_by_role("link", name="Skip to the content").press("Enter")
        expect(page.get_by_label("Link")).to_be_visible()
    with signed_in(browser, site) as page:
        link(page, site)
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_without_the_clipboard_a_link_is_copied_the_old_way(
    site: Site, browser: Browser
) -> None:
    with signed_in(browser, site) as page:
        page.add_init_script("delete Navigator.prototype.clipboard")
        link(page, site)
        page.get_by_role("button", name="Copy the link").click()
        expect(page.get_by_role("status")).to_have_text("Copied")
        page.evaluate("document.execCommand = () => false")
        page.get_by_role("button", name="Copy the link").click()
        expect(page.get_by_role("status")).to_contain_text("Select the link")


def test_the_picture_is_the_link(site: Site, browser: Browser, tmp_path: Path) -> None:
    with signed_in(browser, site) as page:
        link(page, site)
        url = page.get_by_label("Link").input_value()
        with page.expect_download() as waiting:
            page.get_by_role("link", name="QR code as picture").click()
        waiting.value.save_as(tmp_path / "link.png")
    drawn = tmp_path.joinpath("link.png").read_bytes()
    assert drawn == qr_code(url, QrFormat.PNG)


@contextmanager
def kept_in(database: str, site: Site, folder: Path) -> Iterator[Site]:
    """Give a site with such a database; on PostgreSQL it is without any share."""
    if database == "sqlite":
        yield site
        return
    with running_postgres() as server:
        address = server.new_database()
        with managed(folder, MovableClock(NOW), database_url=address) as base:
            yield Site(base, {})


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_everything_works_without_javascript_on_each_database(
    database: str, site: Site, browser: Browser, tmp_path: Path
) -> None:
    with (
        kept_in(database, site, tmp_path) as chosen,
        signed_in(browser, chosen, java_script_enabled=False) as page,
    ):
        page.get_by_role("link", name="New share").first.click()
        page.get_by_label("Studies").fill(STUDY)
        page.get_by_label("Opens in").select_option("OHIF Viewer")
        page.get_by_label("Title").fill("Made without a script")
        page.get_by_label("Valid for").select_option("1 week")
        page.get_by_role("button", name="Create the share").click()
        expect(page.get_by_label("Link")).to_have_value(re.compile("/welcome/s/"))
        expect(page.get_by_role("button", name="Copy the link")).to_be_hidden()
        page.get_by_role("link", name="To the share").click()
        page.get_by_role("link", name="Extend or change").click()
        page.get_by_label("Title").fill("Changed without a script")
        page.get_by_role("button", name="Change").click()
        expect(page.get_by_role("heading", level=1)).to_have_text(
            "Changed without a script"
        )
        page.get_by_role("link", name="Revoke").click()
        page.get_by_label("Reason").fill("Only a test")
        page.get_by_role("button", name="Revoke").click()
        expect(page.get_by_text("Only a test").first).to_be_visible()
        expect(page.get_by_role("link", name="Extend or change")).to_have_count(0)
        page.get_by_role("link", name="All shares").click()
        page.get_by_label("Search").fill("without script")
        page.get_by_role("button", name="Show").click()
        expect(page.get_by_role("row")).to_have_count(2)
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_who_was_named_in_the_page_is_told_when_the_link_is_opened(
    browser: Browser, tmp_path: Path
) -> None:
    with (
        receiver() as told,
        managed(
            tmp_path,
            MovableClock(NOW),
            notify_key=SecretStr(KEY),
            notify_allowed_hosts=(told.host,),
        ) as base,
        signed_in(browser, Site(base, {})) as page,
    ):
        page.get_by_role("link", name="New share").first.click()
        page.get_by_label("Studies").fill(STUDY)
        page.get_by_label("Title").fill("Told of")
        page.get_by_label("Tell each opening to").fill(told.url)
        page.get_by_role("button", name="Create the share").click()
        link = page.get_by_label("Link").input_value()
        page.get_by_role("link", name="To the share").click()
        row = page.locator("dt", has_text="Told of each opening").locator("+ dd")
        expect(row).to_have_text("127.0.0.1")
        assert told.received == []
        opened = httpx.post(
            f"{base}/links/open",
            json={"code": link.rpartition("/")[2]},
            headers={"Authorization": basic(*ANNA)},
        )
        assert opened.json()["outcome"] == "opened"
        assert told.came.wait(TOLD_WITHIN)
        share_id = page.url.rpartition("/")[2]
    (notice,) = told.received
    assert f"http://{told.host}{notice.path}" == told.url
    signed = sign(KEY.encode(), notice.headers["webhook-id"], NOW, notice.body)
    assert signed.items() <= notice.headers.items()
    said = json.loads(notice.body)
    assert (said["event"], said["share-id"]) == ("opened", share_id)
    assert (said["title"], said["opened"]) == ("Told of", 1)


def test_the_keyboard_is_enough(site: Site, browser: Browser) -> None:
    with signed_in(browser, site) as page:
        focused = page.locator(":focus")
        page.keyboard.press("Tab")
        expect(focused).to_have_text("Skip to the content")
        expect(focused).to_be_in_viewport()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        expect(focused).to_have_attribute("href", "./create")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("New share")
        seen = []
        for _ in range(24):
            page.keyboard.press("Tab")
            seen.append(page.evaluate("document.activeElement.id"))
        fields = ["studies", "type", "title", "duration", "expires", "max-openings"]
        fields += ["password", "notify"]
        assert [one for one in dict.fromkeys(seen) if one in fields] == fields
        page.get_by_label("Studies").fill("no study")
        page.get_by_role("button", name="Create").press("Enter")
        # What is wrong is read out first, and leads to its field.
        expect(focused).to_contain_text("Something is not right yet")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.get_by_label("Studies")).to_be_focused()
        described = page.get_by_label("Studies").get_attribute("aria-describedby")
        assert described == "studies-hint studies-error"


def test_a_form_on_another_site_does_nothing(site: Site, browser: Browser) -> None:
    with signed_in(browser, site) as page:
        token = page.locator("input[name=token]").first.get_attribute("value")
        target = site.share("endless", "/revoke")
        page.goto(site.base.replace("127.0.0.1", "localhost") + "/health")
        page.set_content(
            f'<form method="post" action="{target}">'
            f'<input name="token" value="{token}"><button>Go</button></form>'
        )
        with page.expect_navigation():
            page.get_by_role("button").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("did not work")
        page.goto(site.share("endless"))
        if page.url.endswith("login"):
            pytest.fail("the session is gone")
        expect(page.get_by_role("link", name="Revoke")).to_be_visible()


def test_nobody_frames_the_page(site: Site, browser: Browser) -> None:
    with signed_in(browser, site) as page:
        page.route("**/framing", lambda route: route.fulfill(body="<html></html>"))
        page.goto(f"{site.base}/framing")
        page.set_content(f'<iframe src="{site.url()}"></iframe>')
        page.wait_for_load_state("networkidle")
        texts = [frame.content() for frame in page.frames[1:]]
        assert all("Sign out" not in text for text in texts)


@pytest.mark.parametrize("field", ["title", "reason"])
def test_no_text_becomes_a_script(site: Site, browser: Browser, field: str) -> None:
    with signed_in(browser, site, bypass_csp=True) as page:
        page.goto(site.url("create"))
        page.get_by_label("Studies").fill(STUDY)
        page.get_by_label("Title").fill(EVIL if field == "title" else "harmless")
        page.get_by_role("button", name="Create").click()
        page.get_by_role("link", name="To the share").click()
        page.get_by_role("link", name="Revoke").click()
        page.get_by_label("Reason").fill(EVIL if field == "reason" else "harmless")
        page.get_by_role("button", name="Revoke").click()
        expect(page.get_by_text(EVIL).first).to_be_visible()
        page.goto(site.url("?text=alert"))
        assert page.evaluate("window.hacked") is None
