"""Files that several processes read, and replace only as a whole."""

import contextlib
import fcntl
import glob
import os
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

Signature = tuple[int, int, int, int, int]
"""What changes when a file does: device, inode, size, two times in nanoseconds."""

_LOCK_PAUSE = 0.02  # seconds between two looks at the lock

_TEMPORARY = ".tmp"
"""Ends the names of files that are being written."""


def signature(path: Path) -> Signature | None:
    """Return what changes when the file does; None if there is no file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (
        found.st_dev,
        found.st_ino,
        found.st_size,
        found.st_mtime_ns,
        found.st_ctime_ns,
    )


@contextlib.contextmanager
def exclusive(path: Path, timeout: timedelta) -> Iterator[None]:
    """Keep other writers of a file away, also those of other processes.

    The lock is on a file beside it, which stays: the file itself changes its inode
    with every replacement. What killed writers left behind is removed.

    Args:
        path: Need not exist.
        timeout: How long to wait for another writer.

    Raises:
        OSError: The folder is not writable; `BlockingIOError` after the time-out.
    """
    with path.with_name(f".{path.name}.lock").open("ab") as lock:
        _acquire(lock, time.monotonic() + timeout.total_seconds())
        _remove_leftovers(path)
        yield


def replace_content(path: Path, content: bytes) -> None:
    """Replace a file by one with the same rights: first all bytes, then the name.

    Whoever opens the file meanwhile sees all of the old content or all of the new.

    Raises:
        OSError: The file is as it was.
    """
    handle, name = tempfile.mkstemp(_TEMPORARY, f".{path.name}.", path.parent)
    temporary = Path(name)
    try:
        with open(handle, "wb") as file:  # noqa: PTH123 -- it is open already
            file.write(content)
            file.flush()
            _inherit(path, handle)
            os.fsync(handle)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _inherit(path: Path, handle: int) -> None:
    """Give a new file the mode, and as far as we may the owner, of the old one.

    Its time is later than that of the old one in any case: the file system's own
    clock may stand still between two replacements, and readers go by it.
    """
    if not path.exists():
        return
    old = path.stat()
    with contextlib.suppress(PermissionError):
        os.fchown(handle, old.st_uid, old.st_gid)
    os.fchmod(handle, old.st_mode & 0o777)
    changed = max(time.time_ns(), old.st_mtime_ns + 1)
    os.utime(handle, ns=(changed, changed))


def _sync_folder(folder: Path) -> None:
    """Write the folder itself to the disk: a new name survives a power failure."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    # Not every file system can do that, and the content is in place already.
    with contextlib.suppress(OSError):
        os.fsync(handle)
    os.close(handle)


def _remove_leftovers(path: Path) -> None:
    """Remove what a killed writer left; we hold the lock, so nobody is writing."""
    pattern = f".{glob.escape(path.name)}.*{_TEMPORARY}"
    for leftover in path.parent.glob(pattern):
        leftover.unlink(missing_ok=True)


def _acquire(lock: BinaryIO, deadline: float) -> None:
    """Lock an open file; a dead process has no lock.

    Raises:
        OSError: `EWOULDBLOCK` after the deadline, in monotonic seconds.
    """
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(_LOCK_PAUSE)
        else:
            return
