"""Commands on the database itself, on SQLite and on a real PostgreSQL."""

import asyncio
import csv
import io
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from orthanc_share.store.records import Event, EventKind, Origin
from orthanc_share.store.store import open_store
from tests.support.postgres import PostgreSQL, running_postgres
from tests.unit.services.suite.commands.calling import call, refused

START = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
STUDY = "1.2.276.0.99.1"
AUDIT_KEY = "wQ7mZ2rXc9LtK4vB8nY1sHd6GfUp3EaJ"  # made up, for tests only


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgreSQL]:
    with running_postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def url(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, site: Path
) -> str:
    """Return the address of the site's database, which `migrate` has made."""
    if request.param == "sqlite":
        address = f"sqlite:///{site / 'data' / 'orthanc-share.sqlite'}"
    else:
        server: PostgreSQL = request.getfixturevalue("postgres")
        address = server.new_database()
        monkeypatch.setenv("DATABASE_URL", address)
    assert call("migrate").exit_code == 0
    return address


def record(url: str, *events: Event, key: bytes | None = None) -> None:
    async def write() -> None:
        async with open_store(url, audit_key=key) as store:
            await store.audit.record(*events)

    asyncio.run(write())


def event(number: int, **members: Any) -> Event:
    origin = Origin("jane", "192.0.2.7", "=HYPERLINK(1)")
    values: dict[str, Any] = {
        "kind": EventKind.OPENED,
        "at": START + timedelta(hours=number),
        "share_id": f"share-{number}",
        "origin": origin,
        "studies": (STUDY,),
    }
    return Event(**values | members)


def lines(*arguments: str) -> list[dict[str, Any]]:
    result = call("audit", "export", "--database", *arguments)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_migrating_twice_changes_nothing(url: str) -> None:
    record(url, event(1))
    result = call("migrate")
    assert (result.exit_code, result.stdout) == (0, "The database is up to date.\n")
    assert len(lines()) == 1


def test_the_folder_of_a_new_database_is_for_its_owner_alone(site: Path) -> None:
    assert call("migrate").exit_code == 0
    folder = site / "data"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "orthanc-share.sqlite").stat().st_mode & 0o777 == 0o600


def test_migrate_needs_no_setting_of_the_services(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("SECRET_KEY", "USERS"):
        monkeypatch.delenv(name)
    assert call("migrate").exit_code == 0


def test_a_folder_that_cannot_be_made_is_told(
    monkeypatch: pytest.MonkeyPatch, site: Path
) -> None:
    (site / "file").touch()
    monkeypatch.setenv("DATA_DIR", str(site / "file" / "data"))
    said = refused("migrate")
    assert said == "DATA_DIR: cannot be made (Not a directory)\n"


@pytest.mark.parametrize("command", [["migrate"], ["audit", "verify", "--database"]])
def test_a_database_that_is_not_there_is_told_without_its_password(
    command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:canary@127.0.0.1:1/x")
    said = refused(*command)
    assert said == "The database cannot be reached at the moment.\n"


@pytest.mark.parametrize("command", ["export", "verify"])
def test_what_reads_makes_no_database(command: str, site: Path) -> None:
    said = refused("audit", command, "--database")
    assert said.startswith("DATABASE_URL: there is no database; is DATA_DIR")
    assert not (site / "data").exists()


def test_events_come_out_as_lines_of_json(url: str) -> None:
    record(url, event(1, reason="because", details={"left": 2}), event(2))
    first, second = lines()
    assert first == {
        "seq": 1,
        "at": "2026-11-02T13:00:00+00:00",
        "event": "opened",
        "share": "share-1",
        "actor": "jane",
        "address": "192.0.2.7",
        "user-agent": "=HYPERLINK(1)",
        "studies": [STUDY],
        "reason": "because",
        "details": {"left": 2},
        "hash": first["hash"],
    }
    assert len(first["hash"]) == 64
    assert second["seq"] == 2


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), [1, 2, 3]),
        (("--since", "2026-11-02T14:00"), [2, 3]),
        (("--until", "2026-11-02T14:00Z"), [1]),
        (("--until", "2026-11-02T15:00+01:00"), [1]),
        (("--share", "share-2"), [2]),
        (("--study", STUDY), [1, 2]),
    ],
)
def test_events_are_chosen(
    url: str, options: tuple[str, ...], expected: list[int]
) -> None:
    record(url, event(1), event(2), event(3, studies=()))
    assert [line["seq"] for line in lines(*options)] == expected


def test_a_spreadsheet_gets_no_formula(url: str) -> None:
    record(url, event(1, details={"a": 1}, share_id="-x", reason="@x"))
    result = call("audit", "export", "--database", "--format", "csv")
    (row,) = csv.DictReader(io.StringIO(result.stdout))
    assert row["user-agent"] == "'=HYPERLINK(1)"
    assert (row["share"], row["reason"]) == ("'-x", "'@x")
    assert (row["studies"], row["details"]) == (STUDY, "a=1")
    assert (row["seq"], row["actor"]) == ("1", "jane")


