"""Servers that start and end together."""

import json
from pathlib import Path

import pytest

from suite.server import bind, run_workers
from tests.unit.services.suite.environment import process

ONE_THAT_FAILS = """
from contextlib import asynccontextmanager
from starlette.applications import Starlette
from orthanc_share.web.logging import configure_logging
from suite.server import bind, run

@asynccontextmanager
async def good(app):
    print("good starts", file=__import__("sys").stderr)
    yield

@asynccontextmanager
async def bad(app):
    raise ValueError
    yield

configure_logging("info")
sockets = [bind("127.0.0.1", 0), bind("127.0.0.1", 0)]
run([(Starlette(lifespan=one), s) for one, s in zip((good, bad), sockets)])
"""


def test_a_port_that_is_free_is_chosen() -> None:
    with bind("127.0.0.1", 0) as one, bind("127.0.0.1", 0) as other:
        assert one.getsockname()[1] != other.getsockname()[1]


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_port_that_is_taken_is_an_error(host: str) -> None:
    with bind(host, 0) as taken, pytest.raises(OSError, match="in use"):
        bind(host, taken.getsockname()[1])


def test_an_unknown_host_is_an_error() -> None:
    with pytest.raises(OSError, match="not known"):
        bind("nowhere.invalid", 0)


def test_workers_without_an_application_end(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(SystemExit) as ended:
        run_workers("suite.nowhere:create_app", "127.0.0.1", 0, workers=1)
    assert ended.value.code == 3  # as where one does not start
    assert 'Could not import module "suite.nowhere"' in caplog.text


def test_if_one_application_does_not_start_none_goes_on(tmp_path: Path) -> None:
    with process(tmp_path, "-c", ONE_THAT_FAILS) as running:
        assert running.end() == 3
    text = "".join(running.lines)
    assert "Application startup failed" in text
    for line in running.lines:
        assert not line.strip() or line == "good starts\n" or json.loads(line)
