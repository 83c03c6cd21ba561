"""What is missing is installed by root, and told to everybody else."""

import os
from pathlib import Path

import pytest

from demo import orthanc_server, packages, processes
from demo.packages import Missing, ensure, missing
from demo.processes import StartError


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that holds all programs there are."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}")
    monkeypatch.setattr(processes, "_SYSTEM_FOLDERS", ())
    return folder


def add(folder: Path, name: str, script: str = "") -> None:
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def as_user(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: number)


def test_needed_and_useful_packages_are_told_apart(
    programs: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(orthanc_server, "PLUGINS", tmp_path)
    add(programs, "nginx")
    (tmp_path / "libOrthancPython.so").touch()
    assert missing() == Missing(("orthanc", "orthanc-dicomweb"), ("npm",))
    assert missing(("ohif",)).useful == ()


def test_nothing_missing_is_nothing_to_do(programs: Path) -> None:
    said: list[str] = []
    ensure(Missing((), ()), said.append)
    assert said == []
    assert list(programs.iterdir()) == []


def test_a_user_is_told_in_one_line_what_to_install(
    programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(programs, "apt-get", "exit 1")
    as_user(1000, monkeypatch)
    with pytest.raises(StartError) as caught:
        ensure(Missing(("orthanc",), ("npm",)), print)
    advice = "As root: apt-get install orthanc npm; or: docker compose up"
    assert str(caught.value) == f"Missing: orthanc. {advice}"


def test_useful_packages_are_not_needed(
    programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_user(0, monkeypatch)  # but there is no apt-get
    assert list(programs.iterdir()) == []
    said: list[str] = []
    ensure(Missing((), ("npm",)), said.append)
    assert said == ["without npm (as root: apt-get install npm)"]


@pytest.fixture
def installing(programs: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The script that installs packages; this one only writes down which."""
    add(programs, "apt-get")
    add(tmp_path, "packages", f"echo $@ > {tmp_path}/installed")
    monkeypatch.setattr(packages, "SCRIPT", tmp_path / "packages")
    as_user(0, monkeypatch)
    return tmp_path


def test_root_installs_all(installing: Path) -> None:
    said: list[str] = []
    ensure(Missing(("orthanc",), ("npm",)), said.append)
    assert said == ["installing orthanc npm"]
    assert (installing / "installed").read_text() == "orthanc npm\n"


def test_a_package_that_cannot_be_installed_stops_the_demo(installing: Path) -> None:
    add(installing, "packages", "exit 100")
    with pytest.raises(StartError, match="cannot install orthanc"):
        ensure(Missing(("orthanc",), ()), print)


def test_packages_are_installed_by_the_script_of_the_makefile() -> None:
    assert os.access(packages.SCRIPT, os.X_OK)


def test_the_advice_names_only_programs_that_the_demo_uses() -> None:
    programs = {program for program, _ in packages.OPTIONAL.values()}
    assert programs == {"nginx", "npm"}
