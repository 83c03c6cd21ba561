"""The parts of a run, by name, each adding to the report."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from benchmarks.bench import Bench
from benchmarks.copies import archive_copies, wado_copies
from benchmarks.crowd import idle, memory, slow
from benchmarks.grown import grown
from benchmarks.grown_validate import grown_validate
from benchmarks.heads import heads
from benchmarks.remembering import remembering
from benchmarks.report import Report
from benchmarks.streams import event_loop, memory as streams_memory
from benchmarks.throughput import CONTESTS, hold
from benchmarks.transfer import multiframe, series

Section = Callable[[Bench, Report], None]
"""Measures, and adds what it found to the report."""


def _contest(name: str, bench: Bench, report: Report) -> None:
    report.comparisons.append(hold(CONTESTS[name](bench), bench))


SECTIONS: Mapping[str, Section] = {
    **{name: partial(_contest, name) for name in CONTESTS},
    "memory": memory,
    "slow-clients": slow,
    "idle-connections": idle,
    "series": series,
    "multiframe": multiframe,
    "wado-copies": wado_copies,
    "archive-copies": archive_copies,
    "heads": heads,
    "streams-memory": streams_memory,
    "event-loop": event_loop,
    "registry": remembering,
    "grown-registry": grown,
    "grown-validate": grown_validate,
}
"""Name to section."""

GROUPS: Mapping[str, Sequence[str]] = {
    "anonymizer": (
        *("series", "multiframe", "wado-copies"),
        *("heads", "streams-memory", "event-loop"),
    ),
    "grown": ("grown-registry", "grown-validate"),
}
"""Name to the sections that it stands for."""


def chosen(names: Sequence[str]) -> Sequence[str]:
    """Return the sections that names of sections and groups stand for; none: all."""
    found = [one for name in names for one in GROUPS.get(name, (name,))]
    return list(dict.fromkeys(found)) or list(SECTIONS)
