"""Every test of the store runs on SQLite and on a real PostgreSQL."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from orthanc_share.store.store import Store, migrate_database, open_store
from orthanc_share.store.tables import metadata
from tests.support.postgres import PostgreSQL, running_postgres

_TABLES = ", ".join(metadata.tables)
_EMPTY = f"""
SET session_replication_role = replica; TRUNCATE {_TABLES};
INSERT INTO audit_head VALUES (1, 0, decode(repeat('00', 32), 'hex'))
"""  # noqa: S608


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgreSQL]:
    """Run one server for all tests."""
    with running_postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest) -> str:
    """Return which database the test runs on."""
    name: str = request.param
    return name


@pytest.fixture
def new_url(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the address of a database of this test alone, without any table."""
    if engine == "sqlite":
        return f"sqlite:///{tmp_path / 'registry.sqlite'}"
    server: PostgreSQL = request.getfixturevalue("postgres")
    return server.new_database()


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an empty registry of SQLite, to copy."""
    path = tmp_path_factory.mktemp("store") / "empty.sqlite"
    asyncio.run(migrate_database(f"sqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def migrated_database(postgres: PostgreSQL) -> str:
    """Return the address of a registry on PostgreSQL, to empty."""
    address = postgres.new_database()
    asyncio.run(migrate_database(address))
    return address


@pytest.fixture
def url(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the address of an empty registry, which is faster than a new one."""
    if engine == "sqlite":
        path = tmp_path / "registry.sqlite"
        shutil.copy(request.getfixturevalue("migrated_file"), path)
        return f"sqlite:///{path}"
    address: str = request.getfixturevalue("migrated_database")
    server: PostgreSQL = request.getfixturevalue("postgres")
    server.sql(address.rpartition("/")[2], _EMPTY)
    return address


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    """Open an empty store."""
    async with open_store(url) as opened:
        yield opened
