"""A limit holds over every window, not only over those that begin on the minute."""

from datetime import timedelta

from hypothesis import given, strategies as st

from orthanc_share.upstream.rate_limit import SlidingWindow


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(1, 4)), max_size=40),
)
def test_no_window_holds_more_than_the_limit(steps: list[tuple[int, int]]) -> None:
    now = 0.0
    window = SlidingWindow(5, timedelta(minutes=1), lambda: now)
    events: list[float] = []
    for pause, amount in steps:
        now += pause
        free = 5 - sum(event > now - 60 for event in events)
        assert window.take(amount) is (amount <= free)
        if amount <= free:
            events += [now] * amount
