"""What the registry costs where it is asked most: validate, with it and without."""

import asyncio
import os
import signal
from contextlib import ExitStack
from http import HTTPStatus
from pathlib import Path

from benchmarks import wire
from benchmarks.bench import Bench, Subject, WrongAnswerError, expect_grants, probe
from benchmarks.comparison import Comparison, Measure, in_turns
from benchmarks.load import Load, Measurement
from benchmarks.report import Report
from benchmarks.servers import service
from benchmarks.tokens import SECRET_KEY
from orthanc_share.domain.clock import utc_now
from orthanc_share.store.records import Origin
from orthanc_share.store.store import open_store
from orthanc_share.tokens.codec import ShareCodec
from orthanc_share.tokens.keyring import KeySettings, build_key_ring
from token_service.registry_settings import DATABASE_FILE

RATIO_MIN = 0.95
"""Least throughput with the registry, as a part of that without."""

ROUNDS = 2
"""Measurements of each process."""

KEPT = 200
"""Shares that the registry knows; the others are as if older than it."""


def remembering(bench: Bench, report: Report) -> None:
    """Measure known tokens, new connections and many tokens."""
    first_seen = wire.validate_request(len(bench.token))
    loads = {
        "known token, keep-alive": bench.validation("registry-keep-alive"),
        "known token, a connection each": bench.validation(
            "registry-new-connections", new_connection=True
        ),
        "many tokens": bench.load("registry-many", first_seen, first_seen=True),
    }
    for name, load in loads.items():
        report.comparisons.append(_compare(f"validate, {name}, registry", load, bench))


def _compare(name: str, load: Load, bench: Bench) -> Comparison:
    """Measure several processes a side, a pair of them after the other.

    Two processes of the same code differ by some percent for as long as they live, by
    where their memory happens to be: more than what is looked for.
    """
    mine: list[Measurement] = []
    theirs: list[Measurement] = []
    for number in range(bench.plan.registry_pairs):
        folder = bench.folder / f"{load.request.name}-data-{number}"
        folder.mkdir()
        asyncio.run(_keep(bench, folder))
        ours, reference = _pair(name, load, bench, folder)
        mine += ours
        theirs += reference
    return Comparison(name, "the same, stateless", RATIO_MIN, mine, theirs)


def _pair(
    name: str, load: Load, bench: Bench, folder: Path
) -> tuple[list[Measurement], list[Measurement]]:
    """Return what a pair of fresh processes did, each first once."""
    request = bench.with_token(load.request.read_bytes())
    with ExitStack() as stack:
        servers = [
            stack.enter_context(service("token-service", bench.server_core, more=more))
            for more in ({"REGISTRY": "on", "DATA_DIR": str(folder)}, {})
        ]
        if {probe(server, request) for server in servers} != {HTTPStatus.OK}:
            raise WrongAnswerError(f"{name}: a probe was refused.")
        ours, theirs = (
            Subject(one, load, bench.plan.registry_seconds) for one in servers
        )
        measured = in_turns(_alone(ours, theirs), _alone(theirs, ours), ROUNDS)
        for subject in (ours, theirs):
            expect_grants(subject.server, subject.answered)
    return measured


def _alone(subject: Subject, other: Subject) -> Measure:
    """Return what measures a server while the other stands still.

    Else the registry would write down at the other's cost.
    """
    subject.warm_up()

    def measure() -> Measurement:
        os.kill(other.server.pid, signal.SIGSTOP)
        try:
            return subject()
        finally:
            os.kill(other.server.pid, signal.SIGCONT)

    return measure


async def _keep(bench: Bench, folder: Path) -> None:
    """Let the registry know the first of the tokens."""
    codec = ShareCodec(build_key_ring(KeySettings(secret_key=SECRET_KEY)))
    tokens = bench.tokens.read_text("ascii").split("\n", KEPT)[:KEPT]
    async with open_store(f"sqlite:///{folder / DATABASE_FILE}") as store:
        for token in tokens:
            share = codec.read(token)
            await store.shares.adopt(share, now=utc_now(), origin=Origin("benchmark"))
