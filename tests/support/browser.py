"""A real Chromium, without a display and without the network beyond this machine."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Page, Request, sync_playwright

from tests.support.real import require

ARGUMENTS = (
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
)
"""No sandbox, because CI is root; WebGL in software; nothing that calls home."""

LOCAL_SCHEMES = {"data", "blob", "about"}


@contextmanager
def open_page(**context: Any) -> Iterator[tuple[Page, list[str]]]:
    """Open a page; also yield the hosts it asked for anything, as they are asked.

    Args:
        context: Options of `Browser.new_context`: `viewport`, `locale`, …
    """
    program = require("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(program), args=list(ARGUMENTS)
        )
        page = browser.new_context(**context).new_page()
        hosts: list[str] = []

        def note(request: Request) -> None:
            target = urlsplit(request.url)
            if target.scheme not in LOCAL_SCHEMES:
                hosts.append(target.hostname or "")

        page.on("request", note)
        try:
            yield page, hosts
        finally:
            browser.close()


def screenshot_path(name: str, folder: Path) -> Path:
    """Return where a screenshot goes: `ORTHANC_SHARE_SCREENSHOTS`, else `folder`."""
    chosen = Path(os.environ.get("ORTHANC_SHARE_SCREENSHOTS", folder))
    chosen.mkdir(parents=True, exist_ok=True)
    return chosen / f"{name}.png"
