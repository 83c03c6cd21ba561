"""Instants as the database keeps them: whole seconds since 1970, UTC.

SQLite gives a time zone back as none, so instants are stored as integers.
"""

from datetime import UTC, datetime, timedelta

from orthanc_share.domain.clock import to_utc
from orthanc_share.domain.share import CLOCK_LEEWAY

NEVER = 1 << 62
"""Stands for "no end" in columns that are compared; after every instant, in seconds."""

ALWAYS = 0
"""Stands for "no beginning" in columns that are compared, in seconds."""

LEEWAY = CLOCK_LEEWAY // timedelta(seconds=1)
"""The domain's leeway for a beginning, in seconds."""

HOUR = 3600
"""An hour, in seconds."""

CLOCK_ERROR_MAX = timedelta(days=30)
"""How far ahead a clock may once have been without harm: what was taken back or changed
is remembered so long after its end, lest a clock that is put right brings it back."""

DAY = 86_400
"""A day, in seconds."""


def to_seconds(instant: datetime) -> int:
    """Return `instant` as whole seconds since 1970; without offset it is UTC."""
    return int(to_utc(instant).timestamp())


def to_seconds_or(instant: datetime | None, default: int) -> int:
    """Return `instant` as whole seconds, `default` without one."""
    return default if instant is None else to_seconds(instant)


def to_instant(seconds: int) -> datetime:
    """Return the instant that lies `seconds` after 1970."""
    return datetime.fromtimestamp(seconds, UTC)


def to_instant_unless(seconds: int | None, default: int) -> datetime | None:
    """Return the instant, None for none and for what stands for `default`."""
    return None if seconds is None or seconds == default else to_instant(seconds)


def whole_seconds(span: timedelta) -> int:
    """Return `span` as whole seconds."""
    return span // timedelta(seconds=1)
