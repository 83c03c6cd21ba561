"""What services tell each other: both ends understand the same."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, strategies as st

from orthanc_share.domain.errors import UpstreamError
from orthanc_share.registry import messages
from orthanc_share.registry.links import (
    Link,
    LinkReason,
    Opened,
    Opening,
    Ready,
    Refused,
)
from orthanc_share.registry.tallies import Counted
from orthanc_share.store.news import News, NewsPage
from orthanc_share.store.records import Origin, Tally, View
from orthanc_share.web.json_body import JSON_LIMIT

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
TEXTS = st.text(max_size=30)
NUMBERS = st.none() | st.integers(0, 1 << 62)
INSTANTS = st.none() | st.datetimes(
    min_value=datetime(1970, 1, 1),  # noqa: DTZ001 - hypothesis wants it so
    timezones=st.just(UTC),
).map(lambda instant: instant.replace(microsecond=0))
REFUSALS = st.builds(
    Refused, st.sampled_from(LinkReason), st.none() | TEXTS, INSTANTS, NUMBERS
)
LOOKS = REFUSALS | st.builds(Ready, TEXTS, st.booleans(), NUMBERS, st.none() | TEXTS)
OPENS = REFUSALS | st.builds(Opened, TEXTS, TEXTS)
PAGES = st.builds(
    NewsPage,
    st.lists(st.builds(News, TEXTS, st.booleans(), INSTANTS, st.booleans())).map(tuple),
    st.integers(0, (1 << 63) - 1),
    st.booleans(),
    st.booleans(),
)


@given(outcome=LOOKS)
def test_what_a_link_is_good_for_arrives(outcome: Ready | Refused) -> None:
    assert messages.read_look(messages.write_outcome(outcome)) == outcome


@given(outcome=OPENS)
def test_what_became_of_a_link_arrives(outcome: Opened | Refused) -> None:
    assert messages.read_open(messages.write_outcome(outcome)) == outcome


@given(page=PAGES)
def test_news_arrive(page: NewsPage) -> None:
    assert messages.read_news(messages.write_news(page)) == page


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff",
        b'{"outcome":"burnt","share-id":"x"}',
        b'{"outcome":"refused","reason":"unknown"}',
        b'{"outcome":"ready","share-id":null,"needs-password":false}',
        b'{"outcome":"opened","share-id":"secret"}',
        b'{"news":[{}],"cursor":0,"more":false,"fresh-start":false}',
        b'{"news":[],"cursor":"0","more":false,"fresh-start":false}',
    ],
)
def test_anything_else_is_no_answer_and_is_not_shown(answer: bytes) -> None:
    for read in (messages.read_look, messages.read_open, messages.read_news):
        with pytest.raises(UpstreamError) as refused:
            read(answer)
        assert "secret" not in str(refused.value)
        assert refused.value.__cause__ is None


def test_a_link_that_was_looked_at_was_not_opened() -> None:
    ready = messages.write_outcome(Ready("x", needs_password=False, left=None))
    with pytest.raises(UpstreamError):
        messages.read_open(ready)
    with pytest.raises(UpstreamError):
        messages.read_look(messages.write_outcome(Opened("x", "view")))


def test_what_a_newer_service_says_besides_is_passed_over() -> None:
    more = json.dumps({"outcome": "opened", "share-id": "x", "view": "v", "new": 1})
    assert messages.read_open(more.encode()) == Opened("x", "v")


@pytest.mark.parametrize(
    ("link", "view", "asked"),
    [
        (Link("t"), None, {"token": "t"}),
        (Link(code="c"), "v", {"code": "c", "view": "v"}),
        (Link(""), None, {"token": ""}),
    ],
)
def test_a_question_holds_what_the_visitor_brought(
    link: Link, view: str | None, asked: dict[str, Any]
) -> None:
    assert json.loads(messages.write_look(link, view, None)) == asked


def test_a_question_says_who_reads_the_answer() -> None:
    visitor = Origin(None, "192.0.2.7", "Browser/1")
    assert json.loads(messages.write_look(Link("t"), None, None, visitor)) == {
        "token": "t",
        "address": "192.0.2.7",
        "user-agent": "Browser/1",
    }


def test_a_wish_to_open_says_who_wishes() -> None:
    visitor = Origin(None, "192.0.2.7", "Browser/1")
    wish = messages.write_open(Link("t"), "secret", visitor, None)
    assert json.loads(wish) == {
        "token": "t",
        "password": "secret",
        "address": "192.0.2.7",
        "user-agent": "Browser/1",
    }
    bare = messages.write_open(Link("t"), None, Origin(), None)
    assert json.loads(bare) == {"token": "t"}


def test_a_question_names_the_opening_that_is_meant() -> None:
    opening = Opening("o" * 32, timedelta(minutes=30))
    named = {"token": "t", "opening": "o" * 32, "opening-grace": 1800}
    assert json.loads(messages.write_look(Link("t"), None, opening)) == named
    wish = messages.write_open(Link("t"), None, Origin(), opening)
    assert json.loads(wish) == named
    assert "ooo" not in repr(opening)


def test_a_report_is_cut_into_parts_that_fit() -> None:
    ids = [f"{number:>064}" for number in range(2 * messages.REPORT_MAX + 1)]
    reasons = tuple(f"{'r' * 24}{number}" for number in range(9))
    tallies = [Tally(one, NOW, 10**9, 10**9, reasons) for one in ids]
    views = [View(one, one, NOW + timedelta(seconds=1)) for one in ids[:-2]]
    parts = [*messages.parts_of(Counted(tallies, views))]
    assert [len(part.tallies) for part in parts] == [1000, 1000, 1]
    assert [len(part.views) for part in parts] == [1000, 999, 0]
    assert [one for part in parts for one in part.tallies] == tallies
    assert [one for part in parts for one in part.views] == views
    assert all(len(messages.write_report(part)) < JSON_LIMIT for part in parts)


def test_nothing_counted_is_no_report() -> None:
    assert [*messages.parts_of(Counted([]))] == []
