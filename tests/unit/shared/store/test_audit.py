"""Events are added and never changed, and each can be found again."""

import asyncio
import tracemalloc
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from orthanc_share.store import audit
from orthanc_share.store.audit import EventFilter
from orthanc_share.store.errors import InvalidCursorError, StoreUnavailableError
from orthanc_share.store.records import Event, EventKind, Origin, StoredEvent
from orthanc_share.store.store import Store, open_store
from tests.unit.shared.store.samples import (
    DAY,
    HOUR,
    NOW,
    SECOND,
    STUDY,
    VISITOR,
    events_of,
    run_sql,
)

pytestmark = pytest.mark.anyio


async def _export(store: Store, **criteria: Any) -> list[StoredEvent]:
    return [one async for one in store.audit.export(EventFilter(**criteria))]


async def test_an_event_comes_back_as_it_was_written(store: Store) -> None:
    event = Event(
        EventKind.DEIDENTIFIED,
        NOW,
        "share",
        VISITOR,
        (STUDY, "1.2.4"),
        "reason",
        {"instances": 3, "note": "é\n", "ok": True, "none": None},
    )
    await store.audit.record(event, Event(EventKind.SWEPT, NOW))
    first, second = await events_of(store)
    assert (first.seq, first.event) == (1, event)
    assert (second.seq, second.event) == (2, Event(EventKind.SWEPT, NOW))
    assert len(first.hash) == len(second.hash) == 32
    assert first.hash != second.hash


async def test_nothing_to_record_is_no_event(store: Store) -> None:
    await store.audit.record()
    assert await events_of(store) == []


async def test_text_from_outside_cannot_break_a_row(store: Store) -> None:
    origin = Origin("a\x00", "\ud800", "x" * 999)
    details = {"text": "\x00\ud800"}
    event = Event(EventKind.DENIED, NOW, None, origin, reason="\x00", details=details)
    await store.audit.record(event)
    (kept,) = await events_of(store)
    assert kept.event.origin == Origin("a\ufffd", "?", "x" * 255)
    assert kept.event.details == {"text": "\ufffd?"}


@pytest.mark.parametrize(
    "change", ["UPDATE audit_event SET at = 0", "DELETE FROM audit_event"]
)
async def test_the_database_refuses_to_change_events(store: Store, change: str) -> None:
    await store.audit.record(Event(EventKind.SWEPT, NOW))
    with pytest.raises((DBAPIError, StoreUnavailableError)):
        await run_sql(store, change)
    assert len(await events_of(store)) == 1


async def test_events_are_found_by_time_share_and_study(store: Store) -> None:
    for number in range(12):
        await store.audit.record(
            Event(
                EventKind.OPENED,
                NOW + number * SECOND,
                f"share-{number % 2}",
                studies=(f"1.2.{number % 3}", "1.3"),
            )
        )

    async def seqs(**criteria: Any) -> list[int]:
        return [one.seq for one in await _export(store, **criteria)]

    assert await seqs() == list(range(1, 13))
    assert await seqs(since=NOW + 10 * SECOND) == [11, 12]
    assert await seqs(until=NOW + 2 * SECOND) == [1, 2]
    assert await seqs(share_id="share-1") == [2, 4, 6, 8, 10, 12]
    assert await seqs(study="1.2.0") == [1, 4, 7, 10]
    assert await seqs(study="1.3") == list(range(1, 13))
    narrow = {"since": NOW + SECOND, "until": NOW + 7 * SECOND}
    assert await seqs(study="1.2.0", share_id="share-1", **narrow) == [4]
    assert await seqs(share_id="\x00") == await seqs(study="\x00") == []


async def test_an_export_is_sorted_by_time_even_if_the_clock_jumped(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "CHUNK", 2)
    for later in (5, 1, 5, 3, 5, 9, 0):
        at = NOW + later * SECOND
        await store.audit.record(Event(EventKind.SWEPT, at, studies=("1.2",)))
    for exported in (await _export(store), await _export(store, study="1.2")):
        assert [one.seq for one in exported] == [7, 2, 4, 1, 3, 5, 6]


