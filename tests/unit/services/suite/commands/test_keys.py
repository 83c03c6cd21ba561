"""`orthanc-share keys rotate`."""

import stat
import threading
from pathlib import Path

import pytest

from orthanc_share.config.atomic_file import exclusive
from orthanc_share.config.settings import SharingSettings
from orthanc_share.domain.resource import Resource
from orthanc_share.domain.share import Share, ShareType
from orthanc_share.tokens.codec import ShareCodec
from orthanc_share.web.sharing import build_sharing
from suite.commands import keys
from suite.commands.keys import plan_rotation
from tests.support.settings import SECRET_KEY
from tests.unit.services.suite.commands.calling import (
    call,
    files_in,
    process,
    refused,
)
from tests.unit.shared.tokens.keys import (
    OLD_SECRET_KEY,
    OTHER_VERIFICATION_KEY,
    SIGNING_KEY,
    VERIFICATION_KEY,
)

SHARE = Share("share-1", ShareType.STONE_PUBLICATION, (Resource(dicom_uid="1.2.3"),))
NO_KEY = (
    ": there is no SIGNING_KEY or SECRET_KEY that signs; keys in variables are changed"
    " where they are set.\n"
)


@pytest.fixture
def secrets(site: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of secrets; no key is set elsewhere."""
    monkeypatch.delenv("SECRET_KEY")
    return site / "secrets"


def write(folder: Path, *modes: int, **contents: str) -> None:
    """Write files that have the first of the modes, or that of the deployment."""
    mode = (*modes, 0o444)[0]
    for name, content in contents.items():
        (folder / name).write_text(content, "utf-8")
        (folder / name).chmod(mode)


def codec(folder: Path) -> ShareCodec:
    """Return what a service with the secrets of `folder` has."""
    settings = SharingSettings.load({"SECRETS_DIR": str(folder)})
    return build_sharing(settings).codec


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_old_links_work_on_and_new_ones_have_the_new_pair(secrets: Path) -> None:
    write(secrets, SIGNING_KEY=SIGNING_KEY, VERIFICATION_KEYS=VERIFICATION_KEY)
    old = codec(secrets).sign(SHARE)
    result = call("keys", "rotate", str(secrets))
    assert result.exit_code == 0
    new = codec(secrets).sign(SHARE)
    (secrets / "SIGNING_KEY").unlink()
    landing = codec(secrets)
    assert landing.read(old).id == landing.read(new).id == "share-1"
    public = (secrets / "VERIFICATION_KEYS").read_text("utf-8")
    assert public.endswith(VERIFICATION_KEY)
    assert not public.startswith(VERIFICATION_KEY)


def test_it_says_what_to_restart_and_no_key(secrets: Path) -> None:
    write(secrets, SIGNING_KEY=SIGNING_KEY)
    result = call("keys", "rotate", str(secrets))
    assert result.stdout.splitlines()[:2] == [
        f"{secrets}/VERIFICATION_KEYS: written",
        f"{secrets}/SIGNING_KEY: written",
    ]
    assert "Restart landing and anonymizer first" in result.stderr
    for text in files_in(secrets).values():
        for line in text.splitlines():
            if not line.startswith("-----"):
                assert line not in result.output


def test_the_folder_of_the_secrets_is_the_one_of_the_services(secrets: Path) -> None:
    write(secrets, SIGNING_KEY=SIGNING_KEY)
    assert call("keys", "rotate").exit_code == 0
    assert (secrets / "SIGNING_KEY").read_text("utf-8") != SIGNING_KEY


def test_older_public_keys_stay(secrets: Path) -> None:
    write(secrets, SIGNING_KEY=SIGNING_KEY, VERIFICATION_KEYS=OTHER_VERIFICATION_KEY)
    assert call("keys", "rotate").exit_code == 0
    public = (secrets / "VERIFICATION_KEYS").read_text("utf-8")
    assert public.endswith(VERIFICATION_KEY + OTHER_VERIFICATION_KEY)


def test_old_links_work_on_and_new_ones_have_the_new_secret(secrets: Path) -> None:
    write(secrets, SECRET_KEY=SECRET_KEY, SECRET_KEYS_RETIRED=OLD_SECRET_KEY)
    old = codec(secrets).sign(SHARE)
    assert call("keys", "rotate").exit_code == 0
    after = codec(secrets)
    assert after.read(old).id == after.read(after.sign(SHARE)).id == "share-1"
    settings = SharingSettings.load({"SECRETS_DIR": str(secrets)})
    retired = [key.get_secret_value() for key in settings.secret_keys_retired]
    assert retired == [SECRET_KEY, OLD_SECRET_KEY]


def test_a_secret_with_blanks_and_commas_is_still_one(secrets: Path) -> None:
    odd = "[Zk, 7wQ 9vB,x3 Lm R8]" * 2
    write(secrets, SECRET_KEY=odd)
    old = codec(secrets).sign(SHARE)
    assert call("keys", "rotate").exit_code == 0
    assert codec(secrets).read(old).id == "share-1"


@pytest.mark.parametrize("rights", [0o444, 0o600])
def test_files_keep_their_rights_and_new_ones_get_them(
    secrets: Path, rights: int
) -> None:
    write(secrets, rights, SECRET_KEY=SECRET_KEY)
    assert call("keys", "rotate").exit_code == 0
    for name in ("SECRET_KEY", "SECRET_KEYS_RETIRED"):
        assert mode(secrets / name) == rights


@pytest.mark.parametrize(
    ("name", "content"), [("SIGNING_KEY", SIGNING_KEY), ("SECRET_KEY", SECRET_KEY)]
)
def test_a_dry_run_changes_nothing(secrets: Path, name: str, content: str) -> None:
    write(secrets, **{name: content})
    result = call("keys", "rotate", "--dry-run")
    assert result.exit_code == 0
    assert f"{secrets}/{name}: would be written" in result.stdout
    assert "Restart" not in result.stderr
    assert files_in(secrets) == {name: content}
    assert [path.name for path in secrets.iterdir()] == [name]


@pytest.mark.parametrize("part", [0, 1])
@pytest.mark.parametrize(
    ("name", "content"), [("SIGNING_KEY", SIGNING_KEY), ("SECRET_KEY", SECRET_KEY)]
)
def test_whenever_it_is_cut_off_every_link_works(
    secrets: Path, name: str, content: str, part: int
) -> None:
    write(secrets, **{name: content})
    old = codec(secrets).sign(SHARE)
    for file, text in plan_rotation(secrets).files[: part + 1]:
        keys._write(secrets / file, text)
    now = codec(secrets)
    assert now.read(old).id == now.read(now.sign(SHARE)).id == "share-1"
    assert call("keys", "rotate").exit_code == 0
    assert codec(secrets).read(old).id == "share-1"


@pytest.mark.parametrize(
    "contents", [{}, {"SECRET_KEY": SECRET_KEY, "VERIFICATION_KEYS": VERIFICATION_KEY}]
)
@pytest.mark.parametrize("option", [[], ["--dry-run"]])
def test_a_folder_without_a_key_that_signs_is_refused(
    secrets: Path, contents: dict[str, str], option: list[str]
) -> None:
    write(secrets, **contents)
    assert refused("keys", "rotate", *option) == f"{secrets}{NO_KEY}"
    assert files_in(secrets) == contents


@pytest.mark.parametrize("option", [[], ["--dry-run"]])
def test_a_folder_that_is_not_there_is_told(secrets: Path, option: list[str]) -> None:
    said = refused("keys", "rotate", str(secrets / "missing"), *option)
    assert "No such file or directory" in said


@pytest.mark.parametrize(
    "contents", [{"SECRET_KEY": "canary"}, {"SIGNING_KEY": "canary"}]
)
def test_a_key_that_cannot_be_used_is_not_rotated_away(
    secrets: Path, contents: dict[str, str]
) -> None:
    write(secrets, **contents)
    said = refused("keys", "rotate")
    assert said.startswith(next(iter(contents)))
    assert "canary" not in said
    assert files_in(secrets) == contents


def test_a_rotation_at_work_keeps_others_away(
    secrets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "LOCK_TIMEOUT", keys.LOCK_TIMEOUT / 100)
    write(secrets, SECRET_KEY=SECRET_KEY)
    with exclusive(secrets / "SIGNING_KEY", keys.LOCK_TIMEOUT):
        said = refused("keys", "rotate")
    assert said == "Another rotation is at work in this folder.\n"
    assert files_in(secrets) == {"SECRET_KEY": SECRET_KEY}


def test_two_rotations_at_once_lose_no_key(secrets: Path) -> None:
    write(secrets, SECRET_KEY=SECRET_KEY)
    old = codec(secrets).sign(SHARE)
    ended: list[int] = []

    def rotate() -> None:
        ended.append(process("keys", "rotate").status)

    threads = [threading.Thread(target=rotate) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ended == [0, 0]
    settings = SharingSettings.load({"SECRETS_DIR": str(secrets)})
    assert len(settings.secret_keys_retired) == 2
    assert codec(secrets).read(old).id == "share-1"
