"""Programs that the demo starts: a free port, a log file each, a clean stop."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

from demo.calls import answers

START_TIMEOUT = 60.0
"""Seconds that a program may need before it answers."""

STOP_TIMEOUT = 15.0
"""Seconds that a program may need to stop before it is killed."""

_POLL = 0.1
_LOG_LINES = 15
_SYSTEM_FOLDERS = ("/usr/sbin", "/usr/local/sbin")


__all__ = ["Process", "StartError", "answers", "find_program", "free_port"]


class StartError(Exception):
    """A program could not be started; the message says why."""


def find_program(name: str) -> str | None:
    """Return the path of a program, also from the folders only root has in PATH."""
    folders = (os.environ.get("PATH", os.defpath), *_SYSTEM_FOLDERS)
    return shutil.which(name, path=os.pathsep.join(folders))


def free_port(preferred: int = 0) -> int:
    """Return `preferred` if nothing listens there, else any free port of loopback."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", preferred))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Process:
    """A program that runs until the `with` block ends.

    It gets its own session, so that Ctrl-C in a terminal reaches the demo alone, which
    then stops its programs in the right order.

    Attributes:
        name: For messages.
        log: File with all that the program says.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        ready: Callable[[], bool],
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.log = log
        self._ready = ready
        with log.open("wb") as sink:
            self._child = subprocess.Popen(  # noqa: S603
                command,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                env=None if environment is None else dict(environment),
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        deadline = time.monotonic() + START_TIMEOUT
        while not self._ready():
            if not self.running or time.monotonic() > deadline:
                self.stop()
                raise StartError(f"{self.name} did not start:\n{self.last_words()}")
            time.sleep(_POLL)
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    @property
    def running(self) -> bool:
        """Whether the program is still there."""
        return self._child.poll() is None

    def stop(self) -> None:
        """Ask the program to stop, and wait for it; in the end kill it."""
        self._child.terminate()
        try:
            self._child.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()

    def last_words(self) -> str:
        """Return the last lines of the log."""
        lines = self.log.read_text("utf-8", "replace").splitlines()
        return "\n".join(lines[-_LOG_LINES:])
