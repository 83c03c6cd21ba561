"""A small chart: how often a share was opened on each day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from orthanc_share.store.records import DayCount

DAYS = 30
"""Days of the chart, with today."""

HEIGHT = 96
"""Height of the highest bar, in units of the drawing."""

STEP = 20
"""Width of a day, in units of the drawing."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A day.

    Args:
        day: Which, UTC.
        opened: How often.
        denied: How often it was refused.
        x: Left edge, in units of the drawing.
        height: In units of the drawing; a day with openings is never invisible.
    """

    day: date
    opened: int
    denied: int
    x: int
    height: int

    @property
    def y(self) -> int:
        """Upper edge, in units of the drawing."""
        return HEIGHT - self.height


def first_day(now: datetime) -> datetime:
    """Return an instant of the first day of a chart that is drawn at `now`."""
    return now - timedelta(days=DAYS - 1)


def bars(history: Sequence[DayCount], now: datetime) -> list[Bar]:
    """Return the days of a chart that is drawn at `now`, oldest first."""
    counts = {count.day: count for count in history}
    most = max((count.opened for count in history), default=0)
    first = first_day(now).date()
    found = []
    for number in range(DAYS):
        day = first + timedelta(days=number)
        count = counts.get(day, DayCount(day, 0, 0, 0))
        height = -(-count.opened * HEIGHT // most) if most else 0
        found.append(Bar(day, count.opened, count.denied, number * STEP, height))
    return found
