"""Programs are started, waited for and stopped, whatever they do."""

import socket
import sys
from pathlib import Path

import pytest

from demo import processes
from demo.processes import Process, StartError, find_program, free_port

STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(60)
"""


def start(code: str, log: Path, *, ready: bool = True) -> Process:
    command = [sys.executable, "-c", code]
    return Process("test", command, log=log, ready=lambda: ready)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


def test_a_program_runs_inside_the_block_only(log: Path) -> None:
    with start("import time; time.sleep(60)", log) as process:
        assert process.running
    assert not process.running


def test_a_program_that_ends_at_once_shows_its_last_words(log: Path) -> None:
    code = "print('line\\n' * 50 + 'no such option')"
    with pytest.raises(StartError, match="no such option") as caught:
        start(code, log, ready=False).__enter__()
    assert str(caught.value).count("line") < 20


def test_a_program_that_never_answers_is_stopped(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "START_TIMEOUT", 0.0)
    process = start("import time; time.sleep(60)", log, ready=False)
    with pytest.raises(StartError), process:
        pass
    assert not process.running


def test_a_program_that_does_not_stop_is_killed(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "STOP_TIMEOUT", 0.1)
    process = Process(
        "test",
        [sys.executable, "-c", STUBBORN],
        log=log,
        ready=lambda: log.read_text() != "",
    )
    with process:
        assert process.running
    assert not process.running


def test_a_program_gets_only_the_environment_it_is_given(log: Path) -> None:
    process = Process(
        "test",
        [sys.executable, "-c", "import os; print(os.environ.get('HOME'), flush=True)"],
        log=log,
        ready=lambda: log.read_text() != "",
        environment={},
    )
    with process:
        assert process.last_words() == "None"


def test_a_preferred_port_is_taken_only_when_it_is_free() -> None:
    free = free_port()
    assert free_port(free) == free
    with socket.create_server(("127.0.0.1", 0)) as busy:
        taken: int = busy.getsockname()[1]
        assert free_port(taken) not in {0, taken}


def test_programs_are_found_in_the_folders_of_root_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "some-server"
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", "")
    assert find_program("some-server") is None
    monkeypatch.setattr(processes, "_SYSTEM_FOLDERS", (str(tmp_path),))
    assert find_program("some-server") == str(program)
