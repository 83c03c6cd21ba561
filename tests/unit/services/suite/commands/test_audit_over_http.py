"""`orthanc-share audit` against a running token-service, and against what is none."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.support.managed import Managed, managed
from tests.support.server import serve
from tests.support.service import OTHER_STUDY, STUDY, resource
from tests.support.settings import USER
from tests.unit.services.suite.commands.calling import call, refused
from tests.unit.services.suite.commands.test_audit import change
from token_service.routes import audit

BEGINNING = f"0:{'0' * 64}"


@pytest.fixture
def service(site: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Managed]:
    """Run a token-service, whom the command line asks."""
    (site / "data").mkdir()
    with managed(site / "data") as started:
        monkeypatch.setenv("ORTHANC_SHARE_URL", started.service.base)
        monkeypatch.setenv("ORTHANC_SHARE_USER", USER[0])
        monkeypatch.setenv("ORTHANC_SHARE_PASSWORD", USER[1])
        yield started


def printed(*arguments: str) -> str:
    result = call("audit", *arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def lines(*arguments: str) -> list[dict[str, Any]]:
    text = printed("export", *arguments)
    return [json.loads(line) for line in text.splitlines()]


def test_the_service_gives_what_is_in_the_database(service: Managed) -> None:
    one = service.share(id="order 7")
    service.good("DELETE", f"/shares/{one}")
    assert printed("export") == printed("export", "--database")
    table = printed("export", "--format", "csv")
    assert table == printed("export", "--format", "csv", "--database")
    kinds = [row["event"] for row in csv.DictReader(io.StringIO(table))]
    assert kinds == ["created", "revoked"]
    for wanted in ((), ("--json",)):
        assert printed("verify", *wanted) == printed("verify", "--database", *wanted)


def test_events_are_chosen(service: Managed) -> None:
    one = service.share()
    service.clock.move(3600)
    other = service.share(resources=[resource(OTHER_STUDY)])
    assert [line["share"] for line in lines()] == [one, other]
    assert [line["share"] for line in lines("--share", one)] == [one]
    uid = OTHER_STUDY.dicom_uid
    assert [line["share"] for line in lines("--study", uid)] == [other]
    hour = "2026-11-02T13:00+00:00"
    assert [line["share"] for line in lines("--since", hour)] == [other]
    assert [line["share"] for line in lines("--until", hour)] == [one]


def test_a_study_has_a_uid() -> None:
    assert refused("audit", "export", "--study", STUDY.orthanc_id) == (
        "--study should be a StudyInstanceUID.\n"
    )


def test_a_long_trail_is_followed_to_its_end(
    service: Managed, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "STEP_MAX", 2)
    for _ in range(5):
        service.share()
    verdict = json.loads(printed("verify", "--json"))
    assert (verdict["intact"], verdict["events"]) == (True, 5)
    noted = [f"{line['seq']}:{line['hash']}" for line in lines()]
    anchors = [text for one in (BEGINNING, *noted) for text in ("--anchor", one)]
    first, second = printed("verify", *anchors).splitlines()
    assert first == "Intact: 5 events."
    assert second == f"anchor {noted[-1]}"
    another = f"3:{'f' * 64}"
    said = refused("audit", "verify", "--anchor", another, status=1)
    assert said == "Broken at event 3: an event that was noted is another.\n"
    change(site, "UPDATE audit_event SET actor = 'mallory' WHERE seq = 5")
    said = refused("audit", "verify", status=1)
    assert said.startswith("Broken at event 5: an event was changed")


def test_without_a_service_nothing_is_said_of_the_trail(
    service: Managed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORTHANC_SHARE_PASSWORD", "another")
    for command in ("export", "verify"):
        said = refused("audit", command)
        assert said == "token-service does not accept this user and password.\n"
    monkeypatch.setenv("ORTHANC_SHARE_URL", "http://127.0.0.1:1/")
    for command in ("export", "verify"):
        assert "cannot be reached" in refused("audit", command)
    assert service.ids() == []


Answers = Callable[[dict[str, Any]], Any]


@contextmanager
def answering(answer: Answers) -> Iterator[str]:
    """Run what answers as no token-service does."""

    async def respond(request: Request) -> JSONResponse:
        return JSONResponse(answer(json.loads(await request.body() or b"{}")))

    route = Route("/audit/{what}", respond, methods=["GET", "POST"])
    with serve(Starlette(routes=[route])) as base:
        yield base


GOOD = {"intact": True, "anchor": BEGINNING, "more": False}


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({}, "token-service gives no verdict."),
        ({"intact": True}, "token-service gives no verdict."),
        ({"intact": False}, "token-service gives no verdict."),
        (GOOD | {"anchor": "x"}, "token-service gives no verdict."),
        (GOOD | {"intact": "perhaps"}, "token-service gives no verdict."),
        (GOOD | {"more": True}, "token-service does not get on."),
    ],
)
def test_who_gives_no_verdict_is_not_believed(
    answer: dict[str, Any], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with answering(lambda _asked: answer) as base:
        monkeypatch.setenv("ORTHANC_SHARE_URL", base)
        assert refused("audit", "verify") == f"{said}\n"


def test_what_a_service_says_cannot_command_a_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken = {"intact": False, "seq": 3, "problem": "\x1b[2Jx"}
    with answering(lambda _asked: broken) as base:
        monkeypatch.setenv("ORTHANC_SHARE_URL", base)
        said = refused("audit", "verify", status=1)
    assert said == "Broken at event 3: \N{REPLACEMENT CHARACTER}[2Jx.\n"


def test_an_event_of_another_form_is_written_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    events = [{"seq": 1, "studies": [1, None], "newer": "x"}]
    with answering(lambda _asked: {"events": events, "next": None}) as base:
        monkeypatch.setenv("ORTHANC_SHARE_URL", base)
        assert lines() == events
        (row,) = csv.DictReader(io.StringIO(printed("export", "--format", "csv")))
    assert (row["seq"], row["studies"], row["share"]) == ("1", "1 None", "")


@pytest.mark.parametrize("events", [None, ["x"], [["seq", 1]]])
def test_events_that_are_none_are_not_written(
    events: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with answering(lambda _asked: {"events": events, "next": None}) as base:
        monkeypatch.setenv("ORTHANC_SHARE_URL", base)
        assert "no token-service" in refused("audit", "export")
