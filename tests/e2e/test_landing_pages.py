"""The landing pages in a real Chromium: how they look, and whether all can use them.

The variable `ORTHANC_SHARE_SCREENSHOTS` names the folder for the screenshots.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from landing import kinds
from landing.app import create_app
from landing.page_kind import PageKind
from landing.settings import LandingSettings
from orthanc_share.domain.resource import Resource
from orthanc_share.domain.share import Share, ShareType
from orthanc_share.web.sharing import build_sharing
from tests.support import axe
from tests.support.browser import ARGUMENTS, screenshot_path
from tests.support.meddream import Fault, MedDreamTokenService
from tests.support.real import require
from tests.support.server import serve

Keep = Callable[[Page, str], None]
"""Keeps a screenshot of a page under a name."""

PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
NOW = datetime(2026, 3, 3, 14, 0, tzinfo=UTC)
UID = "1.2.276.0.99.1"
LOGO = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40">
<rect width="40" height="40" rx="8" fill="#0b6e4f"/>
<path d="M20 8v24M8 20h24" stroke="#fff" stroke-width="7"/></svg>"""


def now() -> datetime:
    return NOW


class Site:
    """A running landing service, and links that lead to each of its pages."""

    def __init__(self, address: str, settings: LandingSettings) -> None:
        self.address = address
        self._codec = build_sharing(settings, clock=now).codec

    def link(
        self,
        kind: ShareType = ShareType.STONE_PUBLICATION,
        *,
        not_before: datetime | None = None,
        expires_at: datetime | None = None,
    ) -> str:
        """Return a link to a share."""
        study = (Resource(dicom_uid=UID),)
        share = Share(
            "a-share", kind, study, not_before=not_before, expires_at=expires_at
        )
        return f"{self.address}/?token={self._codec.sign(share)}"

    def url(self, kind: PageKind) -> str:
        """Return an address that answers with the page `kind`."""
        made: dict[PageKind, Callable[[], str]] = {
            kinds.EXPIRED: lambda: self.link(expires_at=NOW),
            kinds.INVALID: lambda: self.link()[:-5],
            kinds.MISSING: lambda: self.address + "/",
            kinds.NOT_ALLOWED: lambda: self.link(ShareType.VIEWER_INSTANT_LINK),
            kinds.NOT_YET_VALID: lambda: self.link(not_before=NOW + timedelta(days=1)),
            kinds.UNAVAILABLE: lambda: self.link(ShareType.MEDDREAM_PUBLICATION),
        }
        return made[kind]()


