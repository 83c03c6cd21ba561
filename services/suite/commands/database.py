"""Commands that work on the database itself, with token-service's settings for it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from orthanc_share.domain.errors import ConfigurationError
from orthanc_share.store.errors import StoreUnavailableError
from orthanc_share.store.store import Store, migrate_database, open_store
from orthanc_share.store.urls import parse_url
from suite.commands.output import say
from suite.commands.running import run, told
from token_service.registry_settings import RegistrySettings
from token_service.settings import TokenServiceSettings


def migrate() -> None:
    """Bring the database up to date, or make it; a service does the same at start."""
    with told():
        settings = RegistrySettings.load()
        try:
            settings.make_data_dir()
        except OSError as error:
            problem = f"DATA_DIR: cannot be made ({error.strerror})"
            raise ConfigurationError([problem]) from None
    run(migrate_database(settings.registry_options().url))
    say("The database is up to date.")


def prepare_database() -> None:
    """Bring the database up to date before anything is served.

    One that cannot be reached is tried again by the service itself.

    Raises:
        ConfigurationError: It does not fit this code.
    """
    settings = TokenServiceSettings.load()
    if not settings.registry:
        return
    with suppress(StoreUnavailableError):
        asyncio.run(migrate_database(settings.registry_options().url))


def sqlite_file(settings: RegistrySettings) -> Path | None:
    """Return the database's file; None: it is on PostgreSQL.

    Raises:
        ConfigurationError: The address is none of a database.
    """
    url = parse_url(settings.registry_options().url)
    is_file = url.drivername.startswith("sqlite")
    return Path(str(url.database)) if is_file else None


@asynccontextmanager
async def opened(settings: RegistrySettings) -> AsyncIterator[Store]:
    """Open the database as it is: nothing is made, nothing is migrated.

    Raises:
        ConfigurationError: There is none, or it does not fit this code.
        StoreUnavailableError: It cannot be reached.
    """
    file = sqlite_file(settings)
    if file is not None and not file.exists():
        problem = "DATABASE_URL: there is no database; is DATA_DIR the right folder?"
        raise ConfigurationError([problem])
    options = settings.registry_options()
    async with open_store(
        options.url,
        migrate=False,
        audit_key=options.audit_key,
        study_key=options.study_key,
    ) as store:
        yield store
