"""Finds whether the audit trail is as it was written."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import RowMapping, func, select
from typing_extensions import override

from orthanc_share.store.audit import AuditTrail, study_rows
from orthanc_share.store.chain import START
from orthanc_share.store.database import Database
from orthanc_share.store.tables import audit_event, audit_head, audit_study

CHUNK = 200
"""Events that are followed at once: others have their turn on the event loop then."""

_SEQ = audit_event.c.seq
_ANCHOR = re.compile(r"(\d{1,18}):([0-9a-f]{64})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Anchor:
    """An event that was noted elsewhere, so that nobody can rewrite what is before.

    Args:
        seq: Its number; 0 stands for "before the first".
        hash: Its hash, 32 bytes.
    """

    seq: int
    hash: bytes

    @override
    def __str__(self) -> str:
        """Return number and hash as people note them."""
        return f"{self.seq}:{self.hash.hex()}"

    @classmethod
    def read(cls, text: str) -> "Anchor":
        """Return what was noted.

        Raises:
            ValueError: It is no anchor.
        """
        found = _ANCHOR.fullmatch(text)
        if found is None:
            raise ValueError("should be number:hash, as an earlier run printed it")
        return cls(int(found[1]), bytes.fromhex(found[2]))


BEGINNING = Anchor(0, START)
"""Stands for "before the first event"."""

ANOTHER = "an event that was noted is another"
GONE = "an event that was noted is gone"
"""Problems that what was noted may be to blame for, and not the trail."""


@dataclass(frozen=True, slots=True)
class Intact:
    """The trail is as it was written, as far as it was followed.

    Args:
        reached: The event up to which it was; note it elsewhere to find a later
            rewriting.
        has_more: Whether there are events behind it.
    """

    reached: Anchor
    has_more: bool = False


@dataclass(frozen=True, slots=True)
class Broken:
    """The trail was tampered with.

    Args:
        seq: The first event that does not fit.
        problem: What is wrong there, for a person.
    """

    seq: int
    problem: str


async def verify(
    database: Database,
    trail: AuditTrail,
    noted: Sequence[Anchor] = (),
    *,
    after: Anchor = BEGINNING,
    limit: int | None = None,
) -> Intact | Broken:
    """Follow the chain from its first event to its last, in constant memory.

    Args:
        database: Where it is.
        trail: Knows the key.
        noted: Events noted earlier, none before `after`; each must still be there.
        after: Up to here it was followed already, and was intact.
        limit: Most events that are followed; None: all.

    Raises:
        StoreUnavailableError: The database cannot be reached.
    """
    async with database.read() as connection:
        # Two queries: SQLite finds one end by index, but not both at once.
        ends = (func.coalesce(func.min(_SEQ), 1), func.coalesce(func.max(_SEQ), 0))
        first, last = [
            (await connection.execute(select(end))).scalar_one() for end in ends
        ]
        row = (await connection.execute(select(audit_head))).one_or_none()
    head = None if row is None else Anchor(row.seq, bytes(row.hash))
    hashes = {one.seq: one.hash for one in (*noted, after)}
    broken = _ends(head, first, last) or _notes(noted, hashes, last)
    if broken is not None:
        return broken
    if not await _is_there(database, after):
        return Broken(after.seq, ANOTHER)
    walk = _Walk(trail, hashes, after.seq, after.hash)
    end = last if limit is None else min(last, after.seq + limit)
    while walk.seq < end:
        problem = await _next_chunk(database, walk, end)
        if problem is not None:
            return Broken(walk.seq + 1, problem)
    reached = Anchor(walk.seq, walk.hash)
    if walk.seq == last and reached != head:
        return Broken(last, "the end of the chain is another")
    return Intact(reached, has_more=walk.seq < last)


def _ends(head: Anchor | None, first: int, last: int) -> Broken | None:
    """Return what is wrong with the first event, or the last."""
    if first < 1:
        return Broken(first, "an event was added before the first")
    if head is None or head.seq != last:
        return Broken(last + 1, "events at the end were removed or added")
    return None


def _notes(
    noted: Sequence[Anchor], hashes: Mapping[int, bytes], last: int
) -> Broken | None:
    """Return what cannot be true of what was noted: gone, or noted in two ways."""
    if max(hashes) > last:
        return Broken(last + 1, GONE)
    contradicted = [one.seq for one in noted if hashes[one.seq] != one.hash]
    return Broken(min(contradicted), ANOTHER) if contradicted else None


async def _is_there(database: Database, anchor: Anchor) -> bool:
    """Tell whether an event has the hash that was noted."""
    if anchor.seq == BEGINNING.seq:
        return anchor == BEGINNING
    async with database.read() as connection:
        wanted = select(audit_event.c.hash).where(audit_event.c.seq == anchor.seq)
        found = (await connection.execute(wanted)).scalar_one_or_none()
    return found is not None and bytes(found) == anchor.hash


@dataclass(slots=True)
class _Walk:
    """How far the chain was followed."""

    trail: AuditTrail
    noted: dict[int, bytes]
    seq: int
    hash: bytes

    def step(self, row: RowMapping, found: set[tuple[str, int]]) -> str | None:
        """Go on to `row`, or return what is wrong with it."""
        if row["seq"] != self.seq + 1:
            return "an event was removed"
        link = self.trail.link(self.hash, dict(row))
        if link != bytes(row["hash"]):
            return "an event was changed, or put in another place"
        if {(s["study"], s["at"]) for s in study_rows(row)} != found:
            return "the index of studies was changed"
        if self.noted.get(row["seq"], link) != link:
            return ANOTHER
        self.seq, self.hash = row["seq"], link
        return None


async def _next_chunk(database: Database, walk: _Walk, last: int) -> str | None:
    event, study = audit_event.c, audit_study.c
    rows_query = (
        select(audit_event)
        .where(event.seq > walk.seq, event.seq <= last)
        .order_by(event.seq)
        .limit(CHUNK)
    )
    async with database.read() as connection:
        rows = (await connection.execute(rows_query)).mappings().all()
        if not rows:
            return "an event was removed"
        reach = study.seq.between(rows[0]["seq"], rows[-1]["seq"])
        studies = (await connection.execute(select(audit_study).where(reach))).all()
    found: dict[int, set[tuple[str, int]]] = {}
    for row in studies:
        found.setdefault(row.seq, set()).add((row.study, row.at))
    return _steps(walk, rows, found)


def _steps(
    walk: _Walk, rows: Sequence[RowMapping], found: dict[int, set[tuple[str, int]]]
) -> str | None:
    for row in rows:
        problem = walk.step(row, found.get(row["seq"], set()))
        if problem is not None:
            return problem
    return None
