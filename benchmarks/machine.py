"""The machine and the programs that a run used, for whoever reads its table."""

import os
import platform
import re
import subprocess
from importlib.metadata import version
from pathlib import Path

from demo.processes import find_program

PACKAGES = (
    *("uvicorn", "uvloop", "httptools", "fastapi", "starlette", "pydantic", "PyJWT"),
    *("msgspec", "aiohttp", "pydicom"),
)
"""Distributions whose versions decide about the references."""


PACKAGE_OF = {"Orthanc": "orthanc orthanc-dicomweb", "nginx": "nginx-light"}
"""Program to the Debian packages that bring it, where the names differ."""

_PROGRAMS = {
    "wrk": ("-v", r"wrk (\S+)"),
    "nginx": ("-v", r"nginx/(\S+)"),
    "Orthanc": ("--version", r"Orthanc (\d+\.\d+\.\d+)"),
}
"""Program to its option and the pattern of its version."""


def describe() -> dict[str, str]:
    """Return what matters of this machine, by name."""
    return {
        "processor": _processor(),
        "cores": str(len(_usable())),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
        **{name: _version(name, *how) for name, how in _PROGRAMS.items()},
    }


def require(*names: str) -> None:
    """Return if these programs are installed.

    Raises:
        SystemExit: One is not; says which Debian package has it.
    """
    for name in names:
        if find_program(name) is None:
            package = PACKAGE_OF.get(name, name)
            raise SystemExit(f"{name} is not installed: apt-get install {package}")


def cores() -> tuple[int, int]:
    """Return the core of the servers and the core of the load generator.

    They differ unless the machine has only one.
    """
    usable = _usable()
    return usable[0], usable[-1]


def upstream_core() -> int:
    """Return the core of the servers behind the servers; the load's if need be."""
    return _usable()[:2][-1]


def _usable() -> list[int]:
    return sorted(os.sched_getaffinity(0))


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text("ascii", "replace").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()


def _version(program: str, option: str, pattern: str) -> str:
    path = find_program(program)
    if path is None:
        return "none"
    shown = subprocess.run([path, option], capture_output=True, text=True, check=False)  # noqa: S603 - fixed commands
    matched = re.search(pattern, shown.stdout + shown.stderr)
    return "unknown" if matched is None else matched[1]
