"""A file that is replaced is whole at every moment (defect A57)."""

import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from orthanc_share.config.atomic_file import exclusive, replace_content, signature

KILLED_WRITER = """
import os, signal, sys
from datetime import timedelta
from pathlib import Path
from orthanc_share.config.atomic_file import exclusive, replace_content

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

setattr(os, sys.argv[2], die)
path = Path(sys.argv[1])
with exclusive(path, timedelta(seconds=5)):
    replace_content(path, b"new" * 100_000)
"""
"""Replaces a file, but is killed where it first calls the function named."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "file [1].json"
    path.write_bytes(b"old")
    return path


def test_a_file_is_replaced_with_its_mode(path: Path) -> None:
    path.chmod(0o640)
    replace_content(path, b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o640
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_new_file_is_for_us_alone(tmp_path: Path) -> None:
    replace_content(tmp_path / "new", b"x")
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o600


def test_what_cannot_be_replaced_stays_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError):
        replace_content(tmp_path / "folder", b"x")
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]


@pytest.mark.parametrize("function", ["utime", "fsync"])
def test_a_killed_writer_leaves_the_old_file_whole(path: Path, function: str) -> None:
    command = [sys.executable, "-c", KILLED_WRITER, str(path), function]
    ended = subprocess.run(command, check=False, timeout=60)
    assert ended.returncode == -signal.SIGKILL
    assert path.read_bytes() == b"old"
    assert len(list(path.parent.glob(".*.tmp"))) == 1
    with exclusive(path, timedelta(seconds=5)):
        assert list(path.parent.glob(".*.tmp")) == []


def test_one_writer_keeps_the_next_away(path: Path) -> None:
    with exclusive(path, timedelta(seconds=5)):
        next_writer = exclusive(path, timedelta(seconds=0.05))
        with pytest.raises(BlockingIOError):
            next_writer.__enter__()
    with exclusive(path, timedelta(0)):
        replace_content(path, b"new")


def test_every_change_has_another_signature(path: Path) -> None:
    seen = {signature(path)}
    for _ in range(200):
        replace_content(path, b"new")
        seen.add(signature(path))
    path.unlink()
    seen.add(signature(path))
    assert len(seen) == 202
    assert signature(path) is None
