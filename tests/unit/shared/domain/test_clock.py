"""Time: aware, UTC, whole seconds."""

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest

from orthanc_share.domain.clock import END_OF_TIME, to_utc, utc_now


@pytest.fixture
def far_time_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let this machine stand in Kiribati, 14 hours before UTC."""
    before = os.environ.get("TZ")
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    time.tzset()
    yield
    monkeypatch.undo()
    assert os.environ.get("TZ") == before
    time.tzset()


def test_now_is_aware_utc_in_whole_seconds() -> None:
    now = utc_now()
    assert now.tzinfo is UTC
    assert now.microsecond == 0
    assert abs(now - datetime.now(UTC)) < timedelta(minutes=1)


@pytest.mark.usefixtures("far_time_zone")
def test_an_instant_without_offset_is_utc_on_a_machine_elsewhere() -> None:
    naive = datetime(2026, 7, 1, 12, 30, 15, 999_999)  # noqa: DTZ001 - that is the point
    assert to_utc(naive) == datetime(2026, 7, 1, 12, 30, 15, tzinfo=UTC)


def test_an_offset_is_converted() -> None:
    east = timezone(timedelta(hours=5, minutes=30))
    assert to_utc(datetime(2026, 1, 1, 3, tzinfo=east)) == datetime(
        2025, 12, 31, 21, 30, tzinfo=UTC
    )


def test_what_leaves_the_calendar_is_clamped_to_its_ends() -> None:
    west, east = (timezone(timedelta(hours=sign * 14)) for sign in (-1, 1))
    late = datetime(9999, 12, 31, 23, 59, 59, tzinfo=west)
    early = datetime(1, 1, 1, tzinfo=east)
    assert to_utc(late) == END_OF_TIME
    assert to_utc(early) == datetime(1, 1, 1, tzinfo=UTC)
