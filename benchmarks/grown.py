"""The registry of a young site next to that of one after years, on both databases."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

from benchmarks.bench import Bench, WrongAnswerError
from benchmarks.plan import Plan
from benchmarks.report import Limit, QueryPlan, Report
from orthanc_share.store.audit import EventFilter
from orthanc_share.store.records import Retention, ShareStatus, Tally, View
from orthanc_share.store.selection import ShareFilter
from orthanc_share.store.store import Store, open_store
from tests.support.postgres import running_postgres
from tests.support.query_plans import recorded, steps
from tests.unit.shared.store.bulk import fill
from tests.unit.shared.store.samples import DOCTOR, NOW, VISITOR, create, new_share

FEW = 100
"""Shares of the young site."""

RATIO_MAX = 3.0
"""How many times slower the grown site may be."""

PAGE = 50
"""Shares or events of a page, and which page is deep."""

WARM_UP = 3
"""Times that everything is done before it is measured."""


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


@dataclass(frozen=True)
class Times:
    """What an operation takes, in seconds.

    Args:
        cpu: Processor time, of the database too.
        waited: Time until the answer.
    """

    cpu: float
    waited: float


Act = Callable[[Site, str], Awaitable[int]]
"""Does something to a share of the site, and returns how much came of it."""


@dataclass(frozen=True)
class Operation:
    """What is measured.

    Args:
        name: For people.
        act: Does it.
        prepare: Makes what it is done to, which is not measured.
        sorts_few: Whether what it finds by index is never much, and may be sorted.
    """

    name: str
    act: Act
    prepare: Callable[[Site], Awaitable[str]]
    sorts_few: bool = False


async def _nothing(_site: Site) -> str:
    return ""


async def _fresh(site: Site) -> str:
    return await create(site.store)


async def _after_news(site: Site) -> str:
    """Return the newest cursor."""
    cursor, more = 0, True
    while more:
        page = await site.store.revoked_since(cursor, now=NOW)
        cursor, more = page.cursor, page.more
    return str(cursor)


async def _before_news(site: Site) -> str:
    """Return the cursor before a share is taken back."""
    share_id, cursor = await create(site.store), await _after_news(site)
    await site.store.revoker.revoke(share_id, now=NOW, origin=DOCTOR)
    return cursor


def _listed(wanted: ShareFilter | None = None, limit: int = PAGE) -> Act:
    async def act(site: Site, _prepared: str) -> int:
        page = await site.store.list_shares(wanted, now=NOW, limit=limit)
        return len(page.shares)

    return act


async def _deep_page(site: Site, _prepared: str) -> int:
    page = await site.store.list_shares(now=NOW, limit=PAGE, cursor=site.deep)
    return len(page.shares)


async def _get(site: Site, _prepared: str) -> int:
    await site.store.shares.get("share-70")
    return 1


async def _events(site: Site, _prepared: str) -> int:
    return len(
        (
            await site.store.audit.page(EventFilter(share_id="share-7"), limit=PAGE)
        ).events
    )


async def _news(site: Site, prepared: str) -> int:
    page = await site.store.revoked_since(int(prepared), now=NOW)
    return len(page.news)


async def _sweep(site: Site, _prepared: str) -> int:
    await site.store.settle(now=NOW)
    return (await site.store.sweeper.sweep(Retention(), now=NOW)).shares


async def _create(site: Site, _prepared: str) -> int:
    await site.store.shares.create(new_share(), now=NOW, origin=DOCTOR)
    return 1


async def _open(site: Site, share_id: str) -> int:
    await site.store.openings.open_once(
        share_id, now=NOW, origin=VISITOR, view_id=share_id
    )
    return 1


async def _count(site: Site, share_id: str) -> int:
    views = [View(share_id, share_id, NOW)]
    await site.store.openings.count([Tally(share_id, NOW, 5)], views)
    return 1


async def _revoke(site: Site, share_id: str) -> int:
    await site.store.revoker.revoke(share_id, now=NOW, origin=DOCTOR)
    return 1


RARE = "singular"
"""A word of one share of each site."""

OPERATIONS = (
    Operation("list, first page", _listed(), _nothing),
    Operation("list, page 50", _deep_page, _nothing),
    Operation("list expired", _listed(ShareFilter(ShareStatus.EXPIRED)), _nothing),
    Operation(
        "list active, one", _listed(ShareFilter(ShareStatus.ACTIVE), 1), _nothing
    ),
    Operation(
        "list of a creator", _listed(ShareFilter(creator="account:doctor")), _nothing
    ),
    Operation(
        "list of a study",
        _listed(ShareFilter(study="1.2.10")),
        _nothing,
        sorts_few=True,
    ),
    Operation(
        "search a rare word",
        _listed(ShareFilter(text=RARE)),
        _nothing,
        sorts_few=True,
    ),
    Operation("search a common word", _listed(ShareFilter(text="title")), _nothing),
    Operation("show a share", _get, _nothing),
    Operation("events of a share", _events, _nothing),
    Operation("validate's news: none", _news, _after_news),
    Operation("validate's news: one", _news, _before_news),
    Operation("sweep, nothing over", _sweep, _nothing),
    Operation("create a share", _create, _nothing),
    Operation("open a share", _open, _fresh),
    Operation("count grants", _count, _fresh),
    Operation("revoke a share", _revoke, _fresh),
)
"""Everything that is measured; what reads comes before what makes the sites grow."""


def grown(bench: Bench, report: Report) -> None:
    """Measure both databases, and say how the grown one finds what it is asked for."""
    file = f"sqlite:///{bench.folder}/{{}}.sqlite"
    asyncio.run(_measure(bench.plan, report, "SQLite", file.format))
    with running_postgres() as server:
        asyncio.run(
            _measure(bench.plan, report, "PostgreSQL", lambda _: server.new_database())
        )


async def _measure(
    plan: Plan, report: Report, engine: str, url: Callable[[str], str]
) -> None:
    async with AsyncExitStack() as stack:
        young, old = [
            await stack.enter_async_context(_site(url(name), shares, events))
            for name, shares, events in (
                ("young", FEW, FEW * plan.kept_events // plan.kept_shares),
                ("grown", plan.kept_shares, plan.kept_events),
            )
        ]
        for operation in OPERATIONS:
            times = await _times(operation, young, old, plan.registry_rounds)
            report.limits.append(_limit(operation, engine, times, plan))
            report.plans.append(await _plan(operation, engine, old))


@asynccontextmanager
async def _site(url: str, shares: int, events: int) -> AsyncIterator[Site]:
    async with open_store(url) as store:
        await fill(store, shares, events)
        await create(store, title=RARE)
        backends = _backends(url) if url.startswith("postgresql") else ()
        yield Site(store, await _deep(store, shares), partial(_cpu, backends))


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


async def _times(
    operation: Operation, young: Site, old: Site, rounds: int
) -> tuple[Times, Times]:
    """Return what both sites take, as medians; in turns."""
    found: dict[int, list[Times]] = {0: [], 1: []}
    sites = (young, old)
    for number in range(-WARM_UP, rounds):
        amounts = set()
        for which in (0, 1) if number % 2 else (1, 0):
            prepared = await operation.prepare(sites[which])
            amount, times = await _timed(operation, sites[which], prepared)
            amounts.add(amount)
            if number >= 0:
                found[which].append(times)
        if len(amounts) > 1:
            raise WrongAnswerError(f"{operation.name}: the sites answer differently.")
    return _median(found[0]), _median(found[1])


async def _timed(operation: Operation, site: Site, prepared: str) -> tuple[int, Times]:
    cpu, start = site.cpu(), perf_counter()
    amount = await operation.act(site, prepared)
    waited = perf_counter() - start
    return amount, Times(site.cpu() - cpu, waited)


def _median(found: Sequence[Times]) -> Times:
    return Times(median(one.cpu for one in found), median(one.waited for one in found))


def _limit(
    operation: Operation, engine: str, times: tuple[Times, Times], plan: Plan
) -> Limit:
    young, old = times
    return Limit(
        name=f"{engine}, {operation.name}: {plan.kept_shares:,} shares and"
        f" {plan.kept_events:,} events against {FEW} shares",
        value=old.cpu / young.cpu,
        limit=RATIO_MAX,
        unit="times",
        detail=f"CPU {1000 * old.cpu:.2f} / {1000 * young.cpu:.2f} ms, until the"
        f" answer {1000 * old.waited:.2f} / {1000 * young.waited:.2f} ms",
    )


async def _plan(operation: Operation, engine: str, site: Site) -> QueryPlan:
    prepared = await operation.prepare(site)
    with recorded(site.store) as statements:
        await operation.act(site, prepared)
    found = [step for one in statements for step in await steps(site.store, one)]
    faults = [step.fault for step in found if step.fault]
    if operation.sorts_few:
        faults = [fault for fault in faults if "ORDER BY" not in fault]
    return QueryPlan(
        name=operation.name,
        engine=engine,
        steps=tuple(dict.fromkeys(step.text for step in found)),
        faults=tuple(dict.fromkeys(faults)),
    )
