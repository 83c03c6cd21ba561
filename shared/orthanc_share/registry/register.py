"""What this process knows of shares that were revoked or changed: on the hot path.

Most shares never change, so that one look into a dictionary ends most questions.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from orthanc_share.domain.access import Reason
from orthanc_share.domain.share import Share
from orthanc_share.store.news import News, NewsPage

Monotonic = Callable[[], float]
"""Seconds of a clock that never goes back; `time.monotonic`, or one of a test."""


class Register:
    """Knows, without asking anybody, what became of a share.

    What is known may be used for a while after the database was last reached; then
    everything is denied, because a share may have been taken back meanwhile.

    Args:
        grace: How long what is known may be used without news.
        monotonic: Clock, in seconds.

    Attributes:
        news: Share id to what became of it; most shares are not among them.
        good_until: Until when that may be used, by the monotonic clock.
        epoch: Another object as soon as there are news: whoever remembers what became
            of a share remembers it with this, and asks again when it is another.
    """

    def __init__(
        self, grace: timedelta, *, monotonic: Monotonic = time.monotonic
    ) -> None:
        self._grace = grace.total_seconds()
        self.monotonic = monotonic
        self.news: dict[str, News] = {}
        self.good_until = float("-inf")
        self.epoch = object()

    def current(self, share: Share) -> Share | Reason:
        """Return the share of a token as it is now, or why it opens nothing."""
        if self.monotonic() >= self.good_until:
            return Reason.REGISTRY_UNAVAILABLE
        news = self.news.get(share.id)
        if news is None:
            return share
        return Reason.REVOKED if news.is_revoked else _changed(share, news)

    def learn(self, page: NewsPage) -> None:
        """Take in some news."""
        if page.is_fresh_start:
            self.news.clear()
            # Until the last page has come, nobody knows what was revoked.
            self.good_until = float("-inf")
        if page.is_fresh_start or page.news:
            self.epoch = object()
        self.news.update((news.share_id, news) for news in page.news)

    def confirm(self, asked_at: float) -> None:
        """Note that there were no further news.

        Args:
            asked_at: When they were asked for, by the monotonic clock.
        """
        self.good_until = asked_at + self._grace

    def seconds_left(self) -> float:
        """Return for how long what is known may be used; not above 0: no longer."""
        return self.good_until - self.monotonic()


def _changed(share: Share, news: News) -> Share:
    end = news.expires_at
    if share.view_id is not None:
        end = _earlier(end, share.expires_at)
    return replace(share, expires_at=end, needs_opening=news.needs_landing)


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((end for end in (one, other) if end is not None), default=None)
