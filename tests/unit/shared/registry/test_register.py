"""What is known without asking."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, strategies as st

from orthanc_share.domain.access import Reason
from orthanc_share.domain.resource import Level, Resource
from orthanc_share.domain.share import Share, ShareType
from orthanc_share.registry.register import Register
from orthanc_share.store.news import News, NewsPage

GRACE = timedelta(minutes=5)
END = datetime(2026, 12, 1, tzinfo=UTC)
SHARE = Share(
    "share-1",
    ShareType.STONE_PUBLICATION,
    (Resource(Level.STUDY, "1.2.3", None),),
    expires_at=END,
)
VIEW = replace(SHARE, view_id="view-1")
ends = st.none() | st.datetimes(timezones=st.just(UTC))


class Seconds:
    """A monotonic clock that stands still until it is moved."""

    now = 1000.0

    def __call__(self) -> float:
        """Return where it stands."""
        return self.now


def page(*news: News, is_fresh_start: bool = False) -> NewsPage:
    return NewsPage(news, 1, more=False, is_fresh_start=is_fresh_start)


def register(*news: News, seconds: Seconds | None = None) -> Register:
    made = Register(GRACE, monotonic=seconds or Seconds())
    made.learn(page(*news))
    made.confirm(Seconds.now)
    return made


def test_a_fresh_start_is_trusted_when_its_last_page_has_come() -> None:
    made = register(news(is_revoked=True))
    made.learn(page(is_fresh_start=True))
    assert made.current(SHARE) is Reason.REGISTRY_UNAVAILABLE
    made.confirm(Seconds.now)
    assert made.current(SHARE) is SHARE


def news(**changes: object) -> News:
    plain = News("share-1", is_revoked=False, expires_at=END, needs_landing=False)
    return replace(plain, **changes)  # type: ignore[arg-type]


def test_nothing_is_known_before_the_first_news() -> None:
    assert Register(GRACE).current(SHARE) is Reason.REGISTRY_UNAVAILABLE


def test_a_share_without_news_is_as_its_token_says() -> None:
    assert register(news(share_id="other")).current(SHARE) is SHARE


def test_a_revoked_share_opens_nothing_in_either_form() -> None:
    revoked = register(news(is_revoked=True))
    assert revoked.current(SHARE) is Reason.REVOKED
    assert revoked.current(VIEW) is Reason.REVOKED


def test_later_news_replace_earlier_ones() -> None:
    made = register(news())
    made.learn(page(news(is_revoked=True)))
    assert made.current(SHARE) is Reason.REVOKED


def test_after_a_restored_backup_only_its_news_count() -> None:
    made = register(news(is_revoked=True))
    made.learn(page(news(share_id="other"), is_fresh_start=True))
    made.confirm(Seconds.now)
    assert made.current(SHARE) is SHARE


def test_what_is_known_may_be_used_for_the_grace_and_no_longer() -> None:
    seconds = Seconds()
    made = register(seconds=seconds)
    seconds.now += GRACE.total_seconds() - 1
    assert made.current(SHARE) is SHARE
    assert made.seconds_left() == 1
    seconds.now += 1
    assert made.current(SHARE) is Reason.REGISTRY_UNAVAILABLE


@given(
    looks=st.lists(st.tuples(st.integers(0, 900), st.booleans()), max_size=30),
    revoked_at=st.integers(0, 900),
    asked_at=st.integers(0, 1500),
    form=st.sampled_from([SHARE, VIEW]),
)
def test_no_grant_outlives_a_revocation_by_more_than_is_known(
    looks: list[tuple[int, bool]], revoked_at: int, asked_at: int, form: Share
) -> None:
    seconds = Seconds()
    known, last = Register(GRACE, monotonic=seconds), None
    for at, is_answered in sorted(looks):
        if at <= asked_at and is_answered:
            is_told = at >= revoked_at
            known.learn(page(*[news(is_revoked=True)] if is_told else ()))
            known.confirm(at)
            last = at
    seconds.now = asked_at
    is_fresh = last is not None and asked_at < last + GRACE.total_seconds()
    may_open = is_fresh and last is not None and last < revoked_at
    assert (known.current(form) is form) is may_open
    if may_open:
        assert asked_at - revoked_at < GRACE.total_seconds()


@given(new=ends, old=ends)
def test_a_changed_end_holds_for_links_and_never_makes_a_view_live_longer(
    new: datetime | None, old: datetime | None
) -> None:
    made = register(news(expires_at=new))
    link = made.current(replace(SHARE, expires_at=old))
    view = made.current(replace(VIEW, expires_at=old))
    assert isinstance(link, Share)
    assert isinstance(view, Share)
    assert link.expires_at == new
    assert view.expires_at == min(filter(None, (new, old)), default=None)


def test_a_password_added_later_closes_the_long_token() -> None:
    known = register(news(needs_landing=True)).current(SHARE)
    assert isinstance(known, Share)
    assert known.needs_opening
