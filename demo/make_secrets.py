"""Make the secrets of the deployment: `python3 -m demo.make_secrets [folder]`.

Needs Python 3.11 and openssl, nothing of this project. Each secret is a file, named
like the setting; a file that exists is never overwritten. `secrets.example` shows which
there are.
"""

import argparse
import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

FOLDER = Path("secrets")
"""Where `docker-compose.yml` looks for the secrets."""

CALLERS = {
    "orthanc-for-admin": "TOKEN_SERVICE_PASSWORD_FOR_ADMIN",
    "orthanc-for-shares": "TOKEN_SERVICE_PASSWORD_FOR_SHARES",
    "landing": "TOKEN_SERVICE_PASSWORD_FOR_LANDING",
    "anonymizer": "TOKEN_SERVICE_PASSWORD_FOR_ANONYMIZER",
}
"""Users of token-service that stand for a container, each with its password's file."""

SCRIPTS_USER = "scripts"
"""User of token-service for scripts; its password is in `USERS` only."""

ANONYMIZER_USER = "anonymizer"
"""User with which the anonymizer reads the Orthanc behind it."""

ORTHANC_USER = "admin"
"""The first user of Orthanc for staff; its password is in `ORTHANC_USERS`."""

_RANDOM_BYTES = 32


class MakeSecretsError(Exception):
    """The secrets cannot be made; the message says why."""


def make_secrets() -> dict[str, str]:
    """Return the content of each file, by its name.

    Raises:
        MakeSecretsError: There is no openssl that knows Ed25519.
    """
    signing_key = _openssl("genpkey", "-algorithm", "ed25519")
    passwords = {user: _password() for user in (*CALLERS, SCRIPTS_USER)}
    anonymizer = _password()
    return {
        "SIGNING_KEY": signing_key,
        "VERIFICATION_KEYS": _openssl("pkey", "-pubout", given=signing_key),
        "DEIDENTIFICATION_KEY": secrets.token_hex(_RANDOM_BYTES),
        "USERS": json.dumps(passwords),
        **{file: passwords[user] for user, file in CALLERS.items()},
        "ORTHANC_PASSWORD": anonymizer,
        "ORTHANC_USERS_FOR_ANON_SHARES": json.dumps({ANONYMIZER_USER: anonymizer}),
        "ORTHANC_USERS": json.dumps({ORTHANC_USER: _password()}),
        "POSTGRES_PASSWORD": _password(),
    }


def write_secrets(folder: Path) -> Sequence[Path]:
    """Write new secrets into `folder`, which is made if need be; return the files.

    Raises:
        MakeSecretsError: One of the files exists already, or there is no openssl.
    """
    contents = make_secrets()
    present = [name for name in contents if (folder / name).exists()]
    if present:
        names = ", ".join(present)
        raise MakeSecretsError(f"{folder} has {names} already; nothing was changed.")
    # Compose mounts the files as they are, and no container runs as their owner: all
    # may read them, but nobody else gets into the folder.
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    return [_write(folder / name, text) for name, text in contents.items()]


def _write(path: Path, text: str) -> Path:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text.strip() + "\n")
    path.chmod(0o444)
    return path


def _password() -> str:
    return secrets.token_urlsafe(_RANDOM_BYTES)


def _openssl(*arguments: str, given: str = "") -> str:
    program = shutil.which("openssl")
    if program is None:
        raise MakeSecretsError("openssl is not installed: apt-get install openssl")
    try:
        done = subprocess.run(  # noqa: S603
            [program, *arguments],
            input=given,
            capture_output=True,
            check=True,
            text=True,
        )
    except subprocess.CalledProcessError as error:
        raise MakeSecretsError(f"openssl {arguments[0]}: {error.stderr}") from error
    return done.stdout


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the secrets and say where they are.

    Args:
        arguments: Of the command line; None: those of the process.

    Returns:
        The exit status, 1 if nothing was made.
    """
    parser = argparse.ArgumentParser(prog="python3 -m demo.make_secrets")
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    folder = parser.parse_args(arguments).folder
    try:
        written = write_secrets(folder)
    except (MakeSecretsError, OSError) as error:
        print(f"make_secrets: {error}", file=sys.stderr)
        return 1
    print(f"{len(written)} secrets are in {folder}; keep a copy, not with the images.")
    print(f"Orthanc's user {ORTHANC_USER}: its password is in {folder}/ORTHANC_USERS.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
