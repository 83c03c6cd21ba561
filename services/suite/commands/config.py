"""`orthanc-share check-config`: the settings as each service sees them."""

from typing import Annotated

import typer

from suite.checks import report
from suite.commands.output import EXIT_NOTHING_DONE, print_json, say


def check_config(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Report the settings as each service sees them; secrets are not shown."""
    found = report()
    if as_json:
        print_json(found.to_json())
    else:
        say(found.to_text())
    if found.has_problems:
        raise typer.Exit(EXIT_NOTHING_DONE)
