"""Brings a database to the schema of this code, once, whoever comes first."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from orthanc_share.domain.errors import ConfigurationError
from orthanc_share.store import locking
from orthanc_share.store.database import Database
from orthanc_share.store.errors import StoreUnavailableError

MIGRATION_LOCK = 0x6F72_7468_7368_6172
"""Number of the advisory lock on PostgreSQL: the letters `orthshar`."""

NEWER = (
    "DATABASE_URL: the database was written by a newer version of orthanc-share"
    " (schema {}); install that version or restore the backup made before it"
)
"""Why a service does not start."""

FORBIDDEN = "DATABASE_URL: its user may not create or change tables in the database"
"""Why a service does not start."""

REFUSED = "DATABASE_URL: the server refuses this user, password or database name"
"""Why a service does not start."""

OLDER = "DATABASE_URL: the database is of an older version; run `orthanc-share migrate`"
"""Why a service that may not migrate does not start."""


_REFUSALS = ("28000", "28P01", "3D000")  # SQLSTATE; PostgreSQL, appendix A
# No lock of a table is waited for so long, but this one as long as it takes.
_WAIT_FOR_TURN = text(
    "SELECT set_config('lock_timeout', '0', true),"
    f" pg_advisory_xact_lock({MIGRATION_LOCK})"
)


def alembic_config() -> Config:
    """Return the settings of Alembic; there is no file of them."""
    config = Config()
    config.set_main_option("script_location", "orthanc_share.store:migrations")
    config.set_main_option("path_separator", "os")
    return config


async def prepare(database: Database, *, migrate: bool) -> None:
    """Make the database ready for this code.

    Args:
        database: Where; an SQLite file is made if it is not there.
        migrate: Whether the schema may be changed.

    Raises:
        ConfigurationError: The schema is newer than this code, or older and it may
            not be changed, or the file cannot be made.
        StoreUnavailableError: The database cannot be reached.
    """
    try:
        async with _alone(database), database.write() as connection:
            if not database.is_sqlite:
                await connection.execute(_WAIT_FOR_TURN)
            await connection.run_sync(_upgrade if migrate else _check)
    except ProgrammingError:
        raise ConfigurationError([FORBIDDEN]) from None
    except StoreUnavailableError as error:
        if _sqlstate(error.__cause__) in _REFUSALS:
            raise ConfigurationError([REFUSED]) from None
        raise


def _sqlstate(error: BaseException | None) -> str | None:
    """Return the code of what PostgreSQL said."""
    return (
        getattr(error.orig, "sqlstate", None) if isinstance(error, DBAPIError) else None
    )


@asynccontextmanager
async def _alone(database: Database) -> AsyncIterator[None]:
    """Keep other processes from the file; PostgreSQL has a lock of its own."""
    with ExitStack() as stack:
        if database.is_sqlite:
            await asyncio.to_thread(_lock_file, database, stack)
        yield


def _lock_file(database: Database, stack: ExitStack) -> None:
    path = Path(str(database.engine.url.database))
    try:
        locking.make_private(path)
        stack.enter_context(locking.held(path.with_name(f"{path.name}.lock")))
    except OSError as error:
        raise ConfigurationError(
            [f"DATABASE_URL: the file cannot be made or opened: {error.strerror}"]
        ) from None


def _revisions(connection: Connection) -> tuple[str | None, ScriptDirectory]:
    """Return the schema of the database and those that this code knows.

    Raises:
        ConfigurationError: The schema is none of those.
    """
    scripts = ScriptDirectory.from_config(alembic_config())
    current = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in scripts.walk_revisions()}
    if current is not None and current not in known:
        raise ConfigurationError([NEWER.format(current)])
    return current, scripts


def _check(connection: Connection) -> None:
    current, scripts = _revisions(connection)
    if current != scripts.get_current_head():
        raise ConfigurationError([OLDER])


def _upgrade(connection: Connection) -> None:
    current, scripts = _revisions(connection)
    if current != scripts.get_current_head():
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
