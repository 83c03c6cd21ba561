"""Decisions with a registry: what is remembered of a token never outlives the news."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, strategies as st

from orthanc_share.domain.access import AccessPolicy, Decision, Denied, Granted, Reason
from orthanc_share.domain.resource import Resource
from orthanc_share.domain.share import Flavour, Share, ShareType
from orthanc_share.registry import tallies as module
from orthanc_share.registry.register import Register
from orthanc_share.registry.tallies import Tallies
from orthanc_share.registry.watch import Watch
from orthanc_share.store.news import News, NewsPage
from orthanc_share.tokens.codec import REMEMBERED_LENGTH_MAX
from orthanc_share.web.metrics import Metrics
from tests.support.service import NOW, MovableClock
from tests.support.tokens import codec
from token_service.routes.decisions import Decisions

GRACE = timedelta(minutes=5)
UID = "1.2.276.0.99.1"
SHARE = Share(
    "share-1",
    ShareType.STONE_PUBLICATION,
    (Resource(dicom_uid=UID),),
    expires_at=NOW + timedelta(hours=1),
)
VIEW = replace(SHARE, view_id="view-1")
LATE = NOW + timedelta(hours=9)
REVOKED = News("share-1", is_revoked=True, expires_at=None, needs_landing=False)
CHANGED = News("share-1", is_revoked=False, expires_at=LATE, needs_landing=False)
GUARDED = replace(CHANGED, needs_landing=True)
OF_ANOTHER = replace(REVOKED, share_id="share-2")


def page(*news: News, is_fresh_start: bool = False) -> NewsPage:
    return NewsPage(news, 1, more=False, is_fresh_start=is_fresh_start)


class Seconds:
    """A monotonic clock that stands still until it is moved."""

    now = 0.0

    def __call__(self) -> float:
        """Return where it stands."""
        return self.now


@dataclass
class Site:
    """Decisions of a site with a registry."""

    clock: MovableClock = field(default_factory=MovableClock)
    seconds: Seconds = field(default_factory=Seconds)

    def __post_init__(self) -> None:
        self.codec = codec()
        self.register = Register(GRACE, monotonic=self.seconds)
        self.tallies = Tallies(self.clock)
        self.decisions = Decisions(
            self.codec,
            AccessPolicy(dict.fromkeys(Flavour)),
            self.clock,
            Metrics(),
            Watch(self.register, self.tallies),
        )
        self.register.confirm(self.seconds())

    def ask(self, share: Share, uid: str = UID) -> Decision:
        """Ask whether the token of a share opens a study."""
        return self.put(self.codec.sign(share), uid)

    def put(self, token: str, uid: str = UID) -> Decision:
        """Ask whether a token opens a study."""
        question: dict[str, Any] = {
            "dicom-uid": uid,
            "level": "study",
            "method": "get",
            "token-key": "token",
            "token-value": token,
        }
        return self.decisions.decide({}, msgspec.json.encode(question))

    def counted(self) -> list[tuple[int, int]]:
        """Return grants and denials of the shares since the last time."""
        return [(one.granted, one.denied) for one in self.tallies.take().tallies]


@pytest.mark.parametrize("share", [SHARE, VIEW])
def test_every_grant_is_counted_once(share: Share) -> None:
    site = Site()
    for _ in range(2):
        for _ in range(3):
            assert isinstance(site.ask(share), Granted)
        assert site.counted() == [(3, 0)]
    assert site.counted() == []


@pytest.mark.parametrize("share", [SHARE, VIEW])
def test_a_revocation_ends_what_is_remembered(share: Share) -> None:
    site = Site()
    assert isinstance(site.ask(share), Granted)
    site.register.learn(page(REVOKED))
    for _ in range(2):
        assert site.ask(share) == Denied(Reason.REVOKED)
    assert site.counted() == [(1, 2)]


def test_a_change_ends_what_is_remembered() -> None:
    site = Site()
    assert isinstance(site.ask(SHARE), Granted)
    site.register.learn(page(CHANGED))
    site.clock.now = NOW + timedelta(hours=2)
    for _ in range(2):
        assert isinstance(site.ask(SHARE), Granted)
    site.register.learn(page(GUARDED))
    assert site.ask(SHARE) == Denied(Reason.NEEDS_OPENING)
    assert site.counted() == [(3, 1)]


def test_a_backup_that_was_restored_ends_what_is_remembered() -> None:
    site = Site()
    site.register.learn(page(CHANGED))
    site.clock.now = NOW + timedelta(hours=2)
    assert isinstance(site.ask(SHARE), Granted)
    site.register.learn(page(is_fresh_start=True))
    site.register.confirm(site.seconds())
    assert site.ask(SHARE) == Denied(Reason.EXPIRED)


def test_news_of_another_share_lose_no_count() -> None:
    site = Site()
    for _ in range(3):
        assert isinstance(site.ask(SHARE), Granted)
        assert isinstance(site.ask(SHARE), Granted)
        site.register.learn(page(OF_ANOTHER))
    assert site.counted() == [(6, 0)]


def test_without_news_for_too_long_what_is_remembered_opens_nothing() -> None:
    site = Site()
    assert isinstance(site.ask(SHARE), Granted)
    site.seconds.now = GRACE.total_seconds()
    assert site.ask(SHARE) == Denied(Reason.REGISTRY_UNAVAILABLE)
    site.register.confirm(site.seconds())
    assert isinstance(site.ask(SHARE), Granted)


def test_the_end_comes_for_what_is_remembered_too() -> None:
    site = Site()
    assert isinstance(site.ask(SHARE), Granted)
    site.clock.now = NOW + timedelta(hours=1)
    assert site.ask(SHARE) == Denied(Reason.EXPIRED)
    assert site.counted() == [(1, 1)]


def test_a_token_that_is_remembered_opens_nothing_else() -> None:
    site = Site()
    assert isinstance(site.ask(SHARE), Granted)
    assert site.ask(SHARE, "1.2.3") == Denied(Reason.OTHER_RESOURCE)
    assert site.counted() == [(1, 1)]


def test_no_more_is_remembered_than_there_is_room_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "SEEN_MAX", 2)
    site = Site()
    for number in range(4):
        for _ in range(2):
            site.ask(replace(SHARE, id=f"share-{number}"))
    assert len(site.tallies.seen) == 2
    old = site.register.epoch
    site.register.learn(page(OF_ANOTHER))
    site.ask(replace(SHARE, id="share-0"))
    assert [one.epoch is old for one in site.tallies.seen.values()] == [False, True]
    assert site.counted() == [(3, 0), *[(2, 0)] * 3]


def test_a_long_token_is_not_remembered() -> None:
    site = Site()
    many = tuple(Resource(dicom_uid=f"{UID}.{number}") for number in range(90))
    share = replace(SHARE, resources=(*SHARE.resources, *many))
    token = site.codec.sign(share)
    assert len(token) > REMEMBERED_LENGTH_MAX
    assert isinstance(site.put(token), Granted)
    assert site.tallies.seen == {}


def test_what_is_remembered_is_not_shown() -> None:
    site = Site()
    token = site.codec.sign(SHARE)
    site.put(token)
    assert token not in repr(Watch(site.register, site.tallies))
    assert UID not in repr(site.tallies.seen[token])


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.sampled_from([SHARE, VIEW])),
        st.tuples(
            st.just("news"), st.sampled_from([REVOKED, CHANGED, GUARDED, OF_ANOTHER])
        ),
        st.tuples(st.just("restored"), st.none()),
        st.tuples(st.just("report"), st.none()),
        st.tuples(st.just("later"), st.sampled_from([1, 200, 400])),
        st.tuples(st.just("confirm"), st.none()),
        st.tuples(st.just("hours"), st.sampled_from([0.5, 1, 9])),
    ),
    max_size=25,
)


@given(STEPS)
def test_whatever_happens_it_decides_and_counts_as_if_it_remembered_nothing(
    steps: list[tuple[str, Any]],
) -> None:
    site, plain = Site(), Site()
    counts: list[list[tuple[int, int]]] = [[], []]
    for what, value in steps:
        plain.tallies.grants.update(_folded(plain.tallies))
        if what == "ask":
            assert site.ask(value) == plain.ask(value)
        for one, found in zip((site, plain), counts, strict=True):
            _do(one, what, value, found)
    assert counts[0] + site.counted() == counts[1] + plain.counted()


def _folded(tallies: Tallies) -> dict[str, int]:
    """Forget what is remembered, and return the grants with those counted there."""
    grants = dict(tallies.grants)
    for one in tallies.seen.values():
        grants[one.share.id] = grants.get(one.share.id, 0) + one.grants
    tallies.seen.clear()
    return grants


def _do(site: Site, what: str, value: Any, found: list[tuple[int, int]]) -> None:
    if what == "news":
        site.register.learn(page(value))
    elif what == "restored":
        site.register.learn(page(is_fresh_start=True))
    elif what == "report":
        found += site.counted()
    elif what == "later":
        site.seconds.now += value
    elif what == "confirm":
        site.register.confirm(site.seconds())
    elif what == "hours":
        site.clock.move(value * 3600)
