"""How long a share lives."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from orthanc_share.domain.clock import END_OF_TIME
from orthanc_share.domain.errors import InvalidLifetimeError
from orthanc_share.domain.lifetime import ABSURD_DURATION, LifetimePolicy
from tests.support.strategies import NOW, instants

DAY = timedelta(days=1)
ANYTHING_GOES = LifetimePolicy()
WEEK_OR_MONTH = LifetimePolicy(default=7 * DAY, maximum=30 * DAY)
ABSURD = int(ABSURD_DURATION.total_seconds()) + 1

durations = st.timedeltas(timedelta(seconds=1), timedelta.max)
policies = st.builds(
    LifetimePolicy,
    default=st.none() | durations,
    maximum=st.none() | durations,
    allow_unlimited=st.booleans(),
)


@given(
    policy=policies,
    now=instants,
    expires_at=st.none() | instants,
    duration=st.none() | st.integers(-(2**63), 2**64),
)
def test_no_share_outlives_the_maximum_or_starts_out_dead(
    policy: LifetimePolicy,
    now: datetime,
    expires_at: datetime | None,
    duration: int | None,
) -> None:
    try:
        expiry = policy.expiry(now, expires_at, duration)
    except InvalidLifetimeError:
        return
    if expiry is None:
        assert policy.maximum is None
        assert policy.allow_unlimited
        return
    assert now < expiry <= END_OF_TIME
    if policy.maximum is not None:
        assert expiry - now <= policy.maximum
    if expires_at is not None:
        assert expiry <= expires_at


@pytest.mark.parametrize(
    ("expires_at", "duration", "expected"),
    [
        (NOW + DAY, None, NOW + DAY),
        (NOW + DAY, 5, NOW + DAY),  # the date wins
        (NOW + DAY, -5, NOW + DAY),
        (None, 86_400, NOW + DAY),
        (None, None, NOW + 7 * DAY),
        (None, ABSURD, NOW + 7 * DAY),  # the plugin's uninitialised memory
        (None, 2**64 - 1, NOW + 7 * DAY),
        (None, 0, NOW + 30 * DAY),  # "never" is cut down
        (NOW + 31 * DAY, None, NOW + 30 * DAY),
        (None, ABSURD - 1, NOW + 30 * DAY),
    ],
)
def test_a_site_with_default_and_maximum(
    expires_at: datetime | None, duration: int | None, expected: datetime
) -> None:
    assert WEEK_OR_MONTH.expiry(NOW, expires_at, duration) == expected


@pytest.mark.parametrize("duration", [None, 0, ABSURD])
def test_a_site_without_rules_makes_unlimited_shares(duration: int | None) -> None:
    assert ANYTHING_GOES.expiry(NOW, None, duration) is None


@pytest.mark.parametrize("duration", [None, 0, ABSURD])
def test_a_site_can_refuse_unlimited_shares(duration: int | None) -> None:
    policy = LifetimePolicy(allow_unlimited=False)
    with pytest.raises(InvalidLifetimeError, match="without expiry"):
        policy.expiry(NOW, None, duration)
    assert policy.expiry(NOW, None, 60) == NOW + timedelta(minutes=1)


def test_a_default_makes_an_absent_expiry_no_unlimited_share() -> None:
    policy = LifetimePolicy(default=DAY, allow_unlimited=False)
    assert policy.expiry(NOW, None, None) == NOW + DAY


def test_a_negative_duration_is_refused() -> None:
    with pytest.raises(InvalidLifetimeError, match="negative"):
        ANYTHING_GOES.expiry(NOW, None, -1)


@pytest.mark.parametrize("expires_at", [NOW, NOW - DAY])
def test_an_expiry_that_has_come_already_is_refused(expires_at: datetime) -> None:
    with pytest.raises(InvalidLifetimeError, match="past"):
        ANYTHING_GOES.expiry(NOW, expires_at, None)


def test_what_goes_beyond_the_calendar_ends_with_it() -> None:
    late = datetime(9990, 1, 1, tzinfo=UTC)
    century = int(ABSURD_DURATION.total_seconds())
    assert ANYTHING_GOES.expiry(late, None, century) == END_OF_TIME
    forever = LifetimePolicy(maximum=timedelta.max)
    assert forever.expiry(NOW, None, 0) == END_OF_TIME
