"""Questions to the person at the terminal; where there is none, a clear error."""

import sys

import typer

from suite.commands.output import EXIT_NO, fail


def has_terminal() -> bool:
    """Tell whether somebody can be asked."""
    return sys.stdin.isatty()


def ask(question: str) -> str:
    """Return what the person at the terminal answers; empty if nothing."""
    # Not by `input`, which would write to standard output, between the data.
    typer.echo(f"{question}: ", err=True, nl=False)
    return sys.stdin.readline().strip()


def ask_secret(question: str, *, twice: bool = False) -> str:
    """Return a secret that the person types without seeing it."""
    secret: str = typer.prompt(
        question, hide_input=True, confirmation_prompt=twice, err=True
    )
    return secret


def new_password() -> str:
    """Return a second factor: typed twice, or the first line of standard input."""
    if has_terminal():
        return ask_secret("Password of the link", twice=True)
    line = sys.stdin.readline().removesuffix("\n").removesuffix("\r")
    if not line:
        fail("--password reads a line of standard input, which is empty.")
    return line


def confirm(question: str, *, yes: bool) -> None:
    """Return if it shall be done, else end the program.

    Args:
        question: What shall be done.
        yes: Whether that was said already.
    """
    if yes:
        return
    if not has_terminal():
        fail(f"{question} Nobody can be asked here: say --yes.")
    if ask(f"{question} [y/N]").lower() not in {"y", "yes"}:
        fail("Nothing was done.", status=EXIT_NO)
