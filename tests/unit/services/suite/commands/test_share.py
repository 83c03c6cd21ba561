"""`orthanc-share share` against a real token-service with its registry."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from orthanc_share.domain.clock import utc_now
from orthanc_share.domain.share import ShareType
from suite.commands import share, share_view
from tests.support.server import serve
from tests.support.settings import PUBLIC, token_service_settings
from tests.unit.services.suite.commands.calling import (
    LOGIN,
    at_terminal,
    call,
    process,
    refused,
)
from token_service.app import create_app

UID, OTHER_UID = "1.2.276.0.99.1", "1.2.276.0.99.2"
ORTHANC_ID = "11111111-22222222-33333333-44444444-55555555"
LONGEST = timedelta(days=90)
PIN = "four-words-are-better"
RECEIVER = "https://ris.example.org/opened"
KEY = "hT5wQz8LkP2vRx9JmN4cYb7GdS1fAe6U"  # made up, for tests only


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    settings = token_service_settings(
        registry=True,
        data_dir=tmp_path_factory.mktemp("data"),
        users={LOGIN[0]: LOGIN[1], "john": LOGIN[1]},
        max_share_duration=LONGEST,
        notify_key=SecretStr(KEY),
        notify_allowed_hosts=("ris.example.org",),
    )
    with serve(create_app(settings)) as base:
        yield base


@pytest.fixture(autouse=True)
def _caller(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORTHANC_SHARE_URL", address)
    monkeypatch.setenv("ORTHANC_SHARE_USER", LOGIN[0])
    monkeypatch.setenv("ORTHANC_SHARE_PASSWORD", LOGIN[1])


def made(*options: str, study: str = UID, given: str | None = None) -> dict[str, Any]:
    result = call("share", "create", study, "--json", *options, given=given)
    assert result.exit_code == 0, result.output
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def seen(share_id: str) -> dict[str, Any]:
    result = call("share", "show", share_id, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)["share"]
    return found


def listed(*options: str) -> list[str]:
    result = call("share", "list", "--json", *options)
    assert result.exit_code == 0, result.output
    return [json.loads(line)["id"] for line in result.stdout.splitlines()]


def is_near(text: str, expected: datetime) -> bool:
    """Tell whether an instant is the expected one, give or take a slow machine."""
    return abs(datetime.fromisoformat(text) - expected) < timedelta(minutes=5)


def test_a_link_is_made_and_printed_alone() -> None:
    result = call("share", "create", UID)
    assert result.exit_code == 0
    assert re.fullmatch(rf"{PUBLIC}/welcome/\?token=\S+\n", result.stdout)
    assert re.match(r"Share [\w-]{22}; the link works until: 20", result.stderr)
    assert "token=" not in result.stderr


def test_everything_can_be_asked_for() -> None:
    answer = made(
        *("--type", "ohif-viewer-publication", "--title", "For the board"),
        *("--label", "case-7", "--max-openings", "3", "--password"),
        *("--not-before", "2027-01-01", "--for", "89d"),
        given=f"{PIN}\nnot read\n",
    )
    kept = seen(answer["share-id"])
    expected = {
        "type": "ohif-viewer-publication",
        "title": "For the board",
        "label": "case-7",
        "max-openings": 3,
        "has-password": True,
        "not-before": "2027-01-01T00:00:00+00:00",
        "creator": LOGIN[0],
    }
    assert {name: kept[name] for name in expected} == expected
    assert is_near(answer["expires"], utc_now() + timedelta(days=89))
    assert PIN not in str(answer)


def test_several_studies_can_be_named_by_either_id() -> None:
    result = call(
        *("share", "create", UID, ORTHANC_ID, "--json"),
        *("--type", "viewer-instant-link"),
    )
    kept = seen(json.loads(result.stdout)["share-id"])
    ids = [(one["dicom-uid"], one["orthanc-id"]) for one in kept["resources"]]
    assert ids == [(UID, None), (None, ORTHANC_ID)]


def test_where_the_caller_builds_the_link_the_token_is_printed() -> None:
    options = ("--type", "viewer-instant-link")
    answer = made(*options)
    assert answer["url"] is None
    assert answer["token"].startswith("eyJ")
    result = call("share", "create", UID, *options)
    assert result.stdout.startswith("eyJ")
    assert "the token works until" in result.stderr


def test_a_link_with_an_address_does_not_repeat_its_token() -> None:
    assert "token" not in made()


def test_an_end_can_be_an_instant() -> None:
    soon = (utc_now() + timedelta(days=5)).replace(hour=0, minute=0, second=0)
    answer = made("--expires", f"{soon:%Y-%m-%d}")
    assert datetime.fromisoformat(answer["expires"]) == soon


def test_what_the_site_cuts_off_is_told() -> None:
    longest = utc_now() + LONGEST
    assert is_near(made("--expires", "never")["expires"], longest)
    assert is_near(made("--for", "200d")["expires"], longest)


def test_who_is_told_of_openings_can_be_named() -> None:
    answer = made("--notify", RECEIVER)
    assert seen(answer["share-id"])["notify-host"] == "ris.example.org"
    said = refused("share", "create", UID, "--notify", "https://x.example/", status=1)
    assert said == "Notices to this host are not allowed here.\n"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--for", "1d", "--expires", "2027-01-01"), "Give --expires or --for, not"),
        (("--for", "0"), "--for should be longer than nothing"),
        (("--for", "60000d"), "--for should be longer than nothing and at most"),
        (("--for", "soon"), "--for should be a number with s, m, h, d or w"),
        (("--expires", "soon"), "--expires should be ISO 8601"),
        (("--not-before", "soon"), "--not-before should be ISO 8601"),
        (("--password",), "--password reads a line of standard input, which is empty"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(
    options: tuple[str, ...], expected: str
) -> None:
    said = refused("share", "create", UID, *options)
    assert said.startswith(expected)
    assert said.count("\n") == 1


def test_what_is_no_study_is_refused() -> None:
    said = refused("share", "create", "DOE^JANE")
    assert said == "A study is a StudyInstanceUID or an Orthanc id.\n"


@pytest.mark.parametrize(
    ("options", "given", "expected"),
    [
        (("--expires", "2020-01-01"), None, "The expiry lies in the past."),
        (("--password",), "short", "password: "),
        (("--anonymized",), None, "This site does not offer anonymized shares."),
    ],
)
def test_what_the_service_refuses_has_its_words(
    options: tuple[str, ...], given: str | None, expected: str
) -> None:
    said = refused("share", "create", UID, *options, given=given, status=1)
    assert said.startswith(expected)
    assert said.count("\n") == 1


def test_a_list_is_a_table_for_people() -> None:
    title = "[bold]not bold[/] Größe"
    share_id = made("--title", title, "--max-openings", "2")["share-id"]
    done = process("share", "list", "--text", "Größe")
    assert done.status == 0
    head, row = done.stdout.splitlines()
    assert head.split() == [*share_view.COLUMNS]
    assert row.split()[0] == share_id
    assert title in row
    assert "0/2" in row
    assert "\x1b" not in done.stdout


def test_a_list_can_be_narrowed_and_sorted() -> None:
    study = "1.2.276.0.99.77"
    soon, late = (
        made("--for", span, study=study)["share-id"] for span in ("1d", "50d")
    )
    assert listed("--study", study, "--sort", "expires") == [late, soon]
    by_end = ("--sort", "expires", "--order", "asc")
    assert listed("--study", study, *by_end) == [soon, late]
    assert listed("--study", study, "--limit", "1", *by_end) == [soon]
    assert listed("--study", study, "--creator", "john") == []
    assert listed("--study", study, "--status", "active", *by_end) == [soon, late]
    assert listed("--study", study, "--status", "revoked") == []


def test_a_list_goes_on_over_all_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    study = "1.2.276.0.99.78"
    expected = [made(study=study)["share-id"] for _ in range(5)]
    monkeypatch.setattr("orthanc_share.upstream.management.PAGE", 2)
    assert sorted(listed("--study", study)) == sorted(expected)
    monkeypatch.setattr(share, "LIST_LENGTH", 3)
    result = call("share", "list", "--study", study)
    assert len(result.stdout.splitlines()) == 4
    assert result.stderr.startswith("These are the first 3; --limit shows more")
    result = call("share", "list", "--study", study, "--limit", "5")
    assert len(result.stdout.splitlines()) == 6
    assert result.stderr == ""


def test_a_share_is_shown_with_what_happened_to_it() -> None:
    share_id = made("--title", "Seen")["share-id"]
    assert call("share", "extend", share_id, "--for", "2d").exit_code == 0
    result = call("share", "show", share_id)
    assert result.exit_code == 0
    assert re.search(r"^title +Seen *$", result.stdout, re.MULTILINE)
    assert re.search(rf"^resource +study {UID} *$", result.stdout, re.MULTILINE)
    assert re.search(r"^20\S+ \S+ +created +jane ", result.stdout, re.MULTILINE)
    assert "token" not in result.stdout
    shorter = call("share", "show", share_id, "--events", "1")
    assert "changed" in shorter.stdout
    assert shorter.stderr == "There are more than 1 events; --events shows more.\n"
    without = call("share", "show", share_id, "--events", "0")
    assert "changed" not in without.stdout


def test_a_share_for_programs_has_its_events_beside() -> None:
    share_id = made()["share-id"]
    answer = json.loads(call("share", "show", share_id, "--json").stdout)
    assert answer["share"]["id"] == share_id
    assert [event["event"] for event in answer["events"]] == ["created"]


@pytest.mark.parametrize("command", [["show"], ["revoke"], ["extend", "--for", "1d"]])
def test_a_share_that_is_not_there_is_told(command: list[str]) -> None:
    result = call("share", *command, "A" * 22)
    assert result.exit_code == 1
    assert "There is no share with this id." in result.stderr


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("--evnts", "There is no option --evnts."),
        ("--evnts=\x1b1", "There is no option --evnts."),
        ("-x", "There is no option -x."),
        ("a/b", "The id of a share has letters, digits, _ and - only."),
        ("", "The id of a share has letters, digits, _ and - only."),
    ],
)
def test_what_is_no_id_is_refused(given: str, expected: str) -> None:
    assert refused("share", "show", given) == f"{expected}\n"


@pytest.mark.parametrize("share_id", ["-" + "x" * 21, "--" + "x" * 20])
def test_an_id_may_begin_with_a_hyphen(share_id: str) -> None:
    said = refused("share", "show", share_id, status=1)
    assert said == "There is no share with this id.\n"


def test_a_share_can_be_extended_and_shortened() -> None:
    share_id = made("--for", "1d")["share-id"]
    result = call("share", "extend", share_id, "--until", "2026-12-31T12:00Z")
    expected = datetime(2026, 12, 31, 12, tzinfo=UTC)
    if expected < utc_now():
        pytest.fail("This test has come of age: choose a later instant.")
    assert result.stdout == f"{share_id} ends: {expected:%Y-%m-%d %H:%M} UTC.\n"
    result = call("share", "extend", share_id, "--for", "2h", "--json")
    changed = json.loads(result.stdout)
    assert is_near(changed["expires"], utc_now() + timedelta(hours=2))


def test_an_end_is_needed() -> None:
    said = refused("share", "extend", "A" * 22)
    assert said == "Say when it ends: --until or --for.\n"


def test_what_was_revoked_is_not_extended() -> None:
    share_id = made()["share-id"]
    assert call("share", "revoke", share_id).exit_code == 0
    said = refused("share", "extend", share_id, "--for", "1d", status=1)
    assert said == "The share was revoked; it cannot be changed.\n"


# Revoking


def test_one_share_is_revoked_without_a_question() -> None:
    share_id = made()["share-id"]
    result = call("share", "revoke", share_id, "--reason", "lost")
    assert (result.exit_code, result.stdout) == (0, "Revoked: 1.\n")
    revoked = seen(share_id)["revoked"]
    assert (revoked["by"], revoked["reason"]) == (LOGIN[0], "lost")
    assert call("share", "revoke", share_id).exit_code == 0  # once more does no harm


def test_many_shares_are_revoked_only_if_that_is_said() -> None:
    ids = [made()["share-id"] for _ in range(2)]
    said = refused("share", "revoke", *ids)
    assert said == "Revoke 2 shares? Nobody can be asked here: say --yes.\n"
    assert all(seen(one)["status"] == "active" for one in ids)
    result = call("share", "revoke", *ids, "--yes", "--json")
    assert json.loads(result.stdout) == {"revoked": 2, "dry-run": False}
    assert all(seen(one)["status"] == "revoked" for one in ids)


def test_ids_come_from_standard_input_too() -> None:
    ids = [made()["share-id"] for _ in range(2)]
    given = "\n".join([*ids, ids[0]])
    result = call("share", "revoke", "-", "--yes", given=given)
    assert result.stdout == "Revoked: 2.\n"


def test_what_is_not_there_does_not_keep_the_others() -> None:
    share_id = made()["share-id"]
    result = call("share", "revoke", "A" * 22, share_id, "--yes")
    assert result.exit_code == 1
    assert result.stdout == "Revoked: 1.\n"
    assert result.stderr == f"{'A' * 22}: There is no share with this id.\n"


def test_a_selection_is_counted_before_it_is_revoked() -> None:
    study = "1.2.276.0.99.79"
    ids = [made(study=study)["share-id"] for _ in range(2)]
    chosen = ("share", "revoke", "--study", study, "--creator", "jane")
    result = call(*chosen, "--dry-run")
    assert result.stdout == "2 shares would be revoked.\n"
    assert "say --yes" in refused(*chosen)
    assert {seen(one)["status"] for one in ids} == {"active"}
    result = call(*chosen, "--yes", "--reason", "wrong patient")
    assert result.stdout == "Revoked: 2.\n"
    assert {seen(one)["revoked"]["reason"] for one in ids} == {"wrong patient"}
    assert call(*chosen, "--yes").stdout == "Revoked: 0.\n"


def test_a_selection_of_one_needs_no_question() -> None:
    study = "1.2.276.0.99.80"
    made(study=study)
    chosen = ("share", "revoke", "--study", study)
    assert call(*chosen, "--dry-run").stdout == "1 share would be revoked.\n"
    assert call(*chosen).stdout == "Revoked: 1.\n"


def test_a_selection_by_time() -> None:
    study = "1.2.276.0.99.81"
    share_id = made(study=study)["share-id"]
    chosen = ("share", "revoke", "--study", study, "--created-before")
    assert call(*chosen, "2020-01-01").stdout == "Revoked: 0.\n"
    assert call(*chosen, "2120-01-01").stdout == "Revoked: 1.\n"
    assert seen(share_id)["status"] == "revoked"


def test_a_dry_run_of_ids_changes_nothing() -> None:
    active, revoked = (made()["share-id"] for _ in range(2))
    assert call("share", "revoke", revoked).exit_code == 0
    result = call("share", "revoke", active, revoked, "--dry-run")
    assert result.stdout == "1 share would be revoked.\n"
    assert seen(active)["status"] == "active"


@pytest.mark.parametrize("options", [[], ["A" * 22, "--creator", "jane"]])
def test_it_must_be_said_which(options: list[str]) -> None:
    assert refused("share", "revoke", *options).startswith("Say which: ids, or")


def test_who_reads_from_a_terminal_sees_that_shares_are_read() -> None:
    share_id = made()["share-id"]
    done = at_terminal("share", "list", "--json", answers={}, environ=SCREEN)
    assert share_id in done.stdout
    assert "Shares" in done.stderr
    assert share_id not in done.stderr


def test_who_revokes_many_sees_that_it_goes_on() -> None:
    share_id = made()["share-id"]
    command = ("share", "revoke", "A" * 22, share_id, "--yes")
    done = at_terminal(*command, answers={}, environ=SCREEN)
    assert (done.status, done.stdout) == (1, "Revoked: 1.\n")
    assert "Revoking shares" in done.stderr
    assert f"{'A' * 22}: There is no share with this id.\r\n" in done.stderr


SCREEN = {"TERM": "xterm"}
"""A terminal that can show how something goes on."""


# Who asks, and where


def test_a_wrong_password_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORTHANC_SHARE_PASSWORD", "canary")
    for command in (["list"], ["show", "A" * 22], ["revoke", "A" * 22]):
        said = refused("share", *command)
        assert said == "token-service does not accept this user and password.\n"


def test_the_password_can_be_in_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    file.write_text(f"{LOGIN[1]}\n", "utf-8")
    monkeypatch.delenv("ORTHANC_SHARE_PASSWORD")
    monkeypatch.setenv("ORTHANC_SHARE_PASSWORD_FILE", str(file))
    assert call("share", "list").exit_code == 0


def test_nobody_can_be_asked_for_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ORTHANC_SHARE_PASSWORD")
    assert refused("share", "list") == "ORTHANC_SHARE_PASSWORD is missing.\n"


def test_without_a_user_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ORTHANC_SHARE_USER")
    monkeypatch.delenv("ORTHANC_SHARE_PASSWORD")
    said = refused("share", "list")
    assert said == "token-service does not accept this user and password.\n"


def test_a_service_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORTHANC_SHARE_URL", "http://127.0.0.1:1")
    for command in (["list", "--json"], ["create", UID], ["revoke", "A" * 22]):
        assert refused("share", *command) == "token-service cannot be reached.\n"


def test_every_share_type_can_be_asked_for() -> None:
    for kind in ShareType:
        result = call("share", "create", UID, "--type", kind)
        assert result.exit_code in {0, 1}, result.output


# At a terminal


def environ() -> dict[str, str]:
    return {"ORTHANC_SHARE_USER": "", "ORTHANC_SHARE_PASSWORD": ""}


def test_who_asks_is_asked_for_at_a_terminal() -> None:
    answers = {"(none: just Enter):": LOGIN[0], f"Password of {LOGIN[0]}:": LOGIN[1]}
    done = at_terminal("share", "list", "--json", answers=answers, environ=environ())
    assert done.status == 0, done.stderr
    assert LOGIN[1] not in done.stderr + done.stdout


def test_the_links_password_is_asked_for_twice() -> None:
    answers = {
        "Password of the link:": PIN,
        "Repeat for confirmation:": PIN,
    }
    done = at_terminal("share", "create", UID, "--password", answers=answers)
    assert done.status == 0, done.stderr
    assert done.stdout.startswith(PUBLIC)
    assert PIN not in done.stderr + done.stdout


@pytest.mark.parametrize(
    ("answer", "status"), [("y", 0), ("Yes", 0), ("n", 1), ("", 1), ("yess", 1)]
)
def test_many_shares_are_revoked_after_a_question(
    answer: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("suite.commands.prompts.has_terminal", lambda: True)
    ids = [made()["share-id"] for _ in range(2)]
    result = call("share", "revoke", *ids, given=f"{answer}\n")
    assert result.exit_code == status
    assert result.stderr.startswith("Revoke 2 shares? [y/N]: ")
    assert ("Nothing was done." in result.stderr) is bool(status)
    expected = "active" if status else "revoked"
    assert {seen(one)["status"] for one in ids} == {expected}
