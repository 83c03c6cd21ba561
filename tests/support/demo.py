"""The whole demo, running: two Orthancs, the services, nginx, OHIF."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from demo.__main__ import STATE
from demo.processes import free_port
from demo.run import Choices, Running, running
from tests.support.orthanc import require_orthanc
from tests.support.real import require

VIEWERS = STATE / "viewer"
"""OHIF is fetched once, for `make demo` and for all tests."""


@contextmanager
def running_demo(state: Path, *without: str) -> Iterator[Running]:
    """Run the demo with its files in `state`, with a viewer unless left out."""
    require_orthanc()
    wanted = {"nginx": "nginx", "ohif": "npm"}
    for part, program in wanted.items():
        if part not in without:
            require(program)
    choices = Choices(state, free_port(), frozenset(without), VIEWERS)
    with running(choices, print) as demo:
        if "ohif" not in without:
            assert demo.addresses.ohif is not None, "npm could not fetch OHIF"
        yield demo


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The demo with all its parts, for all tests that only read."""
    with running_demo(tmp_path_factory.mktemp("demo")) as running_one:
        yield running_one
