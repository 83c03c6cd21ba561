"""What the registry costs where it is asked most: validate, with it and without."""

import asyncio
from pathlib import Path

from benchmarks import wire
from benchmarks.alone import each_alone
from benchmarks.bench import Bench
from benchmarks.comparison import Comparison
from benchmarks.load import Load
from benchmarks.report import Report
from benchmarks.tokens import keep
from orthanc_share.store.store import open_store
from token_service.registry_settings import DATABASE_FILE

RATIO_MIN = 0.95
"""Least throughput with the registry, as a part of that without."""

KEPT = 200
"""Shares that the registry knows; the others are as if older than it."""


def remembering(bench: Bench, report: Report) -> None:
    """Measure known tokens, new connections and many tokens."""
    first_seen = wire.validate_request(len(bench.token))
    loads = {
        "known token, keep-alive": bench.validation("registry-keep-alive"),
        "known token, a connection each": bench.validation(
            "registry-new-connections", new_connection=True
        ),
        "many tokens": bench.load("registry-many", first_seen, first_seen=True),
    }
    for name, load in loads.items():
        report.comparisons.append(_compare(f"validate, {name}, registry", load, bench))


def _compare(name: str, load: Load, bench: Bench) -> Comparison:
    folder = bench.folder / f"{load.request.name}-data"
    folder.mkdir()
    asyncio.run(_make(bench, folder))
    with_registry = {"REGISTRY": "on", "DATA_DIR": str(folder)}
    measured = each_alone(bench, load, with_registry, {})
    return Comparison(name, "the same, stateless", RATIO_MIN, *measured)


async def _make(bench: Bench, folder: Path) -> None:
    async with open_store(f"sqlite:///{folder / DATABASE_FILE}") as store:
        await keep(store, bench.first_tokens(KEPT))
