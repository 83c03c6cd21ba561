"""All workers answer the same roles, and no accident empties the file (A55-A60)."""

import errno
import fcntl
import json
import logging
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from orthanc_share.config import roles_file
from orthanc_share.config.roles_file import (
    RolesFile,
    _why_not_writable,
    load_anonymous_profile,
)
from orthanc_share.domain.errors import (
    ConfigurationError,
    InvalidRolesError,
    RolesNotWritableError,
)
from orthanc_share.domain.roles import ANONYMOUS, Role, RolesDocument, parse_roles

COMMENTED = """// The roles of the clinic
{
  "roles": {
    "doctor": {"authorized_labels": ["*"], "permissions": ["view", "share"]},
  },
  "available-labels": [] /* any */
}
"""


def document(*names: str) -> RolesDocument:
    """Return roles of these names."""
    return RolesDocument({name: Role(("view",), ("*",)) for name in names})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "permissions.json"
    path.write_text(COMMENTED, "utf-8")
    return path


def test_a_file_with_comments_is_read(path: Path) -> None:
    roles = RolesFile(path).read()
    assert roles.roles == {"doctor": Role(("view", "share"), ("*",))}


def test_a_site_without_file_has_no_roles_and_takes_none() -> None:
    file = RolesFile(None)
    assert file.read() == RolesDocument()
    with pytest.raises(RolesNotWritableError, match="keeps no roles file"):
        file.replace(document("a"))


def test_a_replacement_is_read_back_by_everybody(path: Path) -> None:
    one, other = RolesFile(path), RolesFile(path)
    one.replace(document("a", "Ärzte"))
    assert one.read() == other.read() == document("a", "Ärzte")
    assert "Ärzte" in path.read_text("utf-8")


def test_a_change_by_hand_is_noticed(path: Path) -> None:
    file = RolesFile(path)
    path.write_text('{"roles": {"a": {}}}', "utf-8")
    assert set(file.read().roles) == {"a"}


def test_an_unchanged_file_is_not_read_again(path: Path) -> None:
    file = RolesFile(path)
    assert file.read() is file.read()


def test_comments_are_kept_beside_the_file(path: Path) -> None:
    file = RolesFile(path)
    file.replace(document("a"))
    file.replace(document("b"))
    kept = path.with_name("permissions.json.commented")
    assert kept.read_text("utf-8") == COMMENTED


def test_a_file_without_comments_has_no_copy(path: Path) -> None:
    path.write_text('{"roles": {}}', "utf-8")
    RolesFile(path).replace(document("a"))
    names = {p.name for p in path.parent.iterdir()}
    assert names == {"permissions.json", ".permissions.json.lock"}


def test_a_link_stays_a_link(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "etc" / "link.json"
    link.parent.mkdir()
    link.symlink_to(path)
    file = RolesFile(link)
    file.replace(document("a"))
    assert link.is_symlink()
    assert RolesFile(path).read() == file.read() == document("a")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "cannot be read: No such file or directory"),
        ("", "is no JSON"),
        ("{", "is no JSON"),
        ("{}", "breaks a rule: roles must be an object"),
        ('{"roles": {"a": {"permissions": "all"}}}', "breaks a rule: roles"),
    ],
)
def test_a_wrong_file_stops_the_service(
    path: Path, content: str | None, problem: str
) -> None:
    path.unlink() if content is None else path.write_text(content, "utf-8")
    with pytest.raises(ConfigurationError, match=problem) as raised:
        RolesFile(path)
    assert str(raised.value).startswith("PERMISSIONS_FILE_PATH: the file ")
    assert str(path) not in str(raised.value)


