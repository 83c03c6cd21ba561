"""Finds whether the audit trail is as it was written."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import RowMapping, func, select

from orthanc_share.store.audit import CHUNK, AuditTrail, study_rows
from orthanc_share.store.chain import START
from orthanc_share.store.database import Database
from orthanc_share.store.tables import audit_event, audit_head, audit_study


@dataclass(frozen=True, slots=True)
class Anchor:
    """An event that was noted elsewhere, so that nobody can rewrite what is before.

    Args:
        seq: Its number; 0 stands for "before the first".
        hash: Its hash, 32 bytes.
    """

    seq: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Intact:
    """The trail is as it was written.

    Args:
        head: Its last event; note it elsewhere to find a later rewriting.
    """

    head: Anchor


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
    database: Database, trail: AuditTrail, noted: Sequence[Anchor] = ()
) -> Intact | Broken:
    """Follow the chain from its first event to its last, in constant memory.

    Args:
        database: Where it is.
        trail: Knows the key.
        noted: Events noted earlier; each must still be there.

    Raises:
        StoreUnavailableError: The database cannot be reached.
    """
    async with database.read() as connection:
        newest = select(func.coalesce(func.max(audit_event.c.seq), 0))
        last = (await connection.execute(newest)).scalar_one()
        row = (await connection.execute(select(audit_head))).one_or_none()
    if row is None or row.seq != last:
        return Broken(last + 1, "events at the end were removed or added")
    walk = _Walk(trail, {anchor.seq: anchor.hash for anchor in noted})
    while walk.seq < last:
        problem = await _next_chunk(database, walk, last)
        if problem is not None:
            return Broken(walk.seq + 1, problem)
    if walk.hash != bytes(row.hash):
        return Broken(last, "the end of the chain is another")
    if any(anchor.seq > last for anchor in noted):
        return Broken(last + 1, "an event that was noted is gone")
    return Intact(Anchor(last, walk.hash))


@dataclass(slots=True)
class _Walk:
    """How far the chain was followed."""

    trail: AuditTrail
    noted: dict[int, bytes]
    seq: int = 0
    hash: bytes = START

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
            return "an event that was noted is another"
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
