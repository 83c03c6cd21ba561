"""Fixtures of the landing page's tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.unit.services.landing.door import Browser, Door, door


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Door]:
    """Run a site with a registry for one test."""
    async with door(tmp_path) as made:
        yield made


@pytest.fixture
async def visitor(site: Door) -> Browser:
    """Return a browser before the site."""
    return await site.browser()
