"""What all sections share: the plan, the cores, and the files with the requests."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import wire
from benchmarks.load import Load, Measurement, put_load
from benchmarks.machine import cores, require
from benchmarks.plan import Plan
from benchmarks.servers import Server
from benchmarks.tokens import make_tokens

GRANTS = 'orthanc_share_decisions_total{decision="granted"'
"""The counter of grants."""

DENIALS = 'orthanc_share_decisions_total{decision="denied"'
"""The counters of denials."""


PROBE_TIMEOUT = 10.0
"""Longest wait for a single answer, in seconds."""


class WrongAnswerError(Exception):
    """A server under measurement did not answer what it should."""


@dataclass(frozen=True)
class Bench:
    """A run.

    Args:
        plan: Its sizes.
        folder: Where its files are.
        tokens: File with different tokens, one a line.
        token: One token.
    """

    plan: Plan
    folder: Path
    tokens: Path
    token: str

    @property
    def server_core(self) -> int:
        """Where servers run."""
        return cores()[0]

    def load(self, name: str, request: bytes, *, first_seen: bool = False) -> Load:
        """Return the load of a request, with one token or with all in turn."""
        path = self.folder / name
        if first_seen:
            path.write_bytes(request)
            return Load(path, cores()[1], self.tokens)
        path.write_bytes(self.with_token(request))
        return Load(path, cores()[1])

    def validation(self, name: str, **options: bool) -> Load:
        """Return the load of the plugin's question about the one token."""
        length = len(self.token)
        return self.load(name, wire.validate_request(length, **options))

    def first_tokens(self, count: int) -> list[str]:
        """Return so many of the tokens; the one token is the first."""
        return self.tokens.read_text("ascii").split("\n", count)[:count]

    def with_token(self, request: bytes) -> bytes:
        """Return a request with the one token in it."""
        return request.replace(wire.TOKEN_MARK.encode(), self.token.encode())


@contextmanager
def bench(plan: Plan) -> Iterator[Bench]:
    """Prepare a run."""
    tokens = make_tokens(plan.tokens)
    with TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "tokens"
        path.write_text("\n".join(tokens), "ascii")
        yield Bench(plan, folder, path, tokens[0])


class Subject:
    """A server and the load that is put on it, round by round.

    Args:
        server: The server.
        load: The load.
        seconds: Length of a round.
    """

    def __init__(self, server: Server, load: Load, seconds: int) -> None:
        require("wrk")
        self.server = server
        self.answered = 0
        self._load = load
        self._seconds = seconds
        self._next_token = 0

    def __call__(self) -> Measurement:
        """Put the load on the server for one round."""
        return self._put(self._seconds)

    def warm_up(self) -> None:
        """Put the load on it for a second, and forget the result."""
        self._put(1)

    def _put(self, seconds: int) -> Measurement:
        measured = put_load(self.server, self._load, seconds, self._next_token)
        self.answered += measured.amount
        # wrk does not count what was under way at the end of the round.
        self._next_token += measured.amount + self._load.connections
        return measured


def probe(server: Server, request: bytes) -> int:
    """Return the status of the answer to one request."""
    with socket.create_connection(("127.0.0.1", server.port), PROBE_TIMEOUT) as link:
        link.sendall(request)
        response = HTTPResponse(link)
        response.begin()
        return response.status


def expect_grants(server: Server, requests: int) -> None:
    """Return if the service granted all of so many questions, by its own metrics.

    Raises:
        WrongAnswerError: It did not.
    """
    if server.counted(GRANTS) < requests or server.counted(DENIALS):
        raise WrongAnswerError("Not every question was granted.")


def expect_counted(server: Server, metric: str, requests: int) -> None:
    """Return if a counter of the service reached so many.

    Raises:
        WrongAnswerError: It did not.
    """
    if server.counted(metric) < requests:
        raise WrongAnswerError(f"{metric} says less than {requests}.")
