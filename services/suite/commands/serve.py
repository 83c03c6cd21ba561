"""`orthanc-share serve`: the services, until a signal."""

from contextlib import ExitStack
from enum import StrEnum
from typing import Annotated

import typer
from starlette.types import ASGIApp
from uvicorn.importer import import_from_string

from orthanc_share.domain.errors import ConfigurationError
from suite.commands.output import fail, tell
from suite.protocol import REQUEST_TIMEOUT
from suite.server import bind, run, run_workers


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

_FACTORIES = {
    Service.ALL: "suite.app:create_app",
    Service.TOKEN_SERVICE: "token_service.app:create_app",
    Service.LANDING: "landing.app:create_app",
    Service.ANONYMIZER: "anonymizer.app:create_app",
}
"""By name: a service does not load what only another one needs."""

_ALL_SERVICES = "suite.app:create_services"
_SEPARATE = (Service.TOKEN_SERVICE, Service.LANDING, Service.ANONYMIZER)
_WITH_REGISTRY = (Service.ALL, Service.TOKEN_SERVICE)
_FIRST_OF_THREE_MAX = 65_533


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
        apps = _make(service, separate=separate)
        if service in _WITH_REGISTRY:
            _prepare_database()
        if workers == 1:
            _run(apps, host, first, request_timeout)
        else:
            # The application above has told what is wrong, once and not by each worker.
            run_workers(_FACTORIES[service], host, first, workers, request_timeout)
    except ConfigurationError as error:
        fail(*error.problems)
    except OSError as error:
        fail(f"Cannot listen on {host}: {error.strerror}")


def _make(service: Service, *, separate: bool) -> list[tuple[Service, ASGIApp]]:
    if separate:
        made = import_from_string(_ALL_SERVICES)()
        return list(zip(_SEPARATE, made, strict=True))
    return [(service, import_from_string(_FACTORIES[service])())]


def _prepare_database() -> None:
    # The anonymizer and landing have none, and shall not load what it takes.
    from suite.commands.database import prepare_database  # noqa: PLC0415

    prepare_database()


def _run(
    apps: list[tuple[Service, ASGIApp]], host: str, first: int, request_timeout: float
) -> None:
    with ExitStack() as stack:
        bound = []
        for number, (name, app) in enumerate(apps):
            socket = stack.enter_context(bind(host, first + number if first else 0))
            bound.append((app, socket))
            port = socket.getsockname()[1]
            tell(f"{name} listens on http://{_shown(host)}:{port}/")
        run(bound, request_timeout)


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host
