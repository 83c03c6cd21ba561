"""The way in: opens a database, brings it up to date and gives what works on it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from orthanc_share.store.audit import AuditTrail
from orthanc_share.store.census import count_by_status
from orthanc_share.store.codes import Codes
from orthanc_share.store.database import Database, connect
from orthanc_share.store.feed import revoked_since
from orthanc_share.store.instants import to_seconds
from orthanc_share.store.listing import list_shares
from orthanc_share.store.migrating import prepare
from orthanc_share.store.news import NewsPage
from orthanc_share.store.openings import Announce, Openings, no_notices
from orthanc_share.store.outbox import Outbox, Retry
from orthanc_share.store.records import ShareStatus
from orthanc_share.store.revoking import Revoker
from orthanc_share.store.second_factor import SecondFactor, TryLimits
from orthanc_share.store.selection import Order, Page, ShareFilter
from orthanc_share.store.sessions import Sessions
from orthanc_share.store.settling import settle
from orthanc_share.store.shares import Shares
from orthanc_share.store.sweeping import Sweeper
from orthanc_share.store.tables import audit_head
from orthanc_share.store.urls import parse_url
from orthanc_share.store.verifying import BEGINNING, Anchor, Broken, Intact, verify


@dataclass(frozen=True, slots=True)
class Store:
    """An open database.

    Args:
        database: Its connections.
        shares: Makes, finds and changes shares.
        codes: Codes of short links.
        openings: Counts openings, grants and denials.
        second_factor: Counts tries of the second factor.
        revoker: Takes shares back.
        sweeper: Takes away what is over.
        audit: The trail of events.
        outbox: Notices that wait to be sent.
        sessions: Browsers that are logged in.
    """

    database: Database
    shares: Shares
    codes: Codes
    openings: Openings
    second_factor: SecondFactor
    revoker: Revoker
    sweeper: Sweeper
    audit: AuditTrail
    outbox: Outbox
    sessions: Sessions

    async def check(self) -> None:
        """Return if the database can be reached and read.

        Raises:
            StoreUnavailableError: It cannot.
        """
        async with self.database.read() as connection:
            await connection.execute(select(audit_head.c.seq))

    async def list_shares(
        self,
        wanted: ShareFilter | None = None,
        *,
        now: datetime,
        order: Order = Order.CREATED,
        descending: bool = True,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page:
        """Return one page of shares, see `listing.list_shares`."""
        return await list_shares(
            self.database,
            wanted or ShareFilter(),
            now=now,
            order=order,
            descending=descending,
            limit=limit,
            cursor=cursor,
        )

    async def count_by_status(self, *, now: datetime) -> dict[ShareStatus, int]:
        """Return how many shares there are of each status, see `census`."""
        return await count_by_status(self.database, to_seconds(now))

    async def revoked_since(self, cursor: int, *, now: datetime) -> NewsPage:
        """Return what was revoked or changed after `cursor`, see `feed`."""
        return await revoked_since(self.database, cursor, now=now)

    async def settle(self, *, now: datetime) -> int:
        """Write down what time has made of the shares, see `settling`.

        A list by status does it too; called now and then, it keeps that quick.
        """
        return await settle(self.database, to_seconds(now))

    async def verify_audit(
        self,
        noted: Sequence[Anchor] = (),
        *,
        after: Anchor = BEGINNING,
        limit: int | None = None,
    ) -> Intact | Broken:
        """Tell whether the audit trail is as it was written, see `verifying`."""
        return await verify(self.database, self.audit, noted, after=after, limit=limit)


@asynccontextmanager
async def open_store(
    url: str,
    *,
    migrate: bool = True,
    audit_key: bytes | None = None,
    study_key: bytes | None = None,
    limits: TryLimits | None = None,
    retry: Retry | None = None,
    announce: Announce = no_notices,
) -> AsyncIterator[Store]:
    """Open the database at `url`, and close it at the end of the block.

    Args:
        url: `sqlite:////path/to/file` or `postgresql://user:password@host/name`.
        migrate: Whether to bring an older schema up to date; one process at a time.
        audit_key: Makes the audit trail unforgeable for who lacks it; see `chain`.
        study_key: Keeps studies in the audit trail as HMAC under it; None: plain.
        limits: How many tries of a second factor, and how long the pause.
        retry: When to send a notice again.
        announce: Says what to send out when a share is opened.

    Raises:
        ConfigurationError: The URL is not one of a database that can be used, or the
            schema does not fit this code.
        StoreUnavailableError: The database cannot be reached.
    """
    database = connect(parse_url(url))
    try:
        await prepare(database, migrate=migrate)
        trail = AuditTrail(database, key=audit_key, study_key=study_key)
        yield Store(
            database=database,
            shares=Shares(database, trail),
            codes=Codes(database),
            openings=Openings(database, trail, announce),
            second_factor=SecondFactor(database, limits or TryLimits()),
            revoker=Revoker(database, trail),
            sweeper=Sweeper(database, trail),
            audit=trail,
            outbox=Outbox(database, retry or Retry()),
            sessions=Sessions(database),
        )
    finally:
        await database.close()


async def migrate_database(url: str) -> None:
    """Bring the database at `url` up to date; nothing happens if it is.

    Raises:
        ConfigurationError: As `open_store`.
        StoreUnavailableError: The database cannot be reached.
    """
    async with open_store(url):
        pass
