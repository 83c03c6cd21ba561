"""The anonymizer in operation: settings, counters, log, many shares, many requests."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.types import Message

from anonymizer import gateway, index, rewriting, streaming
from anonymizer.app import create_app
from anonymizer.context import SHARES_MAX, Contexts, ShareCounters, Site
from anonymizer.entries import Snapshot, StudyEntry
from anonymizer.gateway import BusyError, Slots
from anonymizer.orthanc import NotFoundError
from anonymizer.settings import AnonymizerSettings
from orthanc_share.deidentification.profile import Profile
from orthanc_share.domain.errors import ConfigurationError
from orthanc_share.domain.octets import Octets
from orthanc_share.domain.resource import Level
from orthanc_share.domain.share import Flavour, Share, ShareType
from orthanc_share.upstream.bulk import BulkClient, BulkSettings
from orthanc_share.web.metrics import Metrics
from orthanc_share.web.pieces import PIECES, SEND
from tests.support.anonymized import (
    ANY_FILE,
    Running,
    Source,
    anonymizer_settings,
    file_of,
    real_series_path,
    running,
)
from tests.support.logs import CollectedLog
from tests.support.orthanc_double import Reply
from tests.unit.shared.web.asgi import http_scope, receiving, run

UNUSED = "http://127.0.0.1:9/"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"deidentification_key": None}, "DEIDENTIFICATION_KEY is missing"),
        ({"orthanc_username": "a"}, "ORTHANC_USERNAME and ORTHANC_PASSWORD belong"),
        ({"orthanc_password": "a"}, "ORTHANC_USERNAME and ORTHANC_PASSWORD belong"),
        (
            {"deidentification_profile": Path("no-such-profile.toml")},
            "DEIDENTIFICATION_PROFILE: ",
        ),
    ],
)
def test_settings_that_contradict_each_other(
    changes: dict[str, Any], problem: str
) -> None:
    settings = anonymizer_settings(UNUSED, **changes)
    assert not list(anonymizer_settings(UNUSED).contradictions())
    assert any(line.startswith(problem) for line in settings.contradictions())


def test_good_settings() -> None:
    settings = anonymizer_settings(UNUSED)
    assert not list(settings.contradictions())
    assert not list(settings.warnings())
    assert settings.credentials() is None
    assert AnonymizerSettings().profile() == Profile()
    signing = AnonymizerSettings(signing_key=SecretStr("x"))
    assert "SIGNING_KEY" in " ".join(signing.warnings())


def test_without_orthanc_no_shares_are_served() -> None:
    with pytest.raises(ConfigurationError, match="ORTHANC_ROOT is missing"):
        create_app(anonymizer_settings(None))


def test_counters_tell_outcomes_of_a_share_and_no_ids() -> None:
    with running(metrics=True) as started:
        source = Source.sample(2)
        source.datasets[0].ImageType = "DERIVED\\SECONDARY\\REPORT"
        names = started.share(source)
        started.get(names.series_path(), ANY_FILE)
        started.get(f"{names.instance_path(1)}/frames/1")
        counted = started.get("/metrics").text
    share = f'share="{names.share_id}"'
    for outcome, reason, number in (("allowed", "", 2), ("replaced", "image-type", 1)):
        labels = f'outcome="{outcome}",reason="{reason}",{share}'
        assert f"orthanc_share_instances_total{{{labels}}} {number}.0" in counted
    assert f"orthanc_share_instance_bytes_total{{{share}}}" in counted


def test_the_log_names_routes_and_no_ids(
    anonymizer: Running, json_log: CollectedLog
) -> None:
    source = Source.sample(1)
    names = anonymizer.share(source)
    real = source.study.dicom_uid
    for path in (
        f"/dicom-web/studies/{real}/metadata",
        f"{names.study_path}/metadata?PatientName=DEMO^CT",
        f"/patients/{real}/DEMO-CT",
        f"{names.instance_path()}/rendered?viewport=DEMO",
    ):
        anonymizer.client.get(path)
    json_log.entries("request", 4)
    # The client of the test logs its requests, too.
    ours = [line for line in json_log.text.splitlines() if '"http' not in line]
    shown = "\n".join(ours)
    for canary in (*source.canaries(), names.study.encode()):
        assert canary.decode() not in shown
    assert "/dicom-web/studies/{study}/metadata" in shown
    assert "(unknown)" in shown


def _share(number: int) -> Share:
    return Share(
        id=f"share-{number}",
        type=ShareType.STONE_PUBLICATION,
        flavour=Flavour.ANONYMIZED,
        resources=(Source.sample(1).resource(Level.STUDY),),
    )


def _contexts(metrics: Metrics, *, pass_token: bool = False) -> Contexts:
    client = BulkClient(BulkSettings(root=UNUSED, name="Orthanc"))
    return Contexts(
        Site(
            profile=Profile(),
            key=b"0123456789abcdef0123456789abcdef",
            client=client,
            pass_token=pass_token,
            root="https://share.example.org/anon-shares/",
            metrics=metrics,
        )
    )


@pytest.mark.anyio
async def test_the_share_that_was_used_longest_ago_is_forgotten_first() -> None:
    metrics = Metrics()
    contexts = _contexts(metrics)
    first = contexts.of(_share(0), "a")
    first.metrics.masked()
    for number in range(1, SHARES_MAX):
        contexts.of(_share(number), "a").metrics.sent(1)
    assert contexts.of(_share(0), "b") is first
    second = contexts.of(_share(1), "a")
    contexts.of(_share(SHARES_MAX), "a")
    contexts.of(_share(SHARES_MAX + 1), "a")
    assert contexts.of(_share(0), "a") is first
    assert contexts.of(_share(1), "a") is second
    shown = (await metrics.expose(None)).body.decode()  # type: ignore[arg-type, union-attr]
    assert 'share="share-0"' in shown
    assert 'share="share-3"' not in shown
    await contexts.aclose()
    assert contexts.of(_share(0), "a") is not first
    await contexts.aclose()


@pytest.mark.anyio
async def test_a_share_is_counted_until_none_of_its_contexts_is_in_use() -> None:
    metrics = Metrics()
    contexts = _contexts(metrics, pass_token=True)
    contexts.of(_share(0), "a").metrics.sent(5)
    for number in range(1, SHARES_MAX):
        contexts.of(_share(number), "a")
    contexts.of(_share(0), "b").metrics.sent(7)
    shown = (await metrics.expose(None)).body.decode()  # type: ignore[arg-type, union-attr]
    assert 'orthanc_share_instance_bytes_total{share="share-0"} 12.0' in shown
    contexts.of(_share(0), "b")
    for number in range(1, SHARES_MAX + 1):
        contexts.of(_share(number), "b")
    shown = (await metrics.expose(None)).body.decode()  # type: ignore[arg-type, union-attr]
    assert 'share="share-0"' not in shown
    await contexts.aclose()


@pytest.mark.anyio
async def test_each_token_has_its_context_where_orthanc_gets_the_token() -> None:
    contexts = _contexts(Metrics(), pass_token=True)
    assert contexts.of(_share(0), "a") is not contexts.of(_share(0), "b")
    assert contexts.of(_share(0), "a").orthanc.token == "a"
    assert "0123456789" not in repr(contexts.of(_share(0), "a"))
    await contexts.aclose()


@pytest.mark.anyio
async def test_of_many_misses_one_asks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "REFRESH_AFTER", timedelta(0))
    contexts = _contexts(Metrics())
    context = contexts.of(_share(0), "a")
    empty = index.ShareIndex((), context.policy.pseudonyms, context.orthanc)
    looked: list[Snapshot] = []

    def look(snapshot: Snapshot) -> StudyEntry | None:
        looked.append(snapshot)
        return None

    misses = (empty.find(look) for _ in range(3))
    found = await asyncio.gather(*misses, return_exceptions=True)
    assert all(isinstance(one, NotFoundError) for one in found)
    assert len(set(map(id, looked))) == 2
    await contexts.aclose()


@pytest.mark.anyio
async def test_a_slot_is_waited_for_and_given_back() -> None:
    slots = Slots(1, 0.01)
    async with slots.one():
        with pytest.raises(BusyError):
            async with slots.one():
                pass
    async with slots.one():
        pass


def test_a_service_that_is_full_says_so() -> None:
    settings = {
        "anonymizer_max_concurrency": 1,
        "orthanc_timeout": timedelta(seconds=1),
    }
    with running(**settings) as started:
        source = Source.sample(1)
        names = started.share(source)
        whole = source.answers()[real_series_path(source.datasets[0])]
        assert isinstance(whole, Reply)
        endless = replace(whole, length=10**9, hangs=True)
        started.orthanc.answers[real_series_path(source.datasets[0])] = endless
        client, fields = started.client, {"Accept": ANY_FILE}
        with client.stream("GET", names.series_path(), headers=fields) as answer:
            next(answer.iter_raw())
            refused = client.get("/dicom-web/studies")
            # Which of the two ends first is a matter of luck.
            assert refused.status_code in {200, 503}


@pytest.mark.anyio
async def test_websockets_are_turned_away() -> None:
    for settings in (anonymizer_settings(UNUSED), AnonymizerSettings()):
        app = create_app(settings)
        scope = {"type": "websocket", "path": "/dicom-web/studies", "headers": []}
        sent = await run(app, scope, receiving({"type": "websocket.connect"}))
        assert [message["type"] for message in sent] == ["websocket.close"]


class _Stalled:
    """A client that takes the beginning of an answer, and nothing more."""

    async def __call__(self, message: Message) -> None:
        if message.get("body"):
            await asyncio.sleep(60)


@pytest.mark.anyio
async def test_a_client_that_takes_nothing_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(streaming, "STALL_MAX", 0.01)
    closed = []

    async def pieces() -> AsyncGenerator[bytes, None]:
        try:
            yield b"first"
            yield b"second"
        finally:
            closed.append(True)

    counters = ShareCounters(Metrics(), "share")
    answer = await streaming.streamed(pieces(), "text/plain", counters)
    await answer(http_scope(), receiving(), _Stalled())
    assert closed == [True]


@pytest.mark.anyio
async def test_an_answer_may_take_longer_than_any_of_its_pieces(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(streaming, "STALL_MAX", 0.2)
    sent: list[Message] = []

    async def pieces() -> AsyncGenerator[bytes, None]:
        for number in range(10):
            await asyncio.sleep(0.05)
            yield bytes([number]) * streaming.PIECE_MIN

    async def send(message: Message) -> None:
        sent.append(message)
        await asyncio.sleep(0)

    counters = ShareCounters(Metrics(), "share")
    answer = await streaming.streamed(pieces(), "text/plain", counters)
    await answer(http_scope(), receiving(), send)
    assert sent[-1] == {"type": "http.response.body"}
    body = b"".join(message.get("body", b"") for message in sent)
    assert len(body) == 10 * streaming.PIECE_MIN


@pytest.mark.anyio
async def test_many_small_pieces_are_joined() -> None:
    taken = []

    async def pieces() -> AsyncGenerator[bytes, None]:
        for _ in range(streaming.PIECES_MAX):
            yield b"small"
        yield b"large" * streaming.PIECE_MIN
        yield b"last"

    async def put(pieces: Sequence[Octets]) -> None:
        taken.append(list(pieces))

    async def send(message: Message) -> None:
        assert not message.get("body")

    scope = {**http_scope(), "extensions": {PIECES: {SEND: put}}}
    counters = ShareCounters(Metrics(), "share")
    answer = await streaming.streamed(pieces(), "text/plain", counters)
    await answer(scope, receiving(), send)
    small = b"small" * streaming.PIECES_MAX
    assert taken == [[small + b"large" * streaming.PIECE_MIN], [b"last"]]


@pytest.mark.anyio
async def test_work_for_a_client_that_has_left_is_given_up() -> None:
    ended = []

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(True)

    body = {"type": "http.request", "body": b"", "more_body": False}
    await gateway.while_connected(receiving(body), work())
    assert ended == [True]


@pytest.mark.anyio
async def test_a_file_that_is_in_no_share_ends_before_its_first_byte() -> None:
    contexts = _contexts(Metrics())
    file = file_of(Source.sample(1).datasets[0])
    asked = []

    async def source() -> AsyncGenerator[bytes, None]:
        for start in range(0, len(file), 100):
            yield file[start : start + 100]

    def find(real_uid: str) -> None:
        asked.append(real_uid)

    context = contexts.of(_share(0), "a")
    with pytest.raises(rewriting.OutOfScopeError):
        await anext(rewriting.clean_file(context, source(), find))
    assert set(asked) == {str(Source.sample(1).datasets[0].SOPInstanceUID)}
    await contexts.aclose()
