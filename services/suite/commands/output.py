"""What commands print: data on standard output, everything else on standard error.

Tables are for people; `--json` is for programs and never coloured. Text of other people
(titles, browsers) is shown without what a terminal would take for a command.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NoReturn

import typer
from rich.console import Console
from rich.status import Status
from rich.table import Table
from rich.text import Text

from orthanc_share.domain.clock import to_utc

EXIT_NO = 1
"""Exit status when the answer is no: refused, denied, broken, not found."""

EXIT_NOTHING_DONE = 2
"""Exit status when a command could not do its work: arguments, settings, no answer."""

WIDE = 10_000
"""Width of what is no terminal, in characters: nothing is cut off in files."""

NONE = "-"
"""Stands for what there is none of."""


def shown(value: Any) -> str:
    """Return a value as a table shows it."""
    if value is None or value == "":
        return NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "".join(
        c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in str(value)
    )


def moment(value: Any) -> str:
    """Return an instant of the API as a table shows it: UTC, to the minute."""
    if not isinstance(value, str):
        return shown(value)
    try:
        return f"{to_utc(datetime.fromisoformat(value)):%Y-%m-%d %H:%M}"
    except ValueError:
        return shown(value)


def say(line: str) -> None:
    """Print a line of data."""
    typer.echo(line)


def tell(line: str) -> None:
    """Print a line for the person who called, beside the data."""
    typer.echo(line, err=True)


def print_json(value: Any) -> None:
    """Print a document for programs; in ASCII, so that no terminal matters."""
    typer.echo(json.dumps(value, indent=2))


def print_json_line(value: Any) -> None:
    """Print a document on one line, for programs that read line by line."""
    typer.echo(json.dumps(value, separators=(",", ":")))


def print_table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], *, heads: bool = True
) -> None:
    """Print a table.

    Args:
        columns: Names of the columns.
        rows: Their cells, as `shown` makes them.
        heads: Whether the names are shown.
    """
    console = _console()
    table = Table(show_header=heads, box=None, pad_edge=False, header_style="bold")
    for number, name in enumerate(columns):
        # The first column names the row: it is folded rather than cut off.
        table.add_column(name, overflow="fold", no_wrap=not number and heads)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console.print(table)


def _console() -> Console:
    console = Console(file=sys.stdout, highlight=False)
    if console.is_terminal:
        return console
    return Console(file=sys.stdout, highlight=False, width=WIDE, color_system=None)


@contextmanager
def waiting(what: str, *, with_data: bool = False) -> Iterator["Progress"]:
    """Show on standard error, if it is a terminal, that something takes its time.

    Args:
        what: The work.
        with_data: Data is printed meanwhile. Where it stands at a terminal itself it
            shows how far the work is, and nothing may stand in between.
    """
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal or (with_data and sys.stdout.isatty()):
        yield Progress(what, None)
        return
    with console.status(Text(what)) as status:
        yield Progress(what, status)


class Progress:
    """How far a long work has come.

    Args:
        what: The work.
        status: Shows it; None: nobody looks.
    """

    def __init__(self, what: str, status: Status | None) -> None:
        self._what = what
        self._status = status
        self.count = 0

    def step(self) -> None:
        """Note that one more is done."""
        self.count += 1
        if self.count % 100 == 0:
            self.reach(self.count)

    def reach(self, count: int) -> None:
        """Note that so many are done."""
        self.count = count
        if self._status is not None:
            self._status.update(Text(f"{self._what}: {count}"))

    def tell(self, line: str) -> None:
        """Print a line for the person who called, above what is shown of the work."""
        if self._status is None:
            tell(line)
        else:
            self._status.console.print(Text(line), soft_wrap=True)


def fail(*problems: str, status: int = EXIT_NOTHING_DONE) -> NoReturn:
    """End with a line for each problem."""
    for problem in problems:
        tell(problem)
    raise typer.Exit(status)
