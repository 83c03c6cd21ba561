"""Fixtures of the registry's tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.unit.shared.registry.samples import Site, running_site


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """Run a registry for one test."""
    async with running_site(tmp_path) as made:
        yield made
