"""The registry while it runs: with a database, without one, and when one comes back."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from orthanc_share.domain.access import Granted, Reason
from orthanc_share.domain.errors import ConfigurationError
from orthanc_share.registry import registry as module
from orthanc_share.registry.following import Follower
from orthanc_share.store.errors import StoreUnavailableError
from orthanc_share.store.openings import Openings
from orthanc_share.store.records import Retention, ShareStatus, Swept
from orthanc_share.store.store import Store, open_store
from orthanc_share.store.sweeping import Sweeper
from tests.support.service import MovableClock
from tests.unit.shared.registry.samples import (
    Site,
    options,
    registry,
    running_site,
)

pytestmark = pytest.mark.anyio


async def until(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - what is waited for knows no event
            await asyncio.sleep(0.01)


async def test_it_is_ready_when_it_runs(site: Site) -> None:
    await site.registry.ping()
    assert site.registry.register.current(share := site.share()) is share


async def test_a_revocation_is_known_within_two_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Follower.__init__, "__kwdefaults__", _quick())
    async with running_site(tmp_path) as site:
        share = await site.kept()
        other = registry(options(tmp_path), site.clock)
        async with other.running():
            assert other.register.current(share) is share
            await site.revoke(share)
            for register in (other.register, site.registry.register):
                await until(lambda r=register: r.current(share) is Reason.REVOKED)  # type: ignore[misc]


def _quick() -> dict[str, object]:
    return {**(Follower.__init__.__kwdefaults__ or {}), "interval": 0.01}


def opening_fails(
    monkeypatch: pytest.MonkeyPatch, *errors: Exception
) -> list[Exception]:
    """Let the next attempts to open the database fail."""
    monkeypatch.setattr(module, "REOPEN_AFTER", 0.01)
    left = list(errors)

    @asynccontextmanager
    async def open_or_fail(url: str, **named: Any) -> AsyncIterator[Store]:
        if left:
            raise left.pop(0)
        async with open_store(url, **named) as opened:
            yield opened

    monkeypatch.setattr(module, "open_store", open_or_fail)
    return left


async def test_without_database_it_starts_denies_and_goes_on_when_it_comes(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    opening_fails(monkeypatch, StoreUnavailableError(), StoreUnavailableError())
    made = registry(options(tmp_path), MovableClock())
    share = Site(made, MovableClock()).share()
    async with made.running():
        assert made.register.current(share) is Reason.REGISTRY_UNAVAILABLE
        with pytest.raises(StoreUnavailableError):
            await made.ping()
        await until(lambda: made.register.current(share) is share)
        await made.ping()
    assert "the database cannot be opened" in caplog.text


async def test_a_database_that_does_not_fit_stops_the_start(tmp_path: Path) -> None:
    made = registry(options(tmp_path / "no folder"), MovableClock())
    with pytest.raises(ConfigurationError):
        async with made.running():
            raise AssertionError


async def test_one_that_does_not_fit_later_is_told_and_denies(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    newer = ConfigurationError(["DATABASE_URL: newer than this program"])
    left = opening_fails(monkeypatch, StoreUnavailableError(), newer, newer)
    made = registry(options(tmp_path), MovableClock())
    async with made.running():
        await until(lambda: len(left) == 0)
        share = Site(made, MovableClock()).share()
        await until(lambda: made.register.current(share) is share)
    told = [r for r in caplog.records if r.message == "database does not fit"]
    assert [record.levelname for record in told] == ["ERROR", "ERROR"]


async def test_a_mistake_of_ours_stops_the_registry_only_for_a_moment(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(module, "REOPEN_AFTER", 0.01)
    monkeypatch.setattr(module, "WRITE_DOWN_EVERY", 0.01)
    count = Openings.count
    failures = [RuntimeError("a mistake")]

    async def fail_once(*arguments: object, **named: object) -> None:
        if failures:
            raise failures.pop()
        await count(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Openings, "count", fail_once)
    async with running_site(tmp_path) as site:
        share = await site.kept()
        site.registry.watch.note(share, Granted(60))
        await until(lambda: "the registry stopped" in caplog.text)
        await until(lambda: site.registry._store is not None)
        site.registry.watch.note(share, Granted(60))
        await until(lambda: not site.registry.tallies.grants)
        await until(lambda: site.registry._store is not None)
        await site.registry.ping()


async def test_what_was_granted_is_written_down_at_the_end(tmp_path: Path) -> None:
    async with running_site(tmp_path) as site:
        share = await site.kept()
        site.registry.watch.note(share, Granted(60))
        site.registry.watch.note(share, Granted(60))
    async with open_store(options(tmp_path).url) as store:
        assert (await store.shares.get(share.id)).granted == 2


async def test_what_cannot_be_written_down_is_kept_for_later(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_arguments: object, **_named: object) -> None:
        raise StoreUnavailableError

    share = await site.kept()
    site.registry.watch.note(share, Granted(60))
    with monkeypatch.context() as broken:
        broken.setattr(Openings, "count", refuse)
        await site.registry.write_down()
    await site.registry.write_down()
    assert (await site.registry.store.shares.get(share.id)).granted == 1


async def test_what_is_over_is_swept_part_by_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep, asked = Sweeper.sweep, []

    async def in_parts(*arguments: object, **named: object) -> Swept:
        asked.append(1)
        return await sweep(*arguments, **named, batch=1)  # type: ignore[arg-type]

    monkeypatch.setattr(Sweeper, "sweep", in_parts)
    retention = Retention(never_used=timedelta(hours=1))
    async with running_site(tmp_path, retention=retention) as site:
        for _ in range(3):
            await site.kept()
        kept = await site.kept(expires_at=None)
        asked.clear()
        site.clock.move(30 * 3600)
        await site.registry.sweep()
        page = await site.registry.store.list_shares(now=site.clock.now)
        assert [(one.share.id, one.status(site.clock.now)) for one in page.shares] == [
            (kept.id, ShareStatus.ACTIVE)
        ]
        assert len(asked) == 4


async def test_a_sweep_without_database_is_put_off(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    await registry(options(tmp_path), MovableClock()).sweep()
    assert "tried again later" in caplog.text
