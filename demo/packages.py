"""Debian packages that the demo needs, and how to get them."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from demo import orthanc_server
from demo.processes import StartError, find_program

OPTIONAL = {"nginx-light": ("nginx", "nginx"), "npm": ("npm", "ohif")}
"""Package to the program in it and the part of the demo that wants it.

The demo works without, and says what is lost.
"""

COMPOSE = "docker compose up"
"""The way without any of them."""

SCRIPT = Path(__file__).with_name("packages")
"""Installs Debian packages without starting their servers."""

_INSTALL_TIMEOUT = 1800.0


@dataclass(frozen=True)
class Missing:
    """Packages that are not installed.

    Attributes:
        needed: Without these there is no demo.
        useful: Without these it is smaller.
    """

    needed: tuple[str, ...]
    useful: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        """Needed and useful ones."""
        return self.needed + self.useful


def missing(without: Sequence[str] = ()) -> Missing:
    """Return what is not installed; parts in `without` are not wanted anyway."""
    useful = [
        package
        for package, (program, part) in OPTIONAL.items()
        if part not in without and find_program(program) is None
    ]
    return Missing(tuple(orthanc_server.missing_parts()), tuple(useful))


def ensure(found: Missing, say: Callable[[str], None]) -> None:
    """Install what is missing when this is root on Debian, else say what to do.

    Raises:
        StartError: Something needed is missing and cannot be installed from here.
    """
    if not found.all:
        return
    if find_program("apt-get") is not None and os.geteuid() == 0:
        say(f"installing {' '.join(found.all)}")
        _install(found.all)
        return
    advice = f"apt-get install {' '.join(found.all)}"
    if found.needed:
        raise StartError(
            f"Missing: {' '.join(found.needed)}. As root: {advice}; or: {COMPOSE}"
        )
    say(f"without {' '.join(found.useful)} (as root: {advice})")


def _install(packages: Sequence[str]) -> None:
    done = subprocess.run(  # noqa: S603
        [SCRIPT, *packages],
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        timeout=_INSTALL_TIMEOUT,
        check=False,
    )
    if done.returncode != 0:
        raise StartError(f"apt-get cannot install {' '.join(packages)}")
