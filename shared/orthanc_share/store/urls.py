"""`DATABASE_URL`: which databases can be used, and how they are named."""

from sqlalchemy import URL
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from orthanc_share.domain.errors import ConfigurationError

DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
}
"""Scheme of the URL to the driver that is used for it."""

POSTGRESQL_OPTIONS = {
    "host": "host",
    "port": "port",
    "ssl": "ssl",
    "sslmode": "ssl",
    "prepared_statement_cache_size": "prepared_statement_cache_size",
}
"""Option of the URL to the driver's name for it; libpq says `sslmode`."""


def parse_url(text: str) -> URL:
    """Return the address of the database, with the driver that is used for it.

    Raises:
        ConfigurationError: Not a URL of SQLite or PostgreSQL, an option that is not
            known, or a database that forgets everything. The text never says the
            value, which may hold a password.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise _wrong("not a database URL") from None
    driver = DRIVERS.get(url.drivername)
    if driver is None:
        raise _wrong("must begin with sqlite:// or postgresql://")
    url = url.set(drivername=driver)
    return _sqlite(url) if driver.startswith("sqlite") else _postgresql(url)


def _wrong(problem: str) -> ConfigurationError:
    return ConfigurationError([f"DATABASE_URL: {problem}"])


def _sqlite(url: URL) -> URL:
    if url.query:
        raise _wrong("SQLite takes no options")
    if not url.database or url.database == ":memory:":
        raise _wrong("a database in memory would forget the shares; name a file")
    return url


def _postgresql(url: URL) -> URL:
    unknown = sorted(set(url.query) - set(POSTGRESQL_OPTIONS))
    if unknown:
        raise _wrong(f"unknown option {unknown[0]!r}")
    return url.set(
        query={POSTGRESQL_OPTIONS[name]: value for name, value in url.query.items()}
    )
