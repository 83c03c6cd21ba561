"""What a crowd does to the others: slow clients, idle connections, many tokens."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from statistics import median

from benchmarks import wire
from benchmarks.bench import Bench, Subject, expect_grants
from benchmarks.comparison import Comparison, in_turns
from benchmarks.load import Measurement
from benchmarks.report import Limit, Report
from benchmarks.servers import Server, service
from benchmarks.slow import idle_connections, slow_clients

SERVICE = "token-service"
"""What is measured here."""

ROUNDS_MAX = 5
"""Rounds of a comparison here: each waits until the slow clients are cut off."""

CUT_OFF_LATE = 3.0
"""Seconds after the limit within which a slow client should be cut off."""

MEMORY_MAX = 150.0
"""Largest resident memory that is wanted, in MB."""

Crowd = Callable[[], AbstractContextManager[object]]
"""Puts a crowd in front of the server for a while."""


def _beside(
    name: str, target: float, bench: Bench, server: Server, crowd: Crowd
) -> Comparison:
    """Compare the fast clients beside a crowd with the same ones alone."""
    subject = Subject(server, bench.validation("crowd"), bench.plan.seconds)
    subject.warm_up()

    def beside() -> Measurement:
        with crowd():
            return subject()

    measured = in_turns(beside, subject, min(ROUNDS_MAX, bench.plan.rounds))
    expect_grants(server, subject.answered)
    return Comparison(name, "the same clients alone", target, *measured)


def slow(bench: Bench, report: Report) -> None:
    """Measure fast clients beside slow ones, and when the slow ones are cut off."""
    plan = bench.plan
    limit = ("--request-timeout", str(plan.request_timeout))
    ended = []
    with service(SERVICE, bench.server_core, *limit) as server:
        requests = [bench.with_token(raw) for raw in _slow_requests(bench)]

        @contextmanager
        def crowd() -> Iterator[None]:
            with slow_clients(server, requests, plan.slow_clients) as clients:
                yield
            ended.append(clients)

        name = f"fast clients beside {plan.slow_clients} slow ones"
        report.comparisons.append(_beside(name, 0.5, bench, server, crowd))
    report.other_failures += sum(clients.wrong for clients in ended)
    seconds = [one for clients in ended for one in clients.seconds]
    told = sum(clients.answered for clients in ended)
    report.limits.append(
        Limit(
            name=f"slow clients are cut off after (limit {plan.request_timeout:g} s)",
            value=max(seconds),
            limit=plan.request_timeout + CUT_OFF_LATE,
            unit="s",
            detail=f"{len(seconds)} clients, {told} told so with 408, "
            f"median {median(seconds):.1f} s, longest here",
        )
    )


def _slow_requests(bench: Bench) -> Iterator[bytes]:
    chunked = wire.validate_request(len(bench.token))
    yield chunked
    head, _, body = chunked.partition(b"\r\n\r\n")
    length = f"Content-Length: {len(body)}".encode()
    yield head.replace(b"Transfer-Encoding: chunked", length) + b"\r\n\r\n" + body


def idle(bench: Bench, report: Report) -> None:
    """Measure fast clients beside connections that idle."""
    count = bench.plan.idle_connections
    with service(SERVICE, bench.server_core) as server:
        request = bench.with_token(wire.validate_request(len(bench.token)))

        def crowd() -> AbstractContextManager[None]:
            return idle_connections(server, request, count)

        name = f"fast clients beside {count:,} idle connections"
        report.comparisons.append(_beside(name, 0.9, bench, server, crowd))


def memory(bench: Bench, report: Report) -> None:
    """Read the resident memory after many questions with many different tokens."""
    plan = bench.plan
    request = wire.validate_request(len(bench.token))
    load = bench.load("memory", request, first_seen=True)
    with service(SERVICE, bench.server_core) as server:
        before = server.resident_megabytes()
        subject = Subject(server, load, 10 * plan.seconds)
        while subject.answered < plan.validations:
            measured = subject()
            report.other_failures += measured.failures
        expect_grants(server, subject.answered)
        report.limits.append(
            Limit(
                name=f"resident memory after {subject.answered:,} validations",
                value=server.resident_megabytes(),
                limit=MEMORY_MAX,
                unit="MB",
                detail=f"{plan.tokens:,} tokens; {before:.0f} MB at the start",
            )
        )
