"""Links and what becomes of them when somebody stands before the landing page."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from orthanc_share.store.records import Origin, ShareStatus


class LinkReason(StrEnum):
    """Why a link does not open: stable codes."""

    INVALID = "invalid"
    NOT_ALLOWED = "not-allowed"
    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    REVOKED = "revoked"
    USED_UP = "used-up"
    WRONG_PASSWORD = "wrong-password"  # noqa: S105 - a reason code
    LOCKED = "locked"


REASONS = {
    ShareStatus.NOT_YET: LinkReason.NOT_YET_VALID,
    ShareStatus.USED_UP: LinkReason.USED_UP,
    ShareStatus.EXPIRED: LinkReason.EXPIRED,
    ShareStatus.REVOKED: LinkReason.REVOKED,
}
"""Status of a share to the reason why its link does not open."""


@dataclass(frozen=True, slots=True)
class Link:
    """What a visitor came with: exactly one of both.

    Args:
        token: The token of a long link.
        code: The code of a short one.
    """

    token: str | None = field(default=None, repr=False)
    code: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Opening:
    """Which opening is meant, so that it can be asked for again and counts once.

    Args:
        id: Of this share alone. Nobody can guess it, nor choose that of somebody else;
            at most 64 letters.
        grace: How long after it was counted it may be asked for again.
    """

    id: str = field(repr=False)
    grace: timedelta


@dataclass(frozen=True, slots=True)
class Ready:
    """The link is good.

    Args:
        share_id: Of the share.
        needs_password: Whether a second factor is asked for.
        left: How often the link may still be opened; None: no limit.
        view: A viewer token, if the link opens without a button: an ordinary link,
            or one that this browser opened a moment ago. None: ask, then `open`.
    """

    share_id: str
    needs_password: bool
    left: int | None
    view: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Opened:
    """The link was opened, and counted.

    Args:
        share_id: Of the share.
        view: The viewer token.
    """

    share_id: str
    view: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Refused:
    """The link does not open.

    Args:
        reason: Why.
        share_id: Of the share, if there is one.
        moment: The instant that matters: the end, the start, or the end of a lock.
        tries_left: After a wrong password: tries before a pause.
    """

    reason: LinkReason
    share_id: str | None = None
    moment: datetime | None = None
    tries_left: int | None = None


class Desk(Protocol):
    """The counter where links are opened.

    Both raise `StoreUnavailableError` or `UpstreamError` where it cannot be asked.
    """

    async def look(
        self,
        link: Link,
        *,
        view: str | None = None,
        opening: Opening | None = None,
        origin: Origin | None = None,
    ) -> Ready | Refused:
        """Tell what a link is good for; changes nothing, and counts refusals alone.

        Args:
            link: The link.
            view: Viewer token that this browser got for it before.
            opening: The one that this browser would ask for: if it was counted, and
                was the last, it may be asked for again.
            origin: Who sees the refusal if there is one, which is written down then;
                None: nobody.
        """

    async def open(
        self,
        link: Link,
        *,
        password: str | None,
        origin: Origin,
        opening: Opening | None = None,
    ) -> Opened | Refused:
        """Open a link, and count it.

        An opening that was counted a moment ago is not counted again: its viewer token
        is told once more, which lives no longer than the first.

        Args:
            link: The link.
            password: The second factor that the visitor gave.
            origin: Who opens it, and from where.
            opening: Which opening this is; None: another one each time.
        """