@pytest.mark.parametrize("content", ["{", '{"roles": []}', None])
def test_a_file_that_goes_wrong_later_changes_nothing_and_is_reported_once(
    path: Path, content: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    file = RolesFile(path)
    before = file.read()
    path.unlink() if content is None else path.write_text(content, "utf-8")
    for _ in range(3):
        assert file.read() is before
    assert caplog.text.count("the last good one stays in force") == 1
    path.write_text('{"roles": {"a": {}}}', "utf-8")
    assert set(file.read().roles) == {"a"}


def test_a_document_that_could_not_be_read_back_is_refused(path: Path) -> None:
    names = tuple("x" * 200 + str(number) for number in range(1000))
    large = RolesDocument({name: Role(names) for name in names[:10]})
    file = RolesFile(path)
    with pytest.raises(InvalidRolesError, match="too many"):
        file.replace(large)
    assert path.read_text("utf-8") == COMMENTED


def test_a_folder_that_cannot_be_written_is_told(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = RolesFile(path)
    shutil.rmtree(path.parent)
    with pytest.raises(RolesNotWritableError, match="No such file") as raised:
        file.replace(document("a"))
    assert str(path.parent) not in str(raised.value) + caplog.text
    assert "cannot be replaced" in caplog.text


def test_a_writer_that_hangs_is_told(path: Path) -> None:
    file = RolesFile(path, lock_timeout=timedelta(seconds=0.05))
    with path.with_name(".permissions.json.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(RolesNotWritableError, match="Another worker"):
            file.replace(document("a"))
    file.replace(document("a"))


def test_a_file_that_is_mounted_by_itself_is_told() -> None:
    busy = OSError(errno.EBUSY, os.strerror(errno.EBUSY))
    assert "mount its folder" in _why_not_writable(busy)


def test_threads_of_one_worker_may_replace_and_read_at_once(path: Path) -> None:
    file = RolesFile(path)
    file.replace(document("0"))
    threads = [
        threading.Thread(target=file.replace, args=(document(str(n)),))
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        assert len(file.read().roles) == 1
    for thread in threads:
        thread.join()
    assert file.read() == RolesFile(path).read()


def test_nobody_gets_the_old_roles_while_another_reads_the_new(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = RolesFile(path)
    is_reading, may_go_on = threading.Event(), threading.Event()

    def slowly(value: object) -> RolesDocument:
        is_reading.set()
        assert may_go_on.wait(20)
        return parse_roles(value)

    monkeypatch.setattr(roles_file, "parse_roles", slowly)
    path.write_text('{"roles": {"new": {}}}', "utf-8")
    found: list[RolesDocument] = []
    threads = [
        threading.Thread(target=lambda: found.append(file.read())) for _ in range(2)
    ]
    threads[0].start()
    assert is_reading.wait(20)
    threads[1].start()
    threads[1].join(0.2)
    may_go_on.set()
    for thread in threads:
        thread.join()
    assert [set(document.roles) for document in found] == [{"new"}, {"new"}]


WRITER = """
import sys
from pathlib import Path
from orthanc_share.config.roles_file import RolesFile
from orthanc_share.domain.roles import Role, RolesDocument

file = RolesFile(Path(sys.argv[1]))
print("ready", flush=True)
for turn in range(int(sys.argv[3])):
    mark = f"{sys.argv[2]}-{turn}"
    names = [f"role-{number}" for number in range(50 * (turn % 5) + 1)]
    file.replace(RolesDocument({name: Role((mark,)) for name in names}))
    assert file.read().roles
"""
"""Replaces the roles in turn by few and by many, all with the same permission."""

READER = """
import sys
from pathlib import Path
from orthanc_share.config.json_with_comments import parse
from orthanc_share.config.roles_file import RolesFile
from orthanc_share.domain.roles import parse_roles

path = Path(sys.argv[1])
file = RolesFile(path)
print("ready", flush=True)
while not path.with_name("stop").exists():
    for roles in (file.read(), parse_roles(parse(path.read_bytes()))):
        marks = {role.permissions for role in roles.roles.values()}
        assert len(marks) == 1, marks
print(sorted(file.read().roles["role-0"].permissions)[0], flush=True)
"""
"""Reads as fast as it can, and at the end says what is in force."""


class Workers:
    """Processes that work on one file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._all: list[subprocess.Popen[str]] = []

    def start(self, program: str, *arguments: str) -> subprocess.Popen[str]:
        """Start one and return when it is ready."""
        command = [sys.executable, "-c", program, str(self._path), *arguments]
        worker = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self._all.append(worker)
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
        return worker

    def stop(self) -> None:
        """End whatever still runs."""
        for worker in self._all:
            worker.kill()
            worker.communicate()


@pytest.fixture
def workers(path: Path) -> Iterator[Workers]:
    path.write_text('{"roles": {"role-0": {"permissions": ["first"]}}}', "utf-8")
    workers = Workers(path)
    yield workers
    workers.stop()


def test_several_workers_always_see_one_whole_document(
    path: Path, workers: Workers
) -> None:
    readers = [workers.start(READER) for _ in range(2)]
    writers = [workers.start(WRITER, f"writer-{n}", "40") for n in range(3)]
    for writer in writers:
        assert writer.wait(60) == 0
    path.with_name("stop").touch()
    told = {reader.communicate(timeout=60)[0].strip() for reader in readers}
    assert [reader.returncode for reader in readers] == [0, 0]
    (in_force,) = RolesFile(path).read().roles["role-0"].permissions
    assert told == {in_force}
    assert in_force.endswith("-39")


def test_killed_writers_leave_a_whole_document(path: Path, workers: Workers) -> None:
    for turn in range(10):
        writer = workers.start(WRITER, f"writer-{turn}", "1000000")
        while f"writer-{turn}-" not in path.read_text("utf-8"):
            assert writer.poll() is None
        writer.kill()
        writer.wait(60)
        marks = {
            role["permissions"][0]
            for role in json.loads(path.read_bytes())["roles"].values()
        }
        assert len(marks) == 1
    file = RolesFile(path)
    file.replace(document("a"))
    assert parse_roles(json.loads(path.read_bytes())) == document("a")
    assert list(path.parent.glob(".*.tmp")) == []


def test_a_visitor_without_account_may_do_nothing_unless_told() -> None:
    assert load_anonymous_profile(None) == ANONYMOUS


def test_the_anonymous_profile_may_be_a_file(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path.write_text('{"name": "Guest", "permissions": ["upload"]} // inbox', "utf-8")
    profile = load_anonymous_profile(path)
    assert (profile.name, profile.permissions) == ("Guest", ("upload",))
    assert caplog.records == []


def test_an_anonymous_profile_that_breaks_shares_draws_a_warning(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path.write_text('{"permissions": ["view", "upload", "download"]}', "utf-8")
    load_anonymous_profile(path)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "permissions view, download: share links will not work" in caplog.text


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "cannot be read: No such file or directory."),
        ('{"validity": 0}', "breaks a rule: validity must be"),
        ('{"rights": []}', "breaks a rule: the profile has the unknown member"),
        ("[", "is no JSON"),
    ],
)
def test_a_wrong_anonymous_profile_stops_the_service(
    path: Path, content: str | None, problem: str
) -> None:
    path.unlink() if content is None else path.write_text(content, "utf-8")
    with pytest.raises(ConfigurationError, match=problem) as raised:
        load_anonymous_profile(path)
    assert str(raised.value).startswith("ANONYMOUS_PROFILE_FILE_PATH: the file ")
    assert str(path) not in str(raised.value)
