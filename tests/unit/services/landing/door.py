"""A landing page with a registry behind it, and browsers before it."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from landing.app import create_app
from landing.settings import LandingSettings
from orthanc_share.domain.share import Share
from orthanc_share.registry.links import Desk, Link, Opened, Opening, Ready, Refused
from orthanc_share.store.audit import EventFilter
from orthanc_share.store.records import Event, Origin
from tests.support.settings import DEIDENTIFICATION_KEY, PUBLIC, SECRET_KEY
from tests.unit.shared.registry.samples import Site, running_site

PAGE = f"{PUBLIC}/welcome/"
"""Public address of the page."""

SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin", "Origin": "null"}
"""What Chromium says of a form that a page without referrer sends to itself."""


class Browser:
    """A browser, with its cookies.

    Args:
        http: Sends its requests.
    """

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def get(self, link: str, **headers: str) -> httpx.Response:
        """Open a link."""
        return await self.http.get(link, headers=headers)

    async def post(self, link: str, **fields: str) -> httpx.Response:
        """Send a form."""
        return await self.http.post(link, data=fields, headers=SAME_ORIGIN)

    async def press(self, link: str, **fields: str) -> httpx.Response:
        """Open a link, fill in the form of its page, and press the button."""
        page = await self.get(link)
        return await self.post(link, nonce=nonce_of(page), **fields)


class Door:
    """A site whose registry is running.

    Args:
        site: Its registry.
        stack: Closes the browsers.
        settings: Of the landing page.
        desk: Where it asks; None: the registry.
    """

    def __init__(
        self,
        site: Site,
        stack: AsyncExitStack,
        settings: LandingSettings,
        desk: Desk | None,
    ) -> None:
        self.site = site
        self.clock = site.clock
        self.store = site.registry.store
        self._stack = stack
        desk = site.registry.desk if desk is None else desk
        self.app = create_app(settings, clock=site.clock, desk=desk)

    async def browser(self) -> Browser:
        """Return a fresh browser."""
        # The prefix is part of the path, as with uvicorn's `root_path`.
        transport = httpx.ASGITransport(app=self.app, root_path="/welcome")
        http = httpx.AsyncClient(transport=transport, base_url=PAGE)
        return Browser(await self._stack.enter_async_context(http))

    def long(self, share: Share) -> str:
        """Return the long link of a share."""
        return f"?token={self.site.token(share)}"

    async def short(self, share: Share) -> str:
        """Return a short link of a share that is kept."""
        code = await self.store.codes.issue(share.id, now=self.clock.now)
        return f"s/{code}"

    async def opened(self, share: Share) -> int:
        """Return how often a share was opened."""
        return (await self.store.shares.get(share.id)).opened

    async def events(self, share: Share) -> list[Event]:
        """Return what the audit trail says of a share."""
        trail = self.store.audit.export(EventFilter(share_id=share.id))
        return [stored.event async for stored in trail]


@asynccontextmanager
async def door(
    folder: Path, *, desk: Desk | None = None, **changes: Any
) -> AsyncIterator[Door]:
    """Run a site in `folder`; `changes` are settings of its landing page."""
    values: dict[str, Any] = {
        "secret_key": SECRET_KEY,
        "deidentification_key": DEIDENTIFICATION_KEY,
        "public_orthanc_root": f"{PUBLIC}/shares/",
        "public_landing_root": PAGE,
    }
    settings = LandingSettings(**values | changes)
    async with running_site(folder) as site, AsyncExitStack() as stack:
        made = Door(site, stack, settings, desk)
        await stack.enter_async_context(made.app.router.lifespan_context(made.app))
        yield made


def nonce_of(page: httpx.Response) -> str:
    """Return the nonce in the form of a page."""
    found = re.search(r'name="nonce" value="([\w-]{22})"', page.text)
    assert found is not None, page.text
    return found[1]


class OtherDesk:
    """A desk that does what a test wants.

    Args:
        answer: What it answers, or raises.
    """

    def __init__(self, answer: Ready | Opened | Refused | Exception) -> None:
        self.answer = answer
        self.asked = 0
        self.opened = 0

    async def look(
        self,
        link: Link,
        *,
        view: str | None = None,
        opening: Opening | None = None,
        origin: Origin | None = None,
    ) -> Ready | Refused:
        """Answer, as to a look."""
        answer = self._next(link, view, opening, origin)
        if isinstance(answer, Opened):
            return Ready(answer.share_id, needs_password=False, left=0, view=view)
        return answer

    async def open(
        self,
        link: Link,
        *,
        password: str | None,
        origin: Origin,
        opening: Opening | None = None,
    ) -> Opened | Refused:
        """Answer, as to an opening."""
        self.opened += 1
        answer = self._next(link, password, origin, opening)
        assert not isinstance(answer, Ready)
        return answer

    def _next(self, *_: object) -> Ready | Opened | Refused:
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer
