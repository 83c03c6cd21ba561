"""`orthanc-share token`: what a token holds."""

import sys
from typing import Annotated

import typer

from orthanc_share.config.settings import SharingSettings
from orthanc_share.domain.errors import ConfigurationError, TokenError
from orthanc_share.web.startup import start
from suite.commands.output import fail, print_json
from suite.inspection import inspect

STANDARD_INPUT = "-"
"""Stands for standard input where a text is expected."""

token_cli = typer.Typer(help="Look into tokens.", no_args_is_help=True)


@token_cli.callback()
def _options() -> None:
    """Look into tokens."""


@token_cli.command("inspect")
def token_inspect(
    token: Annotated[
        str, typer.Argument(help="A share token or a link; - reads standard input.")
    ] = STANDARD_INPUT,
) -> None:
    """Show what a token holds, and whether it is valid now.

    The command line of a process can be seen by other users of the machine: prefer
    standard input.
    """
    text = sys.stdin.read() if token == STANDARD_INPUT else token
    try:
        print_json(inspect(text.strip(), start(SharingSettings)))
    except ConfigurationError as error:
        fail(*error.problems)
    except TokenError as error:
        fail(f"{error.code}: {error}")
