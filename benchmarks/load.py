"""The load: wrk on a core of its own, and what it reports."""

import json
import resource
import subprocess
from dataclasses import dataclass
from pathlib import Path

from benchmarks.servers import Server

CONNECTIONS = 64
"""Connections that wrk keeps busy."""

SCRIPT = Path(__file__).with_name("lua") / "requests.lua"
"""Sends requests byte for byte."""

CPU_SECONDS_MIN = 1e-6
"""Processor time, in seconds, that stands for none: it can be divided by."""

NO_TOKENS = "-"
"""Argument of the script: one request for all."""


@dataclass(frozen=True)
class Load:
    """What wrk sends.

    Args:
        request: File with the request.
        tokens: File with one token a line, of which each request takes the next; None:
            the same request again and again.
        core: Where wrk runs.
        connections: Connections that it keeps busy.
    """

    request: Path
    core: int
    tokens: Path | None = None
    connections: int = CONNECTIONS


@dataclass(frozen=True)
class Measurement:
    """What came of a load.

    Args:
        amount: What was done: requests that were answered, or bytes that came.
        seconds: For how long.
        cpu_seconds: Processor time that the server used.
        load_seconds: Processor time that wrk, or another client, used.
        refused: Answers with a status beyond 399.
        broken: Connections that failed, and answers that did not come.
    """

    amount: int
    seconds: float
    cpu_seconds: float
    load_seconds: float
    refused: int
    broken: int

    @property
    def failures(self) -> int:
        """Answers that were refused, or did not come."""
        return self.refused + self.broken

    @property
    def rate(self) -> float:
        """The amount in a second."""
        return self.amount / self.seconds

    @property
    def cpu_each(self) -> float:
        """Processor time of the server for one request or byte, in seconds."""
        return max(self.cpu_seconds, CPU_SECONDS_MIN) / self.amount


def put_load(
    server: Server, load: Load, seconds: int, first_token: int = 0
) -> Measurement:
    """Send requests to `server` for so many seconds.

    Args:
        server: The server.
        load: What to send.
        seconds: How long.
        first_token: Number of the first token.
    """
    tokens = NO_TOKENS if load.tokens is None else str(load.tokens)
    options = ["-t", "1", "-c", str(load.connections), "-d", str(seconds)]
    script = ["-s", str(SCRIPT), server.url, str(load.request), tokens]
    server_before, load_before = server.cpu_seconds(), _children_seconds()
    finished = subprocess.run(  # noqa: S603 - a command of our own
        [
            *("taskset", "-c", str(load.core), "wrk"),
            *options,
            *script,
            str(first_token),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    result = json.loads(finished.stdout.splitlines()[-1])
    return Measurement(
        amount=result["requests"],
        seconds=result["microseconds"] / 1e6,
        cpu_seconds=server.cpu_seconds() - server_before,
        load_seconds=_children_seconds() - load_before,
        refused=result["refused"],
        broken=result["broken"],
    )


def _children_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
