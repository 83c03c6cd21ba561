"""What is put into the store and what comes out of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import Enum, StrEnum
from typing import Final

import msgspec

from orthanc_share.domain.share import CLOCK_LEEWAY, Share

Detail = str | int | bool | None
"""A value among the details of an event."""


class ShareStatus(StrEnum):
    """What a share is at an instant; the first that fits, from below."""

    ACTIVE = "active"
    NOT_YET = "not-yet"
    USED_UP = "used-up"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Origin:
    """Who did something, and from where.

    Args:
        actor: Name of an account, or what stands for it; None: a visitor.
        address: Network address.
        user_agent: What the browser calls itself.
    """

    actor: str | None = None
    address: str | None = None
    user_agent: str | None = None


@dataclass(frozen=True, slots=True)
class NewShare:
    """A share to keep.

    Args:
        share: What was agreed.
        creator: Who made it.
        label: The id that the caller gave it (`id` of the request).
        title: Free text to find it by.
        max_openings: How often it may be opened, 1 or more; None: no limit.
        password_hash: Hash of the second factor, as the caller made it.
        notify: Where to send a notice on opening; None: nowhere.
    """

    share: Share
    creator: str
    label: str | None = None
    title: str | None = None
    max_openings: int | None = None
    password_hash: str | None = field(default=None, repr=False)
    notify: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Revocation:
    """That a share was taken back: when, by whom and why."""

    at: datetime
    by: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class StoredShare:
    """A share as it is kept; what `NewShare` says is not said again.

    Args:
        share: What was agreed, with the expiry that holds now.
        created_at: When, by the clock of the service that made it.
        max_openings: How often it may be opened; None: no limit.
        password_hash: Hash of the second factor; None: none is needed.
        notify: Where to send a notice on opening.
        revocation: That it was taken back; None: it was not.
        opened: How often it was opened at the landing page.
        denied: How often it was refused, there and by validate.
        granted: How often validate granted a request.
        last_opened_at: When it was opened last; None: never.
    """

    share: Share
    creator: str
    created_at: datetime
    label: str | None
    title: str | None
    max_openings: int | None
    password_hash: str | None = field(repr=False)
    notify: str | None = field(repr=False)
    revocation: Revocation | None
    opened: int
    denied: int
    granted: int
    last_opened_at: datetime | None

    @property
    def openings_left(self) -> int | None:
        """How often it may still be opened; None: no limit."""
        if self.max_openings is None:
            return None
        return max(0, self.max_openings - self.opened)

    def status(self, now: datetime) -> ShareStatus:
        """Return what the share is at `now`."""
        end, start = self.share.expires_at, self.share.not_before
        if self.revocation is not None:
            return ShareStatus.REVOKED
        if end is not None and end <= now:
            return ShareStatus.EXPIRED
        if self.openings_left == 0:
            return ShareStatus.USED_UP
        if start is not None and start - CLOCK_LEEWAY > now:
            return ShareStatus.NOT_YET
        return ShareStatus.ACTIVE


class Unset(Enum):
    """Type of `UNSET`."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET
"""Leaves a value as it is, where None means to take it away."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What to change in a share; what is not named stays.

    Args:
        title: Free text; None takes it away.
        expires_at: The new end; None: never.
        max_openings: The new limit, at least 1; None: no limit.
        password_hash: Hash of the new second factor; None: none is needed any more.
    """

    title: str | Unset | None = UNSET
    expires_at: datetime | Unset | None = UNSET
    max_openings: int | Unset | None = UNSET
    password_hash: str | Unset | None = field(default=UNSET, repr=False)


@dataclass(frozen=True, slots=True)
class Opened:
    """The share was opened, and counted.

    Args:
        opened: How often it was opened, with this time.
        left: How often it may still be opened; None: no limit.
        at: When it was counted: now, or when it was asked for the first time.
    """

    opened: int
    left: int | None
    at: datetime


@dataclass(frozen=True, slots=True)
class NotOpened:
    """The share was not opened, because it is not active; nothing was counted."""

    status: ShareStatus


class Tally(msgspec.Struct, frozen=True, gc=False):
    """How often validate granted and denied requests on a share, since the last time.

    Made for ten thousands of shares every few seconds, hence no dataclass.

    Args:
        share_id: Which share; one that is not kept is passed over.
        at: When it was counted.
        granted: Grants.
        denied: Denials.
        reasons: Stable codes of why, each once.
    """

    share_id: str
    at: datetime
    granted: int = 0
    denied: int = 0
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class View:
    """That a viewer token was granted something for the first time.

    Args:
        id: Of the viewer token.
        share_id: Which share; one that is not kept is passed over.
        at: When.
    """

    id: str
    share_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class DayCount:
    """What happened to a share on one day, UTC."""

    day: date
    opened: int
    denied: int
    granted: int


class EventKind(StrEnum):
    """What can happen."""

    CREATED = "created"
    OPENED = "opened"
    GRANTED = "granted"
    DENIED = "denied"
    SECOND_FACTOR_FAILED = "second-factor-failed"
    CHANGED = "changed"
    REVOKED = "revoked"
    DEIDENTIFIED = "de-identified"
    SWEPT = "swept"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened; nothing in it names a patient or holds a secret.

    Args:
        kind: What happened.
        at: When.
        share_id: To which share.
        origin: Who did it, and from where.
        studies: StudyInstanceUIDs, plain; the store hashes them if it shall.
        reason: Stable reason code, or the reason that a person gave.
        details: What else is worth keeping.
    """

    kind: EventKind
    at: datetime
    share_id: str | None = None
    origin: Origin = field(default_factory=Origin)
    studies: tuple[str, ...] = ()
    reason: str | None = None
    details: Mapping[str, Detail] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event as it is kept.

    Args:
        seq: Its number, from 1 without gaps.
        event: What happened; `studies` as they are kept, plain or hashed.
        hash: Over this event and, by way of the one before, all before it; 32 bytes.
    """

    seq: int
    event: Event
    hash: bytes


@dataclass(frozen=True, slots=True)
class Retention:
    """How long is kept what is over.

    Args:
        never_used: Shares that nobody opened, counted from their end.
        used: Shares that were opened, counted from their end; None: for ever.
        tries: Tries of the second factor, counted from the last; they hold addresses.
        notices: Notices that could not be delivered, counted from the opening.
        views: Viewer tokens that were counted. Longer than any of them lives, and
            than a service may be without the database, so that none is counted twice.
        sessions: Browsers that were logged in, counted from their login.
    """

    never_used: timedelta = timedelta(days=1)
    used: timedelta | None = None
    tries: timedelta = timedelta(days=1)
    notices: timedelta = timedelta(days=7)
    views: timedelta = timedelta(days=8)
    sessions: timedelta = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep took away.

    Args:
        shares: How many shares.
        others: How many rows of tries, notices, views and sessions.
        more: Whether there is more to take away now.
    """

    shares: int
    others: int
    more: bool
