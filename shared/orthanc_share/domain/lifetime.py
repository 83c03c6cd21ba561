"""How long a share may live: what was asked for, within what the site allows."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from orthanc_share.domain.clock import END_OF_TIME
from orthanc_share.domain.errors import InvalidLifetimeError

ABSURD_DURATION = timedelta(days=36525)
"""Durations beyond a century are the plugin's uninitialised memory (protocol B.1.1)."""


@dataclass(frozen=True, slots=True)
class LifetimePolicy:
    """The site's rule for the expiry of shares.

    Args:
        default: Lifetime of a share that asks for none; None: it asked for "never".
        maximum: Longest lifetime; a longer one, and "never", is cut down to it.
        allow_unlimited: Whether a share may live for ever.
    """

    default: timedelta | None = None
    maximum: timedelta | None = None
    allow_unlimited: bool = True

    def expiry(
        self, now: datetime, expires_at: datetime | None, duration: int | None
    ) -> datetime | None:
        """Return the instant at which a share made `now` ends; None: never.

        Args:
            now: The present instant, UTC.
            expires_at: Expiry asked for, UTC; wins over `duration`.
            duration: Lifetime asked for, in seconds; 0 means never, absurd numbers
                mean that nothing was asked for.

        Raises:
            InvalidLifetimeError: Negative, in the past, or never where never is not
                allowed.
        """
        asked = expires_at or self._from_duration(now, duration)
        if asked is not None and asked <= now:
            raise InvalidLifetimeError("The expiry lies in the past.")
        latest = None if self.maximum is None else _later(now, self.maximum)
        ends = [instant for instant in (asked, latest) if instant is not None]
        if not ends and not self.allow_unlimited:
            raise InvalidLifetimeError("This site does not make shares without expiry.")
        return min(ends, default=None)

    def _from_duration(self, now: datetime, seconds: int | None) -> datetime | None:
        if seconds is None or seconds > ABSURD_DURATION.total_seconds():
            return None if self.default is None else _later(now, self.default)
        if seconds < 0:
            raise InvalidLifetimeError("The validity-duration is negative.")
        return None if seconds == 0 else _later(now, timedelta(seconds=seconds))


def _later(now: datetime, duration: timedelta) -> datetime:
    try:
        return min(now + duration, END_OF_TIME)
    except OverflowError:
        return END_OF_TIME
