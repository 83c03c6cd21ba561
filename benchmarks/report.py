"""What a run found, as Markdown or JSON."""

from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.comparison import Comparison
from benchmarks.machine import describe
from benchmarks.plan import Plan

METHOD = """\
Each row is the median of up to {rounds} rounds. In a round both sides get the same
requests from wrk for {seconds} s each, one after the other; the side that begins
alternates. Each server is one process on a core of its own, wrk (1 thread, 64
connections) has the other core, and *busy* says how much of these two cores servers
and wrk used: below 100 % for the server, other programs took the rest. *Ratio* divides
the rates of a round, *spread* is the smallest and the largest of these ratios, *CPU*
is the same ratio by processor time for one request, which other programs disturb less.
Requests are those of the Orthanc authorization plugin: its headers, its login, chunked
bodies. The services run as `orthanc-share serve`, the references under uvicorn with
uvloop and httptools, both without access log.

Images (rows in MB/s) come from Debian's Orthanc with DICOMweb, which has the core of
the client: one client, which only counts what it reads from its socket, on a new
connection each time. Anonymizer and nginx (one process) have the other core, and a MB
is 10^6 bytes of pixels. Rows with nginx use one share again and again; rows with
Orthanc's anonymize use a new one each time, searches included, *CPU* there is that of
all servers together, and deleting the copies is not counted. Before anything is
measured, the pixels of an answer are compared with the source. The row of single
images runs in one process: rates and ratios are those of processor time.

A registry after years is next to one with 100 shares on the same machine: both are
asked in turns for the same amount, on one core, which the databases share. The values
divide medians of the processor time for one answer, the database's included; the
difference is that of the two medians.
Validate asks two token-services, one with each registry, about shares that both keep;
both write down what they grant. These rows, and those of validate with a registry and
without, are the median of two rounds of {registry_seconds} s with each of
{registry_pairs} pairs of fresh processes, of which one stands still while the other is
measured: two processes of the same code differ by some percent.
PostgreSQL has 32 MB of shared buffers, was vacuumed, and does not wait for the disk."""
"""How the numbers came about."""

DIGITS_FROM = 10.0
"""Value from which digits after the point say nothing any more."""

_HEAD = """\
| measured | against | ratio | spread | CPU | target | rates | busy |
|---|---|--:|--:|--:|--:|--:|--:|"""
_LIMITS_HEAD = """\
| measured | value | limit |
|---|--:|--:|"""
_PLANS_HEAD = """\
| asked of the grown registry | database | by index | plan |
|---|---|---|---|"""


@dataclass(frozen=True)
class Limit:
    """A number that should not be passed.

    Args:
        name: What was measured.
        value: The number.
        limit: The largest that is wanted.
        unit: Its unit.
        detail: What else is to know.
    """

    name: str
    value: float
    limit: float
    unit: str
    detail: str = ""

    @property
    def is_met(self) -> bool:
        """Whether the number is small enough."""
        return self.value <= self.limit


@dataclass(frozen=True)
class QueryPlan:
    """How a database finds what it is asked for.

    Args:
        name: What is asked.
        engine: The database.
        steps: Its steps, as it explains them itself.
        faults: Those that read a whole table, or sort what may be many rows.
    """

    name: str
    engine: str
    steps: tuple[str, ...]
    faults: tuple[str, ...]


@dataclass
class Report:
    """What a run found so far.

    Args:
        plan: Sizes of the run.
        comparisons: Ratios.
        limits: Numbers.
        plans: How databases find what they are asked for.
        failures: Answers that were missing or refused, beside the comparisons'.
    """

    plan: Plan
    comparisons: list[Comparison] = field(default_factory=list)
    limits: list[Limit] = field(default_factory=list)
    plans: list[QueryPlan] = field(default_factory=list)
    other_failures: int = 0

    @property
    def failures(self) -> int:
        """Answers that were missing or refused."""
        found = (comparison.failures for comparison in self.comparisons)
        return self.other_failures + sum(found)


def to_markdown(report: Report) -> str:
    """Return the report for people."""
    machine = ", ".join(f"{name} {value}" for name, value in describe().items())
    parts = [
        "\n".join([_HEAD, *map(_comparison_row, report.comparisons)]),
        "\n".join([_LIMITS_HEAD, *map(_limit_row, report.limits)]),
        *_plans(report),
        f"Answers that were not right: {report.failures}.",
        f"Broken connections: {sum(one.broken for one in report.comparisons)}.",
        METHOD.format(**vars(report.plan)),
        f"Machine: {machine}.",
    ]
    return "\n\n".join(parts)


def _comparison_row(one: Comparison) -> str:
    ratios = one.ratios
    ours, reference = one.rates
    server, load = one.busy
    cells = (
        one.name,
        one.against,
        f"**{one.ratio:.2f}**",
        f"{min(ratios):.2f}-{max(ratios):.2f}",
        f"{one.cpu_ratio:.2f}",
        f"{'' if one.is_met else 'missed: '}≥ {one.target:g}",
        f"{ours:,.0f} / {reference:,.0f} {one.unit.name}",
        f"{server:.0%} / {load:.0%}",
    )
    return f"| {' | '.join(cells)} |"


def _limit_row(one: Limit) -> str:
    verdict = "" if one.is_met else "missed: "
    value = f"{one.value:.{0 if one.value >= DIGITS_FROM else 2}f} {one.unit}"
    return (
        f"| {one.name} ({one.detail}) | {value} | {verdict}≤ {one.limit:g} {one.unit} |"
    )


def _plans(report: Report) -> list[str]:
    if not report.plans:
        return []
    return ["\n".join([_PLANS_HEAD, *map(_plan_row, report.plans)])]


def _plan_row(one: QueryPlan) -> str:
    by_index = "yes" if not one.faults else f"missed: {'; '.join(one.faults)}"
    shown = "<br>".join(step.replace("|", "\\|") for step in one.steps)
    return f"| {one.name} | {one.engine} | {by_index} | {shown} |"


def to_json(report: Report) -> dict[str, Any]:
    """Return the report for programs."""
    return {
        "machine": describe(),
        "plan": asdict(report.plan),
        "failures": report.failures,
        "comparisons": [
            {
                "name": one.name,
                "against": one.against,
                "target": one.target,
                "met": one.is_met,
                "ratio": one.ratio,
                "ratios": one.ratios,
                "cpu-ratio": one.cpu_ratio,
                "unit": asdict(one.unit),
                "ours": [asdict(measured) for measured in one.ours],
                "reference": [asdict(measured) for measured in one.reference],
            }
            for one in report.comparisons
        ],
        "limits": [asdict(one) | {"met": one.is_met} for one in report.limits],
        "query-plans": [asdict(one) for one in report.plans],
    }
