"""`orthanc-share keys`: new keys in the folder of secrets, old links keep working."""

import contextlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from orthanc_share.config.atomic_file import exclusive, replace_content
from orthanc_share.config.settings import SharingSettings
from orthanc_share.domain.errors import ConfigurationError
from orthanc_share.tokens.rotation import Rotated, rotate_ed25519, rotate_hmac
from orthanc_share.web.sharing import examine_keys
from suite.commands.output import fail, say, tell
from suite.commands.running import told

LOCK_TIMEOUT = timedelta(seconds=5)
"""How long to wait for another rotation in the same folder."""

keys_cli = typer.Typer(help="Keys that sign links.", no_args_is_help=True)

STEPS = (
    "Restart landing and anonymizer first, so that they know the new key, then all of",
    "token-service, which signs with it. Links made before keep working.",
)
"""What to do after a rotation, for the person."""

_NO_KEY = (
    "{}: there is no SIGNING_KEY or SECRET_KEY that signs; keys in variables are"
    " changed where they are set."
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a rotation changes.

    Args:
        rotated: The new keys.
        files: Name and content of each file, in the order in which they are written:
            whatever happens in between, each key that signs is known to verify.
    """

    rotated: Rotated
    files: Sequence[tuple[str, str]] = field(repr=False)


@keys_cli.command()
def rotate(
    folder: Annotated[
        Path,
        typer.Argument(
            help="Folder with a file for each secret.", envvar="SECRETS_DIR"
        ),
    ] = Path("secrets"),
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only tell what would be done.")
    ] = False,
) -> None:
    """Make a new key that signs, and keep the old ones so that their links work.

    With SIGNING_KEY in the folder: a new Ed25519 pair, its public key the first in
    VERIFICATION_KEYS. Else with SECRET_KEY: a new one, the old one goes into
    SECRET_KEYS_RETIRED. Nothing is running on the new key before the restart.
    """
    with told():
        plan = plan_rotation(folder) if dry_run else _rotate(folder)
    verb = "would be written" if dry_run else "written"
    for name, _ in plan.files:
        say(f"{folder / name}: {verb}")
    say(f"key {plan.rotated.old} -> {'(new)' if dry_run else plan.rotated.new}")
    for line in () if dry_run else STEPS:
        tell(line)


def _rotate(folder: Path) -> Plan:
    try:
        with exclusive(folder / "SIGNING_KEY", LOCK_TIMEOUT):
            plan = plan_rotation(folder)
            for name, content in plan.files:
                _write(folder / name, content)
            return plan
    except BlockingIOError:
        fail("Another rotation is at work in this folder.")
    except OSError as error:
        fail(f"Cannot write into {folder}: {error.strerror}.")


def plan_rotation(folder: Path) -> Plan:
    """Return what a rotation of the keys in `folder` would change.

    Raises:
        ConfigurationError: There is no key, or one that cannot be used.
    """
    # A file of `NAME_FILE` elsewhere is not ours to change: only the folder counts.
    settings, problems = SharingSettings.examine({"SECRETS_DIR": str(folder)})
    ring, _, key_problems = examine_keys(settings)
    signing, secret = settings.signing_key, settings.secret_key
    if signing is None and secret is None:
        raise ConfigurationError([*_of_folder(problems), _NO_KEY.format(folder)])
    if ring is None:
        raise ConfigurationError(key_problems)
    if ring.signing is None:
        raise ConfigurationError([_NO_KEY.format(folder)])
    if signing is not None:
        known = settings.verification_keys
        publics = None if known is None else known.get_secret_value()
        return _ed25519(rotate_ed25519(signing.get_secret_value(), publics))
    retired = [key.get_secret_value() for key in settings.secret_keys_retired]
    return _hmac(rotate_hmac(secret.get_secret_value() if secret else "", retired))


def _of_folder(problems: Sequence[str]) -> Iterator[str]:
    return (line for line in problems if line.startswith("SECRETS_DIR"))


def _ed25519(rotated: Rotated) -> Plan:
    files = (
        ("VERIFICATION_KEYS", "".join(rotated.verifying)),
        ("SIGNING_KEY", rotated.signing),
    )
    return Plan(rotated, files)


def _hmac(rotated: Rotated) -> Plan:
    files = (
        # JSON, for a secret of a predecessor may hold a comma or a blank.
        ("SECRET_KEYS_RETIRED", json.dumps(rotated.verifying) + "\n"),
        ("SECRET_KEY", rotated.signing + "\n"),
    )
    return Plan(rotated, files)


def _write(path: Path, content: str) -> None:
    """Replace a file; a new one gets owner and mode of the secrets beside it.

    Who reads them, such as a container's account, must be able to read the new one.
    """
    is_new = not path.exists()
    replace_content(path, content.encode())
    if is_new:
        _resemble(path)


def _resemble(path: Path) -> None:
    beside = next(
        other
        for other in (path.with_name("SIGNING_KEY"), path.with_name("SECRET_KEY"))
        if other.exists()
    )
    found = beside.stat()
    with contextlib.suppress(PermissionError):
        os.chown(path, found.st_uid, found.st_gid)
    path.chmod(found.st_mode & 0o777)
