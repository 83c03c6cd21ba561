"""Validate with the registry of a site after years, next to that of a young site."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace

from benchmarks import wire
from benchmarks.alone import each_alone
from benchmarks.bench import Bench, WrongAnswerError
from benchmarks.comparison import Comparison
from benchmarks.load import Load
from benchmarks.plan import Plan
from benchmarks.registry_site import FEW, vacuum
from benchmarks.report import Report
from benchmarks.tokens import keep, share_of
from orthanc_share.domain.clock import utc_now
from orthanc_share.store.store import open_store
from tests.support.postgres import running_postgres
from tests.unit.shared.store.bulk import fill

RATIO_MIN = 0.9
"""Least throughput at the grown site, as a part of that at the young one."""


def grown_validate(bench: Bench, report: Report) -> None:
    """Measure both databases, with one share and with all that both sites keep."""
    file = f"sqlite:///{bench.folder}/validate-{{}}.sqlite"
    _measure(bench, report, "SQLite", file.format)
    with running_postgres() as server:
        _measure(bench, report, "PostgreSQL", lambda _: server.new_database())


def _measure(
    bench: Bench, report: Report, engine: str, url: Callable[[str], str]
) -> None:
    grown, young = url("grown"), url("young")
    asyncio.run(_make(bench, grown, bench.plan))
    asyncio.run(_make(bench, young, None))
    for what, load in _loads(bench).items():
        measured = each_alone(bench, load, _settings(grown), _settings(young))
        for one in (grown, young):
            asyncio.run(_expect_counted(bench, one))
        kept = f"{bench.plan.kept_shares:,} shares, {bench.plan.kept_events:,} events"
        name = f"validate, {what}, {engine}: {kept}"
        against = f"the same, {FEW} shares"
        report.comparisons.append(Comparison(name, against, RATIO_MIN, *measured))


async def _make(bench: Bench, url: str, grown: Plan | None) -> None:
    """Make a registry in an empty database, with the tokens that are asked about."""
    async with open_store(url) as store:
        if grown is not None:
            # The service goes by the real clock.
            await fill(store, grown.kept_shares, grown.kept_events, utc_now())
        await keep(store, bench.first_tokens(FEW))
        await vacuum(store)


async def _expect_counted(bench: Bench, url: str) -> None:
    """Return if the service used this registry: it counts what it grants there."""
    (token,) = bench.first_tokens(1)
    async with open_store(url) as store:
        share = await store.shares.get(share_of(token).id)
        if not share.granted:
            raise WrongAnswerError("A registry was not used.")


def _loads(bench: Bench) -> Mapping[str, Load]:
    tokens = bench.folder / "kept-tokens"
    tokens.write_text("\n".join(bench.first_tokens(FEW)), "ascii")
    request = wire.validate_request(len(bench.token))
    many = bench.load("grown-many", request, first_seen=True)
    return {
        "known token": bench.validation("grown-known"),
        f"{FEW} tokens": replace(many, tokens=tokens),
    }


def _settings(url: str) -> Mapping[str, str]:
    return {"REGISTRY": "on", "DATABASE_URL": url}
