"""How long shares live, and how long the plugin may keep what it is told."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.service import (
    NOW,
    MovableClock,
    Service,
    question,
    running,
)
from tests.support.tokens import expiry_of

DAY = timedelta(days=1)


@pytest.fixture
def clock() -> MovableClock:
    """Return a clock of this test alone."""
    return MovableClock()


@pytest.fixture
def moving(clock: MovableClock) -> Iterator[Service]:
    """Run a service whose time moves with `clock`."""
    with running(clock) as started:
        yield started


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({}, None),
        ({"validity_duration": None}, None),
        ({"validity_duration": 0}, None),
        ({"validity_duration": 1}, NOW + timedelta(seconds=1)),
        ({"validity_duration": 1_296_000}, NOW + 15 * DAY),
        ({"validity_duration": 36525 * 86400}, NOW + 36525 * DAY),
        # Uninitialised memory of the plugin (protocol 0.5, trap 4)
        ({"validity_duration": 36525 * 86400 + 1}, None),
        ({"validity_duration": 139_785_021_256_845}, None),
        ({"validity_duration": 2**63}, None),
        ({"validity_duration": 2**64 - 1}, None),
        ({"validity_duration": 10**400}, None),
        ({"expiration_date": None}, None),
        ({"expiration_date": "2031-05-04T10:00:00Z"}, "2031-05-04T10:00:00+00:00"),
        ({"expiration_date": "2031-05-04T10:00:00.999Z"}, "2031-05-04T10:00:00+00:00"),
        ({"expiration_date": "2031-05-04T10:00:00+02:00"}, "2031-05-04T08:00:00+00:00"),
        # Without offset it is UTC, whatever the machine's zone is
        ({"expiration_date": "2031-05-04T10:00:00"}, "2031-05-04T10:00:00+00:00"),
        ({"expiration_date": "2031-05-04"}, "2031-05-04T00:00:00+00:00"),
        ({"expiration_date": "9999-12-31T23:59:59Z"}, "9999-12-31T23:59:59+00:00"),
        ({"expiration_date": "9999-12-31T23:59:59-14:00"}, "9999-12-31T23:59:59+00:00"),
        # The date goes before the duration
        (
            {"expiration_date": "2031-05-04T10:00:00Z", "validity_duration": 7},
            "2031-05-04T10:00:00+00:00",
        ),
        (
            {"expiration_date": "2031-05-04T10:00:00Z", "validity_duration": 2**64 - 1},
            "2031-05-04T10:00:00+00:00",
        ),
    ],
)
def test_a_share_ends_when_it_was_asked_to(
    members: dict[str, Any], expected: Any, service: Service
) -> None:
    made = service.made(**members)
    if isinstance(expected, str):
        expected = datetime.fromisoformat(expected)
    assert expiry_of(made["token"]) == expected
    assert made["request"]["expiration-date"] == (expected and expected.isoformat())
    assert service.is_granted(made["token"]) is True


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"validity_duration": -1}, "invalid_lifetime"),
        ({"validity_duration": -(2**63)}, "invalid_lifetime"),
        ({"validity_duration": -(10**30)}, "invalid_lifetime"),
        ({"expiration_date": "2026-11-02T12:00:00Z"}, "invalid_lifetime"),
        ({"expiration_date": "2020-01-01T00:00:00Z"}, "invalid_lifetime"),
        ({"expiration_date": "0001-01-01T00:00:00+14:00"}, "invalid_lifetime"),
        ({"expiration_date": "next week"}, "invalid_request"),
        ({"expiration_date": "1935562530"}, "invalid_request"),
        ({"expiration_date": 1_935_562_530}, "invalid_request"),
        ({"expiration_date": "2031-02-30T00:00:00Z"}, "invalid_request"),
        ({"expiration_date": "10000-01-01T00:00:00Z"}, "invalid_request"),
        ({"expiration_date": ""}, "invalid_request"),
        ({"expiration_date": ["2031-05-04"]}, "invalid_request"),
        ({"validity_duration": 1.5}, "invalid_request"),
        ({"validity_duration": True}, "invalid_request"),
        ({"validity_duration": "60"}, "invalid_request"),
    ],
)
def test_an_end_that_cannot_be_is_a_problem(
    members: dict[str, Any], code: str, service: Service
) -> None:
    refused = service.create(**members)
    assert refused.status == 422
    assert refused.json["code"] == code


def test_a_share_opens_until_its_last_second_and_then_is_over(
    moving: Service, clock: MovableClock
) -> None:
    token = moving.token(validity_duration=100)
    seen = []
    for _ in range(4):
        seen.append(moving.ask("/tokens/validate", question(token)))
        clock.move(33)
    assert seen == [
        {"granted": True, "validity": 60},  # 100 s left
        {"granted": True, "validity": 60},  # 67 s left
        {"granted": True, "validity": 34},
        {"granted": True, "validity": 1},
    ]
    clock.now = NOW + timedelta(seconds=100)
    over = moving.ask("/tokens/validate", question(token))
    assert over == {"granted": False, "validity": 60}
    assert moving.decode(token) == {
        "token-type": "stone-viewer-publication",
        "error-code": "expired",
        "redirect-url": None,
        "resources": [],
    }


def test_a_share_that_never_ends_is_kept_for_the_usual_time(service: Service) -> None:
    answer = service.ask("/tokens/validate", question(service.token()))
    assert answer == {"granted": True, "validity": 60}


def test_the_site_says_how_long_a_decision_is_kept() -> None:
    with running(decision_validity=5) as service:
        answers = [
            service.ask("/tokens/validate", question(token))
            for token in (service.token(), service.token(validity_duration=3), "x")
        ]
    assert [answer["validity"] for answer in answers] == [5, 3, 5]


def test_a_site_has_a_usual_and_a_longest_lifetime() -> None:
    with running(default_share_duration="7d", max_share_duration="30d") as service:
        ends = [
            expiry_of(service.token(**members))
            for members in (
                {},
                {"validity_duration": 139_785_021_256_845},
                {"validity_duration": 0},
                {"validity_duration": 86_400},
                {"validity_duration": 86_400 * 365},
                {"expiration_date": "9999-12-31T23:59:59Z"},
            )
        ]
    assert ends == [NOW + days * DAY for days in (7, 7, 30, 1, 30, 30)]


def test_a_site_can_do_without_shares_that_never_end() -> None:
    with running(allow_unlimited_shares=False) as service:
        refused = service.create(validity_duration=0)
        assert service.create(validity_duration=60).status == 200
    assert refused.status == 422
    assert refused.json["code"] == "invalid_lifetime"


def test_the_zone_of_the_machine_does_not_matter(
    monkeypatch: pytest.MonkeyPatch, service: Service
) -> None:
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    made = service.made(expiration_date="2031-05-04T10:00:00")
    assert expiry_of(made["token"]) == datetime(2031, 5, 4, 10, tzinfo=UTC)


def test_instant_links_end_like_publications(
    moving: Service, clock: MovableClock
) -> None:
    tokens = [
        moving.token(kind, validity_duration=200)
        for kind in ("viewer-instant-link", "download-instant-link")
    ]
    assert all(moving.is_granted(token) for token in tokens)
    clock.move(200)
    assert not any(moving.is_granted(token) for token in tokens)
