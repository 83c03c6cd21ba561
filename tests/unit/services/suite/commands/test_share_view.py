"""Shares and events as tables, also of a newer service that says more or less."""

from typing import Any

import pytest

from suite.commands.share_view import expiry, print_events, print_share, print_shares

SHARE: dict[str, Any] = {
    "id": "share-1",
    "status": "revoked",
    "title": "For the board",
    "created": "2026-11-02T12:00:00+00:00",
    "revoked": {"at": "2026-11-03T12:00:00+00:00", "by": "jane", "reason": None},
    "resources": [
        {"level": "study", "dicom-uid": "1.2.3", "orthanc-id": None},
        {},
        "something new",
    ],
    "colour": "red",
}


def lines(capsys: pytest.CaptureFixture[str]) -> list[list[str]]:
    return [line.split() for line in capsys.readouterr().out.splitlines()]


def test_a_share_has_a_line_for_each_thing_that_is_known(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_share(SHARE)
    assert lines(capsys) == [
        ["id", "share-1"],
        ["status", "revoked"],
        ["title", "For", "the", "board"],
        ["colour", "red"],
        ["created", "2026-11-02", "12:00"],
        ["revoked", "2026-11-03", "12:00", "by", "jane,", "reason:", "-"],
        ["resource", "study", "1.2.3"],
        ["resource", "-"],
        ["resource", "something", "new"],
    ]


def test_a_share_without_resources_can_be_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_share({"id": "share-1", "revoked": None})
    assert lines(capsys) == [["id", "share-1"]]


def test_a_limit_stands_beside_the_openings(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_shares([{"id": "a", "opened": 2, "max-openings": 3}, {"id": "b"}])
    _, first, second = lines(capsys)
    assert (first[0], first[-1]) == ("a", "2/3")
    assert (second[0], second[-1]) == ("b", "-")


def test_events_are_shown_with_their_details(
    capsys: pytest.CaptureFixture[str],
) -> None:
    at = "2026-11-02T12:00:00+00:00"
    known = {"event": "changed", "actor": "jane", "address": "::1", "reason": "lost"}
    print_events([{"at": at, **known, "details": {"a": 1, "b": True}}, {"at": at}])
    _, first, second = lines(capsys)
    assert first[2:] == ["changed", "jane", "::1", "lost", "a=1,", "b=yes"]
    assert second == ["2026-11-02", "12:00", *"-----"]


def test_an_event_may_have_no_details(capsys: pytest.CaptureFixture[str]) -> None:
    print_events([{"event": "opened", "details": {}}])
    assert lines(capsys)[1] == ["-", "opened", *"----"]


def test_an_end_may_be_never() -> None:
    assert expiry({"expires": None}) == "never"
    assert expiry({"expires": "2026-11-02T12:00:00Z"}) == "2026-11-02 12:00 UTC"
