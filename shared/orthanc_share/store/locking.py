"""One at a time across processes: what SQLite needs to be set up and migrated."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PRIVATE = 0o600
"""Nobody but the service's account may read the database."""


def make_private(path: Path) -> None:
    """Make the file, if it is not there, so that only its owner can read it.

    SQLite gives the files beside it the same mode.
    """
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, PRIVATE))


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold the lock on `path` during the block, and wait for it as long as it takes.

    The operating system frees it when the process ends, in whatever way.
    """
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, PRIVATE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
