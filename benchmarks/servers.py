"""Servers under measurement: started by their real command, on a core of their own."""

import http.client
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.tokens import SECRET_KEY
from benchmarks.wire import USER

ROOT = Path(__file__).parents[1]
"""The repository."""

START_TIMEOUT = 60.0
"""Longest wait for a server to listen, in seconds."""

STOP_TIMEOUT = 20.0
"""Longest wait for a server to end, in seconds."""

SETTINGS = {
    "SECRET_KEY": SECRET_KEY,
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
        status = Path(f"/proc/{self.pid}/status").read_text("ascii")
        matched = re.search(r"VmRSS:\s+(\d+) kB", status)
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


@contextmanager
def service(name: str, core: int, *options: str) -> Iterator[Server]:
    """Run one of our services with the command that its users type."""
    program = str(Path(sys.executable).with_name("orthanc-share"))
    with _running([program, "serve", name, "--port", "0", *options], core) as server:
        yield server


@contextmanager
def reference(name: str, core: int) -> Iterator[Server]:
    """Run one of the references."""
    command = [sys.executable, "-m", "benchmarks.references", name]
    with _running(command, core) as server:
        yield server


@contextmanager
def _running(command: list[str], core: int) -> Iterator[Server]:
    with tempfile.NamedTemporaryFile() as log:
        process = subprocess.Popen(  # noqa: S603 - our own commands
            ["taskset", "-c", str(core), *command],  # noqa: S607 - from util-linux
            cwd=ROOT,
            env={"PATH": os.environ.get("PATH", os.defpath), **SETTINGS},
            stderr=log,
        )
        try:
            # taskset is replaced by the command, so that the process is the server.
            yield Server(process.pid, _port(process, Path(log.name)))
        finally:
            process.terminate()
            process.wait(STOP_TIMEOUT)


def _port(process: subprocess.Popen[bytes], log: Path) -> int:
    until = time.monotonic() + START_TIMEOUT
    while process.poll() is None and time.monotonic() < until:
        matched = _LISTENS.search(log.read_text("utf-8"))
        if matched is not None:
            return int(matched[1])
        time.sleep(0.05)
    raise SystemExit(f"A server did not start:\n{log.read_text('utf-8')}")
