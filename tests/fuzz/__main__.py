"""`python -m tests.fuzz`: damage inputs and look what the codecs make of them.

The same seed makes the same inputs. An input that breaks a rule is written to the
folder `corpus`, which the test suite runs again each time.
"""

import argparse
import faulthandler
import hashlib
import random
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.fuzz.case import Case
from tests.fuzz.targets import TARGETS

CORPUS = Path(__file__).parent / "corpus"
HANG = 10.0
"""Seconds after which an input counts as hanging; the stack is printed."""

MEMORY_MAX = 256
"""MiB that the process may ever have had; a million inputs need about 65."""

_REPORT = 50_000


def _memory() -> int:
    """Return the most memory that this process has had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024  # KiB on Linux


def main(
    arguments: list[str] | None = None, memory: Callable[[], int] = _memory
) -> int:
    """Run, print what was found, and return how many inputs broke a rule.

    Memory beyond `MEMORY_MAX` counts as one more.

    Args:
        arguments: Of the command line.
        memory: Tells the most memory that the process has had, in MiB.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--target", choices=sorted(TARGETS), default="bytes")
    parser.add_argument("--runs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, default=CORPUS, help="folder for findings")
    options = parser.parse_args(arguments)
    chance = random.Random(options.seed)  # noqa: S311  # not for secrets
    make, found, accepted, start = TARGETS[options.target], 0, 0, time.monotonic()
    for run in range(1, options.runs + 1):
        case = make(chance)
        faulthandler.dump_traceback_later(HANG, exit=True, file=2)
        try:
            accepted += case.judge()
        except Exception as error:  # noqa: BLE001  # any is a finding
            found += 1
            print(f"{_kept(case, options.keep)}: {error!r}", flush=True)  # noqa: T201
        if run % _REPORT == 0 or run == options.runs:
            _report(run, accepted, found, time.monotonic() - start, memory())
    faulthandler.cancel_dump_traceback_later()
    if memory() <= MEMORY_MAX:
        return found
    print(f"More memory than {MEMORY_MAX} MiB.", flush=True)  # noqa: T201
    return found + 1


def _kept(case: Case, folder: Path) -> str:
    """Write an input down, and return its name."""
    digest = hashlib.sha256(case.data).hexdigest()[:12]
    path = folder / f"{case.name.replace(' ', '_')}__{digest}"
    folder.mkdir(parents=True, exist_ok=True)
    path.write_bytes(case.data)
    return path.name


def _report(runs: int, accepted: int, found: int, seconds: float, memory: int) -> None:
    print(  # noqa: T201
        f"{runs} inputs in {seconds:.0f} s: {accepted} accepted,"
        f" {runs - accepted - found} refused, {found} findings, {memory} MiB",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(min(main(), 1))
