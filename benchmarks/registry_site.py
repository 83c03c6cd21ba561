"""Registries of sites: a young one, and one after years."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import process_time

from sqlalchemy import text

from orthanc_share.store.store import Store, open_store
from tests.unit.shared.store.bulk import fill
from tests.unit.shared.store.samples import NOW, create

FEW = 100
"""Shares of the young site."""

PAGE = 50
"""Shares or events of a page, and which page is deep."""

RARE = "singular"
"""A word of one share of each site."""

Cpu = Callable[[], float]
"""Returns processor time, in seconds."""


@dataclass(frozen=True)
class Site:
    """A registry.

    Args:
        store: Its store.
        deep: Cursor of its page 50, or of its last full one.
        cpu: Reads the processor time, in seconds, that it has used, and we with it.
    """

    store: Store
    deep: str
    cpu: Cpu


@asynccontextmanager
async def opened(url: str, shares: int, events: int) -> AsyncIterator[Site]:
    """Make a registry with so many shares and events in an empty database."""
    async with open_store(url) as store:
        await fill(store, shares, events)
        await create(store, title=RARE)
        await vacuum(store)
        backends = () if store.database.is_sqlite else _backends(url)
        yield Site(store, await _deep(store, shares), partial(_cpu, backends))


async def vacuum(store: Store) -> None:
    """Do what PostgreSQL does by itself before long, not while it is measured."""
    if not store.database.is_sqlite:
        engine = store.database.engine.execution_options(isolation_level="AUTOCOMMIT")
        async with engine.connect() as connection:
            await connection.execute(text("VACUUM ANALYZE"))


async def _deep(store: Store, shares: int) -> str:
    """Return the cursor of page 50, or of the last full one."""
    cursor: str | None = None
    for _ in range(min(PAGE, shares // PAGE) - 1):
        cursor = (await store.list_shares(now=NOW, limit=PAGE, cursor=cursor)).cursor
    return cursor or ""


def _backends(url: str) -> Sequence[Path]:
    """Return where the kernel tells of PostgreSQL's processes for a database."""
    name = url.rpartition("/")[2].encode()
    return [
        path.with_name("schedstat")
        for path in Path("/proc").glob("[0-9]*/cmdline")
        if name in path.read_bytes()
    ]


def _cpu(backends: Sequence[Path]) -> float:
    """Return the processor time of this process and of those of the database."""
    spent = sum(int(path.read_text("ascii").split()[0]) for path in backends)
    return process_time() + spent / 1e9
