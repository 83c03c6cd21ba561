"""Time as the domain sees it: aware UTC, whole seconds, handed in by the caller."""

from collections.abc import Callable
from datetime import UTC, datetime
from time import time

Clock = Callable[[], datetime]
"""Returns the present instant: aware, UTC, without fractions of a second."""

END_OF_TIME = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
"""The last instant that a token can name; what lies beyond is clamped to it."""


def utc_now() -> datetime:
    """Return the present instant in UTC, cut to whole seconds as JWT counts them."""
    # Asked for every decision, and `now().replace()` takes twice as long.
    return datetime.fromtimestamp(int(time()), UTC)


def to_utc(instant: datetime) -> datetime:
    """Return `instant` in UTC and whole seconds.

    An instant without offset is UTC (protocol J.10), whatever the machine's time
    zone; one that leaves the calendar when shifted is clamped to its end.
    """
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC)
    try:
        return instant.astimezone(UTC).replace(microsecond=0)
    except OverflowError:
        is_late = instant.year > 1
        return END_OF_TIME if is_late else datetime.min.replace(tzinfo=UTC)
