"""Counts what validate granted and denied, to be written down now and then.

A write for each image would be slower than the image.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from orthanc_share.domain.access import Reason
from orthanc_share.domain.clock import Clock
from orthanc_share.domain.share import Share
from orthanc_share.store.records import Tally, View
from orthanc_share.tokens.codec import REMEMBERED_LENGTH_MAX

WRITE_DOWN_EVERY = 5.0
"""Seconds between two reports of what validate granted and denied."""

VIEWS_REMEMBERED = 50_000
"""Views that are known to be counted; beyond that they are reported once more, which
changes nothing."""

VIEWS_MAX = 100_000
"""Views that wait for a report, as when the database is away; further ones are not
counted."""

SHARES_MAX = 100_000
"""Shares that are counted between two reports; further ones are not."""


SEEN_MAX = 1_000
"""Tokens that are remembered between two reports; others take the longer way."""


@dataclass(slots=True)
class Seen:
    """What is known of a token that was granted something since the last report.

    Args:
        share: What it opens now.
        epoch: Of the register, when that was looked up.
        grants: How often it was granted since, beyond the first time.
    """

    share: Share
    epoch: object
    grants: int = 0


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted since the last report.

    Args:
        tallies: Grants and denials by share.
        views: Viewer tokens that were granted something for the first time.
    """

    tallies: Sequence[Tally]
    views: Sequence[View] = ()


class Tallies:
    """Counts grants, denials and views of shares.

    Args:
        clock: The present instant.

    Attributes:
        grants: Share id to its grants, but those that are counted in `seen`.
        seen: Token to what it opens. Whoever grants by that, while the register's epoch
            is the same and may be used, counts there and nowhere else.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.grants: dict[str, int] = {}
        self.seen: dict[str, Seen] = {}
        self._denied: dict[str, int] = {}
        self._reasons: dict[str, set[str]] = {}
        self._views: list[View] = []
        self._views_seen: set[str] = set()

    def granted(self, share: Share) -> None:
        """Count a grant."""
        _add(self.grants, share.id)
        view = share.view_id
        if view is not None and view not in self._views_seen:
            self._note_view(view, share.id)

    def remember(self, token: str, share: Share, epoch: object) -> None:
        """Remember a token that was granted something, and counted.

        Args:
            token: The token.
            share: What it opens now.
            epoch: Of the register.
        """
        known = self.seen.get(token)
        is_full = known is None and len(self.seen) >= SEEN_MAX
        if is_full or len(token) > REMEMBERED_LENGTH_MAX:
            return
        self.seen[token] = Seen(share, epoch, 0 if known is None else known.grants)

    def denied(self, share: Share, reason: Reason) -> None:
        """Count a denial, unless it says nothing about the share."""
        if reason is not Reason.REGISTRY_UNAVAILABLE:
            _add(self._denied, share.id)
            self._give(share.id, reason)

    def take(self) -> Counted:
        """Return what was counted, and begin anew."""
        for one in self.seen.values():
            _add(self.grants, one.share.id, one.grants)
        self.seen.clear()
        now, granted, denied = self._clock(), self.grants, self._denied
        self.grants, self._denied = {}, {}
        views, self._views = self._views, []
        reasons, self._reasons = self._reasons, {}
        tallies = [
            Tally(one, now, number)
            for one, number in granted.items()
            if one not in denied
        ]
        tallies += [
            Tally(
                one,
                now,
                granted.get(one, 0),
                number,
                tuple(sorted(reasons.get(one, ()))),
            )
            for one, number in denied.items()
        ]
        return Counted(tallies, views)

    def give_back(self, counted: Counted) -> None:
        """Count again what could not be written down."""
        for tally in counted.tallies:
            _add(self.grants, tally.share_id, tally.granted)
            _add(self._denied, tally.share_id, tally.denied)
            self._give(tally.share_id, *tally.reasons)
        self._views = [*counted.views, *self._views]

    def _give(self, share_id: str, *reasons: str) -> None:
        if reasons and share_id in self._denied:
            self._reasons.setdefault(share_id, set()).update(reasons)

    def _note_view(self, view: str, share_id: str) -> None:
        if len(self._views_seen) >= VIEWS_REMEMBERED:
            self._views_seen.clear()
        self._views_seen.add(view)
        if len(self._views) < VIEWS_MAX:
            self._views.append(View(view, share_id, self._clock()))


def _add(counts: dict[str, int], share_id: str, number: int = 1) -> None:
    known = counts.get(share_id)
    if known is not None:
        counts[share_id] = known + number
    elif number and len(counts) < SHARES_MAX:
        counts[share_id] = number
