"""The parts of a run, by name, each adding to the report."""

from collections.abc import Callable, Mapping
from functools import partial

from benchmarks.bench import Bench
from benchmarks.crowd import idle, memory, slow
from benchmarks.report import Report
from benchmarks.throughput import CONTESTS, hold

Section = Callable[[Bench, Report], None]
"""Measures, and adds what it found to the report."""


def _contest(name: str, bench: Bench, report: Report) -> None:
    report.comparisons.append(hold(CONTESTS[name](bench), bench))


SECTIONS: Mapping[str, Section] = {
    **{name: partial(_contest, name) for name in CONTESTS},
    "memory": memory,
    "slow-clients": slow,
    "idle-connections": idle,
}
"""Name to section."""
