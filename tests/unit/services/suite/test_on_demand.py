"""Commands that are imported when one of them is wanted."""

import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from suite.cli import COMMANDS, cli
from suite.on_demand import CommandsOnDemand
from tests.unit.services.suite.environment import GOOD

TELL_WHAT_IS_LOADED = """
import atexit, sys
services = ("token_service", "landing", "anonymizer")
atexit.register(lambda: print("loaded", *(s for s in services if s in sys.modules)))
from suite.cli import main
try:
    main()
except SystemExit:
    sys.exit(0)
"""


def test_every_command_is_where_it_is_said_to_be() -> None:
    commands = CommandsOnDemand(COMMANDS)
    assert len(commands) == len(COMMANDS)
    assert {name: command.name for name, command in commands.items()} == {
        name: name for name in COMMANDS
    }
    assert all(command.help for command in commands.values())


def test_help_lists_the_commands_in_the_order_of_the_table() -> None:
    told = CliRunner().invoke(cli, ["--help"]).stdout
    assert sorted(COMMANDS, key=lambda name: told.index(f"│ {name} ")) == list(COMMANDS)


def test_a_group_with_one_command_is_still_a_group() -> None:
    told = CliRunner().invoke(cli, ["token", "--help"]).stdout
    assert "inspect" in told


@pytest.mark.parametrize("name", ["nonsense", "shares", "__init__"])
def test_a_command_that_is_not_there_is_refused(name: str) -> None:
    result = CliRunner().invoke(cli, [name])
    assert result.exit_code == 2
    assert f"No such command '{name}'" in result.stderr


def test_a_misspelt_command_is_guessed() -> None:
    result = CliRunner().invoke(cli, ["doktor"])
    assert "Did you mean 'doctor'?" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "loaded"),
    [
        (["--version"], set()),
        (["serve", "landing", "--workers", "0"], set()),
        (["serve", "landing", "--host", "256.0.0.1"], {"landing"}),
        (["deid-profile"], set()),
        (["share", "--help"], set()),
    ],
)
def test_a_command_loads_no_service_that_it_does_not_need(
    arguments: list[str], loaded: set[str]
) -> None:
    command = [sys.executable, "-c", TELL_WHAT_IS_LOADED, *arguments]
    done = subprocess.run(
        command,
        check=True,
        capture_output=True,
        text=True,
        env=GOOD | {"PATH": os.environ["PATH"]},
    )
    assert set(done.stdout.splitlines()[-1].split()[1:]) == loaded