SHOWN = [
    kinds.EXPIRED,
    kinds.INVALID,
    kinds.MISSING,
    kinds.NOT_ALLOWED,
    kinds.NOT_YET_VALID,
    kinds.UNAVAILABLE,
]
"""The pages that a browser can be led to."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    logo = tmp_path_factory.mktemp("site") / "logo.svg"
    logo.write_text(LOGO)
    with MedDreamTokenService() as meddream:
        meddream.fault = Fault.ERROR
        settings = LandingSettings.model_validate(
            {
                "secret_key": "nL4wRz8sQv2Xk7Tj0Gm5Yb9Hd3Fc6PeW",
                "registry": False,
                "public_orthanc_root": "https://share.invalid/shares/",
                "public_landing_root": "https://share.invalid/welcome/",
                "public_meddream_root": "https://share.invalid/meddream/",
                "meddream_token_service_url": meddream.url,
                "site_name": "Lakeside Hospital",
                "site_logo": logo,
                "site_color": "#0b6e4f",
                "site_contact": "Radiology, +49 30 1234567, images@lakeside.example",
            }
        )
        with serve(create_app(settings, clock=now)) as address:
            yield Site(address, settings)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = require("chromium")
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))


@contextmanager
def opened(
    browser: Browser, url: str, lang: str = "en", *, bypass_csp: bool = False
) -> Iterator[Page]:
    """Open `url` in a fresh profile that prefers the language `lang`."""
    with browser.new_context(
        locale=lang, reduced_motion="reduce", bypass_csp=bypass_csp
    ) as context:
        page = context.new_page()
        page.goto(url)
        yield page


@pytest.fixture
def keep(tmp_path: Path) -> Keep:
    """Return what keeps a screenshot under a name."""

    def keep(page: Page, name: str) -> None:
        picture = page.screenshot(full_page=True)
        assert len(picture) > 5000
        screenshot_path(name, tmp_path).write_bytes(picture)

    return keep


@pytest.mark.parametrize("lang", ["en", "ar"])
@pytest.mark.parametrize("kind", SHOWN, ids=lambda kind: kind.name)
def test_a_page_is_for_everybody(
    kind: PageKind, lang: str, site: Site, browser: Browser, keep: Keep
) -> None:
    with opened(browser, site.url(kind), lang, bypass_csp=True) as page:
        for width, size in {"390": PHONE, "1280": DESKTOP}.items():
            page.set_viewport_size({"width": size["width"], "height": size["height"]})
            for scheme in SCHEMES:
                page.emulate_media(color_scheme=scheme)
                keep(page, f"landing-{kind.name}-{lang}-{width}-{scheme}")
                assert axe.violations(page) == []
                assert is_not_wider_than_the_screen(page)


def is_not_wider_than_the_screen(page: Page) -> bool:
    return bool(
        page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    )


def test_the_checker_finds_what_is_wrong(browser: Browser) -> None:
    """A checker that finds nothing anywhere would prove nothing above."""
    with opened(browser, "about:blank") as page:
        items = "<li>one</li>" * 3
        page.set_content(
            f"<html><body><main><h1 style='color:#ccc'>Hi</h1><a href='#'></a>"
            f"<img src='data:,'><ul>{items}</ul></main></body></html>"
        )
        found = {violation.rule for violation in axe.violations(page)}
    assert {"color-contrast", "html-has-lang", "image-alt", "link-name"} <= found


@pytest.mark.parametrize("kind", SHOWN, ids=lambda kind: kind.name)
def test_a_page_is_one_request_and_obeys_its_own_policy(
    kind: PageKind, site: Site, browser: Browser
) -> None:
    requests: list[str] = []
    complaints: list[str] = []
    with browser.new_context() as context:
        page = context.new_page()
        page.on("request", lambda request: requests.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        url = site.url(kind)
        response = page.goto(url, wait_until="networkidle")
        colour = page.evaluate(
            "getComputedStyle(document.querySelector('.badge')).color"
        )
    assert response is not None
    assert response.status == kind.status
    assert [one for one in requests if not one.startswith("data:")] == [url]
    # Chromium itself notes that the status is an error; nothing else may be said.
    assert [one for one in complaints if f"status of {kind.status:d}" not in one] == []
    assert colour == "rgb(11, 110, 79)"


def test_no_page_names_the_study(site: Site, browser: Browser) -> None:
    for kind in SHOWN:
        with opened(browser, site.url(kind)) as page:
            assert UID not in page.content()


def test_the_language_can_be_chosen_with_the_keyboard_alone(
    site: Site, browser: Browser, keep: Keep
) -> None:
    with opened(browser, site.url(kinds.EXPIRED)) as page:
        for key in ["Tab", "Enter", *["Tab"] * 9]:
            page.keyboard.press(key)
            if page.evaluate("document.activeElement.lang") == "ar":
                break
        page.keyboard.press("Enter")
        expect(page.locator("html")).to_have_attribute("dir", "rtl")
        expect(page.locator("h1")).to_have_text("انتهت صلاحية هذا الرابط")
        keep(page, "landing-expired-chosen")


def test_the_languages_on_offer_are_readable_in_the_menu(
    site: Site, browser: Browser, keep: Keep
) -> None:
    with opened(browser, site.url(kinds.EXPIRED), bypass_csp=True) as page:
        for lang, scheme in zip(("en", "ar"), SCHEMES, strict=True):
            page.emulate_media(color_scheme=scheme)
            page.goto(site.url(kinds.EXPIRED) + f"&lang={lang}")
            page.locator("summary").click()
            expect(page.get_by_role("link", name="Français")).to_be_visible()
            keep(page, f"landing-languages-{lang}-{scheme}")
            assert axe.violations(page) == []


def test_trying_again_is_the_same_link(site: Site, browser: Browser) -> None:
    url = site.url(kinds.UNAVAILABLE)
    with opened(browser, url) as page:
        with page.expect_navigation():
            page.get_by_role("link", name="Try again").click()
        assert page.url == url


def test_a_page_prints_without_what_only_a_screen_needs(
    site: Site, browser: Browser, keep: Keep
) -> None:
    with opened(browser, site.url(kinds.UNAVAILABLE)) as page:
        page.emulate_media(media="print")
        expect(page.locator("h1")).to_be_visible()
        expect(page.locator(".languages")).to_be_hidden()
        expect(page.locator(".button")).to_be_hidden()
        keep(page, "landing-unavailable-print")


def test_text_may_be_twice_as_large(site: Site, browser: Browser, keep: Keep) -> None:
    """WCAG 2.2, 1.4.4 and 1.4.10: nothing is cut, and nothing scrolls sideways."""
    with opened(browser, site.url(kinds.INVALID), bypass_csp=True) as page:
        page.set_viewport_size({"width": 320, "height": 640})
        page.add_style_tag(content="html { font-size: 200% }")
        keep(page, "landing-invalid-large")
        assert is_not_wider_than_the_screen(page)
