"""From records to rows and back."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from orthanc_share.domain.resource import Level, Resource
from orthanc_share.domain.share import Flavour, Share, ShareType
from orthanc_share.store.errors import ShareNotFoundError
from orthanc_share.store.instants import (
    ALWAYS,
    NEVER,
    to_instant,
    to_instant_unless,
    to_seconds,
    to_seconds_or,
)
from orthanc_share.store.records import NewShare, Revocation, StoredShare
from orthanc_share.store.settling import status_of
from orthanc_share.store.tables import ID_LENGTH_MAX, share, share_resource
from orthanc_share.store.text import clean, clean_or_none, words_of


def row_of(new: NewShare, now: datetime) -> dict[str, Any]:
    """Return the row of a share that is made at `now`."""
    agreed = new.share
    end = to_seconds_or(agreed.expires_at, NEVER)
    row: dict[str, Any] = {
        "id": agreed.id,
        "type": agreed.type.value,
        "flavour": agreed.flavour.value,
        "creator": clean(new.creator),
        "created_at": to_seconds(now),
        "issued_at": _seconds(agreed.issued_at),
        "not_before": _seconds(agreed.not_before),
        "ends_at": end,
        "last_end": end,
        "starts_at": to_seconds_or(agreed.not_before, ALWAYS),
        "label": clean_or_none(new.label),
        "title": clean_or_none(new.title),
        "max_openings": new.max_openings,
        "password_hash": new.password_hash,
        "notify": new.notify,
        "revoked_at": None,
        "opened": 0,
    }
    row["settled_status"] = status_of(row, to_seconds(now)).value
    return row


def _seconds(instant: datetime | None) -> int | None:
    return None if instant is None else to_seconds(instant)


def resource_rows(agreed: Share) -> list[dict[str, Any]]:
    """Return the rows of what a share opens."""
    return [
        {
            "share_id": agreed.id,
            "position": position,
            "level": resource.level.value,
            "dicom_uid": resource.dicom_uid,
            "orthanc_id": resource.orthanc_id,
        }
        for position, resource in enumerate(agreed.resources)
    ]


def word_rows(share_id: str, *texts: str | None) -> list[dict[str, Any]]:
    """Return the rows of the words by which a share is found."""
    return [{"word": w, "share_id": share_id} for w in words_of(share_id, *texts)]


def is_id(text: str) -> bool:
    """Tell whether `text` can be the id of a share; others may break a query."""
    return len(text) <= ID_LENGTH_MAX and text.isascii() and text.isprintable()


def checked_id(text: str) -> str:
    """Return `text` if it can be the id of a share.

    Raises:
        ShareNotFoundError: It cannot, so that there is none.
    """
    if not is_id(text):
        raise ShareNotFoundError
    return text


async def load(
    connection: AsyncConnection, query: Select[Any]
) -> tuple[StoredShare, ...]:
    """Return the shares that `query`, over all columns of `share`, finds; in order."""
    rows = (await connection.execute(query)).mappings().all()
    resources = await _resources(connection, [row["id"] for row in rows])
    return tuple(_to_share(row, resources[row["id"]]) for row in rows)


async def load_one(connection: AsyncConnection, share_id: str) -> StoredShare:
    """Return the share with this id.

    Raises:
        ShareNotFoundError: There is none.
    """
    query = select(share).where(share.c.id == checked_id(share_id))
    found = await load(connection, query)
    if not found:
        raise ShareNotFoundError
    return found[0]


async def _resources(
    connection: AsyncConnection, share_ids: Sequence[str]
) -> dict[str, list[RowMapping]]:
    found: dict[str, list[RowMapping]] = defaultdict(list)
    if not share_ids:
        return found
    query = (
        select(share_resource)
        .where(share_resource.c.share_id.in_(share_ids))
        .order_by(share_resource.c.share_id, share_resource.c.position)
    )
    for row in (await connection.execute(query)).mappings():
        found[row["share_id"]].append(row)
    return found


def _to_share(row: RowMapping, resources: Iterable[RowMapping]) -> StoredShare:
    return StoredShare(
        share=Share(
            id=row["id"],
            type=ShareType(row["type"]),
            resources=tuple(_to_resource(resource) for resource in resources),
            flavour=Flavour(row["flavour"]),
            issued_at=to_instant_unless(row["issued_at"], NEVER),
            not_before=to_instant_unless(row["not_before"], NEVER),
            expires_at=to_instant_unless(row["ends_at"], NEVER),
            # So that no link that is made of it opens past the landing page.
            needs_opening=is_guarded(row),
        ),
        creator=row["creator"],
        created_at=to_instant(row["created_at"]),
        label=row["label"],
        title=row["title"],
        max_openings=row["max_openings"],
        password_hash=row["password_hash"],
        notify=row["notify"],
        revocation=_to_revocation(row),
        opened=row["opened"],
        denied=row["denied"],
        granted=row["granted"],
        last_opened_at=to_instant_unless(row["last_opened_at"], 0),
    )


def is_guarded(row: Mapping[str, Any] | RowMapping) -> bool:
    """Tell whether a share has a limit or a second factor."""
    return row["max_openings"] is not None or row["password_hash"] is not None


def _to_resource(row: RowMapping) -> Resource:
    return Resource(Level(row["level"]), row["dicom_uid"], row["orthanc_id"])


def _to_revocation(row: RowMapping) -> Revocation | None:
    if row["revoked_at"] is None:
        return None
    at = to_instant(row["revoked_at"])
    return Revocation(at, row["revoked_by"], row["revoked_reason"])


def studies_of(agreed: Share) -> tuple[str, ...]:
    """Return the StudyInstanceUIDs among what a share opens, for its events."""
    return tuple(
        resource.dicom_uid
        for resource in agreed.resources
        if resource.level is Level.STUDY and resource.dicom_uid
    )
