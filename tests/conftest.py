"""What all tests share."""

import logging
import os
import signal
import tempfile
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.support.logs import CollectedLog, collected_log

settings.register_profile(
    "tests",
    derandomize=True,  # a failure is the same everywhere
    deadline=None,  # nothing is timed
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("tests")

# A shell ignores Ctrl-C for what it starts in the background, and so would all programs
# that the tests start and stop.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True, scope="session")
def _no_database_in_the_repository() -> Iterator[None]:
    """Keep the registry of services that take the default folder somewhere else."""
    with tempfile.TemporaryDirectory(prefix="registry-") as folder:
        os.environ["DATA_DIR"] = folder
        yield
        del os.environ["DATA_DIR"]


@pytest.fixture
def anyio_backend() -> str:
    """Return the one loop that the services run on."""
    return "asyncio"


@pytest.fixture(autouse=True)
def _no_handler_stays() -> Iterator[None]:
    """Remove handlers that a test adds: their stream is closed with the test."""
    root = logging.getLogger()
    before = list(root.handlers)
    yield
    for handler in list(root.handlers):
        if type(handler) is logging.StreamHandler and handler not in before:
            root.removeHandler(handler)


@pytest.fixture
def json_log() -> Iterator[CollectedLog]:
    """Collect every line that the services would log, at the lowest level."""
    with collected_log() as log:
        yield log
