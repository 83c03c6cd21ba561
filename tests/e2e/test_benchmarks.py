"""The benchmarks run, and everything that they ask is answered."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.plan import QUICK
from benchmarks.registry_operations import OPERATIONS
from benchmarks.report import QueryPlan, Report, to_markdown
from tests.support.orthanc import require_orthanc
from tests.support.real import require

RUN = Path(__file__).parents[2] / "benchmarks" / "run"


def run(*options: str) -> str:
    """Run the benchmarks, for a second each; give what they print."""
    require("wrk")
    require("nginx")
    require_orthanc()
    finished = subprocess.run(
        [RUN, "--quick", *options],
        capture_output=True,
        text=True,
        timeout=480,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


@pytest.mark.timeout(540)
def test_a_run_has_a_row_for_everything_and_no_wrong_answer() -> None:
    report: dict[str, Any] = json.loads(run("--json"))
    assert report["failures"] == 0
    assert len(report["comparisons"]) == 19
    assert len(report["limits"]) == 48
    told = {"processor", "cores", "python", "uvicorn", "wrk", "nginx", "Orthanc"}
    assert told <= report["machine"].keys()
    plans = report["query-plans"]
    assert [(one["engine"], one["name"]) for one in plans] == [
        (engine, one.name) for engine in ("SQLite", "PostgreSQL") for one in OPERATIONS
    ]
    assert all(one["steps"] for one in plans)
    assert [one for one in plans if one["faults"]] == []


def test_the_table_shows_how_a_database_finds_what_and_what_reads_too_much() -> None:
    report = Report(QUICK)
    report.plans.append(QueryPlan("show", "SQLite", ("SEARCH share", "a|b"), ()))
    report.plans.append(QueryPlan("list", "SQLite", ("SCAN share",), ("SCAN share",)))
    printed = to_markdown(report)
    assert "| show | SQLite | yes | SEARCH share<br>a\\|b |" in printed
    assert "| list | SQLite | missed: SCAN share | SCAN share |" in printed


@pytest.mark.timeout(120)
def test_the_table_says_how_it_came_about() -> None:
    printed = run("landing")
    assert "| open a link | Starlette redirect | **" in printed
    assert "Answers that were not right: 0." in printed
    assert "Machine: processor " in printed


def test_an_unknown_section_is_refused() -> None:
    finished = subprocess.run(
        [RUN, "nonsense"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert finished.returncode == 2
    assert "nonsense" in finished.stderr


@pytest.mark.parametrize(
    ("section", "missing"),
    [
        ("landing", "wrk is not installed: apt-get install wrk"),
        ("series", "Orthanc is not installed: apt-get install orthanc orthanc-"),
    ],
)
def test_a_missing_program_is_named_with_its_package(
    section: str, missing: str
) -> None:
    hidden = f"""
import demo.processes
demo.processes.find_program = lambda name: None
import sys
sys.argv[1:] = ["--quick", {section!r}]
import benchmarks.__main__
sys.exit(benchmarks.__main__.main())
"""
    finished = subprocess.run(
        [sys.executable, "-c", hidden],
        cwd=RUN.parents[1],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert finished.returncode == 1
    assert missing in finished.stderr