def test_the_number_of_events_is_told_beside_them(url: str) -> None:
    record(url, event(1))
    assert call("audit", "export", "--database").stderr == "1 event.\n"
    record(url, event(2))
    assert call("audit", "export", "--database").stderr == "2 events.\n"


def test_many_events_come_out_whole(url: str) -> None:
    record(url, *(event(number) for number in range(2500)))
    assert [line["seq"] for line in lines()] == [*range(1, 2501)]


def test_a_reader_that_goes_away_gets_no_trace(url: str) -> None:
    record(url, *(event(number) for number in range(2500)))
    done = subprocess.run(  # noqa: S602 - a pipe, as a person would make it
        f"{sys.executable} -m suite audit export --database | head -n 1",
        shell=True,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ,
    )
    assert json.loads(done.stdout)["seq"] == 1
    assert "Traceback" not in done.stderr
    assert "Error" not in done.stderr


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", ""])
def test_an_instant_that_is_none_is_refused(text: str) -> None:
    said = refused("audit", "export", "--since", text)
    assert said.startswith("--since should be ISO 8601")


def test_a_trail_as_it_was_written_is_intact(url: str) -> None:
    record(url, event(1), event(2))
    result = call("audit", "verify", "--database")
    assert result.exit_code == 0
    first, second = result.stdout.splitlines()
    assert first == "Intact: 2 events."
    anchor = second.removeprefix("anchor ")
    record(url, event(3))
    assert call("audit", "verify", "--database", "--anchor", anchor).exit_code == 0
    answer = json.loads(call("audit", "verify", "--database", "--json").stdout)
    assert answer["intact"] is True
    assert answer["events"] == 3
    assert answer["anchor"].startswith("3:")


def change(site: Path, statement: str) -> None:
    """Change the file of SQLite as somebody would who has access to it."""
    file = site / "data" / "orthanc-share.sqlite"
    with closing(sqlite3.connect(file)) as database, database:
        guards = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        for (name,) in database.execute(guards).fetchall():
            database.execute(f"DROP TRIGGER {name}")
        database.execute(statement)


@pytest.fixture
def written(site: Path) -> str:
    """Return the address of a database on SQLite with three events."""
    assert call("migrate").exit_code == 0
    address = f"sqlite:///{site / 'data' / 'orthanc-share.sqlite'}"
    record(address, event(1), event(2), event(3))
    return address


@pytest.mark.usefixtures("written")
def test_a_changed_event_is_found_where_it_is(site: Path) -> None:
    change(site, "UPDATE audit_event SET actor = 'mallory' WHERE seq = 2")
    result = call("audit", "verify", "--database")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("Broken at event 2: an event was changed")
    answer = call("audit", "verify", "--database", "--json")
    assert answer.exit_code == 1
    assert json.loads(answer.stdout)["seq"] == 2


@pytest.mark.usefixtures("written")
def test_a_removed_event_is_found(site: Path) -> None:
    change(site, "DELETE FROM audit_event WHERE seq = 2")
    assert "Broken at event 2" in refused("audit", "verify", "--database", status=1)


def test_a_trail_written_anew_is_found_by_its_anchor(written: str, site: Path) -> None:
    anchor = json.loads(call("audit", "verify", "--database", "--json").stdout)[
        "anchor"
    ]
    file = site / "data" / "orthanc-share.sqlite"
    for path in file.parent.iterdir():
        path.unlink()
    assert call("migrate").exit_code == 0
    record(written, event(1), event(2), event(4), event(5))
    assert call("audit", "verify", "--database").exit_code == 0
    said = refused("audit", "verify", "--database", "--anchor", anchor, status=1)
    assert "Broken at event 3: an event that was noted is another." in said


def test_a_trail_with_a_key_cannot_be_judged_without_it(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(url, event(1), key=AUDIT_KEY.encode())
    said = refused("audit", "verify", "--database", status=1)
    assert said.endswith("Without AUDIT_KEY here: does token-service have one?\n")
    monkeypatch.setenv("AUDIT_KEY", AUDIT_KEY)
    assert call("audit", "verify", "--database").exit_code == 0


def test_with_a_key_a_broken_trail_is_just_broken(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDIT_KEY", AUDIT_KEY)
    record(url, event(1))
    assert "AUDIT_KEY" not in refused("audit", "verify", "--database", status=1)


@pytest.mark.parametrize("anchor", ["", "1", f"x:{'0' * 64}", f"1:{'0' * 63}", "1:zz"])
def test_an_anchor_that_is_none_is_refused(anchor: str) -> None:
    said = refused("audit", "verify", "--database", "--anchor", anchor)
    assert said == "--anchor should be number:hash, as an earlier run printed it.\n"


@pytest.mark.usefixtures("written")
def test_a_database_of_an_older_version_is_not_changed_by_reading(site: Path) -> None:
    change(site, "DELETE FROM alembic_version")
    said = refused("audit", "verify", "--database")
    assert "run `orthanc-share migrate`" in said
