"""docs/cli.md names every command and option, and its lines work as they stand."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from string import Template

import pytest
import typer
from typer.testing import CliRunner

from orthanc_share.domain.access import Reason
from suite.cli import cli
from tests.support.real import require
from tests.support.server import serve
from tests.support.service import Service
from tests.support.settings import PUBLIC, SECRET_KEY, token_service_settings
from token_service.app import create_app

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"
"""The page that promises."""

LOGIN = ("jane", "made-up-for-this-test")

_LINES = re.compile(r"```sh\n(.*?)```", re.DOTALL)
_SECTION = re.compile(
    r"^## `orthanc-share ([\w -]+)`\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL
)
_HELP = "--help"
Ran = tuple[int, str, str]


def commands(command: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Yield each command with the words that call it."""
    below = getattr(command, "commands", None)
    if below is None:
        yield path, command
        return
    for name, one in below.items():
        yield from commands(one, f"{path} {name}".strip())


COMMANDS = dict(commands(typer.main.get_command(cli)))
SECTIONS: dict[str, str] = dict(_SECTION.findall(PAGE.read_text("utf-8")))
WITH_LINES = [name for name, text in SECTIONS.items() if "```sh" in text]


def test_each_command_has_a_section_and_no_other_has() -> None:
    assert SECTIONS.keys() == COMMANDS.keys()


@pytest.mark.parametrize("name", COMMANDS)
def test_each_option_is_named_where_its_command_is(name: str) -> None:
    options = {
        option
        for parameter in COMMANDS[name].params  # type: ignore[attr-defined]
        for option in parameter.opts
        if option.startswith("--") and option != _HELP
    }
    told = set(re.findall(r"--[a-z-]+", SECTIONS[name]))
    assert options <= told


def test_each_reason_is_explained() -> None:
    told = set(re.findall(r"`([a-z_]+)`", SECTIONS["why"]))
    assert told >= set(Reason) - {Reason.UNREADABLE_QUESTION}


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Run a token-service; give the environment of somebody beside it."""
    folder = tmp_path_factory.mktemp("cli")
    (folder / "secrets").mkdir()
    (folder / "secrets" / "SECRET_KEY").write_text(SECRET_KEY, "utf-8")
    settings = token_service_settings(
        registry=True, data_dir=folder / "data", users={LOGIN[0]: LOGIN[1]}
    )
    with serve(create_app(settings)) as address:
        made = Service(address, LOGIN).made()
        programs = Path(sys.executable).parent
        yield {
            **{k: v for k, v in os.environ.items() if k.startswith("COVERAGE")},
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "SECRETS_DIR": str(folder / "secrets"),
            "DATA_DIR": str(folder / "data"),
            "USERS": json.dumps(dict([LOGIN])),
            "PUBLIC_ORTHANC_ROOT": f"{PUBLIC}/shares/",
            "ORTHANC_SHARE_URL": address,
            "ORTHANC_SHARE_USER": LOGIN[0],
            "ORTHANC_SHARE_PASSWORD": LOGIN[1],
            "ID": made["share-id"],
            "TOKEN": made["token"],
        }


@pytest.mark.parametrize("name", WITH_LINES)
def test_the_lines_work_as_they_stand(name: str, environ: dict[str, str]) -> None:
    # The answer of a doctor, and to why, may be no.
    good = {0, 1} if name in {"why", "doctor"} else {0}
    for block in _LINES.findall(SECTIONS[name]):
        for line in block.splitlines():
            run = in_a_shell if "|" in line else in_this_process
            status, out, said = run(line, environ)
            assert status in good, f"{line}\n{said}"
            assert out
            assert "Traceback" not in said


def in_a_shell(line: str, environ: dict[str, str]) -> Ran:
    """Run a line as a person would."""
    if "jq" in line:
        require("jq")
    done = subprocess.run(
        [str(require("bash")), "-euo", "pipefail", "-c", line],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    return done.returncode, done.stdout, done.stderr


def in_this_process(line: str, environ: dict[str, str]) -> Ran:
    """Run a line without a pipe: a process of its own takes seconds to start."""
    words = shlex.split(Template(line).safe_substitute(environ))
    assert words.pop(0) == "orthanc-share"
    result = CliRunner().invoke(cli, words, env=environ)
    return result.exit_code, result.stdout, result.stderr
