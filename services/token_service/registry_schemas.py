"""The wire format of the registry's answers: shares and what happened to them."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, PlainSerializer

from orthanc_share.domain.resource import Level
from orthanc_share.domain.share import Flavour, ShareType
from orthanc_share.store.audit import EventPage
from orthanc_share.store.records import (
    Detail,
    EventKind,
    Revocation,
    ShareStatus,
    StoredEvent,
    StoredShare,
)
from orthanc_share.store.selection import Page
from orthanc_share.upstream.notice_addresses import host_of
from token_service.wire import Wire

Moment = Annotated[
    datetime, PlainSerializer(datetime.isoformat), Field(description="ISO 8601, UTC")
]
"""An instant as all answers write it."""

Next = Annotated[
    str | None, Field(description="`cursor` of the next page; null: there is none")
]


class ManagedResource(Wire):
    """What a share opens."""

    level: Level
    dicom_uid: str | None
    orthanc_id: str | None


class RevocationOut(Wire):
    """That a share was taken back; the first time counts."""

    at: Moment
    by: str
    reason: str | None

    @classmethod
    def of(cls, revocation: Revocation | None) -> "RevocationOut | None":
        """Return the wire form of a revocation, if there is one."""
        if revocation is None:
            return None
        return cls(at=revocation.at, by=revocation.by, reason=revocation.reason)


class ManagedShare(Wire):
    """A share as it is kept; no token, no password, no hash of either."""

    id: Annotated[str, Field(description="The `share-id` of its creation")]
    type: ShareType
    anonymized: bool
    resources: list[ManagedResource]
    title: str | None
    label: Annotated[str | None, Field(description="The `id` of its creation")]
    creator: Annotated[str, Field(description="The user who made it")]
    created: Moment
    not_before: Moment | None
    expires: Annotated[Moment | None, Field(description="Null: never")]
    status: ShareStatus
    max_openings: Annotated[int | None, Field(description="Null: no limit")]
    openings_left: int | None
    has_password: bool
    notify_host: Annotated[
        str | None, Field(description="Host of its `notify`; null: it names none")
    ]
    opened: Annotated[int, Field(description="How often the link was opened")]
    denied: Annotated[int, Field(description="How often it was refused")]
    granted: Annotated[int, Field(description="Questions of viewers that were granted")]
    last_opened: Moment | None
    revoked: RevocationOut | None

    @classmethod
    def of(cls, stored: StoredShare, now: datetime) -> "ManagedShare":
        """Return the wire form of a share.

        Args:
            stored: The share.
            now: For its status.
        """
        share = stored.share
        return cls(
            id=share.id,
            type=share.type,
            anonymized=share.flavour is Flavour.ANONYMIZED,
            resources=[
                ManagedResource(
                    level=one.level, dicom_uid=one.dicom_uid, orthanc_id=one.orthanc_id
                )
                for one in share.resources
            ],
            title=stored.title,
            label=stored.label,
            creator=stored.creator,
            created=stored.created_at,
            not_before=share.not_before,
            expires=share.expires_at,
            status=stored.status(now),
            max_openings=stored.max_openings,
            openings_left=stored.openings_left,
            has_password=stored.password_hash is not None,
            notify_host=None if stored.notify is None else host_of(stored.notify),
            opened=stored.opened,
            denied=stored.denied,
            granted=stored.granted,
            last_opened=stored.last_opened_at,
            revoked=RevocationOut.of(stored.revocation),
        )


class SharesPage(Wire):
    """A part of a list of shares."""

    shares: list[ManagedShare]
    next: Next

    @classmethod
    def of(cls, page: Page, now: datetime) -> "SharesPage":
        """Return the wire form of a page."""
        shares = [ManagedShare.of(stored, now) for stored in page.shares]
        return cls(shares=shares, next=page.cursor)


class AuditEvent(Wire):
    """Something that happened, as the audit trail has it."""

    seq: Annotated[int, Field(description="Its number in the audit trail")]
    at: Moment
    event: EventKind
    share: Annotated[str | None, Field(description="Id of the share; null: of none")]
    actor: Annotated[str | None, Field(description="A user; null: a visitor")]
    address: str | None
    user_agent: str | None
    studies: Annotated[
        list[str], Field(description="StudyInstanceUIDs, or keyed hashes of them")
    ]
    reason: str | None
    details: dict[str, Detail]
    hash: Annotated[str, Field(description="SHA-256 or HMAC, chained, in hexadecimal")]

    @classmethod
    def of(cls, stored: StoredEvent) -> "AuditEvent":
        """Return the wire form of an event."""
        event = stored.event
        return cls(
            seq=stored.seq,
            at=event.at,
            event=event.kind,
            share=event.share_id,
            actor=event.origin.actor,
            address=event.origin.address,
            user_agent=event.origin.user_agent,
            studies=list(event.studies),
            reason=event.reason,
            details=dict(event.details),
            hash=stored.hash.hex(),
        )


class EventsPage(Wire):
    """A part of the events that are meant."""

    events: list[AuditEvent]
    next: Next

    @classmethod
    def of(cls, page: EventPage) -> "EventsPage":
        """Return the wire form of a page."""
        return cls(events=[AuditEvent.of(one) for one in page.events], next=page.cursor)


class RevokedCount(Wire):
    """How many shares were taken back, or would be."""

    revoked: int
    dry_run: bool


class FreshLink(Wire):
    """One more link of a share."""

    url: str
