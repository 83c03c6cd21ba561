"""The machine and the programs that a run used, for whoever reads its table."""

import os
import platform
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("uvicorn", "uvloop", "httptools", "fastapi", "starlette", "pydantic")
"""Distributions whose versions decide about the references."""


def describe() -> dict[str, str]:
    """Return what matters of this machine, by name."""
    cores = sorted(os.sched_getaffinity(0))
    return {
        "processor": _processor(),
        "cores": str(len(cores)),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        **{name: version(name) for name in (*PACKAGES, "PyJWT", "msgspec")},
        "wrk": _wrk(),
    }


def cores() -> tuple[int, int]:
    """Return the core of the servers and the core of the load generator.

    They differ unless the machine has only one.
    """
    usable = sorted(os.sched_getaffinity(0))
    return usable[0], usable[-1]


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text("ascii", "replace").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()


def _wrk() -> str:
    program = shutil.which("wrk")
    if program is None:
        raise SystemExit("wrk is not installed: apt-get install wrk")
    shown = subprocess.run([program, "-v"], capture_output=True, text=True, check=False)  # noqa: S603 - a fixed command
    return shown.stdout.split(" [", 1)[0].removeprefix("wrk ").strip()
