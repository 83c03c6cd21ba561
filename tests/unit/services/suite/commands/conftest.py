"""Each command starts in a folder of its own, with the settings of a good site."""

import asyncio
import os
import sys
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from suite.commands import running
from tests.unit.services.suite.environment import GOOD, set_environment


@pytest.fixture(autouse=True)
def site(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return the folder of the site, with `secrets` and `data` in it."""
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    set_environment(monkeypatch, secrets, GOOD)
    for name in [name for name in os.environ if name.startswith("ORTHANC_SHARE_")]:
        if name != "ORTHANC_SHARE_REQUIRE_REAL":
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    return tmp_path


@pytest.fixture(scope="session")
def another_thread() -> Iterator[ThreadPoolExecutor]:
    """Return a thread that lives as long as the tests.

    Not one for each loop: if a thread dies while the main thread clears up after
    another, and all are traced, Python 3.11 may wait in a circle for ever.
    """
    with ThreadPoolExecutor(max_workers=1) as thread:
        yield thread


@pytest.fixture(autouse=True)
def _callers_stay_in_sight(
    monkeypatch: pytest.MonkeyPatch, another_thread: ThreadPoolExecutor
) -> None:
    """Run loops in another thread while Python 3.11 is being traced.

    It tells the end of a coroutine into which an exception was thrown, but not that
    the coroutine went on (python/cpython#106749): coverage then takes callers for
    ended, and counts no further line of them (coveragepy/coveragepy#2124). Each
    connection of httpx is such a case. A thread is traced for itself.
    """

    def run(work: Coroutine[Any, Any, Any]) -> Any:
        return another_thread.submit(asyncio.run, work).result()

    if sys.gettrace() is not None and sys.version_info < (3, 12):
        monkeypatch.setattr(running, "asyncio", SimpleNamespace(run=run))
