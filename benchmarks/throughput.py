"""How many requests a second, next to the references."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from http import HTTPStatus

from benchmarks import wire
from benchmarks.bench import (
    Bench,
    Subject,
    WrongAnswerError,
    expect_counted,
    expect_grants,
    probe,
)
from benchmarks.comparison import Comparison, in_turns
from benchmarks.load import Load
from benchmarks.servers import reference, service


@dataclass(frozen=True)
class Contest:
    """A service against a reference.

    Args:
        name: What is measured.
        service: The service.
        reference: Name of the reference.
        against: What the reference is.
        target: Least ratio that is wanted.
        load: What both are asked.
        status: Status of a right answer.
        counter: The service's counter of right answers; None: its grants.
    """

    name: str
    service: str
    reference: str
    against: str
    target: float
    load: Load
    status: HTTPStatus = HTTPStatus.OK
    counter: str | None = None


def _keep_alive(bench: Bench) -> Contest:
    return Contest(
        name="validate, known token, keep-alive",
        service="token-service",
        reference="bare",
        against="bare ASGI callable",
        target=0.7,
        load=bench.validation("keep-alive"),
    )


def _new_connections(bench: Bench) -> Contest:
    return Contest(
        name="validate, known token, a connection each",
        service="token-service",
        reference="bare",
        against="bare ASGI callable",
        target=0.8,
        load=bench.validation("new-connections", new_connection=True),
    )


def _first_seen(bench: Bench) -> Contest:
    request = wire.validate_request(len(bench.token))
    return Contest(
        name="validate, first-seen tokens",
        service="token-service",
        reference="validation",
        against="FastAPI, pydantic, PyJWT",
        target=2.5,
        load=bench.load("first-seen", request, first_seen=True),
    )


def _creation(bench: Bench) -> Contest:
    return Contest(
        name="create a share",
        service="token-service",
        reference="creation",
        against="FastAPI, pydantic, jwt.encode",
        target=0.9,
        load=bench.load("creation", wire.create_request()),
        counter="orthanc_share_shares_created_total{",
    )


def _landing(bench: Bench) -> Contest:
    return Contest(
        name="open a link",
        service="landing",
        reference="redirect",
        against="Starlette redirect",
        target=0.5,
        load=bench.load("landing", wire.link_request()),
        status=HTTPStatus.SEE_OTHER,
        counter='orthanc_share_links_opened_total{outcome="opened"',
    )


CONTESTS: Mapping[str, Callable[[Bench], Contest]] = {
    "keep-alive": _keep_alive,
    "new-connections": _new_connections,
    "first-seen": _first_seen,
    "creation": _creation,
    "landing": _landing,
}
"""Everything that has a reference, by name."""


def hold(contest: Contest, bench: Bench) -> Comparison:
    """Measure both sides in turns.

    Raises:
        WrongAnswerError: Somebody's answers are not what they should be.
    """
    core, seconds = bench.server_core, bench.plan.seconds
    with ExitStack() as stack:
        ours = stack.enter_context(service(contest.service, core))
        theirs = stack.enter_context(reference(contest.reference, core))
        request = bench.with_token(contest.load.request.read_bytes())
        if {probe(ours, request), probe(theirs, request)} != {contest.status}:
            raise WrongAnswerError(f"{contest.name}: a probe was refused.")
        subject = Subject(ours, contest.load, seconds)
        measure = Subject(theirs, contest.load, seconds)
        subject.warm_up()
        measure.warm_up()
        measured = in_turns(subject, measure, bench.plan.rounds)
        _expect_right_answers(contest, subject)
    return Comparison(contest.name, contest.against, contest.target, *measured)


def _expect_right_answers(contest: Contest, subject: Subject) -> None:
    if contest.counter is None:
        expect_grants(subject.server, subject.answered)
    else:
        expect_counted(subject.server, contest.counter, subject.answered)
