"""The three services of orthanc-share as the demo runs them: one process, one port."""

import json
import os
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from demo.processes import Process, answers

IDENTIFIER = "demo-shares"
"""Name of the Orthanc for shares (`SERVER_IDENTIFIER`, `WebServiceIdentifier`)."""

ANONYMIZED_IDENTIFIER = "demo-anon-shares"
"""Name of the anonymizer (`ANONYMIZED_SERVER_IDENTIFIER`)."""

ANONYMIZER = "anonymizer"
"""User with which the anonymizer reads the Orthanc behind it."""

_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")
_KEY_BYTES = 48


@dataclass(frozen=True)
class Secrets:
    """Keys and passwords of this demo, made at its first run.

    Attributes:
        folder: One file for each, named like the setting.
        users: Callers of token-service, name to password.
        orthanc_password: Of the user `ANONYMIZER` of Orthanc behind the anonymizer.
    """

    folder: Path
    users: Mapping[str, str] = field(repr=False)
    orthanc_password: str = field(repr=False)

    def login(self, user: str) -> tuple[str, str]:
        """Return name and password of a caller."""
        return user, self.users[user]


def make_secrets(folder: Path) -> Secrets:
    """Return the secrets in `folder`, made when they are missing."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    users = {name: secrets.token_urlsafe(24) for name in ("demo", "orthanc")}
    wanted = {
        "USERS": json.dumps(users),
        "SECRET_KEY": secrets.token_urlsafe(_KEY_BYTES),
        "DEIDENTIFICATION_KEY": secrets.token_urlsafe(_KEY_BYTES),
        "ORTHANC_PASSWORD": secrets.token_urlsafe(24),
    }
    for name, value in wanted.items():
        file = folder / name
        if not file.exists():
            file.touch(mode=0o600)
            file.write_text(value, "ascii")
    return Secrets(
        folder,
        json.loads((folder / "USERS").read_text("ascii")),
        (folder / "ORTHANC_PASSWORD").read_text("ascii"),
    )


@dataclass(frozen=True)
class Addresses:
    """Where a browser finds things; each with a final slash.

    Attributes:
        landing: The page that links lead to.
        orthanc: Orthanc for shares.
        ohif: The viewer, None when there is none.
        anonymizer: Where shares are seen de-identified.
        orthanc_behind: Orthanc that the anonymizer reads; no browser goes there.
    """

    landing: str
    orthanc: str
    ohif: str | None
    anonymizer: str
    orthanc_behind: str

    def settings(self) -> dict[str, str]:
        """Return the settings of the services."""
        settings = {
            "PUBLIC_LANDING_ROOT": self.landing,
            "PUBLIC_ORTHANC_ROOT": self.orthanc,
            "SERVER_IDENTIFIER": IDENTIFIER,
            "PUBLIC_ANONYMIZED_ORTHANC_ROOT": self.anonymizer,
            "ANONYMIZED_SERVER_IDENTIFIER": ANONYMIZED_IDENTIFIER,
            "ORTHANC_ROOT": self.orthanc_behind,
            "ORTHANC_USERNAME": ANONYMIZER,
        }
        if self.ohif is not None:
            settings["PUBLIC_OHIF_ROOT"] = self.ohif
        return settings


def start(port: int, keys: Secrets, addresses: Addresses, log: Path) -> Process:
    """Start the services on `port` of loopback; use the result in a `with` statement.

    Nothing of the caller's environment can change them, except where programs are.
    """
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    environment |= {
        "SECRETS_DIR": str(keys.folder),
        "DATA_DIR": str(keys.folder.parent / "registry"),
        # nginx, which says for whom it asks.
        "TRUSTED_PROXIES": "127.0.0.1",
        **addresses.settings(),
    }
    program = [sys.executable, "-m", "suite", "serve", "--port", str(port)]
    return Process(
        "orthanc-share",
        program,
        log=log,
        ready=lambda: answers(f"http://127.0.0.1:{port}/health"),
        environment=environment,
    )
