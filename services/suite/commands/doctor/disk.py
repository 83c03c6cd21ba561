"""The database: whether it can be reached, fits this code, and lies in a good place."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from orthanc_share.domain.errors import ConfigurationError
from orthanc_share.store.errors import StoreUnavailableError
from suite.commands.database import opened, sqlite_file
from suite.commands.doctor.findings import Finding, error, ok, warning
from token_service.registry_settings import RegistrySettings

NETWORK_FILE_SYSTEMS = frozenset(
    {
        *("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs"),
        *("lustre", "ncpfs", "ocfs2", "gfs2", "fuse.sshfs", "fuse.glusterfs"),
        *("fuse.s3fs", "fuse.rclone", "fuse.grpcfuse", "fuse.osxfs", "virtiofs"),
    }
)
"""File systems whose locks or shared memory SQLite's log cannot rely on."""

MOUNTS = Path("/proc/self/mounts")
"""Where Linux tells what is mounted."""

_POSTGRESQL = "Use PostgreSQL (DATABASE_URL), or a folder on a disk of this machine."


@dataclass(frozen=True, slots=True)
class Mount:
    """Something that is mounted.

    Args:
        folder: Where.
        kind: Its file system.
    """

    folder: Path
    kind: str


async def database_findings(
    settings: RegistrySettings, mounts: Sequence[Mount]
) -> list[Finding]:
    """Return what is to be said of the database.

    Args:
        settings: Where it is.
        mounts: What is mounted on this machine.
    """
    try:
        file = sqlite_file(settings)
    except ConfigurationError:
        return []  # told with the settings
    found = [] if file is None else [*_place(file, mounts)]
    if file is not None and not file.exists():
        text = f"There is no database in {_folder(file)} yet."
        advice = "Token-service makes it, or `orthanc-share migrate`."
        return [*found, warning("database", text, advice)]
    return [*found, await _state(settings)]


async def _state(settings: RegistrySettings) -> Finding:
    try:
        async with opened(settings) as store:
            await store.check()
    except ConfigurationError as problem:
        return error("database", str(problem), "Token-service does not start so.")
    except StoreUnavailableError as problem:
        advice = "Start it, or mend DATABASE_URL (host, port, network)."
        return error("database", str(problem), advice)
    return ok("database", "It can be reached, and has the schema of this code.")


def _place(file: Path, mounts: Sequence[Mount]) -> Iterator[Finding]:
    kind = file_system(file, mounts)
    if kind in NETWORK_FILE_SYSTEMS:
        text = f"SQLite lies on a network file system ({kind}): it can be damaged."
        yield error("database", text, _POSTGRESQL)
    owner = _owner(file)
    if owner is not None and owner != os.geteuid():
        text = f"Its file belongs to the user with number {owner}, not to this one."
        yield warning("database", text, "Run commands as the user of token-service.")


def file_system(path: Path, mounts: Sequence[Mount]) -> str | None:
    """Return the file system on which a path lies; None: nobody knows."""
    real = Path(os.path.realpath(path))
    around = [mount for mount in mounts if real.is_relative_to(mount.folder)]
    # Of two at one place the later hides the earlier.
    deepest = max(
        enumerate(around),
        key=lambda one: (len(one[1].folder.parts), one[0]),
        default=None,
    )
    return None if deepest is None else deepest[1].kind


def mounted(table: Path = MOUNTS) -> list[Mount]:
    """Return what is mounted; nothing where the system does not tell so."""
    try:
        lines = table.read_text("utf-8", "replace").splitlines()
    except OSError:
        return []
    parts = (line.split() for line in lines)
    return [Mount(Path(_unescaped(p[1])), p[2]) for p in parts if len(p) > 2]  # noqa: PLR2004 - device, folder, kind


def _unescaped(text: str) -> str:
    # Blanks and the like are written as octal numbers (fstab(5)).
    return text.replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\")


def _owner(file: Path) -> int | None:
    try:
        return file.stat().st_uid
    except OSError:
        return None


def _folder(file: Path) -> str:
    return str(file.parent)
