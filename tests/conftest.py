"""What all tests share."""

import io
import logging
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from orthanc_share.web.logging import JsonFormatter

settings.register_profile(
    "tests",
    derandomize=True,  # a failure is the same everywhere
    deadline=None,  # nothing is timed
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("tests")


@pytest.fixture
def anyio_backend() -> str:
    """Return the one loop that the services run on."""
    return "asyncio"


@pytest.fixture
def json_log() -> Iterator[io.StringIO]:
    """Collect every line that the services would log, at the lowest level."""
    collected = io.StringIO()
    handler = logging.StreamHandler(collected)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield collected
    root.setLevel(level)
    root.removeHandler(handler)
