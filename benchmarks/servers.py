"""Servers under measurement: started by their real command, on a core of their own."""

import http.client
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.tokens import SECRET_KEY
from benchmarks.wire import USER
from demo.processes import answers

ROOT = Path(__file__).parents[1]
"""The repository."""

START_TIMEOUT = 60.0
"""Longest wait for a server to listen, in seconds."""

STOP_TIMEOUT = 20.0
"""Longest wait for a server to end, in seconds."""

SETTINGS = {
    "SECRET_KEY": SECRET_KEY,
    "REGISTRY": "off",
    "USERS": f'{{"{USER[0]}": "{USER[1]}"}}',
    "PUBLIC_ORTHANC_ROOT": "https://share.example.org/shares/",
    "METRICS": "true",  # with which the run proves what was answered
}
"""Environment variables of the services, as a site sets them."""

_TICKS = os.sysconf("SC_CLK_TCK")
_LISTENS = re.compile(r"listens on http://127\.0\.0\.1:(\d+)/")


@dataclass(frozen=True)
class Server:
    """A running server.

    Args:
        pid: Its process.
        port: Its port on 127.0.0.1.
    """

    pid: int
    port: int

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}/"

    def cpu_seconds(self) -> float:
        """Return the processor time that it has used, in seconds."""
        stat = Path(f"/proc/{self.pid}/stat").read_text("ascii")
        # The name of the program, in brackets, may hold blanks.
        fields = stat.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def resident_megabytes(self) -> float:
        """Return its resident memory (VmRSS), in MB (10^6 bytes)."""
        return self._status("VmRSS")

    def peak_megabytes(self) -> float:
        """Return the most resident memory that it ever had (VmHWM), in MB."""
        return self._status("VmHWM")

    def _status(self, name: str) -> float:
        status = Path(f"/proc/{self.pid}/status").read_text("ascii")
        matched = re.search(rf"{name}:\s+(\d+) kB", status)
        return 0.0 if matched is None else int(matched[1]) * 1024 / 1e6

    def counted(self, metric: str) -> int:
        """Return the sum of a Prometheus counter, over those labels that it names.

        Args:
            metric: The counter, with the beginning of its labels if need be.
        """
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("GET", "/metrics")
        lines = connection.getresponse().read().decode().splitlines()
        connection.close()
        found = (line for line in lines if line.startswith(metric))
        return int(sum(float(line.rpartition(" ")[2]) for line in found))


Port = Callable[[subprocess.Popen[bytes], Path], int]
"""Waits until a program listens; gets the program and the file of what it says."""


@contextmanager
def service(
    name: str, core: int, *options: str, more: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """Run one of our services with the command that its users type.

    Args:
        name: The service.
        core: Where it runs.
        options: Of the command.
        more: Settings, besides those of all services.
    """
    program = str(Path(sys.executable).with_name("orthanc-share"))
    command = [program, "serve", name, "--port", "0", *options]
    with running(command, core, told_port, more) as server:
        yield server


@contextmanager
def module(
    name: str, core: int, *arguments: str, more: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """Run a server that is a module of the benchmarks; arguments as `service`."""
    command = [sys.executable, "-m", f"benchmarks.{name}", *arguments]
    with running(command, core, told_port, more) as server:
        yield server


@contextmanager
def reference(name: str, core: int) -> Iterator[Server]:
    """Run one of the references."""
    with module("references", core, name) as server:
        yield server


@contextmanager
def running(
    command: Sequence[str],
    core: int,
    port: Port,
    more: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """Run any server.

    Args:
        command: Starts it, in the foreground.
        core: Where it runs.
        port: Waits for it.
        more: Environment variables, besides the settings of all services.
    """
    with tempfile.NamedTemporaryFile() as log:
        process = subprocess.Popen(  # noqa: S603 - our own commands
            ["taskset", "-c", str(core), *command],  # noqa: S607 - from util-linux
            cwd=ROOT,
            env={
                "PATH": os.environ.get("PATH", os.defpath),
                **SETTINGS,
                **(more or {}),
            },
            stderr=log,
        )
        try:
            # taskset is replaced by the command, so that the process is the server.
            yield Server(process.pid, port(process, Path(log.name)))
        finally:
            process.terminate()
            process.wait(STOP_TIMEOUT)


def told_port(process: subprocess.Popen[bytes], log: Path) -> int:
    """Return the port that a server says it listens on; a `Port`.

    Raises:
        SystemExit: It did not start.
    """
    return _wait(process, log, lambda: _told(log))


def known_port(port: int, url: str) -> Port:
    """Return what waits until a server with this port answers at an address."""

    def wait(process: subprocess.Popen[bytes], log: Path) -> int:
        return _wait(process, log, lambda: port if answers(url) else None)

    return wait


def _told(log: Path) -> int | None:
    matched = _LISTENS.search(log.read_text("utf-8"))
    return None if matched is None else int(matched[1])


def _wait(
    process: subprocess.Popen[bytes], log: Path, port: Callable[[], int | None]
) -> int:
    until = time.monotonic() + START_TIMEOUT
    while process.poll() is None and time.monotonic() < until:
        found = port()
        if found is not None:
            return found
        time.sleep(0.05)
    raise SystemExit(f"A server did not start:\n{log.read_text('utf-8', 'replace')}")
