"""Nothing that is asked often reads a whole table, on either database."""

from collections.abc import AsyncIterator

import pytest

from orthanc_share.store import revoking, settling
from orthanc_share.store.audit import EventFilter
from orthanc_share.store.errors import ShareNotFoundError
from orthanc_share.store.records import Retention, ShareStatus, Tally, View
from orthanc_share.store.revoking import Selection
from orthanc_share.store.selection import Order, ShareFilter
from orthanc_share.store.store import Store, open_store
from tests.support.postgres import PostgreSQL
from tests.support.query_plans import Statement, recorded, steps
from tests.unit.shared.store.bulk import fill
from tests.unit.shared.store.samples import DAY, DOCTOR, HOUR, NOW, VISITOR

pytestmark = pytest.mark.anyio

SHARES, EVENTS = 20_000, 60_000


@pytest.fixture(scope="module")
def grown() -> dict[str, str]:
    """Return the addresses of the stores that have grown, by database."""
    return {}


@pytest.fixture
async def store(
    engine: str,
    grown: dict[str, str],
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Store]:
    """Open a store that has grown; it is smaller than real ones, and so are parts."""
    for module in (revoking, settling):
        monkeypatch.setattr(module, "CHUNK", 20)
    if engine not in grown:
        if engine == "sqlite":
            path = tmp_path_factory.mktemp("grown") / "registry.sqlite"
            grown[engine] = f"sqlite:///{path}"
        else:
            server: PostgreSQL = request.getfixturevalue("postgres")
            grown[engine] = server.new_database()
        async with open_store(grown[engine]) as opened:
            await fill(opened, SHARES, EVENTS)
    async with open_store(grown[engine]) as opened:
        yield opened


async def _check(
    store: Store, statements: list[Statement], *, may_sort: bool = False
) -> None:
    """Fail if a statement reads a whole table, or sorts what could be many rows."""
    assert statements
    for statement in statements:
        plan = await steps(store, statement)
        faults = [step.fault for step in plan if step.fault is not None]
        if may_sort:
            faults = [fault for fault in faults if "ORDER BY" not in fault]
        assert (statement[0], faults) == (statement[0], [])


async def test_every_page_of_every_list_is_read_by_index(store: Store) -> None:
    creators = (None, "account:doctor", "account:rare-10")
    with recorded(store) as statements:
        for order in Order:
            for status in (None, *ShareStatus):
                for creator in creators:
                    wanted = ShareFilter(status, creator)
                    page = await store.list_shares(
                        wanted, now=NOW, order=order, limit=2
                    )
                    if page.cursor is not None:
                        await store.list_shares(
                            wanted, now=NOW, order=order, limit=2, cursor=page.cursor
                        )
    await _check(store, statements)


async def test_shares_are_counted_by_index(store: Store) -> None:
    with recorded(store) as statements:
        await store.count_by_status(now=NOW)
    await _check(store, statements)


async def test_studies_and_words_are_found_by_index(store: Store) -> None:
    with recorded(store) as statements:
        for wanted in (
            ShareFilter(study="1.2.100"),
            ShareFilter(ShareStatus.ACTIVE, study="1.2.100"),
            ShareFilter(text="w777"),
            ShareFilter(text="title w777"),
            ShareFilter(text="title"),
            ShareFilter(ShareStatus.ACTIVE, text="title doctor"),
        ):
            assert (await store.list_shares(wanted, now=NOW)).shares
    # The few shares of a study or of a rare word are sorted.
    await _check(store, statements, may_sort=True)


async def test_what_is_done_to_one_share_reads_no_whole_table(store: Store) -> None:
    with recorded(store) as statements:
        await store.openings.open_once(
            "share-400", now=NOW, origin=VISITOR, view_id="view"
        )
        await store.openings.deny("share-400", "expired", now=NOW, origin=VISITOR)
        view = View("other-view", "share-400", NOW)
        await store.openings.count([Tally("share-400", NOW, 1)], [view])
        await store.openings.history("share-400", since=NOW)
        await store.revoker.revoke("share-500", now=NOW, origin=DOCTOR)
        await store.codes.issue("share-400", now=NOW)
        with pytest.raises(ShareNotFoundError):
            await store.codes.resolve("none")
    await _check(store, statements)


async def test_taking_back_many_reads_no_whole_table(store: Store) -> None:
    selections = (
        Selection(creator="account:rare-10"),
        Selection(creator="account:doctor"),
        Selection(created_before=NOW - 390 * DAY),
    )
    with recorded(store) as statements:
        for selection in selections:
            for dry_run in (True, False):
                await store.revoker.revoke_many(
                    selection, now=NOW, origin=DOCTOR, dry_run=dry_run
                )
    await _check(store, statements)


async def test_taking_back_a_study_reads_only_its_shares(store: Store) -> None:
    with recorded(store) as statements:
        study = Selection(study="1.2.5000")
        assert await store.revoker.revoke_many(study, now=NOW, origin=DOCTOR) == 1
    await _check(store, statements, may_sort=True)


async def test_what_runs_all_the_time_reads_no_whole_table(store: Store) -> None:
    with recorded(store) as statements:
        for cursor in (0, SHARES // 2, EVENTS - 1, EVENTS):
            await store.revoked_since(cursor, now=NOW)
        await store.settle(now=NOW + 2 * HOUR)
        retention = Retention(used=DAY)
        await store.sweeper.sweep(retention, now=NOW - 200 * DAY)
        await store.sweeper.sweep(retention, now=NOW + DAY, batch=5)
        await store.check()
    await _check(store, statements)


async def test_events_are_read_by_index(store: Store) -> None:
    with recorded(store) as statements:
        for wanted in (
            EventFilter(share_id="share-77"),
            EventFilter(study="1.2.100"),
            EventFilter(since=NOW - 381 * DAY, until=NOW - 380 * DAY),
        ):
            assert [one async for one in store.audit.export(wanted)]
        page = await store.audit.page(EventFilter(share_id="share-77"), limit=2)
        await store.audit.page(
            EventFilter(share_id="share-77"), limit=2, cursor=page.cursor
        )
    await _check(store, statements)
