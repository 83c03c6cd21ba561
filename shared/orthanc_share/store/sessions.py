"""Browsers that are logged in: kept here, so that a logout ends a session everywhere.

A key is known here by its hash only, as with the codes of links.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, select, update

from orthanc_share.store.database import Database
from orthanc_share.store.instants import to_instant, to_seconds
from orthanc_share.store.tables import browser_session
from orthanc_share.store.text import clean

SEEN_EVERY = timedelta(minutes=1)
"""A session that is used is written down so often, and not for each request."""


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How long a session lasts.

    Args:
        idle: Without any request.
        longest: Whatever happens.
    """

    idle: timedelta = timedelta(minutes=30)
    longest: timedelta = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A session as it is kept.

    Args:
        account: Who is logged in.
        proof: What the session's owner made of the password; it ends when that
            changes.
        began_at: When it began.
        seen_at: When it was used last, give or take `SEEN_EVERY`.
    """

    account: str
    proof: bytes = field(repr=False)
    began_at: datetime
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Sessions:
    """The sessions of a store.

    Args:
        database: Where they are.
    """

    database: Database

    async def begin(
        self, key: str, account: str, proof: bytes, *, now: datetime
    ) -> None:
        """Begin a session.

        Args:
            key: A fresh random secret, which only the browser keeps.
            account: Who is logged in.
            proof: See `StoredSession`; 32 bytes.
            now: The present instant.

        Raises:
            StoreUnavailableError: The database cannot be reached.
        """
        row = {
            "key_sha256": _hash(key),
            "account": clean(account),
            "proof": proof,
            "began_at": to_seconds(now),
            "seen_at": to_seconds(now),
        }
        async with self.database.write() as connection:
            await connection.execute(insert(browser_session), row)

    async def find(
        self, key: str, limits: SessionLimits, *, now: datetime
    ) -> StoredSession | None:
        """Return the session with this key, and note that it was used.

        None if there is none, or it is over.

        Raises:
            StoreUnavailableError: The database cannot be reached.
        """
        by_key = browser_session.c.key_sha256 == _hash(key)
        async with self.database.read() as connection:
            found = await connection.execute(select(browser_session).where(by_key))
            row = found.one_or_none()
        if row is None:
            return None
        session = _session(row)
        if _is_over(session, limits, now):
            return None
        if now - session.seen_at >= SEEN_EVERY:
            seen = update(browser_session).where(by_key)
            async with self.database.write() as connection:
                await connection.execute(seen.values(seen_at=to_seconds(now)))
        return session

    async def end(self, key: str) -> None:
        """End the session with this key, if there is one.

        Raises:
            StoreUnavailableError: The database cannot be reached.
        """
        by_key = browser_session.c.key_sha256 == _hash(key)
        async with self.database.write() as connection:
            await connection.execute(delete(browser_session).where(by_key))


def _hash(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "replace")).digest()


def _session(row: Any) -> StoredSession:
    began_at, seen_at = to_instant(row.began_at), to_instant(row.seen_at)
    return StoredSession(row.account, bytes(row.proof), began_at, seen_at)


def _is_over(session: StoredSession, limits: SessionLimits, now: datetime) -> bool:
    # A clock that was put back must not make a session last longer than agreed.
    is_idle = abs(now - session.seen_at) >= limits.idle
    return is_idle or abs(now - session.began_at) >= limits.longest