async def _pages(store: Store, share_id: str, limit: int) -> list[list[int]]:
    pages, cursor = [], None
    while True:
        page = await store.audit.page(
            EventFilter(share_id=share_id), limit=limit, cursor=cursor
        )
        pages.append([one.seq for one in page.events])
        cursor = page.cursor
        if cursor is None:
            return pages


async def test_the_events_of_a_share_come_page_by_page_newest_first(
    store: Store,
) -> None:
    for number, later in enumerate((5, 1, 5, 3, 5)):
        for share_id in ("mine", "other"):
            at = NOW + later * SECOND
            note = {"number": number}
            await store.audit.record(
                Event(EventKind.OPENED, at, share_id, VISITOR, details=note)
            )
    assert await _pages(store, "mine", 2) == [[9, 5], [1, 7], [3]]
    assert await _pages(store, "mine", 5) == [[9, 5, 1, 7, 3]]
    assert await _pages(store, "mine", 0) == [[9], [5], [1], [7], [3]]
    assert await _pages(store, "nobody\x00", 9) == [[]]
    page = await store.audit.page(EventFilter(share_id="mine"))
    assert page.events[0].event.details == {"number": 4}


async def test_an_event_that_is_added_meanwhile_moves_no_other(store: Store) -> None:
    for _ in range(4):
        await store.audit.record(Event(EventKind.OPENED, NOW, "mine"))
    first = await store.audit.page(EventFilter(share_id="mine"), limit=2)
    await store.audit.record(Event(EventKind.OPENED, NOW + HOUR, "mine"))
    rest = await store.audit.page(
        EventFilter(share_id="mine"), limit=2, cursor=first.cursor
    )
    assert [one.seq for one in (*first.events, *rest.events)] == [4, 3, 2, 1]


@pytest.mark.parametrize(
    "cursor", ["", "1", "1.", ".1", "1.2.3", "-1.2", "1.²", "1.2\n", "9" * 19 + ".1"]
)
async def test_a_cursor_of_no_page_is_refused(store: Store, cursor: str) -> None:
    with pytest.raises(InvalidCursorError):
        await store.audit.page(EventFilter(share_id="mine"), cursor=cursor)


async def test_events_of_many_at_once_have_numbers_without_gaps(
    store: Store, url: str
) -> None:
    async with open_store(url) as other:
        await asyncio.gather(
            *(
                (store, other)[n % 2].audit.record(*[Event(EventKind.SWEPT, NOW)] * 2)
                for n in range(20)
            )
        )
    assert [one.seq for one in await events_of(store)] == list(range(1, 41))


async def test_an_export_takes_no_more_memory_for_more_events(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "CHUNK", 50)

    async def peak(count: int) -> int:
        event = Event(EventKind.SWEPT, NOW, details={"text": "x" * 200})
        for _ in range(count // 50):
            await store.audit.record(*[event] * 50)
        tracemalloc.start()
        async for _ in store.audit.export():
            pass
        result = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return result

    await peak(50)  # what is built once
    few = await peak(500)
    # All of them would be several megabytes.
    assert await peak(4000) < few + 1_000_000


async def test_studies_are_hashed_if_the_site_wants_it(url: str) -> None:
    async with open_store(url) as plain:
        await plain.audit.record(Event(EventKind.OPENED, NOW, studies=(STUDY,)))
    async with open_store(url, study_key=b"key" * 11) as store:
        event = Event(EventKind.OPENED, NOW + HOUR, studies=(STUDY, STUDY))
        await store.audit.record(event)
        old, new = await _export(store, study=STUDY, until=NOW + DAY)
        assert old.event.studies == (STUDY,)
        (hashed,) = new.event.studies
        assert STUDY not in hashed
        assert len(hashed) == 64
    async with open_store(url, study_key=b"another key") as store:
        assert [one.seq for one in await _export(store, study=STUDY)] == [1]
