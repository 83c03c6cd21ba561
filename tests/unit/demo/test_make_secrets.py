"""The script that makes the deployment's secrets."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from demo import make_secrets
from tests.support.compose import ROOT, secret_folder
from tests.support.real import require

__all__ = ["secret_folder"]  # a fixture


def test_secrets_can_be_read_in_containers_but_not_on_the_machine(
    secret_folder: Path,
) -> None:
    assert stat.S_IMODE(secret_folder.stat().st_mode) == 0o700
    modes = {stat.S_IMODE(path.stat().st_mode) for path in secret_folder.iterdir()}
    assert modes == {0o444}


def test_the_anonymizer_and_its_orthanc_get_one_password(secret_folder: Path) -> None:
    password = (secret_folder / "ORTHANC_PASSWORD").read_text().strip()
    users = json.loads((secret_folder / "ORTHANC_USERS_FOR_ANON_SHARES").read_text())
    assert users == {make_secrets.ANONYMIZER_USER: password}


def test_secrets_are_never_overwritten_and_differ_each_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    require("openssl")
    assert make_secrets.main([str(tmp_path / "one")]) == 0
    assert make_secrets.main([str(tmp_path / "two")]) == 0
    said = capsys.readouterr()
    for path in (tmp_path / "one").iterdir():
        text = path.read_text()
        assert text != (tmp_path / "two" / path.name).read_text()
        assert text.strip() not in said.out + said.err
    (tmp_path / "two" / "USERS").unlink()
    before = {p: p.read_bytes() for p in (tmp_path / "two").iterdir()}
    assert make_secrets.main([str(tmp_path / "two")]) == 1
    assert "SIGNING_KEY" in capsys.readouterr().err
    assert {p: p.read_bytes() for p in (tmp_path / "two").iterdir()} == before


def test_the_script_needs_nothing_of_our_environment(tmp_path: Path) -> None:
    require("openssl")
    done = subprocess.run(
        [sys.executable, "-S", "-m", "demo.make_secrets", str(tmp_path / "made")],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "made" / "SIGNING_KEY").is_file()


@pytest.mark.parametrize(
    ("program", "complaint"),
    [(None, "apt-get install openssl"), ("#!/bin/sh\necho no >&2\nexit 1\n", "no")],
    ids=["missing", "too old"],
)
def test_without_a_useful_openssl_nothing_is_made(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    program: str | None,
    complaint: str,
) -> None:
    if program is not None:
        (tmp_path / "openssl").write_text(program)
        (tmp_path / "openssl").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert make_secrets.main([str(tmp_path / "made")]) == 1
    assert complaint in capsys.readouterr().err
    assert not (tmp_path / "made").exists()
