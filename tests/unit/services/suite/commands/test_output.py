"""What stands at a terminal, and in a file."""

import os
import pty
import sys
from collections.abc import Callable

import pytest

from suite.commands.output import NONE, moment, print_table, shown, waiting

LONG = "x" * 300


def at_a_terminal(
    monkeypatch: pytest.MonkeyPatch, stream: str, work: Callable[[], None]
) -> str:
    """Return what a terminal of 80 columns gets of a standard stream."""
    ours, theirs = pty.openpty()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("NO_COLOR", raising=False)
    with os.fdopen(theirs, "w", encoding="utf-8") as screen:
        monkeypatch.setattr(sys, stream, screen)
        work()
        monkeypatch.undo()
    try:
        return _all(ours)
    finally:
        os.close(ours)


def _all(descriptor: int) -> str:
    shown = b""
    while True:
        try:
            shown += os.read(descriptor, 4096)
        except OSError:  # the other end is closed
            return shown.decode()


def table() -> None:
    print_table(("id", "title"), [("share-1", LONG)])


def test_a_table_at_a_terminal_is_folded_under_bold_heads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = at_a_terminal(monkeypatch, "stdout", table)
    assert "\x1b[1m" in text
    assert text.count("x") == len(LONG)
    assert LONG not in text


def test_a_table_in_a_file_has_a_line_for_each_row(
    capsys: pytest.CaptureFixture[str],
) -> None:
    table()
    assert capsys.readouterr().out.splitlines() == [
        "id       title".ljust(len(LONG) + 9),
        f"share-1  {LONG}",
    ]


def work() -> None:
    with waiting("Events") as progress:
        for _ in range(250):
            progress.step()
    assert progress.count == 250


def test_who_waits_at_a_terminal_sees_how_far_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "Events: 200" in at_a_terminal(monkeypatch, "stderr", work)


def test_a_line_for_the_person_stands_whole_above_the_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def told() -> None:
        with waiting("Shares") as progress:
            progress.tell("first")
            progress.tell(LONG)

    shown = at_a_terminal(monkeypatch, "stderr", told)
    assert f"\r\x1b[2K{LONG}\r\n" in shown


def test_where_data_shows_how_far_it_is_nothing_stands_in_between(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours, theirs = pty.openpty()

    def both() -> None:
        with os.fdopen(theirs, "w", encoding="utf-8") as screen:
            monkeypatch.setattr(sys, "stdout", screen)
            with waiting("Events", with_data=True) as progress:
                for _ in range(100):
                    progress.step()

    assert at_a_terminal(monkeypatch, "stderr", both) == ""
    assert _all(ours) == ""
    os.close(ours)


def test_nothing_of_the_waiting_reaches_a_file(
    capsys: pytest.CaptureFixture[str],
) -> None:
    work()
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-11-02T13:30:00+01:00", "2026-11-02 12:30"),
        ("soon", "soon"),
        ("\x1b[2J", "\N{REPLACEMENT CHARACTER}[2J"),
        (None, NONE),
        (7, "7"),
    ],
)
def test_an_instant_is_shown_in_utc_and_anything_else_as_it_is(
    value: object, expected: str
) -> None:
    assert moment(value) == expected


@pytest.mark.parametrize(("value", "word"), [(True, "yes"), (False, "no")])
def test_yes_and_no_are_words(value: object, word: str) -> None:
    assert shown(value) == word
