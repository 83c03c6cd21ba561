"""The registry of a young site next to that of one after years, on both databases."""

import asyncio
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from statistics import median
from time import perf_counter

from benchmarks.bench import Bench, WrongAnswerError
from benchmarks.plan import Plan
from benchmarks.registry_operations import OPERATIONS, Operation
from benchmarks.registry_site import FEW, Site, opened
from benchmarks.report import Limit, QueryPlan, Report
from tests.support.postgres import running_postgres
from tests.support.query_plans import recorded, steps

RATIO_MAX = 1.5
"""How many times the processor time of the young site the grown one may take."""

WARM_UP = 3
"""Times that everything is done before it is measured."""


@dataclass(frozen=True)
class Times:
    """What an operation takes, in seconds.

    Args:
        cpu: Processor time, of the database too.
        waited: Time until the answer.
    """

    cpu: float
    waited: float


def grown(bench: Bench, report: Report) -> None:
    """Measure both databases, and say how the grown one finds what it is asked for."""
    file = f"sqlite:///{bench.folder}/{{}}.sqlite"
    with _on(bench.server_core):
        asyncio.run(_measure(bench.plan, report, "SQLite", file.format))
    with _on(bench.server_core), running_postgres() as server:
        asyncio.run(
            _measure(bench.plan, report, "PostgreSQL", lambda _: server.new_database())
        )


@contextmanager
def _on(core: int) -> Iterator[None]:
    """Run on one core, and let what is started in the block do so too.

    Else the threads of the sites' databases may be on different ones, of which other
    programs slow down one.
    """
    usable = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, usable)


async def _measure(
    plan: Plan, report: Report, engine: str, url: Callable[[str], str]
) -> None:
    async with AsyncExitStack() as stack:
        young, old = [
            await stack.enter_async_context(opened(url(name), shares, events))
            for name, shares, events in (
                ("young", FEW, FEW * plan.kept_events // plan.kept_shares),
                ("grown", plan.kept_shares, plan.kept_events),
            )
        ]
        for operation in OPERATIONS:
            times = await _times(operation, young, old, plan.registry_rounds)
            report.limits.append(_limit(operation, engine, times, plan))
            report.plans.append(await _plan(operation, engine, old))


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
        detail=f"CPU {1000 * old.cpu:.2f} / {1000 * young.cpu:.2f} ms,"
        f" {1000 * (old.cpu - young.cpu):+.2f} ms; until the answer"
        f" {1000 * old.waited:.2f} / {1000 * young.waited:.2f} ms",
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
