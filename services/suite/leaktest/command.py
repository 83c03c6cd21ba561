"""`orthanc-share leak-test`: the search on a site of one's own."""

import sys
from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from suite.leaktest.collect import collected, identities
from suite.leaktest.crawl import Leak, Outcome, crawl
from suite.leaktest.odd import foreign_requests, odd_requests
from suite.leaktest.requests import Ask, every_accept, narrow, requests, sensitive_bulk
from suite.leaktest.routes import ROUTES
from suite.leaktest.scan import Scanner
from suite.leaktest.transport import Site, site
from suite.leaktest.world import UnexpectedAnswerError, World, explore

EXIT_LEAK = 1
"""Exit status when something came out."""

EXIT_NO_TEST = 2
"""Exit status when nothing could be tested, which proves nothing."""

STANDARD_INPUT = "-"
"""Stands for standard input where the token is expected."""

_CONTROL = "/dicom-web/studies/{study}/metadata"


class NoTestError(Exception):
    """The test would prove nothing. The text says why."""


@dataclass(frozen=True)
class Target:
    """What is tested.

    Args:
        share: The anonymizer, asked with the token of a share.
        orthanc: The Orthanc behind it, asked directly.
        studies: StudyInstanceUIDs that are shared, as Orthanc has them.
        exceptions: Tags that the site's profile keeps.
    """

    share: Site
    orthanc: Site
    studies: Sequence[str]
    exceptions: Sequence[str] = ()


@dataclass(frozen=True)
class Result:
    """What a test has found.

    Args:
        values: Number of values that were looked for.
        outcome: What came out.
    """

    values: int
    outcome: Outcome


def run(target: Target) -> Result:
    """Collect what identifies from Orthanc, and look for it in all answers.

    Raises:
        NoTestError: Orthanc or the anonymizer does not show the studies, or the
            search does not find in Orthanc what must be there.
        OSError: One of them does not answer.
    """
    try:
        raw = explore(target.orthanc, target.studies)
        shown = explore(target.share)
    except UnexpectedAnswerError as error:
        raise NoTestError(str(error)) from error
    needles = collected(raw, target.exceptions)
    scanner = Scanner(needles, identities(raw, needles))
    _check(target.orthanc, raw, shown, scanner)
    asks = [*_asks(raw, shown)]
    return Result(len(needles), crawl(target.share, asks, scanner))


def _check(orthanc: Site, raw: World, shown: World, scanner: Scanner) -> None:
    """Look for the same values where they must be found (positive control)."""
    if not any(True for _ in raw.instances):
        raise NoTestError("Orthanc has no image of these studies.")
    if not any(True for _ in shown.instances):
        raise NoTestError("The share shows no image.")
    routes = [route for route in ROUTES if route.template == _CONTROL]
    if not crawl(orthanc, requests(raw, routes), scanner).leaks:
        raise NoTestError("The search finds nothing even in Orthanc's own answers.")


def _asks(raw: World, shown: World) -> Iterator[Ask]:
    yield from requests(shown)
    yield from every_accept(narrow(shown))
    yield from sensitive_bulk(narrow(shown))
    yield from odd_requests(shown)
    yield from foreign_requests(raw)


def leak_test(
    url: Annotated[str, typer.Argument(help="Address of the anonymizer.")],
    *,
    orthanc: Annotated[
        str,
        typer.Option(help="Address of the Orthanc behind it.", envvar="ORTHANC_ROOT"),
    ],
    study: Annotated[
        list[str], typer.Option(help="StudyInstanceUID that is shared, in Orthanc.")
    ],
    token_file: Annotated[
        Path, typer.Option(help="File with the share's token; - is standard input.")
    ] = Path(STANDARD_INPUT),
    username: Annotated[
        str, typer.Option(help="User of Orthanc.", envvar="ORTHANC_USERNAME")
    ] = "",
    password: Annotated[
        str,
        typer.Option(
            help="Its password; prefer the variable.",
            envvar="ORTHANC_PASSWORD",
            show_envvar=True,
        ),
    ] = "",
    keep: Annotated[
        list[str] | None,
        typer.Option(help="Tag that the site's profile keeps, such as 00080070."),
    ] = None,
    log: Annotated[
        list[Path] | None, typer.Option(help="Log file to look into as well.")
    ] = None,
    show_values: Annotated[
        bool, typer.Option(help="Show what came out: patients' data.")
    ] = False,
) -> None:
    """Look for the patient in everything that the anonymizer answers for a share.

    Asks every route in many ways and searches each answer for all values that the
    raw Orthanc has in the study. Exit status 1: something came out; 2: no test.
    """
    token = _token(token_file)
    login = b64encode(f"{username}:{password}".encode()).decode()
    headers = {"Authorization": f"Basic {login}"} if username else {}
    try:
        with site(url, {"token": token}) as share, site(orthanc, headers) as raw:
            result = run(Target(share, raw, study, keep or ()))
            found = [*_told(result.outcome.leaks, shows_value=show_values)]
            found += _in_logs(log or (), explore(raw, study))
    except NoTestError as error:
        _end([f"No test: {error}"], EXIT_NO_TEST)
    except OSError as error:
        _end([f"No test: no answer ({error.strerror or error})"], EXIT_NO_TEST)
    asked = sum(result.outcome.requests.values())
    typer.echo(f"{asked} requests, {result.values} values looked for.")
    if found:
        _end(found, EXIT_LEAK)
    typer.echo("Nothing came out.")


def _token(file: Path) -> str:
    text = sys.stdin.read() if str(file) == STANDARD_INPUT else file.read_text("utf-8")
    return text.strip()


def _told(leaks: Sequence[Leak], *, shows_value: bool) -> list[str]:
    return sorted({leak.to_text(shows_value=shows_value) for leak in leaks})


def _in_logs(files: Sequence[Path], raw: World) -> Iterator[str]:
    needles = collected(raw)
    scanner = Scanner(needles, identities(raw, needles))
    for file in files:
        for finding in scanner.scan_bytes(file.read_bytes(), "log"):
            yield f"{file.name}: {finding.needle.kind} from {finding.needle.source}"


def _end(lines: Sequence[str], status: int) -> NoReturn:
    for line in lines:
        typer.echo(line, err=True)
    raise typer.Exit(status)
