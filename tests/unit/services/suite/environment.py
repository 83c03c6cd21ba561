"""The environment of a whole suite, and its processes."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from queue import Queue
from threading import Thread

import httpx
import pytest

from suite.app import SETTINGS
from tests.support.settings import SECRET_KEY

PUBLIC = "https://share.example.org"
LOGIN = ("jane", "pW7-rT2-xK9")
GOOD = {
    "SECRET_KEY": SECRET_KEY,
    "USERS": '{"jane": "pW7-rT2-xK9"}',
    "PUBLIC_ORTHANC_ROOT": f"{PUBLIC}/shares/",
    "PUBLIC_LANDING_ROOT": f"{PUBLIC}/welcome/",
}
PATIENCE = 60.0
"""Seconds after which a process that says nothing is a failure."""

_LISTENS = re.compile(r"(\S+) listens on (http://\S+)/\n")
_OURS = {name for kind in SETTINGS.values() for name in kind.variables()}


def set_environment(
    monkeypatch: pytest.MonkeyPatch, folder: Path, environ: Mapping[str, str]
) -> None:
    """Give this process no settings but `environ`."""
    for name in (*_OURS, *(f"{name}_FILE" for name in _OURS)):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SECRETS_DIR", str(folder))
    monkeypatch.setenv("DATA_DIR", str(folder / "data"))
    for name, value in environ.items():
        monkeypatch.setenv(name, value)


def _folders(folder: Path) -> dict[str, str]:
    return {"SECRETS_DIR": str(folder), "DATA_DIR": str(folder / "data")}


class Process:
    """`orthanc-share` as a process of its own."""

    def __init__(self, folder: Path, *arguments: str, **environ: str) -> None:
        kept = {n: v for n, v in os.environ.items() if n not in _OURS}
        self._process = subprocess.Popen(
            [sys.executable, *(arguments or ("-m", "suite"))],
            env=kept | GOOD | _folders(folder) | environ,
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )
        self.lines: list[str] = []
        self._queue: Queue[str | None] = Queue()
        self._reader = Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._queue.put(line)
        self._queue.put(None)

    def next_line(self) -> str:
        """Return the next line of standard error; empty at its end."""
        line = self._queue.get(timeout=PATIENCE)
        self.lines.append(line or "")
        return line or ""

    def wait_for(self, text: str) -> str:
        """Return the first line that holds `text`."""
        while text not in (line := self.next_line()):
            assert line, f"it ended without a word about {text!r}: {self.lines}"
        return line

    def addresses(self, number: int) -> dict[str, str]:
        """Return the address of each service, without a final slash."""
        found: dict[str, str] = {}
        while len(found) < number:
            matched = _LISTENS.fullmatch(self.wait_for("listens on"))
            assert matched is not None
            found[matched[1]] = matched[2]
        return found

    def signal(self, number: int) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    def end(self) -> int:
        """Return the exit status once the process has ended, with all its lines."""
        status = self._process.wait(PATIENCE)
        while self.next_line():
            pass
        return status

    def close(self) -> None:
        """Leave nothing behind."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        assert self._process.stderr is not None
        self._process.stderr.close()


@contextmanager
def process(folder: Path, *arguments: str, **environ: str) -> Iterator[Process]:
    """Run Python with `arguments` until the block ends.

    Args:
        folder: An empty secrets directory.
        arguments: Those of Python.
        environ: Variables besides those of a good suite.
    """
    running = Process(folder, *arguments, **environ)
    try:
        yield running
    finally:
        running.close()


def answers(address: str) -> httpx.Response:
    """Return the answer of a server that accepts connections already."""
    with httpx.Client(trust_env=False, timeout=PATIENCE) as http:
        return http.get(address)
