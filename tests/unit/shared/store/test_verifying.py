"""Whoever changes, removes or moves an event is found out."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given, settings, strategies as st
from sqlalchemy import delete, insert, select

from orthanc_share.store import verifying
from orthanc_share.store.audit import study_rows
from orthanc_share.store.chain import START, linker
from orthanc_share.store.records import Event, EventKind
from orthanc_share.store.store import Store, open_store
from orthanc_share.store.tables import audit_event, audit_head
from orthanc_share.store.verifying import Anchor, Broken, Intact
from tests.unit.shared.store.samples import (
    NOW,
    SECOND,
    VISITOR,
    drop_guards,
    events_of,
    run_sql,
)

COUNT = 7


async def _fill(store: Store, count: int = COUNT) -> None:
    for number in range(count):
        event = Event(
            EventKind.OPENED,
            NOW + number * SECOND,
            f"share-{number}",
            VISITOR,
            (f"1.2.{number}",),
            "reason",
            {"number": number},
        )
        await store.audit.record(event)


@pytest.fixture
async def forged(new_url: str) -> AsyncIterator[Store]:
    """Open a store with events, whose guards are gone."""
    async with open_store(new_url) as store:
        await _fill(store)
        await drop_guards(store)
        yield store


@pytest.mark.anyio
async def test_a_trail_that_nobody_touched_is_intact(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await store.verify_audit() == Intact(Anchor(0, START))
    await _fill(store)
    last = (await events_of(store))[-1]
    for chunk in (1000, 3):
        monkeypatch.setattr(verifying, "CHUNK", chunk)
        assert await store.verify_audit() == Intact(Anchor(COUNT, last.hash))


@pytest.mark.anyio
async def test_a_trail_with_a_key_is_intact_only_with_this_key(url: str) -> None:
    async with open_store(url, audit_key=b"k" * 32) as store:
        await _fill(store)
        assert isinstance(await store.verify_audit(), Intact)
    async with open_store(url) as store:
        assert isinstance(await store.verify_audit(), Broken)


_CHANGES = {
    "at": "at = at + 1",
    "kind": "kind = 'denied'",
    "share": "share_id = 'another'",
    "no share": "share_id = NULL",
    "actor": "actor = 'somebody'",
    "address": "address = '192.0.2.78'",
    "user agent": "user_agent = 'Safari '",
    "studies": "studies = '[]'",
    "reason": "reason = 'Reason'",
    "details": "details = '{}'",
}


@pytest.mark.anyio
async def test_a_change_of_any_column_is_found(forged: Store) -> None:
    for name, change in _CHANGES.items():
        kept = await _rows(forged)
        sql = f"UPDATE audit_event SET {change} WHERE seq = 4"  # noqa: S608
        await run_sql(forged, sql)
        result = await forged.verify_audit()
        assert isinstance(result, Broken), name
        assert result.seq == 4
        await _restore(forged, kept)
    assert isinstance(await forged.verify_audit(), Intact)


@pytest.mark.anyio
@pytest.mark.parametrize("seq", [1, 4, COUNT])
async def test_a_removed_event_is_found(forged: Store, seq: int) -> None:
    await run_sql(forged, f"DELETE FROM audit_event WHERE seq = {seq}")  # noqa: S608
    assert isinstance(await forged.verify_audit(), Broken)


@pytest.mark.anyio
async def test_two_events_that_changed_places_are_found(forged: Store) -> None:
    swaps = ((3, 99), (4, 3), (99, 4))
    sql = "UPDATE audit_event SET seq = {} WHERE seq = {}"
    await run_sql(forged, *(sql.format(new, old) for old, new in swaps))
    assert isinstance(await forged.verify_audit(), Broken)


@pytest.mark.anyio
@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM audit_study WHERE seq = 4",
        "UPDATE audit_study SET study = '1.9' WHERE seq = 4",
        "UPDATE audit_study SET at = 1 WHERE seq = 4",
        "INSERT INTO audit_study VALUES ('1.9', 1, 4)",
        "UPDATE audit_head SET seq = 6",
        "UPDATE audit_head SET hash = (SELECT hash FROM audit_event WHERE seq = 6)",
        "DELETE FROM audit_head",
        "DELETE FROM audit_event; UPDATE audit_head SET seq = 0",
        "DELETE FROM audit_event WHERE seq > 5; UPDATE audit_head SET seq = 5",
    ],
)
async def test_a_change_of_what_surrounds_the_events_is_found(
    forged: Store, sql: str
) -> None:
    await run_sql(forged, *sql.split(";"))
    assert isinstance(await forged.verify_audit(), Broken)


@pytest.mark.anyio
async def test_a_gap_between_two_parts_is_found(
    forged: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifying, "CHUNK", 3)
    await run_sql(forged, "DELETE FROM audit_event WHERE seq BETWEEN 4 AND 6")
    await run_sql(forged, "UPDATE audit_event SET seq = 5 WHERE seq = 7")
    await run_sql(forged, "UPDATE audit_head SET seq = 5")
    assert await forged.verify_audit() == Broken(4, "an event was removed")


@pytest.mark.anyio
async def test_events_that_vanish_while_they_are_followed_are_missed(
    store: Store,
) -> None:
    walk = verifying._Walk(store.audit, {}, 0, START)
    problem = await verifying._next_chunk(store.database, walk, 1)
    assert problem == "an event was removed"


@pytest.mark.anyio
async def test_a_trail_is_followed_part_by_part(forged: Store) -> None:
    hashes = {one.seq: one.hash for one in await events_of(forged)}
    first = await forged.verify_audit(limit=4)
    assert first == Intact(Anchor(4, hashes[4]), has_more=True)
    second = await forged.verify_audit(after=first.reached, limit=COUNT)
    assert second == Intact(Anchor(COUNT, hashes[COUNT]))
    assert await forged.verify_audit(after=second.reached) == second
    await run_sql(forged, "UPDATE audit_event SET actor = 'x' WHERE seq = 6")
    assert await forged.verify_audit(limit=4) == first
    assert isinstance(await forged.verify_audit(after=first.reached), Broken)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("seq", "expected"), [(0, 0), (4, 4), (COUNT, COUNT), (COUNT + 1, COUNT + 1)]
)
async def test_who_begins_elsewhere_is_told(
    forged: Store, seq: int, expected: int
) -> None:
    elsewhere = Anchor(seq, b"f" * 32)
    found = await forged.verify_audit(after=elsewhere)
    assert isinstance(found, Broken)
    assert found.seq == expected
    noted = await forged.verify_audit([elsewhere])
    assert isinstance(noted, Broken)
    assert noted.seq == expected


@pytest.mark.anyio
@pytest.mark.parametrize("seq", [0, -7])
async def test_an_event_before_the_first_is_found(forged: Store, seq: int) -> None:
    intact = await forged.verify_audit()
    assert isinstance(intact, Intact)
    row = (await _rows(forged))[0] | {"seq": seq}
    async with forged.database.write() as connection:
        await connection.execute(insert(audit_event), [row])
    expected = Broken(seq, "an event was added before the first")
    assert await forged.verify_audit() == expected
    assert await forged.verify_audit(after=intact.reached) == expected


@pytest.mark.anyio
async def test_of_two_notes_of_one_event_both_must_hold(forged: Store) -> None:
    intact = await forged.verify_audit(limit=3)
    assert isinstance(intact, Intact)
    good, bad = intact.reached, Anchor(3, b"f" * 32)
    for noted in ([good, bad], [bad, good]):
        assert await forged.verify_audit(noted) == Broken(3, verifying.ANOTHER)
    assert isinstance(await forged.verify_audit([good, good]), Intact)


@pytest.mark.parametrize("text", ["", "1", "-1:", f"1:{'A' * 64}", f"1:{'a' * 65}"])
def test_what_was_noted_wrongly_is_no_anchor(text: str) -> None:
    with pytest.raises(ValueError, match="number:hash"):
        Anchor.read(text)


def test_an_anchor_is_read_as_it_is_written() -> None:
    anchor = Anchor(4711, bytes(range(32)))
    assert Anchor.read(str(anchor)) == anchor


@pytest.mark.anyio
async def test_who_rewrites_the_whole_chain_is_found_by_what_was_noted(
    forged: Store,
) -> None:
    noted = await forged.verify_audit()
    assert isinstance(noted, Intact)
    await _rewrite(forged, 4)
    assert isinstance(await forged.verify_audit(), Intact)  # nothing else can know
    assert isinstance(await forged.verify_audit([noted.reached]), Broken)


@pytest.mark.anyio
async def test_who_cuts_off_the_end_is_found_by_what_was_noted(forged: Store) -> None:
    noted = await forged.verify_audit()
    assert isinstance(noted, Intact)
    await run_sql(
        forged,
        "DELETE FROM audit_event WHERE seq > 5",
        "DELETE FROM audit_study WHERE seq > 5",
        "UPDATE audit_head SET seq = 5,"
        " hash = (SELECT hash FROM audit_event WHERE seq = 5)",
    )
    assert isinstance(await forged.verify_audit(), Intact)
    assert isinstance(await forged.verify_audit([noted.reached]), Broken)


@pytest.mark.anyio
async def test_who_lacks_the_key_cannot_rewrite_the_chain(new_url: str) -> None:
    async with open_store(new_url, audit_key=b"k" * 32) as store:
        await _fill(store)
        await drop_guards(store)
        await _rewrite(store, 4)
        assert isinstance(await store.verify_audit(), Broken)


async def _rows(store: Store) -> list[dict[str, object]]:
    async with store.database.read() as connection:
        query = select(audit_event).order_by(audit_event.c.seq)
        return [dict(row) for row in (await connection.execute(query)).mappings()]


async def _restore(store: Store, rows: list[dict[str, object]]) -> None:
    async with store.database.write() as connection:
        await connection.execute(delete(audit_event))
        await connection.execute(insert(audit_event), rows)


async def _rewrite(store: Store, seq: int) -> None:
    """Change an event and all hashes after it, as a patient forger without key."""
    rows, last, link = await _rows(store), START, linker(None)
    for row in rows:
        if row["seq"] == seq:
            row["actor"] = "forged"
        last = row["hash"] = link(last, row)
    await _restore(store, rows)
    async with store.database.write() as connection:
        await connection.execute(audit_head.update().values(hash=last))


_COLUMNS = [column.name for column in audit_event.columns]
_TAMPERING = st.one_of(
    st.tuples(
        st.just("set"), st.integers(1, COUNT), st.sampled_from(_COLUMNS), st.text()
    ),
    st.tuples(
        st.just("swap"), st.integers(1, COUNT), st.integers(1, COUNT), st.just("")
    ),
    st.tuples(st.just("cut"), st.integers(1, COUNT), st.integers(0, 3), st.just("")),
    st.tuples(st.just("copy"), st.integers(1, COUNT), st.just(0), st.just("")),
)


def test_no_single_change_goes_unnoticed(new_url: str) -> None:
    with asyncio.Runner() as runner:
        opening = open_store(new_url)
        store = runner.run(opening.__aenter__())
        runner.run(_fill(store))
        runner.run(drop_guards(store))
        kept = runner.run(_rows(store))

        @settings(max_examples=60)
        @given(_TAMPERING)
        def tamper(tampering: tuple[str, int, object, str]) -> None:
            rows = _tampered(kept, *tampering)
            runner.run(_restore(store, rows))
            result = runner.run(store.verify_audit())
            assert isinstance(result, Intact) is (rows == kept)

        tamper()
        runner.run(_restore(store, kept))
        assert isinstance(runner.run(store.verify_audit()), Intact)
        runner.run(opening.__aexit__(None, None, None))


def _tampered(
    kept: list[dict[str, object]], how: str, seq: int, what: object, value: str
) -> list[dict[str, object]]:
    rows = [dict(row) for row in kept]
    row = rows[seq - 1]
    if how == "set":
        row[str(what)] = _value(row, str(what), value)
    elif how == "swap":
        other = rows[int(str(what)) - 1]
        row["seq"], other["seq"] = other["seq"], row["seq"]
    elif how == "cut":
        del rows[seq - 1 : seq + int(str(what))]
    else:
        rows.append({**row, "seq": COUNT + 1})
    return sorted(rows, key=lambda one: int(str(one["seq"])))


def _value(row: dict[str, object], column: str, text: str) -> object:
    """Return another value that the column takes."""
    plain = "".join(one for one in text if one.isprintable() and one.isascii())
    values: dict[str, object] = {
        "seq": COUNT + 1 + len(text),
        "at": len(text),
        "hash": text.encode("utf-8", "replace")[:32].ljust(32, b"\0"),
        "kind": "denied" if text else row["kind"],
        "studies": f'["1.2.{len(text)}"]',
        "details": f'{{"number":{len(text)}}}',
    }
    return values.get(column, plain[:60])


def test_the_index_of_studies_follows_from_the_events() -> None:
    row = {"studies": '["1.2","1.3"]', "at": 5, "seq": 7}
    assert study_rows(row) == [
        {"study": "1.2", "at": 5, "seq": 7},
        {"study": "1.3", "at": 5, "seq": 7},
    ]
