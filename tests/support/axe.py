"""axe-core, the accessibility checker, run in a page of a real browser.

It is fetched with npm once in a test session, and never becomes part of the repository.
"""

import functools
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.support.real import require

VERSION = "4.14.1"
"""Version of axe-core; its rules decide what the tests accept."""

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
"""Tags of the rules: WCAG 2.2 up to level AA, and axe's own good practice."""

INSTALL_TIMEOUT = 120
"""Seconds that npm may take."""

_RUN = "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})"


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that a page breaks.

    Args:
        rule: Its name in axe-core.
        help: What it wants.
        elements: Selectors of the elements that break it.
    """

    rule: str
    help: str
    elements: tuple[str, ...]


@functools.cache
def script() -> str:
    """Return axe-core's code; skip the test if npm is not there to fetch it."""
    npm = str(require("npm"))
    package = f"axe-core@{VERSION}"
    # Not a package of ours: nothing of it may run but in the browser.
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-save"]
    with tempfile.TemporaryDirectory() as folder:
        command = [npm, "install", *options, "--prefix", folder, package]
        subprocess.run(
            command, check=True, capture_output=True, timeout=INSTALL_TIMEOUT
        )
        found = Path(folder, "node_modules", "axe-core", "axe.min.js")
        return found.read_text("utf-8")


def violations(page: Page) -> list[Violation]:
    """Return the rules that `page` breaks, as it is shown now.

    The browser context must be made with `bypass_csp`: a page that allows no script
    would not allow axe-core either.
    """
    page.evaluate(script())
    result: dict[str, Any] = page.evaluate(_RUN, RULES)
    # Rules that do not run would look like a perfect page.
    assert len(result["passes"]) > 10
    return [
        Violation(
            rule=found["id"],
            help=found["help"],
            elements=tuple(str(node["target"]) for node in found["nodes"]),
        )
        for found in result["violations"]
    ]
