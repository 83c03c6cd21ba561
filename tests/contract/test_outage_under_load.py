"""PostgreSQL is stopped and started again under a load of everything: what holds."""

import asyncio
import json
import signal
import threading
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from orthanc_share.registry.notifier import AT_ONCE
from orthanc_share.store.store import open_store
from orthanc_share.store.verifying import Intact
from tests.support.load import MAX_OPENINGS, Load
from tests.support.outage import until
from tests.support.postgres import PostgreSQL, running_postgres
from tests.support.receiver import Received, receiver
from tests.support.service import Service
from tests.unit.services.suite.environment import LOGIN, Process, process
from tests.unit.shared.store.samples import events_of

KEY = "hT5wQz8LkP2vRx9JmN4cYb7GdS1fAe6U"  # made up, for tests only
ARGUMENTS = ("-m", "suite", "serve", "token-service", "--port", "0")
STOPS = 2
GOOD = 5
"""Answers of each kind between two stops, at least."""

LATER = 3
"""Answers of each kind that say so while the database is away, at least."""


class Reluctant:
    """A receiver's rule: it takes no notice until it is told to."""

    def __init__(self) -> None:
        self.is_willing = threading.Event()
        self.refused: set[str] = set()
        self.taken: dict[str, tuple[str, int]] = {}

    def __call__(self, received: Received) -> int:
        """Return the status to answer with."""
        said = json.loads(received.body)
        if not self.is_willing.is_set():
            self.refused.add(said["id"])
            return 503
        self.taken[said["id"]] = (said["share-id"], said["opened"])
        return 204


def test_a_database_that_stops_and_starts_under_load_breaks_no_promise(
    tmp_path: Path,
) -> None:
    rule = Reluctant()
    with (
        running_postgres() as server,
        receiver(rule) as told,
        process(
            tmp_path,
            *ARGUMENTS,
            DATABASE_URL=(url := server.new_database()),
            NOTIFY_KEY=KEY,
            NOTIFY_URL=told.url.partition("?")[0],
        ) as running,
    ):
        (base,) = running.addresses(1).values()
        service = Service(base, LOGIN)
        load = Load(service)
        with load.running():
            waiting = stop_and_start(server, load, rule)
        # Some that waited while the database was away are delivered when it is back.
        until(lambda: bool(waiting & rule.taken.keys()))
        check_what_was_acknowledged(load, service)
        check_notices(server, url, rule)
        check_process(running)
        asyncio.run(check_trail(url, load))


def stop_and_start(server: PostgreSQL, load: Load, rule: Reluctant) -> set[str]:
    """Take the database away, twice; return which notices waited before."""
    load.wait_for_good(GOOD)
    # Those that are being sent when it stops have another turn a minute later only.
    until(lambda: len(rule.refused) > STOPS * AT_ONCE)
    waiting = set(rule.refused)
    for _ in range(STOPS):
        server.stop("immediate")
        load.wait_for_later(LATER)
        server.start()
        load.wait_for_good(GOOD)
        rule.is_willing.set()
    return waiting


def check_what_was_acknowledged(load: Load, service: Service) -> None:
    """See that all is kept, and that nothing is granted that was taken back."""
    kept = {share: kept_of(service, share) for share in load.created}
    assert len(load.created) == len(kept)
    until(load.are_denied)
    assert len(load.revoked) >= GOOD
    assert not any(one.opens(service) for one in load.revoked)
    assert {kept[one.id]["status"] for one in load.revoked} == {"revoked"}
    assert len(load.opened) > 1
    for share, openings in load.opened.items():
        # One more may have been counted than could be said; never one less.
        assert openings <= kept[share]["opened"] <= MAX_OPENINGS
    reports = load.good["report"]
    granted = kept[load.counted.id]["granted"]
    assert reports <= granted <= reports + load.later["report"]
    assert service.is_granted(load.live.token)


def kept_of(service: Service, share: str) -> dict[str, Any]:
    """Return a share that must be there."""
    answer = service.call("GET", f"/shares/{share}")
    assert answer.status == 200, answer.raw
    kept: dict[str, Any] = answer.json
    return kept


def check_notices(server: PostgreSQL, url: str, rule: Reluctant) -> None:
    """See that each opening that was counted is told, or waits to be."""
    database = urlsplit(url).path.removeprefix("/")
    rows = server.sql(database, "SELECT body FROM outbox").splitlines()
    said = [json.loads(row) for row in rows]
    found = {(one["share-id"], one["opened"]) for one in said} | {*rule.taken.values()}
    counted = server.sql(database, "SELECT id, opened FROM share WHERE opened > 0")
    for line in counted.splitlines():
        share, _, opened = line.partition("|")
        assert {(share, number + 1) for number in range(int(opened))} <= found


def check_process(running: Process) -> None:
    """See that it was the same all the time, without a word of an error."""
    running.signal(signal.SIGTERM)
    assert running.end() == 0
    lines = [line for line in running.lines if line]
    assert sum("listens on" in line for line in lines) == 1
    told = [json.loads(line) for line in lines if "listens on" not in line]
    assert {one["level"] for one in told} <= {"info", "warning"}


async def check_trail(url: str, load: Load) -> None:
    """See that the trail is whole, and says once what happened once."""
    async with open_store(url) as store:
        assert isinstance(await store.verify_audit(), Intact)
        events = [stored.event for stored in await events_of(store)]
        happened = Counter((one.kind.value, one.share_id) for one in events)
        for share in load.created:
            assert happened["created", share] == 1
            kept = await store.shares.get(share)
            assert happened["opened", share] == kept.opened
        for one in load.revoked:
            assert happened["revoked", one.id] == 1
