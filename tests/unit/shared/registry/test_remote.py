"""The registry by way of a real token-service."""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from orthanc_share.domain.access import Granted, Reason
from orthanc_share.domain.errors import UpstreamError, UpstreamUnavailableError
from orthanc_share.domain.share import Share
from orthanc_share.registry import remote as module
from orthanc_share.registry.following import Follower
from orthanc_share.registry.links import (
    Link,
    LinkReason,
    Opened,
    Opening,
    Ready,
    Refused,
)
from orthanc_share.registry.remote import RemoteDesk, RemoteWatch
from orthanc_share.store.records import Origin
from orthanc_share.upstream.calls import ANSWER_TIMEOUT, Calls
from orthanc_share.upstream.client import create_client
from tests.support.relay import Loss, Relay, relay
from tests.support.service import MovableClock, Service, running
from tests.support.settings import USER
from tests.support.tokens import codec

pytestmark = pytest.mark.anyio

VISITOR = Origin(None, "192.0.2.7", "Browser/1")
NOBODY_LISTENS = "http://127.0.0.1:9"
GRACE = timedelta(minutes=5)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Run a token-service with a registry."""
    folder = tmp_path_factory.mktemp("remote")
    with running(registry=True, data_dir=folder) as started:
        yield started


@asynccontextmanager
async def calling(
    address: str, password: str = USER[1], patience: timedelta = ANSWER_TIMEOUT
) -> AsyncIterator[Calls]:
    async with create_client(
        base_url=f"{address}/", auth=(USER[0], password), keep_alive=False
    ) as client:
        yield Calls(client, "token-service", patience)


@pytest.fixture
async def calls(service: Service) -> AsyncIterator[Calls]:
    async with calling(service.base) as made:
        yield made


def an_opening() -> Opening:
    """Return an opening that nobody asked for."""
    return Opening(secrets.token_hex(16), GRACE)


async def until(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - what is waited for knows no event
            await asyncio.sleep(0.02)


def shown(service: Service, share_id: str) -> dict[str, Any]:
    found: dict[str, Any] = service.call("GET", f"/shares/{share_id}").json
    return found


def share_of(token: str) -> Share:
    return codec().read(token)


async def test_a_link_is_looked_at_and_opened(calls: Calls, service: Service) -> None:
    made = service.made(max_openings=1, password="secret")
    link, share_id = Link(made["token"]), made["share-id"]
    desk = RemoteDesk(calls)
    assert await desk.look(link) == Ready(share_id, needs_password=True, left=1)
    wrong = await desk.open(link, password="guess", origin=VISITOR)
    assert wrong == Refused(LinkReason.WRONG_PASSWORD, share_id, tries_left=4)
    opened = await desk.open(link, password="secret", origin=VISITOR)
    assert isinstance(opened, Opened)
    view = share_of(opened.view)
    assert (view.id, bool(view.view_id)) == (share_id, True)
    assert await desk.look(link) == Refused(LinkReason.USED_UP, share_id)
    again = await desk.look(link, view=opened.view)
    assert isinstance(again, Ready)
    assert again.view == opened.view
    events = service.call("GET", f"/shares/{share_id}/events").json["events"]
    told = [(one["event"], one["address"], one["user-agent"]) for one in events]
    visitor = ("192.0.2.7", "Browser/1")
    assert told[:2] == [("opened", *visitor), ("second-factor-failed", *visitor)]


@pytest.fixture
def way(service: Service) -> Iterator[Relay]:
    """Return a way to the service on which answers may be lost."""
    with relay(service.base) as made:
        yield made


@pytest.mark.parametrize("loss", Loss)
async def test_a_lost_answer_does_not_use_a_link_up(
    loss: Loss, way: Relay, service: Service
) -> None:
    made = service.made(max_openings=1)
    link, opening = Link(made["token"]), an_opening()
    way.losses.append(loss)
    patience = timedelta(seconds=1) if loss is Loss.SILENCE else ANSWER_TIMEOUT
    async with calling(way.base, patience=patience) as calls:
        desk = RemoteDesk(calls)
        opened = await desk.open(link, password=None, origin=VISITOR, opening=opening)
        assert isinstance(opened, Opened)
        ready = await desk.look(link, opening=opening)
        assert ready == Ready(made["share-id"], needs_password=False, left=0)
    assert way.connections == 3
    assert shown(service, made["share-id"])["opened"] == 1


async def test_an_opening_without_id_is_asked_for_once(
    way: Relay, service: Service
) -> None:
    made = service.made(max_openings=2)
    way.losses.append(Loss.RESET)
    async with calling(way.base) as calls:
        with pytest.raises(UpstreamError):
            await RemoteDesk(calls).open(
                Link(made["token"]), password=None, origin=VISITOR
            )
    assert way.connections == 1
    assert shown(service, made["share-id"])["opened"] == 1


async def test_an_opening_is_asked_for_twice_at_most(
    way: Relay, service: Service
) -> None:
    made = service.made(max_openings=1)
    opening = an_opening()
    way.losses.extend([Loss.CLOSED, Loss.RESET])
    async with calling(way.base) as calls:
        desk = RemoteDesk(calls)
        with pytest.raises(UpstreamError):
            await desk.open(
                Link(made["token"]), password=None, origin=VISITOR, opening=opening
            )
        assert way.connections == 2
        later = await desk.open(
            Link(made["token"]), password=None, origin=VISITOR, opening=opening
        )
    assert isinstance(later, Opened)
    assert shown(service, made["share-id"])["opened"] == 1


async def test_an_ordinary_link_and_a_code_come_with_a_viewer_token(
    calls: Calls, service: Service
) -> None:
    made = service.made()
    url = service.call("POST", f"/shares/{made['share-id']}/link").json["url"]
    for link in (Link(made["token"]), Link(code=url.rpartition("/")[2])):
        ready = await RemoteDesk(calls).look(link)
        assert isinstance(ready, Ready)
        assert share_of(ready.view or "").id == made["share-id"]


async def test_each_instant_arrives(calls: Calls, service: Service) -> None:
    made = service.made(not_before="2027-01-01T00:00:00Z")
    refused = await RemoteDesk(calls).look(Link(made["token"]))
    assert isinstance(refused, Refused)
    assert refused.reason is LinkReason.NOT_YET_VALID
    assert refused.moment == share_of(made["token"]).not_before


async def test_whom_nobody_answers_cannot_open_links(service: Service) -> None:
    async with calling(NOBODY_LISTENS) as calls:
        desk = RemoteDesk(calls)
        with pytest.raises(UpstreamUnavailableError):
            await desk.look(Link("x"))
        with pytest.raises(UpstreamUnavailableError):
            await desk.open(Link("x"), password=None, origin=VISITOR)
        with pytest.raises(UpstreamUnavailableError):
            await desk.ping()
    async with calling(service.base, "wrong") as calls:
        with pytest.raises(UpstreamError, match="401"):
            await RemoteDesk(calls).ping()


async def test_a_desk_that_is_answered_is_ready(calls: Calls) -> None:
    await RemoteDesk(calls).ping()


async def test_a_revocation_is_known_and_what_is_granted_is_counted(
    calls: Calls, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Follower.__init__, "__kwdefaults__", _quick())
    made = service.made()
    share = share_of(made["token"])
    ready = await RemoteDesk(calls).look(Link(made["token"]))
    assert isinstance(ready, Ready)
    view = share_of(ready.view or "")
    remote = RemoteWatch(calls, GRACE, MovableClock())
    async with remote.running():
        await remote.ping()
        assert remote.register.current(share) is share
        remote.watch.note(view, Granted(60))
        remote.watch.note(view, Granted(60))
        service.call("DELETE", f"/shares/{share.id}")
        await until(lambda: remote.register.current(share) is Reason.REVOKED)
        assert remote.register.current(view) is Reason.REVOKED
        remote.tallies.denied(share, Reason.REVOKED)
    counted = shown(service, share.id)
    assert (counted["granted"], counted["denied"], counted["opened"]) == (2, 1, 1)
    events = service.call("GET", f"/shares/{share.id}/events").json["events"]
    assert {"granted", "denied", "opened"} <= {one["event"] for one in events}


def _quick() -> dict[str, object]:
    return {**(Follower.__init__.__kwdefaults__ or {}), "interval": 0.01}


async def test_what_was_counted_is_sent_now_and_then(
    calls: Calls, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WRITE_DOWN_EVERY", 0.01)
    share = share_of(service.token())
    remote = RemoteWatch(calls, GRACE, MovableClock())
    async with remote.running():
        remote.watch.note(share, Granted(60))
        await until(lambda: shown(service, share.id)["granted"] == 1)


async def test_without_token_service_everything_is_denied_and_nothing_is_lost(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    share = share_of(service.token())
    async with calling(NOBODY_LISTENS) as nobody, calling(service.base) as calls:
        remote = RemoteWatch(nobody, GRACE, MovableClock())
        with caplog.at_level(logging.WARNING):
            async with remote.running():
                current = remote.register.current(share)
                assert current is Reason.REGISTRY_UNAVAILABLE
                remote.watch.note(share, Granted(60))
        details = {vars(record).get("detail") for record in caplog.records}
        assert "token-service cannot be reached." in details
        remote._calls = calls
        await remote.send()
        await remote.send()
    assert shown(service, share.id)["granted"] == 1


async def test_what_stops_by_a_mistake_is_started_again(
    calls: Calls, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RESTART_AFTER", 0.01)
    share = share_of(service.token())
    remote = RemoteWatch(calls, GRACE, MovableClock())
    run, mistakes = remote._follower.run, 1

    async def fail_once() -> None:
        nonlocal mistakes
        if mistakes:
            mistakes -= 1
            raise ZeroDivisionError
        await run()

    monkeypatch.setattr(remote._follower, "run", fail_once)
    async with remote.running():
        service.call("DELETE", f"/shares/{share.id}")
        await until(lambda: remote.register.current(share) is Reason.REVOKED)
    assert mistakes == 0
