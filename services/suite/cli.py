"""The command line: `orthanc-share`."""

from importlib.metadata import version
from typing import Annotated

import typer

from suite.on_demand import group_of

COMMANDS = {
    "serve": "suite.commands.serve:serve",
    "check-config": "suite.commands.config:check_config",
    "deid-profile": "suite.commands.deid_profile:deid_profile",
    "migrate": "suite.commands.database:migrate",
    "why": "suite.commands.why:why",
    "doctor": "suite.commands.doctor.command:doctor",
    "leak-test": "suite.leaktest.command:leak_test",
    "token": "suite.commands.token:token_cli",
    "share": "suite.commands.share:share_cli",
    "audit": "suite.commands.audit:audit_cli",
    "keys": "suite.commands.keys:keys_cli",
}
"""Names of the commands, and where each of them is."""

cli = typer.Typer(
    cls=group_of(COMMANDS),
    help="Links to DICOM studies, next to Orthanc.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # they would show the values of variables
    add_completion=False,
)


def _show_version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it
    if wanted:
        typer.echo(f"orthanc-share {version('orthanc-share')}")
        raise typer.Exit


@cli.callback()
def _options(
    *,
    _version: Annotated[
        bool,
        typer.Option(
            "--version",
            help="Show the version and end.",
            callback=_show_version,
            is_eager=True,
        ),
    ] = False,
) -> None:
    """Links to DICOM studies, next to Orthanc."""


def main() -> None:
    """Run the command line."""
    cli(prog_name="orthanc-share")
