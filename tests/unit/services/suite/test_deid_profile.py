"""`orthanc-share deid-profile`."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from suite.cli import cli


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEIDENTIFICATION_PROFILE", raising=False)


def call(*arguments: str, **environ: str) -> Result:
    return CliRunner().invoke(cli, ("deid-profile", *arguments), env=environ)


def test_without_a_file_the_safe_default_is_shown() -> None:
    result = call()
    assert result.exit_code == 0
    assert "Basic Profile" in result.stdout
    assert "| (0010,0010) | Patient's Name | PN |" in result.stdout
    assert ": on\n" not in result.stdout


def test_the_site_s_profile_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "profile.toml"
    path.write_text('options = ["retain-modified-dates"]', "utf-8")
    for result in (
        call("--profile", str(path)),
        call(DEIDENTIFICATION_PROFILE=str(path)),
    ):
        assert result.exit_code == 0
        assert "(`retain-modified-dates`): on\n" in result.stdout


def test_mistakes_are_told_and_nothing_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "profile.toml"
    path.write_text('options = ["retain-uids"]\nblocked = 1', "utf-8")
    result = call("--profile", str(path))
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.count("DEIDENTIFICATION_PROFILE: ") == 2
