"""Two token-services in turns, each while the other stands still."""

import os
import signal
from collections.abc import Mapping
from contextlib import ExitStack
from http import HTTPStatus

from benchmarks.bench import Bench, Subject, WrongAnswerError, expect_grants, probe
from benchmarks.comparison import Measure, in_turns
from benchmarks.load import Load, Measurement
from benchmarks.servers import service

SERVICE = "token-service"
"""What is measured."""


def each_alone(
    bench: Bench, load: Load, ours: Mapping[str, str], reference: Mapping[str, str]
) -> tuple[list[Measurement], list[Measurement]]:
    """Return what two services do under a load that they grant.

    Several processes a side are measured, a pair after the other, and which side is
    started first alternates: two of the same code differ by some percent for as long as
    they live, by where their memory happens to be, and the later one is often faster.

    Args:
        bench: The run.
        load: Questions of the plugin.
        ours: Settings of the one service, besides those of all.
        reference: Settings of the other.

    Raises:
        WrongAnswerError: A question was not granted.
    """
    mine: list[Measurement] = []
    theirs: list[Measurement] = []
    for number in range(bench.plan.registry_pairs):
        if number % 2:
            other, one = _pair(bench, load, reference, ours)
        else:
            one, other = _pair(bench, load, ours, reference)
        mine += one
        theirs += other
    return mine, theirs


def _pair(
    bench: Bench, load: Load, first: Mapping[str, str], second: Mapping[str, str]
) -> tuple[list[Measurement], list[Measurement]]:
    """Return what two fresh services do that are started one after the other."""
    core, seconds = bench.server_core, bench.plan.registry_seconds
    with ExitStack() as stack:
        servers = [
            stack.enter_context(service(SERVICE, core, more=more))
            for more in (first, second)
        ]
        request = bench.with_token(load.request.read_bytes())
        if {probe(server, request) for server in servers} != {HTTPStatus.OK}:
            raise WrongAnswerError(f"{load.request.name}: a probe was refused.")
        one, other = (Subject(server, load, seconds) for server in servers)
        measured = in_turns(
            _alone(one, other), _alone(other, one), bench.plan.registry_turns
        )
        for subject in (one, other):
            expect_grants(subject.server, subject.answered)
    return measured


def _alone(subject: Subject, other: Subject) -> Measure:
    """Return what measures a server while the other stands still.

    Else the other's registry would write down at this one's cost.
    """
    subject.warm_up()

    def measure() -> Measurement:
        os.kill(other.server.pid, signal.SIGSTOP)
        try:
            return subject()
        finally:
            os.kill(other.server.pid, signal.SIGCONT)

    return measure
