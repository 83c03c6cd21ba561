"""A real PostgreSQL on a free port of loopback, as long as the block lasts.

    with running_postgres() as server:
        url = server.new_database()

PostgreSQL refuses to run as root, so that it gets another account then.
"""

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.processes import free_port
from tests.support.real import require

HOME = Path("/usr/lib/postgresql")
"""Where Debian puts a folder per version of PostgreSQL."""

ACCOUNTS = ("postgres", "nobody")
"""Accounts that it may run under when root starts it."""

USER = "registry"
"""The owner of all databases."""

_OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "fsync": "off",  # tests kill processes, not machines
    "shared_buffers": "32MB",
    "max_connections": "100",
    "max_wal_size": "512MB",
}


@dataclass(frozen=True)
class PostgreSQL:
    """A server of PostgreSQL.

    Args:
        programs: Folder of its programs.
        folder: Its data and log.
        port: Where it listens.
        password: Of `USER`.
    """

    programs: Path
    folder: Path
    port: int
    password: str

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = " ".join(f"-c {name}={value}" for name, value in _OPTIONS.items())
        socket = f"-c unix_socket_directories={self.folder}"
        self._run(
            "pg_ctl",
            *("start", "-w", "-t", "60", "-D", self._data),
            *(
                "-l",
                str(self.folder / "log"),
                "-o",
                f"-p {self.port} {options} {socket}",
            ),
        )

    def stop(self, mode: str = "fast") -> None:
        """Stop it; `immediate` is as if it had crashed."""
        self._run("pg_ctl", "stop", "-w", "-t", "60", "-D", self._data, "-m", mode)

    def url(self, database: str, *, user: str = USER, password: str = "") -> str:
        """Return the address of a database."""
        login = f"{user}:{password or self.password}"
        return f"postgresql://{login}@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        """Make an empty database and return its address."""
        name = f"registry_{secrets.token_hex(6)}"
        self.sql("postgres", f"CREATE DATABASE {name}")
        return self.url(name)

    def sql(self, database: str, statement: str) -> str:
        """Run a statement as the owner and return what it answers."""
        return self._run(
            "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1",
            "-d", self.url(database), "-c", statement,
        )  # fmt: skip

    def give(self, folder: Path) -> None:
        """Let the server's account own `folder`."""
        if not os.geteuid():
            entry = _substitute()
            os.chown(folder, entry.pw_uid, entry.pw_gid)

    def make(self) -> None:
        """Make its data, with one owner who needs a password."""
        secret = self.folder / "password"
        secret.write_text(self.password, "utf-8")
        secret.chmod(0o644)
        self._run(
            "initdb", "--no-sync", "-A", "scram-sha-256", "-U", USER, "-E", "UTF8",
            "--locale", "C.UTF-8", "--pwfile", str(secret), "-D", self._data,
        )  # fmt: skip

    @property
    def _data(self) -> str:
        return str(self.folder / "data")

    def _run(self, program: str, *arguments: str) -> str:
        with (self.folder / "output").open("w+b") as output:
            done = subprocess.run(
                [str(self.programs / program), *arguments],
                stdin=subprocess.DEVNULL,
                # Not a pipe: the server keeps it open.
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                check=False,
                env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
                **_account(),
            )
            output.seek(0)
            said = output.read().decode()
        if done.returncode:
            raise RuntimeError(f"{program} failed: {said}")
        return said.strip()


def _account() -> dict[str, Any]:
    """Return under which account programs run: this one, or root's substitute."""
    if os.geteuid():
        return {}
    entry = _substitute()
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _substitute() -> pwd.struct_passwd:
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    return next(known[name] for name in ACCOUNTS if name in known)


def programs() -> Path:
    """Return the folder of the newest installed version, or skip the test."""
    found = [
        (int(path.parent.parent.name), path.parent)
        for path in HOME.glob("*/bin/initdb")
        if path.parent.parent.name.isdigit()
    ]
    return max(found)[1] if found else require("postgresql")


@contextmanager
def running_postgres() -> Iterator[PostgreSQL]:
    """Run a server with empty databases; at the end it and its data are gone."""
    home = programs()
    # Not below pytest's folder, which only its own account can enter.
    folder = Path(tempfile.mkdtemp(prefix="orthanc-share-pg-"))
    try:
        if not os.geteuid():
            entry = _substitute()
            os.chown(folder, entry.pw_uid, entry.pw_gid)
        server = PostgreSQL(home, folder, free_port(), secrets.token_hex(8))
        server.make()
        server.start()
        try:
            yield server
        finally:
            if (folder / "data" / "postmaster.pid").exists():
                server.stop("immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
