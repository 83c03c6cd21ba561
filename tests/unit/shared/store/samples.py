"""Shares to keep, the instant of the tests, and who does what in them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text

from orthanc_share.domain.resource import Resource
from orthanc_share.domain.share import Share, ShareType, new_share_id
from orthanc_share.store.records import NewShare, Origin, StoredEvent
from orthanc_share.store.store import Store

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

STUDY = "1.2.826.0.1.3680043.8.498.1"
ORTHANC_ID = "6b9e19d9-62094390-5f9ddb01-4a191ae7-9766b715"
DOCTOR = Origin("account:doctor", "192.0.2.1", "Firefox")
VISITOR = Origin(address="192.0.2.77", user_agent="Safari")


def new_share(
    share_id: str | None = None,
    *,
    study: str = STUDY,
    resources: tuple[Resource, ...] | None = None,
    ends: timedelta | None = HOUR,
    starts: timedelta | None = None,
    creator: str = "account:doctor",
    max_openings: int | None = None,
    password_hash: str | None = None,
    **others: Any,
) -> NewShare:
    """Return a share that is valid for an hour from `NOW`."""
    share = Share(
        id=share_id or new_share_id(),
        type=ShareType.STONE_PUBLICATION,
        resources=resources or (Resource(dicom_uid=study),),
        issued_at=NOW,
        not_before=None if starts is None else NOW + starts,
        expires_at=None if ends is None else NOW + ends,
        needs_opening=max_openings is not None or password_hash is not None,
    )
    guards: dict[str, Any] = {
        "max_openings": max_openings,
        "password_hash": password_hash,
    }
    return NewShare(share, creator, **others, **guards)


async def create(store: Store, *args: Any, now: datetime = NOW, **kwargs: Any) -> str:
    """Keep such a share and return its id."""
    new = new_share(*args, **kwargs)
    await store.shares.create(new, now=now, origin=DOCTOR)
    return new.share.id


async def events_of(store: Store) -> list[StoredEvent]:
    """Return all events."""
    return [event async for event in store.audit.export()]


async def kinds_of(store: Store) -> list[str]:
    """Return the kinds of all events."""
    return [stored.event.kind.value for stored in await events_of(store)]


async def run_sql(store: Store, *statements: str) -> None:
    """Do to the database what only its administrator can do."""
    async with store.database.write() as connection:
        for statement in statements:
            await connection.execute(text(statement))


async def drop_guards(store: Store) -> None:
    """Take away what keeps events from being changed, as a forger would."""
    on = "" if store.database.is_sqlite else " ON audit_event"
    guards = ("UPDATE", "DELETE")
    await run_sql(store, *(f"DROP TRIGGER audit_event_no_{one}{on}" for one in guards))
