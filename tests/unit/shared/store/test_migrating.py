"""A database is brought up to date once, and never a newer one."""

import asyncio
import sys
from asyncio.subprocess import Process
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.exc import ProgrammingError

from orthanc_share.domain.errors import ConfigurationError
from orthanc_share.store.audit import AuditTrail
from orthanc_share.store.database import connect
from orthanc_share.store.migrating import FORBIDDEN, OLDER, REFUSED, alembic_config
from orthanc_share.store.records import View
from orthanc_share.store.shares import Shares
from orthanc_share.store.store import Store, migrate_database, open_store
from orthanc_share.store.tables import metadata
from orthanc_share.store.urls import parse_url
from orthanc_share.store.verifying import Intact
from tests.support.postgres import PostgreSQL
from tests.unit.shared.store.samples import DOCTOR, NOW, create, new_share, run_sql

pytestmark = pytest.mark.anyio


async def test_the_migrations_make_what_the_tables_say(store: Store) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection)
        return list(compare_metadata(context, metadata))

    async with store.database.read() as connection:
        assert await connection.run_sync(differences) == []


async def _migrate(url: str) -> Process:
    """Start a process that brings a database up to date."""
    program = (
        "import asyncio, sys; from orthanc_share.store.store import migrate_database;"
        " asyncio.run(migrate_database(sys.argv[1]))"
    )
    return await asyncio.create_subprocess_exec(sys.executable, "-c", program, url)


async def test_two_that_start_at_once_migrate_once(new_url: str) -> None:
    processes = [await _migrate(new_url) for _ in range(2)]
    assert [await one.wait() for one in processes] == [0, 0]
    async with open_store(new_url, migrate=False) as store:
        await create(store)


async def test_two_that_start_at_once_bring_an_older_one_up_to_date_with_all_it_has(
    new_url: str,
) -> None:
    share_id = await _older(new_url)
    with pytest.raises(ConfigurationError):
        async with open_store(new_url, migrate=False):
            pass
    processes = [await _migrate(new_url) for _ in range(2)]
    assert [await one.wait() for one in processes] == [0, 0]
    async with open_store(new_url, migrate=False) as store:
        kept = await store.shares.get(share_id)
        assert (kept.creator, kept.title) == ("account:doctor", "from before")
        await store.openings.count([], [View("view", share_id, NOW)])
        assert (await store.shares.get(share_id)).opened == 1
        assert isinstance(await store.verify_audit(), Intact)


async def _older(url: str) -> str:
    """Make a database as the first version did, with a share; return its id."""

    def upgrade(connection: Connection) -> None:
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")

    database = connect(parse_url(url))
    async with database.write() as connection:
        await connection.run_sync(upgrade)
    new = new_share(title="from before")
    trail = AuditTrail(database)
    await Shares(database, trail).create(new, now=NOW, origin=DOCTOR)
    await database.close()
    return new.share.id


async def test_migrating_again_changes_nothing(new_url: str) -> None:
    async with open_store(new_url) as store:
        share_id = await create(store)
    await migrate_database(new_url)
    async with open_store(new_url) as store:
        await store.shares.get(share_id)


async def test_a_newer_database_stops_the_service(new_url: str) -> None:
    async with open_store(new_url) as store:
        await run_sql(store, "UPDATE alembic_version SET version_num = '9999'")
    for migrate in (True, False):
        with pytest.raises(ConfigurationError) as caught:
            async with open_store(new_url, migrate=migrate):
                pass
        (problem,) = caught.value.problems
        assert problem.startswith("DATABASE_URL: the database was written by a newer")
        assert "9999" in problem


async def test_an_older_database_stops_a_service_that_may_not_migrate(
    new_url: str,
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        async with open_store(new_url, migrate=False):
            pass
    assert caught.value.problems == (OLDER,)


async def test_a_file_that_cannot_be_made_stops_the_service(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        async with open_store(f"sqlite:///{tmp_path}/missing/registry.sqlite"):
            pass
    (problem,) = caught.value.problems
    assert problem.startswith("DATABASE_URL: the file cannot be made or opened")
    assert str(tmp_path) not in problem


async def test_only_its_owner_can_read_the_file(tmp_path: Path) -> None:
    path = tmp_path / "registry.sqlite"
    async with open_store(f"sqlite:///{path}") as store:
        await create(store)
        modes = _modes(tmp_path)
        assert len(modes) >= 3
        assert set(modes) == {0o600}


def _modes(folder: Path) -> list[int]:
    return [path.stat().st_mode & 0o777 for path in folder.iterdir()]


async def test_a_user_without_rights_stops_the_service(postgres: PostgreSQL) -> None:
    url = postgres.new_database()
    name = url.rpartition("/")[2]
    postgres.sql(name, f"CREATE USER {name} PASSWORD 'secret'")
    for user, password, expected in (
        (name, "secret", FORBIDDEN),
        (name, "wrong", REFUSED),
        ("nobody", "wrong", REFUSED),
    ):
        with pytest.raises(ConfigurationError) as caught:
            async with open_store(postgres.url(name, user=user, password=password)):
                pass
        assert caught.value.problems == (expected,)
    with pytest.raises(ConfigurationError) as caught:
        async with open_store(postgres.url("missing")):
            pass
    assert caught.value.problems == (REFUSED,)


async def test_a_server_that_acknowledges_too_early_is_told_not_to(
    postgres: PostgreSQL,
) -> None:
    url = postgres.new_database()
    name = url.rpartition("/")[2]
    postgres.sql(name, f"ALTER DATABASE {name} SET synchronous_commit = off")
    async with open_store(url) as store, store.database.read() as connection:
        asked = await connection.exec_driver_sql("SHOW synchronous_commit")
        assert asked.scalar_one() == "on"


async def test_a_mistake_of_ours_is_not_called_unavailable(
    postgres: PostgreSQL,
) -> None:
    async with open_store(postgres.new_database()) as store:
        with pytest.raises(ProgrammingError):
            await run_sql(store, "SELECT * FROM no_such_table")
