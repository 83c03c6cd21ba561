"""The codes of short links: random, and known here by their hash only.

SHA-256 without salt is right for them, because nobody can guess 128 random bits.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from orthanc_share.store.database import Database
from orthanc_share.store.errors import ShareNotFoundError
from orthanc_share.store.instants import to_seconds
from orthanc_share.store.records import StoredShare
from orthanc_share.store.rows import checked_id, load_one
from orthanc_share.store.tables import share, share_code

CODE_BYTES = 16
"""Random bytes of a code; 128 bits, 22 characters."""


def new_code() -> str:
    """Return a fresh random code, base64url."""
    return secrets.token_urlsafe(CODE_BYTES)


def hash_of(code: str) -> bytes:
    """Return the SHA-256 of a code, by which it is found."""
    return hashlib.sha256(code.encode("utf-8", "replace")).digest()


async def add_code(connection: AsyncConnection, share_id: str, now: datetime) -> str:
    """Give the share one more code, within the transaction of `connection`."""
    code = new_code()
    row = {
        "code_sha256": hash_of(code),
        "share_id": share_id,
        "created_at": to_seconds(now),
    }
    await connection.execute(insert(share_code), row)
    return code


@dataclass(frozen=True, slots=True)
class Codes:
    """The codes of a store.

    Args:
        database: Where they are.
    """

    database: Database

    async def issue(self, share_id: str, *, now: datetime) -> str:
        """Give a share one more code, as its first cannot be shown again.

        Raises:
            ShareNotFoundError: There is no such share.
            StoreUnavailableError: The database cannot be reached.
        """
        chosen = select(share.c.id).where(share.c.id == checked_id(share_id))
        async with self.database.write() as connection:
            # Not swept between this look and the commit.
            locked = await connection.execute(chosen.with_for_update(read=True))
            if locked.one_or_none() is None:
                raise ShareNotFoundError
            return await add_code(connection, share_id, now)

    async def resolve(self, code: str) -> StoredShare:
        """Return the share that a code stands for, whatever its status.

        Raises:
            ShareNotFoundError: It stands for none.
            StoreUnavailableError: The database cannot be reached.
        """
        query = select(share_code.c.share_id).where(
            share_code.c.code_sha256 == hash_of(code)
        )
        async with self.database.read() as connection:
            share_id = (await connection.execute(query)).scalar_one_or_none()
            if share_id is None:
                raise ShareNotFoundError
            return await load_one(connection, share_id)
