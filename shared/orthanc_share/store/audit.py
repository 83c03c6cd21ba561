"""The audit trail: events that are only ever added, each chained to the one before."""

import json
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, Select, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from orthanc_share.store.chain import Linker, dump, linker, study_names
from orthanc_share.store.database import Database
from orthanc_share.store.errors import InvalidCursorError
from orthanc_share.store.instants import to_instant, to_seconds
from orthanc_share.store.records import Event, EventKind, Origin, StoredEvent
from orthanc_share.store.selection import Direction
from orthanc_share.store.tables import audit_event, audit_head, audit_study
from orthanc_share.store.text import clean, clean_or_none

CHUNK = 1000
"""Events that are in memory at once when many are read."""

PAGE_MAX = 500
"""Most events of one page."""

# No instant and no number has more digits; more would not fit into a column.
_CURSOR = re.compile(r"([0-9]{1,18})\.([0-9]{1,18})")


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events are meant; what is not given does not narrow.

    Args:
        since: First instant.
        until: First instant that is not meant any more.
        share_id: Of this share.
        study: Of this StudyInstanceUID.
    """

    since: datetime | None = None
    until: datetime | None = None
    share_id: str | None = None
    study: str | None = None


@dataclass(frozen=True, slots=True)
class EventPage:
    """A part of the events that are meant.

    Args:
        events: In the order that was asked for.
        cursor: Gives the next page; None: this is the last.
    """

    events: tuple[StoredEvent, ...]
    cursor: str | None


class AuditTrail:
    """Writes and reads events.

    Args:
        database: Where they are.
        key: Makes the chain unforgeable, see `chain.linker`.
        study_key: Hashes the studies, see `chain.study_names`; None: plain.
    """

    def __init__(
        self,
        database: Database,
        *,
        key: bytes | None = None,
        study_key: bytes | None = None,
    ) -> None:
        self._database = database
        self.link: Linker = linker(key)
        self._names_of = study_names(study_key)

    async def record(self, *events: Event) -> None:
        """Add `events`, all or none.

        Raises:
            StoreUnavailableError: The database cannot be reached.
        """
        async with self._database.write() as connection:
            await self.append(connection, events)

    async def append(
        self, connection: AsyncConnection, events: Sequence[Event]
    ) -> range:
        """Add `events` within the transaction of `connection`.

        Others that add events wait until it has ended: it comes last in a
        transaction.

        Returns:
            Their numbers, in their order.
        """
        if not events:
            return range(0)
        head = (await connection.execute(select(audit_head).with_for_update())).one()
        numbers = range(head.seq + 1, head.seq + 1 + len(events))
        rows, last = [], bytes(head.hash)
        for seq, event in zip(numbers, events, strict=True):
            row = self._to_row(seq, event)
            last = row["hash"] = self.link(last, row)
            rows.append(row)
        await connection.execute(insert(audit_event), rows)
        studies = [found for row in rows for found in study_rows(row)]
        if studies:
            await connection.execute(insert(audit_study), studies)
        await connection.execute(update(audit_head).values(seq=numbers[-1], hash=last))
        return numbers

    def _to_row(self, seq: int, event: Event) -> dict[str, Any]:
        studies = dict.fromkeys(self._names_of(study)[0] for study in event.studies)
        return {
            "seq": seq,
            "at": to_seconds(event.at),
            "kind": event.kind.value,
            "share_id": event.share_id,
            "actor": clean_or_none(event.origin.actor),
            "address": clean_or_none(event.origin.address),
            "user_agent": clean_or_none(event.origin.user_agent),
            "studies": dump(list(studies)),
            "reason": clean_or_none(event.reason),
            "details": dump(
                {
                    name: clean(value) if isinstance(value, str) else value
                    for name, value in event.details.items()
                }
            ),
        }

    async def export(
        self, wanted: EventFilter | None = None
    ) -> AsyncIterator[StoredEvent]:
        """Give the events that are meant, by time and number, in constant memory.

        Between its parts no transaction is open, so that a slow reader holds up
        nobody. Events that are added meanwhile are given if their time comes later.

        Raises:
            StoreUnavailableError: The database cannot be reached.
        """
        wanted, cursor = wanted or EventFilter(), None
        while True:
            page = await self._page(wanted, CHUNK, cursor, Direction.ASCENDING)
            for event in page.events:
                yield event
            cursor = page.cursor
            if cursor is None:
                return

    async def page(
        self,
        wanted: EventFilter,
        *,
        limit: int = 50,
        cursor: str | None = None,
        order: Direction = Direction.DESCENDING,
    ) -> EventPage:
        """Return one page of the events that are meant, by time and number.

        Events stay when their share is swept.

        Args:
            wanted: Which; of a share that never was there are none.
            limit: Most events of the page, 1 to `PAGE_MAX`; others are moved there.
            cursor: Of the page before; None: the first page.
            order: Newest or earliest first.

        Raises:
            InvalidCursorError: The cursor is none of ours.
            StoreUnavailableError: The database cannot be reached.
        """
        limit = max(1, min(limit, PAGE_MAX))
        return await self._page(wanted, limit, cursor, order)

    async def _page(
        self, wanted: EventFilter, limit: int, cursor: str | None, order: Direction
    ) -> EventPage:
        query = self._query(wanted)
        names = query.selected_columns
        place, is_up = tuple_(names.at, names.seq), order is Direction.ASCENDING
        if cursor is not None:
            last = tuple_(*_read_cursor(cursor))
            query = query.where(place > last if is_up else place < last)
        for name in (names.at, names.seq):
            query = query.order_by(name.asc() if is_up else name.desc())
        async with self._database.read() as connection:
            found = await connection.execute(query.limit(limit + 1))
            rows = found.mappings().all()
        end = rows[limit - 1] if len(rows) > limit else None
        return EventPage(
            tuple(to_event(row) for row in rows[:limit]),
            None if end is None else f"{end['at']}.{end['seq']}",
        )

    def _query(self, wanted: EventFilter) -> Select[Any]:
        event, at = audit_event.c, audit_event.c.at
        query = select(audit_event)
        if wanted.study is not None:
            # The order is taken from the table that narrows most.
            names, at = self._names_of(clean(wanted.study)), audit_study.c.at
            columns = [column for column in event if column.name not in {"at", "seq"}]
            query = (
                select(at, audit_study.c.seq, *columns)
                .join_from(audit_study, audit_event, audit_study.c.seq == event.seq)
                .where(audit_study.c.study.in_(names))
            )
        if wanted.share_id is not None:
            query = query.where(event.share_id == clean(wanted.share_id))
        if wanted.since is not None:
            query = query.where(at >= to_seconds(wanted.since))
        if wanted.until is not None:
            query = query.where(at < to_seconds(wanted.until))
        return query


def _read_cursor(cursor: str) -> tuple[int, int]:
    """Return the instant, in seconds, and the number at which a page ended."""
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise InvalidCursorError
    at, seq = (int(number) for number in found.groups())
    return at, seq


def study_rows(row: RowMapping | dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows by which an event is found by its studies."""
    studies: list[str] = json.loads(row["studies"])
    return [{"study": s, "at": row["at"], "seq": row["seq"]} for s in studies]


def to_event(row: RowMapping) -> StoredEvent:
    """Return the event in a row."""
    event = Event(
        kind=EventKind(row["kind"]),
        at=to_instant(row["at"]),
        share_id=row["share_id"],
        origin=Origin(row["actor"], row["address"], row["user_agent"]),
        studies=tuple(json.loads(row["studies"])),
        reason=row["reason"],
        details=json.loads(row["details"]),
    )
    return StoredEvent(row["seq"], event, bytes(row["hash"]))
