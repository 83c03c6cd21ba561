"""The whole demo, running: three Orthancs, the services, nginx, OHIF."""

import shutil
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


def copy_samples(samples: Path, state: Path) -> None:
    """Give a demo in `state` the sample studies, which then need not be made."""
    shutil.copytree(samples.parent, state / "samples")


@contextmanager
def running_demo(state: Path, *without: str) -> Iterator[Running]:
    """Run the demo with its files in `state` and all parts but those in `without`."""
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
def demo(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The demo with all its parts, for all tests that only read."""
    state = tmp_path_factory.mktemp("demo")
    copy_samples(samples, state)
    with running_demo(state) as running_one:
        yield running_one
