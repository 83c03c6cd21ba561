"""`orthanc-share leak-test`: the search on a site of one's own."""

import re
import sys
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from suite.leaktest.crawl import Leak
from suite.leaktest.scan import Scanner
from suite.leaktest.target import NoTestError, Target, address, run
from suite.leaktest.transport import site

EXIT_LEAK = 1
"""Exit status when something came out."""

EXIT_NO_TEST = 2
"""Exit status when nothing could be tested, which proves nothing."""

STANDARD_INPUT = "-"
"""Stands for standard input where the token is expected."""

_UID = re.compile(r"[0-9.]{1,64}", re.ASCII)


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
    try:
        texts = [(file.name, _read(file)) for file in log or ()]
        headers = {"token": _token(token_file)}
        with (
            site(address(url), headers) as share,
            site(address(orthanc), _login(username, password)) as raw,
        ):
            result = run(Target(share, raw, [*map(_uid, study)], keep or ()))
    except NoTestError as error:
        _end([f"No test: {error}"], EXIT_NO_TEST)
    found = _told(result.outcome.leaks, shows_value=show_values)
    found += _in_logs(texts, result.scanner)
    asked = sum(result.outcome.requests.values())
    typer.echo(f"{asked} requests, {result.values} values looked for.")
    if found:
        _end(found, EXIT_LEAK)
    typer.echo("Nothing came out.")


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise NoTestError(f"{file}: {error.strerror}.") from error


def _token(file: Path) -> str:
    is_input = str(file) == STANDARD_INPUT
    token = (sys.stdin.buffer.read() if is_input else _read(file)).strip()
    if not token.isascii() or not token.decode().isprintable() or not token:
        raise NoTestError("a token is one line of letters, digits and points.")
    return token.decode()


def _login(username: str, password: str) -> Mapping[str, str]:
    if not username:
        return {}
    login = b64encode(f"{username}:{password}".encode()).decode()
    return {"Authorization": f"Basic {login}"}


def _uid(text: str) -> str:
    if not _UID.fullmatch(text):
        raise NoTestError("a StudyInstanceUID is digits and points, 64 at most.")
    return text


def _told(leaks: Sequence[Leak], *, shows_value: bool) -> list[str]:
    return sorted({leak.to_text(shows_value=shows_value) for leak in leaks})


def _in_logs(logs: Sequence[tuple[str, bytes]], scanner: Scanner) -> Iterator[str]:
    for name, text in logs:
        for finding in scanner.scan_bytes(text, "log"):
            yield f"{name}: {finding.needle.kind} from {finding.needle.source}"


def _end(lines: Sequence[str], status: int) -> NoReturn:
    for line in lines:
        typer.echo(line, err=True)
    raise typer.Exit(status)
