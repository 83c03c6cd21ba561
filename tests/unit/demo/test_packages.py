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
    assert missing(("npm",)).useful == ()


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


def test_root_installs_all(
    programs: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    add(programs, "apt-get", f'echo "$DEBIAN_FRONTEND $@" >> {tmp_path}/calls')
    as_user(0, monkeypatch)
    ensure(Missing(("orthanc",), ("npm",)), print)
    calls = (tmp_path / "calls").read_text().splitlines()
    line = "install --yes --no-install-recommends orthanc npm"
    assert calls == [f"noninteractive {line}"]


def test_root_fetches_the_index_when_a_package_is_unknown(
    programs: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    index = tmp_path / "index"
    script = f"if [ $1 = update ]; then : > {index}; exit; fi; [ -e {index} ]"
    add(programs, "apt-get", script)
    as_user(0, monkeypatch)
    ensure(Missing(("orthanc",), ()), print)
    assert index.exists()


def test_a_package_that_cannot_be_installed_stops_the_demo(
    programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(programs, "apt-get", "exit 100")
    as_user(0, monkeypatch)
    with pytest.raises(StartError, match="cannot install orthanc"):
        ensure(Missing(("orthanc",), ()), print)


def test_the_advice_names_only_programs_that_the_demo_uses() -> None:
    assert set(packages.OPTIONAL.values()) == {"nginx", "npm"}
