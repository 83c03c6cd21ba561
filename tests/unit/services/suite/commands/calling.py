"""The command line in tests: in this process, or as a process of its own."""

import os
import pty
import select
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from typer.testing import CliRunner, Result

from suite.cli import cli

LOGIN = ("jane", "pW7-rT2-xK9")
"""The user of the services in tests."""

PATIENCE = 60
"""Seconds after which a command that does not end is a failure."""


def call(*arguments: str, given: str | None = None) -> Result:
    """Run a command in this process; nobody sits at a terminal."""
    return CliRunner().invoke(cli, arguments, input=given)


def refused(*arguments: str, given: str | None = None, status: int = 2) -> str:
    """Return what a command says that ends with `status`, and prints nothing else."""
    result = call(*arguments, given=given)
    assert result.exit_code == status, result.output
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    return result.stderr


@dataclass(frozen=True)
class Ended:
    """A process that has ended.

    Args:
        status: Its exit status.
        stdout: What it printed.
        stderr: What it said; at a terminal all that stands there.
    """

    status: int
    stdout: str
    stderr: str


def process(
    *arguments: str, given: str = "", environ: Mapping[str, str] | None = None
) -> Ended:
    """Run a command as a process of its own, without a terminal."""
    done = subprocess.run(
        [sys.executable, "-m", "suite", *arguments],
        input=given,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
        env={**os.environ, **(environ or {})},
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def at_terminal(
    *arguments: str,
    answers: Mapping[str, str],
    environ: Mapping[str, str] | None = None,
) -> Ended:
    """Run a command at a terminal at which somebody answers its questions.

    Args:
        arguments: Of the command.
        answers: The end of a question to what is typed then.
        environ: Variables besides those of this process.
    """
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "suite", *arguments],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
        start_new_session=True,  # so that this is its terminal, for getpass
        preexec_fn=lambda: _take(theirs),  # noqa: PLW1509 - no thread runs there
        env={**os.environ, "TERM": "dumb", **(environ or {})},
    ) as running:
        os.close(theirs)
        try:
            shown = _talk(ours, dict(answers))
            out, _ = running.communicate(timeout=PATIENCE)
        finally:
            running.kill()
            os.close(ours)
    return Ended(running.returncode, out.decode(), shown)


def _take(terminal: int) -> None:
    """Make a terminal the one that controls this session."""
    os.close(os.open(os.ttyname(terminal), os.O_RDWR))


def _talk(terminal: int, answers: dict[str, str]) -> str:
    shown, waiting = "", ""
    while True:
        ready, _, _ = select.select([terminal], [], [], PATIENCE)
        assert ready, f"it waits for an answer: {shown!r}"
        try:
            piece = os.read(terminal, 4096).decode()
        except OSError:  # the other end is closed
            return shown
        shown, waiting = shown + piece, waiting + piece
        for question, answer in answers.items():
            # The blank comes when it listens; what is typed earlier would be lost.
            if waiting.endswith(f"{question} "):
                os.write(terminal, f"{answer}\n".encode())
                waiting = ""


def files_in(folder: Path) -> dict[str, str]:
    """Return the content of each file in a folder but its locks, by name."""
    return {
        path.name: path.read_text("utf-8")
        for path in folder.iterdir()
        if not path.name.endswith(".lock")
    }
