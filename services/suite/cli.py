"""The command line: `orthanc-share`."""

import json
import sys
from collections.abc import Callable
from contextlib import ExitStack
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from starlette.types import ASGIApp

import anonymizer.app
import landing.app
import token_service.app
from orthanc_share.config.settings import SharingSettings
from orthanc_share.deidentification.conformance import conformance_table
from orthanc_share.deidentification.profile import Profile
from orthanc_share.domain.errors import ConfigurationError, TokenError
from orthanc_share.web.startup import start
from suite import app as suite_app
from suite.checks import report
from suite.commands.audit import audit_cli
from suite.commands.database import migrate, prepare_database
from suite.commands.doctor.command import doctor
from suite.commands.keys import keys_cli
from suite.commands.share import share_cli
from suite.commands.why import why
from suite.inspection import inspect
from suite.leaktest.command import leak_test
from suite.protocol import REQUEST_TIMEOUT
from suite.server import bind, run, run_workers

EXIT_CONFIGURATION = 2
"""Exit status when the settings are wrong, or a token is."""


STANDARD_INPUT = "-"
"""Stands for standard input where a text is expected."""


class Service(StrEnum):
    """What can be served."""

    ALL = "all"
    TOKEN_SERVICE = "token-service"  # noqa: S105 - the name of a service
    LANDING = "landing"
    ANONYMIZER = "anonymizer"


PORTS = {
    Service.ALL: 8000,
    Service.TOKEN_SERVICE: 8000,
    Service.LANDING: 8001,
    Service.ANONYMIZER: 8002,
}
"""Ports where none is given (design 5)."""

_MAKERS: dict[Service, Callable[[], ASGIApp]] = {
    Service.ALL: suite_app.create_app,
    Service.TOKEN_SERVICE: token_service.app.create_app,
    Service.LANDING: landing.app.create_app,
    Service.ANONYMIZER: anonymizer.app.create_app,
}
_FACTORIES = {
    Service.ALL: "suite.app:create_app",
    Service.TOKEN_SERVICE: "token_service.app:create_app",
    Service.LANDING: "landing.app:create_app",
    Service.ANONYMIZER: "anonymizer.app:create_app",
}
_SEPARATE = (Service.TOKEN_SERVICE, Service.LANDING, Service.ANONYMIZER)
_WITH_REGISTRY = (Service.ALL, Service.TOKEN_SERVICE)
_FIRST_OF_THREE_MAX = 65_533

cli = typer.Typer(
    help="Links to DICOM studies, next to Orthanc.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # they would show the values of variables
    add_completion=False,
)
token_cli = typer.Typer(help="Look into tokens.", no_args_is_help=True)
cli.add_typer(token_cli, name="token")
cli.add_typer(share_cli, name="share")
cli.add_typer(audit_cli, name="audit")
cli.add_typer(keys_cli, name="keys")
cli.command("migrate")(migrate)
cli.command("why")(why)
cli.command("doctor")(doctor)
cli.command("leak-test")(leak_test)


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


@cli.command()
def serve(
    service: Annotated[
        Service, typer.Argument(help="One service, or all of them.")
    ] = Service.ALL,
    host: Annotated[
        str, typer.Option(help="Address to listen on.", envvar="ORTHANC_SHARE_HOST")
    ] = "127.0.0.1",
    port: Annotated[
        int | None,
        typer.Option(
            help="Port; 0: any that is free. With --separate the first of three.",
            envvar="ORTHANC_SHARE_PORT",
            min=0,
            max=65_535,
        ),
    ] = None,
    *,
    separate: Annotated[
        bool, typer.Option(help="All services, each on a port of its own.")
    ] = False,
    workers: Annotated[int, typer.Option(help="Processes.", min=1)] = 1,
    request_timeout: Annotated[
        float, typer.Option(help="Seconds for which a request may arrive.", min=0.1)
    ] = REQUEST_TIMEOUT,
) -> None:
    """Serve until Ctrl-C or SIGTERM; settings come from the environment."""
    first = PORTS[service] if port is None else port
    if separate and (service is not Service.ALL or workers > 1):
        raise typer.BadParameter("--separate serves all services in one process.")
    if separate and first > _FIRST_OF_THREE_MAX:
        raise typer.BadParameter("--separate needs the next two ports as well.")
    try:
        if workers > 1:
            _MAKERS[service]()  # a wrong setting is told once, not by every worker
            if service in _WITH_REGISTRY:
                prepare_database()
            run_workers(_FACTORIES[service], host, first, workers, request_timeout)
            return
        apps: list[tuple[Service, ASGIApp]]
        if separate:
            apps = list(zip(_SEPARATE, suite_app.create_services(), strict=True))
        else:
            apps = [(service, _MAKERS[service]())]
        if service in _WITH_REGISTRY:
            prepare_database()
        _run(apps, host, first, request_timeout)
    except ConfigurationError as error:
        _refuse(error.problems)
    except OSError as error:
        _refuse([f"Cannot listen on {host}: {error.strerror}"])


def _run(
    apps: list[tuple[Service, ASGIApp]], host: str, first: int, request_timeout: float
) -> None:
    with ExitStack() as stack:
        bound = []
        for number, (name, app) in enumerate(apps):
            socket = stack.enter_context(bind(host, first + number if first else 0))
            bound.append((app, socket))
            port = socket.getsockname()[1]
            typer.echo(f"{name} listens on http://{_shown(host)}:{port}/", err=True)
        run(bound, request_timeout)


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


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
        _print(inspect(text.strip(), start(SharingSettings)))
    except ConfigurationError as error:
        _refuse(error.problems)
    except TokenError as error:
        _refuse([f"{error.code}: {error}"])


@cli.command("check-config")
def check_config(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Report the settings as each service sees them; secrets are not shown."""
    found = report()
    if as_json:
        _print(found.to_json())
    else:
        typer.echo(found.to_text())
    if found.has_problems:
        raise typer.Exit(EXIT_CONFIGURATION)


@cli.command("deid-profile")
def deid_profile(
    profile: Annotated[
        Path | None,
        typer.Option(
            help="TOML file of the site; without: the safe default.",
            envvar="DEIDENTIFICATION_PROFILE",
        ),
    ] = None,
) -> None:
    """Print what de-identification does to each attribute (PS3.2 style)."""
    try:
        chosen = Profile() if profile is None else Profile.from_toml(profile)
    except ConfigurationError as error:
        _refuse(error.problems)
    typer.echo(conformance_table(chosen), nl=False)


def _print(value: Any) -> None:
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def _refuse(problems: list[str] | tuple[str, ...]) -> NoReturn:
    for problem in problems:
        typer.echo(problem, err=True)
    raise typer.Exit(EXIT_CONFIGURATION)


def main() -> None:
    """Run the command line."""
    cli(prog_name="orthanc-share")
